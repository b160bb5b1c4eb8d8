// Single keys as commands; they can be turned off, and leave fields alone.

const $ = (id) => document.getElementById(id);

export function connectKeys({ clips, player, turn, bound, swap }) {
  const commands = {
    j: () => clips.list.move(1),
    k: () => clips.list.move(-1),
    " ": () => player.toggle(),
    ArrowLeft: (event) => player.seek(player.audio.currentTime - (event.shiftKey ? 1 : 0.1)),
    ArrowRight: (event) => player.seek(player.audio.currentTime + (event.shiftKey ? 1 : 0.1)),
    "[": () => bound("floor", -1),
    "]": () => bound("floor", 1),
    "{": () => bound("top", -1),
    "}": () => bound("top", 1),
    i: turn,
    b: swap,
    "/": () => $("filter").focus(),
    "?": () => {
      $("help").open = true;
      $("help").querySelector("summary").focus();
    },
  };
  addEventListener("keydown", (event) => {
    const command = commands[event.key], at = event.target;
    if (command === undefined || !$("keys").checked || event.ctrlKey || event.metaKey || event.altKey) return;
    if (at.matches("input:not([type=checkbox]):not([type=radio]), select, textarea, audio")) return;
    if (event.key === " " && at.matches("button, a, summary, input")) return;
    if (event.key.startsWith("Arrow") && at.matches("input, pre")) return;
    event.preventDefault();
    command(event);
  });
  $("filter").addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === "ArrowDown") {
      event.preventDefault();
      $("list").focus();
      if (clips.list.place < 0) clips.list.choose(0);
    }
  });
}
