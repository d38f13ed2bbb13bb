// The numbers under an explorer's picture, announced politely to a screen reader. It also gives the
// explorer's slider handles the names that ipywidgets shows beside them but does not tell a screen reader.

function nameHandles(root) {
  for (const row of root?.querySelectorAll(".widget-hslider") ?? []) {
    const label = row.querySelector(".widget-label")?.textContent;
    for (const handle of row.querySelectorAll(".noUi-handle")) handle.setAttribute("aria-label", label);
  }
}

function render({ model, el }) {
  const line = document.createElement("div");
  line.className = "medgen-status";
  line.setAttribute("role", "status");
  line.setAttribute("aria-live", "polite");
  el.append(line);

  function onText() {
    line.textContent = model.get("text");
    nameHandles(el.closest(".medgen-explorer"));
  }

  model.on("change:text", onText);
  onText();
  const frame = requestAnimationFrame(onText); // by then the widgets around this one are on the page
  return () => {
    cancelAnimationFrame(frame);
    model.off("change:text", onText);
  };
}

export default { render };
