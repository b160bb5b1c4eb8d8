// The sound, and the cursors that move with it.

export class Player {
  constructor(audio) {
    this.audio = audio;
    this.pictures = () => [];
    this.axis = null;
    const tick = () => {
      this.place();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  // Load a sound; with `keep`, playing goes on at the same time.
  load(address, keep = false) {
    const time = this.audio.currentTime, playing = !this.audio.paused;
    this.audio.src = address;
    if (!keep) return;
    this.audio.addEventListener("loadedmetadata", () => {
      this.audio.currentTime = time;
      if (playing) this.play();
    }, { once: true });
  }

  clear() {
    this.audio.removeAttribute("src");
    this.audio.load();
  }

  play() {
    this.audio.play().catch(() => {}); // the browser may want a click first
  }

  toggle() {
    if (this.audio.paused) this.play();
    else this.audio.pause();
  }

  seek(seconds) {
    const end = Number.isFinite(this.audio.duration) ? this.audio.duration : 0;
    this.audio.currentTime = Math.min(end, Math.max(0, seconds));
  }

  place() {
    if (this.axis === null || this.axis.step === null) return;
    for (const picture of this.pictures()) {
      if (picture.frames) picture.place(this.axis.fraction(this.audio.currentTime, picture.frames));
    }
  }
}
