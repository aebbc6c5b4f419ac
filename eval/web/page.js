"use strict";
// Everything that comes from models and benchmarks is put into the page as text, never as HTML.
const { runs, items, clips } = JSON.parse(document.getElementById("data").textContent);
const PAGE = 200; // items listed at a time
const form = document.getElementById("filters");
const list = document.getElementById("list");
const detail = document.getElementById("item");
const more = document.getElementById("more");
let shown = []; // items that pass the filters
let current = -1; // index into shown
let player = null;

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function choice(name, label, options) {
  const select = element("select", { name }, ...options.map(([value, text]) => element("option", { value }, text)));
  form.append(element("label", {}, label, select));
}

function values(field) {
  const found = [...new Set(items.map((item) => item[field]).filter(Boolean))].sort();
  return [["", "any"], ...found.map((value) => [value, value])];
}

// Runs are called A, B and so on where there are several.
const label = (number) => (runs.length > 1 ? `${String.fromCharCode(65 + number)}: ` : "");
const FIELDS = ["task", "category", "sub_category", "difficulty"].filter((field) => values(field).length > 2);
const VERDICTS = [["", "any"], ["right", "right"], ["not right", "not right"], ["wrong", "wrong"], ["unread", "unread"], ["failed", "failed"]];
runs.forEach((run, number) => choice(`run${number}`, label(number) + run, VERDICTS));
FIELDS.forEach((field) => choice(field, field.replace("_", "-"), values(field)));
form.append(element("label", {}, "text", element("input", { name: "text", type: "search", placeholder: "question, option, reply" })));
form.append(element("label", {}, "\u00a0", element("button", { type: "reset" }, "Reset")));

function passes(item, wanted) {
  return (
    FIELDS.every((field) => !wanted[field] || item[field] === wanted[field]) &&
    runs.every((_, number) => verdictPasses(item.results[number], wanted[`run${number}`])) &&
    (!wanted.text || searchable(item).includes(wanted.text.toLowerCase()))
  );
}

function verdictPasses(result, wanted) {
  if (!wanted) return true;
  if (!result) return false;
  return wanted === "not right" ? result.verdict !== "right" : result.verdict === wanted;
}

function searchable(item) {
  const replies = item.results.map((result) => (result ? result.reply : ""));
  return [item.id, item.question, ...item.choices, ...replies].join("\n").toLowerCase();
}

function filter() {
  const wanted = Object.fromEntries(new FormData(form));
  shown = items.filter((item) => passes(item, wanted));
  current = -1;
  list.replaceChildren();
  document.getElementById("count").textContent = `${shown.length} of ${items.length} items`;
  extend();
}

function extend() {
  const from = list.children.length;
  list.append(...shown.slice(from, from + PAGE).map((item, offset) => entry(item, from + offset)));
  more.hidden = list.children.length >= shown.length;
}

function entry(item, index) {
  const marks = item.results.map((result, number) => mark(result, label(number)));
  const button = element("button", { type: "button", onclick: () => open(index) }, ...marks, element("small", {}, item.task), element("span", { className: "question", title: item.question }, item.question));
  return element("li", {}, button);
}

function mark(result, prefix) {
  const verdict = result ? result.verdict : "not asked";
  return element("span", { className: `mark ${verdict}` }, prefix + verdict);
}

function open(index) {
  while (list.children.length <= index && !more.hidden) extend();
  current = index;
  list.querySelector('[aria-current="true"]')?.removeAttribute("aria-current");
  const button = list.children[index].firstChild;
  button.setAttribute("aria-current", "true");
  button.scrollIntoView({ block: "nearest" });
  show(shown[index]);
}

function show(item) {
  player?.destroy();
  player = null;
  const facts = [item.id, item.task, item.category, item.sub_category, item.difficulty].filter(Boolean).join(" · ");
  detail.replaceChildren(element("h3", {}, item.question), element("small", {}, facts));
  const wave = clipBox(item);
  item.results.forEach((result, number) => detail.append(resultBox(item, result, number)));
  if (wave) play(item, wave);
}

