// The walk through a generator's noise: from one noise to another along the arc, along two directions on a map,
// to other classes; a classifier's opinion on the image on the way.

import mapPart from "../../../medgen_course/explorers/parts/position_map.js";
import { Controls, Numbers, Panels, element, newest } from "../controls.js";
import { enlarge, pictureOf, toBytes } from "../images.js";
import { Model } from "../model.js";
import { fill, fixed, percent } from "../words.js";

const AXES = ["along", "up"]; // of the map, in the address: lengths in noise

export async function mount(root, { data, note, session, address, announce }) {
  const { words, size, channels, latents, reach, names } = data;
  root.classList.add("live-gan-walk");
  const [draw, judge] = await Promise.all([session("generator"), session("classifier")]);
  const moved = AXES.map((axis) => kept(address.get(axis), reach));

  const bank = new Controls(root, data.controls, address, (name) => {
    if (name === "class") model.put({ png: data.maps[bank.value.class] });
    refresh();
  });
  const panels = new Panels(root);
  const beside = element("div", "live-beside", root);
  const model = new Model(
    {
      png: data.maps[bank.value.class], label: words.map, x_label: words.axes[0], y_label: words.axes[1],
      x_range: [-reach, reach], y_range: [-reach, reach],
      position: moved.map((length) => (length / reach + 1) / 2),
    },
    (name, position) => name === "position" && goTo(position),
  );
  mapPart.render({ model, el: element("div", "live-map", beside) });
  const numbers = new Numbers(beside, announce);
  if (note) element("p", "live-remark", root, note);

  function goTo(position) {
    position.forEach((share, i) => {
      moved[i] = Number(((2 * share - 1) * reach).toFixed(2));
      address.set(AXES[i], String(moved[i]));
    });
    refresh();
  }

  function noise(number) {
    return data.noise.subarray(number * latents, (number + 1) * latents);
  }

  const refresh = newest(async () => {
    const { class: kind, from, to, way, truncation } = bank.value;
    const [a, b] = [noise(from), noise(to)];
    const scaled = (z) => z.map((v) => truncation * v);
    const z = scaled(slerp(a, b, way));
    moved.forEach((length, i) => {
      for (let k = 0; k < latents; k++) z[k] += length * data.directions[i * latents + k];
    });
    const classes = Array.from({ length: data.classes }, (_, i) => i);
    const all = [scaled(a), z, scaled(b), ...classes.map(() => z)];
    const inputs = new Float32Array(all.length * latents);
    all.forEach((one, i) => inputs.set(one, i * latents));
    const label = Float32Array.from([kind, kind, kind, ...classes]);
    const { image } = await draw({
      z: { data: inputs, dims: [all.length, latents] }, label: { data: label, dims: [all.length] },
    });
    const values = image.data ?? image;
    const count = channels * size * size;
    const images = all.map((_, i) => Float32Array.from(values.subarray(i * count, (i + 1) * count)));
    const { share } = await judge({ image: { data: images[1], dims: [1, channels, size, size] } });
    const pictures = images.map((one) => enlarge(pictureOf(toBytes(one), size, size, channels), data.scale));
    panels.show(pictures, words.captions);
    numbers.say([walked(z, from, to, way), opinion(share.data ?? share)].join("\n"));
  });

  function walked(z, start, end, way) {
    const length = fixed(Math.sqrt(z.reduce((sum, v) => sum + v * v, 0)), 2);
    return fill(words.says.way, { way: percent(way), start, end, length, typical: fixed(Math.sqrt(latents), 1) });
  }

  function opinion(shares) {
    const told = names.map((name, i) => fill(words.says.class, { name, share: percent(shares[i]) }));
    return fill(words.says.classes, { told: told.join(", ") });
  }

  await refresh();
}

// A length of the address, inside the map; 0 where there is none.
function kept(text, reach) {
  const length = Number(text ?? 0);
  return Number.isFinite(length) ? Math.min(Math.max(length, -reach), reach) : 0;
}

// The point between two noises on the arc, not on the chord.
function slerp(a, b, way) {
  const dot = (x, y) => x.reduce((sum, v, i) => sum + v * y[i], 0);
  const cosine = Math.min(Math.max(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)), -1), 1);
  const angle = Math.acos(cosine);
  const [left, right] = angle < 1e-4
    ? [1 - way, way]
    : [Math.sin((1 - way) * angle) / Math.sin(angle), Math.sin(way * angle) / Math.sin(angle)];
  return a.map((v, i) => left * v + right * b[i]);
}
