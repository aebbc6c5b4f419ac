// The time line of a recording: waveform, spectrogram and lanes of evidence, over one another and played together. The
// service's page and the report share it.
/* global WaveSurfer */
import { Lanes, clock, lastSecond, tag } from "./lanes.js";

const WAVE_HEIGHT = 72; // pixels
const SPECTROGRAM_HEIGHT = 110;
const WIDEST = 24000; // pixels of a time line that was drawn larger
const LARGE = 20e6; // bytes; a larger recording is decoded at half the rate
const RATE = 16000; // samples a second, as the models hear it
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600]; // seconds between marks of time
const MARK_WIDTH = 90; // pixels that a mark of time needs
const LAST_MARK = 0.3; // of a step, which a mark needs before the end

// 256 colours from one end of a scale to the other.
function makeColours(stops) {
  return Array.from({ length: 256 }, (_, place) => {
    const at = (place / 255) * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    const mixed = stops[low].map((value, channel) => (value + (stops[low + 1][channel] - value) * (at - low)) / 255);
    return [...mixed, 1];
  });
}

const COLOURS = {
  light: [[245, 246, 248], [190, 205, 235], [96, 138, 214], [32, 70, 150], [10, 22, 60]],
  dark: [[29, 33, 39], [36, 62, 120], [88, 100, 200], [214, 132, 170], [255, 240, 205]],
};

export class Timeline {
  constructor(place) {
    this.wave = null;
    this.duration = 0;
    this.zoom = 1;
    this.statements = [];
    this.playButton = tag("button", "tl-play", "Play");
    this.time = tag("span", "tl-time");
    this.smaller = tag("button", "tl-zoom", "−");
    this.larger = tag("button", "tl-zoom", "+");
    for (const button of [this.playButton, this.smaller, this.larger]) button.type = "button";
    this.smaller.setAttribute("aria-label", "Zoom out");
    this.larger.setAttribute("aria-label", "Zoom in");
    this.bar = tag("div", "tl-bar", this.playButton, this.time, tag("span", "tl-zooms", this.smaller, this.larger));
    this.sound = tag("div", "tl-sound");
    this.sound.setAttribute("aria-hidden", "true");
    this.marks = tag("div", "tl-marks");
    this.marks.setAttribute("aria-hidden", "true");
    const lanes = tag("div", "tl-lanes");
    this.span = tag("div", "tl-span");
    this.cursor = tag("div", "tl-cursor");
    const over = tag("div", "tl-over", this.span, this.cursor);
    const names = tag("span", "lane-name", "Sound wave", tag("span", "tl-pitch", "Spectrogram", tag("small", "", "high sounds at the top")));
    this.inner = tag("div", "tl-inner", tag("div", "lane tl-heard", names, this.sound), tag("div", "lane", tag("span", "lane-name"), this.marks), lanes, over);
    this.scroller = tag("div", "tl-scroll", this.inner);
    const tip = tag("div", "tl-tip");
    tip.hidden = true;
    this.lanes = new Lanes(lanes, tip, (start, end) => this.playSpan(start, end));
    this.place = place;
    place.classList.add("timeline");
    place.replaceChildren(this.bar, this.scroller, tip);
    this.playButton.addEventListener("click", () => this.playPause());
    this.smaller.addEventListener("click", () => this.zoomTo(this.zoom / 2));
    this.larger.addEventListener("click", () => this.zoomTo(this.zoom * 2));
    this.resized = new ResizeObserver(() => this.drawMarks());
    this.resized.observe(this.scroller);
    this.onMove = null; // told the seconds while it plays
    this.clear();
  }

  destroy() {
    this.clear();
    this.resized.disconnect();
  }

  // Forgets the recording and what is said about it.
  clear() {
    this.close();
    this.show([]);
  }

  close() {
    this.wave?.destroy();
    this.wave = null;
    this.playButton.disabled = true;
    this.showSound(false);
    this.sound.replaceChildren();
    this.zoomTo(1);
  }

  showSound(isShown) {
    if (isShown) this.scroller.hidden = false;
    this.bar.hidden = !isShown;
    this.inner.querySelector(".tl-heard").hidden = !isShown;
  }

  // Opens an encoded recording, to which what is shown belongs; returns why it cannot be played, or an empty string.
  async open(blob) {
    this.close();
    this.showSound(true);
    this.time.textContent = "Opening …";
    const wave = this.create(blob.size > LARGE);
    this.wave = wave;
    try {
      await Promise.race([wave.loadBlob(blob), new Promise((_, fail) => wave.once("error", fail))]);
    } catch (error) {
      if (wave !== this.wave) return "";
      this.wave = null;
      wave.destroy();
      this.showSound(false);
      this.show(this.statements);
      return error.message;
    }
    if (wave !== this.wave) return "";
    this.duration = wave.getDuration();
    this.place.dataset.durationS = this.duration;
    this.playButton.disabled = false;
    this.zoomTo(1);
    this.show(this.statements);
    return "";
  }

