"""Acoustics questions, computed: sound propagation, echoes, levels; pitch, jitter and speech rate of a voice."""

import math
from collections.abc import Callable, Iterator
from random import Random
from typing import TypeAlias

from eval.akb_open.draft import DraftQuestion, Drafts, Numeric, SubCategories, make_numeric_draft

SPEED = 343  # m/s, named in each question
Calculation: TypeAlias = Callable[[Random], Numeric]


def alternate(*calculations: Calculation) -> Callable[[Random], Iterator[DraftQuestion]]:
    """Draw from the calculations in turn, without end."""

    def draw_drafts(rng: Random) -> Iterator[DraftQuestion]:
        """Yield drafts of the calculations in turn, without end."""
        while True:
            for calculation in calculations:
                yield make_numeric_draft(calculation(rng), rng)

    return draw_drafts


def _ask_level_at_distance(rng: Random) -> Numeric:
    level, near = rng.randrange(70, 111), rng.choice([1, 2, 5, 10])
    factor = rng.choice([2, 3, 4, 5, 8, 10, 20])
    drop = 20 * math.log10(factor)
    templates = (
        "A small source in free field gives {level} at {near}. What sound pressure level does it give at {far}?",
        (
            "In the open, a siren measures {level} at a distance of {near}. What level is expected at "
            "{far} (inverse distance law)?"
        ),
        "A point source radiates freely and a meter {near} away shows {level}. What does the meter show {far} away?",
    )
    given = {"level": f"{level} dB", "near": f"{near} m", "far": f"{near * factor} m"}
    wrong = [level - drop / 2, level + drop, level - drop * 1.5, level / factor, level - factor, level - drop - 3]
    return Numeric("level_at_distance", templates, given, level - drop, wrong, "dB", 1)


def _ask_equal_sources(rng: Random) -> Numeric:
    level, count = rng.randrange(50, 96), rng.choice([2, 3, 4, 5, 6, 8, 10, 16, 20, 50, 100])
    gain = 10 * math.log10(count)
    templates = (
        "{count} identical, independent machines each give {level} at a spot. What level do they give together?",
        (
            "At a listener's place {count} independent sources each produce {level}. What is the total "
            "sound pressure level?"
        ),
    )
    given = {"level": f"{level} dB", "count": str(count)}
    wrong = [level + 2 * gain, level * 2, level + count, level + gain / 2, level + gain + 3, level + 1]
    return Numeric("equal_sources", templates, given, level + gain, wrong, "dB", 1)


def _ask_distance_for_drop(rng: Random) -> Numeric:
    near, steps = rng.choice([1, 2, 3, 4, 5, 6, 8, 10, 12, 15]), rng.choice([1, 2, 3])
    templates = (
        (
            "A small source in free field is heard at {near}. To what distance must one go for a level "
            "that is lower by {drop}?"
        ),
        "How far from a point source in the open is the level {drop} below that at {near}?",
    )
    given = {"near": f"{near} m", "drop": f"{20 * steps} dB"}
    wrong = [
        near * 10 ** (steps / 2),
        near * 2**steps,
        near * 20 * steps,
        near * 10 ** (steps + 1),
        near * 5 * 10 ** (steps - 1),
    ]
    return Numeric("distance_for_drop", templates, given, near * 10**steps, wrong, "m", 0)


def _ask_echo(rng: Random) -> Numeric:
    delay = rng.choice([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0])
    templates = (
        "A clap returns from a cliff after {delay}. With sound at {speed}, how far away is the cliff?",
        "An echo comes back {delay} after the call. How far is the wall if sound travels at {speed}?",
    )
    given = {"delay": f"{delay} s", "speed": f"{SPEED} m/s"}
    truth = SPEED * delay / 2
    return Numeric(
        "echo_distance", templates, given, truth, [truth * 2, truth / 2, truth * 4, truth * 1.1, truth * 0.6], "m", 1
    )


