// The reasons for an answer: each claim beside the evidence that it cites, which plays its span. The service's page and the
// report share it. What models say is put in as text, never as HTML.
import { spanText, tag } from "./lanes.js";

const FOUND = {
  supported: "✓ supported",
  uncited: "cites nothing",
  no_such_evidence: "no such evidence",
  wrong_time: "outside the evidence's time",
  wrong_number: "number not in the evidence",
  misquoted: "words not in the evidence",
  unrelated: "no word in common with",
  contradicted: "the evidence says the opposite",
  unchecked: "whether the evidence says so cannot be told",
};
const WITHOUT_CLAIMS = {
  none: "None: nothing that was heard speaks for this answer alone.",
  no_evidence: "None: nothing was heard that could be cited.",
  no_llm: "None: there is no language model on this path to write them.",
  unreadable: "What the model wrote could not be read as claims:",
  cut_off: "What the model wrote was cut off:",
  late: "Left out, as time was short.",
  failed: "Left out, as the model failed.",
};

// The id under which claims cite a statement, by its place among the evidence of the answer.
export const citedAs = (place) => `S${place + 1}`;

// `evidence`: the statements of the answer, in its order; `play(start, end, recording)` plays a span, null: nothing can be.
export function drawReasons(reasons, evidence, play) {
  const drawn = [];
  if (WITHOUT_CLAIMS[reasons.status]) drawn.push(tag("p", "note", WITHOUT_CLAIMS[reasons.status]));
  if (reasons.unread) drawn.push(tag("p", "unread-reply", reasons.unread));
  if (reasons.claims.length) {
    drawn.push(tag("ol", "claims", ...reasons.claims.map((claim) => drawClaim(claim, evidence, play))));
    const wrote = reasons.author ? `Written by ${reasons.author}` : "The evidence that speaks for this option alone";
    drawn.push(tag("p", "note", `${wrote}. Supported: the evidence exists and shares words with the claim, and times, numbers and quotations stand in it, and neither denies the other.`));
  }
  return drawn;
}

function drawClaim(claim, evidence, play) {
  const faults = claim.faults.length ? `: ${claim.faults.join("; ")}` : "";
  const verdict = tag("span", `verdict ${claim.verdict}`, `${FOUND[claim.verdict] ?? claim.verdict}${faults}`);
  const cited = claim.cites.map((cite) => drawCited(cite, evidence.find((_, place) => citedAs(place) === cite.id), play));
  return tag("li", "", tag("div", "claim", tag("p", "", claim.text), verdict), tag("ul", "cited", ...cited));
}

function drawCited(cite, statement, play) {
  const id = tag("small", "", cite.id);
  if (!statement) return tag("li", "", id);
  const span = spanText({ ...cite, recording: statement.recording });
  const button = tag(play ? "button" : "span", "", span);
  if (play) {
    button.type = "button";
    button.setAttribute("aria-label", `Play ${span}`);
    button.addEventListener("click", () => play(cite.start_s, cite.end_s, statement.recording));
  }
  return tag("li", "", id, button, tag("span", "", statement.text));
}
