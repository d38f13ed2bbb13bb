// What became of the lesion of a slice, and its large errors: explorers/translation_words.py, say_lesions.

import { fill, fixed, signed } from "./words.js";

// report: of quality.js; rule: [threshold, smallest]; said: the sentences; made: how the image came about.
export function lesionWords({ lesion, large }, [threshold, smallest], said, made) {
  const regions = fill(said.large, {
    count: large, smallest, side: said.sides[threshold > 0 ? 0 : 1], threshold: fixed(Math.abs(threshold), 3),
  });
  if (!lesion) return [said.none, regions];
  const share = lesion.true ? fill(said.share, { percent: fixed((100 * lesion.left) / lesion.true, 0) }) : "";
  const fate = said[lesion.erased ? "erased" : "kept"];
  const values = { true: signed(lesion.true, 3), left: signed(lesion.left, 3), made, share, fate };
  return [fill(said.lesion, values), regions];
}
