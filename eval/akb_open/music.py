"""Music questions, computed: notes as letters and semitones."""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import NamedTuple

from eval.akb_open.draft import DraftQuestion, Drafts, Numeric, SubCategories, make_numeric_draft
from eval.akb_open.row import COMPUTED, Derivation

LETTERS = "CDEFGAB"
NATURALS = (0, 2, 4, 5, 7, 9, 11)  # semitones above C
ACCIDENTALS = {-1: " flat", 0: "", 1: " sharp"}


class SpelledNote(NamedTuple):
    """A note name: index of its letter, and -1, 0 or 1 for flat, natural, sharp."""

    letter: int
    accidental: int

    @property
    def full(self) -> str:
        """The name as an option; `C natural`, because a bare C would be read as the letter of the third option."""
        return str(self) if self.accidental else f"{self} natural"

    @property
    def semitone(self) -> int:
        """Semitones above C, 0 to 11."""
        return (NATURALS[self.letter] + self.accidental) % 12

    def __str__(self) -> str:
        return LETTERS[self.letter] + ACCIDENTALS[self.accidental]

    def transpose(self, steps: int, semitones: int) -> "SpelledNote | None":
        """Return the note so many letters and semitones above; None where it would need a double accidental."""
        letter = (self.letter + steps) % 7
        accidental = (self.semitone + semitones - NATURALS[letter] + 6) % 12 - 6
        return SpelledNote(letter, accidental) if abs(accidental) <= 1 else None


NOTES = tuple(SpelledNote(letter, accidental) for letter in range(7) for accidental in (-1, 0, 1))
ROOTS = tuple(note for note in NOTES if str(note) not in {"C flat", "E sharp", "F flat", "B sharp"})
INTERVALS = {
    "minor second": (1, 1),
    "major second": (1, 2),
    "minor third": (2, 3),
    "major third": (2, 4),
    "perfect fourth": (3, 5),
    "augmented fourth": (3, 6),
    "diminished fifth": (4, 6),
    "perfect fifth": (4, 7),
    "minor sixth": (5, 8),
    "major sixth": (5, 9),
    "minor seventh": (6, 10),
    "major seventh": (6, 11),
}
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "natural minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
}
DEGREES = ("second", "third", "fourth", "fifth", "sixth", "seventh")
TRIADS = {"major": (4, 7), "minor": (3, 7), "diminished": (3, 6), "augmented": (4, 8)}
SEVENTHS = {
    "major seventh": (4, 7, 11),
    "dominant seventh": (4, 7, 10),
    "minor seventh": (3, 7, 10),
    "half-diminished seventh": (3, 6, 10),
}
SIGNATURES = {note: number for number, note in enumerate(["F", "C", "G", "D", "A", "E", "B"], start=-1)}


def _list_other_notes(rng: Random, right: SpelledNote) -> tuple[str, ...]:
    """Return notes near the right one, none of which sounds the same."""
    near = [note for note in ROOTS if note.semitone != right.semitone]
    near.sort(key=lambda note: min((note.semitone - right.semitone) % 12, (right.semitone - note.semitone) % 12))
    return tuple(note.full for note in rng.sample(near[:7], 6))


def _draft(name: str, question: str, answer: str, wrong: tuple[str, ...], **given: str) -> DraftQuestion:
    return DraftQuestion(question, answer, wrong, COMPUTED, Derivation(name=name, parameters=dict(given)))


def _ask_intervals(rng: Random) -> Iterator[DraftQuestion]:
    while True:
        low, interval = rng.choice(ROOTS), rng.choice(list(INTERVALS))
        high = low.transpose(*INTERVALS[interval])
        if high is None or high not in ROOTS:
            continue
        kind = rng.randrange(4)
        article = "an" if interval[0] == "a" else "a"
        if kind == 0:
            question = f"Which note lies {article} {interval} above {low}?"
            yield _draft(
                "note_above", question, high.full, _list_other_notes(rng, high), low=str(low), interval=interval
            )
        elif kind == 1:
            question = f"Going down {article} {interval} from {high}, which note is reached?"
            yield _draft(
                "note_below", question, low.full, _list_other_notes(rng, low), high=str(high), interval=interval
            )
        else:
            template = (
                "Which interval lies between {} and the next {} above it?",
                "What is the interval from {} up to {}?",
            )
            wrong = tuple(name for name, size in INTERVALS.items() if size[1] != INTERVALS[interval][1])
            question = template[kind - 2].format(low, high)
            yield _draft("interval_between", question, interval, wrong, low=str(low), high=str(high))


def _count_accidentals(note: SpelledNote, mode: str) -> int:
    """Count sharps (positive) or flats (negative) of a key."""
    return SIGNATURES[LETTERS[note.letter]] + 7 * note.accidental - (3 if mode == "minor" else 0)


def _word_signature(signature: int) -> str:
    kind = "sharp" if signature > 0 else "flat"
    return "no sharps or flats" if not signature else f"{abs(signature)} {kind}{'s' if abs(signature) > 1 else ''}"


