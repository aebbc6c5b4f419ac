"""Pitches, keys and chords under another name: a reply says D flat, and the option C sharp."""

from services.captioners.music.notes import FLAT, NAMED, SHARP, parse_pitches
from services.types import Choice


def spell_pitches_like_options(text: str, choices: tuple[Choice, ...]) -> str:
    """Return a reply whose pitches, keys and chords with a sharp or a flat are spelled as the option that names them.

    That is done where every option names one.
    """
    offered = [parse_pitches(choice.text) for choice in choices]
    if any(len(one) != 1 for one in offered):
        return text
    written = FLAT.sub(r"\1b", SHARP.sub(r"\1#", text))
    for mention in reversed(list(NAMED.finditer(written))):
        said = parse_pitches(mention[0])
        same = {
            choice.text
            for choice, one in zip(choices, offered, strict=True)
            if len(said) == 1 and one[0].measure_likeness(said[0]) == 1
        }
        if mention["sign"] and len(same) == 1:
            written = written[: mention.start()] + same.pop() + written[mention.end() :]
    return written