function clipBox(item) {
  if (!item.clip) return null;
  const clip = clips[item.clip];
  if (!clip.mp3) {
    detail.append(element("p", { className: "note" }, `No recording here: ${clip.problem}`));
    return null;
  }
  const wave = element("div", { className: "wave" });
  const button = element("button", { type: "button", id: "play", onclick: () => player.playPause() }, "Play");
  const time = element("small", { id: "time" }, `0.0 / ${clip.duration_s.toFixed(1)} s`);
  detail.append(element("div", { className: "player" }, button, wave, time));
  return wave;
}

function play(item, wave) {
  const bytes = Uint8Array.from(atob(clips[item.clip].mp3), (letter) => letter.charCodeAt(0));
  const colour = (selector) => getComputedStyle(document.querySelector(selector)).color;
  const regions = WaveSurfer.Regions.create();
  player = WaveSurfer.create({ container: wave, height: 72, waveColor: colour("small"), progressColor: colour("nav a"), plugins: [regions] });
  const duration = clips[item.clip].duration_s;
  player.on("ready", () => {
    wave.dataset.durationS = player.getDuration();
    for (const statement of spans(item)) {
      regions.addRegion({ start: statement.start_s, end: statement.end_s, drag: false, resize: false, color: "rgba(110, 150, 220, 0.14)" });
    }
  });
  player.on("timeupdate", (seconds) => (document.getElementById("time").textContent = `${seconds.toFixed(1)} / ${duration.toFixed(1)} s`));
  for (const event of ["play", "pause", "finish"]) {
    player.on(event, () => (document.getElementById("play").textContent = player.isPlaying() ? "Pause" : "Play"));
  }
  player.loadBlob(new Blob([bytes], { type: "audio/mpeg" }));
}

function spans(item) {
  const timed = (item.results.find((result) => result && result.evidence.length) || { evidence: [] }).evidence;
  const duration = clips[item.clip].duration_s;
  return timed.filter((one) => one.end_s !== null && one.end_s - one.start_s < 0.95 * duration);
}

function resultBox(item, result, number) {
  const box = element("section", { className: "result" }, element("h3", {}, label(number) + runs[number]));
  if (!result) {
    box.append(element("p", { className: "note" }, "This run does not have the item."));
    return box;
  }
  box.append(mark(result, ""), element("small", {}, `official ${result.official ? "right" : "wrong"} · ${result.took_s} s · ${result.trace.join(" > ")}`));
  if (result.failed) box.append(element("pre", { className: "reply" }, result.failed));
  box.append(optionList(item, result));
  if (result.reply) box.append(element("div", { className: "reply" }, result.reply));
  if (result.evidence.length) box.append(evidenceList(result.evidence));
  return box;
}

function optionList(item, result) {
  return element("ol", { className: "options" }, ...item.choices.map((text, index) => {
    const letter = String.fromCharCode(65 + index);
    const row = element("li", {}, element("span", { className: "letter" }, letter), element("span", {}, text));
    row.classList.toggle("answer", text === item.answer);
    row.classList.toggle("chosen", letter === result.chosen);
    if (letter === result.chosen) row.title = "chosen";
    if (letter in result.probabilities) {
      const share = result.probabilities[letter];
      row.append(element("meter", { max: 1, value: share }), element("span", { className: "share" }, `${(100 * share).toFixed(1)} %`));
    }
    return row;
  }));
}

function evidenceList(evidence) {
  return element("ul", { className: "evidence" }, ...evidence.map((one) => {
    const end = one.end_s === null ? "end" : one.end_s.toFixed(1);
    const seek = element("button", { type: "button", title: "Listen from here" }, `${one.start_s.toFixed(1)}–${end} s`);
    seek.onclick = () => { player?.setTime(one.start_s); player?.play(); };
    return element("li", {}, seek, element("small", {}, `${one.kind}, ${one.source}`), element("span", { className: "text" }, one.text));
  }));
}

form.addEventListener("input", filter);
form.addEventListener("change", filter);
form.addEventListener("reset", () => setTimeout(filter));
form.addEventListener("submit", (event) => event.preventDefault());
more.addEventListener("click", extend);
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = { j: 1, k: -1 }[event.key];
  if (step && shown[current + step]) open(current + step);
});
filter();
