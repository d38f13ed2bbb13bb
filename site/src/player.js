// The play button of the notebook, which moves one of the controls.

import part from "../../medgen_course/explorers/parts/player.js";
import { Model } from "./model.js";

// bank: Controls; name: of the control that it moves; about: {hint, interval}. `moved` runs at each step.
// Returns {stop, follow}: call `follow` when the control has been moved by another.
export function player(bank, name, { hint, interval }, moved) {
  const { row, input } = bank.kept[name];
  const place = document.createElement("span");
  place.className = "live-player";
  row.classList.add("live-played");
  row.append(place);
  const model = new Model({ value: bank.value[name], max: Number(input.max), interval, hint }, (_, value) => {
    bank.set(name, value);
    bank.address?.set(name, String(value));
    moved();
  });
  const stop = part.render({ model, el: place });
  place.firstChild.className = "live-button";
  // What a hand has done to the control meanwhile.
  const follow = () => model.put({ value: bank.value[name], max: Number(input.max) });
  return { stop, follow };
}
