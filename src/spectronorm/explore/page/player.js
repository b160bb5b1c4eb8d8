// The sound, and the cursors that move with it.

export class Player {
  constructor(audio) {
    this.audio = audio;
    this.pictures = () => [];
    this.axis = null;
    this.resume = null; // where a sound that still loads goes on
    audio.addEventListener("loadedmetadata", () => {
      const resume = this.resume;
      this.resume = null;
      if (resume === null) return;
      audio.currentTime = resume.time;
      if (resume.playing) this.play();
    });
    const tick = () => {
      this.place();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  // Load a sound; with `keep`, playing goes on at the same time.
  load(address, keep = false) {
    this.resume = keep ? this.resume ?? { time: this.audio.currentTime, playing: !this.audio.paused } : null;
    this.audio.src = address;
  }

  clear() {
    this.resume = null;
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
