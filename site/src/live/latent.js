// The latent map of a VAE: from an image, or a reader's own, to another; the nearest images beside it.

import { Controls, Notice, Numbers, Panels, element, newest } from "../controls.js";
import { enlarge, unit } from "../images.js";
import { Walk, images, places, rmse } from "../latent_walk.js";
import { greyPicture, received, uploadField } from "../own_picture.js";
import { fill, fixed, percent } from "../words.js";

const NEIGHBOURS = 3;

export async function mount(root, { data, note, session, address, announce }) {
  const { words, kind } = data;
  const [channels, size] = data.shape;
  const { plane, fit, ...controls } = data.controls;
  const net = images(data, await session("decoder"));
  let encoder = null; // only a reader's own picture needs it
  let [file, own, ownCode] = [null, null, null];
  root.classList.add("live-latent");
  const beside = element("div", "live-beside", root);
  const left = element("div", "live-map", beside);
  const planes = new Controls(left, { plane }, address, () => {
    walk.see(planes.value.plane);
    refresh();
  });
  const right = element("div", "live-sheet", beside);
  const panels = new Panels(right);
  const numbers = new Numbers(right, announce);
  const bank = new Controls(right, controls, address, (name) => {
    if (name === "start") {
      [file, own, ownCode] = [null, null, null];
      notice.say("");
    }
    walk.go(between());
    refresh();
  });
  const row = element("div", "live-row", root);
  uploadField(row, data.upload, take);
  const fitting = new Controls(row, { fit }, address, () => file && take(file));
  const notice = new Notice(root);
  const walk = new Walk(left, root, data, address, () => refresh());
  element("p", "live-remark", root, `${data.some} ${note}`);

  function between() {
    const [a, b] = [ownCode ?? walk.of(bank.value.start), walk.of(bank.value.end)];
    return a.map((v, i) => v + Math.fround(bank.value.way) * Math.fround(b[i] - v));
  }

  // Encode a reader's picture, here in the page, and go to its code.
  function take(given) {
    return received(greyPicture(given, size, fitting.value.fit === 1), notice, async (grey) => {
      file = given;
      own = new Uint8Array(channels * grey.length);
      for (let c = 0; c < channels; c++) own.set(grey, c * grey.length);
      encoder ??= session("encoder");
      const x = unit(own);
      const { mu } = await (await encoder)({ x: { data: x, dims: [1, channels, size, size] } });
      ownCode = Float32Array.from(mu.data);
      const rebuilt = await net.exact(ownCode);
      const error = Math.sqrt(rebuilt.reduce((sum, v, i) => sum + (v - x[i]) ** 2, 0) / x.length);
      const said = fill(words.rebuilt, { error: fixed(error, 3) });
      const unusual = error > data.threshold;
      notice.say(fill(unusual ? words.unusual : words.usual, { said, threshold: fixed(data.threshold, 3) }), unusual);
      bank.set("way", 0);
      walk.go(ownCode);
      await refresh();
    });
  }

  const called = (index) => fill(words.called, { index, name: walk.name(index) });

  const refresh = newest(async () => {
    const { start, end, way } = bank.value;
    const code = walk.code;
    const near = walk.nearest(NEIGHBOURS);
    const decoded = await net.decoded(code);
    const first = own ?? net.of(start);
    const all = [first, decoded, net.of(end), ...near.map(([i]) => net.of(i))];
    const [from, made, to, nearest, ...others] = words.panels;
    const image = "image";
    const captions = [own ? words.own : fill(from, { kind: image, index: start }), made,
      fill(to, { kind: image, index: end }), fill(nearest, { kind }), ...others];
    panels.show(all.map((bytes) => enlarge(net.picture(bytes), data.scale)), captions);
    const neighbours = near.map(([index, distance]) =>
      fill(words.neighbour, { index, name: walk.name(index), distance: fixed(distance, 2) })).join("; ");
    numbers.say([
      fill(words.numbers[0], {
        way: percent(way), a: own ? words.own : called(start), b: called(end), ...places(walk.place()),
        edge: walk.inside() ? "" : words.edge, length: fixed(Math.hypot(...code), 2),
        prior: fixed(Math.sqrt(code.length), 1),
      }),
      fill(words.numbers[1], { kind, neighbours }),
      fill(words.numbers[2], { first: fixed(rmse(decoded, first), 3), near: fixed(rmse(decoded, net.of(near[0][0])), 3) }),
    ].join("\n"));
  });

  walk.see(planes.value.plane);
  const asked = walk.asked();
  walk.go(asked ?? between(), Boolean(asked));
  await refresh();
}
