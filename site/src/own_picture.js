// A reader's own picture, made into an image for a model as explorers/parts/upload.py does it with Pillow:
// grey by Rec. 601, its central square, resampled bicubically in whole numbers. It never leaves the page.

import { even } from "./images.js";

const MAX_BYTES = 8_000_000;
const MAX_PIXELS = 40_000_000;
const BITS = 22; // of a weight, as in Pillow

class PictureError extends Error {}

// A file to bytes Uint8Array (size * size), grey: its middle, or all of it with black bars.
export async function greyPicture(file, size, whole = false) {
  if (file.size > MAX_BYTES) {
    const megabytes = (file.size / 1e6).toFixed(1);
    throw new PictureError(`${file.name} has ${megabytes} MB; at most 8 MB can be taken: make it smaller`);
  }
  let bitmap;
  try {
    if (!/^image\/(png|jpeg)$/.test(file.type)) throw new Error("unknown format");
    bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw new PictureError(
      "this file cannot be read as a PNG or JPEG picture: open it in an image viewer and save it again",
    );
  }
  const { width, height } = bitmap;
  if (width * height > MAX_PIXELS) {
    throw new PictureError(
      `this picture has ${width} x ${height} pixels; at most 40.0 million can be taken: make it smaller`,
    );
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillRect(0, 0, width, height); // black, where it is transparent
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) {
    grey[i] = (data[4 * i] * 19595 + data[4 * i + 1] * 38470 + data[4 * i + 2] * 7471 + 0x8000) >> 16;
  }
  return (whole ? pad : fit)(grey, width, height, size);
}

// Wait for a reader's picture and hand it on; of a file that is none, the notice tells.
export async function received(reading, notice, taken) {
  let grey;
  try {
    grey = await reading;
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    return notice.say(error.message, true);
  }
  notice.say("");
  await taken(grey);
}

// The central square, resampled: ImageOps.fit(picture, (size, size), BICUBIC).
export function fit(grey, width, height, size) {
  const side = Math.min(width, height);
  const [left, top] = [(width - side) / 2, (height - side) / 2];
  const rows = resample(grey, width, height, size, left, side); // (height, size)
  const turned = transpose(rows, size, height);
  return transpose(resample(turned, height, size, size, top, side), size, size);
}

// All of the picture, resampled, black around it: ImageOps.pad(picture, (size, size), BICUBIC).
export function pad(grey, width, height, size) {
  const short = even((Math.min(width, height) / Math.max(width, height)) * size);
  const [wide, high] = width > height ? [size, short] : height > width ? [short, size] : [size, size];
  const rows = resample(grey, width, height, wide, 0, width);
  const turned = transpose(rows, wide, height);
  const inner = transpose(resample(turned, height, wide, high, 0, height), high, wide);
  const out = new Uint8Array(size * size);
  const [left, top] = [even((size - wide) / 2), even((size - high) / 2)];
  for (let y = 0; y < high; y++) out.set(inner.subarray(y * wide, (y + 1) * wide), (top + y) * size + left);
  return out;
}

function transpose(values, width, height) {
  const out = new Uint8Array(values.length);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) out[x * height + y] = values[y * width + x];
  return out;
}

const cubic = (x, a = -0.5) => {
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
};

// Every row from `width` to `size` pixels, of which those from `start` on, `span` wide, are used.
function resample(values, width, height, size, start, span) {
  if (size === width && start === 0 && span === width) return values.slice();
  const out = new Uint8Array(size * height);
  const scale = span / size;
  const stretch = Math.max(scale, 1);
  for (let x = 0; x < size; x++) {
    const centre = start + (x + 0.5) * scale;
    const low = Math.max(0, Math.trunc(centre - 2 * stretch + 0.5));
    const high = Math.min(width, Math.trunc(centre + 2 * stretch + 0.5));
    const weights = [];
    for (let i = low; i < high; i++) weights.push(cubic((i - centre + 0.5) / stretch));
    const total = weights.reduce((a, b) => a + b);
    const whole = weights.map((w) => Math.trunc((w / total) * 2 ** BITS + (w < 0 ? -0.5 : 0.5)));
    for (let y = 0; y < height; y++) {
      let sum = 2 ** (BITS - 1);
      whole.forEach((w, i) => (sum += w * values[y * width + low + i]));
      out[y * size + x] = Math.min(Math.max(Math.floor(sum / 2 ** BITS), 0), 255);
    }
  }
  return out;
}

// The field that takes the file: by its button, by keyboard, or dropped on it.
export function uploadField(parent, label, given) {
  const field = document.createElement("label");
  field.className = "live-upload";
  const text = document.createElement("span");
  text.textContent = label;
  const input = document.createElement("input");
  Object.assign(input, { type: "file", accept: "image/png,image/jpeg" });
  field.append(text, input);
  parent.append(field);
  const take = () => {
    if (input.files[0]) given(input.files[0]);
    input.value = "";
  };
  input.addEventListener("change", take);
  field.addEventListener("dragover", (event) => event.preventDefault());
  field.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) given(event.dataTransfer.files[0]);
  });
  return field;
}
