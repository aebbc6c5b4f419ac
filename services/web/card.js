// One answer as an article: options as bars, seconds per stage, evidence that plays its span, the route taken.

export function make(tag, content = "", className = "") {
  const node = document.createElement(tag);
  node.append(...[content].flat());
  if (className) node.className = className;
  return node;
}

export function waitingCard(title) {
  const article = make("article", [make("h3", title), make("p", "Listening …", "answer")]);
  article.setAttribute("aria-busy", "true");
  return article;
}

export function failedCard(title, reason) {
  return make("article", [make("h3", title), make("p", reason, "failed")]);
}

// `seconds` is what the browser waited, null where that is long ago; `blind` hides what would tell who answered.
export function card(title, answer, choices, seconds, clip, blind) {
  const parts = [make("h3", title), make("p", chosen(answer), "answer")];
  if (choices.length && Object.keys(answer.probabilities).length) parts.push(options(answer, choices), ...scale(answer));
  if (blind) return make("article", parts);
  for (const missing of answer.degraded) parts.push(make("p", `Missing: ${missing}`, "degraded"));
  parts.push(...stages(answer, seconds), ...evidence(answer, clip), ...trace(answer));
  return make("article", parts);
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
  return [make("p", "These probabilities are the model's own, not calibrated.", "note")];
}

function stages(answer, seconds) {
  const all = Object.entries(answer.timings_s);
  if (!all.length) return [];
  const longest = Math.max(...all.map(([, taken]) => taken), 1e-9);
  const rows = all.map(([name, taken]) => ({ name, share: taken / longest, figure: `${taken.toFixed(2)} s` }));
  const heading = seconds === null ? "Seconds per stage" : `Seconds per stage (${seconds.toFixed(2)} s in all)`;
  return [make("h4", heading), bars(rows)];
}

function bars(rows) {
  const list = make("ul", "", "bars");
  for (const row of rows) {
    const name = make("span", row.name, row.isChosen ? "name chosen" : "name");
    const track = make("span", make("span"), "track");
    track.setAttribute("aria-hidden", "true");
    track.firstChild.style.width = `${100 * row.share}%`;
    list.append(make("li", [name, track, make("span", row.figure, "figure")]));
  }
  return list;
}

const USES = { decided: "decided", read: "read", unread: "not read" };

// What was read comes first, and of it the statement that decided.
function evidence(answer, clip) {
  if (!answer.evidence.length) return [make("h4", "Evidence"), make("p", "None: this model listens to the recording itself.", "note")];
  const list = make("ul", "", "evidence");
  list.tabIndex = 0;
  const rank = (one) => ({ decided: 0, read: 1 })[one.use] ?? 2;
  for (const one of [...answer.evidence].sort((a, b) => rank(a) - rank(b))) list.append(statement(one, clip));
  const marked = answer.evidence.filter((one) => one.use);
  const read = marked.filter((one) => one.use !== "unread");
  const heading = marked.length ? `Evidence (read ${read.length} of ${marked.length})` : `Evidence (${answer.evidence.length})`;
  return [make("h4", heading), list];
}

function statement(one, clip) {
  const end = one.end_s === null ? "end" : one.end_s.toFixed(1);
  const span = `${one.start_s.toFixed(1)}–${end} s`;
  const button = make("button", span);
  button.type = "button";
  button.setAttribute("aria-label", `Play ${span}`);
  button.addEventListener("click", () => clip.playSpan(one.start_s, one.end_s));
  const sure = one.confidence === null ? "" : `, ${Math.round(100 * one.confidence)} % sure`;
  const source = make("small", `${one.kind} · ${one.source}, ${one.reliability}${sure}`);
  const use = one.use ? [" ", make("span", USES[one.use], `use ${one.use}`)] : [];
  return make("li", [button, make("p", [one.text, ...use, document.createElement("br"), source])], one.use ?? "");
}

function trace(answer) {
  const list = make("ol", "", "trace");
  for (const one of answer.trace) list.append(make("li", `${one.step}: ${one.text}`));
  return [make("h4", "Route"), list];
}
