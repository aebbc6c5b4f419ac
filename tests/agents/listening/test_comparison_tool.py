"""Two parts of a recording, or two recordings, laid side by side in typed statements."""

import numpy as np
import pytest

from agents.listening.comparison_tool import CompareArguments, compare, plan_comparison
from agents.listening.tool import ListenedClip, Listeners, ToolInput
from services.captioners.music.harmony import MusicalKey
from services.errors import BadRequest
from services.measurement import analyser
from services.measurement.comparison import KeyPair, Pace, SoundComparison, ValuePair
from services.measurement.tunes import TuneLikeness
from services.scripted.ears import ScriptedEars
from services.types import SAMPLE_RATE, AudioClip, Question

WHEN = "The first is heard at 0.0-1.0 s, the second at 1.0-3.0 s:"
DULL = "The second is duller, more muffled than the first: nothing above 1.3 kHz, where the first reaches 7.5 kHz."
DEAF = Listeners(ScriptedEars(), ScriptedEars())
C, D, B = MusicalKey(0, "major", 0.3), MusicalKey(2, "major", 0.3), MusicalKey(11, "minor", 0.3)
UNSURE = MusicalKey(7, "major", 0.01)
SPANS = CompareArguments(end_s=1, other_start_s=1, other_end_s=3)


def tone(hertz: float, seconds: float = 3.0) -> np.ndarray:
    return np.asarray(
        0.1 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE), np.float32
    )


def ask(text: str, clip: AudioClip | None = None) -> ToolInput:
    return ToolInput(Question.ask(text), clip or AudioClip(np.zeros(10 * SAMPLE_RATE, np.float32)), ())


