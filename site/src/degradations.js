// What a measurement leaves of an image, and how an answer is kept true to it: batches/degradations.py and
// kspace.py for one grey image, a square of `side` pixels, Float32Array in [0, 1].

import { clamp } from "./images.js";
import { remembered } from "./remembered.js";
import { Generator } from "./torch_random.js";

const HALVINGS = 30;
const ROUNDS = 60;
const f = Math.fround;

// Mean of of(i) for i below n.
function mean(n, of) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += of(i);
  return sum / n;
}

// A degradation by name; lines are the measured lines of k-space. `measure(x, seed)` returns y.
export function degradation(kind, strength, side, lines) {
  if (kind === "denoise") return rician(strength);
  if (kind === "superres") return coarse(strength, side);
  if (kind === "mri") return kspace(lines, side);
  if (kind === "inpaint") return hole(strength, side);
  throw new Error(`unknown degradation ${kind}`);
}

const drawn = remembered((seed, count) => new Generator(seed).randn(count)); // the same at every strength

function rician(sigma) {
  return {
    measure(x, seed) {
      const z = drawn(seed, 2 * x.length);
      const y = new Float32Array(x.length);
      for (let i = 0; i < y.length; i++) {
        const [real, imaginary] = [f(x[i] + f(sigma * z[i])), f(sigma * z[x.length + i])];
        y[i] = clamp(Math.sqrt(real * real + imaginary * imaginary));
      }
      return y;
    },
    guess: (y) => y,
    misfit: (x, y) => mean(x.length, (i) => (Math.sqrt(x[i] ** 2 + sigma ** 2) - y[i]) ** 2),
    project(x, y) {
      const distance = Math.sqrt(mean(x.length, (i) => (x[i] - y[i]) ** 2));
      const share = Math.max(1 - (Math.SQRT2 * sigma) / Math.max(distance, 1e-12), 0);
      return x.map((v, i) => v + share * (y[i] - v));
    },
  };
}

function coarse(factor, side) {
  const small = side / factor;
  const block = Int32Array.from({ length: side * side }, (_, i) =>
    Math.floor(Math.floor(i / side) / factor) * small + Math.floor((i % side) / factor),
  );
  const means = (x) => {
    const out = new Float64Array(small * small);
    for (let i = 0; i < x.length; i++) out[block[i]] += x[i] / factor ** 2;
    return new Float32Array(out);
  };
  const shifted = (x, by) => {
    const out = new Float32Array(x.length);
    for (let i = 0; i < out.length; i++) out[i] = clamp(x[i] + by[block[i]]);
    return out;
  };
  return {
    measure: means,
    guess: (y) => bicubic(y, small, factor).map((v) => clamp(v)),
    misfit: (x, y) => mean(y.length, ((m) => (i) => (m[i] - y[i]) ** 2)(means(x))),
    project(x, y) {
      const [low, high] = [new Float32Array(y.length).fill(-1), new Float32Array(y.length).fill(1)];
      const middle = new Float32Array(y.length);
      for (let round = 0; round <= HALVINGS; round++) {
        for (let i = 0; i < middle.length; i++) middle[i] = (low[i] + high[i]) / 2;
        if (round === HALVINGS) break;
        const made = means(shifted(x, middle));
        for (let i = 0; i < made.length; i++) (made[i] > y[i] ? high : low)[i] = middle[i];
      }
      return shifted(x, middle);
    },
  };
}

// torch's interpolate(mode="bicubic"): Keys' kernel with a = -0.75, edge pixels repeated.
function bicubic(y, small, factor) {
  const a = -0.75;
  const side = small * factor;
  const taps = Array.from({ length: side }, (_, to) => {
    const from = (to + 0.5) / factor - 0.5;
    const start = Math.floor(from);
    const t = from - start;
    const near = (x) => ((a + 2) * x - (a + 3)) * x * x + 1;
    const far = (x) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    const weights = [far(t + 1), near(t), near(1 - t), far(2 - t)];
    return weights.map((w, k) => [w, clamp(start - 1 + k, 0, small - 1)]);
  });
  const rows = new Float64Array(small * side);
  for (let r = 0; r < small; r++)
    for (let c = 0; c < side; c++) for (const [w, i] of taps[c]) rows[r * side + c] += w * y[r * small + i];
  const out = new Float64Array(side * side);
  for (let r = 0; r < side; r++)
    for (const [w, i] of taps[r]) for (let c = 0; c < side; c++) out[r * side + c] += w * rows[i * side + c];
  return Float32Array.from(out);
}

