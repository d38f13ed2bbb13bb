// Finds the places for explorers on a page and brings each to life when it comes near the window.

import { address } from "./address.js";
import { fetched, sized } from "./files.js";

const NEAR = "600px";
const announcer = document.querySelector("#announcer");
const announce = (text) => announcer && (announcer.textContent = text);
const base = new URL("..", import.meta.url); // this file lies in assets/

// Arrays in place of {"$array": [type, first byte, length]}.
const KINDS = { uint8: Uint8Array, int32: Int32Array, int64: BigInt64Array, float32: Float32Array, float64: Float64Array };
function filled(value, buffer) {
  if (Array.isArray(value)) return value.map((part) => filled(part, buffer));
  if (value === null || typeof value !== "object") return value;
  if (value.$array) {
    const [kind, offset, length] = value.$array;
    return new KINDS[kind](buffer, offset, length);
  }
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, filled(part, buffer)]));
}

async function live(place) {
  const name = place.dataset.live;
  const folder = new URL(`live/${name}/`, base);
  const networks = new URL(`live/${place.dataset.networks ?? name}/`, base);
  const note = place.querySelector(".live-wait") ?? place.appendChild(document.createElement("p"));
  note.className = "live-wait";
  note.setAttribute("role", "status");
  const say = (text) => (note.textContent = text);
  const still = place.querySelector(".live-still"); // on the first page; a lesson has its figures below
  const instead = (text) => {
    say(text);
    if (still) still.hidden = false;
  };
  try {
    say("The explorer is loading …");
    const [{ mount }, about, buffer] = await Promise.all([
      import(`./live/${name}.js`),
      fetched(new URL(`${name}.json`, folder), "json"),
      fetched(new URL(`${name}.bin`, folder), "arrayBuffer"),
    ]);
    if ((place.dataset.networks || about.models.length) && typeof WebAssembly !== "object") {
      return instead("This browser has no WebAssembly, which the explorer's network needs. The figure below shows its picture.");
    }
    const progress = sized((share) => say(`The network is loading: ${Math.round(100 * share)} %`));
    const session = async (model) => {
      const { open } = await import("./ort.js");
      return open(new URL(`${model}.onnx`, networks), base, progress);
    };
    const root = document.createElement("div");
    root.className = "live-root";
    place.append(root);
    await mount(root, { data: filled(about.data, buffer), note: about.note, session, address, announce });
    note.remove();
    still?.remove();
    place.dataset.ready = "true";
  } catch (error) {
    place.querySelector(".live-root")?.remove();
    instead(`The explorer could not be loaded (${error.message}). The figure below shows its picture; reload the page to try again.`);
    note.setAttribute("role", "alert");
    console.error(error);
  }
}

const places = [...document.querySelectorAll("[data-live]")];
if ("IntersectionObserver" in window) {
  const seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      live(target);
    }
  }, { rootMargin: NEAR });
  for (const place of places) seen.observe(place);
} else for (const place of places) live(place);
