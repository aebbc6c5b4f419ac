"""Training scores for the instrument classifier: random melodies, chords and strokes as MIDI.

Each programme gets one long score of short clips; the clip boundaries are known, so one rendering is cut
into many labelled clips.
"""

import random
import struct
from typing import NamedTuple

TICKS_PER_S = 480  # 120 quarter notes a minute, 240 ticks each
CLIP_S = 3.0
GAP_S = 1.0  # lets the release of one clip die before the next
DRUM_CHANNEL = 9
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), tuple(range(12)))
CHORDS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8), (0, 4, 7, 10), (0, 7, 12), (0, 4, 7, 12))


class InstrumentPart(NamedTuple):
    """What one class of the classifier is rendered from."""

    label: str
    programs: tuple[int, ...] = ()
    """General MIDI programmes, counted from 0."""
    low: int = 48
    high: int = 84
    """Range of MIDI pitches a player would use."""
    chords: bool = False
    keys: tuple[int, ...] = ()
    """Keys of the drum channel; empty for pitched instruments."""


class NoteEvent(NamedTuple):
    """One note."""

    start_s: float
    length_s: float
    pitch: int
    velocity: int


PITCHED = (
    InstrumentPart("piano", (0, 1, 0), 28, 96, chords=True),
    InstrumentPart("electric piano", (4, 5), 33, 88, chords=True),
    InstrumentPart("harpsichord", (6,), 36, 84, chords=True),
    InstrumentPart("celesta", (8,), 60, 100),
    InstrumentPart("glockenspiel", (9,), 72, 103),
    InstrumentPart("music box", (10,), 60, 100),
    InstrumentPart("vibraphone", (11,), 52, 89, chords=True),
    InstrumentPart("marimba", (12,), 41, 89),
    InstrumentPart("xylophone", (13,), 60, 100),
    InstrumentPart("tubular bells (church bells)", (14,), 55, 79),
    InstrumentPart("electric organ", (16, 17, 18), 36, 90, chords=True),
    InstrumentPart("church organ", (19,), 36, 90, chords=True),
    InstrumentPart("accordion", (21, 23), 48, 88, chords=True),
    InstrumentPart("harmonica", (22,), 55, 90),
    InstrumentPart("nylon-string acoustic guitar", (24,), 40, 80, chords=True),
    InstrumentPart("steel-string acoustic guitar", (25,), 40, 80, chords=True),
    InstrumentPart("clean electric guitar", (26, 27, 28), 40, 84, chords=True),
    InstrumentPart("distorted electric guitar", (29, 30), 40, 84, chords=True),
    InstrumentPart("plucked double bass", (32,), 28, 55),
    InstrumentPart("electric bass guitar", (33, 34, 35, 36), 28, 60),
    InstrumentPart("synth bass", (38, 39), 28, 60),
    InstrumentPart("violin", (40,), 55, 98),
    InstrumentPart("viola", (41,), 48, 84),
    InstrumentPart("cello", (42,), 36, 74),
    InstrumentPart("bowed double bass", (43,), 28, 58),
    InstrumentPart("string ensemble", (48, 49, 44), 36, 90, chords=True),
    InstrumentPart("pizzicato strings", (45,), 40, 88),
    InstrumentPart("harp", (46,), 36, 94, chords=True),
    InstrumentPart("timpani", (47,), 36, 57),
    InstrumentPart("choir of voices", (52, 53), 45, 82, chords=True),
    InstrumentPart("trumpet", (56, 56, 59), 54, 84),
    InstrumentPart("trombone", (57,), 40, 72),
    InstrumentPart("tuba", (58,), 28, 60),
    InstrumentPart("French horn", (60,), 41, 77),
    InstrumentPart("brass section", (61,), 45, 82, chords=True),
    InstrumentPart("saxophone", (64, 65, 66, 67), 44, 84),
    InstrumentPart("oboe", (68, 69), 55, 88),
    InstrumentPart("bassoon", (70,), 34, 70),
    InstrumentPart("clarinet", (71,), 50, 89),
    InstrumentPart("flute", (73, 73, 72), 60, 96),
    InstrumentPart("recorder", (74,), 60, 93),
    InstrumentPart("pan flute", (75, 77), 60, 93),
    InstrumentPart("ocarina", (79, 78), 60, 90),
    InstrumentPart("synth lead", (80, 81, 82, 84, 87), 45, 90),
    InstrumentPart("synth pad", (50, 88, 89, 90, 91, 92, 94, 95), 40, 84, chords=True),
    InstrumentPart("sitar", (104,), 48, 79),
    InstrumentPart("banjo", (105,), 48, 84, chords=True),
    InstrumentPart("koto", (107,), 48, 84),
    InstrumentPart("kalimba (thumb piano)", (108,), 55, 88),
    InstrumentPart("bagpipes", (109,), 55, 80),
    InstrumentPart("steel drums", (114,), 52, 84),
)
STRUCK = (
    InstrumentPart("bass drum (kick)", keys=(35, 36)),
    InstrumentPart("snare drum", keys=(38, 40)),
    InstrumentPart("side stick", keys=(37,)),
    InstrumentPart("hand claps", keys=(39,)),
    InstrumentPart("tom-tom drum", keys=(41, 43, 45, 47, 48, 50)),
    InstrumentPart("closed hi-hat", keys=(42, 44)),
    InstrumentPart("open hi-hat", keys=(46,)),
    InstrumentPart("cymbal", keys=(49, 57, 51, 59, 55, 52)),
    InstrumentPart("tambourine", keys=(54,)),
    InstrumentPart("cowbell", keys=(56,)),
    InstrumentPart("bongos", keys=(60, 61)),
    InstrumentPart("conga drum", keys=(62, 63, 64)),
    InstrumentPart("timbales", keys=(65, 66)),
    InstrumentPart("agogo bells", keys=(67, 68)),
    InstrumentPart("shaker or maracas", keys=(69, 70, 82)),
    InstrumentPart("guiro", keys=(73, 74)),
    InstrumentPart("claves", keys=(75,)),
    InstrumentPart("wood block", keys=(76, 77)),
    InstrumentPart("triangle", keys=(80, 81)),
    InstrumentPart("castanets", keys=(85,)),
)
KIT = InstrumentPart("drum kit", keys=(36, 38, 42, 46, 49, 45))


