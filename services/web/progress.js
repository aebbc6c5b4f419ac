// What is going on while a model works: its stages, as the service tells them.
import { clock, tag } from "./lanes.js";

const WORDS = {
  caption: "Describing the sounds, voices and music",
  transcribe: "Writing down what is said",
  read: "Reading these notes to find the answer",
  "listen again": "Listening again for what is missing",
  listen: "Listening to the recording",
  reason: "Giving reasons for the answer",
};
const MARKS = { done: "✓", failed: "✕", cancelled: "–" };
const EVERY = 250; // milliseconds

export class Progress {
  constructor(title) {
    this.stages = new Map(); // number -> what is shown of a stage
    this.status = tag("p", "now", "Sending the recording …");
    this.status.setAttribute("role", "status");
    this.list = tag("ol", "stages");
    this.article = tag("article", "", tag("h3", "", title), this.status, this.list);
    this.article.setAttribute("aria-busy", "true");
    this.timer = setInterval(() => this.tick(), EVERY);
  }

  tell(event) {
    if (event.type === "stage.started") this.start(event);
    const stage = this.stages.get(event.stage);
    if (event.type === "stage.advanced" && event.total) {
      stage.bar.hidden = false;
      stage.bar.max = event.total;
      stage.bar.value = event.done;
    }
    if (event.type === "stage.ended") {
      stage.ended = true;
      stage.item.className = event.outcome;
      stage.mark.textContent = MARKS[event.outcome];
      stage.seconds.textContent = clock(event.seconds, true);
      stage.bar.hidden = true;
    }
    const running = [...this.stages.values()].filter((one) => !one.ended).map((one) => one.words);
    if (running.length) this.status.textContent = `${running.join("; ")} …`;
  }

  start({ stage, name, total }) {
    const words = WORDS[name] ?? name;
    const [mark, seconds, bar] = [tag("span", "mark", "•"), tag("span", "figure"), document.createElement("progress")];
    bar.hidden = true;
    bar.setAttribute("aria-label", words);
    const text = total && name !== "read" ? `${words} (${clock(total)})` : words;
    const item = tag("li", "running", mark, tag("span", "", text, bar), seconds);
    this.stages.set(stage, { words, item, mark, seconds, bar, ended: false, began: performance.now() });
    this.list.append(item);
  }

  tick() {
    for (const stage of this.stages.values()) {
      if (!stage.ended) stage.seconds.textContent = clock((performance.now() - stage.began) / 1000, true);
    }
  }

  end() {
    clearInterval(this.timer);
  }
}
