"""Times of what Whisper writes."""

from collections.abc import Sequence

import pytest

from services.asr.decoder import Hypothesis, is_repetitive, split_by_time


class Letters:
    """A tokenizer with a token for each letter, and time stamps above them."""

    timestamp_begin = 1000

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join(map(chr, tokens))


def write(text: str) -> list[int]:
    return [ord(letter) for letter in text]


def at(seconds: float) -> int:
    return Letters.timestamp_begin + round(seconds / 0.02)


def test_a_text_lies_between_its_time_stamps() -> None:
    tokens = [at(0.5), *write(" One."), at(2.0), at(2.4), *write(" Two."), at(4.0)]
    assert [one[:3] for one in split_by_time(tokens, Letters(), 5.0)] == [("One.", 0.5, 2.0), ("Two.", 2.4, 4.0)]


def test_a_text_without_time_stamps_takes_the_whole_window() -> None:
    assert [one[:3] for one in split_by_time(write("One."), Letters(), 5.0)] == [("One.", 0.0, 5.0)]
    assert split_by_time([at(0.0), at(0.0)], Letters(), 5.0) == []


def test_a_text_never_ends_before_it_begins() -> None:
    (one,) = split_by_time([at(5.6), *write("More.")], Letters(), 5.0)
    assert 5.5 < one.start_s == one.end_s


def test_what_whisper_takes_for_silence_needs_both_thresholds() -> None:
    assert Hypothesis((), logprob=-0.95, no_speech=0.7, is_loop=False).is_silence
    assert not Hypothesis((), logprob=-0.5, no_speech=0.9, is_loop=False).is_silence
    assert Hypothesis((), logprob=-1.1, no_speech=0.1, is_loop=False).is_unlikely


@pytest.mark.parametrize(
    ("logprob", "is_loop", "is_sure"), [(-0.3, False, True), (-0.3, True, False), (-0.6, False, False)]
)
def test_a_draft_is_sure_where_it_is_likely_and_no_loop(logprob: float, is_loop: bool, is_sure: bool) -> None:
    assert Hypothesis((), logprob=logprob, no_speech=0.1, is_loop=is_loop).is_sure is is_sure


def test_a_loop_is_told_from_speech_by_how_well_it_compresses() -> None:
    assert is_repetitive("Thank you for watching. " * 8)
    assert not is_repetitive("The boy ran down the path, and the boy's dog ran after him down the path to the sea.")