def _ask_echo_delay(rng: Random) -> Numeric:
    far = rng.randrange(20, 400, 10)
    templates = (
        "A wall stands {far} away. After how long does the echo of a shout come back, with sound at {speed}?",
        "Someone claps {far} in front of a cliff. When is the echo heard if sound travels at {speed}?",
    )
    truth = 2 * far / SPEED * 1000
    wrong = [truth / 2, truth * 2, truth * 0.7, truth * 1.4, far]
    return Numeric("echo_delay", templates, {"far": f"{far} m", "speed": f"{SPEED} m/s"}, truth, wrong, "ms", 0)


def _ask_thunder(rng: Random) -> Numeric:
    delay = rng.choice([2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15])
    templates = (
        "Thunder is heard {delay} after the flash. With sound at {speed}, how far away was the lightning?",
        "Between the flash and the thunder pass {delay}. At {speed}, from what distance does the thunder come?",
    )
    truth = SPEED * delay
    return Numeric(
        "thunder",
        templates,
        {"delay": f"{delay} s", "speed": f"{SPEED} m/s"},
        truth,
        [truth / 2, truth * 2, delay * 1000, delay * 500],
        "m",
        0,
    )


def _ask_path_difference(rng: Random) -> Numeric:
    near, more = rng.randrange(2, 15), rng.randrange(1, 20)
    templates = (
        "Two loudspeakers play the same signal at once, one {near} and the other {far} from a listener. "
        "By how much does the farther one arrive later, with sound at {speed}?",
    )
    truth = more / SPEED * 1000
    wrong = [(near + more) / SPEED * 1000, near / SPEED * 1000, truth * 2, truth / 2, more * SPEED / 1000]
    given = {"near": f"{near} m", "far": f"{near + more} m", "speed": f"{SPEED} m/s"}
    return Numeric("path_difference", templates, given, truth, wrong, "ms", 1)


def _ask_words_per_minute(rng: Random) -> Numeric:
    span, rate = rng.choice([15, 20, 24, 30, 40, 45, 90, 120]), rng.randrange(90, 240, 6)
    words = round(rate * span / 60)
    truth = words * 60 / span
    templates = (
        "A speaker says {words} in {span}. What is the speech rate?",
        "In {span} a recording holds {words}. How fast is the speech?",
    )
    given = {"words": f"{words} words", "span": f"{span} s"}
    return Numeric(
        "words_per_minute",
        templates,
        given,
        truth,
        [truth / 2, truth + 30, truth * 2, words, truth - 24],
        "words per minute",
        0,
    )


def _ask_articulation_rate(rng: Random) -> Numeric:
    rate, span, pause = rng.choice([4, 5, 6, 7, 8]), rng.choice([8, 10, 12, 15, 20]), rng.choice([1, 2, 3, 4])
    syllables = rate * (span - pause)
    templates = (
        (
            "A recording of {span} holds {syllables} and {pause} of pauses. What is the articulation "
            "rate, pauses left out?"
        ),
        (
            "Of {span} of speech, {pause} are silence; {syllables} are spoken. How many syllables a "
            "second is that while talking?"
        ),
    )
    given = {"span": f"{span} s", "syllables": f"{syllables} syllables", "pause": f"{pause} s"}
    wrong = [syllables / span, syllables / (span + pause), syllables / pause, rate + 1, rate - 1, rate + 2]
    return Numeric("articulation_rate", templates, given, rate, wrong, "syllables per second", 1)


def _ask_pause_share(rng: Random) -> Numeric:
    span, pause = rng.choice([10, 20, 25, 40, 50, 100]), rng.choice([1, 2, 3, 4, 5, 6, 8])
    templates = (
        "A speaker is silent for {pause} of a recording of {span}. What share of the time are pauses?",
        "In {span} of talk the pauses add up to {pause}. What percentage is that?",
    )
    truth = 100 * pause / span
    wrong = [100 * pause / (span - pause), 100 - truth, truth / 2, truth * 2, pause]
    return Numeric("pause_share", templates, {"pause": f"{pause} s", "span": f"{span} s"}, truth, wrong, "%", 1)


