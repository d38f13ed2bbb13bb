// A page with one explorer, for tests: what the site's shell does, as little as will do.

import * as ort from "onnxruntime-web/wasm";

ort.env.wasm.wasmPaths = new URL("/", location.href).href;
ort.env.wasm.numThreads = 1;

const KINDS = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array, float64: Float64Array };

// Arrays in place of {"$array": [dtype, offset, length]}.
function filled(value, buffer) {
  if (Array.isArray(value)) return value.map((part) => filled(part, buffer));
  if (value === null || typeof value !== "object") return value;
  if (value.$array) {
    const [kind, offset, length] = value.$array;
    return new KINDS[kind](buffer, offset, length);
  }
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, filled(part, buffer)]));
}

const fetched = async (path, how) => (await fetch(path))[how]();

async function session(folder, name) {
  const made = await ort.InferenceSession.create(new Uint8Array(await fetched(`${folder}/${name}.onnx`, "arrayBuffer")));
  return async (inputs) => {
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([key, { data, dims }]) => [key, new ort.Tensor("float32", data, dims)]),
    );
    return made.run(feeds);
  };
}

const state = new URLSearchParams(location.hash.slice(1));
const address = {
  get: (key) => state.get(key),
  set(key, value) {
    state.set(key, value);
    history.replaceState(null, "", `#${state}`);
  },
};

export async function start(mount) {
  const element = document.querySelector("[data-live]");
  const name = element.dataset.live;
  const folder = `/live/${name}`;
  const [about, buffer] = await Promise.all([
    fetched(`${folder}/${name}.json`, "json"),
    fetched(`${folder}/${name}.bin`, "arrayBuffer"),
  ]);
  const announcer = document.querySelector("#announcer");
  await mount(element, {
    data: filled(about, buffer),
    session: (model) => session(folder, model),
    address,
    announce: (text) => (announcer.textContent = text),
  });
  element.dataset.ready = "true";
}
