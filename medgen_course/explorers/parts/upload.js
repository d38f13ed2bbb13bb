// A field for one picture: click it, press Enter on it, or drop a file on it. Too large a file is not sent
// (the connection would break); its name and length are, so that the kernel can say why.

function element(tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent.append(node);
  return node;
}

function render({ model, el }) {
  const field = element("label", "medgen-upload", el);
  const text = element("span", "", field);
  const input = element("input", "", field);
  input.type = "file";
  input.accept = "image/png,image/jpeg";

  function describe() {
    text.textContent = model.get("label");
    input.setAttribute("aria-label", model.get("label"));
  }

  async function take() {
    const file = input.files[0];
    if (!file) return;
    const small = file.size <= model.get("max_bytes");
    const content = small ? await file.arrayBuffer() : new ArrayBuffer(0);
    model.set("content", new DataView(content));
    model.set("name", file.name);
    model.set("length", file.size);
    model.set("count", model.get("count") + 1);
    model.save_changes();
    input.value = ""; // the same file can be given again
  }

  // A file field takes dropped files by itself; the label around it passes them on.
  const over = (event) => event.preventDefault();
  function drop(event) {
    if (event.target === input) return;
    event.preventDefault();
    input.files = event.dataTransfer.files;
    take();
  }

  input.addEventListener("change", take);
  input.addEventListener("keydown", (event) => event.stopPropagation()); // keys are not for the notebook
  field.addEventListener("dragover", over);
  field.addEventListener("drop", drop);
  model.on("change:label", describe);
  describe();
  return () => model.off("change:label", describe);
}

export default { render };
