// The page of the service: a recording, a question, one or two ways to answer it. What models say is shown as text, never as HTML.
import { card, failedCard } from "./card.js";
import { isAbout, tag } from "./lanes.js";
import { Progress } from "./progress.js";
import { Recorder } from "./recorder.js";
import { askQuestion, describe, listLoading, listModels } from "./server.js";
import { Timeline } from "./timeline.js";
import { Votes } from "./votes.js";

const element = (id) => document.getElementById(id);
const NONE = "";
const LETTERS = ["A", "B"];
const WIDE = matchMedia("(min-width: 64rem)"); // as in the style sheet
const WAYS = {
  cascade: "Takes notes of what is heard and said; a language model answers from them. You see the notes, and when.",
  lalm: "A model that listens to the recording itself. It takes no notes, so there is less to check.",
  informed: "A model that listens to the recording itself, with notes of what was heard beside it.",
  auto: "Takes notes, listens or does both, whatever suits the question.",
  text: "Answers from the question alone, without the recording: this shows what can be guessed.",
};
const EXAMPLE = {
  file: "web/example.mp3",
  question: "When does the train leave?",
  choices: ["At nine o'clock", "At half past nine", "At half past ten", "At noon"],
};

const recorder = new Recorder();
const votes = new Votes(element("votes-section"), element("votes"), element("export"), element("forget"));
let files = []; // the recordings
let timelines = []; // of each
let described = []; // statements on them, without a question
let running = null; // AbortController of the requests in flight
let round = null; // what was asked last: question, options, names in the order shown, answers

// Lists the models that can answer now; resolves to whether all are loaded.
async function findModels() {
  const names = (await listModels()).filter((name) => name !== "both");
  if (!names.length) throw new Error("The models are still loading.");
  fill(element("first"), names, names.find((name) => name.startsWith("cascade/")) ?? names[0]);
  fill(element("second"), [NONE, ...names], NONE);
  explainWays();
  if (!running) element("ask").disabled = false;
  const loading = await listLoading();
  const ready = names.length === 1 ? "1 model is ready" : `${names.length} models are ready`;
  element("state").textContent = loading.length ? `${ready}; still loading: ${loading.join(", ")} …` : `${ready}.`;
  return !loading.length;
}

// What was chosen stays chosen.
function fill(select, names, usual) {
  const chosen = names.includes(select.value) && select.options.length ? select.value : usual;
  select.replaceChildren(...names.map((name) => new Option(name || "none", name, false, name === chosen)));
}

function explainWays() {
  for (const [select, place] of [["first", "way"], ["second", "second-way"]]) {
    element(place).textContent = WAYS[element(select).value.split("/")[0]] ?? "";
  }
}

