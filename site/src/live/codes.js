// The map of an autoencoder's codes: the chosen image, what the code decodes to, and the nearest image.

import { Controls, Numbers, Panels, button, element, newest } from "../controls.js";
import { enlarge } from "../images.js";
import { Walk, images, places, rmse } from "../latent_walk.js";
import { fill, fixed } from "../words.js";

export async function mount(root, { data, note, session, address, announce }) {
  const { words } = data;
  const { reset, average, ...controls } = data.controls;
  const net = images(data, await session("decoder"));
  root.classList.add("live-codes");
  const beside = element("div", "live-beside", root);
  const left = element("div", "live-map", beside);
  const right = element("div", "live-sheet", beside);
  const panels = new Panels(right);
  const numbers = new Numbers(right, announce);
  const bank = new Controls(right, controls, address, () => go(walk.of(bank.value.image)));
  const row = element("div", "live-row", right);
  button(row, reset, () => go(walk.of(bank.value.image)));
  button(row, average, () => go(data.mean));
  const walk = new Walk(left, root, data, address, () => refresh());
  element("p", "live-remark", root, `${data.some} ${note}`);

  const go = (code) => {
    walk.go(code);
    refresh();
  };
  const apart = (a, b) => {
    const error = rmse(a, b);
    return error ? fill(words.apart[1], { rmse: fixed(error, 3), psnr: fixed(-20 * Math.log10(error), 1) }) : words.apart[0];
  };

  const refresh = newest(async () => {
    const chosen = bank.value.image;
    const at = places(walk.place());
    const [[nearest, distance]] = walk.nearest(1);
    const [a, b, c] = [net.of(chosen), await net.decoded(walk.code), net.of(nearest)];
    panels.show([a, b, c].map((bytes) => enlarge(net.picture(bytes), data.scale)), words.captions);
    numbers.say([
      fill(words.codes[0], { chosen, name: walk.name(chosen), ...at }),
      fill(words.codes[1], { apart: apart(b, a) }),
      fill(words.codes[2], { nearest, label: walk.name(nearest), distance: fixed(distance, 2), apart: apart(b, c) }),
    ].join("\n"));
  });

  const asked = walk.asked();
  walk.go(asked ?? walk.of(bank.value.image), Boolean(asked));
  await refresh();
}
