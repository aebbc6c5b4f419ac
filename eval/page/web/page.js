/* global Timeline, citedAs, drawReasons, isAbout, laneOf, spanText */
// Everything that comes from models and benchmarks is put into the page as text, never as HTML.
const { runs, items, clips, statements } = JSON.parse(document.getElementById("data").textContent);
const PAGE = 200; // items listed at a time
const NARROW = "(max-width: 52rem)"; // as in the style sheet
const form = document.getElementById("filters");
const list = document.getElementById("list");
const detail = document.getElementById("item");
const more = document.getElementById("more");
const haystacks = new Map(); // item -> the text that is searched, made when it is first needed
let shown = []; // items that pass the filters
let current = -1; // index into shown
let timelines = []; // of the clips of the open item, by the numbers that statements have

function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

const prefix = (number) => (runs[number].label ? `${runs[number].label}: ` : "");
const letterOf = (index) => String.fromCharCode(65 + index);

function addSelect(name, label, options) {
  const select = element("select", { name }, ...options.map(([value, text]) => element("option", { value }, text)));
  form.append(element("label", {}, label, select));
}

function values(field) {
  const found = [...new Set(items.map((item) => item[field]).filter(Boolean))].sort();
  return [["", "any"], ...found.map((value) => [value, value])];
}

const sameAsTask = (field) => items.every((item) => item[field] === item.task);
const FIELDS = ["task", "category", "sub_category", "difficulty", "modality"].filter(
  (field) => values(field).length > 2 && (field === "task" || !sameAsTask(field)),
);
const met = new Set(items.flatMap((item) => item.results.map((result) => result?.verdict)));
const VERDICTS = ["right", "not right", "wrong", "unread", "failed", "unscored"]
  .filter((verdict) => verdict !== "unscored" || met.has(verdict))
  .map((verdict) => [verdict, verdict]);

function controlOptions(names) {
  const asked = ["right", "not right", "changed"];
  const texts = { right: "right", "not right": "not right", changed: "answer changed" };
  return names.flatMap((name) => asked.map((state) => [JSON.stringify([name, state]), `${name}: ${texts[state]}`]));
}

function presets() {
  const whole = (verdict) => runs.map(() => verdict);
  const only = runs.map((run, number) => [`Only ${run.label} right`, whole("not right").with(number, "right")]);
  const chosen = [...only, ["All right", whole("right")], ["None right", whole("not right")]];
  return chosen.map(([text, wanted]) => {
    const num = items.filter((item) => wanted.every((verdict, number) => verdictPasses(item.results[number], verdict))).length;
    const button = element("button", { type: "button" }, `${text} `, element("small", {}, String(num)));
    button.dataset.wanted = JSON.stringify(wanted);
    button.onclick = () => {
      wanted.forEach((verdict, number) => (form.elements[`run${number}`].value = verdict));
      filter();
    };
    return button;
  });
}

function buildForm() {
  if (runs.length > 1) {
    const group = element("div", { className: "presets" }, ...presets());
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "Quick filters");
    form.append(group);
  }
  runs.forEach((run, number) => {
    addSelect(`run${number}`, prefix(number) + run.name, [["", "any"], ...VERDICTS]);
    if (run.controls.length) {
      addSelect(`control${number}`, `${prefix(number)}controls`, [["", "any"], ...controlOptions(run.controls)]);
    }
  });
  FIELDS.forEach((field) => addSelect(field, field.replace("_", "-"), values(field)));
  form.append(element("label", {}, "text", element("input", { name: "text", type: "search", placeholder: "question, option, reply" })));
  form.append(element("button", { type: "reset" }, "Reset"));
}

function verdictPasses(result, wanted) {
  if (!wanted) return true;
  if (!result) return false;
  return wanted === "not right" ? result.verdict !== "right" : result.verdict === wanted;
}

function controlPasses(result, wanted) {
  if (!wanted) return true;
  const [name, state] = JSON.parse(wanted);
  const control = result?.controls[name];
  return state === "changed" ? control?.changed === true : verdictPasses(control, state);
}

function passes(item, wanted) {
  return (
    FIELDS.every((field) => !wanted[field] || item[field] === wanted[field]) &&
    runs.every((_, number) => verdictPasses(item.results[number], wanted[`run${number}`])) &&
    runs.every((_, number) => controlPasses(item.results[number], wanted[`control${number}`])) &&
    (!wanted.text || haystack(item).includes(wanted.text.toLowerCase()))
  );
}

function haystack(item) {
  if (!haystacks.has(item)) {
    const replies = item.results.map((result) => result?.reply ?? "");
    haystacks.set(item, [item.id, item.question, ...item.choices, ...replies].join("\n").toLowerCase());
  }
  return haystacks.get(item);
}

function filter() {
  const wanted = Object.fromEntries(new FormData(form));
  const open = shown[current];
  shown = items.filter((item) => passes(item, wanted));
  current = shown.indexOf(open);
  list.replaceChildren();
  document.getElementById("count").textContent = `${shown.length} of ${items.length} ${items.length === 1 ? "item" : "items"}`;
  const combination = JSON.stringify(runs.map((_, number) => wanted[`run${number}`]));
  for (const button of form.querySelectorAll("[data-wanted]")) {
    button.setAttribute("aria-pressed", button.dataset.wanted === combination);
  }
  extend();
  if (open) place();
}

