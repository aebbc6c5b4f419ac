import numpy as np

from services.captioners.sounds.activity import ActiveSpan
from services.captioners.voices.turns import diarise

RATE = 16_000


def encode_by_pitch(windows: list[np.ndarray]) -> np.ndarray:
    """Stand in for the speaker encoder: voices below 200 Hz, below 400 Hz and above are orthogonal."""

    def row(window: np.ndarray) -> np.ndarray:
        peak_hz = np.abs(np.fft.rfft(window)).argmax() * RATE / len(window)
        return np.eye(3, dtype=np.float32)[int(np.searchsorted([200, 400], peak_hz))]

    return np.stack([row(window) for window in windows])


def spoken(*parts: tuple[float, float]) -> tuple[np.ndarray, tuple[ActiveSpan, ...]]:
    """Lay tones (pitch in Hz, seconds) one after another with 0.3 s between."""
    pieces, spans, at_s = [], [], 0.0
    for pitch_hz, duration_s in parts:
        t = np.arange(round(duration_s * RATE)) / RATE
        pieces += [np.sin(2 * np.pi * pitch_hz * t), np.zeros(round(0.3 * RATE))]
        spans.append(ActiveSpan(at_s, at_s + duration_s))
        at_s += duration_s + 0.3
    return np.concatenate(pieces).astype(np.float32), tuple(spans)


def test_one_voice_with_pauses_is_one_turn() -> None:
    samples, spans = spoken((120, 2.0), (120, 0.5), (120, 2.5))
    (turn,) = diarise(encode_by_pitch, samples, spans)
    assert (turn.voice, len(turn.spans)) == (0, 3)


def test_voices_are_numbered_as_they_are_first_heard_and_known_again() -> None:
    samples, spans = spoken((300, 2.0), (120, 2.0), (300, 2.0), (600, 2.0))
    assert [turn.voice for turn in diarise(encode_by_pitch, samples, spans)] == [0, 1, 0, 2]


def test_turns_begin_and_end_with_the_speech() -> None:
    samples, spans = spoken((300, 2.0), (120, 2.0))
    first, second = diarise(encode_by_pitch, samples, spans)
    assert first.start_s == 0.0
    assert first.end_s <= second.start_s
    assert round(second.start_s, 1) == 2.3


def test_a_change_of_voice_without_a_pause_is_found() -> None:
    t = np.arange(4 * RATE) / RATE
    samples = np.where(t < 2, np.sin(2 * np.pi * 120 * t), np.sin(2 * np.pi * 300 * t)).astype(np.float32)
    found = diarise(encode_by_pitch, samples, (ActiveSpan(0.0, 4.0),))
    assert [turn.voice for turn in found] == [0, 1]
    assert 1.0 < found[1].start_s < 3.0


def test_a_voice_that_speaks_for_a_second_counts_if_it_is_unlike_the_others() -> None:
    samples, spans = spoken((120, 2.0), (300, 0.9), (120, 0.9), (300, 1.0), (600, 0.5))
    assert [turn.voice for turn in diarise(encode_by_pitch, samples, spans)[:4]] == [0, 1, 0, 1]
    short, spans = spoken((120, 2.0), (300, 0.7))
    assert {turn.voice for turn in diarise(encode_by_pitch, short, spans)} == {0}


def test_short_speech_only_is_one_voice() -> None:
    samples, spans = spoken((120, 0.3))
    assert len(diarise(encode_by_pitch, samples, spans)) == 1


def test_no_speech_has_no_turns() -> None:
    assert diarise(encode_by_pitch, np.zeros(RATE, np.float32), ()) == ()
