// The β explorer: images, rebuilt, drawn from the prior, and the latents with the highest KL, at any β.

import mapPart from "../../../medgen_course/explorers/parts/position_map.js";
import { byBeta, network } from "../beta_network.js";
import { Controls, Numbers, button, element, newest } from "../controls.js";
import { Model } from "../model.js";

const KEY_STEP = 0.11; // a key moves the map's cursor by less than this, along one axis

export async function mount(root, context) {
  const { data, address, announce } = context;
  const { betas, stops, columns, latents, places } = data;
  const net = await network(context);
  root.classList.add("live-beta");
  const { again, ...controls } = data.controls;

  const named = byBeta(address, betas);
  const bank = new Controls(root, controls, named, () => refresh());
  let draws = 0;
  const row = element("div", "live-row", root);
  button(row, again, () => {
    draws = (draws + 1) % (data.noise.length / (columns * latents));
    refresh();
  });

  const beside = element("div", "live-beside", root);
  const left = element("div", "live-map", beside);
  const place = (stop) => [places[2 * stop], places[2 * stop + 1]];
  const { png, ...ranges } = data.curve;
  let before = place(bank.value.beta);
  const model = new Model(
    { png, ...ranges, position: before, label: data.label, x_label: data.axes[0], y_label: data.axes[1] },
    (name, value) => name === "position" && moved(value),
  );
  mapPart.render({ model, el: left });
  const right = element("div", "live-sheet", beside);
  const numbers = new Numbers(right, announce);
  const rows = new Rows(right, data);
  element("p", "live-remark", root, `${data.some} ${context.note}`);

  // Go to the stop nearest to the cursor; a key's small step goes to the next stop in its direction.
  function moved(position) {
    const distance = (stop) => Math.hypot(position[0] - places[2 * stop], position[1] - places[2 * stop + 1]);
    const now = bank.value.beta;
    let stop = stops.reduce((best, _, i) => (distance(i) < distance(best) ? i : best), 0);
    const step = [position[0] - before[0], position[1] - before[1]];
    if (stop === now && step.includes(0) && Math.max(...step.map(Math.abs)) < KEY_STEP) {
      for (const other of [now - 1, now + 1]) {
        if (other < 0 || other >= stops.length) continue;
        const ahead = place(other).map((value, axis) => value - place(now)[axis]);
        if (ahead[0] * step[0] + ahead[1] * step[1] > 0) stop = other;
      }
    }
    bank.set("beta", stop);
    named.set("beta", stop);
    refresh();
  }

  const refresh = newest(async () => {
    const stop = bank.value.beta;
    const about = stops[stop];
    const logBeta = Math.log(betas[stop]);
    before = place(stop);
    model.put({ position: before });
    const first = bank.value.first;
    const mu = await net.encode(first, columns, logBeta);
    const z = new Float32Array((2 + data.traversed) * columns * latents);
    z.set(mu);
    z.set(data.noise.subarray(draws * columns * latents, (draws + 1) * columns * latents), columns * latents);
    about.latents.forEach((latent, k) => {
      for (let column = 0; column < columns; column++) {
        const at = ((2 + k) * columns + column) * latents;
        z.set(mu.subarray(0, latents), at);
        z[at + latent] = data.path[column];
      }
    });
    const made = await net.decode(z, logBeta);
    const images = Array.from({ length: columns }, (_, i) => net.image(first + i));
    rows.show([...images, ...made], ["validation images", "reconstructions", "samples from the prior", ...about.names]);
    const convention = bank.value.convention;
    numbers.say([...about.lines, ...(convention ? about.others[convention - 1] : [])].join("\n"));
    root.dataset.stop = stop;
  });
  await refresh();
}

// Rows of pictures, a name before each.
class Rows {
  constructor(parent, data) {
    this.root = element("div", "live-rows", parent);
    this.columns = data.columns;
    this.root.style.setProperty("--columns", data.columns);
    this.lines = [];
    this.alt = data.alt;
  }

  show(pictures, names) {
    names.forEach((name, row) => {
      if (!this.lines[row]) {
        const line = element("figure", "live-line", this.root);
        this.lines[row] = { caption: element("figcaption", "", line), canvas: element("canvas", "", line) };
        this.lines[row].canvas.setAttribute("role", "img");
      }
      const { caption, canvas } = this.lines[row];
      const { width, height } = pictures[0];
      const wide = this.columns * (width + 1) - 1;
      if (canvas.width !== wide) [canvas.width, canvas.height] = [wide, height];
      const pen = canvas.getContext("2d");
      for (let i = 0; i < this.columns; i++) {
        const { data } = pictures[row * this.columns + i];
        pen.putImageData(new ImageData(data, width, height), i * (width + 1), 0);
      }
      caption.textContent = name;
      canvas.setAttribute("aria-label", `${this.columns} pictures: ${name}`);
    });
  }
}