// Lines of k-space lie along the image's height, and -k comes with k. So what is measured is an image again:
// each column's projection onto the measured frequencies; the other direction's transform cancels.
function kspace(lines, side) {
  const waves = []; // orthonormal: cosine and sine of each pair of lines
  for (let k = 0; k <= side / 2; k++) {
    if (!lines[k]) continue;
    const alone = k === 0 || 2 * k === side;
    for (const turn of alone ? [0] : [0, Math.PI / 2]) {
      const size = Math.sqrt((alone ? 1 : 2) / side);
      waves.push(Float64Array.from({ length: side }, (_, r) => size * Math.cos((2 * Math.PI * k * r) / side - turn)));
    }
  }
  const seen = (x) => {
    const out = new Float64Array(x.length);
    const share = new Float64Array(side);
    for (const wave of waves) {
      share.fill(0);
      for (let r = 0, i = 0; r < side; r++) {
        const w = wave[r];
        for (let c = 0; c < side; c++, i++) share[c] += w * x[i];
      }
      for (let r = 0, i = 0; r < side; r++) {
        const w = wave[r];
        for (let c = 0; c < side; c++, i++) out[i] += w * share[c];
      }
    }
    return new Float32Array(out);
  };
  return {
    measure: seen,
    guess: (y) => y.map((v) => clamp(v)),
    misfit: (x, y) => mean(y.length, ((m) => (i) => (m[i] - y[i]) ** 2)(seen(x))),
    project(x, y) {
      for (let round = 0; round < ROUNDS; round++) {
        const own = seen(x);
        const next = new Float32Array(x.length);
        for (let i = 0; i < next.length; i++) next[i] = clamp(x[i] - own[i] + y[i]);
        x = next;
      }
      return x;
    },
  };
}

function hole(fraction, side) {
  const rows = Math.round(side * Math.sqrt(fraction));
  const columns = Math.min(side, Math.round((fraction * side * side) / Math.max(rows, 1)));
  return {
    measure(x, seed) {
      const draws = new Generator(seed).rand(2);
      const top = Math.floor(draws[0] * (side - rows + 1));
      const left = Math.floor(draws[1] * (side - columns + 1));
      const known = x.map((_, i) => {
        const [r, c] = [Math.floor(i / side), i % side];
        return r >= top && r < top + rows && c >= left && c < left + columns ? 0 : 1;
      });
      return { seen: x.map((v, i) => v * known[i]), known };
    },
    guess({ seen, known }) {
      const level = seen.reduce((a, b) => a + b, 0) / Math.max(known.reduce((a, b) => a + b, 0), 1);
      return seen.map((v, i) => (known[i] ? v : level));
    },
    misfit: (x, { seen, known }) => mean(x.length, (i) => ((x[i] - seen[i]) * known[i]) ** 2),
    project: (x, { seen, known }) => x.map((v, i) => (known[i] ? seen[i] : v)),
  };
}

// Less total variation for distance to an image: skimage's denoise_tv_chambolle (Chambolle 2004).
export function totalVariation(image, weight, side) {
  const n = image.length;
  const [down, right] = [new Float32Array(n), new Float32Array(n)];
  let out = Float32Array.from(image);
  let [first, before] = [0, 0];
  for (let round = 0; round < 200; round++) {
    let energy = 0;
    if (round) {
      for (let i = 0; i < n; i++) {
        let d = -(down[i] + right[i]);
        if (i >= side) d += down[i - side];
        if (i % side) d += right[i - 1];
        d = f(d);
        energy += d * d;
        out[i] = image[i] + d;
      }
    }
    let variation = 0;
    for (let i = 0; i < n; i++) {
      const gd = i < n - side ? f(out[i + side] - out[i]) : 0;
      const gr = (i + 1) % side ? f(out[i + 1] - out[i]) : 0;
      const norm = f(Math.sqrt(gd * gd + gr * gr));
      variation += norm;
      const by = 1 + (0.25 / weight) * norm;
      down[i] = (down[i] - 0.25 * gd) / by;
      right[i] = (right[i] - 0.25 * gr) / by;
    }
    energy = (energy + weight * variation) / n;
    if (!round) first = energy;
    else if (Math.abs(before - energy) < 2e-4 * first) break;
    before = energy;
  }
  return out.map((v) => clamp(v));
}
