// Pictures as the package's pictures/render.py draws them: grey levels, tints, outlines; {data, width, height}
// with data RGBA. Images are Float32Array in [0, 1] or Uint8Array, row by row.

const f = Math.fround;
export const even = (x) => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)); // as Python rounds, for x >= 0

export const clamp = (x, low = 0, high = 1) => Math.min(Math.max(x, low), high);
export const unit = (bytes) => Float32Array.from(bytes, (x) => x / 255);

// Floats in [0, 1] to grey levels, clipped and rounded as numpy does.
export const toBytes = (image) =>
  image instanceof Uint8Array ? image : Uint8Array.from(image, (x) => even(f(clamp(x) * 255)));

// Four bytes a pixel from one: grey; three planes: colour.
export function pictureOf(bytes, width, height, channels = 1) {
  const count = width * height;
  const data = new Uint8ClampedArray(4 * count);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 3; c++) data[4 * i + c] = bytes[i + (channels === 3 ? c * count : 0)];
    data[4 * i + 3] = 255;
  }
  return { data, width, height };
}

export function blank(width, height) {
  return { data: new Uint8ClampedArray(4 * width * height).fill(255), width, height };
}

const ORANGE = [0xd5, 0x5e, 0x00];
const BLUE = [0x00, 0x72, 0xb2];

// Signed numbers in colours: orange above zero, blue below, full at the limit.
export function tint(values, limit, width, height) {
  const picture = blank(width, height);
  for (let i = 0; i < values.length; i++) {
    const share = clamp(values[i] / limit, -1, 1);
    const colour = share > 0 ? ORANGE : BLUE;
    for (let c = 0; c < 3; c++) picture.data[4 * i + c] = even(238 + Math.abs(share) * (colour[c] - 238));
  }
  return picture;
}

// Where image a is brighter than b (orange) or darker (blue), channels averaged; bytes.
export function difference(a, b, limit, width, height, channels = 1) {
  const count = width * height;
  const signed = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < channels; c++) signed[i] += a[i + c * count] - b[i + c * count];
    signed[i] /= channels;
  }
  return tint(signed, 255 * limit, width, height);
}

// Every pixel repeated, unsmoothed.
export function enlarge({ data, width, height }, scale) {
  const [wide, high] = [width * scale, height * scale];
  const from = new Uint32Array(data.buffer, data.byteOffset, width * height);
  const to = new Uint32Array(wide * high);
  for (let y = 0; y < high; y++) {
    const row = Math.floor(y / scale) * width;
    for (let x = 0; x < wide; x++) to[y * wide + x] = from[row + Math.floor(x / scale)];
  }
  return { data: new Uint8ClampedArray(to.buffer), width: wide, height: high };
}

const WIDTH = 2; // of an outline, screen pixels
const DASH = 5;

// Draw a line around a region, outside of it, on an enlarged picture; in place.
export function drawOutline(picture, mask, side, scale, colour, dashed = false) {
  const { width, height, data } = picture;
  const inside = (y, x) => mask[Math.floor(y / scale) * side + Math.floor(x / scale)] !== 0;
  for (let i = 0; i < mask.length; i++) {
    if (!mask[i]) continue;
    const [top, left] = [Math.floor(i / side) * scale, (i % side) * scale];
    for (let y = Math.max(0, top - WIDTH); y < Math.min(height, top + scale + WIDTH); y++)
      for (let x = Math.max(0, left - WIDTH); x < Math.min(width, left + scale + WIDTH); x++) {
        if (inside(y, x) || (dashed && Math.floor((x + y) / DASH) % 2)) continue;
        for (let c = 0; c < 3; c++) data[4 * (y * width + x) + c] = colour[c];
      }
  }
}

// A Gaussian of standard deviation 1, cut at 4, mirrored at the edges: scipy.ndimage.gaussian_filter.
export function smooth(values, side) {
  const reach = 4;
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-0.5 * (i - reach) ** 2));
  const total = weights.reduce((a, b) => a + b);
  const mirrored = (i) => (i < 0 ? -1 - i : i >= side ? 2 * side - 1 - i : i);
  const pass = (source, along, across) => {
    const out = new Float32Array(source.length);
    for (let a = 0; a < side; a++)
      for (let b = 0; b < side; b++) {
        let sum = 0;
        for (let k = -reach; k <= reach; k++) sum += (weights[k + reach] / total) * source[mirrored(a + k) * along + b * across];
        out[a * along + b * across] = sum;
      }
    return out;
  };
  return pass(pass(values, side, 1), 1, side);
}

// Connected regions (by edges) of a mask: numbers from 1, and the size of each.
export function label(mask, side) {
  const numbers = new Int32Array(mask.length);
  const sizes = [0];
  for (let start = 0; start < mask.length; start++) {
    if (!mask[start] || numbers[start]) continue;
    const stack = [start];
    numbers[start] = sizes.length;
    let size = 0;
    while (stack.length) {
      const i = stack.pop();
      const x = i % side;
      size++;
      for (const [j, there] of [[i - side, i >= side], [i + side, i + side < mask.length], [i - 1, x > 0], [i + 1, x < side - 1]]) {
        if (there && mask[j] && !numbers[j]) {
          numbers[j] = sizes.length;
          stack.push(j);
        }
      }
    }
    sizes.push(size);
  }
  return { numbers, sizes };
}

// A PNG file of a picture, stored without compression: quick to make, and only this page reads it.
export function toPng({ data, width, height }) {
  const line = 1 + 3 * width;
  const raw = new Uint8Array(line * height);
  for (let y = 0, at = 0; y < height; y++) {
    at++; // no filter
    for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++) raw[at++] = data[4 * (y * width + x) + c];
  }
  const blocks = [Uint8Array.of(0x78, 0x01)];
  for (let start = 0; start < raw.length; start += 65535) {
    const part = raw.subarray(start, start + 65535);
    const last = start + 65535 >= raw.length ? 1 : 0;
    blocks.push(Uint8Array.of(last, part.length, part.length >> 8, ~part.length, ~part.length >> 8), part);
  }
  let [a, b] = [1, 0];
  for (let i = 0; i < raw.length; i++) {
    a += raw[i];
    b += a;
    if (i % 3000 === 2999) [a, b] = [a % 65521, b % 65521]; // sums stay whole numbers until then
  }
  [a, b] = [a % 65521, b % 65521];
  blocks.push(word(b * 65536 + a));
  const header = joined([word(width), word(height), Uint8Array.of(8, 2, 0, 0, 0)]);
  const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
  return joined([signature, chunk("IHDR", header), chunk("IDAT", joined(blocks)), chunk("IEND", new Uint8Array(0))]);
}

const word = (n) => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n);

function joined(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  return all;
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

function chunk(name, content) {
  const body = joined([Uint8Array.from(name, (c) => c.charCodeAt(0)), content]);
  let crc = 0xffffffff;
  for (let i = 0; i < body.length; i++) crc = CRC[(crc ^ body[i]) & 255] ^ (crc >>> 8);
  return joined([word(content.length), body, word(~crc >>> 0)]);
}