@pytest.mark.parametrize(
    ("comparison", "texts"),
    [
        (
            SoundComparison(
                level_difference_db=6.0, pitch_ratio=2.0, pace=Pace(90, 135, "BPM"), same_sound=0.9, same_rhythm=True
            ),
            (
                "In the second, compared with the first: the same sound (0.90).",
                "The second is 6.0 dB louder than the first.",
                "The second is 12.0 semitones higher than the first.",
                "The second is faster than the first: 90.0 and 135.0 BPM.",
                "Both have the same rhythm.",
            ),
        ),
        (
            SoundComparison(
                level_difference_db=-3.0, pitch_ratio=0.5, pace=Pace(4, 3, "syllables a second"), same_speaker=0.2
            ),
            (
                "In the second, compared with the first: a different speaker (0.80).",
                "The second is 3.0 dB quieter than the first.",
                "The second is 12.0 semitones lower than the first.",
                "The second is slower than the first: 4.0 and 3.0 syllables a second.",
            ),
        ),
        (
            SoundComparison(level_difference_db=0.2, pitch_ratio=1.01, pace=Pace(100, 101, "BPM")),
            (
                "The second is as loud as the first.",
                "The second is as high as the first.",
                "The second is as fast as the first: 100.0 and 101.0 BPM.",
            ),
        ),
        (
            SoundComparison(lengths_s=ValuePair(1.0, 3.1), highest_hz=ValuePair(7500, 1300)),
            (
                f"{WHEN} the second lasts 3.1 times as long as the first.",
                DULL,
            ),
        ),
        (
            SoundComparison(lengths_s=ValuePair(4.0, 2.0), highest_hz=ValuePair(6000, 7000)),
            (f"{WHEN} the first lasts 2 times as long as the second.",),
        ),
        (
            SoundComparison(lengths_s=ValuePair(2.0, 2.2)),
            (f"{WHEN} both last equally long.",),
        ),
        (SoundComparison(keys=KeyPair(C, D)), ("The key changes from C major to D major, 2 semitones up.",)),
        (SoundComparison(keys=KeyPair(C, B)), ("The key changes from C major to B minor, 1 semitone down.",)),
        (SoundComparison(keys=KeyPair(C, C)), ("Both are in the same key, C major.",)),
        (SoundComparison(keys=KeyPair(C, UNSURE)), ()),
        (
            SoundComparison(tune=TuneLikeness(7, 1.98, is_backwards=False), pitch_ratio=1.5, pace=Pace(90, 180, "BPM")),
            ("The second has the same tune as the first, perfect fifth (7 semitones) higher, 2 times as fast.",),
        ),
        (
            SoundComparison(tune=TuneLikeness(-12, 0.5, is_backwards=True)),
            ("The second has the same tune as the first, backwards, octave (12 semitones) lower, 2 times as slow.",),
        ),
        (
            SoundComparison(tune=TuneLikeness(0, 1.02, is_backwards=False), keys=KeyPair(C, C)),
            ("The second has the same tune as the first, unchanged: at the same pitch and tempo.",),
        ),
        (SoundComparison(), ()),
    ],
)
async def test_what_two_spans_have_in_common_is_stated(
    comparison: SoundComparison, texts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = list[float]()

    async def answer(first: AudioClip, second: AudioClip) -> SoundComparison:
        compared.extend((first.duration_s, second.duration_s))
        return comparison

    monkeypatch.setattr(analyser, "compare", answer)
    clip = AudioClip(tone(440))
    assert [one.text for one in (await compare(DEAF, ListenedClip(clip), SPANS)).findings] == list(texts)
    await compare(DEAF, ListenedClip(clip, other=AudioClip(tone(440, seconds=2))), CompareArguments())
    assert compared == [1, 2, 3, 2]


async def test_two_spans_that_are_one_and_one_behind_the_end_are_refused() -> None:
    heard = ListenedClip(AudioClip(tone(440)))
    with pytest.raises(BadRequest, match="Both spans are the same"):
        await compare(DEAF, heard, CompareArguments())
    with pytest.raises(BadRequest, match="other_start_s is 4, but the recording lasts 3"):
        await compare(DEAF, heard, CompareArguments(other_start_s=4))


def choose(text: str) -> tuple[float | None, ...] | None:
    """Return the spans that are compared for a question about ten seconds of silence."""
    spans = plan_comparison(ask(text))
    return spans and (spans.start_s, spans.end_s, spans.other_start_s, spans.other_end_s)


def test_two_spans_that_a_question_names_are_compared_and_one_or_three_are_not() -> None:
    assert choose("Is the voice from 0 to 2 s the same as from 5 to 7.5 s?") == (0, 2, 5, 7.5)
    assert choose("How does the second half differ from the first half?") == (0, 5, 5, 10)
    assert choose("What happens to the key in the second half?") == (0, 5, 5, 10)
    assert choose("Is it louder from 0 to 2 s?") == (0, 2, 2, 10)
    assert choose("Is it louder from 3 to 4 s?") is None
    assert choose("Are 0-1 s, 2-3 s and 4-5 s alike?") is None


async def test_the_options_are_weighed_by_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(_: AudioClip, __: AudioClip) -> SoundComparison:
        return SoundComparison(level_difference_db=6.0, lengths_s=ValuePair(1.0, 1.0))

    monkeypatch.setattr(analyser, "compare", answer)
    clip = AudioClip(tone(440))
    options = ("It is quieter", "It is louder", "It is longer")
    spans = SPANS.model_copy(update={"question": "What changes?", "options": options})
    last = (await compare(DEAF, ListenedClip(clip), spans)).findings[-1]
    assert last.text.startswith("Of the differences asked about, most like: It is louder (0.")
    assert last.confidence == last.labels[0].probability
    assert {label.text for label in last.labels} == set(options)


def test_where_no_spans_are_named_the_parts_on_either_side_of_the_longest_pause_are_compared() -> None:
    pause = np.zeros(SAMPLE_RATE, np.float32)
    clip = AudioClip(np.concatenate([tone(440, 2), pause, tone(550, 1)]))
    spans = plan_comparison(ask("What is different the second time?", clip))
    assert spans is not None
    assert (spans.start_s, spans.end_s) == (0.0, pytest.approx(2.0, abs=0.02))
    assert (spans.other_start_s, spans.other_end_s) == (pytest.approx(3.0, abs=0.02), pytest.approx(4.0, abs=0.02))
    assert plan_comparison(ask("What is different the second time?")) is None  # silence
    long = AudioClip(np.tile(tone(440, 1), 91))
    assert plan_comparison(ask("What is different the second time?", long)) is None
