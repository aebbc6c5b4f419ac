"""Musical intervals in text: a perfect fifth, a fifth and seven semitones are one."""

import re

from agents.reading.numbers import spell_in_digits

NAMED = {
    "unison": 0,
    "semitone": 1,
    "half step": 1,
    "half tone": 1,
    "minor second": 1,
    "whole tone": 2,
    "whole step": 2,
    "major second": 2,
    "minor third": 3,
    "major third": 4,
    "perfect fourth": 5,
    "augmented fourth": 6,
    "diminished fifth": 6,
    "tritone": 6,
    "perfect fifth": 7,
    "minor sixth": 8,
    "major sixth": 9,
    "minor seventh": 10,
    "major seventh": 11,
    "octave": 12,
}
"""Name -> semitones."""
BARE = {"fourth": 5, "fifth": 7}
"""Names that are perfect intervals where nothing else is said."""
COUNT = re.compile(r"\b(\d+)[ -](semitones?|half[ -](?:steps?|tones?)|whole[ -](?:steps?|tones?)|octaves?)\b")
NAME = re.compile(rf"\b({'|'.join(sorted(NAMED, key=len, reverse=True))})\b")
BARE_NAME = re.compile(rf"^(?:an? |the )?({'|'.join(BARE)})$")
UNITS = {"semitone": 1, "half": 1, "whole": 2, "octave": 12}


def parse_interval(text: str) -> int | None:
    """Return the interval that a text names, in semitones; None where it names none, or several that differ."""
    plain = spell_in_digits(text.lower().replace("-", " ")).strip(" .")
    counted = {int(number) * UNITS[unit.split()[0].rstrip("s")] for number, unit in COUNT.findall(plain)}
    named = {NAMED[name] for name in NAME.findall(COUNT.sub("", plain))}
    found = counted | named
    if not found and (bare := BARE_NAME.match(plain)):
        return BARE[bare[1]]
    return found.pop() if len(found) == 1 else None
