// The translation explorer: an image, its translation, the way back, and the truth; below each what differs.

import { Controls, Notice, Numbers, Panels, button, element, newest } from "../controls.js";
import { blank, difference, drawOutline, enlarge, pictureOf, toBytes, unit } from "../images.js";
import { lesionWords } from "../lesion_words.js";
import { greyPicture, received, uploadField } from "../own_picture.js";
import { player } from "../player.js";
import { lesionReport, psnr, ssim } from "../quality.js";
import { Generator } from "../torch_random.js";
import { fill, fixed } from "../words.js";

const LESION = [0xd5, 0x5e, 0x00];
const LARGE = [0xcc, 0x79, 0xa7];
const GAP = 8; // between an image and its difference, screen pixels

export async function mount(root, { data, session, address, announce }) {
  const { words, size, scale } = data;
  root.classList.add("live-translation");
  const { back, fit, ...controls } = data.controls;
  const noise = new Generator(0).randn(size * size); // always the same
  const networks = new Map();
  let file = null; // a reader's own
  let own = null;

  const bank = new Controls(root, controls, address, (name) => {
    if (name === "image") putAway();
    if (name === "moment") playing.follow();
    refresh();
  });
  const playing = player(bank, "moment", { hint: words.play, interval: data.interval }, () => refresh());
  const panels = new Panels(root);
  const numbers = new Numbers(root, announce);
  const row = element("div", "live-row", root);
  uploadField(row, data.upload, take);
  const fitting = new Controls(row, { fit }, address, async () => {
    if (file) own = await greyPicture(file, size, fitting.value.fit === 1);
    refresh();
  });
  const away = button(row, back, () => {
    putAway();
    refresh();
  });
  const notice = new Notice(root);
  element("p", "live-remark", root, words.some);

  function putAway() {
    [file, own] = [null, null];
    notice.say("");
  }

  function take(given) {
    return received(greyPicture(given, size, fitting.value.fit === 1), notice, (grey) => {
      [file, own] = [given, grey];
      return refresh();
    });
  }

  // One or several images, in one go, to a domain.
  async function translated(moment, to, images) {
    const key = `${data.moments[moment]}-${to}`;
    if (!networks.has(key)) networks.set(key, session(key));
    const run = await networks.get(key);
    const all = new Float32Array(images.length * size * size);
    images.forEach((image, i) => all.set(image, i * size * size));
    const { answer } = await run({ image: { data: all, dims: [images.length, 1, size, size] } });
    const values = answer.data ?? answer;
    return images.map((_, i) => Float32Array.from(values.subarray(i * size * size, (i + 1) * size * size)));
  }

  async function travel(source, moment, to, sigma) {
    const x = unit(source);
    const [there] = await translated(moment, to, [x]);
    const sent = sigma ? [there, there.map((v, i) => v + sigma * noise[i])] : [there];
    const returned = await translated(moment, to === "b" ? "a" : "b", sent);
    const errors = returned.map((image) => image.reduce((sum, v, i) => sum + Math.abs(v - x[i]), 0) / x.length);
    return { there, back: returned.at(-1), clean: errors[0], noisy: errors.at(-1) };
  }

  const refresh = newest(async () => {
    const { direction, image, moment, limit, outlines, noise: sigma } = bank.value;
    const [from, to] = direction === 0 ? ["a", "b"] : ["b", "a"];
    const [here, there] = direction === 0 ? data.names : [...data.names].reverse();
    const count = size * size;
    const part = (whole) => whole.subarray(image * count, (image + 1) * count);
    const mine = own;
    const source = mine ?? part(data[from].images);
    const truth = mine ? null : part(data[to].images);
    const journey = await travel(source, moment, to, sigma);

    const shown = words.shown;
    const called = mine ? shown.own : fill(shown.image, { index: image });
    const when = fill(shown.moment, { label: data.label, moment: data.moments[moment] });
    const lines = [[fill(shown.way, { here, there }), called, when].join(" · "), cycle(journey, sigma)];
    let marks = null;
    if (mine) lines.push(fill(shown.unknown, { whose: shown.own }));
    else {
      lines.push(quality(journey.there, truth));
      const mask = part(data.masks);
      const rule = data.rules[to];
      const report = lesionReport(journey.there, truth, part(data[to].healthy), mask, rule, size);
      lines.push(...lesionWords(report, rule, words.lesions, words.made));
      if (outlines) marks = { lesion: mask, large: report.regions };
    }
    const said = words.captions.slice(0, truth ? 4 : 3);
    const names = said.map((caption) => fill(caption, { image: called, here, there, limit: fixed(limit, 2) }));
    panels.show(draw(source, journey, truth, limit, marks), names);
    away.hidden = !mine;
    fitting.show("fit", Boolean(mine));
    numbers.say(lines.join("\n"));
  });

  // A column each: the image, and under it what it differs in.
  function draw(source, { there, back: returned }, truth, limit, marks) {
    const bytes = [source, toBytes(there), toBytes(returned), ...(truth ? [truth] : [])];
    const upper = bytes.map((values) => enlarge(pictureOf(values, size, size), scale));
    const lower = bytes.map((values, i) => {
      if (i === 0) return enlarge(key(size), scale);
      const [a, b] = i === 3 ? [bytes[1], truth] : [values, source];
      return enlarge(difference(a, b, limit, size, size), scale);
    });
    if (marks) {
      for (const picture of upper) drawOutline(picture, marks.lesion, size, scale, LESION);
      for (const picture of [upper[1], lower[3]]) drawOutline(picture, marks.large, size, scale, LARGE, true);
    }
    return upper.map((picture, i) => stacked(picture, lower[i]));
  }

  function cycle({ clean, noisy }, sigma) {
    const said = words.cycle;
    const text = fill(said.clean, { clean: fixed(clean, 4) });
    if (!sigma) return fill(said.quiet, { text });
    const times = clean ? fill(said.times, { times: fixed(noisy / clean, 1) }) : "";
    return fill(said.noisy, { text, noise: fixed(sigma, 3), error: fixed(noisy, 4), times });
  }

  function quality(made, truth) {
    if (toBytes(made).every((v, i) => v === truth[i])) return words.quality.same;
    const exact = unit(truth);
    return fill(words.quality.apart, { psnr: fixed(psnr(made, exact), 1), ssim: fixed(ssim(made, exact, size), 3) });
  }

  await refresh();
}

function stacked(upper, lower) {
  const picture = blank(upper.width, upper.height + GAP + lower.height);
  picture.data.set(upper.data);
  picture.data.set(lower.data, 4 * upper.width * (upper.height + GAP));
  return picture;
}

// What the colours mean: a bar from fully darker to fully brighter.
function key(size) {
  const cell = blank(size, size);
  const high = Math.max(1, Math.floor(size / 8));
  const ramp = toBytes(Float32Array.from({ length: size }, (_, i) => i / (size - 1)));
  const bar = difference(ramp, ramp.slice().reverse(), 1, size, 1);
  const top = Math.floor((size - high) / 2);
  for (let y = top; y < top + high; y++) cell.data.set(bar.data, 4 * y * size);
  return cell;
}
