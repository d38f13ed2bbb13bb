// Two pictures of one size, the second over the first from a line on: drag it, click, or use the arrow keys.
// The browser cuts the upper picture by itself, so that the line never waits for the kernel.

const STEP = 0.02;
const LARGE_STEP = 0.1;
const KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };

const clip = (value) => Math.min(Math.max(value, 0), 1);

function element(tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent.append(node);
  return node;
}

function render({ model, el }) {
  const root = element("div", "medgen-wipe", el);
  const surface = element("div", "medgen-wipe-surface", root);
  const kind = (name) => (model.get(name) instanceof ImageData ? "canvas" : "img"); // a page without a kernel has pixels
  const before = element(kind("before"), "medgen-wipe-before", surface);
  const after = element(kind("after"), "medgen-wipe-after", surface);
  const line = element("div", "medgen-wipe-line", surface);
  const text = element("div", "medgen-wipe-text", root);
  for (const image of [before, after]) {
    image.alt = "";
    image.draggable = false;
  }
  surface.tabIndex = 0;
  surface.setAttribute("role", "slider");
  surface.setAttribute("aria-label", "wipe");
  surface.setAttribute("aria-valuemin", "0");
  surface.setAttribute("aria-valuemax", "1");

  let place = model.get("place");
  let dragging = false;
  let frame = 0;

  function draw() {
    after.style.clipPath = `inset(0 0 0 ${100 * place}%)`;
    line.style.left = `${100 * place}%`;
    const [left, right] = model.get("names");
    const words = `left of the line: ${left}; right of it: ${right}`;
    surface.setAttribute("aria-valuenow", place.toFixed(2));
    surface.setAttribute("aria-valuetext", `${Math.round(100 * place)} %, ${words}`);
    surface.title = `${words}. Drag, click, or arrow keys (Shift: larger steps)`;
    text.textContent = `← ${left}   |   ${right} →`;
  }

  function send() {
    frame = 0;
    model.set("place", place);
    model.save_changes();
  }

  function move(newPlace) {
    place = clip(newPlace);
    draw();
    if (!frame) frame = requestAnimationFrame(send);
  }

  function moveTo(event) {
    const box = surface.getBoundingClientRect();
    move((event.clientX - box.left) / box.width);
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
  }

  function onKeyDown(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = event.shiftKey ? LARGE_STEP : STEP;
    const ends = { Home: 0, End: 1 };
    if (!(event.key in KEYS) && !(event.key in ends)) return;
    event.preventDefault();
    event.stopPropagation(); // the notebook would move to another cell
    move(event.key in ends ? ends[event.key] : place + step * KEYS[event.key]);
  }

  function onPlace() {
    if (dragging || frame) return; // the kernel lags behind the hand: the hand is right
    place = model.get("place");
    draw();
  }

  function show(image, name) {
    const content = model.get(name);
    if (content instanceof ImageData) {
      const { width, height } = content;
      if (image.width !== width || image.height !== height) [image.width, image.height] = [width, height];
      image.getContext("2d").putImageData(content, 0, 0);
      return;
    }
    const old = image.src;
    image.src = URL.createObjectURL(new Blob([content], { type: "image/png" }));
    if (old) URL.revokeObjectURL(old);
  }

  const onBefore = () => show(before, "before");
  const onAfter = () => show(after, "after");
  surface.addEventListener("pointerdown", onPointerDown);
  surface.addEventListener("pointermove", onPointerMove);
  surface.addEventListener("pointerup", onPointerEnd);
  surface.addEventListener("pointercancel", onPointerEnd);
  surface.addEventListener("keydown", onKeyDown);
  const listeners = { "change:place": onPlace, "change:before": onBefore, "change:after": onAfter, "change:names": draw };
  for (const [name, listener] of Object.entries(listeners)) model.on(name, listener);
  onBefore();
  onAfter();
  draw();

  return () => {
    cancelAnimationFrame(frame);
    for (const [name, listener] of Object.entries(listeners)) model.off(name, listener);
    for (const image of [before, after]) if (image.src) URL.revokeObjectURL(image.src);
  };
}

export default { render };
