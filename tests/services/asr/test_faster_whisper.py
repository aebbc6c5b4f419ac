"""Speech stated when it is said, in its language, and not more of it than there is."""

import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from services.asr import faster_whisper, speech
from services.asr.decoder import (
    DRAFT_TAIL_S,
    TAIL_S,
    Encoding,
    Hypothesis,
    Languages,
    Samples,
    TimedText,
    WhisperDecoder,
)
from services.asr.faster_whisper import FasterWhisper
from services.audio import load as audio
from services.protocols import TranscriptionGuide
from services.scripted.rules import not_expected
from services.types import SAMPLE_RATE, AudioClip, Evidence
from services.weights import store as weights

CODES = {1: "en", 2: "de", 3: "es"}  # tenths of the amplitude -> language that a scripted voice speaks
FAINT = 0.08  # amplitude below which the scripted decoder is not sure of a draft
LOOPS_FROM_S = 5.5  # length of a window from which the scripted decoder goes on in a loop


def detect_sound(samples: np.ndarray) -> np.ndarray:
    return (np.abs(samples.reshape(-1, speech.FRAME)).max(axis=1) > 0.001).astype(np.float32)


class ScriptedDecoder:
    """Hears a language in the level of a window, and a word in each stretch of sound, but long windows as a loop.

    Its drafts are in capitals; of those of windows with a faint stretch it is not sure.
    """

    device = "cpu"

    def __init__(self, *_: object) -> None:
        self.windows: list[Samples] = []
        self.num_encoded = self.num_careful = 0

    def guide(self, **_: object) -> "ScriptedDecoder":
        return self

    def encode(self, windows: Sequence[Samples], *, tail_s: float = TAIL_S) -> Encoding:
        self.windows = list(windows)
        self.num_encoded += len(windows)
        self.num_careful += len(windows) if tail_s > DRAFT_TAIL_S else 0
        return Encoding(None, tuple(len(one) / SAMPLE_RATE for one in windows))

    def detect_languages(self, encoding: Encoding) -> list[Languages]:
        return [self._detect(one) for one in self.windows[: len(encoding.seconds)]]

    def _detect(self, samples: Samples) -> Languages:
        heard = {CODES[level] for level in np.unique(np.round(np.abs(samples) * 10)).astype(int) if level}
        return {code: (0.98 if len(heard) == 1 else 0.4) if code in heard else 0.005 for code in CODES.values()}

    def write(self, encoding: Encoding, languages: Sequence[str]) -> list[Hypothesis]:
        return [self._write(*one) for one in zip(self.windows, languages, encoding.seconds, strict=True)]

    def write_greedily(self, encoding: Encoding, languages: Sequence[str]) -> list[Hypothesis]:
        drafts = self.write(encoding, languages)
        sounds = (np.abs(one[np.abs(one) > 0]).min() for one in self.windows)
        return [
            one._replace(
                logprob=-0.6 if quietest < FAINT else one.logprob, texts=(one.texts[0]._replace(text=one.text.upper()),)
            )
            for one, quietest in zip(drafts, sounds, strict=True)
        ]

    def _write(self, samples: Samples, language: str, seconds: float) -> Hypothesis:
        is_sound = np.concatenate([[0], detect_sound(np.pad(samples, (0, -len(samples) % speech.FRAME)))])
        words = " ".join([f"{language}."] * int((np.diff(is_sound) > 0).sum()))
        return Hypothesis((TimedText(words, 0.0, seconds, ()),), -0.3, 0.1, is_loop=seconds >= LOOPS_FROM_S)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> FasterWhisper:
    monkeypatch.setattr(faster_whisper, "WhisperDecoder", ScriptedDecoder)
    monkeypatch.setattr(speech, "get_vad_model", lambda: detect_sound)
    return FasterWhisper(Path(), name="scripted", revision="1", compute_type="int8")


def say(*levels: float, seconds: float = 1.0, pause_s: float = 0.4) -> AudioClip:
    """Return a stretch of sound for each level, with a pause before it."""
    words = [np.full(round(seconds * SAMPLE_RATE), level, np.float32) for level in levels]
    pause = np.zeros(round(pause_s * SAMPLE_RATE), np.float32)
    return AudioClip(np.concatenate([part for word in words for part in (pause, word)]))


async def test_several_languages_are_named_in_their_order_and_each_is_written_in_its_own(
    scripted: FasterWhisper,
) -> None:
    language, *spoken = await scripted.transcribe(say(0.1, 0.2, 0.3, seconds=3.0))
    assert language.text == "Spoken languages, in this order: English, then German, then Spanish."
    assert [label.text for label in language.labels] == ["English", "German", "Spanish"]
    assert [(one.language, one.text) for one in spoken] == [("en", "en."), ("de", "de."), ("es", "es.")]


