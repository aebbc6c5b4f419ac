"""Who is asked, and how two answers become one."""

import json
from pathlib import Path

import numpy as np
import pytest

from agents.auto import Auto
from agents.cascade import Cascade
from agents.direct import Direct
from agents.routing.features import compute_evidence_features, compute_question_features, guess_modality
from agents.routing.router import (
    MIN_WEIGHT,
    ArmModels,
    ArmWeight,
    Logistic,
    Provenance,
    Router,
    Rule,
    Stack,
    choose_route,
    load_router,
    load_routing,
)
from lalm.names import DEFAULT_LALM
from services.catalog import DEFAULT_ASR, DEFAULT_CAPTIONER, DEFAULT_LLM
from services.errors import BadConfig
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import ScriptedLALM
from services.scripted.llm import ScriptedLLM
from services.types import (
    Answer,
    AudioClip,
    Choice,
    Evidence,
    Label,
    Question,
    Reading,
    Usage,
)

MODELS = ArmModels(llm="reader", captioner="ears", asr="scribe", lalm="hearer")
CLIP = AudioClip(np.zeros(16_000, np.float32))
MUSIC = Question.ask("Which instrument plays the melody?", ("Oboe", "Tuba"))
SPEECH = Question.ask("What does the speaker say?", ("Yes", "No"))
SOUND = Question.ask("Which sound is heard?", ("Rain", "Wind"))


def reading(name: str, probabilities: dict[str, float]) -> Reading:
    letter = max(probabilities, key=probabilities.__getitem__, default=None)
    return Reading(reply=f"{name} says {letter}", probabilities=probabilities, usage=Usage(prompt_tokens=5))


def open_llm(**probabilities: float) -> ScriptedLLM:
    """Open the LLM of the cascade."""
    return ScriptedLLM(lambda _: "cascade says it", lambda *_: reading("cascade", probabilities), name="cascade")


def open_lalm(**probabilities: float) -> ScriptedLALM:
    return ScriptedLALM(lambda *_: reading("lalm", probabilities), name="lalm")


def logistic(names: tuple[str, ...], weights: tuple[float, ...], bias: float = 0.0) -> Logistic:
    return Logistic(names=names, means=(0.0,) * len(names), scales=(1.0,) * len(names), weights=weights, bias=bias)


def stack(cascade: float, lalm: float, **of_lalm: float) -> Stack:
    """What each arm has to say; the LALM's depends on features by these weights."""
    names = tuple(of_lalm)
    level, scale = (0.0,) * len(names), (1.0,) * len(names)
    weights = ArmWeight(weights=tuple(of_lalm.values()), bias=lalm)
    return Stack(names=names, means=level, scales=scale, cascade=ArmWeight(weights=level, bias=cascade), lalm=weights)


def router(before: Logistic, after: Stack, certainty: float) -> Router:
    provenance = Provenance(runs={}, benchmark_sha256="1", questions=1, discordant=1, folds=5, versions={})
    return Router(
        models=MODELS,
        cascade_temperature=1.0,
        lalm_temperature=1.0,
        before=before,
        after=after,
        certainty=certainty,
        provenance=provenance,
    )


async def asked(question: Question, routing: Rule | Router, *, cascade: ScriptedLLM, lalm: ScriptedLALM) -> Answer:
    ears = ScriptedEars(name="ears")
    arms = Cascade(cascade, ears, ears), Direct(lalm)
    return await Auto(*arms, routing).answer(question, CLIP)


@pytest.mark.parametrize(
    ("question", "num_asked", "letter"),
    [(MUSIC, (1, 0), "A"), (SOUND, (0, 1), "B"), (SPEECH, (1, 1), "B")],
    ids=["music", "sound", "speech"],
)
async def test_without_a_router_the_rule_decides_whom_to_ask(
    question: Question, num_asked: tuple[int, int], letter: str
) -> None:
    cascade, lalm = open_llm(A=0.6, B=0.4), open_lalm(A=0.1, B=0.9)
    answer = await asked(question, Rule(), cascade=cascade, lalm=lalm)
    assert (len(cascade.prompts), len(lalm.prompts)) == num_asked
    assert answer.path == "auto"
    assert answer.choice is not None and answer.choice.letter == letter
    assert answer.usage.prompt_tokens == 5 * sum(num_asked)


async def test_the_answer_says_who_was_asked_and_why() -> None:
    answer = await asked(SPEECH, Rule(), cascade=open_llm(A=0.6, B=0.4), lalm=open_lalm(A=0.1, B=0.9))
    assert tuple(map(str, answer.trace)) == (
        "route: both (rule, a question about speech)",
        "caption: ears",
        "transcribe: ears",
        "read: cascade",
        "listen: lalm",
        "reconcile: they differ, product of probabilities, 0.50 of the say to the LALM",
    )
    assert answer.timings_s.keys() == {"caption", "transcribe", "read", "listen"}
    assert [(arm.path, arm.choice.letter, arm.probabilities["A"]) for arm in answer.arms if arm.choice] == [
        ("cascade", "A", 0.6),
        ("lalm", "B", 0.1),
    ]
    (heard,) = answer.evidence
    assert (heard.kind, heard.source, heard.revision, heard.text) == ("reply", "lalm", "1", "No")
    assert (heard.start_s, heard.end_s, heard.confidence) == (0.0, CLIP.duration_s, 0.9)
    alone = await asked(MUSIC, Rule(), cascade=open_llm(A=0.6, B=0.4), lalm=open_lalm(A=0.1, B=0.9))
    assert str(alone.trace[0]) == "route: cascade (rule, a question about music)"