async function waitForModels() {
  for (;;) {
    try {
      if (await findModels()) return;
    } catch (error) {
      element("state").textContent = `${error.message} Trying again …`;
    }
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}

async function take(...taken) {
  say("");
  clear();
  files = taken;
  for (const old of timelines) old.destroy();
  const names = files.map((file) => `${file.name}, ${tellSize(file.size)}`);
  const telling = () => element("clip").replaceChildren(...names.map((name, place) => tag("span", "", number(place), name, tag("br"))));
  telling();
  element("nothing").hidden = true;
  element("timeline").hidden = false;
  element("describe").hidden = false;
  const places = files.map(() => tag("div"));
  element("timeline").replaceChildren(...places.flatMap((place, at) => (files.length > 1 ? [tag("h3", "", `Recording ${at + 1}`), place] : [place])));
  timelines = places.map((place) => new Timeline(place));
  await Promise.all(files.map(async (file, place) => {
    const problem = await timelines[place].open(file);
    if (!problem || files !== taken) return;
    names[place] += ". This browser cannot play it; ask, and the service tries to read it.";
    telling();
  }));
}

const tellSize = (bytes) => (bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
const number = (place) => (files.length > 1 ? `${place + 1}. ` : "");

async function record() {
  const button = element("record");
  if (recorder.isRecording) return recorder.stop();
  try {
    const recorded = recorder.record();
    button.setAttribute("aria-pressed", "true");
    button.textContent = "Stop recording";
    await take(await recorded);
  } catch (error) {
    say(`The microphone cannot be used: ${error.message}`);
  } finally {
    button.setAttribute("aria-pressed", "false");
    button.textContent = "Record";
  }
}

async function takeExample() {
  try {
    const response = await fetch(EXAMPLE.file);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    element("question").value = EXAMPLE.question;
    element("choices").value = EXAMPLE.choices.join("\n");
    await take(new File([await response.blob()], "example.mp3", { type: "audio/mpeg" }));
  } catch (error) {
    say(`The example cannot be loaded: ${error.message}`);
  }
}

async function showAllHeard() {
  const about = files;
  element("describe").disabled = true;
  element("described").textContent = "Listening …";
  try {
    const told = await Promise.all(about.map((file) => describe(file)));
    if (about !== files) return;
    described = told.flatMap((ones, place) => ones.map((one) => (about.length > 1 ? { ...one, recording: place + 1 } : one)));
    element("described").textContent = `${described.length} statements.`;
    showEvidence();
  } catch (error) {
    if (about === files) element("described").textContent = error.message;
  } finally {
    element("describe").disabled = false;
  }
}

// The lanes hold what was described and what the answers rest on; in a blind comparison that would tell who answered.
function showEvidence() {
  const answers = round && !round.blind ? round.answers.filter(Boolean) : [];
  const told = [...described, ...answers.flatMap((answer) => answer.evidence)];
  timelines.forEach((timeline, place) => timeline.show(told.filter((one) => isAbout(one, place))));
}

async function ask(event) {
  event.preventDefault();
  const question = element("question").value.trim();
  const choices = element("choices").value.split("\n").map((line) => line.trim()).filter(Boolean);
  if (!files.length) return refuse("Choose a recording first, or record one.", element("file"));
  if (!question) return refuse("Write a question first.", element("question"));
  if (choices.length === 1) return refuse("Give at least two possible answers, or none.", element("choices"));
  const names = [element("first").value, element("second").value].filter((name) => name !== NONE);
  const blind = element("blind").checked && names.length === 2;
  if (blind && Math.random() < 0.5) names.reverse();
  say("");
  running = new AbortController();
  round = { question, choices, names, blind, explain: element("explain").checked, answers: [] };
  showEvidence();
  busy(true);
  const shown = names.map((name, number) => new Progress(title(number)));
  element("answers").replaceChildren(...shown.map((one) => one.article));
  element("agreement").textContent = "";
  element("vote").hidden = true;
  element("result").hidden = false;
  element("result-title").textContent = names.length === 1 ? "Answer" : "Answers";
  element("result-title").focus();
  await Promise.all(names.map((name, number) => one(name, number, shown[number])));
  busy(false);
  conclude();
}

async function one(name, number, progress) {
  const asked = round;
  const started = performance.now();
  try {
    const posted = { files, question: asked.question, choices: asked.choices, model: name, explain: asked.explain };
    const answer = await askQuestion(posted, (event) => progress.tell(event), running.signal);
    asked.answers[number] = answer;
    show(number, draw(number, answer, (performance.now() - started) / 1000));
    showEvidence();
  } catch (error) {
    asked.answers[number] = null;
    show(number, failedCard(title(number), error.name === "AbortError" ? "Stopped." : error.message));
  } finally {
    progress.end();
  }
}

function draw(number, answer, seconds) {
  const play = (start, end, recording) => timelines[(recording ?? 1) - 1].playSpan(start, end);
  return card(title(number), answer, { choices: round.choices, seconds, play, blind: round.blind });
}

function title(number) {
  if (round.names.length === 1) return round.names[0];
  return round.blind ? LETTERS[number] : `${LETTERS[number]} · ${round.names[number]}`;
}

function show(number, article) {
  element("answers").children[number].replaceWith(article);
}

function conclude() {
  const [first, second] = round.answers;
  if (!first || !second) return;
  const same = first.choice && second.choice && first.choice.letter === second.choice.letter;
  if (round.choices.length) element("agreement").textContent = same ? "Both give the same answer." : "They differ.";
  element("vote").hidden = false;
}

function vote(winner) {
  votes.add({ ...round, winner });
  element("vote").hidden = true;
  if (!round.blind) return;
  round.blind = false;
  round.answers.forEach((answer, number) => show(number, draw(number, answer, null)));
  showEvidence();
  element("agreement").textContent = `A was ${round.names[0]}, B was ${round.names[1]}.`;
  element("result-title").focus();
}

function busy(isBusy) {
  if (!isBusy) running = null;
  for (const id of ["ask", "file", "record", "example"]) element(id).disabled = isBusy;
  element("stop").hidden = !isBusy;
}

function clear() {
  described = [];
  round = null;
  element("described").textContent = "";
  element("result").hidden = true;
  element("answers").replaceChildren();
}

function say(problem) {
  element("problem").textContent = problem;
}

function refuse(problem, field) {
  say(problem);
  field.focus();
}

// Beside the form where there is room for it, else below the recording that it is about.
function placeTimeline() {
  if (WIDE.matches) element("shown").prepend(element("heard"));
  else element("form").firstElementChild.after(element("heard"));
}

element("form").addEventListener("submit", ask);
element("stop").addEventListener("click", () => running?.abort());
element("record").addEventListener("click", record);
element("example").addEventListener("click", takeExample);
element("describe").addEventListener("click", showAllHeard);
element("file").addEventListener("change", (event) => event.target.files.length && take(...event.target.files));
for (const select of ["first", "second"]) element(select).addEventListener("change", explainWays);
for (const button of document.querySelectorAll("[data-vote]")) button.addEventListener("click", () => vote(button.dataset.vote));
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", () => document.body.classList.remove("dropping"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  if (event.dataTransfer.files.length && !element("file").disabled) take(...event.dataTransfer.files);
});
WIDE.addEventListener("change", placeTimeline);
placeTimeline();
waitForModels();
