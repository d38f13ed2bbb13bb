// What an anywidget module sees of its model, on a page without a kernel.

export class Model {
  // values: traits by name. `told(name, value)` hears what the module sets.
  constructor(values, told = () => {}) {
    this.values = values;
    this.told = told;
    this.listeners = new Map();
  }

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    this.values[name] = value;
    this.told(name, value);
  }

  on(event, listener) {
    if (!this.listeners.has(event)) this.listeners.set(event, new Set());
    this.listeners.get(event).add(listener);
  }

  off(event, listener) {
    this.listeners.get(event)?.delete(listener);
  }

  save_changes() {}

  // Change traits from the page's side; the module hears of each.
  put(values) {
    Object.assign(this.values, values);
    for (const name of Object.keys(values)) for (const listener of this.listeners.get(`change:${name}`) ?? []) listener();
  }
}
