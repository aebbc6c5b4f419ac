// One answer as an article: options as bars, seconds per stage, evidence that plays its span, the route taken.
import { citedAs, drawReasons } from "./claims.js";
import { spanText, tag } from "./lanes.js";

const WITHOUT = { lalm: "None: this model listens to the recording itself.", text: "None: this answer rests on the question alone." };
const USES = { decided: "decided", read: "read", unread: "not read" };

export function failedCard(title, reason) {
  return tag("article", "", tag("h3", "", title), tag("p", "failed", reason));
}

// `seconds` is what the browser waited, null where that is long ago; `play(start, end)` plays a span; `blind` hides what
// would tell who answered.
export function card(title, answer, { choices, seconds, play, blind }) {
  const parts = [tag("h3", "", title), tag("p", "answer", chosen(answer))];
  if (choices.length && Object.keys(answer.probabilities).length) parts.push(options(answer, choices), ...scale(answer));
  if (blind) return tag("article", "", ...parts);
  for (const warning of answer.warnings ?? []) parts.push(tag("p", "note", warning));
  for (const missing of answer.degraded) parts.push(tag("p", "degraded", `Missing: ${missing}`));
  if (answer.reasons) parts.push(tag("h4", "", "Reasons"), ...drawReasons(answer.reasons, answer.evidence, play));
  parts.push(...evidence(answer, play), ...details(answer, seconds));
  return tag("article", "", ...parts);
}

function chosen(answer) {
  const doubt = answer.is_unsure ? "Not sure: " : "";
  return answer.choice ? `${doubt}${answer.choice.letter}) ${answer.choice.text}` : answer.reply || "No answer: the model said nothing.";
}

function options(answer, choices) {
  return bars(
    choices.map((text, number) => {
      const letter = String.fromCharCode(65 + number);
      const share = answer.probabilities[letter] ?? 0;
      const isChosen = answer.choice?.letter === letter;
      return { name: `${letter}) ${text}${isChosen ? " ✓" : ""}`, share, figure: `${(100 * share).toFixed(1)} %`, isChosen };
    }),
  );
}

// A joint answer is on the scale of its router; any other says what makes its probabilities mean what they say.
function scale(answer) {
  if (answer.calibration || answer.arms.length) return [];
  return [tag("p", "note", "These probabilities are the model's own, not calibrated.")];
}

function bars(rows) {
  const list = tag("ul", "bars");
  for (const row of rows) {
    const track = tag("span", "track", tag("span"));
    track.setAttribute("aria-hidden", "true");
    track.firstChild.style.width = `${100 * row.share}%`;
    list.append(tag("li", "", tag("span", row.isChosen ? "name chosen" : "name", row.name), track, tag("span", "figure", row.figure)));
  }
  return list;
}

// What was read comes first, and of it the statement that decided.
function evidence(answer, play) {
  if (!answer.evidence.length) return [tag("h4", "", "Evidence"), tag("p", "note", WITHOUT[answer.path] ?? "None: nothing was heard that could be stated.")];
  const list = tag("ul", "evidence");
  list.tabIndex = 0;
  list.setAttribute("aria-label", "Evidence");
  const rank = (one) => ({ decided: 0, read: 1 })[one.use] ?? 2;
  const ids = new Map(answer.evidence.map((one, place) => [one, answer.reasons ? `${citedAs(place)} · ` : ""]));
  for (const one of [...answer.evidence].sort((a, b) => rank(a) - rank(b))) list.append(statement(one, play, ids.get(one)));
  const marked = answer.evidence.filter((one) => one.use);
  const read = marked.filter((one) => one.use !== "unread");
  const heading = marked.length ? `Evidence (read ${read.length} of ${marked.length})` : `Evidence (${answer.evidence.length})`;
  return [tag("h4", "", heading), list];
}

function statement(one, play, id) {
  const span = spanText(one);
  const button = tag("button", "", span);
  button.type = "button";
  button.setAttribute("aria-label", `Play ${span}`);
  button.addEventListener("click", () => play(one.start_s, one.end_s, one.recording));
  const sure = one.confidence === null ? "" : `, ${Math.round(100 * one.confidence)} % sure`;
  const source = tag("small", "", `${id}${one.kind} · ${one.source}, ${one.reliability}${sure}`);
  const use = one.use ? [" ", tag("span", `use ${one.use}`, USES[one.use])] : [];
  return tag("li", one.use ?? "", button, tag("p", "", one.text, ...use, tag("br"), ...withheld(one), source));
}

// What was said that no model was shown: an answer of before such sentences were withheld has no such field.
function withheld(one) {
  if (!one.withheld?.length) return [];
  return [tag("small", "", `Withheld, as it tells what to answer: ${one.withheld.join(" ")}`), tag("br")];
}

// What a planner wrote: an answer of before planners has no such field.
function planned(plan) {
  if (!plan) return [];
  const called = Object.keys(plan.arguments).length ? JSON.stringify(plan.arguments) : "";
  const fields = [["Missing", plan.missing], ["Arguments", called], [plan.fault ? "Wrong" : "Why", plan.why]];
  return fields.filter(([, text]) => text).flatMap(([name, text]) => [tag("br"), tag("small", "", `${name}: ${text}`)]);
}

function details(answer, seconds) {
  const all = Object.entries(answer.timings_s);
  const longest = Math.max(...all.map(([, taken]) => taken), 1e-9);
  const rows = all.map(([name, taken]) => ({ name, share: taken / longest, figure: `${taken.toFixed(2)} s` }));
  const heading = seconds === null ? "Seconds per stage" : `Seconds per stage (${seconds.toFixed(2)} s in all)`;
  const route = tag("ol", "trace", ...answer.trace.map((one) => tag("li", "", `${one.step}: ${one.text}`, ...planned(one.plan))));
  const times = rows.length ? [tag("h4", "", heading), bars(rows)] : [];
  return [tag("details", "", tag("summary", "", "How this answer was made"), ...times, tag("h4", "", "Route"), route)];
}
