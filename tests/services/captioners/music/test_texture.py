import numpy as np
import pytest

from services.captioners.music.pitches import FRAMES_PER_S, LOWEST_PITCH, Pitches
from services.captioners.music.texture import analyse_texture, describe_texture

LINE, DYAD, FULL = (60,), (60, 64), (48, 60, 64, 67)


def held(*parts: tuple[int, ...], part_s: float = 2.0) -> Pitches:
    """Hold sets of pitches one after another."""
    size = round(part_s * FRAMES_PER_S)
    sounding = np.zeros((size * len(parts), 88), np.float32)
    for number, pitches in enumerate(parts):
        sounding[number * size : (number + 1) * size, [pitch - LOWEST_PITCH for pitch in pitches]] = 0.7
    return Pitches(sounding, np.zeros_like(sounding))


@pytest.mark.parametrize(
    ("parts", "solo_share", "text"),
    [
        ((LINE, LINE, LINE), 0.95, "Texture: one line, one note at a time (monophonic)."),
        ((FULL, DYAD, FULL), 0.4, "Texture: several notes sound together."),
        ((LINE, DYAD, FULL), 0.5, "Texture: several notes sound together; it grows denser: more notes sound"),
        ((FULL, (), LINE), 0.5, "Texture: several notes sound together; it thins out: fewer notes sound"),
        ((LINE, LINE, DYAD), 0.75, "Texture: it grows denser"),
    ],
)
def test_texture_says_how_many_notes_sound_together_and_how_that_develops(
    parts: tuple[tuple[int, ...], ...], solo_share: float, text: str
) -> None:
    found = analyse_texture(held(*parts), solo_share)
    assert found is not None
    (told,) = describe_texture(found)
    assert told.text.startswith(text)
    assert told.labels[0].text in told.text


def test_texture_says_nothing_of_short_sounds_of_silence_and_of_what_may_be_one_line_or_two() -> None:
    assert analyse_texture(held(FULL, part_s=2.0), 0.4) is None
    assert analyse_texture(held((), (), ()), 0.0) is None
    unsure = analyse_texture(held(DYAD, DYAD, DYAD), 0.75)
    assert unsure is not None
    assert describe_texture(unsure) == []
