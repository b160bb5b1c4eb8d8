// Image to sound: the clip as an image of 8 bits, and the sound made of nothing else.

import { redraw } from "./drawing.js";
import { short } from "./pictures.js";
import { address, float32, json } from "./requests.js";
import { $, page, player, value } from "./state.js";

// Make the image with the chosen bounds, and play its sound from where the clip is. A later image overtakes an earlier one.
let newest = 0;
export async function turn() {
  if (!page.about?.sound || page.shown < 0 || page.shown !== page.clip || $("turn").disabled) return;
  const own = ++newest, clip = page.clip, range = { low: value("floor"), high: value("top") };
  $("turn").disabled = true;
  $("turned").textContent = "Turning the image into sound …";
  try {
    const back = await json(`clip/${clip}/back`, range);
    const level = await float32(`clip/${clip}/back/level`, range);
    if (own !== newest) return;
    page.after = { level, note: `from the image, ${short(back.difference)} ${page.about.unit} off on average` };
    page.back = address(`clip/${clip}/back/sound`, range);
    $("which").hidden = $("image").hidden = false;
    $("image").href = address(`clip/${clip}/back/image`, range);
    $("turned").textContent = `The image of 8 bits spans ${range.low} … ${range.high} ${page.about.unit} and takes ` +
      `${Math.round(back.bytes / 1024)} kB; ${(100 * back.clipped).toFixed(1)} % of the cells lay outside that range. ` +
      "Switching between before and after keeps the position.";
    redraw();
    hear(true);
    document.body.dataset.back = clip;
  } catch (error) {
    if (own === newest) $("turned").textContent = error.message;
  } finally {
    if (own === newest) $("turn").disabled = false;
  }
}

// Play the clip, or the sound of its image, from the current position.
export function hear(after) {
  if (page.back === null) return;
  $(after ? "after" : "before").checked = true;
  player.load(after ? page.back : `clip/${page.shown}/sound`, true);
}

// Forget the image that is no longer that of the clip and the bounds, its sound, and one that is being made.
export function forget() {
  newest++;
  $("turn").disabled = false;
  if (page.back !== null && $("after").checked && page.shown >= 0) player.load(`clip/${page.shown}/sound`, true);
  Object.assign(page, { after: null, back: null });
  $("which").hidden = $("image").hidden = true;
  $("before").checked = true;
  $("turned").textContent = "";
}

