// The floor and the top.

import { redraw } from "./drawing.js";
import { extremes } from "./numbers.js";
import { nameSettings } from "./settings.js";
import { $, page, profile, value } from "./state.js";
import { forget } from "./turning.js";

// Fit the sliders' ends to the clip and the profile.
export function limitBounds() {
  const of = profile(), [low, high] = page.level === null ? [page.about.floor, page.about.floor + 1] : extremes(page.level);
  const least = Math.min(page.about.floor, low), most = Math.max(high, of === null ? high : of.pooled.max[0]);
  const step = most - least > 50 ? 0.5 : 10 ** Math.floor(Math.log10((most - least) / 100));
  const steps = Math.max(1, Math.ceil((most - least) / step - 1e-9));
  for (const [id, first, last] of [["floor", 0, steps - 1], ["top", 1, steps]]) {
    for (const one of [$(id), $(`${id}-number`)]) Object.assign(one, { step, min: least + first * step, max: least + last * step });
  }
}

// The front end's own floor, and the highest level as the top.
export function fitTop() {
  const before = [value("floor"), value("top")];
  limitBounds();
  $("floor").value = page.about.floor;
  $("top").value = $("top").max;
  if (value("floor") !== before[0] || value("top") !== before[1]) forget();
}

// Move one of the two; they stay at least a step apart.
export function bound(id, to) {
  if (!Number.isFinite(to)) return;
  page.untouched = false;
  const step = Number($(id).step);
  $(id).value = to;
  if (value("top") < value("floor") + step) {
    if (id === "floor") $("top").value = value("floor") + step;
    else $("floor").value = value("top") - step;
  }
  moved();
}

let asked = false;
export function moved() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    forget();
    redraw();
    nameSettings();
  });
}

// The clip's own extremes, so that its colours use the whole range.
export function fitClip() {
  page.untouched = false;
  const [low, high] = extremes(page.level), step = Number($("top").step), least = Number($("floor").min);
  $("floor").value = least + step * Math.floor((Math.max(low, page.about.floor) - least) / step);
  $("top").value = least + step * Math.ceil((high - least) / step);
}
