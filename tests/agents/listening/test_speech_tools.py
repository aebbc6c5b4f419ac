import numpy as np
import pytest

from agents.listening.speech_tools import (
    CountArguments,
    PhraseArguments,
    PlaceArguments,
    count_phrase,
    count_words,
    place_phrase,
    plan_count,
    plan_phrase,
    plan_said,
    tell_alternatives,
)
from agents.listening.tool import ListenedClip, Listeners, ToolArguments, ToolInput
from services.audio.load import load
from services.catalog import open_asr
from services.errors import ModelError
from services.measurement import alternatives
from services.measurement.alternatives import WeighedText, WindowAlternatives
from services.scripted.ears import ScriptedEars
from services.scripted.service import ScriptedGuidedASR
from services.types import AudioClip, Evidence, Question
from services.weights import store as weights

CLIP = AudioClip(np.zeros(32_000, np.float32))


def said(text: str) -> Evidence:
    return Evidence(kind="transcript", source="asr", revision="1", text=text)


async def test_what_was_heard_before_is_read_and_else_the_recording_is_transcribed() -> None:
    ears = ScriptedEars(words=lambda _: ("One two three.",))
    listeners = Listeners(ears, ears)
    known = ListenedClip(CLIP, evidence=(said("Four five."),))
    for heard, text in ((known, "Number of words said: 2."), (ListenedClip(CLIP), "Number of words said: 3.")):
        (found,) = (await count_words(listeners, heard, CountArguments())).findings
        assert found.text == text
    assert (await count_phrase(listeners, known, PhraseArguments(phrase="three"))).findings == ()


async def test_a_phrase_is_placed_by_the_times_of_its_words() -> None:
    asr = ScriptedGuidedASR()
    listeners = Listeners(ScriptedEars(), asr)
    (found,) = (await place_phrase(listeners, ListenedClip(CLIP), PlaceArguments(phrase="good MORNING"))).findings
    assert (found.text, found.start_s, found.end_s) == (
        "'good morning' is said from 0.25 to 1.00 s, in the first half.",
        0.25,
        1.0,
    )
    assert asr.guides[0].with_words
    assert (await place_phrase(listeners, ListenedClip(CLIP), PlaceArguments(phrase="night"))).findings == ()


async def test_an_asr_without_times_of_words_is_refused_by_name() -> None:
    ears = ScriptedEars()
    with pytest.raises(ModelError, match="'scripted' gives no times of words; whisper-base does"):
        await place_phrase(Listeners(ears, ears), ListenedClip(CLIP), PlaceArguments(phrase="no"))


async def test_alternatives_are_transcripts_of_their_own_and_one_possibility_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answer(clip: AudioClip, asr: str) -> tuple[WindowAlternatives, ...]:
        unsure = (WeighedText("A bear.", 0.7), WeighedText("A pear.", 0.27), WeighedText("A bar.", 0.03))
        return WindowAlternatives(0, 1, "en", unsure), WindowAlternatives(1, 2, "en", (WeighedText("Yes.", 1.0),))

    monkeypatch.setattr(alternatives, "list_alternatives", answer)
    listeners = Listeners(ScriptedEars(), ScriptedEars())
    found = (await tell_alternatives(listeners, ListenedClip(CLIP), ToolArguments())).findings
    assert [(one.text, one.confidence, one.end_s) for one in found] == [("A bear.", 0.7, 1), ("A pear.", 0.27, 1)]
    assert {(one.kind, one.source, one.language) for one in found} == {("transcript", "scripted-alternatives", "en")}


def test_a_question_that_names_no_phrase_or_no_option_calls_for_nothing() -> None:
    open_question = ToolInput(Question.ask("What is it?"), CLIP, ())
    assert plan_phrase(open_question) is plan_said(open_question) is None


@pytest.mark.weights
async def test_words_are_placed_in_real_speech() -> None:
    speech = load(weights.ensure_folder("demo-speech") / "two_cities.wav").cut(1.1, 3.2)
    listeners = Listeners(ScriptedEars(), open_asr("whisper-base"))
    (found,) = (await place_phrase(listeners, ListenedClip(speech), PlaceArguments(phrase="best of times"))).findings
    assert 0.3 < found.start_s < (found.end_s or 0) <= speech.duration_s


@pytest.mark.parametrize(
    ("question", "phrase", "number"),
    [
        ("How many of the numbers read out are 'nine'?", "nine", 2),
        ("How many of these are 9?", "9", 2),
        ("How many numbers are nine?", "9", 2),
        ("How many of the numbers are larger than nine?", None, 5),
        ("How many numbers does she read, and are there 'twenty'?", None, 5),
        ("How many words are said in all?", None, 5),
    ],
)
async def test_a_number_that_is_asked_for_and_said_is_counted_alone(
    question: str, phrase: str | None, number: int
) -> None:
    known = (said("Nine, four, nine, two, three."),)
    arguments = plan_count(ToolInput(Question.ask(question), CLIP, known))
    assert arguments.phrase == phrase
    ears = ScriptedEars()
    (found,) = (await count_words(Listeners(ears, ears), ListenedClip(CLIP, evidence=known), arguments)).findings
    assert found.labels[0].text == str(number)
