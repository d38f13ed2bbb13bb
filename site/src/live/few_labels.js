// The few-labels explorer: the true masks of some slices, below them what a method found, with its mistakes in
// colour; then learning curves with a cursor.

import { chartOf, dashed, place, square } from "../charts.js";
import { Controls, Numbers, Panels, element, newest } from "../controls.js";
import { unpacked } from "../files.js";
import { enlarge, even, pictureOf } from "../images.js";
import { fill, fixed } from "../words.js";

const NARROW = 500; // pixels: a page without room for the notebook's chart
const HERE = [0xd5, 0x5e, 0x00];

export async function mount(root, { data, note, address, announce }) {
  const { words, size, scale, beside, structures } = data;
  const pixels = size * size;
  const count = data.images.length / pixels;
  const maps = new Uint8Array(await unpacked(data.maps)); // the truth, then what was found
  const names = Object.fromEntries(Object.entries(structures).map(([name, which]) => [which, name]));
  root.classList.add("live-few-labels");
  const bank = new Controls(root, data.controls, address, () => refresh());
  legend(element("p", "live-legend", root), data);
  const panels = new Panels(root);
  const charts = new Panels(root, "live-charts");
  const numbers = new Numbers(root, announce);
  element("p", "live-remark", root, note);

  const part = (all, slice) => all.subarray(slice * pixels, (slice + 1) * pixels);
  const found = (slice) => part(maps, (1 + bank.value.method * data.labels.length + bank.value.labels) * count + slice);

  // What a pixel is called: a structure that was found, or a mistake; nothing where nothing is.
  function kind(truth, told) {
    if (truth === told) return names[truth];
    if (!told) return "missed";
    return truth ? "mistaken" : "invented";
  }

  function coloured(slice, told) {
    const truth = part(maps, slice);
    const picture = pictureOf(part(data.images, slice), size, size);
    for (let i = 0; i < pixels; i++) {
      const colour = data.colours[kind(truth[i], told[i])];
      for (let c = 0; colour && c < 3; c++)
        picture.data[4 * i + c] = even((1 - data.opacity) * picture.data[4 * i + c] + data.opacity * colour[c]);
    }
    return enlarge(picture, scale);
  }

  function caption(number) {
    const area = part(maps, number).reduce((n, which) => n + (which === structures.lesion), 0);
    return fill(words.captions[Math.min(area, 1)], { number, area });
  }

  function toldOf(number) {
    const said = { number };
    for (const [name, which] of Object.entries(structures)) {
      const counted = counts(part(maps, number), found(number), which);
      said[name] = fill(words.says[counted.true ? "part" : "empty"], counted);
    }
    return fill(words.says.slice, said);
  }

  const refresh = newest(async () => {
    const { method, labels, slices, curve } = bank.value;
    const shown = Array.from({ length: beside }, (_, i) => slices + i);
    const measure = data.controls.curve.options[curve];
    const row = data.curves[curve].rows[method][labels];
    const chart = await chartOf(data.curves[curve][root.clientWidth < NARROW ? "narrow" : "wide"]);
    if (row) cursor(chart, Math.log10(data.labels[labels]), row[0]);
    const captions = shown.map(caption);
    const told = shown.map(toldOf);
    panels.show(
      [...shown.map((slice) => coloured(slice, part(maps, slice))), ...shown.map((slice) => coloured(slice, found(slice)))],
      [...captions, ...shown.map(() => "")],
      [...captions, ...told],
    );
    charts.show([chart], [""], [fill(words.chart, { measure })]);
    const [value, low, high] = (row ?? []).map((end) => fixed(end, 2));
    const said = { method: data.controls.method.options[method], labels: words.labels[labels], measure };
    const first = fill(words.says[row ? "curve" : "none"], { ...said, value, low, high, spread: words.spread });
    numbers.say([first, ...told].join("\n"));
  });

  await refresh();
}

// Pixels of one structure.
function counts(truth, told, which) {
  const counted = { true: 0, right: 0, missed: 0, invented: 0 };
  for (let i = 0; i < truth.length; i++) {
    if (truth[i] === which) counted.true++;
    if (truth[i] === which && told[i] === which) counted.right++;
    if (truth[i] === which && told[i] !== which) counted.missed++;
    if (truth[i] !== which && told[i] === which) counted.invented++;
  }
  return counted;
}

// A dashed line at a number of labels, and a square where the method stands there.
function cursor(chart, x, value) {
  const [row, column] = place(chart, x, value);
  dashed(chart, place(chart, x, 1)[0], place(chart, x, 0)[0], column);
  square(chart, row, column, 6, HERE);
}

// What the colours mean: squares with words.
function legend(parent, { words, colours }) {
  for (const [name, text] of Object.entries(words.meaning)) {
    const told = element("span", "live-key", parent);
    element("span", "live-square", told).style.background = `rgb(${colours[name].join()})`;
    told.append(text);
  }
  parent.append(words.rows);
}