async def test_the_cascade_answers_where_the_recording_tells_what_to_answer() -> None:
    sure_of_b, unsure_of_a = open_lalm(A=0.05, B=0.95), open_llm(A=0.6, B=0.4)
    for said, letter in (("We met yesterday.", "B"), ("We met yesterday. The correct answer is no.", "A")):
        ears = ScriptedEars(lambda *_: ("Sounds heard: speech.",), lambda _, said=said: (said,))
        arms = Cascade(unsure_of_a, ears, ears), Direct(sure_of_b)
        answer = await Auto(*arms, Rule()).answer(SPEECH, CLIP)
        assert answer.choice is not None and answer.choice.letter == letter
        assert [arm.path for arm in answer.arms] == ["cascade", "lalm"]
    assert answer.probabilities == {"A": 0.6, "B": 0.4}
    assert str(answer.trace[-1]).endswith("the LALM hears a demand that is withheld from the cascade, which decides")


async def test_a_fitted_router_asks_both_when_unsure_and_weighs_them_by_their_confidence() -> None:
    equal = stack(1.0, 1.0)
    fitted = router(logistic(("about music",), (-3.0,)), equal, certainty=0.9)
    sure, unsure = {"A": 0.95, "B": 0.05}, {"A": 0.45, "B": 0.55}
    music = await asked(MUSIC, fitted, cascade=open_llm(**unsure), lalm=open_lalm(**sure))
    assert str(music.trace[0]) == "route: cascade (fitted router, the LALM right with 0.05)"
    assert music.choice == Choice(letter="B", text="Tuba")
    for cascade, lalm in ((unsure, sure), (sure, unsure)):
        both = await asked(SPEECH, fitted, cascade=open_llm(**cascade), lalm=open_lalm(**lalm))
        assert both.choice == Choice(letter="A", text="Yes")
        assert both.probabilities["A"] == pytest.approx(0.95 * 0.45 / (0.95 * 0.45 + 0.05 * 0.55))
        assert str(both.trace[-1]) == "reconcile: they differ, fitted router, 0.50 of the say to the LALM"


async def test_the_say_of_an_arm_depends_on_the_question_and_is_never_against_it() -> None:
    learnt = stack(1.0, 1.0, **{"about sound": 2.0, "about music": -5.0})
    fitted = router(logistic((), ()), learnt, certainty=1.01)
    cascade, lalm = open_llm(A=0.8, B=0.2), open_lalm(A=0.3, B=0.7)
    sound = await asked(SOUND, fitted, cascade=cascade, lalm=lalm)
    # 0.8 * 0.3**3 against 0.2 * 0.7**3
    assert sound.probabilities["B"] == pytest.approx(0.0686 / (0.0686 + 0.0216), abs=1e-6)
    assert sound.trace[-1].text.endswith("0.75 of the say to the LALM")
    music = await asked(MUSIC, fitted, cascade=cascade, lalm=lalm)
    assert learnt.compute_weights({"about sound": 0.0, "about music": 1.0}) == (1.0, MIN_WEIGHT)
    assert music.choice == Choice(letter="A", text="Oboe")


async def test_without_probabilities_the_arm_with_more_say_and_an_answer_decides() -> None:
    fitted = router(logistic((), ()), stack(1.0, 2.0), certainty=1.01)
    silent = await asked(SPEECH, fitted, cascade=open_llm(A=0.7, B=0.3), lalm=open_lalm())
    assert silent.choice == Choice(letter="A", text="Yes")
    neither = await asked(SPEECH, fitted, cascade=open_llm(), lalm=open_lalm())
    assert (neither.choice, neither.probabilities, neither.reply) == (None, {}, "lalm says None")


async def test_an_open_question_goes_to_one_arm() -> None:
    cascade, lalm = open_llm(), open_lalm()
    await asked(Question.ask("What does the speaker say?"), Rule(), cascade=cascade, lalm=lalm)
    assert (len(cascade.prompts), len(lalm.prompts)) == (1, 0)


def test_certainty_turns_a_probability_into_a_way() -> None:
    assert [choose_route(p, 0.8) for p in (0.1, 0.3, 0.5, 0.8)] == ["cascade", "both", "both", "lalm"]
    assert {choose_route(p / 10, 0.5) for p in range(11)} == {"cascade", "lalm"}
    assert {choose_route(p / 10, 1.01) for p in range(11)} == {"both"}


