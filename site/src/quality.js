// How near an image is to the truth, and what became of a lesion: metrics/reconstruction.py and lesions.py.

import { label } from "./images.js";

export function meanSquare(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum / a.length;
}
export const psnr = (a, b) => -10 * Math.log10(meanSquare(a, b));

// Structural similarity with the window of its authors, windows over the border left out (Wang et al. 2004).
export function ssim(a, b, side) {
  const [x, y] = [moments(a, side), moments(b, side)];
  const both = windowed(product(a, b), side);
  const [c1, c2] = [0.01 ** 2, 0.03 ** 2];
  let sum = 0;
  for (let i = 0; i < both.length; i++) {
    const [ma, mb] = [x.mean[i], y.mean[i]];
    const upper = (2 * ma * mb + c1) * (2 * (both[i] - ma * mb) + c2);
    const lower = (ma ** 2 + mb ** 2 + c1) * (x.square[i] - ma ** 2 + y.square[i] - mb ** 2 + c2);
    sum += upper / (lower + 1e-12);
  }
  return sum / both.length;
}

const known = new WeakMap(); // the truth and a first guess are asked about again and again

// Mean and mean square of an image under each place of the window.
function moments(image, side) {
  if (!known.has(image)) known.set(image, { mean: windowed(image, side), square: windowed(product(image, image), side) });
  return known.get(image);
}

function product(a, b) {
  const out = new Float64Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = a[i] * b[i];
  return out;
}

const WIDTH = 11;
const bell = Float64Array.from({ length: WIDTH }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * 1.5 ** 2)));
const total = bell.reduce((x, y) => x + y);
const WINDOW = bell.map((w) => w / total);

// Means under the window, along the rows and then along the columns.
function windowed(values, side) {
  const inner = side - WIDTH + 1;
  const rows = new Float64Array(side * inner);
  const out = new Float64Array(inner * inner);
  for (let k = 0; k < WIDTH; k++) {
    const w = WINDOW[k];
    for (let r = 0, i = 0; r < side; r++) for (let c = r * side + k; c < r * side + k + inner; c++, i++) rows[i] += w * values[c];
  }
  for (let k = 0; k < WIDTH; k++) {
    const w = WINDOW[k];
    for (let i = 0, from = k * inner; i < out.length; i++, from++) out[i] += w * rows[from];
  }
  return out;
}

// made: floats; truth, healthy, mask: bytes; rule: [threshold, smallest].
export function lesionReport(made, truth, healthy, mask, [threshold, smallest], side) {
  const [sign, limit] = [Math.sign(threshold), Math.abs(threshold)];
  const beyond = new Uint8Array(made.length);
  let [area, true_, left] = [0, 0, 0];
  for (let i = 0; i < made.length; i++) {
    if ((made[i] - truth[i] / 255) * sign > limit) beyond[i] = 1;
    if (!mask[i]) continue;
    area++;
    true_ += truth[i] / 255 - healthy[i] / 255;
    left += made[i] - healthy[i] / 255;
  }
  const { numbers, sizes } = label(beyond, side);
  const regions = new Uint8Array(made.length);
  for (let i = 0; i < regions.length; i++) if (numbers[i] && sizes[numbers[i]] >= smallest) regions[i] = 1;
  const report = { large: sizes.filter((size, i) => i && size >= smallest).length, regions, lesion: null };
  if (area) {
    [true_, left] = [true_ / area, left / area];
    report.lesion = { true: true_, left, erased: left * Math.sign(true_) < Math.abs(true_) / 2 };
  }
  return report;
}