function extend() {
  const from = list.children.length;
  list.append(...shown.slice(from, from + PAGE).map((item, offset) => entry(item, from + offset)));
  more.hidden = list.children.length >= shown.length;
}

function entry(item, index) {
  const marks = item.results.map((result, number) => mark(result?.verdict ?? "not asked", prefix(number)));
  const question = element("span", { className: "question", title: item.question }, item.question);
  const button = element("button", { type: "button", onclick: () => open(index) }, ...marks, element("small", {}, item.task), question);
  return element("li", {}, button);
}

const mark = (verdict, before = "") => element("span", { className: `mark ${verdict}` }, before + verdict);

function open(index) {
  if (index < 0 || index >= shown.length) return;
  current = index;
  show(shown[index]);
  place();
  const button = list.children[index].firstChild;
  const into = window.matchMedia(NARROW).matches ? detail : null;
  list.scrollTop += Math.min(0, button.offsetTop - list.scrollTop) || Math.max(0, button.offsetTop + button.offsetHeight - list.scrollTop - list.clientHeight);
  into?.scrollIntoView({ block: "start" });
  detail.scrollTop = 0;
}

// Mark the open item in the list and say where it is among those that pass.
function place() {
  list.querySelector('[aria-current="true"]')?.removeAttribute("aria-current");
  while (list.children.length <= current && !more.hidden) extend();
  if (current >= 0) list.children[current].firstChild.setAttribute("aria-current", "true");
  document.getElementById("position").textContent = current < 0 ? "not among those listed" : `${current + 1} of ${shown.length}`;
  document.getElementById("previous").disabled = current <= 0;
  document.getElementById("next").disabled = current + 1 >= shown.length;
}

function show(item) {
  timelines.forEach((timeline) => timeline.destroy());
  timelines = [];
  const facts = [item.id, item.task, item.category, item.sub_category, item.difficulty, item.modality];
  detail.replaceChildren(
    steps(),
    element("h3", {}, item.question),
    element("small", {}, [...new Set(facts.filter(Boolean))].join(" · ")),
  );
  showTimelines(item);
  detail.append(optionTable(item));
  item.results.forEach((result, number) => detail.append(resultBox(item, result, number)));
}

function steps() {
  const button = (id, text, step) => element("button", { type: "button", id, onclick: () => open(current + step) }, text);
  const position = element("span", { id: "position" });
  position.setAttribute("role", "status");
  return element("div", { className: "steps" }, button("previous", "Previous", -1), button("next", "Next", 1), position);
}

// Each clip with what all runs stated about it; the lanes alone where the page does not have the clip.
function showTimelines(item) {
  const told = item.results.flatMap((result) => (result?.evidence ?? []).map((number) => ({ ...statements[number], use: result.uses[number] ?? null })));
  const heard = item.clips.length ? item.clips.map((number) => clips[number]) : [null];
  heard.forEach((clip, number) => {
    const about = told.filter((one) => isAbout(one, number));
    if (heard.length > 1) detail.append(element("h4", {}, `Recording ${number + 1}`));
    if (clip && !clip.mp3) detail.append(element("p", { className: "note" }, `No recording here. ${clip.problem}`));
    if (!clip?.mp3 && !about.length) return;
    const place = element("div", {});
    detail.append(place);
    timelines[number] = new Timeline(place);
    timelines[number].show(about);
    if (clip?.mp3) openClip(clip, place, number);
  });
}

async function openClip(clip, place, number) {
  const timeline = timelines[number];
  timeline.onMove = (seconds) => {
    for (const row of detail.querySelectorAll(`[data-start][data-clip="${number}"]`)) {
      row.classList.toggle("now", Number(row.dataset.start) <= seconds && seconds < Number(row.dataset.end));
    }
  };
  const bytes = Uint8Array.from(atob(clip.mp3), (letter) => letter.charCodeAt(0));
  const problem = await timeline.open(new Blob([bytes], { type: "audio/mpeg" }));
  if (problem) place.before(element("p", { className: "note" }, `This browser cannot play the clip: ${problem}`));
}

const endOf = (one, duration) => Math.min(one.end_s ?? duration, duration);

function optionTable(item) {
  const scored = item.results.map((result) => result && Object.keys(result.probabilities).length > 0);
  const heads = runs.map((run, number) => element("th", { scope: "col", title: run.name }, run.label || (scored[number] ? "probability" : "chosen")));
  const rows = item.choices.map((text, index) => {
    const right = text === item.answer;
    const name = element("th", { scope: "row" }, element("span", { className: "letter" }, letterOf(index)), text || "(empty)");
    if (right) name.append(element("span", { className: "tag" }, "✓ right"));
    return element("tr", { className: right ? "answer" : "" }, name, ...item.results.map((result) => optionCell(result, letterOf(index))));
  });
  const table = element("table", { className: "options" }, element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "option"), ...heads)), element("tbody", {}, ...rows));
  return element("div", { className: "scroll" }, table);
}

