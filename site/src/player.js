// The play button of the notebook, which moves one of the controls: a small object in place of the kernel's.

import part from "../../medgen_course/explorers/parts/player.js";

// bank: Controls; name: of the control that it moves; about: {hint, interval}. `moved` runs at each step.
// Returns what stops it.
export function player(bank, name, { hint, interval }, moved) {
  const { row, input } = bank.kept[name];
  const place = document.createElement("span");
  place.className = "live-player";
  row.classList.add("live-played");
  row.append(place);
  const model = {
    get: (key) => ({ value: bank.value[name], max: Number(input.max), interval, hint })[key],
    set(_, value) {
      bank.set(name, value);
      bank.address?.set(name, String(value));
      moved();
    },
    save_changes() {},
  };
  const stop = part.render({ model, el: place });
  place.firstChild.className = "live-button";
  return stop;
}
