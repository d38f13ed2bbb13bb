// Labelled controls from the descriptions that Python wrote, their state kept in the address.

function element(tag, className, parent, text = "") {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  parent?.append(node);
  return node;
}

let count = 0;

export class Controls {
  // about: name -> {label, hint, min, max, step, value} | {label, hint, options, value} | {value: boolean};
  // options stand in a list, or on a slider with steps: true.
  // Keys of the address are the names. `changed(name)` runs at most once an animation frame.
  constructor(parent, about, address, changed) {
    this.root = element("div", "live-controls", parent);
    this.address = address;
    this.changed = changed;
    this.value = {};
    this.kept = {};
    this.waiting = new Set();
    for (const [name, description] of Object.entries(about)) this.add(name, description);
  }

  add(name, about) {
    const row = element("div", "live-control", this.root);
    const id = `live-${++count}`;
    const label = element("label", "live-label", row, about.label);
    label.htmlFor = id;
    const kind = about.options && !about.steps ? "select" : "input";
    const input = element(kind, "", row);
    input.id = id;
    row.title = about.hint ?? "";
    const hint = element("span", "live-hint", row, about.hint ?? "");
    hint.id = `${id}-hint`;
    input.setAttribute("aria-describedby", hint.id);
    const kept = { row, input, about };
    this.kept[name] = kept;
    if (typeof about.value === "boolean") {
      row.classList.add("live-check");
      input.type = "checkbox";
    } else if (kind === "input") {
      input.type = "range";
      if (about.steps) this.options(name, about.options);
      else [input.min, input.max, input.step] = [about.min, about.max, about.step];
      kept.readout = element("output", "live-readout", row);
      kept.readout.setAttribute("for", id);
    } else this.options(name, about.options);
    this.set(name, this.read(name) ?? about.value);
    input.addEventListener("input", () => {
      this.set(name, this.current(name));
      this.address?.set(name, String(this.value[name]));
      if (!this.waiting.size) requestAnimationFrame(() => this.tell());
      this.waiting.add(name);
    });
  }

  tell() {
    const names = [...this.waiting];
    this.waiting.clear();
    for (const name of names) this.changed(name);
  }

  current(name) {
    const { input, about } = this.kept[name];
    if (typeof about.value === "boolean") return input.checked;
    return Number(input.value);
  }

  // What the address says, where that is a value that the control has.
  read(name) {
    const text = this.address?.get(name);
    const { about } = this.kept[name];
    if (text == null || text === "") return undefined;
    if (typeof about.value === "boolean") return text === "true";
    const value = Number(text);
    if (!Number.isFinite(value)) return undefined;
    if (about.options) return Number.isInteger(value) && value >= 0 && value < about.options.length ? value : undefined;
    return Math.min(Math.max(value, about.min), about.max);
  }

  // Show a value without telling anybody.
  set(name, value) {
    const { input, about, readout } = this.kept[name];
    this.value[name] = value;
    if (typeof about.value === "boolean") input.checked = value;
    else input.value = value;
    if (readout) {
      const digits = (String(about.step).split(".")[1] ?? "").length;
      readout.textContent = about.steps ? about.options[value] : value.toFixed(digits && Math.max(digits, 2)).replace("-", "−");
      input.setAttribute("aria-valuetext", readout.textContent);
    }
  }

  options(name, options) {
    const { input, about } = this.kept[name];
    about.options = options;
    if (about.steps) [input.min, input.max, input.step] = [0, options.length - 1, 1];
    else input.replaceChildren(...options.map((text, i) => Object.assign(new Option(text, i))));
  }

  range(name, max) {
    const { input, about } = this.kept[name];
    about.max = max;
    input.max = max;
  }

  disable(name, off) {
    this.kept[name].input.disabled = off;
  }

  show(name, there) {
    this.kept[name].row.hidden = !there;
  }
}

// A row of pictures with a caption each; they wrap on a narrow page.
export class Panels {
  constructor(parent, className = "") {
    this.root = element("div", `live-panels ${className}`, parent);
    this.figures = [];
  }

  // pictures: {data, width, height}; captions: one each; alts: for a reader who cannot see them.
  show(pictures, captions, alts = captions) {
    while (this.figures.length < pictures.length) {
      const figure = element("figure", "live-panel", this.root);
      const caption = element("figcaption", "", figure);
      const canvas = element("canvas", "", figure);
      canvas.setAttribute("role", "img");
      this.figures.push({ figure, canvas, caption });
    }
    this.figures.forEach(({ figure, canvas, caption }, i) => {
      figure.hidden = !pictures[i];
      if (!pictures[i]) return;
      const { data, width, height } = pictures[i];
      if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
      canvas.getContext("2d").putImageData(new ImageData(data, width, height), 0, 0);
      canvas.setAttribute("aria-label", alts[i]);
      if (caption.textContent !== captions[i]) caption.textContent = captions[i];
      caption.hidden = !captions[i];
    });
  }
}

// Lines of numbers, which a screen reader announces when they have settled.
export class Numbers {
  constructor(parent, announce) {
    this.root = element("p", "live-numbers", parent);
    this.announce = announce;
  }

  say(text) {
    this.root.textContent = text;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.announce?.(text), 400);
  }
}

// One line about what a reader has done; empty when there is none.
export class Notice {
  constructor(parent) {
    this.root = element("div", "live-notice", parent);
    this.say("");
  }

  say(text, alert = false) {
    this.root.textContent = text;
    this.root.hidden = !text;
    this.root.setAttribute("role", alert ? "alert" : "status");
    this.root.classList.toggle("live-alert", alert);
  }
}

export function button(parent, about, pressed) {
  const made = element("button", "live-button", parent, about.label);
  made.type = "button";
  made.title = about.hint ?? "";
  made.addEventListener("click", pressed);
  return made;
}

// Run an async function for the newest state only: calls during a run make it run once more.
export function newest(work) {
  let running = null;
  let again = false;
  return function run() {
    if (running) {
      again = true;
      return running;
    }
    running = (async () => {
      try {
        do {
          again = false;
          await work();
        } while (again);
      } finally {
        running = null; // after an error too: the next move tries anew
      }
    })();
    return running;
  };
}

export { element };
