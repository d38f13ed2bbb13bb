// A lesion laid over a phantom slice before coil and noise, as medgen_course/phantom does it.

const f = Math.fround;

// slice: its number; lesion: {x, y, radius, contrast} in mm and as a fraction, or null for the healthy slice.
// Returns {grey: Uint8Array, mask: Uint8Array, fits}.
export function drawSlice(phantom, size, slice, lesion) {
  const count = size * size;
  const at = slice * count;
  const part = (name) => phantom[name].subarray(at, at + count);
  const [base, tissue, matter] = [part("base"), part("tissue"), part("matter")];
  const share = lesion ? shares(phantom, size, slice, lesion, matter) : null;
  const fullest = share ? share.reduce((a, b) => Math.max(a, b), 0) : 0;
  const least = Math.min(fullest, 0.5);
  const mask = new Uint8Array(count);
  const grey = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    let signal = base[i];
    if (share?.[i] > 0) {
      signal = f(signal + f(f(f(lesion.contrast) * share[i]) * f(f(phantom.water) - tissue[i])));
      mask[i] = share[i] >= least ? 1 : 0;
    }
    grey[i] = scanned(phantom, i, signal);
  }
  return { grey, mask, fits: !lesion || fullest > 0 };
}

// Coil and Rician noise, then grey levels.
function scanned(phantom, i, signal) {
  const real = f(phantom.real[i] + f(signal * phantom.bias[i]));
  const other = phantom.imaginary[i];
  const square = f(f(real * real) + f(f(phantom.noise ** 2) * f(other * other)));
  const level = f(255 * Math.min(f(Math.sqrt(square)), 1));
  return level % 1 === 0.5 ? 2 * Math.round(level / 2) : Math.round(level);
}

// Share of every pixel's brain tissue that lies in a disc with a wavy and blurred edge.
function shares(phantom, size, slice, { x, y, radius }, matter) {
  const [rotation, shiftX, shiftY] = phantom.pose.subarray(3 * slice, 3 * slice + 3);
  const [p1, p2] = Array.from(phantom.waves.subarray(2 * slice, 2 * slice + 2), (turns) => 2 * Math.PI * turns);
  const angle = (rotation * Math.PI) / 180;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  const out = new Float32Array(size * size);
  const half = (size * phantom.pixel) / 2;
  for (let row = 0; row < size; row++) {
    const up = half - (row + 0.5) * phantom.pixel - shiftY;
    for (let column = 0; column < size; column++) {
      const i = row * size + column;
      if (!(matter[i] > 0)) continue;
      const right = (column + 0.5) * phantom.pixel - half - shiftX;
      const dx = c * right + s * up - x;
      const dy = c * up - s * right - y;
      const around = Math.atan2(dy, dx);
      const wave = 0.14 * Math.sin(2 * around + p1) + 0.09 * Math.sin(3 * around + p2);
      const depth = radius * (1 + wave) - Math.hypot(dx, dy);
      out[i] = Math.min(Math.max(depth / phantom.edge + 0.5, 0), 1) * matter[i];
    }
  }
  return out;
}
