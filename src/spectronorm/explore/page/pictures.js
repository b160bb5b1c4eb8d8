// Spectrograms on canvases, with frequency in Hz, time in seconds, a colour bar, and a cursor.

import { niceStep } from "./numbers.js";

const MAGMA = [[0, 0, 4], [28, 16, 68], [79, 18, 123], [129, 37, 129], [181, 54, 122], [229, 80, 100], [251, 135, 97],
  [254, 194, 135], [252, 253, 191]];
export const COLOURS = new Uint32Array(256);
const bytes = new Uint8Array(COLOURS.buffer);
for (let i = 0; i < 256; i++) {
  const at = (i / 255) * (MAGMA.length - 1), k = Math.min(MAGMA.length - 2, Math.floor(at));
  for (let c = 0; c < 3; c++) bytes[4 * i + c] = MAGMA[k][c] + (MAGMA[k + 1][c] - MAGMA[k][c]) * (at - k);
  bytes[4 * i + 3] = 255;
}

export function short(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

export function element(name, attributes = {}, ...children) {
  const found = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) found.setAttribute(key, value);
  found.append(...children);
  return found;
}

// Times of a picture: columns are frames, and the first frame's centre lies at `first` seconds.
export class TimeAxis {
  constructor(step, first) {
    this.step = step;
    this.first = first;
  }

  fraction(seconds, frames) {
    return ((seconds - this.first) / this.step + 0.5) / frames;
  }

  seconds(fraction, frames) {
    return this.first + (fraction * frames - 0.5) * this.step;
  }
}

export class Picture {
  constructor(name, onSeek) {
    this.name = name;
    this.caption = element("b");
    this.range = element("span");
    this.canvas = element("canvas", { role: "img" });
    this.cursor = element("div", { class: "cursor" });
    this.stack = element("div", { class: "stack" }, this.canvas, this.cursor);
    this.hz = element("div", { class: "axis hz", "aria-hidden": "true" });
    this.time = element("div", { class: "axis time", "aria-hidden": "true" });
    this.bar = element("canvas", { width: 1, height: 256, "aria-hidden": "true" });
    this.ends = element("div", { class: "axis", "aria-hidden": "true" }, element("span"), element("span"));
    const bar = element("div", { class: "bar" }, this.bar, this.ends);
    this.figure = element("figure", {}, element("figcaption", {}, this.caption, this.range),
      element("div", { class: "plot" }, this.hz, this.stack, bar, this.time));
    this.stack.addEventListener("click", (event) => {
      const box = this.stack.getBoundingClientRect();
      onSeek((event.clientX - box.left) / box.width);
    });
    const context = this.bar.getContext("2d"), image = new ImageData(1, 256);
    new Uint32Array(image.data.buffer).set(Uint32Array.from(COLOURS).reverse());
    context.putImageData(image, 0, 0);
  }

  // Paint values (row, frame) with colours from low to high.
  paint(values, rows, [low, high], { note, unit, hz, axis }) {
    const frames = values.length / rows, image = new ImageData(frames, rows);
    const pixels = new Uint32Array(image.data.buffer), scale = 255 / (high - low || 1);
    for (let row = 0; row < rows; row++) {
      const to = (rows - 1 - row) * frames, from = row * frames;
      for (let t = 0; t < frames; t++) {
        const colour = (values[from + t] - low) * scale + 0.5;
        pixels[to + t] = COLOURS[colour < 0 ? 0 : colour > 255 ? 255 : colour | 0];
      }
    }
    if (this.canvas.width !== frames) this.canvas.width = frames;
    if (this.canvas.height !== rows) this.canvas.height = rows;
    this.canvas.getContext("2d").putImageData(image, 0, 0);
    this.caption.textContent = this.name;
    this.range.textContent = note;
    this.ends.firstChild.textContent = short(high);
    this.ends.lastChild.textContent = `${short(low)}${unit ? ` ${unit}` : ""}`;
    this.canvas.setAttribute("aria-label", `Spectrogram, ${this.name}: ${note}; colours from ${short(low)} to ${short(high)}`);
    const shape = `${rows} ${frames}`;
    if (this.shape !== shape) {
      this.shape = shape;
      this.hz.replaceChildren(...hzLabels(hz, rows));
      this.time.replaceChildren(...timeLabels(axis, frames));
    }
    this.frames = frames;
  }

  place(fraction) {
    this.cursor.style.left = `${100 * Math.min(1, Math.max(0, fraction))}%`;
  }
}

const ROUND_HZ = [0, 50, 100, 200, 300, 500, 1000, 2000, 3000, 4000, 6000, 8000, 10000, 12000, 16000, 20000, 24000, 32000, 48000];

// Positions (0 at the lowest band, 1 at the highest) of round frequencies, or of some bands if their order is another.
export function hzTicks(hz, rows, apart = 0.1) {
  const rising = hz !== null && hz.every((value, i) => i === 0 || value > hz[i - 1]);
  if (!rising) {
    const step = Math.max(1, Math.ceil(rows / 6));
    return Array.from({ length: Math.ceil(rows / step) }, (_, i) => i * step)
      .map((row) => [(row + 0.5) / rows, hz === null ? `${row}` : `${Math.round(hz[row])}`]);
  }
  const found = [];
  for (const value of ROUND_HZ.toReversed()) {
    if (value < hz[0] || value > hz[rows - 1]) continue;
    const above = Math.max(1, hz.findIndex((one) => one >= value)), low = hz[above - 1], high = hz[above] ?? low;
    const at = (above - 1 + (value - low) / (high - low || 1) + 0.5) / rows;
    if (found.every(([other]) => Math.abs(other - at) >= apart)) found.push([at, value.toLocaleString("en")]);
  }
  return found;
}

function hzLabels(hz, rows) {
  return hzTicks(hz, rows).map(([at, text], i) => {
    const label = element("span", {}, i === 0 && hz !== null ? `${text} Hz` : text);
    label.style.top = `${100 * Math.min(0.96, Math.max(0.04, 1 - at))}%`;
    return label;
  });
}

function timeLabels(axis, frames) {
  const times = axis.step === null ? new TimeAxis(1, 0.5) : axis, unit = axis.step === null ? "frames" : "s";
  const first = times.seconds(0, frames), last = times.seconds(1, frames), step = niceStep(last - first, 5);
  const labels = [];
  for (let k = Math.ceil(first / step - 1e-9); k * step < last - 0.15 * (last - first); k++) {
    const label = element("span", {}, `${+(k * step).toPrecision(6)}`);
    label.style.left = `${100 * Math.max(0.015, times.fraction(k * step, frames))}%`;
    labels.push(label);
  }
  return [...labels, element("span", {}, `${+last.toPrecision(3)} ${unit}`)];
}
