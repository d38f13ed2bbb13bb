// Networks: ONNX files run by onnxruntime-web in WebAssembly, on one thread.
//
// Its WebAssembly comes packed, in a quarter of its bytes, because many web servers pack nothing themselves.

import * as ort from "onnxruntime-web/wasm";
import { downloaded, unpacked } from "./files.js";

ort.env.wasm.numThreads = 1;

// A network as a function of {input: {data, dims}}, which gives {output: tensor}. Runs queue up.
export async function open(url, base, progress) {
  const assets = new URL("assets/", base);
  ort.env.wasm.wasmPaths = assets.href;
  const [network] = await Promise.all([downloaded(url, progress), unpackRuntime(assets, progress)]);
  const made = await ort.InferenceSession.create(network);
  return (inputs) => {
    const feeds = Object.entries(inputs).map(([name, { data, dims }]) => [name, new ort.Tensor("float32", data, dims)]);
    return made.run(Object.fromEntries(feeds));
  };
}

let runtime; // once a page

function unpackRuntime(assets, progress) {
  runtime ??= downloaded(new URL("ort-wasm-simd-threaded.wasm.bin", assets), progress)
    .then(unpacked)
    .then((wasm) => (ort.env.wasm.wasmBinary = wasm))
    .catch((reason) => {
      runtime = undefined;
      throw reason;
    });
  return runtime;
}