KEYS = {
    f"{note} {mode}": _count_accidentals(note, mode)
    for note in NOTES
    for mode in ("major", "minor")
    if abs(_count_accidentals(note, mode)) <= 7
}


def _ask_key_signatures(rng: Random) -> Iterator[DraftQuestion]:
    while True:
        key, mode = rng.choice(list(KEYS)), rng.choice(["major", "minor"])
        number = KEYS[key]
        near = [value for value in range(-7, 8) if value != number and (abs(value - number) <= 3 or value == -number)]
        kind = rng.randrange(3)
        if kind == 0:
            yield _draft(
                "signature",
                f"What is the key signature of {key}?",
                _word_signature(number),
                tuple(map(_word_signature, near)),
                key=key,
            )
        elif kind == 1:
            right = next(name for name, value in KEYS.items() if value == number and name.endswith(mode))
            wrong = tuple(name for name, value in KEYS.items() if value in near and name.endswith(mode))
            question = f"Which {mode} key has a key signature of {_word_signature(number)}?"
            yield _draft("key", question, right, wrong, mode=mode, signature=_word_signature(number))
        else:
            other = "minor" if key.endswith("major") else "major"
            right = next(name for name, value in KEYS.items() if value == number and name.endswith(other))
            wrong = tuple(name for name, value in KEYS.items() if value in near and name.endswith(other))
            yield _draft("relative", f"Which key is the relative {other} of {key}?", right, wrong, key=key, mode=other)


def _ask_scales(rng: Random) -> Iterator[DraftQuestion]:
    templates = ("What is the {} degree of the {} {} scale?", "Which note is the {} degree of the {} {} scale?")
    while True:
        tonic, scale, step = rng.choice(ROOTS), rng.choice(list(SCALES)), rng.randrange(1, 7)
        notes = [tonic.transpose(degree, SCALES[scale][degree]) for degree in range(7)]
        right = notes[step]
        if right is None or right not in ROOTS or abs(_count_accidentals(tonic, scale.split()[-1])) > 7:
            continue
        degree = DEGREES[step - 1]
        question = rng.choice(templates).format(degree, tonic, scale)
        yield _draft(
            "degree", question, right.full, _list_other_notes(rng, right), tonic=str(tonic), scale=scale, degree=degree
        )


def _spell(root: SpelledNote, semitones: tuple[int, ...]) -> str | None:
    notes = [root, *(root.transpose(2 * number, size) for number, size in enumerate(semitones, start=1))]
    return None if any(note is None or note not in ROOTS for note in notes) else ", ".join(map(str, notes))


def _ask_chords(kinds: Mapping[str, tuple[int, ...]], noun: str) -> Callable[[Random], Iterator[DraftQuestion]]:
    def draw(rng: Random) -> Iterator[DraftQuestion]:
        """Yield drafts on the notes of a chord and on the chord of notes, without end."""
        spelled = {
            f"{root} {kind}{noun}": notes for kind in kinds for root in ROOTS if (notes := _spell(root, kinds[kind]))
        }
        while True:
            chord = rng.choice(list(spelled))
            sounds = _list_semitones(spelled[chord])
            near = [name for name in spelled if _is_kin(name, chord) and _list_semitones(spelled[name]) != sounds]
            if rng.random() < 0.5:
                wrong = tuple(spelled[name] for name in near)
                yield _draft("chord_notes", f"Which notes make up the {chord}?", spelled[chord], wrong, chord=chord)
            else:
                question = f"Which chord, in root position, is made of the notes {spelled[chord]}?"
                yield _draft("chord_name", question, chord, tuple(near), notes=spelled[chord])

    return draw


def _is_kin(name: str, chord: str) -> bool:
    """Tell whether two chords share the root's letter or the kind, so that one is mistaken for the other."""
    return name[0] == chord[0] or name.split()[-2:] == chord.split()[-2:]


def _list_semitones(notes: str) -> frozenset[int]:
    return frozenset(note.semitone for note in NOTES if str(note) in notes.split(", "))


def _ask_pitches(rng: Random) -> Iterator[DraftQuestion]:
    while True:
        midi = rng.choice([*range(36, 60), *range(61, 97)])  # not middle C, which the question gives away
        note = next(note for note in ROOTS if note.semitone == midi % 12)
        pitch = f"{note}, octave {midi // 12 - 1}"
        hertz = 440 * 2 ** ((midi - 69) / 12)
        kind = rng.randrange(3)
        if kind == 0:
            templates = (
                "What is the frequency of {pitch} (scientific pitch, A in octave 4 = 440 Hz, equal temperament)?",
            )
            wrong = [440 * 2 ** ((midi - 69 + off) / 12) for off in (-12, -2, -1, 1, 2, 12)]
            yield make_numeric_draft(Numeric("frequency", templates, {"pitch": pitch}, hertz, wrong, "Hz", 1), rng)
        elif kind == 1:
            templates = ("What is the MIDI note number of {pitch} (middle C, that is C in octave 4, = 60)?",)
            yield make_numeric_draft(
                Numeric("midi", templates, {"pitch": pitch}, midi, [midi + off for off in (-12, -1, 1, 2, 12)], "", 0),
                rng,
            )
        else:
            octaves, count = rng.choice([("one octave", 1), ("two octaves", 2), ("three octaves", 3)])
            base = rng.randrange(50, 400, 5)
            wrong = [
                base * (count + 1),
                base * (count + 2),
                base * 2 ** (count + 1),
                base + 12 * count,
                base * 2 ** (count - 1) * 1.5,
            ]
            raised = (
                "Which frequency lies {octaves} above {base}?",
                "A tone of {base} is raised by {octaves}. What is its frequency now?",
            )
            yield make_numeric_draft(
                Numeric("octaves", raised, {"octaves": octaves, "base": f"{base} Hz"}, base * 2**count, wrong, "Hz", 0),
                rng,
            )


