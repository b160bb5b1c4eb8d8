// Pictures, histogram, statistics and bands of the clip, at the chosen floor and top.

import { drawBands, drawHistogram, farthest } from "./charts.js";
import { aboveShare, clipMoments, colourLimits, counted, extremes, mapOf, mapped, profileBins, raised, sampled } from "./numbers.js";
import { element, Picture, short } from "./pictures.js";
import { $, page, player, profile, told, value } from "./state.js";

const BINS = 90;

// Statistics of a profile at the chosen floor, kept until either changes.
function statistics(of) {
  if (of === null) return null;
  const floor = value("floor"), without = $("without").checked, key = `${floor} ${without}`;
  if (of.key !== key) {
    of.key = key;
    of.at = { band: raised(of.band, of.bands, floor, without), pooled: raised(of.pooled, of.cells, floor, without) };
  }
  return of.at;
}

export function redraw() {
  if (page.level === null || $("stage").hidden) return;
  const floor = value("floor"), top = value("top"), data = statistics(profile());
  for (const id of ["floor", "top"]) {
    if (document.activeElement !== $(`${id}-number`)) $(`${id}-number`).value = $(id).value;
    $(id).setAttribute("aria-valuetext", `${$(id).value} ${page.about.unit}`);
  }
  const shown = page.about.normalizations.filter(({ name }) => $(`with-${name}`).checked);
  for (const { name, kind } of shown) drawOne(name, kind, floor, top, data);
  if (page.after !== null) drawAfter(floor, top);
  const order = [...shown.map(({ name }) => name), ...(page.after === null ? [] : ["after"])];
  for (const name of [...page.pictures.keys()].filter((one) => !order.includes(one))) page.pictures.delete(name);
  const figures = order.map((name) => page.pictures.get(name).figure);
  if (figures.length !== $("pictures").children.length || figures.some((one, i) => one !== $("pictures").children[i])) {
    $("pictures").replaceChildren(...figures);
  }
  drawLevels(floor, top, data);
  drawProfiles(floor);
  document.body.dataset.drawn = `${floor} ${top}`;
}

function pictureOf(name) {
  if (!page.pictures.has(name)) {
    page.pictures.set(name, new Picture(name, (fraction) => player.seek(player.axis.seconds(fraction, page.facts.frames))));
  }
  return page.pictures.get(name);
}

function drawOne(name, kind, floor, top, data) {
  const { rows, hz, constantVariance, unit } = page.about, picture = pictureOf(name);
  const fitted = profile()?.maps[name] ?? null;
  const map = mapOf(kind, { data, fitted, level: page.level, rows, floor, constantVariance });
  const axis = player.axis;
  if (map === null) {
    picture.paint(new Float32Array(page.level.length), rows, [0, 1], { note: "needs a profile", unit: "", hz, axis });
    return;
  }
  const values = mapped(page.level, rows, floor, map), [low, high] = extremes(values);
  const own = map.ownFloor ? ", fitted at the profile's own floor" : "";
  const plain = kind.kind === "unchanged";
  const limits = plain ? [floor, top] : colourLimits(sampled(page.level, rows, floor, top, map));
  const note = `${short(low)} … ${short(high)}${plain ? ` ${unit}` : ""}${own}`;
  picture.paint(values, rows, limits, { note, unit: plain ? unit : "", hz, axis });
  picture.values = values;
}

function drawAfter(floor, top) {
  const { rows, hz, unit } = page.about, { level, note } = page.after;
  pictureOf("after").paint(mapped(level, rows, floor, { shift: [0], scale: [1] }), rows, [floor, top],
    { note, unit, hz, axis: player.axis });
}

function drawLevels(floor, top, data) {
  const { rows, unit } = page.about, low = Number($("floor").min), high = Number($("top").max), of = profile();
  const own = clipMoments(page.level, rows, floor, false);
  const bins = counted(page.level.map((x) => Math.max(x, floor)), low, high, BINS);
  const line = of === null ? null : profileBins(of.pooled, of.cells, floor, low, high, BINS);
  drawHistogram($("histogram"), { clip: bins, data: line, low, high, floor, top, unit });
  const above = aboveShare(page.level, top), std = Math.sqrt(own.variance[0]);
  const columns = [["this clip", own.mean[0], std, own.min[0], own.max[0], own.onFloor[0], above]];
  if (data !== null) {
    const { mean, std: spread, min, max, floorShare } = data.pooled;
    columns.push([told($("first").value), mean[0], spread[0], min[0], max[0], floorShare[0], null]);
  }
  const percent = (one) => (one === null ? "" : `${(100 * one).toFixed(1)} %`), plain = (one) => one.toFixed(3);
  const figures = [["mean", plain], ["std", plain], ["lowest", plain], ["highest", plain], ["on the floor", percent], ["above the top", percent]];
  $("figures").tHead.replaceChildren(element("tr", {}, element("td"), ...columns.map(([name]) => element("th", { scope: "col" }, name))));
  $("figures").tBodies[0].replaceChildren(...figures.map(([name, written], i) => element("tr", {},
    element("th", { scope: "row" }, name), ...columns.map((column) => element("td", {}, written(column[i + 1]))))));
  page.statistics = { clip: { mean: own.mean[0], std, onFloor: own.onFloor[0] }, data };
  later(() => {
    $("said").textContent = `Floor ${floor}, top ${top} ${unit}: this clip has mean ${short(own.mean[0])}, deviation ${short(std)}, ` +
      `${(100 * own.onFloor[0]).toFixed(1)} % on the floor.`;
  });
}

function drawProfiles(floor) {
  const one = profile(), two = profile("second");
  if (one === null) return;
  const { rows, hz, unit } = page.about, first = statistics(one).band, names = [told(one.name)];
  const second = two === null || two === one ? null : statistics(two).band;
  if (second !== null) names.push(told(two.name));
  const own = clipMoments(page.level, rows, floor, true).mean;
  drawBands($("bands"), { first, second, own, hz, unit, names });
  $("second").disabled = page.profiles.size < 2;
  $("farthest").replaceChildren();
  if (second === null) {
    $("difference").textContent = page.profiles.size < 2 ? "The source itself can be compared once every clip is measured." : "";
    return;
  }
  const heads = ["band", `difference (${unit})`, "difference (std)", "ratio of stds"];
  const bodies = farthest(first, second, hz).map(([name, ...cells]) =>
    element("tr", {}, element("th", { scope: "row" }, name), ...cells.map((cell) => element("td", {}, cell))));
  $("farthest").append(element("caption", {}, `Bands in which ${names[1]} differs most from ${names[0]}`),
    element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...bodies));
  const gap = statistics(two).pooled.mean[0] - statistics(one).pooled.mean[0];
  $("difference").textContent = `All bands pooled: ${names[1]} is ${short(Math.abs(gap))} ${unit} ${gap < 0 ? "below" : "above"} ${names[0]}.`;
}

let waiting = 0;
function later(work) {
  clearTimeout(waiting);
  waiting = setTimeout(work, 500);
}

