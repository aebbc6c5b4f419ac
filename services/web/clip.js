// The recording: from a file or the microphone, as a waveform that plays and shows spans of time.
/* global WaveSurfer, MediaRecorder */

const SPAN_COLOUR = "rgb(110 168 254 / 35%)";

export class Clip {
  constructor(place, playButton) {
    this.file = null;
    this.place = place;
    this.playButton = playButton;
    this.wave = null;
    this.spans = null;
    this.recorder = null;
    playButton.addEventListener("click", () => this.wave.playPause());
  }

  get isRecording() {
    return this.recorder !== null;
  }

  // Returns why the clip cannot be shown, or an empty string.
  async open(file) {
    this.file = file;
    this.wave?.destroy();
    this.place.hidden = false;
    this.playButton.disabled = true;
    const style = getComputedStyle(this.place); // a canvas knows no custom properties
    this.wave = WaveSurfer.create({
      container: this.place,
      height: 88,
      waveColor: style.color,
      progressColor: style.outlineColor,
      normalize: true,
    });
    this.spans = this.wave.registerPlugin(WaveSurfer.Regions.create());
    this.wave.on("play", () => (this.playButton.textContent = "Pause"));
    this.wave.on("pause", () => (this.playButton.textContent = "Play"));
    try {
      await this.wave.loadBlob(file);
    } catch (error) {
      this.place.hidden = true;
      return error.message;
    }
    this.playButton.disabled = false;
    return "";
  }

  // Marks a span and plays it; `end` null: to the end of the clip.
  playSpan(start, end) {
    const length = this.wave?.getDuration() ?? 0;
    if (!length) return;
    const until = Math.min(end ?? length, length);
    this.clearSpans();
    this.spans.addRegion({ start, end: until, color: SPAN_COLOUR, drag: false, resize: false });
    this.wave.play(start, until);
  }

  clearSpans() {
    this.spans?.clearRegions();
  }

  // Resolves to the recording once `stopRecording` was called.
  async record() {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    this.recorder = new MediaRecorder(stream);
    const parts = [];
    this.recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
    const stopped = new Promise((resolve) => this.recorder.addEventListener("stop", resolve, { once: true }));
    this.recorder.start();
    await stopped;
    const type = this.recorder.mimeType;
    this.recorder = null;
    for (const track of stream.getTracks()) track.stop();
    return new File(parts, `recording.${type.includes("mp4") ? "m4a" : "webm"}`, { type });
  }

  stopRecording() {
    this.recorder.stop();
  }
}
