// What explorers of a latent space share: a map with a cursor, a bank of sliders, and the code that both move.

import mapPart from "../../medgen_course/explorers/parts/position_map.js";
import slidersPart from "../../medgen_course/explorers/parts/sliders.js";
import { element } from "./controls.js";
import { clamp, pictureOf, toBytes } from "./images.js";
import { Model } from "./model.js";
import { fixed } from "./words.js";

export class Walk {
  // moved() runs when the map or a slider has changed the code; the code stands in the address as z.
  constructor(mapParent, bankParent, data, address, moved) {
    Object.assign(this, { data, address, moved, view: data.planes[0] });
    this.code = this.of(0);
    const { png, x_label, y_label, x_range, y_range } = this.view;
    this.map = new Model(
      { png, x_label, y_label, x_range, y_range, label: data.map, position: this.position() },
      (name, value) => name === "position" && this.byMap(value),
    );
    this.bank = new Model({ ...data.bank, values: this.values() }, (name, value) => name === "values" && this.bySliders(value));
    mapPart.render({ model: this.map, el: mapParent });
    const legend = element("p", "live-legend", mapParent);
    data.names.forEach((name, i) => {
      const dot = element("span", "live-dot", legend, "● ");
      dot.style.color = data.colours[i];
      legend.append(name + (i + 1 < data.names.length ? " · " : ""));
    });
    slidersPart.render({ model: this.bank, el: bankParent });
  }

  // The code of an image.
  of(index) {
    const { codes, latents } = this.data;
    return codes.slice(index * latents, (index + 1) * latents);
  }

  // What the address says, or null.
  asked() {
    const values = (this.address.get("z") ?? "").split(",").map(Number);
    return values.length === this.data.latents && values.every(Number.isFinite) ? Float32Array.from(values) : null;
  }

  place(code = this.code) {
    const { centre, plane } = this.view;
    return [0, 1].map((axis) => code.reduce((sum, v, i) => sum + (v - centre[i]) * plane[axis * code.length + i], 0));
  }

  inside() {
    const { x_range, y_range } = this.view;
    return this.place().every((v, i) => v >= [x_range, y_range][i][0] && v <= [x_range, y_range][i][1]);
  }

  position() {
    const { x_range, y_range } = this.view;
    return this.place().map((v, i) => {
      const [low, high] = i ? y_range : x_range;
      return clamp((v - low) / (high - low));
    });
  }

  values() {
    return this.data.dimensions.map((dimension) => this.code[dimension]);
  }

  // Show this code; sliders and cursor follow.
  go(code, keep = false) {
    this.code = Float32Array.from(code);
    this.bank.put({ values: this.values() });
    this.map.put({ position: this.position() });
    if (!keep) this.address.set("z", "");
  }

  see(plane) {
    this.view = this.data.planes[plane];
    const { png, x_label, y_label, x_range, y_range } = this.view;
    this.map.put({ png, x_label, y_label, x_range, y_range, position: this.position() });
  }

  byMap([x, y]) {
    const { x_range, y_range, plane } = this.view;
    const there = [x_range[0] + x * (x_range[1] - x_range[0]), y_range[0] + y * (y_range[1] - y_range[0])];
    const step = this.place().map((v, i) => there[i] - v);
    const { length } = this.code;
    this.code = this.code.map((v, i) => v + step[0] * plane[i] + step[1] * plane[length + i]);
    this.bank.put({ values: this.values() });
    this.told();
  }

  bySliders(values) {
    const before = this.values();
    this.data.dimensions.forEach((dimension, i) => {
      if (values[i] !== before[i]) this.code[dimension] = values[i];
    });
    this.map.put({ position: this.position() });
    this.told();
  }

  told() {
    this.address.set("z", Array.from(this.code, (v) => Number(v.toPrecision(7))).join(","));
    this.moved();
  }

  // Images by the distance of their codes, the nearest first: [[index, distance], …].
  nearest(count) {
    const { codes, latents, labels } = this.data;
    const all = labels.map((_, n) => {
      let sum = 0;
      for (let i = 0; i < latents; i++) sum += (codes[n * latents + i] - this.code[i]) ** 2;
      return [n, Math.sqrt(sum)];
    });
    return all.sort((a, b) => a[1] - b[1]).slice(0, count);
  }

  name(index) {
    return this.data.names[this.data.labels[index]];
  }
}

// Bytes of the images, and of what the decoder makes of a code.
export function images({ images: all, shape, latents }, decoder) {
  const [channels, height, width] = shape;
  const pixels = channels * height * width;
  const exact = async (code) => {
    const { images: made } = await decoder({ z: { data: Float32Array.from(code), dims: [1, latents] } });
    return Float32Array.from(made.data);
  };
  return {
    exact,
    of: (index) => all.subarray(index * pixels, (index + 1) * pixels),
    decoded: async (code) => toBytes(await exact(code)),
    picture: (bytes) => pictureOf(bytes, width, height, channels),
  };
}

// On the scale of [0, 1], from bytes.
export function rmse(a, b) {
  return Math.sqrt(a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0) / a.length) / 255;
}

export const places = ([x, y]) => ({ x: fixed(x, 2), y: fixed(y, 2) });
