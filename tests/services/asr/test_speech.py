"""Where the voice detector hears speech, and the windows of a recording that are decoded."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from services.asr import speech
from services.asr.speech import FRAME, FRAME_S, LONGEST_S, MARGIN_S, SpeechSpan, SpeechWindow, VoiceActivity
from services.types import SAMPLE_RATE


def detect_sound(samples: np.ndarray) -> np.ndarray:
    """Take every frame with sound for speech."""
    return (np.abs(samples.reshape(-1, FRAME)).max(axis=1) > 0.01).astype(np.float32)


@pytest.fixture(autouse=True)
def _every_sound_is_speech(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(speech, "get_vad_model", lambda: detect_sound)
    return


def record(*seconds: float) -> np.ndarray:
    """Return silence and sound in turn, as long as given."""
    tone = 0.1 * np.sin(np.arange(round(60 * SAMPLE_RATE)) / 5).astype(np.float32)
    parts = [tone[: round(s * SAMPLE_RATE)] * (number % 2) for number, s in enumerate(seconds)]
    return np.concatenate(parts)


@pytest.mark.parametrize("samples", [np.zeros(0, np.float32), record(0.01), record(5), record(2, 0.05, 2)])
def test_silence_and_a_click_have_no_window(samples: np.ndarray) -> None:
    assert VoiceActivity(samples).find_windows() == ()


def test_no_window_runs_over_a_pause_of_a_second_or_into_the_silence_before() -> None:
    windows = VoiceActivity(record(35, 2, 0.5, 3, 1.2, 2, 40, 1)).find_windows()
    spans = [[(round(one.start_s, 1), round(one.end_s, 1)) for one in window.spans] for window in windows]
    assert spans == [[(35.0, 37.0), (37.5, 40.5)], [(41.7, 43.7)], [(83.7, 84.7)]]
    assert windows[0].start_s == pytest.approx(35 - MARGIN_S, abs=FRAME_S)
    assert all(one.end_s <= two.start_s + 2 * MARGIN_S for one, two in pairwise(windows))


def test_long_speech_is_cut_where_it_pauses_and_nothing_is_lost() -> None:
    samples = record(0, 9, 0.3, 9, 0.3, 9, 0.3, 3)
    windows = VoiceActivity(samples).find_windows()
    assert all(window.duration_s <= LONGEST_S for window in windows)
    assert sum(len(window.cut(samples)) for window in windows) == pytest.approx(len(samples), abs=4)
    assert [round(one.end_s) for one in windows[:2]] == [9, 18]


def test_speech_without_any_pause_is_cut_all_the_same() -> None:
    windows = VoiceActivity(record(0, 50)).find_windows()
    assert max(window.duration_s for window in windows) <= LONGEST_S
    assert windows[-1].end_s == 50


@pytest.mark.parametrize(
    ("stated", "limited"),
    [((0.0, 45.0), (3.0, 11.0)), ((4.0, 8.0), (4.0, 7.0)), ((8.0, 9.0), (3.0, 7.0)), ((9.5, 30.0), (10.0, 11.0))],
)
def test_what_is_said_is_stated_within_the_speech(stated: tuple[float, float], limited: tuple[float, float]) -> None:
    window = SpeechWindow(2.6, 11.4, (SpeechSpan(3.0, 7.0), SpeechSpan(10.0, 11.0)))
    assert window.limit_to_speech(*stated) == limited


def test_slices_end_in_pauses_and_hold_enough_speech() -> None:
    spans = (SpeechSpan(1, 2), SpeechSpan(2.4, 4), SpeechSpan(4.4, 8), SpeechSpan(8.4, 9))
    slices = SpeechWindow(0.6, 9.4, spans).slice_at_pauses(2.5)
    assert [(round(one.start_s, 1), round(one.end_s, 1)) for one in slices] == [(0.6, 4.2), (4.2, 9.4)]