  create(isLarge) {
    const style = getComputedStyle(this.sound); // a canvas knows no custom properties
    const isDark = style.getPropertyValue("color-scheme") === "dark" || matchMedia("(prefers-color-scheme: dark)").matches;
    const wave = WaveSurfer.create({
      container: this.sound,
      height: WAVE_HEIGHT,
      sampleRate: isLarge ? RATE / 2 : RATE,
      waveColor: style.color,
      progressColor: style.outlineColor,
      cursorWidth: 0,
      normalize: true,
    });
    wave.registerPlugin(
      WaveSurfer.Spectrogram.create({
        height: SPECTROGRAM_HEIGHT,
        fftSamples: 512,
        scale: "mel",
        autoGain: true,
        rangeDB: 70,
        colorMap: makeColours(COLOURS[isDark ? "dark" : "light"]),
      }),
    );
    wave.on("play", () => (this.playButton.textContent = "Pause"));
    for (const event of ["pause", "finish"]) wave.on(event, () => (this.playButton.textContent = "Play"));
    wave.on("timeupdate", (seconds) => this.moveTo(seconds));
    return wave;
  }

  // Shows statements about the recording as lanes, in place of those before.
  show(statements) {
    this.statements = statements;
    if (!this.wave) this.duration = statements.length ? lastSecond(statements) : 0;
    this.lanes.play = this.wave ? (start, end) => this.playSpan(start, end) : null;
    this.lanes.show(statements, this.duration || 1);
    this.scroller.hidden = !this.wave && !statements.length; // neither a sound that can be drawn nor anything said of it
    this.span.hidden = true;
    this.drawMarks();
    this.moveTo(this.wave?.getCurrentTime() ?? 0);
  }

  // Marks a span and plays it; `end` null: to the end of the recording.
  playSpan(start, end) {
    if (!this.wave || !this.duration) return;
    const until = Math.min(end ?? this.duration, this.duration);
    this.span.hidden = false;
    this.span.style.left = `${(100 * start) / this.duration}%`;
    this.span.style.width = `${(100 * (until - start)) / this.duration}%`;
    this.wave.play(start, until);
  }

  playPause() {
    if (this.playButton.disabled) return;
    this.span.hidden = true;
    this.wave.playPause();
  }

  moveTo(seconds) {
    const share = this.duration ? Math.min(seconds / this.duration, 1) : 0;
    this.cursor.hidden = !this.wave;
    this.cursor.style.left = `${100 * share}%`;
    this.time.textContent = this.wave && this.duration ? `${clock(seconds, true)} of ${clock(this.duration)}` : "";
    this.lanes.mark(this.wave?.isPlaying() ? seconds : -1);
    this.onMove?.(seconds);
    const at = this.cursor.offsetLeft;
    const { scrollLeft, clientWidth } = this.scroller;
    if (this.zoom > 1 && this.wave?.isPlaying() && (at < scrollLeft || at > scrollLeft + clientWidth - 40)) this.scroller.scrollLeft = at - 40;
  }

  zoomTo(wanted) {
    const most = Math.max(1, Math.min(WIDEST / (this.scroller.clientWidth || WIDEST), this.duration / 2));
    const share = (this.scroller.scrollLeft + this.scroller.clientWidth / 2) / (this.inner.clientWidth || 1);
    this.zoom = Math.min(Math.max(wanted, 1), most);
    this.inner.style.width = `${100 * this.zoom}%`;
    this.scroller.scrollLeft = share * this.inner.clientWidth - this.scroller.clientWidth / 2;
    this.smaller.disabled = this.zoom <= 1;
    this.larger.disabled = this.zoom >= most;
    this.drawMarks();
  }

  drawMarks() {
    const room = this.marks.clientWidth / MARK_WIDTH;
    const step = STEPS.find((seconds) => this.duration / seconds <= room) ?? STEPS.at(-1);
    const number = this.duration && room ? Math.floor(this.duration / step - LAST_MARK) + 1 : 0;
    this.marks.replaceChildren(
      ...Array.from({ length: number }, (_, place) => {
        const mark = tag("span", "", clock(place * step));
        mark.style.left = `${(100 * place * step) / this.duration}%`;
        return mark;
      }),
    );
  }
}