function optionCell(result, letter) {
  const cell = element("td");
  if (result && letter in result.probabilities) {
    const bar = element("span", { className: "bar" }, element("span"));
    bar.firstChild.style.width = `${100 * result.probabilities[letter]}%`;
    cell.append(bar, `${(100 * result.probabilities[letter]).toFixed(1)} %`);
  }
  if (result?.chosen === letter) cell.append(element("span", { className: "tag chosen" }, result.is_unsure ? "chosen, not sure" : "chosen"));
  return cell;
}

function stepText(one) {
  const fields = one.plan ? [["missing", one.plan.missing], [one.plan.fault ? "wrong" : "why", one.plan.why]] : [];
  const planned = fields.filter(([, text]) => text).map(([name, text]) => `${name}: ${text}`).join("; ");
  return `${one.step}: ${one.text}${planned ? ` (${planned})` : ""}`;
}

function resultBox(item, result, number) {
  const box = element("section", { className: "result" }, element("h4", {}, prefix(number) + runs[number].name));
  if (!result) {
    box.append(element("p", { className: "note" }, "This run does not have the item."));
    return box;
  }
  const official = result.verdict === "unscored" || result.failed ? [] : [`official ${result.official ? "right" : "wrong"}`];
  const facts = [...official, `${result.took_s.toFixed(2)} s`, result.trace.map(stepText).join(" → ")].filter(Boolean);
  box.append(mark(result.verdict), element("small", {}, facts.join(" · ")));
  if (result.degraded.length) box.append(element("p", { className: "note" }, `Degraded: ${result.degraded.join("; ")}`));
  if (result.failed) box.append(element("pre", { className: "reply" }, result.failed));
  if (result.reply) box.append(labelled("Reply", element("div", { className: "reply" }, result.reply)));
  if (Object.keys(result.controls).length) box.append(labelled("Controls", controlList(result.controls)));
  if (result.reasons) box.append(labelled("Reasons", reasonsBox(item, result)));
  if (result.evidence.length) box.append(labelled("Evidence", evidenceOf(item, result, number)));
  return box;
}

const labelled = (text, node) => element("div", {}, element("h5", {}, text), node);

function controlList(controls) {
  return element("ul", { className: "controls" }, ...Object.entries(controls).map(([name, control]) => {
    const chosen = control.chosen === null ? "" : `chose “${control.chosen}”`;
    const facts = [chosen, control.changed ? "another answer than the run's" : ""].filter(Boolean).join(", ");
    return element("li", {}, element("span", {}, name), mark(control.verdict), element("small", {}, facts));
  }));
}

function reasonsBox(item, result) {
  const play = (start, end, recording) => timelines[(recording ?? 1) - 1]?.playSpan(start, end);
  const evidence = result.evidence.map((place) => statements[place]);
  return element("div", {}, ...drawReasons(result.reasons, evidence, item.clips.length ? play : null));
}

function evidenceOf(item, result, number) {
  const told = (one) => JSON.stringify([one.evidence, one.uses]);
  const same = (other) => other && told(other) === told(result);
  const first = item.results.findIndex(same);
  if (first < number) return element("p", { className: "note" }, `The same as in ${prefix(first)}${runs[first].name}.`);
  const durations = item.clips.map((clip) => clips[clip].duration_s);
  const rank = (place) => ({ decided: 0, read: 1 })[result.uses[place]] ?? 2; // what was read comes first
  const ranked = [...result.evidence].sort((a, b) => rank(a) - rank(b));
  const cited = (place) => (result.reasons ? citedAs(result.evidence.indexOf(place)) : "");
  return element("ul", { className: "evidence" }, ...ranked.map((place) => statement(statements[place], durations, result.uses[place], cited(place))));
}

function statement(one, durations, use, id) {
  const clip = (one.recording ?? 1) - 1;
  const duration = durations[clip] ?? null;
  const text = spanText(one);
  const dot = element("span", { className: "dot" });
  dot.dataset.lane = laneOf(one.kind);
  const said = { decided: "decided", read: "read", unread: "not read" }[use];
  const facts = [id, one.kind, one.source, one.confidence === null ? "" : one.confidence.toFixed(2), said].filter(Boolean).join(", ");
  const row = element("li", {}, duration === null ? element("small", {}, text) : seekButton(one, text, clip), element("small", {}, dot, facts), element("span", { className: "text" }, one.text));
  if (duration !== null) Object.assign(row.dataset, { start: one.start_s, end: endOf(one, duration), clip });
  return row;
}

function seekButton(one, text, clip) {
  const seek = element("button", { type: "button", title: "Play this part" }, text);
  seek.onclick = () => timelines[clip].playSpan(one.start_s, one.end_s);
  return seek;
}

buildForm();
for (const event of ["input", "change"]) form.addEventListener(event, filter);
form.addEventListener("reset", () => setTimeout(filter));
form.addEventListener("submit", (event) => event.preventDefault());
more.addEventListener("click", extend);
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "j") open(current + 1);
  if (event.key === "k") open(current - 1);
  if (event.key === "p") timelines[0]?.playPause();
});
filter();
