// The page: what is shown, and what the controls do. Texts of clips are only ever set as text.

import { drawBands, drawHistogram, farthest } from "./charts.js";
import { Clips } from "./clips.js";
import { aboveShare, clipMoments, colourLimits, counted, mapOf, mapped, extremes, profileBins, raised } from "./numbers.js";
import { element, Picture, short, TimeAxis } from "./pictures.js";
import { Player } from "./player.js";
import { connectKeys } from "./keys.js";
import { address, float32, float64, json } from "./requests.js";

const $ = (id) => document.getElementById(id);
const BINS = 90, AT_FIRST = ["none", "global", "band", "clip"];
const page = { about: null, clip: -1, level: null, facts: null, profiles: new Map(), pictures: new Map(), after: null, back: null, untouched: true };
const player = new Player($("audio"));
player.pictures = () => [...page.pictures.values()];
const clips = new Clips(show, addProfiles);

// Load a clip and draw it. A later choice overtakes an earlier one that still loads.
async function show(clip) {
  page.clip = clip;
  clips.told(clip, $("title"), $("facts"));
  try {
    const [facts, level] = await Promise.all([json(`clip/${clip}`), float32(`clip/${clip}/level`)]);
    if (page.clip !== clip) return;
    Object.assign(page, { level, facts });
    forget();
    $("problem").hidden = true;
    $("stage").hidden = false;
    $("facts").textContent = tellFacts(facts);
    $("remarks").replaceChildren(...facts.remarks.map((remark) => element("li", {}, remark)));
    if (page.about.sound) player.load(`clip/${clip}/sound`);
    if (page.untouched) fitTop();
    else limitBounds();
    redraw();
    document.body.dataset.clip = clip;
    nameSettings();
  } catch (error) {
    if (page.clip !== clip) return;
    $("stage").hidden = true;
    $("problem").hidden = false;
    $("problem").textContent = error.message;
    $("remarks").replaceChildren();
    player.clear();
    document.body.dataset.clip = clip;
  }
}

function tellFacts(facts) {
  const columns = Object.entries(facts.columns).map(([name, value]) => `${name} ${value}`);
  return [...(facts.seconds === null ? [] : [`${facts.seconds.toFixed(2)} s`]), `${facts.frames} frames`, ...columns].join(" · ");
}

// Profiles appear as they become known: those given at once, that of the source when all clips are measured.
async function addProfiles(names) {
  for (const name of names.filter((one) => !page.profiles.has(one))) {
    page.profiles.set(name, null);
    const [facts, bands] = await Promise.all([json("profile", { name }), float64("histogram", { name })]);
    const cells = bands.length / facts.band.count.length, pooled = new Float64Array(cells);
    for (let i = 0; i < bands.length; i++) pooled[i % cells] += bands[i];
    page.profiles.set(name, { ...facts, bands, cells: pooled });
    const known = [...page.profiles].filter(([, one]) => one !== null).map(([one]) => one);
    for (const [id, place] of [["first", 0], ["second", 1]]) {
      const before = $(id).value;
      $(id).replaceChildren(...known.map((one) => element("option", { value: one }, told(one))));
      $(id).value = known.includes(before) && id === "first" ? before : known[Math.min(place, known.length - 1)];
    }
    $("comparing").hidden = false;
    if (known.length === 1) {
      $("without").checked = facts.excludeFloor;
      if (page.untouched && page.level !== null) fitTop();
    }
    document.body.dataset.profiles = known.length;
    redraw();
    nameSettings();
  }
}

function profile(id = "first") {
  return page.profiles.get($(id).value) ?? null;
}

// The file's name of a profile, or all of its path if another has that name.
function told(name) {
  const last = (one) => one.split("/").at(-1);
  return [...page.profiles.keys()].some((one) => one !== name && last(one) === last(name)) ? name : last(name);
}

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

const value = (id) => Number($(id).value);

