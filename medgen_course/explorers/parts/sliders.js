// A bank of labelled sliders with one list of values. What the reader moves is sent, at most once per
// animation frame; what the kernel sets is shown and never sent back, not even rounded to a step.

const TRAITS = ["names", "tooltips", "lows", "highs"];

function element(tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent.append(node);
  return node;
}

function render({ model, el }) {
  const bank = element("div", "medgen-sliders", el);
  let rows = [];
  let values = [];
  let frame = 0;

  function send() {
    frame = 0;
    model.set("values", [...values]);
    model.save_changes();
  }

  function showNumber(i) {
    const text = values[i].toFixed(2).replace("-", "−");
    rows[i].readout.textContent = text;
    rows[i].input.setAttribute("aria-valuetext", text);
  }

  function onInput(i) {
    values[i] = rows[i].input.valueAsNumber;
    showNumber(i);
    if (!frame) frame = requestAnimationFrame(send);
  }

  function onValues() {
    if (frame) return; // the kernel lags behind the hand: the hand is right
    values = [...model.get("values")];
    rows.forEach((row, i) => {
      row.input.value = values[i];
      showNumber(i);
    });
  }

  function build() {
    bank.replaceChildren();
    rows = model.get("names").map((name, i) => {
      const label = element("label", "medgen-slider", bank);
      label.title = model.get("tooltips")[i];
      element("span", "medgen-slider-name", label).textContent = name;
      const input = element("input", "", label);
      const readout = element("output", "medgen-slider-value", label);
      const [low, high] = [model.get("lows")[i], model.get("highs")[i]];
      input.type = "range";
      input.min = low;
      input.max = high;
      input.step = (high - low) / 50;
      input.setAttribute("aria-label", `${name}, ${label.title}`);
      input.addEventListener("input", () => onInput(i));
      input.addEventListener("keydown", (event) => event.stopPropagation()); // keys are not for the notebook
      return { input, readout };
    });
    const longest = Math.max(...model.get("names").map((name) => name.length));
    bank.style.setProperty("--medgen-slider-name", `${Math.max(60, 7 * longest)}px`);
    onValues();
  }

  model.on("change:values", onValues);
  for (const name of TRAITS) model.on(`change:${name}`, build);
  build();
  return () => {
    cancelAnimationFrame(frame);
    model.off("change:values", onValues);
    for (const name of TRAITS) model.off(`change:${name}`, build);
  };
}

export default { render };
