// What augmentation and corruption do to one image: batches/transforms.py for planes of `side` pixels square.
// Images are Float32Array in [0, 1], plane by plane; random numbers come from a Generator.

import { clamp } from "./images.js";

const f = Math.fround;

// Turned, moved, brighter or darker: the largest turn (of a full one), shift (of the side) and change of light.
export function augment(x, side, { rotation, shift, brightness }, generator) {
  const [turn, right, down, gain] = generator.rand(5).map((u) => 2 * u - 1);
  const moved = warp(x, side, rotation * turn, shift * right * side, shift * down * side);
  const factor = f(1 + brightness * gain);
  return moved.map((v) => clamp(v * factor));
}

// Rotation around the middle, then a shift in pixels; between pixels by straight lines, black from outside.
function warp(x, side, turns, right, down) {
  const angle = 2 * Math.PI * turns;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const middle = (side - 1) / 2;
  const count = side * side;
  const out = new Float32Array(x.length);
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      const [dx, dy] = [column - right - middle, row - down - middle];
      const [fx, fy] = [c * dx - s * dy + middle, s * dx + c * dy + middle];
      const [left, top] = [Math.floor(fx), Math.floor(fy)];
      for (let plane = 0; plane < x.length; plane += count) {
        let sum = 0;
        for (const [i, j] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
          const [r, k] = [top + i, left + j];
          if (r < 0 || k < 0 || r >= side || k >= side) continue;
          sum += (1 - Math.abs(fy - r)) * (1 - Math.abs(fx - k)) * x[plane + r * side + k];
        }
        out[plane + row * side + column] = clamp(sum);
      }
    }
  return out;
}

export function gaussianNoise(x, sigma, generator) {
  const noise = generator.randn(x.length);
  return x.map((v, i) => clamp(v + sigma * noise[i]));
}

export function ricianNoise(x, sigma, generator) {
  const noise = generator.randn(2 * x.length);
  return x.map((v, i) => clamp(Math.hypot(v + sigma * noise[i], sigma * noise[x.length + i])));
}

// Photons are counted from white downwards, as in a radiograph.
export function lowDose(x, photons, generator) {
  return x.map((v) => clamp(1 - generator.poisson(f(photons * f(1 - v))) / photons));
}

export function blur(x, side, sigma) {
  const reach = Math.ceil(3 * sigma);
  const bell = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma ** 2)));
  const total = bell.reduce((a, b) => a + b);
  const pass = (source, along, across) => {
    const out = new Float32Array(source.length);
    for (let plane = 0; plane < source.length; plane += side * side)
      for (let a = 0; a < side; a++)
        for (let b = 0; b < side; b++) {
          let sum = 0;
          bell.forEach((w, k) => (sum += (w / total) * source[plane + clamp(a + k - reach, 0, side - 1) * along + b * across]));
          out[plane + a * along + b * across] = sum;
        }
    return out;
  };
  return pass(pass(x, 1, side), side, 1).map((v) => clamp(v));
}

export function occlude(x, side, fraction, generator) {
  const rows = Math.round(side * Math.sqrt(fraction));
  const columns = Math.min(side, Math.round((fraction * side * side) / Math.max(rows, 1)));
  const draws = generator.rand(2);
  const top = Math.floor(draws[0] * (side - rows + 1));
  const left = Math.floor(draws[1] * (side - columns + 1));
  return x.map((v, i) => {
    const [r, k] = [Math.floor((i % (side * side)) / side), i % side];
    return r >= top && r < top + rows && k >= left && k < left + columns ? 0 : v;
  });
}
