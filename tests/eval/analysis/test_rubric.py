import json
from pathlib import Path

import pytest
import soundfile

from eval.analysis.rubric import rate_run, read_ratings, score_claims
from eval.run import session
from eval.run.request import RunRequest, name_run_folder
from services import catalog
from services.errors import BadConfig, ModelError
from services.scripted.ears import ScriptedEars
from services.scripted.llm import ScriptedLLM, ScriptedStructuredLLM

RUBRIC = [{"name": f"item {number}", "scoring_point": "Names what is heard.", "note": ""} for number in range(5)]
ROW = {"audio_path": "a.wav", "question": "Who?", "choices": ["Man", "Woman"], "modality": "speech", "rubric": RUBRIC}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a run of four items whose LLM always says Man: items 0 and 1 right, 2 and 3 wrong."""
    bench = tmp_path / "MMAR.jsonl"
    rows = [ROW | {"id": str(number), "answer": "Man" if number < 2 else "Woman"} for number in range(4)]
    bench.write_text("\n".join(json.dumps(row) for row in rows))
    monkeypatch.setitem(catalog.LLMS, "man", lambda url: ScriptedLLM(lambda _: "Man, by the low pitch."))
    out = tmp_path / "run"
    session.run(RunRequest(path="text", bench=str(bench), llm="man", concurrency=2, out=out))
    return out


def judge(*replies: str) -> ScriptedLLM:
    waiting = iter(replies)
    return ScriptedLLM(lambda _: next(waiting), name="judge")


async def test_the_outermost_raters_are_dropped_and_wrong_answers_score_nothing(run: Path) -> None:
    rated = ["[1,1,1,1,1]", "[1,1,1,0,0]", "[1,1,0,0,0]", "[1,1,1,1,0]", "[0,0,0,0,0]"]
    score = await rate_run(run, judge(*rated, *["[1,1,1,1,1]"] * 5), concurrency=1)
    assert (score.n, score.judged, score.wrong, score.failed) == (4, 2, 2, 0)
    # Item 0: 0.6, 0.4 and 0.8 remain; item 1: 1; two wrong ones: 0.
    assert score.score == pytest.approx((0.6 + 1.0) / 4)


async def test_a_rating_that_is_none_is_failed_and_asked_again_alone(run: Path) -> None:
    first = await rate_run(run, judge("Correct!", *["[1,1,1,1,1]"] * 9), concurrency=1)
    assert (first.judged, first.failed) == (1, 1)
    asked: list[str] = []

    def once(prompt: str) -> str:
        asked.append(prompt)
        return "[1,1,1,1,1]"

    again = await rate_run(run, ScriptedLLM(once, name="judge"), concurrency=1)
    assert (again.judged, again.failed, again.score) == (2, 0, 0.5)
    assert len(asked) == 1
    assert "Reply:\nMan, by the low pitch." in asked[0]
    assert "5. item 4: Names what is heard." in asked[0]


async def test_a_line_that_a_crash_cut_short_costs_one_rating(run: Path) -> None:
    await rate_run(run, judge(*["[1,1,1,1,1]"] * 10), concurrency=1)
    file = run / "rubric.jsonl"
    file.write_text(file.read_text()[:-20])
    score = await rate_run(run, judge("[0,0,0,0,0]"), concurrency=1)
    assert (score.judged, score.failed, score.score) == (2, 0, 0.5)


async def test_ratings_of_another_judge_do_not_count(run: Path) -> None:
    await rate_run(run, judge(*["[1,1,1,1,1]"] * 10), concurrency=1)
    stern = await rate_run(run, ScriptedLLM(lambda _: "[0,0,0,0,0]", name="stern"), concurrency=1)
    assert (stern.judge, stern.judged, stern.score) == ("stern", 2, 0.0)
    assert (await rate_run(run, judge(), concurrency=1)).score == 0.5


async def test_a_judge_that_is_down_fails_ratings_not_the_command(run: Path) -> None:
    def down(_: str) -> str:
        raise ModelError("The server is gone.")

    score = await rate_run(run, ScriptedLLM(down))
    assert (score.judged, score.failed, score.score) == (0, 2, 0.0)
    assert "The server is gone." in (run / "rubric.jsonl").read_text()


async def test_a_benchmark_that_changed_is_refused(run: Path) -> None:
    with pytest.raises(BadConfig, match="not a run folder"):
        await rate_run(run.parent, judge())
    bench = run.parent / "MMAR.jsonl"
    bench.write_text(bench.read_text().replace("Who?", "Who is it?"))
    with pytest.raises(BadConfig, match="has changed since the run"):
        await rate_run(run, judge())


@pytest.mark.parametrize(
    ("reply", "met"),
    [
        ("[1, 0, 1]", (True, False, True)),
        ("Sure:\n```json\n[1,0,1]\n```", (True, False, True)),
        ("[1,0,1] because [1] and [2]", (True, False, True)),
        ("[1,0,1] or rather [0,0,1]", None),
        ("[1,0]", None),
        ("[1,0,2]", None),
        ("[1,0,NaN]", None),
        (f"[1,0,{'9' * 5000}]", None),
        ("[true,false,true]", None),
        ("yes", None),
        ("", None),
    ],
)
def test_ratings_are_one_list_of_zeros_and_ones_or_nothing(reply: str, met: tuple[bool, ...] | None) -> None:
    assert read_ratings(reply, 3) == met


@pytest.fixture
def explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Path) -> Path:
    """Return a run over the same items whose answers bring two claims each, one of them supported."""
    cited = [{"id": "S1"}]
    claims = [{"claim": text, "evidence": cited} for text in ("A low pitch.", "It has 2 voices.")]
    written = json.dumps({"claims": claims})
    llm = ScriptedStructuredLLM(lambda prompt: written if "answer given" in prompt else "Man")
    monkeypatch.setitem(catalog.LLMS, "writer", lambda url: llm)
    monkeypatch.setitem(catalog.CAPTIONERS, "ears", lambda: ScriptedEars(lambda *_: ("A low pitch.",), name="pitches"))
    monkeypatch.setitem(catalog.ASRS, "ears", ScriptedEars)
    soundfile.write(tmp_path / "a.wav", [0.5, -0.5] * 8_000, 16_000)
    models = {"llm": "writer", "captioner": "ears", "asr": "ears"}
    out, bench = tmp_path / "explained", str(tmp_path / "MMAR.jsonl")
    request = RunRequest(path="cascade", bench=bench, concurrency=1, out=out, explains=True, **models)
    session.run(request)
    assert name_run_folder(request.resolve_options()).name.endswith("-explained")
    return out


async def test_claims_are_counted_and_shown_to_the_judge(run: Path, explained: Path) -> None:
    with pytest.raises(BadConfig, match="eval run --explain"):
        score_claims(run)
    assert (await rate_run(run, judge(*["[1,1,1,1,1]"] * 10), concurrency=1)).claims is None
    found = score_claims(explained)
    assert (found.statuses, found.verdicts) == ({"given": 4}, {"supported": 4, "wrong_number": 4})
    assert (found.num_claims, found.supported, found.clustered_95) == (8, 0.5, None)  # all are about one recording
    asked: list[str] = []

    def rate(prompt: str) -> str:
        asked.append(prompt)
        return "[1,1,1,1,1]"

    assert (await rate_run(explained, ScriptedLLM(rate, name="judge"), concurrency=1)).claims == found
    assert "Reply:\nMan\n\nReasons:\n- A low pitch.\n- It has 2 voices." in asked[0]


def test_statements_that_stand_for_claims_are_not_counted_as_supported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Path
) -> None:
    monkeypatch.setitem(catalog.CAPTIONERS, "ears", lambda: ScriptedEars(lambda *_: ("A man.",), name="men"))
    monkeypatch.setitem(catalog.ASRS, "ears", ScriptedEars)
    soundfile.write(tmp_path / "a.wav", [0.5, -0.5] * 8_000, 16_000)
    models = {"llm": "man", "captioner": "ears", "asr": "ears"}
    out, bench = tmp_path / "unwritten", str(tmp_path / "MMAR.jsonl")
    session.run(RunRequest(path="cascade", bench=bench, concurrency=1, out=out, explains=True, **models))
    found = score_claims(out)
    assert (found.statuses, found.num_unwritten, found.num_claims, found.supported) == ({"given": 4}, 4, 0, None)
