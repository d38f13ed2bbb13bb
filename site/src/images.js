// Pictures as the package's pictures/render.py draws them: grey levels, tints, outlines; {data, width, height}
// with data RGBA. Images are Float32Array in [0, 1] or Uint8Array, row by row.

const f = Math.fround;

// As Python rounds, for x >= 0: a tie goes to the even number.
export function even(x) {
  const up = Math.round(x);
  return up - x === 0.5 ? up - (up % 2) : up;
}

export const clamp = (x, low = 0, high = 1) => Math.min(Math.max(x, low), high);

// Plain loops from here on: `from` and `map` with a function cost ten times as much, at every move of a slider.
export function unit(bytes) {
  const out = new Float32Array(bytes.length);
  for (let i = 0; i < out.length; i++) out[i] = bytes[i] / 255;
  return out;
}

// Floats in [0, 1] to grey levels, clipped and rounded as numpy does.
export function toBytes(image) {
  if (image instanceof Uint8Array) return image;
  const out = new Uint8Array(image.length);
  for (let i = 0; i < out.length; i++) out[i] = even(f(clamp(image[i]) * 255));
  return out;
}

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
  const { data } = picture;
  for (let i = 0; i < values.length; i++) {
    const share = clamp(values[i] / limit, -1, 1);
    const colour = share > 0 ? ORANGE : BLUE;
    const much = Math.abs(share);
    for (let c = 0; c < 3; c++) data[4 * i + c] = even(238 + much * (colour[c] - 238));
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
  for (let y = 0, i = 0; y < height; y++) {
    const start = y * scale * wide;
    for (let at = start; at < start + wide; i++) for (const end = at + scale; at < end; at++) to[at] = from[i];
    for (let k = 1; k < scale; k++) to.copyWithin(start + k * wide, start, start + wide);
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