def _ask_tempi(rng: Random) -> Iterator[DraftQuestion]:
    while True:
        tempo = rng.randrange(48, 200, 4)
        beat = 60 / tempo
        kind = rng.randrange(4)
        given = {"tempo": f"{tempo} beats per minute"}
        if kind == 0:
            templates = (
                "How long is one beat at {tempo}?",
                "At {tempo}, how much time passes from one beat to the next?",
            )
            wrong = [30000 / tempo, 120000 / tempo, 1000 * tempo / 60 / 4, 100000 / tempo, 45000 / tempo]
            yield make_numeric_draft(Numeric("beat", templates, given, 1000 * beat, wrong, "ms", 0), rng)
        elif kind == 1:
            bars, per_bar = rng.choice([4, 8, 12, 16, 24, 32]), rng.choice([2, 3, 4])
            given |= {"bars": f"{bars} bars", "per_bar": f"{per_bar} beats"}
            of_bars = ("How long do {bars} of {per_bar} each last at {tempo}?",)
            total = bars * per_bar * beat
            yield make_numeric_draft(
                Numeric("bars", of_bars, given, total, [bars * beat, total * 2, total / 2, total * 0.75], "s", 1), rng
            )
        elif kind == 2:
            given |= {"span": f"{(span := rng.choice([15, 30, 45, 90, 120]))} s"}
            passing = ("How many beats pass in {span} at {tempo}?",)
            count = span * tempo / 60
            yield make_numeric_draft(
                Numeric("beats", passing, given, count, [count / 2, count * 2, count + 10, count * 0.75], "beats", 0),
                rng,
            )
        else:
            length = rng.choice([250, 300, 375, 400, 480, 500, 600, 625, 750, 800, 1000, 1200])
            following = ("Beats follow one another every {length}. What is the tempo?",)
            wrong = [30000 / length, 120000 / length, 60000 / length + 20, 90000 / length]
            yield make_numeric_draft(
                Numeric("tempo", following, {"length": f"{length} ms"}, 60000 / length, wrong, "beats per minute", 0),
                rng,
            )


VALUES = {"whole": 64, "half": 32, "quarter": 16, "eighth": 8, "sixteenth": 4, "thirty-second": 2}  # in 64ths


def _ask_note_values(rng: Random) -> Iterator[DraftQuestion]:
    while True:
        large, small = rng.sample(list(VALUES), 2)
        if VALUES[large] <= VALUES[small]:
            continue
        kind = rng.randrange(3)
        if kind == 0:
            count = VALUES[large] / VALUES[small]
            templates = ("How many {small} notes last as long as one {large} note?",)
            yield _draft_values(rng, "note_values", templates, count, small=small, large=large)
        elif kind == 1 and VALUES[large] * 3 // 2 % VALUES[small] == 0:
            templates = ("How many {small} notes last as long as one dotted {large} note?",)
            yield _draft_values(rng, "dotted", templates, 1.5 * VALUES[large] / VALUES[small], small=small, large=large)
        else:
            metre = rng.choice(["2/4", "3/4", "4/4", "5/4", "6/8", "9/8", "12/8", "7/8", "3/2", "2/2"])
            beats, unit = map(int, metre.split("/"))
            templates = ("How many {small} notes fill one bar of {metre} time?",)
            if (count := beats * 64 / unit / VALUES[small]) == int(count) and count > 1:
                yield _draft_values(rng, "bar_values", templates, count, small=small, metre=metre)


def _draft_values(rng: Random, name: str, templates: tuple[str, ...], count: float, **given: str) -> DraftQuestion:
    wrong = [count / 2, count * 2, count * 1.5, count + 1, count + 2, count - 1]
    wrong = [value for value in wrong if value >= 1 and value == int(value)]
    return make_numeric_draft(Numeric(name, templates, given, count, wrong, "", 0), rng)


SUB_CATEGORIES: SubCategories = {
    "Intervals": Drafts("Music", _ask_intervals),
    "Key signatures": Drafts("Music", _ask_key_signatures),
    "Scales": Drafts("Music", _ask_scales),
    "Triads": Drafts("Music", _ask_chords(TRIADS, " triad")),
    "Seventh chords": Drafts("Music", _ask_chords(SEVENTHS, " chord")),
    "Pitch and frequency": Drafts("Music", _ask_pitches),
    "Tempo": Drafts("Music", _ask_tempi),
    "Note values": Drafts("Music", _ask_note_values),
}
