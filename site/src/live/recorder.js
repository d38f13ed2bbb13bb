// The flight recorder: samples and verdicts at a recorded moment, and the run's curves, on which a hand can go
// to another moment.

import mapPart from "../../../medgen_course/explorers/parts/position_map.js";
import { Controls, Numbers, Panels, element } from "../controls.js";
import { blank, enlarge, even, pictureOf } from "../images.js";
import { Model } from "../model.js";
import { player } from "../player.js";

const NARROW = 500; // pixels: a page that has room for half as many samples in a row
const REAL = [0x00, 0x72, 0xb2, 255];
const FAKE = [0xe6, 0x9f, 0x00, 255];

export async function mount(root, { data, note, address, announce }) {
  const { words, runs } = data;
  root.classList.add("live-recorder");
  const last = (run) => runs[run].moments.length - 1;
  const asked = Number(address.get("run"));
  const { run, moment, curves } = data.controls;
  const start = runs[asked] ? asked : run.value;
  Object.assign(moment, { max: last(start), value: last(start) });

  const bank = new Controls(root, { run, moment, curves }, address, (name) => {
    if (name === "run") another();
    if (name === "moment") playing.follow();
    if (name !== "moment") showCurves();
    refresh();
  });
  const playing = player(bank, "moment", { hint: words.play, interval: data.interval }, () => refresh());
  const panels = new Panels(root);
  const numbers = new Numbers(root, announce);
  const model = new Model(
    { png: new Uint8Array(), position: [0, 0], label: words.map, x_label: words.axes[0], y_label: words.axes[1], x_range: [0, 1], y_range: [0, 1] },
    (name, position) => name === "position" && goTo(position),
  );
  showCurves();
  mapPart.render({ model, el: element("div", "live-curves", root) });
  if (note) element("p", "live-remark", root, note);

  // The end of another run.
  function another() {
    const end = last(bank.value.run);
    bank.range("moment", end);
    bank.set("moment", end);
    address.set("moment", String(end));
    playing.follow();
  }

  function chosen() {
    return runs[bank.value.run];
  }

  function showCurves() {
    const { png, x_range, y_range } = chosen().curves[bank.value.curves];
    model.put({ png, x_range, y_range });
    moveCursor();
  }

  function moveCursor() {
    const { places } = chosen().curves[bank.value.curves];
    const k = bank.value.moment;
    model.put({ position: [places[2 * k], places[2 * k + 1]] });
  }

  // The recorded moment nearest to a place on the curves; the cursor stays where the hand put it.
  function goTo([x]) {
    const [low, high] = model.get("x_range");
    const step = low + x * (high - low);
    const far = Array.from(chosen().moments, (known) => Math.abs(known - step));
    bank.set("moment", far.indexOf(Math.min(...far)));
    address.set("moment", String(bank.value.moment));
    playing.follow();
    draw();
  }

  function refresh() {
    moveCursor();
    draw();
  }

  function draw() {
    const k = bank.value.moment;
    panels.show([picture(chosen(), k)], words.captions, [words.alt]);
    numbers.say(chosen().texts[k]);
  }

  // As pictures/render_gan.py draws a moment.
  function picture({ samples, shape, verdicts }, k) {
    const [count, channels, side] = shape;
    const { pad, gap, height } = data;
    const columns = root.clientWidth < NARROW ? data.columns / 2 : data.columns;
    const scale = Math.max(1, even(data.sample / side));
    const cell = scale * side + pad;
    const rows = Math.ceil(count / columns);
    const whole = blank(Math.min(columns, count) * cell, rows * cell + gap + height);
    const pixels = channels * side * side;
    for (let i = 0; i < count; i++) {
      const at = (k * count + i) * pixels;
      const sample = enlarge(pictureOf(samples.subarray(at, at + pixels), side, side, channels), scale);
      paste(whole, sample, cell * (i % columns), cell * Math.floor(i / columns));
    }
    const bins = verdicts.length / runs[bank.value.run].moments.length / 2;
    const [real, fake] = [0, 1].map((row) => verdicts.subarray((2 * k + row) * bins, (2 * k + row + 1) * bins));
    paste(whole, histograms(real, fake, whole.width, height), 0, rows * cell + gap);
    return whole;
  }

  refresh();
}

function paste(whole, part, left, top) {
  for (let y = 0; y < part.height; y++) {
    const row = part.data.subarray(4 * y * part.width, 4 * (y + 1) * part.width);
    whole.data.set(row, 4 * ((top + y) * whole.width + left));
  }
}

// How often D said what: of real images upwards, of generated ones downwards.
function histograms(real, fake, width, height) {
  const picture = blank(width, height);
  const paint = (top, bottom, left, right, colour) => {
    for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) picture.data.set(colour, 4 * (y * width + x));
  };
  const middle = Math.floor(height / 2);
  const most = Math.max(1, ...real, ...fake);
  const half = Math.floor(width / 2);
  paint(0, height, half, half + 1, [200, 200, 200, 255]);
  const edge = (i) => even((i / real.length) * (width - 1));
  for (let i = 0; i < real.length; i++) {
    const [up, down] = [real[i], fake[i]].map((count) => even((count * (middle - 4)) / most));
    paint(middle - up, middle, edge(i) + 1, edge(i + 1), REAL);
    paint(middle + 1, middle + 1 + down, edge(i) + 1, edge(i + 1), FAKE);
  }
  paint(middle, middle + 1, 0, width, [120, 120, 120, 255]);
  return picture;
}
