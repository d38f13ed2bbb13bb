// An explorer's picture with its captions above and its numbers below, which a screen reader announces.
// It also gives the explorer's slider handles the names that ipywidgets shows beside them but does not
// tell a screen reader.

function element(tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent.append(node);
  return node;
}

function nameHandles(root) {
  for (const row of root?.querySelectorAll(".widget-hslider") ?? []) {
    const label = row.querySelector(".widget-label")?.textContent;
    const value = row.querySelector(".widget-readout")?.textContent;
    for (const handle of row.querySelectorAll(".noUi-handle")) {
      handle.setAttribute("aria-label", label);
      if (value) handle.setAttribute("aria-valuetext", value);
    }
  }
}

function render({ model, el }) {
  const frame = element("div", "medgen-frame", el);
  const captions = element("div", "medgen-captions", frame);
  const rowNames = element("div", "medgen-rows", frame);
  const image = element("img", "medgen-picture", frame);
  const status = element("div", "medgen-status", el);
  status.setAttribute("role", "status");
  status.setAttribute("aria-live", "polite");

  function onCaptions() {
    captions.replaceChildren();
    for (const caption of model.get("captions")) element("div", "", captions).textContent = caption;
    image.alt = model.get("alt");
  }

  function onRowNames() {
    rowNames.replaceChildren();
    for (const name of model.get("row_names")) element("div", "", rowNames).textContent = name;
  }

  function onPng() {
    const old = image.src;
    image.src = URL.createObjectURL(new Blob([model.get("png")], { type: "image/png" }));
    if (old) URL.revokeObjectURL(old);
  }

  function onText() {
    status.textContent = model.get("text");
    nameHandles(el.closest(".medgen-explorer"));
  }

  image.addEventListener("load", () => {
    captions.style.width = `${image.naturalWidth}px`;
  });
  model.on("change:captions", onCaptions);
  model.on("change:row_names", onRowNames);
  model.on("change:png", onPng);
  model.on("change:text", onText);
  onCaptions();
  onRowNames();
  onPng();
  onText();
  const named = requestAnimationFrame(onText); // by then the widgets around this one are on the page
  return () => {
    cancelAnimationFrame(named);
    model.off("change:captions", onCaptions);
    model.off("change:row_names", onRowNames);
    model.off("change:png", onPng);
    model.off("change:text", onText);
    URL.revokeObjectURL(image.src);
  };
}

export default { render };
