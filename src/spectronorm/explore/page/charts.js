// Charts as SVG: the histogram of levels, and bands of two profiles.

import { niceStep } from "./numbers.js";
import { COLOURS, element, hzTicks, short } from "./pictures.js";

// Width of a chart in pixels, so that its texts keep their size on a phone.
function widthOf(box) {
  return Math.max(280, Math.min(960, box.clientWidth || 720));
}

function svg(name, attributes = {}, ...children) {
  const found = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  found.append(...children);
  return found;
}

function text(x, y, content, anchor = "middle") {
  return svg("text", { x, y, "text-anchor": anchor }, content);
}

function ticks(low, high, most) {
  const step = niceStep(high - low || 1, most), found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(+(k * step).toPrecision(10));
  return found;
}

// Bars for the clip, a line for the data set, and the range of colours below; shares are of all cells.
export function drawHistogram(box, { clip, data, low, high, floor, top, unit }) {
  const WIDTH = widthOf(box), height = 190, left = 46, right = 20, bottom = 46, above = 18, bins = clip.length;
  const share = (counts) => {
    const total = counts.reduce((sum, one) => sum + one, 0) || 1;
    return Array.from(counts, (one) => one / total);
  };
  const own = share(clip), all = data === null ? null : share(data);
  const heights = [...own, ...(all ?? [])].sort((a, b) => b - a);
  const most = Math.min(1, 1.25 * Math.max(heights[Math.min(4, heights.length - 1)], 1e-3)); // the floor's bar may be cut
  const x = (level) => left + ((level - low) / (high - low)) * (WIDTH - left - right);
  const y = (value) => height - bottom - Math.min(1, value / most) * (height - bottom - above);
  const width = (WIDTH - left - right) / bins;
  const picture = svg("svg", { width: WIDTH, height, role: "img", "aria-labelledby": "levels-title" });
  own.forEach((value, bin) => {
    if (value > 0) picture.append(svg("rect", { class: "clip-bars", x: left + bin * width, y: y(value), width: Math.max(0.5, width - 0.5),
      height: height - bottom - y(value) }));
    if (value > most) picture.append(text(left + bin * width + width + 3, above - 4, `${(100 * value).toFixed(0)} %`, "start"));
  });
  if (all !== null) {
    const points = all.map((value, bin) => `${left + (bin + 0.5) * width},${y(value)}`).join(" ");
    picture.append(svg("polyline", { class: "second", points }));
  }
  for (const level of [floor, top]) {
    picture.append(svg("line", { class: "bound", x1: x(level), x2: x(level), y1: above, y2: height - bottom }));
  }
  const steps = 64, span = (x(top) - x(floor)) / steps;
  for (let i = 0; i < steps; i++) {
    const colour = COLOURS[Math.round((255 * (i + 0.5)) / steps)], rgb = [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255];
    const bar = svg("rect", { x: x(floor) + i * span, y: height - bottom + 2, width: span + 0.5, height: 8 });
    bar.setAttribute("fill", `rgb(${rgb})`);
    picture.append(bar);
  }
  for (const level of ticks(low, high, WIDTH / 80)) picture.append(text(x(level), height - bottom + 24, `${level}`));
  picture.append(text((left + WIDTH) / 2, height - 4, `level (${unit}); bars: this clip${all ? ", line: data set" : ""}`));
  picture.append(svg("line", { class: "line", x1: left, x2: WIDTH - right, y1: height - bottom, y2: height - bottom }));
  for (const value of [0, most]) picture.append(text(left - 5, y(value) + 4, `${(100 * value).toFixed(1)} %`, "end"));
  box.replaceChildren(picture);
}

// Mean and deviation of each band in one or two profiles, and the clip's means.
export function drawBands(box, { first, second, own, hz, unit, names }) {
  const WIDTH = widthOf(box), height = 260, left = 46, right = 20, bottom = 40, above = 22, bands = first.mean.length;
  const bounds = (one) => one.mean.flatMap((mean, i) => [mean - one.std[i], mean + one.std[i]]);
  const values = [...bounds(first), ...(second ? bounds(second) : []), ...own];
  const low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b));
  const x = (band) => left + ((band + 0.5) / bands) * (WIDTH - left - right);
  const y = (level) => above + ((high - level) / (high - low || 1)) * (height - above - bottom);
  const points = (means) => means.map((mean, band) => `${x(band).toFixed(1)},${y(mean).toFixed(1)}`).join(" ");
  const area = (one) => {
    const upper = points(one.mean.map((mean, i) => mean + one.std[i]));
    const lower = points(one.mean.map((mean, i) => mean - one.std[i])).split(" ").reverse().join(" ");
    return `${upper} ${lower}`;
  };
  const label = `Mean and deviation of ${bands} bands: ${names.join(" and ")}`;
  const picture = svg("svg", { width: WIDTH, height, role: "img", "aria-label": label });
  for (const level of ticks(low, high, 5)) {
    picture.append(svg("line", { class: "line", x1: left, x2: WIDTH - right, y1: y(level), y2: y(level) }));
    picture.append(text(left - 5, y(level) + 4, `${level}`, "end"));
  }
  for (const [one, kind] of [[first, "first"], [second, "second"]]) {
    if (!one) continue;
    picture.append(svg("polygon", { class: `${kind}-area`, points: area(one) }));
    picture.append(svg("polyline", { class: kind, points: points(one.mean) }));
  }
  picture.append(svg("polyline", { class: "own", points: points(own) }));
  for (const [at, name] of hzTicks(hz, bands, 52 / WIDTH)) picture.append(text(left + at * (WIDTH - left - right), height - bottom + 16, name));
  picture.append(text((left + WIDTH) / 2, height - 5, hz === null ? "band" : "frequency (Hz)"));
  picture.append(text(4, 12, `level (${unit}): mean ± std`, "start"));
  const shown = names.map((name, i) => [name, i ? "second" : "first"]);
  box.replaceChildren(picture, element("p", { class: "row" }, ...[...shown, ["this clip", "own"]].map(([name, kind]) => {
    const key = svg("svg", { class: "key", width: 24, height: 10, "aria-hidden": "true" }, svg("line", { class: kind, x1: 0, x2: 24, y1: 5, y2: 5 }));
    return element("span", {}, key, ` ${name}`);
  })));
}

// The bands in which the second profile differs most, in deviations of the first; rows of texts, the farthest first.
export function farthest(first, second, hz, most = 5) {
  const rows = first.mean.map((mean, band) => {
    const difference = second.mean[band] - mean, std = first.std[band] > 0 ? first.std[band] : 1;
    return { band, difference, deviations: difference / std, spread: second.std[band] / std };
  });
  rows.sort((a, b) => Math.abs(b.deviations) - Math.abs(a.deviations));
  return rows.slice(0, most).map(({ band, difference, deviations, spread }) => [
    hz === null ? `band ${band}` : `${Math.round(hz[band]).toLocaleString("en")} Hz`,
    signed(difference), signed(deviations), short(spread),
  ]);
}

function signed(value) {
  return `${value < 0 ? "−" : "+"}${short(Math.abs(value))}`;
}
