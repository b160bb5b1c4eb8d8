// The settings as Python and as commands.

import { json } from "./requests.js";
import { $, page, profile, value } from "./state.js";

let naming = 0;
export function nameSettings() {
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
