// What the parts of the page share.

import { Player } from "./player.js";

export const $ = (id) => document.getElementById(id);
export const value = (id) => Number($(id).value);

// `about`: facts of the source; `clip`: the clip that was chosen, which may still load; `shown`, `facts`, `level`: the clip
// that is shown, or -1 and null; `profiles` and `pictures` by name;
// `after`, `back`: level and address of the sound made from the image; `untouched`: nobody moved the floor or the top.
export const page = {
  about: null, clip: -1, shown: -1, facts: null, level: null, profiles: new Map(), pictures: new Map(), after: null, back: null, untouched: true,
};
export const player = new Player($("audio"));
player.pictures = () => [...page.pictures.values()];

export function profile(id = "first") {
  return page.profiles.get($(id).value) ?? null;
}

// The file's name of a profile, or all of its path if another has that name.
export function told(name) {
  const last = (one) => one.split("/").at(-1);
  return [...page.profiles.keys()].some((one) => one !== name && last(one) === last(name)) ? name : last(name);
}
