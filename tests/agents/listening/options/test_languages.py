import asyncio

import numpy as np
import pytest

from agents.listening.hearing_tools import LanguageArguments, detect_language, plan_language
from agents.listening.options.languages import name_languages, state_languages, weigh_languages
from agents.listening.tool import ListenedClip, Listeners, ToolInput
from services.scripted.ears import ScriptedEars
from services.types import SAMPLE_RATE, AudioClip, Evidence, Label, Question

OPTIONS = ("Bulgarian", "Danish", "Greek", "Catalan")


def hear(*candidates: tuple[str, float]) -> Evidence:
    labels = tuple(Label(text=name, probability=probability) for name, probability in candidates)
    return Evidence(
        kind="language",
        source="asr",
        revision="1",
        text=f"Spoken language: {labels[0]}.",
        labels=labels[:1],
        candidates=labels,
    )


RUSSIAN = hear(("Russian", 0.7), ("Macedonian", 0.2), ("Bulgarian", 0.09), ("Danish", 0.0004))
"""As a recogniser may hear Bulgarian."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "codes"),
    [
        (("French", "It is Bulgarian.", "Mandarin Chinese"), ["fr", "bg", "zh"]),
        (("Haitian", "Norwegian Bokmål", "Filipino"), ["ht", "no", "tl"]),
        (("indonesiska", "javanesiska"), ["id", "jw"]),
        (("créole haïtien", "grec"), ["ht", "el"]),
        (("Farsi", "Brazilian Portuguese", "Haitian Creole", "Norwegian"), ["fa", "pt", "ht", "no"]),
        (("Französisch", "Dänisch", "Griechisch"), ["fr", "da", "el"]),
        (("法语", "希腊语"), ["fr", "el"]),
        (("болгарский", "греческий"), ["bg", "el"]),
    ],
)
def test_options_name_languages_in_any_language(options: tuple[str, ...], codes: list[str]) -> None:
    assert list(name_languages(options).values()) == codes


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [("Rain", "A dog"), ("French", "A dog"), ("British English", "American English"), ("French and Greek", "Danish")],
)
def test_options_that_do_not_name_two_languages_are_not_weighed(options: tuple[str, ...]) -> None:
    assert name_languages(options) == {}
    assert weigh_languages(RUSSIAN, options) == ()


def test_an_option_that_names_no_language_is_left_out() -> None:
    assert list(name_languages((*OPTIONS, "None of these"))) == list(OPTIONS)


def test_the_likeliest_of_the_languages_asked_about_is_stated() -> None:
    told = state_languages(RUSSIAN, OPTIONS)
    assert told is not None
    assert told.text == "Of the languages asked about, most like: Bulgarian (0.88)."
    assert (told.confidence, told.candidates, told.language) == (0.88, (), None)
    weighed = weigh_languages(RUSSIAN, OPTIONS)
    assert sum(one.probability for one in weighed) == pytest.approx(1)
    assert [one.text for one in weighed[:2]] == ["Bulgarian", "Danish"]


def test_no_more_than_two_are_told_of_any_number_that_are_as_likely() -> None:
    even = hear(("Danish", 0.34), ("Greek", 0.33), ("Catalan", 0.32))
    told = state_languages(even, OPTIONS)
    assert told is not None and [label.text for label in told.labels] == ["Danish", "Greek"]


def test_languages_that_were_not_heard_at_all_are_not_told_apart() -> None:
    assert state_languages(RUSSIAN, ("Greek", "Catalan")) is None
    changes = RUSSIAN.model_copy(update={"candidates": ()})  # several languages, one after the other
    assert state_languages(changes, OPTIONS) is None


def ask(*options: str, seconds: float = 4.0) -> ToolInput:
    clip = AudioClip(np.zeros(round(seconds * SAMPLE_RATE), np.float32))
    return ToolInput(Question.ask("Which language is spoken?", options), clip, (RUSSIAN,))


def test_the_tool_chooses_among_the_options_from_what_was_heard() -> None:
    ears = ScriptedEars(words=lambda _: pytest.fail("what was heard before is enough"))
    asked = ask(*OPTIONS)
    arguments = plan_language(asked)
    assert arguments == LanguageArguments(options=OPTIONS)
    result = asyncio.run(detect_language(Listeners(ears, ears), ListenedClip(asked.clip, asked.evidence), arguments))
    assert [one.text for one in result.findings] == ["Of the languages asked about, most like: Bulgarian (0.88)."]


@pytest.mark.slow
def test_without_languages_to_choose_among_the_second_half_is_heard() -> None:
    heard = list[float]()

    def listen(clip: AudioClip) -> tuple[Evidence, ...]:
        heard.append(clip.duration_s)
        return (RUSSIAN,)

    ears = ScriptedEars(words=listen)
    asked = ask("The first speaker", "The second speaker")
    arguments = plan_language(asked)
    assert arguments == LanguageArguments()
    result = asyncio.run(detect_language(Listeners(ears, ears), ListenedClip(asked.clip, asked.evidence), arguments))
    assert (heard, result.findings) == ([2.0], (RUSSIAN,))
    assert plan_language(ask("One", "Two", seconds=100)) is None
