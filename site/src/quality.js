// How near an image is to the truth, and what became of a lesion: metrics/reconstruction.py and lesions.py.

import { label } from "./images.js";

export const meanSquare = (a, b) => a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0) / a.length;
export const psnr = (a, b) => -10 * Math.log10(meanSquare(a, b));

// Structural similarity with the window of its authors, windows over the border left out (Wang et al. 2004).
export function ssim(a, b, side) {
  const width = 11;
  const bell = Array.from({ length: width }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * 1.5 ** 2)));
  const total = bell.reduce((x, y) => x + y);
  const weights = bell.map((w) => w / total);
  const inner = side - width + 1;
  const filtered = (values) => {
    const rows = new Float64Array(side * inner);
    for (let r = 0; r < side; r++)
      for (let c = 0; c < inner; c++) {
        let sum = 0;
        for (let k = 0; k < width; k++) sum += weights[k] * values[r * side + c + k];
        rows[r * inner + c] = sum;
      }
    const out = new Float64Array(inner * inner);
    for (let r = 0; r < inner; r++)
      for (let k = 0; k < width; k++) {
        const from = (r + k) * inner;
        for (let c = 0; c < inner; c++) out[r * inner + c] += weights[k] * rows[from + c];
      }
    return out;
  };
  const product = (x, y) => Float64Array.from(x, (v, i) => v * y[i]);
  const [ma, mb] = [filtered(Float64Array.from(a)), filtered(Float64Array.from(b))];
  const [aa, bb, ab] = [filtered(product(a, a)), filtered(product(b, b)), filtered(product(a, b))];
  const [c1, c2] = [0.01 ** 2, 0.03 ** 2];
  let sum = 0;
  for (let i = 0; i < ma.length; i++) {
    const upper = (2 * ma[i] * mb[i] + c1) * (2 * (ab[i] - ma[i] * mb[i]) + c2);
    const lower = (ma[i] ** 2 + mb[i] ** 2 + c1) * (aa[i] - ma[i] ** 2 + bb[i] - mb[i] ** 2 + c2);
    sum += upper / (lower + 1e-12);
  }
  return sum / ma.length;
}

// made: floats; truth, healthy, mask: bytes; rule: [threshold, smallest].
export function lesionReport(made, truth, healthy, mask, [threshold, smallest], side) {
  const area = mask.reduce((sum, v) => sum + (v !== 0), 0);
  const contrast = (image) =>
    image.reduce((sum, v, i) => sum + (mask[i] ? v - healthy[i] / 255 : 0), 0) / area;
  const exact = Float64Array.from(truth, (v) => v / 255);
  const beyond = Uint8Array.from(made, (v, i) => ((v - exact[i]) * Math.sign(threshold) > Math.abs(threshold) ? 1 : 0));
  const { numbers, sizes } = label(beyond, side);
  const report = {
    invented: sizes.filter((size, i) => i && size >= smallest).length,
    regions: Uint8Array.from(numbers, (n) => (n && sizes[n] >= smallest ? 1 : 0)),
    lesion: null,
  };
  if (area) {
    const [true_, left] = [contrast(exact), contrast(made)];
    report.lesion = { true: true_, left, erased: left * Math.sign(true_) < Math.abs(true_) / 2 };
  }
  return report;
}
