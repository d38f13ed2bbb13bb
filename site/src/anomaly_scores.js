// What a score says of one slice: medgen_course/metrics/anomaly, for the six scores of the explorer.

import { smooth, unit } from "./images.js";

const f = Math.fround;

// grey: Uint8Array of one slice. Returns {score, map, rebuilt}; map and rebuilt may be null.
export async function judge(about, grey, data, sessions) {
  const found = await raw(about.kind, grey, data, sessions);
  const map = smooth(found.map, data.size);
  return { score: about.peak ? peak(map, data.peak) : found.score, map, rebuilt: found.rebuilt };
}

// Mean of the highest pixels of a map.
function peak(map, share) {
  const count = Math.max(1, Math.round(share * map.length));
  return Float64Array.from(map).sort().slice(-count).reduce((a, b) => a + b) / count;
}

async function raw(kind, grey, data, sessions) {
  const x = unit(grey);
  if (kind === "gaussian") {
    const { mean, std } = data.gaussian;
    return { map: x.map((v, i) => f(Math.abs(f(v - mean[i])) / std[i])), rebuilt: null, score: NaN };
  }
  if (kind === "subspace") return byError(x, nearest(x, data.subspace));
  const run = await sessions(kind === "autoencoder" ? "autoencoder" : "vae");
  const dims = [1, 1, data.size, data.size];
  const out = await run({ grey: { data: Float32Array.from(grey), dims } });
  const values = (name) => out[name].data ?? out[name];
  if (kind === "elbo") return { score: values("elbo")[0], map: values("elbo_map"), rebuilt: values("rebuilt") };
  if (kind === "kl") return { score: values("kl")[0], map: values("kl_map"), rebuilt: null };
  return byError(x, values("rebuilt"));
}

function byError(x, rebuilt) {
  const map = x.map((v, i) => Math.abs(rebuilt[i] - v));
  return { map, rebuilt, score: NaN };
}

// The nearest point of a subspace: mean and orthonormal components, row by row.
function nearest(x, { mean, components }) {
  const count = x.length;
  const out = Float64Array.from(mean);
  for (let start = 0; start < components.length; start += count) {
    let code = 0;
    for (let i = 0; i < count; i++) code += (x[i] - mean[i]) * components[start + i];
    for (let i = 0; i < count; i++) out[i] += code * components[start + i];
  }
  return Float32Array.from(out);
}

// The lowest score that no more than a share of the healthy images exceeds.
export function thresholdAt(healthy, share) {
  const ranked = Float64Array.from(healthy).sort();
  return ranked[ranked.length - 1 - Math.floor(share * ranked.length + 1e-9)];
}

export function confusion(healthy, anomalous, threshold) {
  const above = (values) => values.reduce((count, value) => count + (value > threshold), 0);
  const [found, false_alarms] = [above(anomalous), above(healthy)];
  return { found, missed: anomalous.length - found, false_alarms, left_alone: healthy.length - false_alarms };
}