def _ask_reading_time(rng: Random) -> Numeric:
    rate, minutes = rng.choice([100, 120, 125, 140, 150, 160, 180, 200]), rng.choice([2, 3, 4, 5, 6, 8])
    templates = (
        "How long does it take to read {words} aloud at {rate}?",
        "A text has {words}. How long does a reader take at {rate}?",
    )
    given = {"words": f"{rate * minutes:,} words", "rate": f"{rate} words per minute"}
    return Numeric(
        "reading_time",
        templates,
        given,
        minutes,
        [minutes + 1, minutes * 2, minutes - 1, minutes + 2, minutes + 3],
        "min",
        0,
    )


def _ask_period(rng: Random) -> Numeric:
    period = rng.choice([2, 2.5, 4, 5, 6.25, 8, 10, 12.5])
    templates = ("The vocal folds close once every {period}. What is the fundamental frequency of the voice?",)
    truth = 1000 / period
    return Numeric(
        "voice_pitch",
        templates,
        {"period": f"{period} ms"},
        truth,
        [truth * 2, truth / 2, truth + 40, period * 10, truth * 1.5],
        "Hz",
        0,
    )


def _ask_pitch_range(rng: Random) -> Numeric:
    low = rng.choice([80, 90, 100, 110, 120, 150, 160, 180, 200])
    high = low + rng.randrange(20, 160, 10)
    templates = (
        "A speaker's pitch moves between {low} and {high}. How large is that range in semitones?",
        "Intonation rises from {low} to {high}. How many semitones is the rise?",
    )
    truth = 12 * math.log2(high / low)
    wrong = [truth * 2, truth / 2, (high - low) / 10, 20 * math.log10(high / low), truth * 1.4, truth + 2]
    return Numeric("pitch_range", templates, {"low": f"{low} Hz", "high": f"{high} Hz"}, truth, wrong, "semitones", 1)


def _ask_jitter(rng: Random) -> Numeric:
    mean, change = rng.choice([4, 5, 10]), rng.choice([20, 40, 50, 60, 80, 100, 120, 150])
    templates = (
        (
            "Neighbouring glottal periods of a voice last {mean} on average and differ by {change} on "
            "average. What is its local jitter?"
        ),
        (
            "A vowel has a mean period of {mean}; successive periods differ by {change} on average. "
            "How large is the jitter (local)?"
        ),
    )
    truth = change / mean / 10
    wrong = [truth * 10, truth / 2, truth * 2, truth / 10, truth * 1.5]
    return Numeric("jitter", templates, {"mean": f"{mean} ms", "change": f"{change} µs"}, truth, wrong, "%", 2)


def _ask_cycles(rng: Random) -> Numeric:
    pitch, span = rng.randrange(80, 310, 10), rng.choice([50, 100, 200, 250, 300, 400, 500])
    templates = ("How many times do the vocal folds open and close in a vowel of {span} held at {pitch}?",)
    truth = pitch * span / 1000
    wrong = [truth * 2, truth / 2, truth * 10, truth + 10, truth * 1.5]
    return Numeric(
        "voice_cycles",
        templates,
        {"span": f"{span} ms", "pitch": f"{pitch} Hz"},
        truth,
        wrong,
        "",
        0 if truth == int(truth) else 1,
    )


SUB_CATEGORIES: SubCategories = {
    "Loudness and distance": Drafts(
        "Sound", alternate(_ask_level_at_distance, _ask_equal_sources, _ask_distance_for_drop)
    ),
    "Echoes and travel time": Drafts(
        "Sound", alternate(_ask_echo, _ask_echo_delay, _ask_thunder, _ask_path_difference)
    ),
    "Speech rate and pauses": Drafts(
        "Paralinguistic", alternate(_ask_words_per_minute, _ask_articulation_rate, _ask_pause_share, _ask_reading_time)
    ),
    "Voice measures": Drafts("Paralinguistic", alternate(_ask_period, _ask_pitch_range, _ask_jitter, _ask_cycles)),
}
