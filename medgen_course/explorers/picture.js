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
    for (const handle of row.querySelectorAll(".noUi-handle")) handle.setAttribute("aria-label", label);
  }
}

function render({ model, el }) {
  const captions = element("div", "medgen-captions", el);
  const image = element("img", "medgen-picture", el);
  const status = element("div", "medgen-status", el);
  status.setAttribute("role", "status");
  status.setAttribute("aria-live", "polite");

  function onCaptions() {
    captions.replaceChildren();
    for (const caption of model.get("captions")) element("div", "", captions).textContent = caption;
    image.alt = model.get("alt");
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
  model.on("change:png", onPng);
  model.on("change:text", onText);
  onCaptions();
  onPng();
  onText();
  const frame = requestAnimationFrame(onText); // by then the widgets around this one are on the page
  return () => {
    cancelAnimationFrame(frame);
    model.off("change:captions", onCaptions);
    model.off("change:png", onPng);
    model.off("change:text", onText);
    URL.revokeObjectURL(image.src);
  };
}

export default { render };