async def test_one_language_is_one_statement_with_its_probability(scripted: FasterWhisper) -> None:
    language, *spoken = await scripted.transcribe(say(0.2, 0.2, seconds=1.0))
    assert (language.text, language.language, language.confidence) == ("Spoken language: German (0.98).", "de", 0.98)
    kept = [(one.text, one.probability) for one in language.candidates]  # more of them than the text names
    assert kept[0] == ("German", 0.98) and len(kept) > len(language.labels) == 1
    assert {one.language for one in spoken} == {"de"}


async def test_a_word_said_over_and_over_is_written_as_often_as_it_is_said(scripted: FasterWhisper) -> None:
    _, *spoken = await scripted.transcribe(say(*[0.1] * 24, seconds=0.5))
    assert " ".join(one.text for one in spoken).upper().count("EN.") == 24


class OneOfMany(ScriptedDecoder):
    """Writes a phrase once, however often a window holds it."""

    def _write(self, samples: Samples, language: str, seconds: float) -> Hypothesis:
        heard = super()._write(samples, language, seconds)
        return heard._replace(texts=(heard.texts[0]._replace(text="Stop it."),), is_loop=False)


async def test_a_phrase_said_over_and_over_is_written_as_often_as_it_is_said(
    scripted: FasterWhisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = OneOfMany()
    monkeypatch.setattr(scripted, "_open_decoder", lambda: decoder)
    _, *spoken = await scripted.transcribe(say(*[0.1] * 8))
    assert [one.text for one in spoken] == ["STOP IT."] * 8
    assert [one.end_s for one in spoken[:2]] == pytest.approx([1.4, 2.8], abs=0.05)


class ThreeTimes(ScriptedDecoder):
    """Writes all that a window holds three times, by beam search or, from a length on, as a draft too."""

    drafts_from_s = 60.0

    def write(self, encoding: Encoding, languages: Sequence[str]) -> list[Hypothesis]:
        return [self._repeat(one) for one in super().write(encoding, languages)]

    def write_greedily(self, encoding: Encoding, languages: Sequence[str]) -> list[Hypothesis]:
        drafts = ScriptedDecoder.write(self, encoding, languages)
        return [
            self._repeat(one) if seconds >= self.drafts_from_s else one._replace(is_loop=False)
            for one, seconds in zip(drafts, encoding.seconds, strict=True)
        ]

    @staticmethod
    def _repeat(heard: Hypothesis) -> Hypothesis:
        (said,) = heard.texts
        return heard._replace(texts=(said._replace(text=" ".join([said.text] * 3)),), is_loop=False)


@pytest.mark.parametrize("drafts_from_s", [60.0, 4.0], ids=["draft is right", "parts are right"])
async def test_what_the_parts_of_a_window_do_not_say_is_a_loop(
    scripted: FasterWhisper, monkeypatch: pytest.MonkeyPatch, drafts_from_s: float
) -> None:
    decoder = ThreeTimes()
    monkeypatch.setattr(decoder, "drafts_from_s", drafts_from_s)
    monkeypatch.setattr(scripted, "_open_decoder", lambda: decoder)
    _, *spoken = await scripted.transcribe(say(*[0.1] * 4))
    assert " ".join(one.text for one in spoken) == "en. en. en. en."


class OnlyAsDraft(ScriptedDecoder):
    """Writes a phrase once as a draft of a long window, as often as it is said by beam search and in short windows."""

    def write(self, encoding: Encoding, languages: Sequence[str]) -> list[Hypothesis]:
        return [one._replace(is_loop=False) for one in super().write(encoding, languages)]

    def write_greedily(self, encoding: Encoding, languages: Sequence[str]) -> list[Hypothesis]:
        written = self.write(encoding, languages)
        once = [one._replace(texts=(one.texts[0]._replace(text="en."),)) for one in written]
        return [b if s > 4 else a for a, b, s in zip(written, once, encoding.seconds, strict=True)]


async def test_what_the_parts_of_a_window_say_as_often_was_said_as_often(
    scripted: FasterWhisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = OnlyAsDraft()
    monkeypatch.setattr(scripted, "_open_decoder", lambda: decoder)
    _, *spoken = await scripted.transcribe(say(*[0.1] * 5))
    assert [one.text for one in spoken] == ["en. en. en. en. en."]  # in one piece, with its context


async def test_a_window_that_is_sure_is_encoded_once(scripted: FasterWhisper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faster_whisper, "FEWEST_CHARACTERS", 0)  # a scripted voice says little
    _, *spoken = await scripted.transcribe(say(0.1, 0.1, seconds=1.8))
    assert [one.text for one in spoken] == ["EN. EN."]
    decoder = scripted._decoder
    assert isinstance(decoder, ScriptedDecoder)
    assert decoder.num_encoded == 1


async def test_a_window_that_is_short_or_whose_draft_is_unsure_is_written_again(
    scripted: FasterWhisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faster_whisper, "FEWEST_CHARACTERS", 0)  # a scripted voice says little
    parts = (say(0.1, seconds=4.2), say(0.06, seconds=4.2, pause_s=1.5), say(0.1, pause_s=1.5))
    _, *spoken = await scripted.transcribe(AudioClip(np.concatenate([part.samples for part in parts])))
    assert [one.text for one in spoken] == ["EN.", "en.", "en."]
    decoder = scripted._decoder
    assert isinstance(decoder, ScriptedDecoder)
    assert (decoder.num_encoded, decoder.num_careful) == (5, 2)


async def test_each_segment_has_what_the_decoder_knows_of_its_window(scripted: FasterWhisper) -> None:
    clip = say(0.1, 0.1, seconds=2.0, pause_s=20.0)  # two windows: the pause is too long for one
    first, second = await scripted.transcribe_guided(clip, TranscriptionGuide(with_details=True))
    assert first.details is not None and second.details is not None
    assert (first.details.seek, second.details.seek) == (1960, 4158)  # frames of 10 ms: 20 and 42 s, less the margin
    assert (first.details.avg_logprob, first.details.no_speech_prob, first.details.temperature) == (-0.3, 0.1, 0.0)
    assert first.details.compression_ratio == pytest.approx(
        len(first.text) / len(zlib.compress(first.text.encode())), abs=1e-4
    )
    plain = await scripted.transcribe_guided(clip, TranscriptionGuide(language="en"))
    assert [one.details for one in plain] == [None, None]


async def test_silence_is_not_even_decoded(scripted: FasterWhisper) -> None:
    assert await scripted.transcribe(AudioClip(np.zeros(40 * SAMPLE_RATE, np.float32))) == ()


@pytest.fixture(scope="module")
def whisper() -> FasterWhisper:
    folder = weights.ensure_folder("whisper-base")
    return FasterWhisper(folder, name="whisper-base", revision="1", compute_type="int8")


@pytest.fixture(scope="module")
def sentences() -> np.ndarray:
    """Return "It was the best of times, it was the worst of times." and "It was the age of wisdom, …", 1.2 to 8.5 s."""
    samples = audio.load(weights.ensure_folder("demo-speech") / "two_cities.wav").samples
    return samples[round(1.1 * SAMPLE_RATE) : round(8.7 * SAMPLE_RATE)]


def hiss(seconds: float, rms: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, rms, round(seconds * SAMPLE_RATE)).astype(np.float32)


def text(told: Sequence[Evidence]) -> str:
    words = " ".join(one.text for one in told if one.kind == "transcript")
    return " ".join(re.findall(r"[a-z]+", words.lower()))


@pytest.mark.weights
async def test_speech_behind_silence_and_hiss_is_stated_where_it_is_heard(
    whisper: FasterWhisper, sentences: np.ndarray
) -> None:
    clip = AudioClip(np.concatenate([np.zeros(35 * SAMPLE_RATE, np.float32), sentences, hiss(40, 0.0005), sentences]))
    _, *spoken = await whisper.transcribe(clip)
    assert text(spoken).count("it was the best of times") == 2
    length_s = len(sentences) / SAMPLE_RATE
    allowed = [(35.0, 35.0 + length_s), (75.0 + length_s, clip.duration_s)]
    assert all(any(a <= one.start_s < (one.end_s or 0) <= b for a, b in allowed) for one in spoken)


@pytest.mark.weights
@pytest.mark.parametrize("rms", [0.0, 0.0005, 0.01, 0.1])
async def test_silence_and_hiss_invent_no_word(whisper: FasterWhisper, rms: float) -> None:
    assert await whisper.transcribe(AudioClip(hiss(30, rms))) == ()


@pytest.mark.weights
async def test_a_guide_times_the_words_and_a_prompt_of_other_words_changes_none(
    whisper: FasterWhisper, sentences: np.ndarray
) -> None:
    clip = AudioClip(sentences)
    guided = TranscriptionGuide(language="en", prompt="A TALE OF TWO CITIES, BY CHARLES DICKENS.", with_words=True)
    segments = await whisper.transcribe_guided(clip, guided)
    words = [word for segment in segments for word in segment.words]
    assert " ".join(word.text for word in words) == " ".join(segment.text for segment in segments)
    assert [word.text.lower().strip(".,") for word in words[:6]] == ["it", "was", "the", "best", "of", "times"]
    edges = [edge for word in words for edge in (word.start_s, word.end_s)]
    assert edges == sorted(edges)
    assert all(one.start_s <= word.end_s and word.start_s <= one.end_s for one in segments for word in one.words)
    plain = await whisper.transcribe_guided(clip, TranscriptionGuide(language="en"))
    assert (plain[0].words, plain[0].language) == ((), "en")


@pytest.mark.weights
async def test_a_language_that_is_told_is_not_looked_for(
    whisper: FasterWhisper, sentences: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = AudioClip(sentences[: 4 * SAMPLE_RATE])
    monkeypatch.setattr(WhisperDecoder, "detect_languages", not_expected)
    german = await whisper.transcribe_guided(clip, TranscriptionGuide(language="de"))
    assert {segment.language for segment in german} == {"de"}
    translated = await whisper.transcribe_guided(clip, TranscriptionGuide(language="en", is_translation=True))
    assert "best of times" in " ".join(segment.text.lower() for segment in translated)
