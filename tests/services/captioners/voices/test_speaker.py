import numpy as np

from services.captioners.voices.speaker import Voice, compare_pitches


def voice(pitch_hz: float, num_frames: int = 50) -> Voice:
    return Voice("a woman", 0.9, np.full(num_frames, pitch_hz, np.float32))


def test_the_higher_one_of_two_voices_is_told_in_their_order() -> None:
    assert compare_pitches([voice(280), voice(140)]) == ": first a higher voice, then a lower one"
    assert compare_pitches([voice(140), voice(280)]) == ": first a lower voice, then a higher one"


def test_voices_alike_in_pitch_one_without_a_pitch_and_three_are_not_compared() -> None:
    assert compare_pitches([voice(200), voice(210)]) == ""
    assert compare_pitches([voice(200), voice(100, num_frames=3)]) == ""
    assert compare_pitches([voice(200), voice(100), voice(300)]) == ""