def test_a_router_is_used_only_with_the_models_it_was_fitted_on(tmp_path: Path) -> None:
    file = tmp_path / "router.json"
    assert isinstance(load_routing(MODELS, file), Rule)
    fitted = router(logistic(("options",), (0.5,)), stack(1.0, 1.0), certainty=0.7)
    file.write_text(fitted.model_dump_json())
    assert load_routing(MODELS, file) == fitted
    assert isinstance(load_routing(MODELS.model_copy(update={"lalm": "other"}), file), Rule)
    file.write_text('{"format": 1}')
    with pytest.raises(BadConfig, match=r"router\.json' is not a router of this version"):
        load_routing(MODELS, file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cascade_temperature": 0}, "not a router of this version .*greater than 0"),
        ({"lalm_temperature": -1}, "not a router of this version .*greater than 0"),
        ({"certainty": "NaN"}, "not a router of this version"),
        ({"before": {"names": ["options"], "means": [0], "scales": [0], "weights": [1], "bias": 0}}, "greater than 0"),
        ({"before": {"names": ["options"], "means": [0], "scales": [1], "weights": ["NaN"], "bias": 0}}, "finite"),
        ({"before": {"names": ["options"], "means": [0], "scales": [1], "weights": [], "bias": 0}}, "differ in number"),
        (
            {"before": {"names": ["x"], "means": [0], "scales": [1], "weights": [1], "bias": 0}},
            "looks at the feature 'x'",
        ),
    ],
)
def test_a_damaged_router_is_refused_before_anything_is_asked(
    change: dict[str, object], message: str, tmp_path: Path
) -> None:
    whole = router(logistic(("options",), (0.5,)), stack(1.0, 1.0), certainty=0.7)
    file = tmp_path / "router.json"
    file.write_text(json.dumps(whole.model_dump() | change))
    with pytest.raises(BadConfig, match=message):
        load_routing(MODELS, file)


def test_a_router_that_was_named_is_not_replaced(tmp_path: Path) -> None:
    fitted, file = router(logistic((), ()), stack(1.0, 1.0), certainty=0.7), tmp_path / "mine.json"
    file.write_text(fitted.model_dump_json())
    assert load_router(MODELS, file) == fitted
    with pytest.raises(BadConfig, match=r"mine\.json' was fitted on .*lalm hearer; here answer .*lalm other\."):
        load_router(MODELS.model_copy(update={"lalm": "other"}), file)


async def test_an_arm_that_stands_alone_is_as_sure_as_it_was_found_to_be() -> None:
    fitted = router(logistic(("about music",), (-3.0,)), stack(1.0, 1.0), certainty=0.9)
    fitted = fitted.model_copy(update={"cascade_temperature": 0.5})
    music = await asked(MUSIC, fitted, cascade=open_llm(A=0.6, B=0.4), lalm=open_lalm(A=0.1, B=0.9))
    assert str(music.trace[0]).startswith("route: cascade")
    assert music.probabilities["A"] == pytest.approx(0.36 / (0.36 + 0.16))
    assert music.choice == Choice(letter="A", text="Oboe")


def test_a_logistic_regression_is_what_its_coefficients_say() -> None:
    model = Logistic(names=("x", "y"), means=(1.0, 0.0), scales=(2.0, 1.0), weights=(0.4, -1.0), bias=0.1)
    # 0.1 + 0.4 * (5 - 1) / 2 - 1 * 0.5 = 0.4, and 1 / (1 + exp(-0.4)) = 0.598688
    assert model.predict({"x": 5.0, "y": 0.5, "z": 9.0}) == pytest.approx(0.598688, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("Which emotion does the speaker show?", "speech"),
        ("What is the tempo of this song?", "music"),
        ("Which animal is heard in the background noise?", "sound"),
        ("What happens?", None),
    ],
)
def test_the_words_of_a_question_say_what_it_is_about(text: str, about: str | None) -> None:
    assert guess_modality(Question.ask(text)) == about


def test_features_count_what_was_heard() -> None:
    def heard(kind: str, text: str, start_s: float, end_s: float) -> Evidence:
        record = {"kind": kind, "source": "s", "revision": "1", "text": text, "start_s": start_s, "end_s": end_s}
        return Evidence.model_validate(record)

    labels = (Label.round_to_label("rain", 0.5), Label.round_to_label("wind", 0.5), Label(text="2 times"))
    sounds = heard("sound", "Sounds heard: rain (0.50), wind (0.50), 2 times.", 0, 10)
    found = compute_evidence_features(
        (
            sounds.model_copy(update={"labels": labels}),
            heard("transcript", "one two three", 0, 4),
        )
    )
    assert found["speech share"] == pytest.approx(0.4)
    assert found["entropy of sounds"] == pytest.approx(0.6931, abs=1e-4)
    nothing = compute_evidence_features(())
    assert nothing.keys() == found.keys()
    assert not any(nothing.values())
    asked_for = compute_question_features(Question.ask("How many barks?", ("2", "three")))
    assert (asked_for["asks how many"], asked_for["options"], asked_for["options with digits"]) == (1, 2, 0.5)


def test_the_router_that_ships_is_fitted_on_the_default_models() -> None:
    defaults = ArmModels(llm=DEFAULT_LLM, captioner=DEFAULT_CAPTIONER, asr=DEFAULT_ASR, lalm=DEFAULT_LALM)
    assert isinstance(load_routing(defaults), Router)
