// Networks: ONNX files run by onnxruntime-web in WebAssembly, on one thread.

import * as ort from "onnxruntime-web/wasm";
import { downloaded } from "./files.js";

ort.env.wasm.numThreads = 1;

// A network as a function of {input: {data, dims}}, which gives {output: tensor}. Runs queue up.
export async function open(url, base, progress) {
  ort.env.wasm.wasmPaths = new URL("assets/", base).href;
  const made = await ort.InferenceSession.create(await downloaded(url, progress));
  return (inputs) => {
    const feeds = Object.entries(inputs).map(([name, { data, dims }]) => [name, new ort.Tensor("float32", data, dims)]);
    return made.run(Object.fromEntries(feeds));
  };
}
