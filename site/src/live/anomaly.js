// The anomaly explorer: a slice with a lesion of the reader's making, its reconstruction, the map of a score;
// below, where the score lies among those of validation images, and the ROC curve with the threshold's place.

import { confusion, judge, thresholdAt } from "../anomaly_scores.js";
import { chartOf, dashed, paint, place, square } from "../charts.js";
import { Controls, Notice, Numbers, Panels, button, element, newest } from "../controls.js";
import { blank, drawOutline, enlarge, pictureOf, tint, toBytes } from "../images.js";
import { drawSlice } from "../lesion.js";
import { greyPicture, received, uploadField } from "../own_picture.js";
import { fill, general, percent } from "../words.js";

const LESION = [0xd5, 0x5e, 0x00];
const OF_THE_SLICE = ["slice", "radius", "contrast", "x", "y"];

export async function mount(root, { data, session, address, announce }) {
  const { words, size, scale } = data;
  root.classList.add("live-anomaly");
  const { back, ...controls } = data.controls;
  const sessions = keeper(session);
  let own = null;
  let given = false; // an own picture was just given: its remark stands until something is moved

  const bank = new Controls(root, controls, address, (name) => {
    if (OF_THE_SLICE.includes(name)) own = null;
    given = false;
    refresh();
  });
  const panels = new Panels(root);
  const charts = new Panels(root, "live-charts");
  const numbers = new Numbers(root, announce);
  const row = element("div", "live-row", root);
  uploadField(row, data.upload, take);
  const away = button(row, back, () => {
    own = null;
    refresh();
  });
  const notice = new Notice(root);

  function take(file) {
    return received(greyPicture(file, size), notice, (grey) => {
      [own, given] = [grey, true];
      return refresh();
    });
  }

  function slice() {
    const { slice: number, contrast, ...lesion } = bank.value;
    const laid = contrast ? { ...lesion, contrast } : null;
    const drawn = drawSlice(data.phantom, size, number, laid);
    return drawn.fits ? drawn : { ...drawSlice(data.phantom, size, number, null), fits: false };
  }

  const refresh = newest(async () => {
    const about = data.scores[bank.value.score];
    const mine = own;
    const { grey, mask, fits } = mine ? { grey: mine, mask: null, fits: true } : slice();
    const { score, map, rebuilt } = await judge(about, grey, data, sessions);
    const threshold = thresholdAt(about.healthy, bank.value.flagged);
    const counts = confusion(about.healthy, about.anomalous, threshold);
    const outlined = mask?.some((x) => x);
    const below = about.healthy.reduce((n, value) => n + (value < score), 0) / about.healthy.length;

    const captions = words.captions;
    const what = fill(captions[mine ? "own" : "slice"], { index: bank.value.slice });
    const said = [
      outlined ? fill(captions.outlined, { what }) : what,
      captions[rebuilt ? "rebuilt" : "not rebuilt"],
      fill(captions[map ? "map" : "no map"], { limit: general(about.limit, 2) }),
    ];
    const drawn = [
      pictureOf(grey, size, size),
      rebuilt ? pictureOf(toBytes(rebuilt), size, size) : blank(size, size),
      map ? tint(map, about.limit, size, size) : blank(size, size),
    ].map((picture) => enlarge(picture, scale));
    if (outlined) {
      drawOutline(drawn[0], mask, size, scale, LESION);
      drawOutline(drawn[2], mask, size, scale, [0, 0, 0]);
    }
    panels.show(drawn, said);
    const shares = [counts.false_alarms / about.healthy.length, counts.found / about.anomalous.length];
    charts.show(
      [
        withLines(await chartOf(about.charts.distributions), score, threshold),
        withPoint(await chartOf(about.charts.roc), ...shares),
      ],
      ["", ""],
      words.charts,
    );
    away.hidden = !mine;
    if (mine) notice.say(given ? words.unlike : "");
    else notice.say(fits ? "" : words.nowhere, true);
    numbers.say(fill(words.says, {
      score: general(score, 4), below: percent(below), threshold: general(threshold, 4),
      verdict: words.verdicts[score > threshold ? 0 : 1], ...counts,
    }));
  });

  await refresh();
}

// Load each network once.
function keeper(session) {
  const kept = new Map();
  return (name) => {
    if (!kept.has(name)) kept.set(name, session(name));
    return kept.get(name);
  };
}

// The threshold as a dashed line, this image's score as a solid one.
function withLines(chart, score, threshold) {
  const bottom = place(chart, 0, 0)[0];
  const [, cut] = place(chart, threshold, 0);
  dashed(chart, 6, bottom, cut);
  const [, here] = place(chart, score, 0);
  paint(chart, 6, bottom, here - 1, here + 2, LESION);
  return chart;
}

// The ROC curve with a square where the threshold stands.
function withPoint(chart, flagged, found) {
  const [row, column] = place(chart, flagged, found);
  square(chart, row, column, 5, LESION);
  return chart;
}
