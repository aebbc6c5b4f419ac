"""Languages of a recording: one slice that sounds like another language is doubted, two are not."""

import pytest

from services.asr.speech import SpeechSpan, SpeechWindow
from services.asr.spoken_languages import LanguageSlice, average_languages, trace_languages


def slices(*languages: dict[str, float], seconds: float = 3.0) -> list[LanguageSlice]:
    spans = [SpeechSpan(number * seconds, (number + 1) * seconds) for number in range(len(languages))]
    windows = [SpeechWindow(*span, (span,)) for span in spans]
    return [LanguageSlice(*one) for one in zip(windows, languages, strict=True)]


ENGLISH, GERMAN, SPANISH = {"en": 0.97, "de": 0.01}, {"de": 0.91, "en": 0.04}, {"es": 0.99, "en": 0.005}
UNCLEAR = {"he": 0.31, "de": 0.1, "en": 0.02}


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        ([ENGLISH], ["en"]),
        ([ENGLISH, GERMAN, GERMAN, SPANISH, SPANISH], ["en", "de", "de", "es", "es"]),
        ([ENGLISH, ENGLISH, UNCLEAR, ENGLISH], ["en"] * 4),
        ([UNCLEAR, ENGLISH, ENGLISH], ["en"] * 3),
        ([GERMAN, UNCLEAR], ["de", "de"]),
    ],
)
def test_a_change_of_language_needs_more_than_an_unclear_slice(heard: list[dict[str, float]], told: list[str]) -> None:
    assert trace_languages(slices(*heard)) == told


def test_a_short_word_is_taken_for_the_language_before_it() -> None:
    word = {"cy": 0.6, "en": 0.1}
    assert trace_languages(slices(word, seconds=0.5), before="en") == ["en"]
    assert trace_languages(slices(word, seconds=0.5)) == ["cy"]


def test_the_mean_counts_seconds() -> None:
    one, two = slices({"en": 1.0}, {"de": 1.0})
    longer = LanguageSlice(SpeechWindow(3.0, 12.0, two.window.spans), two.languages)
    assert average_languages([one, longer]) == {"en": 0.25, "de": 0.75}