function redraw() {
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
  const limits = plain ? [floor, top] : colourLimits(mapped(page.level.map((x) => Math.min(x, top)), rows, floor, map));
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
  const { rows, unit } = page.about, low = Number($("floor").min), high = Number($("floor").max), of = profile();
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
  const heads = ["band", `difference (${unit})`, "in deviations", "deviation, times"];
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

// Image to sound.
async function turn() {
  if (!page.about.sound || page.facts === null || $("stage").hidden) return;
  const clip = page.clip, range = { low: value("floor"), high: value("top") };
  $("turn").disabled = true;
  $("turned").textContent = "Turning the image into sound …";
  try {
    const back = await json(`clip/${clip}/back`, range);
    const level = await float32(`clip/${clip}/back/level`, range);
    if (page.clip !== clip) return;
    page.after = { level, note: `from the image, ${short(back.difference)} ${page.about.unit} off on average` };
    page.back = address(`clip/${clip}/back/sound`, range);
    $("which").hidden = $("image").hidden = false;
    $("image").href = address(`clip/${clip}/back/image`, range);
    $("turned").textContent = `The image of 8 bits spans ${range.low} … ${range.high} ${page.about.unit} and has ` +
      `${Math.round(back.bytes / 1024)} kB; ${(100 * back.clipped).toFixed(1)} % of its cells lay outside. ` +
      "Before and after play at the same time position.";
    redraw();
    hear(true);
    document.body.dataset.back = clip;
  } catch (error) {
    if (page.clip === clip) $("turned").textContent = error.message;
  } finally {
    $("turn").disabled = false;
  }
}

function hear(after) {
  if (page.back === null) return;
  $(after ? "after" : "before").checked = true;
  player.load(after ? page.back : `clip/${page.clip}/sound`, true);
}

// Forget the sound of an image that is no longer that of the clip and the bounds.
function forget() {
  if (page.back !== null && $("after").checked && page.clip >= 0) player.load(`clip/${page.clip}/sound`, true);
  Object.assign(page, { after: null, back: null });
  $("which").hidden = $("image").hidden = true;
  $("before").checked = true;
  $("turned").textContent = "";
}

// The floor and the top.
function limitBounds() {
  const of = profile(), [low, high] = page.level === null ? [page.about.floor, page.about.floor + 1] : extremes(page.level);
  const least = Math.min(page.about.floor, low), most = Math.max(high, of === null ? high : of.pooled.max[0]);
  const step = most - least > 50 ? 0.5 : 10 ** Math.floor(Math.log10((most - least) / 100));
  for (const id of ["floor", "top"]) {
    for (const one of [$(id), $(`${id}-number`)]) {
      Object.assign(one, { min: least, max: least + step * Math.ceil((most - least) / step - 1e-9), step });
    }
  }
}

function fitTop() {
  limitBounds();
  $("floor").value = page.about.floor;
  $("top").value = $("top").max;
}

function bound(id, to) {
  if (!Number.isFinite(to)) return;
  page.untouched = false;
  const step = Number($(id).step);
  $(id).value = to;
  if (value("top") < value("floor") + step) {
    if (id === "floor") $("top").value = value("floor") + step;
    else $("floor").value = value("top") - step;
  }
  if (value("top") < value("floor") + step) $("floor").value = value("top") - step;
  moved();
}

let asked = false;
function moved() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    forget();
    redraw();
    nameSettings();
  });
}

let naming = 0;
function nameSettings() {
  clearTimeout(naming);
  naming = setTimeout(async () => {
    const asked = { normalize: $("chosen").value };
    if (value("floor") > page.about.floor) asked.floor = value("floor");
    if ($("without").checked) asked.without = "floor";
    if (profile() !== null) asked.profile = $("first").value;
    try {
      const { python, commands, remark } = await json(`clip/${page.clip}/settings`, asked);
      $("python").textContent = python;
      $("commands").textContent = commands;
      $("settings-remark").textContent = remark ?? "";
    } catch (error) {
      $("settings-remark").textContent = error.message;
    }
  }, 250);
}

function connect() {
  for (const { name } of page.about.normalizations) {
    const box = element("input", { type: "checkbox", id: `with-${name}` });
    box.checked = AT_FIRST.includes(name);
    box.addEventListener("change", redraw);
    $("choices").append(element("label", {}, box, ` ${name}`));
    $("chosen").append(element("option", { value: name }, name));
  }
  $("chosen").value = page.about.normalizations.some(({ name }) => name === "band") ? "band" : page.about.normalizations[0].name;
  for (const unit of document.querySelectorAll(".unit")) unit.textContent = page.about.unit;
  for (const id of ["floor", "top"]) {
    $(id).addEventListener("input", () => bound(id, value(id)));
    $(`${id}-number`).addEventListener("change", () => bound(id, Number($(`${id}-number`).value)));
  }
  $("reset").addEventListener("click", () => {
    page.untouched = true;
    fitTop();
    moved();
  });
  $("fit").addEventListener("click", () => {
    page.untouched = false;
    const [low, high] = extremes(page.level), step = Number($("top").step), least = Number($("top").min);
    $("floor").value = least + step * Math.floor((Math.max(low, page.about.floor) - least) / step);
    $("top").value = least + step * Math.ceil((high - least) / step);
    moved();
  });
  for (const id of ["without", "first", "second", "chosen"]) $(id).addEventListener("change", () => (redraw(), nameSettings()));
  $("turn").addEventListener("click", turn);
  $("before").addEventListener("change", () => hear(false));
  $("after").addEventListener("change", () => hear(true));
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText($(button.dataset.copies).textContent);
      button.textContent = "Copied";
    });
  }
  new ResizeObserver(() => redraw()).observe($("histogram"));
  connectKeys({ clips, player, turn, bound: (id, step) => bound(id, value(id) + step * Number($(id).step)),
    swap: () => hear($("before").checked) });
}

async function begin() {
  try {
    page.about = await json("about");
    document.title = `${page.about.title} – spectronorm explore`;
    $("source").textContent = page.about.title;
    player.axis = new TimeAxis(page.about.frameStep, page.about.firstFrame);
    $("player").hidden = $("turning").hidden = !page.about.sound;
    connect();
    await clips.begin(page.about);
  } catch (error) {
    $("problem").hidden = false;
    $("problem").textContent = error.message;
  }
}

window.explorer = page; // for tests, and for the curious
begin();