def compose_clip(part: InstrumentPart, rng: random.Random) -> list[NoteEvent]:
    """Return the notes of one clip of `CLIP_S` seconds."""
    if part is KIT:
        return _compose_beat(rng)
    if part.keys:
        return _compose_strokes(part, rng)
    style = rng.choice(("note", "melody", "melody", "melody", "chords" if part.chords else "melody"))
    if style == "note":
        return [NoteEvent(0.0, rng.uniform(0.4, 2.5), rng.randint(part.low, part.high), rng.randint(50, 125))]
    return _compose_chords(part, rng) if style == "chords" else _compose_melody(part, rng)


def _compose_melody(part: InstrumentPart, rng: random.Random) -> list[NoteEvent]:
    scale, beat_s = rng.choice(SCALES), rng.choice((0.16, 0.22, 0.3, 0.4, 0.5, 0.7))
    degree = rng.randrange(-3, 8)
    tonic = rng.randint(part.low, max(part.low + 1, part.high - 12))
    loud, legato, start_s, events = rng.randint(60, 120), rng.uniform(0.5, 1.05), 0.0, []
    while start_s < CLIP_S - 0.1:
        step = beat_s * rng.choice((1, 1, 1, 2, 0.5))
        pitch = tonic + scale[degree % len(scale)] + 12 * (degree // len(scale))
        pitch = min(max(pitch, part.low), part.high)
        events.append(NoteEvent(start_s, step * legato, pitch, min(127, loud + rng.randint(-12, 7))))
        degree += rng.choice((-2, -1, -1, 0, 1, 1, 2, 3))
        start_s += step
    return events


def _compose_chords(part: InstrumentPart, rng: random.Random) -> list[NoteEvent]:
    beat_s, start_s, events = rng.choice((0.4, 0.7, 1.0, 2.5)), 0.0, []
    spread_s = rng.choice((0.0, 0.0, 0.02, 0.15))
    while start_s < CLIP_S - 0.2:
        root, loud = rng.randint(part.low + 4, part.high - 16), rng.randint(60, 115)
        for index, interval in enumerate(rng.choice(CHORDS)):
            events.append(NoteEvent(start_s + index * spread_s, beat_s, root + interval, loud))
        start_s += beat_s
    return events


def _compose_strokes(part: InstrumentPart, rng: random.Random) -> list[NoteEvent]:
    gap_s, start_s, events = rng.choice((0.1, 0.2, 0.3, 0.5, 0.8, 3.0)), 0.0, []
    same_key = rng.choice(part.keys)
    while start_s < CLIP_S - 0.1:
        key = same_key if rng.random() < 0.8 else rng.choice(part.keys)
        events.append(NoteEvent(start_s, 0.3, key, rng.randint(60, 125)))
        start_s += gap_s * rng.uniform(0.97, 1.03)
    return events


def _compose_beat(rng: random.Random) -> list[NoteEvent]:
    step_s, events = 60 / rng.uniform(70, 180) / 2, []
    kicks, hat = rng.sample(range(8), rng.randint(1, 3)), rng.choice((42, 42, 46, 51))
    for index in range(int(CLIP_S / step_s)):
        keys = (
            [hat] * (rng.random() < 0.9) + [36] * (index % 8 in kicks or index % 8 == 0) + [38] * (index % 8 in (2, 6))
        )
        keys += [rng.choice((45, 47, 49))] * (rng.random() < 0.06)
        events += [NoteEvent(index * step_s, 0.2, key, rng.randint(70, 125)) for key in keys]
    return events


def write_midi(clips: list[list[NoteEvent]], program: int | None) -> bytes:
    """Return a MIDI file that plays the clips, each in its slot of `CLIP_S + GAP_S` seconds.

    `program` None means the drum channel.
    """
    channel = DRUM_CHANNEL if program is None else 0
    timed: list[tuple[int, bytes]] = [] if program is None else [(0, bytes((0xC0 | channel, program)))]
    for index, events in enumerate(clips):
        origin_s = index * (CLIP_S + GAP_S)
        for note in events:
            end_s = min(note.start_s + note.length_s, CLIP_S)
            timed.append(
                (round((origin_s + note.start_s) * TICKS_PER_S), bytes((0x90 | channel, note.pitch, note.velocity)))
            )
            timed.append((round((origin_s + end_s) * TICKS_PER_S), bytes((0x80 | channel, note.pitch, 0))))
    timed.sort(key=lambda item: (item[0], item[1][0] & 0xF0))
    body, last = b"", 0
    for tick, message in timed:
        body += encode_varint(tick - last) + message
        last = tick
    body += b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS_PER_S // 2) + b"MTrk" + struct.pack(">I", len(body)) + body


def encode_varint(value: int) -> bytes:
    """Return a number as MIDI writes it: seven bits a byte, the highest bit set in all but the last."""
    out = bytes((value & 0x7F,))
    while value := value >> 7:
        out = bytes(((value & 0x7F) | 0x80,)) + out
    return out
