"""How an answer came about, as a person reads it."""

from io import StringIO

from deploy.console.explain import explain_steps, print_explained
from services.types import Answer, Choice, Citation, Claim, Evidence, Opinion, Reasons, ToolPlan, TraceStep

A, B = Choice(letter="A", text="Rain"), Choice(letter="B", text="Wind")
ANSWER = Answer(
    question_id="q",
    reply="A",
    choice=A,
    probabilities={"A": 0.8, "B": 0.2},
    path="auto",
    route="both",
    trace=(
        TraceStep(step="route", text="both (rule, a question about speech)"),
        TraceStep(step="caption", text="ears", seconds=0.25),
        TraceStep(step="transcribe", text="scribe", seconds=1.5),
        TraceStep(step="read", text="reader", seconds=2.0),
        TraceStep(step="listen again", text="sound (1 of 1), margin 0.90: Most like: rain.", seconds=0.5),
        TraceStep(step="listen", text="hearer", seconds=1.0),
        TraceStep(step="reconcile", text="they differ, fitted router, 0.25 of the say to the LALM"),
    ),
    evidence=(
        Evidence(kind="sound", source="yamnet", revision="1", text="Rain (0.9).", end_s=2.0, step="caption"),
        Evidence(kind="transcript", source="scribe", revision="1", text="Hello.", start_s=0.5, step="transcribe"),
        Evidence(kind="sound", source="focus", revision="1", text="Most like: rain.", end_s=2.0, step="listen again"),
    ),
    degraded=("no quality: it failed",),
    timings_s={"caption": 0.25, "transcribe": 1.5, "read": 2.0, "listen again": 0.5, "listen": 1.0},
    arms=(
        Opinion(path="cascade", choice=A, probabilities={"A": 0.9, "B": 0.1}),
        Opinion(path="lalm", choice=B, probabilities={}),
    ),
)


def test_each_statement_stands_with_the_step_that_made_it() -> None:
    told = {said.step: said for said in explain_steps(ANSWER)}
    assert list(told) == ["route", "caption", "transcribe", "read", "listen again", "listen", "reconcile", "answer"]
    assert told["caption"].lines == ("ears", "S1, 0.0-2.0 s, sound (yamnet): Rain (0.9).")
    assert told["transcribe"].lines == ("scribe", "S2, 0.5-end s, transcript (scribe): Hello.")
    assert told["listen again"].lines[1:] == ("S3, 0.0-2.0 s, sound (focus): Most like: rain.",)
    assert told["reconcile"].lines[1:] == (
        "cascade: A) Rain (A 90.0%, B 10.0%)",
        "lalm: B) Wind (without probabilities)",
    )
    assert told["answer"].lines == ("auto: A) Rain (A 80.0%, B 20.0%)",)
    assert [told[step].seconds for step in ("route", "caption", "read", "listen", "answer")] == [
        None,
        0.25,
        2.0,
        1.0,
        None,
    ]


def test_a_plan_stands_with_what_is_missing_its_arguments_and_why() -> None:
    called = ToolPlan(
        planner="llm", missing="when it begins", tool="find-sound", arguments={"sound": "rain"}, why="it looks"
    )
    refused = ToolPlan(planner="llm", tool="sonar", fault="unknown_tool", why="there is none")
    trace = tuple(TraceStep(step="plan", text="llm", plan=plan) for plan in (refused, called, ToolPlan(planner="llm")))
    told = [said.lines for said in explain_steps(ANSWER.model_copy(update={"trace": trace}))]
    assert told[:3] == [
        ("llm", "wrong: there is none"),
        ("llm", "missing: when it begins", 'arguments: {"sound": "rain"}', "why: it looks"),
        ("llm",),
    ]


def test_what_was_missing_and_what_it_took_is_said() -> None:
    out = StringIO()
    print_explained(ANSWER, 3.5, out)
    assert "Path auto, 3.50 s in all" in out.getvalue()
    assert "Missing: no quality: it failed" in out.getvalue()


def test_nothing_missing_is_said_too() -> None:
    out = StringIO()
    print_explained(ANSWER.model_copy(update={"degraded": ()}), 3.5, out)
    assert out.getvalue().splitlines()[-1] == "Missing: nothing"


def test_of_several_recordings_each_statement_names_its_own() -> None:
    heard = [one.model_copy(update={"recording": 2}) for one in ANSWER.evidence]
    told = {said.step: said for said in explain_steps(ANSWER.model_copy(update={"evidence": tuple(heard)}))}
    assert told["caption"].lines[1] == "S1, recording 2, 0.0-2.0 s, sound (yamnet): Rain (0.9)."


def test_an_open_question_is_answered_in_words() -> None:
    *_, last = explain_steps(ANSWER.model_copy(update={"choice": None, "reply": "It rains."}))
    assert last.lines == ("It rains.",)


def test_each_claim_stands_beside_the_evidence_that_it_cites() -> None:
    cites = (Citation(id="S1", end_s=1.5), Citation(id="S9"))
    claims = (
        Claim(text="It rains.", cites=cites, verdict="no_such_evidence", faults=("S9",)),
        Claim(text="It is cold.", verdict="uncited"),
    )
    out = StringIO()
    print_explained(ANSWER.model_copy(update={"reasons": Reasons(status="given", claims=claims)}), 3.5, out)
    printed = [line.split("\t") if "\t" in line else line.split("  ") for line in out.getvalue().splitlines()]
    rows = [" | ".join(cell.strip() for cell in cells if cell.strip()) for cells in printed]
    assert "It rains. | no such evidence: S9 | S1, 0.0-1.5 s: Rain (0.9)." in rows
    assert "It is cold. | cites nothing" in rows
    assert "S9" in rows


def test_what_could_not_be_read_as_claims_is_shown() -> None:
    out = StringIO()
    print_explained(ANSWER.model_copy(update={"reasons": Reasons(status="unreadable", unread="Because.")}), 3.5, out)
    assert "Could not be read as claims: Because." in out.getvalue()
