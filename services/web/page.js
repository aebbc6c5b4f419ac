// The page of the service: a clip, a question, one or two ways to answer it. What models say is shown as text, never as HTML.
import { Clip } from "./clip.js";
import { card, failedCard, waitingCard } from "./card.js";
import { Votes } from "./votes.js";

const element = (id) => document.getElementById(id);
const NONE = "";
const LETTERS = ["A", "B"];

const clip = new Clip(element("wave"), element("play"));
const votes = new Votes(element("votes"), element("export"), element("forget"));
let running = null; // AbortController of the requests in flight
let round = null; // what was asked last: question, options, names in the order shown, answers

async function findModels() {
  const response = await fetch("v1/models");
  const body = await response.json();
  if (!response.ok) throw new Error(body.error.message);
  const names = body.data.map((model) => model.id).filter((name) => name !== "both");
  if (!names.length) throw new Error("No model is loaded yet.");
  const cascade = names.find((name) => name.startsWith("cascade/")) ?? names[0];
  const lalm = names.find((name) => name.startsWith("lalm/")) ?? NONE;
  fill(element("first"), names, cascade);
  fill(element("second"), [NONE, ...names], lalm);
  element("ask").disabled = false;
  element("state").textContent = `${names.length} models are ready.`;
}

function fill(select, names, chosen) {
  select.replaceChildren(...names.map((name) => new Option(name || "none", name, false, name === chosen)));
}

async function waitForModels() {
  for (;;) {
    try {
      return await findModels();
    } catch (error) {
      element("state").textContent = `${error.message} Trying again …`;
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

async function take(file) {
  say("");
  clear();
  element("clip").textContent = `${file.name}, ${(file.size / 1e6).toFixed(2)} MB`;
  const problem = await clip.open(file);
  if (problem) element("clip").textContent += ` (this browser cannot play it: ${problem}; it is sent anyway)`;
}

async function record() {
  const button = element("record");
  if (clip.isRecording) return clip.stopRecording();
  try {
    const recorded = clip.record();
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

async function ask(event) {
  event.preventDefault();
  const question = element("question").value.trim();
  const choices = element("choices").value.split("\n").map((line) => line.trim()).filter(Boolean);
  if (!clip.file) return refuse("Choose a recording first, or record one.", element("file"));
  if (!question) return refuse("Write a question first.", element("question"));
  if (choices.length === 1) return refuse("Give at least two options, or none for an open question.", element("choices"));
  const names = [element("first").value, element("second").value].filter((name) => name !== NONE);
  const blind = element("blind").checked && names.length === 2;
  if (blind && Math.random() < 0.5) names.reverse();
  say("");
  clip.clearSpans();
  running = new AbortController();
  round = { question, choices, names, blind, answers: [] };
  busy(true);
  const cards = names.map((name, number) => waitingCard(title(number)));
  element("answers").replaceChildren(...cards);
  element("agreement").textContent = "";
  element("vote").hidden = true;
  element("result").hidden = false;
  element("result-title").focus();
  round.answers = await Promise.all(names.map((name, number) => one(name, number)));
  busy(false);
  conclude();
}

async function one(name, number) {
  const form = new FormData();
  form.append("file", clip.file, clip.file.name);
  form.append("question", round.question);
  for (const choice of round.choices) form.append("choices", choice);
  form.append("model", name);
  const started = performance.now();
  try {
    const response = await fetch("v1/audio/questions", { method: "POST", body: form, signal: running.signal });
    const body = await response.json();
    if (!response.ok) throw new Error(body.error.message);
    const seconds = (performance.now() - started) / 1000;
    show(number, card(title(number), body, round.choices, seconds, clip, round.blind));
    return body;
  } catch (error) {
    show(number, failedCard(title(number), error.name === "AbortError" ? "Stopped." : error.message));
    return null;
  }
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
  round.answers.forEach((answer, number) => show(number, card(title(number), answer, round.choices, null, clip, false)));
  element("agreement").textContent = `A was ${round.names[0]}, B was ${round.names[1]}.`;
  element("result-title").focus();
}

function busy(isBusy) {
  element("ask").disabled = isBusy;
  element("stop").hidden = !isBusy;
}

function clear() {
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

element("form").addEventListener("submit", ask);
element("stop").addEventListener("click", () => running.abort());
element("record").addEventListener("click", record);
element("file").addEventListener("change", (event) => event.target.files.length && take(event.target.files[0]));
for (const button of document.querySelectorAll("[data-vote]")) button.addEventListener("click", () => vote(button.dataset.vote));
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", () => document.body.classList.remove("dropping"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
});
waitForModels();
