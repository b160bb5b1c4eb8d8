// The clips: their names, what was measured of them, and their order in the list.

import { ClipList } from "./list.js";
import { short } from "./pictures.js";
import { json } from "./requests.js";

const $ = (id) => document.getElementById(id);
const POLL = 700;

export class Clips {
  constructor(onChoose, onProfiles) {
    this.rows = [];
    this.known = new Map();
    this.onProfiles = onProfiles;
    this.touched = false;
    this.news = this.later = 0;
    this.list = new ClipList($("list"), $("rows"), onChoose);
    this.list.texts = (clip) => this.texts(clip);
    $("filter").addEventListener("input", () => this.arrange());
    $("order").addEventListener("change", () => this.arrange());
    $("sort").addEventListener("click", () => this.arrange());
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => (this.touched = true), { capture: true });
  }

  // Load the first names and what is known already, choose the oddest, then load the rest.
  async begin(about) {
    this.about = about;
    const [names, heard] = await Promise.all([json("clips", { first: 0 }), json("heard", { since: 0 })]);
    this.rows = names.rows;
    this.learn(heard);
    this.arrange();
    this.list.choose(0);
    if (this.list.chosen < 0) $("title").textContent = names.total ? "No clip has these words" : "There are no clips";
    while (this.rows.length < names.total) {
      this.rows.push(...(await json("clips", { first: this.rows.length })).rows);
      if (this.rows.length >= names.total) this.arrange();
    }
    this.poll();
  }

  async poll() {
    for (;;) {
      const heard = await json("heard", { since: this.next }).catch(() => null);
      if (heard === null) {
        $("heard").textContent = "The command has ended; start it again.";
        return;
      }
      this.learn(heard);
      if (heard.news.length && !this.touched && performance.now() > this.later) this.arrange();
      $("sort").hidden = !(this.touched && this.news > 0 && $("order").value === "odd");
      $("sort").textContent = `Sort again (${this.news.toLocaleString("en")} more measured)`;
      if (heard.done && !heard.news.length) {
        if (!this.touched) this.arrange();
        return;
      }
      if (heard.news.length < 1000) await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  }

  learn(heard) {
    this.next = heard.next;
    for (const [clip, distance, band, deviation, remarks, bad] of heard.news) {
      this.known.set(clip, { distance, band, deviation, remarks, bad });
      this.news++;
    }
    $("heard").textContent = this.tell(heard);
    this.onProfiles(heard.profiles);
  }

  tell({ heard, inspected, total, done, problem }) {
    const of = (count) => `${count.toLocaleString("en")} of ${total.toLocaleString("en")} clips`;
    if (problem !== null) return `Measuring ended early: ${problem}`;
    const usual = this.about.given.length ? "the profile's" : "the source's";
    const means = heard < total ? "" : `; distances are in standard deviations (SD) of ${usual} clips`;
    return heard < total || done || !inspected ? `${of(heard)} measured${means}` : `${of(inspected)} inspected${means}`;
  }

  // Filter and sort. Words of the filter must all occur in name, label, columns or remarks.
  arrange() {
    if (this.about === undefined) return; // the first names still load
    const begin = performance.now();
    const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean), found = [];
    for (let clip = 0; clip < this.rows.length; clip++) {
      if (!words.length) found.push(clip);
      else {
        const text = `${this.rows[clip].join(" ")} ${(this.known.get(clip)?.remarks ?? []).join(" ")}`.toLowerCase();
        if (words.every((word) => text.includes(word))) found.push(clip);
      }
    }
    const rank = (clip) => {
      const known = this.known.get(clip);
      if (known === undefined) return -1;
      return (known.bad ? 2e9 : known.remarks.length ? 1e9 : 0) + (known.distance ?? 0);
    };
    const order = $("order").value;
    if (order !== "name") {
      const ranks = new Map(found.map((clip) => [clip, rank(clip)]));
      found.sort((a, b) => (order === "label" ? compare(this.rows[a][1], this.rows[b][1]) : 0) || ranks.get(b) - ranks.get(a) || a - b);
    }
    this.news = 0;
    $("sort").hidden = true;
    $("found").textContent = `${found.length.toLocaleString("en")} of ${this.about.clips.toLocaleString("en")} clips`;
    this.list.show(found);
    if (!this.touched) this.list.reveal();
    this.later = 11 * performance.now() - 10 * begin; // a long list is not sorted all the time
  }

  texts(clip) {
    const [name, label, rest] = this.rows[clip], known = this.known.get(clip);
    const kinds = (known?.remarks ?? []).map((one) => one.split(":")[0]).join(", ");
    const parts = [label, kinds, this.distance(known), label || known ? "" : rest].filter(Boolean);
    return { name, more: parts.join(" · "), bad: known?.bad ?? false };
  }

  distance(known) {
    if (known === undefined || known.distance === null) return "";
    const hz = this.about.hz === null ? `band ${known.band}` : `${Math.round(this.about.hz[known.band]).toLocaleString("en")} Hz`;
    return `${short(known.distance)} SD, ${known.deviation < 0 ? "−" : "+"}${short(Math.abs(known.deviation))} at ${hz}`;
  }

  // Everything odd that is known of a clip: `more` is what its view found.
  remarks(clip, more) {
    const kind = (one) => one.split(":")[0], known = this.known.get(clip)?.remarks ?? [];
    return [...more, ...known.filter((one) => !more.some((other) => kind(other) === kind(one)))];
  }

  told(clip, title, facts) {
    const [name, label] = this.rows[clip];
    title.textContent = label ? `${label}: ${name}` : name;
    facts.textContent = "Loading …";
  }
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}
