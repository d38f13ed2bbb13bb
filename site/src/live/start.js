// The first thing on the first page: real images, and what is left of them as β grows.

import { byBeta, network } from "../beta_network.js";
import { Controls, Panels, element, newest } from "../controls.js";

export async function mount(root, context) {
  const { data, announce } = context;
  const { betas, kl } = data;
  const net = await network(context);
  const shown = data.images.length / data.shape.reduce((a, b) => a * b);
  const last = betas.length - 1;
  root.classList.add("live-start");
  const real = new Panels(root, "live-films");
  const made = new Panels(root, "live-films");
  const images = Array.from({ length: shown }, (_, i) => net.image(i));
  real.show(images, images.map((_, i) => (i ? "" : "real")), images.map((_, i) => `real image ${i + 1}`));
  const bank = new Controls(root, { beta: { ...data.controls.beta } }, byBeta(context.address, betas), () => refresh());
  const said = element("p", "live-said", root);

  const refresh = newest(async () => {
    const stop = bank.value.beta;
    const logBeta = Math.log(betas[stop]);
    const pictures = await net.decode(await net.encode(0, shown, logBeta), logBeta);
    made.show(pictures, pictures.map((_, i) => (i ? "" : "as the network remembers it")), pictures.map((_, i) => `image ${i + 1} rebuilt at β = ${betas[stop].toPrecision(3)}`));
    const bits = (kl[stop] / Math.LN2).toFixed(0);
    const text = `${kl[stop].toFixed(2)} nats, about ${bits} bits, are all that it may keep of a film.`;
    said.textContent = stop === last ? `${text} It has forgotten which one it saw.` : text;
    announce(said.textContent);
    root.dataset.stop = stop;
  });
  await refresh();
}
