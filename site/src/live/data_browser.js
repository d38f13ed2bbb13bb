// The data explorer: an image as stored, changed, and the difference.

import { Controls, Numbers, Panels, button, element } from "../controls.js";
import { blank, difference, enlarge, pictureOf, toBytes, unit } from "../images.js";
import { Generator } from "../torch_random.js";
import * as transforms from "../transforms.js";
import { fill, fixed, percent } from "../words.js";

export async function mount(root, { data, address, announce }) {
  const { words, sets } = data;
  const told = words.told;
  root.classList.add("live-data");
  const { redraw, ...controls } = data.controls;
  let draws = Number(address.get("draws")) || 0;
  const asked = Number(address.get("dataset") ?? 0);
  const classes = (set) => ["all", ...set.labels];
  controls.label.options = classes(sets[asked] ?? sets[0]);
  const bank = new Controls(root, controls, address, (name) => {
    if (["dataset", "split", "label"].includes(name)) select();
    refresh();
  });
  bank.show("dataset", sets.length > 1);
  button(element("div", "live-row", root), redraw, () => {
    draws++;
    address.set("draws", String(draws));
    refresh();
  });
  const panels = new Panels(root);
  const numbers = new Numbers(root, announce);
  const remark = element("p", "live-remark", root);
  let members = [];

  function select(image = 0) {
    const set = sets[bank.value.dataset];
    if (bank.value.label > set.labels.length) bank.set("label", 0);
    const label = bank.value.label;
    bank.options("label", classes(set));
    bank.set("label", label);
    const labels = set.splits[data.splits[bank.value.split]].labels;
    const wide = labels.length / count(set);
    members = [...Array(count(set)).keys()].filter(
      (i) => label === 0 || (wide === 1 ? labels[i] === label - 1 : labels[i * wide + label - 1] > 0),
    );
    bank.range("image", Math.max(members.length - 1, 0));
    bank.set("image", Math.min(image, Math.max(members.length - 1, 0)));
    bank.disable("image", members.length === 0);
    if (address.get("image")) address.set("image", String(bank.value.image));
    remark.textContent = `${words.some}. ${set.source}`;
  }

  function count(set) {
    return set.splits[data.splits[bank.value.split]].images.length / (set.channels * set.size ** 2);
  }

  function change(x, side, generator) {
    const { augmentation, strength } = bank.value;
    const corruption = data.corruptions[bank.value.corruption];
    let said = told.plain;
    if (augmentation > 0) {
      const [rotation, shift, brightness] = [0.1 * augmentation, 0.1 * augmentation, 0.3 * augmentation];
      x = transforms.augment(x, side, { rotation, shift, brightness }, generator);
      said = fill(told.augmented, { turn: fixed(360 * rotation, 0), shift: percent(shift), light: percent(brightness) });
    }
    if (corruption === "none" || strength === 0) return [x, fill(told.spared, { said })];
    const sigma = 0.4 * strength;
    const photons = 10 ** (3 - 2.5 * strength);
    const wide = 0.12 * strength * side;
    const noise = fill(told.noise, { said, corruption, sigma: fixed(sigma, 2) });
    const ways = {
      "Gaussian noise": () => [transforms.gaussianNoise(x, sigma, generator), noise],
      "Rician noise": () => [transforms.ricianNoise(x, sigma, generator), noise],
      "low dose (Poisson)": () => [
        transforms.lowDose(x, photons, generator), fill(told.dose, { said, photons: fixed(photons, 0) }),
      ],
      blur: () => [transforms.blur(x, side, wide), fill(told.blur, { said, sigma: fixed(wide, 1) })],
      occlusion: () => [
        transforms.occlude(x, side, 0.6 * strength, generator), fill(told.covered, { said, share: percent(0.6 * strength) }),
      ],
    };
    return ways[corruption]();
  }

  function refresh() {
    const set = sets[bank.value.dataset];
    const split = data.splits[bank.value.split];
    const { size, channels, scale } = set;
    const about = { name: set.name, split };
    if (!members.length) {
      panels.show([0, 1, 2].map(() => blank(size * scale, size * scale)), words.captions);
      numbers.say(fill(told.none, { ...about, label: classes(set)[bank.value.label] }));
      return;
    }
    const number = members[bank.value.image];
    const pixels = channels * size ** 2;
    const stored = set.splits[split].images.subarray(number * pixels, (number + 1) * pixels);
    const [changed, said] = change(unit(stored), size, new Generator(1_000_003 * draws + number));
    const bytes = toBytes(changed);
    const pictures = [
      pictureOf(stored, size, size, channels),
      pictureOf(bytes, size, size, channels),
      difference(bytes, stored, 0.5, size, size, channels),
    ];
    panels.show(pictures.map((picture) => enlarge(picture, scale)), words.captions);
    const label = labelOf(set, split, number);
    numbers.say([
      fill(told.image, { ...about, number, label }),
      `${said}: ${compared(bytes, stored)}`,
      fill(told.levels, { stored: levels(stored), changed: levels(bytes) }),
    ].join("\n"));
  }

  function labelOf(set, split, number) {
    const { labels } = set.splits[split];
    const wide = labels.length / count(set);
    if (wide === 1) return set.labels[labels[number]];
    return set.labels.filter((_, i) => labels[number * wide + i]).join(", ") || "no finding";
  }

  function compared(a, b) {
    const rmse = Math.sqrt(a.reduce((sum, v, i) => sum + (v - b[i]) ** 2, 0) / a.length) / 255;
    if (rmse === 0) return words.apart[0];
    return fill(words.apart[1], { rmse: fixed(rmse, 3), psnr: fixed(-20 * Math.log10(rmse), 1) });
  }

  function levels(image) {
    const mean = image.reduce((a, b) => a + b, 0) / image.length;
    return fill(told.range, { low: Math.min(...image), high: Math.max(...image), mean: fixed(mean, 0) });
  }

  select(Number(address.get("image") ?? 0));
  refresh();
}
