// The network of the β explorer, and the address that it shares with the first page.

import { pictureOf, toBytes, unit } from "./images.js";

export async function network({ data, session }) {
  const [encoder, decoder] = await Promise.all([session("encoder"), session("decoder")]);
  const [channels, height, width] = data.shape;
  const pixels = channels * height * width;
  const many = (logBeta, count) => ({ data: new Float32Array(count).fill(logBeta), dims: [count] });

  const image = (i) => data.images.subarray(i * pixels, (i + 1) * pixels);

  async function encode(first, count, logBeta) {
    const x = unit(data.images.subarray(first * pixels, (first + count) * pixels));
    const { mu } = await encoder({ x: { data: x, dims: [count, channels, height, width] }, log_beta: many(logBeta, count) });
    return mu.data;
  }

  // Codes, flat, to pictures.
  async function decode(z, logBeta) {
    const count = z.length / data.latents;
    const { images } = await decoder({ z: { data: z, dims: [count, data.latents] }, log_beta: many(logBeta, count) });
    return Array.from({ length: count }, (_, i) =>
      pictureOf(toBytes(images.data.subarray(i * pixels, (i + 1) * pixels)), width, height, channels),
    );
  }

  return { image: (i) => pictureOf(image(i), width, height, channels), encode, decode };
}

// An address that says β itself, not the number of the slider's stop.
export function byBeta(address, betas) {
  const nearest = (beta) => betas.reduce((best, b, i) => (Math.abs(Math.log(b / beta)) < Math.abs(Math.log(betas[best] / beta)) ? i : best), 0);
  const asked = Number(address.get("beta"));
  return {
    get: (key) => (key === "beta" ? (asked > 0 ? String(nearest(asked)) : null) : address.get(key)),
    set: (key, value) => address.set(key, key === "beta" ? Number(betas[value].toPrecision(3)) : value),
  };
}
