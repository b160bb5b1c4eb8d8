// The page: what is shown, and what the controls do. Texts of clips are only ever set as text.

import { bound, fitClip, fitTop, limitBounds, moved } from "./bounds.js";
import { Clips } from "./clips.js";
import { redraw } from "./drawing.js";
import { connectKeys } from "./keys.js";
import { element, TimeAxis } from "./pictures.js";
import { float32, float64, json } from "./requests.js";
import { nameSettings } from "./settings.js";
import { $, page, player, told, value } from "./state.js";
import { forget, hear, turn } from "./turning.js";

const AT_FIRST = ["none", "global", "band", "clip"];
const clips = new Clips(show, addProfiles);
const chosen = new Set(); // what the user chose that profiles would set: their menus, and the box about their floor

// Load a clip and draw it. A later choice overtakes an earlier one that still loads, of the same clip too.
let newest = 0;
async function show(clip) {
  const own = ++newest;
  page.clip = clip;
  clips.told(clip, $("title"), $("facts"));
  $("stage").setAttribute("aria-busy", "true");
  try {
    const [facts, level] = await Promise.all([json(`clip/${clip}`), float32(`clip/${clip}/level`)]);
    if (own !== newest) return;
    Object.assign(page, { level, facts, shown: clip });
    forget();
    $("stage").removeAttribute("aria-busy");
    $("problem").hidden = true;
    $("stage").hidden = false;
    $("facts").textContent = tellFacts(facts);
    $("remarks").replaceChildren(...clips.remarks(clip, facts.remarks).map((remark) => element("li", {}, remark)));
    if (page.about.sound) player.load(`clip/${clip}/sound`);
    if (page.untouched) fitTop();
    else limitBounds();
    redraw();
    document.body.dataset.clip = clip;
    nameSettings();
  } catch (error) {
    if (own !== newest) return;
    Object.assign(page, { level: null, facts: null, shown: -1 });
    forget();
    $("stage").hidden = true;
    $("facts").textContent = "";
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
// A profile's place in the menus is that of its name, whichever answer comes first; a choice of the user is kept.
async function addProfiles(names) {
  const added = names.filter((one) => !page.profiles.has(one));
  for (const name of added) page.profiles.set(name, null);
  for (const name of added) {
    const found = await Promise.all([json("profile", { name }), float64("histogram", { name })]).catch(() => null);
    if (found === null) {
      page.profiles.delete(name); // asked for again with the next news
      continue;
    }
    const [facts, bands] = found;
    const cells = bands.length / facts.band.count.length, pooled = new Float64Array(cells);
    for (let i = 0; i < bands.length; i++) pooled[i % cells] += bands[i];
    page.profiles.set(name, { ...facts, bands, cells: pooled });
    const known = [...page.profiles].filter(([, one]) => one !== null).map(([one]) => one);
    for (const [id, place] of [["first", 0], ["second", 1]]) {
      const before = $(id).value;
      $(id).replaceChildren(...known.map((one) => element("option", { value: one }, told(one))));
      $(id).value = chosen.has(id) ? before : known[Math.min(place, known.length - 1)];
    }
    $("comparing").hidden = false;
    if (known.length === 1) {
      if (!chosen.has("without")) $("without").checked = facts.excludeFloor;
      if (page.untouched && page.level !== null) fitTop();
    }
    document.body.dataset.profiles = known.length;
    redraw();
    nameSettings();
  }
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
    fitClip();
    moved();
  });
  for (const id of ["first", "second", "without"]) $(id).addEventListener("change", () => chosen.add(id));
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
