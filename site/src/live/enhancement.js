// The enhancement explorer: an image, measured and restored; a wipe between guess and answer; the difference.

import wipePart from "../../../medgen_course/explorers/parts/wipe.js";
import { Controls, Notice, Numbers, Panels, button, element, newest } from "../controls.js";
import { degradation, totalVariation } from "../degradations.js";
import { difference, drawOutline, enlarge, pictureOf, toBytes, unit } from "../images.js";
import { lesionWords } from "../lesion_words.js";
import { Model } from "../model.js";
import { greyPicture, received, uploadField } from "../own_picture.js";
import { lesionReport, psnr, ssim } from "../quality.js";
import { remembered } from "../remembered.js";
import { fill, fixed, general } from "../words.js";

const LESION = [0xd5, 0x5e, 0x00];
const LARGE = [0xcc, 0x79, 0xa7];

export async function mount(root, { data, session, address, announce }) {
  const { words, size, tasks } = data;
  root.classList.add("live-enhancement");
  const { back, ...controls } = data.controls;
  const networks = new Map();
  root.style.setProperty("--wide", `${size * data.wide}px`);
  let own = null;

  const asked = address.get("task");
  const start = tasks[asked] ? Number(asked) : controls.task.value;
  const offered = (task) => ({ strengths: task.strengths.map((s) => general(s)), methods: task.methods });
  controls.strength.options = offered(tasks[start]).strengths;
  controls.method.options = offered(tasks[start]).methods;
  controls.strength.value = tasks[start].learnt;
  controls.method.value = tasks[start].methods.length - 1;
  const bank = new Controls(root, controls, address, (name) => {
    if (name === "task") offer();
    if (name === "image") own = null;
    notice.say("");
    refresh();
  });
  bank.disable("strength", tasks[start].strengths.length < 2);
  let method = chosen().methods[bank.value.method];

  const beside = element("div", "live-beside", root);
  const wipe = hostedWipe(element("div", "live-wipe", beside), address, size);
  const numbers = new Numbers(beside, announce);
  const panels = new Panels(root);
  const row = element("div", "live-row", root);
  uploadField(row, data.upload, take);
  const away = button(row, back, () => {
    own = null;
    notice.say("");
    refresh();
  });
  const notice = new Notice(root);
  element("p", "live-remark", root, words.slices);

  function chosen() {
    return tasks[bank.value.task];
  }

  // Strengths and methods of the task; the method stays where the task has it too.
  function offer() {
    const task = chosen();
    const { strengths, methods } = offered(task);
    bank.options("strength", strengths);
    bank.set("strength", task.learnt);
    bank.disable("strength", strengths.length < 2);
    bank.options("method", methods);
    const same = methods.indexOf(method);
    bank.set("method", same > 0 ? same : methods.length - 1);
    for (const name of ["strength", "method"]) address.set(name, String(bank.value[name]));
  }

  function take(file) {
    return received(greyPicture(file, size), notice, (grey) => {
      own = grey;
      return refresh();
    });
  }

  async function answered(task, name, guess, y) {
    if (name === words.guess) return guess;
    if (name === "total variation") return totalVariation(y, data.weight, size);
    const key = `${task.name}-${name}`;
    if (!networks.has(key)) networks.set(key, session(key));
    const run = await networks.get(key);
    const { answer } = await run({ guess: { data: Float32Array.from(guess), dims: [1, 1, size, size] } });
    return Float32Array.from(answer.data ?? answer);
  }

  const part = (name, image) => data[name].subarray(image * size * size, (image + 1) * size * size);
  const exactly = remembered((image, mine) => {
    const truth = mine ?? part("images", image);
    return { truth, x: unit(truth) };
  });
  const measured = remembered((task, strength, image, mine) => {
    const worse = degradation(task.kind, task.strengths[strength], size, task.lines[strength]);
    const y = worse.measure(exactly(image, mine).x, image);
    return { worse, y, guess: worse.guess(y) };
  });
  // What is made of an image, and how good it is; where only the drawing changes, it is remembered.
  const restored = remembered(async (task, strength, method, consistent, image, mine) => {
    const { truth, x } = exactly(image, mine);
    const { worse, y, guess } = measured(task, strength, image, mine);
    let answer = await answered(task, method, guess, y);
    if (consistent) answer = worse.project(answer, y);
    const report = mine ? null : lesionReport(answer, truth, part("healthy", image), part("masks", image), data.rule, size);
    return { truth, guess, answer, report, said: quality(guess, answer, x, worse.misfit(answer, y)) };
  });

  const refresh = newest(async () => {
    const task = chosen();
    const { image, strength, limit, consistent, outlines } = bank.value;
    method = task.methods[bank.value.method];
    const mine = own;
    const { truth, guess, answer, report, said } = await restored(task, strength, method, consistent, image, mine);

    const told = fill(words.task, {
      label: task.label, tells: task.tells, strength: general(task.strengths[strength]), method,
    });
    const at = general(task.strengths[task.learnt]);
    const lines = [strength === task.learnt ? told : fill(words.elsewhere, { told, learnt: at }), said];
    if (mine) lines.push(words.own);
    else lines.push(...lesionWords(report, data.rule, words.lesions, words.made));
    const bytes = [guess, answer, truth].map(toBytes);
    const pictures = bytes.map((values) => pictureOf(values, size, size));
    wipe.show(pictures[0], pictures[1], [words.guess, method === words.guess ? words.same : method]);
    pictures.push(difference(bytes[1], truth, limit, size, size));
    const drawn = pictures.map((picture) => enlarge(picture, data.panel));
    if (report && outlines) {
      for (const picture of drawn) drawOutline(picture, part("masks", image), size, data.panel, LESION);
      for (const i of [1, 3]) drawOutline(drawn[i], report.regions, size, data.panel, LARGE, true);
    }
    panels.show(drawn, words.captions.map((caption) => fill(caption, { method, limit: fixed(limit, 2) })));
    away.hidden = !mine;
    numbers.say(lines.join("\n"));
  });

  function quality(guess, answer, x, misfit) {
    const [psnr_guess, psnr_answer] = [guess, answer].map((made) => decibels(psnr(made, x)));
    const [ssim_guess, ssim_answer] = [guess, answer].map((made) => fixed(ssim(made, x, size), 3));
    const text = fill(words.similar, { text: fill(words.quality, { psnr_guess, psnr_answer }), ssim_guess, ssim_answer });
    return fill(words.misses, { text, misfit: fixed(255 * Math.sqrt(misfit), 1) });
  }

  await refresh();
}

const decibels = (value) => (Number.isFinite(value) ? fixed(value, 1) : "inf");

// The wipe of the notebook; the page enlarges its pictures.
function hostedWipe(parent, address, size) {
  const kept = Number(address.get("wipe") ?? 0.5);
  const place = kept >= 0 && kept <= 1 ? kept : 0.5;
  const empty = new ImageData(size, size);
  const model = new Model({ place, names: ["", ""], before: empty, after: empty }, (name, value) => {
    if (name === "place") address.set("wipe", value.toFixed(2));
  });
  wipePart.render({ model, el: parent });
  const pixels = ({ data, width, height }) => new ImageData(data, width, height);
  return { show: (before, after, names) => model.put({ before: pixels(before), after: pixels(after), names }) };
}
