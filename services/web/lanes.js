// Evidence as lanes on the time line of a recording: what is said, who speaks, sounds, music and quality, each statement
// over its span. The service's page and the report share it. Statements are put in as text, never as HTML.

const LANES = [
  { name: "Words", kinds: ["transcript", "language"] },
  { name: "Speakers", kinds: ["speaker", "segment", "emotion"] },
  { name: "Sounds", kinds: ["sound", "event", "absence", "caption"] },
  { name: "Music", kinds: ["music", "melody", "rhythm", "harmony", "instrument"] },
  { name: "Quality", kinds: ["quality", "loudness"] },
  { name: "Replies", kinds: ["reply"] },
];
const OTHER = "Other"; // lane of kinds that are new here
const TONES = 4; // colours of a lane, for speakers that take turns
const WHOLE = 0.95; // a statement about this share of the recording says nothing about where
const USE_WORDS = { decided: "decided the answer", read: "read for the answer", unread: "not read for the answer" };
const TIP_MARGIN = 8; // pixels

export function tag(name, className = "", ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// Seconds as a person reads them: 3.2 s, 1:04, 1:02:09.
export function clock(seconds, exact = false) {
  if (seconds < 60) return `${exact ? seconds.toFixed(1) : Number(seconds.toFixed(1))} s`;
  const whole = Math.floor(seconds);
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, two(whole % 60)];
  return hours ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

export function spanText(one) {
  const where = one.recording ? `recording ${one.recording}, ` : "";
  if (one.end_s === null) return `${where}${clock(one.start_s)} to the end`;
  return where + `${clock(one.start_s)} – ${clock(one.end_s)}`.replace(/^([\d.]+) s – (.* s)$/, "$1–$2");
}

// Whether a statement is about the recording at a place: one without a number is about the only one, or about all.
export const isAbout = (one, place) => !one.recording || one.recording === place + 1;

// The latest end of any statement: the length of a recording that cannot be opened here.
export function lastSecond(statements) {
  return Math.max(1, ...statements.map((one) => one.end_s ?? one.start_s));
}

const endWithin = (one, duration) => Math.max(one.start_s, Math.min(one.end_s ?? duration, duration));
const speakerOf = (one) => (one.kind === "speaker" ? (one.labels?.[0]?.text ?? "") : "");

// Statements that are told twice, as by two models that share a captioner, are one.
function withoutRepeats(statements) {
  const found = new Map();
  for (const one of statements) {
    const key = JSON.stringify([one.kind, one.text, one.start_s.toFixed(1), one.end_s?.toFixed(1)]);
    const ranks = ["unread", "read", "decided"];
    const earlier = found.get(key);
    if (!earlier || ranks.indexOf(one.use) > ranks.indexOf(earlier.use)) found.set(key, one);
  }
  return [...found.values()];
}

// Rows of a lane, in which no two statements overlap. The turns of one speaker have a row of their own; statements about
// all of the recording come last.
function packRows(statements, duration) {
  const counts = new Map();
  for (const one of statements) counts.set(speakerOf(one), (counts.get(speakerOf(one)) ?? 0) + 1);
  const rows = [];
  for (const one of [...statements].sort((a, b) => a.start_s - b.start_s || endWithin(b, duration) - endWithin(a, duration))) {
    const key = speakerOf(one) && counts.get(speakerOf(one)) > 1 ? speakerOf(one) : "";
    let row = rows.find((other) => other.key === key && other.end <= one.start_s);
    if (!row) rows.push((row = { key, end: 0, statements: [] }));
    row.statements.push(one);
    row.end = Math.max(endWithin(one, duration), one.start_s + 1e-3);
  }
  const covered = (row) => (row.key ? 0 : Math.max(...row.statements.map((one) => endWithin(one, duration) - one.start_s)));
  const isWhole = (row) => covered(row) > WHOLE * duration;
  return rows.sort((a, b) => isWhole(a) - isWhole(b) || !a.key - !b.key);
}

// The name of the lane that statements of a kind lie in.
export function laneOf(kind) {
  return LANES.find((lane) => lane.kinds.includes(kind))?.name ?? OTHER;
}

export function groupIntoLanes(statements, duration) {
  const told = withoutRepeats(statements);
  return [...LANES.map((lane) => lane.name), OTHER]
    .map((name) => ({ name, rows: packRows(told.filter((one) => laneOf(one.kind) === name), duration) }))
    .filter((lane) => lane.rows.length);
}

export class Lanes {
  // `tip` shows the statement that is pointed at; `play(start, end)` plays a span, null: nothing can be played.
  constructor(place, tip, play) {
    this.place = place;
    this.tip = tip;
    this.play = play;
    this.spans = [];
    this.leaving = 0;
    tip.addEventListener("pointerenter", () => clearTimeout(this.leaving));
    tip.addEventListener("pointerleave", () => this.hideTip());
    place.addEventListener("keydown", (event) => this.walk(event));
  }

  show(statements, duration) {
    this.hideTip();
    this.spans = [];
    this.place.replaceChildren(...groupIntoLanes(statements, duration).map((lane) => this.drawLane(lane, duration)));
  }

  // Marks what is heard at that moment.
  mark(seconds) {
    for (const { button, start, end } of this.spans) button.classList.toggle("heard", start <= seconds && seconds < end);
  }

  drawLane({ name, rows }, duration) {
    const number = rows.reduce((sum, row) => sum + row.statements.length, 0);
    const track = tag("div", "lane-track", ...rows.map((row, index) => this.drawRow(row, index % TONES, name, duration)));
    track.setAttribute("role", "group");
    track.setAttribute("aria-label", `${name}: ${number} ${number === 1 ? "statement" : "statements"}`);
    track.querySelectorAll("button").forEach((button, index) => (button.tabIndex = index ? -1 : 0));
    const lane = tag("div", "lane", tag("span", "lane-name", name), track);
    lane.dataset.lane = name;
    return lane;
  }

  drawRow(row, tone, name, duration) {
    const drawn = tag("div", "lane-row", ...row.statements.map((one) => this.drawSpan(one, row.key || one.text, name, duration)));
    drawn.dataset.tone = row.key ? tone : 0;
    return drawn;
  }

  drawSpan(one, text, name, duration) {
    const end = endWithin(one, duration);
    const button = tag("button", `span ${one.use ?? ""}`.trim(), tag("span", "", text));
    button.type = "button";
    button.style.left = `${(100 * Math.min(one.start_s, duration)) / duration}%`;
    button.style.width = `${(100 * (end - Math.min(one.start_s, end))) / duration}%`;
    const use = one.use ? `, ${USE_WORDS[one.use]}` : "";
    button.setAttribute("aria-label", `${this.play ? "Play " : ""}${spanText(one)}, ${name}${use}: ${one.text}`);
    const show = () => this.showTip(button, one, name);
    button.addEventListener("pointerenter", show);
    button.addEventListener("pointerleave", () => this.leave());
    button.addEventListener("focus", show);
    button.addEventListener("blur", () => this.hideTip());
    button.addEventListener("click", () => {
      show();
      this.play?.(one.start_s, one.end_s);
    });
    this.spans.push({ button, start: one.start_s, end });
    return button;
  }

  // The arrow keys move among the statements of a lane, so that Tab passes a lane at a time.
  walk(event) {
    if (event.key === "Escape") return this.hideTip();
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };
    const track = event.target.closest(".lane-track");
    if (!track || !(event.key in steps)) return;
    event.preventDefault();
    const all = [...track.querySelectorAll("button")];
    const wanted = Math.min(Math.max(all.indexOf(event.target) + steps[event.key], 0), all.length - 1);
    event.target.tabIndex = -1;
    all[wanted].tabIndex = 0;
    all[wanted].focus();
  }

  showTip(button, one, name) {
    clearTimeout(this.leaving);
    const sure = one.confidence === null || one.confidence === undefined ? "" : ` · ${Math.round(100 * one.confidence)} % sure`;
    const use = one.use ? ` · ${USE_WORDS[one.use]}` : "";
    const kept = one.withheld?.length ? " · withheld in part, as it tells what to answer" : "";
    this.tip.replaceChildren(tag("b", "", `${name}, ${spanText(one)}`), tag("p", "", one.text), tag("small", "", `${one.source}${sure}${use}${kept}`));
    this.tip.hidden = false;
    const around = this.tip.offsetParent.getBoundingClientRect();
    const at = button.getBoundingClientRect();
    const seen = Math.max(at.left, around.left) - around.left;
    const most = around.width - this.tip.offsetWidth - TIP_MARGIN;
    this.tip.style.left = `${Math.max(TIP_MARGIN, Math.min(seen, most))}px`;
    this.tip.style.top = `${at.bottom - around.top}px`;
  }

  leave() {
    clearTimeout(this.leaving);
    this.leaving = setTimeout(() => this.hideTip(), 150);
  }

  hideTip() {
    clearTimeout(this.leaving);
    this.tip.hidden = true;
  }
}
