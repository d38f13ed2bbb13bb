// A picture with a cursor: click, drag or use the arrow keys to choose a position in [0, 1] x [0, 1].
// x grows to the right and y upwards. While a drag goes on, at most one position is sent per animation
// frame, the newest; the cursor itself never waits for the kernel.

const STEP = 0.02;
const LARGE_STEP = 0.1;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };

const clip = (value) => Math.min(Math.max(value, 0), 1);

function element(tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent.append(node);
  return node;
}

function inUnits(range, fraction) {
  return (range[0] + fraction * (range[1] - range[0])).toPrecision(3);
}

function render({ model, el }) {
  const root = element("div", "medgen-map", el);
  const surface = element("div", "medgen-map-surface", root);
  const image = element("img", "medgen-map-image", surface);
  const cursor = element("div", "medgen-map-cursor", surface);
  const axes = element("div", "medgen-map-axes", root);
  image.alt = "";
  image.draggable = false;
  surface.tabIndex = 0;
  surface.setAttribute("role", "slider");
  surface.setAttribute("aria-roledescription", "map with a cursor, arrow keys move it");
  surface.setAttribute("aria-valuemin", "0");
  surface.setAttribute("aria-valuemax", "1");

  let [x, y] = model.get("position");
  let dragging = false;
  let frame = 0;

  function draw() {
    cursor.style.left = `${100 * x}%`;
    cursor.style.top = `${100 * (1 - y)}%`;
    const xText = `${model.get("x_label")} ${inUnits(model.get("x_range"), x)}`;
    const yText = `${model.get("y_label")} ${inUnits(model.get("y_range"), y)}`;
    surface.setAttribute("aria-valuenow", x.toFixed(3));
    surface.setAttribute("aria-valuetext", `${xText}, ${yText}`);
    axes.textContent = `→ ${xText}\n↑ ${yText}`;
  }

  function describe() {
    surface.setAttribute("aria-label", model.get("label"));
    surface.title = `${model.get("label")}: click, drag, or arrow keys (Shift: larger steps)`;
    draw();
  }

  function send() {
    frame = 0;
    model.set("position", [x, y]);
    model.save_changes();
  }

  function move(newX, newY) {
    x = clip(newX);
    y = clip(newY);
    draw();
    if (!frame) frame = requestAnimationFrame(send);
  }

  function moveTo(event) {
    const box = surface.getBoundingClientRect();
    move((event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height);
  }

  function onPointerDown(event) {
    if (event.button !== 0) return;
    dragging = true;
    surface.setPointerCapture(event.pointerId);
    surface.focus({ preventScroll: true });
    event.preventDefault();
    moveTo(event);
  }

  function onPointerMove(event) {
    if (dragging) moveTo(event);
  }

  function onPointerEnd() {
    dragging = false;
    onPosition(); // the kernel may have put the cursor elsewhere, on a curve for instance
  }

  function onKeyDown(event) {
    const direction = KEYS[event.key];
    if (!direction || event.altKey || event.ctrlKey || event.metaKey) return;
    const step = event.shiftKey ? LARGE_STEP : STEP;
    event.preventDefault();
    event.stopPropagation(); // the notebook would move to another cell
    move(x + step * direction[0], y + step * direction[1]);
  }

  function onPosition() {
    if (dragging || frame) return; // the kernel lags behind the hand: the hand is right
    [x, y] = model.get("position");
    draw();
  }

  function onPicture() {
    const old = image.src;
    image.src = URL.createObjectURL(new Blob([model.get("png")], { type: "image/png" }));
    if (old) URL.revokeObjectURL(old);
  }

  surface.addEventListener("pointerdown", onPointerDown);
  surface.addEventListener("pointermove", onPointerMove);
  surface.addEventListener("pointerup", onPointerEnd);
  surface.addEventListener("pointercancel", onPointerEnd);
  surface.addEventListener("keydown", onKeyDown);
  model.on("change:position", onPosition);
  model.on("change:png", onPicture);
  for (const name of ["label", "x_label", "y_label", "x_range", "y_range"]) model.on(`change:${name}`, describe);
  onPicture();
  describe();

  return () => {
    cancelAnimationFrame(frame);
    model.off("change:position", onPosition);
    model.off("change:png", onPicture);
    for (const name of ["label", "x_label", "y_label", "x_range", "y_range"]) model.off(`change:${name}`, describe);
    URL.revokeObjectURL(image.src);
  };
}

export default { render };
