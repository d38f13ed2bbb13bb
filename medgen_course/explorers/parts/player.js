// A button that plays: while it runs, `value` grows by one every `interval` milliseconds, up to `max`.
function render({ model, el }) {
  const button = document.createElement("button");
  button.className = "jupyter-button";
  button.type = "button";
  let timer = null;
  const show = () => {
    button.textContent = timer === null ? "▶ Play" : "❚❚ Pause";
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    show();
  };
  const set = (value) => {
    model.set("value", value);
    model.save_changes();
  };
  const tick = () => {
    if (model.get("value") >= model.get("max")) return stop();
    set(model.get("value") + 1);
  };
  button.addEventListener("click", () => {
    if (timer !== null) return stop();
    if (model.get("value") >= model.get("max")) set(0); // from the end: play again from the start
    timer = setInterval(tick, model.get("interval"));
    show();
  });
  button.title = model.get("hint");
  show();
  el.appendChild(button);
  return stop;
}

export default { render };
