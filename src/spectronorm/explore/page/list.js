// The list of clips: only the rows in view are in the page, however many clips there are.

import { element } from "./pictures.js";

const HEIGHT = 44, MOST_PIXELS = 8e6;

export class ClipList {
  constructor(box, rows, onChoose) {
    this.box = box;
    this.rows = rows;
    this.onChoose = onChoose;
    this.order = [];
    this.chosen = -1;
    this.texts = (clip) => ({ name: `${clip}`, more: "", bad: false });
    box.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(box);
    box.addEventListener("keydown", (event) => this.key(event));
  }

  // Show clips in this order; the chosen one stays chosen, and in view if it was.
  show(order) {
    this.order = order;
    this.pixels = Math.min(order.length * HEIGHT, MOST_PIXELS);
    this.rows.style.height = `${this.pixels}px`;
    this.draw();
  }

  get place() {
    return this.order.indexOf(this.chosen);
  }

  choose(place) {
    if (!this.order.length) return;
    const clip = this.order[Math.min(this.order.length - 1, Math.max(0, place))];
    this.chosen = clip;
    this.reveal();
    this.onChoose(clip);
  }

  move(step) {
    this.choose(this.place < 0 ? 0 : this.place + step);
  }

  reveal() {
    const place = this.place, view = this.box.clientHeight;
    if (place < 0) return this.draw();
    const top = this.top(place);
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top + HEIGHT > this.box.scrollTop + view) this.box.scrollTop = top + HEIGHT - view;
    this.draw();
  }

  // Pixels from the beginning to a row: of very long lists a scaled place, since browsers limit heights.
  top(place) {
    const all = this.order.length * HEIGHT;
    return all <= MOST_PIXELS ? place * HEIGHT : (place / (this.order.length - 1)) * (MOST_PIXELS - HEIGHT);
  }

  draw() {
    const count = this.order.length, view = this.box.clientHeight, visible = Math.ceil(view / HEIGHT) + 1;
    const all = count * HEIGHT <= MOST_PIXELS;
    const exact = all ? this.box.scrollTop / HEIGHT : (this.box.scrollTop / (MOST_PIXELS - HEIGHT)) * (count - 1);
    const first = Math.max(0, Math.min(count - visible, Math.floor(exact)));
    const shown = [];
    for (let place = first; place < Math.min(count, first + visible); place++) {
      const top = all ? place * HEIGHT : this.box.scrollTop + (place - exact) * HEIGHT;
      shown.push(this.option(place, Math.max(0, top)));
    }
    this.rows.replaceChildren(...shown);
    if (shown.some((one) => one.id === `clip-${this.chosen}`)) {
      this.box.setAttribute("aria-activedescendant", `clip-${this.chosen}`);
    } else this.box.removeAttribute("aria-activedescendant");
  }

  option(place, top) {
    const clip = this.order[place], text = this.texts(clip);
    const found = element("div", {
      class: text.bad ? "clip bad" : "clip", role: "option", id: `clip-${clip}`, "aria-selected": `${clip === this.chosen}`,
      "aria-setsize": `${this.order.length}`, "aria-posinset": `${place + 1}`,
    }, element("div", {}, text.name), element("div", {}, text.more));
    found.style.top = `${top}px`;
    found.addEventListener("click", () => this.choose(place));
    return found;
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.box.clientHeight / HEIGHT) - 1), place = Math.max(0, this.place);
    const to = { ArrowDown: this.place + 1, ArrowUp: place - 1, PageDown: place + page, PageUp: place - page, Home: 0,
      End: this.order.length - 1 }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.choose(to);
  }
}
