// The settings as Python and as commands.

import { json } from "./requests.js";
import { $, page, profile, value } from "./state.js";

// The answer to the newest question counts, whichever comes first.
let naming = 0, newest = 0;
export function nameSettings() {
  clearTimeout(naming);
  if (page.shown < 0) return;
  const own = ++newest;
  naming = setTimeout(async () => {
    const asked = { normalize: $("chosen").value };
    if (value("floor") > page.about.floor) asked.floor = value("floor");
    if ($("without").checked) asked.without = "floor";
    if (profile() !== null) asked.profile = $("first").value;
    try {
      const { python, commands, remark } = await json(`clip/${page.shown}/settings`, asked);
      if (own === newest) tell(python, commands, remark ?? "");
    } catch (error) {
      if (own === newest) tell("", "", error.message);
    }
  }, 250);
}

function tell(python, commands, remark) {
  $("python").textContent = python;
  $("commands").textContent = commands;
  $("settings-remark").textContent = remark;
  for (const button of document.querySelectorAll("[data-copies]")) button.textContent = "Copy";
}
