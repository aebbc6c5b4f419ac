// A recording made with the microphone.
/* global MediaRecorder */

export class Recorder {
  constructor() {
    this.recorder = null;
  }

  get isRecording() {
    return this.recorder !== null;
  }

  // Resolves to the recording once `stop` was called.
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

  stop() {
    this.recorder.stop();
  }
}
