"""Statements on instrumentation: the instruments and the order in which they play; and on genre and mood."""

from collections.abc import Mapping
from math import log

from services.captioners.frames import Floats
from services.captioners.music.families import find_family, read_families
from services.captioners.music.instrument import (
    NO_INSTRUMENT,
    PERCUSSIVE,
    InstrumentHead,
    InstrumentScore,
    InstrumentTurn,
    find_turns,
    pool_over_clip,
    rank_families,
    rank_instruments,
)
from services.captioners.music.style import MusicStyle, rank_styles
from services.captioners.naming import NameMatcher
from services.captioners.sounds.yamnet import ClassScores
from services.captioners.statement import Statement, make_labels
from services.types import Label

MIN_INSTRUMENT = 0.4  # probability of an instrument that is stated
MIN_FAMILY = 0.4
MIN_SECOND = 0.08
MIN_TURN, MIN_TURN_IN_FAMILY = 0.5, 0.8
MAX_TURNS = 6
MIN_PROBABILITY = 1e-9  # probability, so that its logarithm exists
MIN_STYLE_S = 3.0  # a shorter clip has no genre or mood
GENRE_PRECISION, MOOD_PRECISION = 0.5, 0.45  # assumed: no labelled recordings to measure it on


def name_instruments(labels: tuple[str, ...]) -> NameMatcher:
    """Return the matcher of words to instruments and families; examples in brackets are names of their label."""
    examples = {label: label.partition("(")[2].rstrip(")").removeprefix("such as ") for label in labels}
    names = {label: (also,) if also else () for label, also in examples.items()}
    return NameMatcher(names | dict.fromkeys(read_families(), ()), read_families())


class Players:
    """The instrumentation of a clip, by the instrument classifier."""

    def __init__(self, head: InstrumentHead, samples: Floats, scores: ClassScores) -> None:
        self._logs = head(samples, scores)
        self._labels = head.labels
        probabilities = pool_over_clip(samples, self._logs)
        self._ranked = rank_instruments(probabilities, head.labels)
        self._guesses = [guess for guess in self._ranked if guess.label != NO_INSTRUMENT]
        self._families = rank_families(probabilities, head.labels)

    @property
    def percussive(self) -> float:
        """Probability that only unpitched percussion plays."""
        return sum(guess.probability for guess in self._families if guess.label in PERCUSSIVE)

    @property
    def labels(self) -> list[str]:
        """The instruments, most likely first."""
        return [guess.label for guess in self._guesses]

    @property
    def scores(self) -> Mapping[str, float]:
        """Instrument, family or none -> logarithm of its probability."""
        return {guess.label: log(max(guess.probability, MIN_PROBABILITY)) for guess in (*self._families, *self._ranked)}

    def make_statements(self) -> list[Statement]:
        """Return a statement on the likely instruments, or on their order where several play in turn."""
        in_turn = _keep_sure_turns(find_turns(self._logs, self._labels))
        if len({turn.label for turn in in_turn}) > 1:
            return [_describe_order(in_turn)]
        best, family = self._guesses[0], self._families[0]
        if best.probability < MIN_INSTRUMENT and family.probability < MIN_FAMILY:
            return []
        return [_describe_instrument(self._guesses, family)]


def _describe_instrument(guesses: list[InstrumentScore], family: InstrumentScore) -> Statement:
    best, second = guesses[:2]
    first, other, wider = (Label.round_to_label(*guess) for guess in (best, second, family))
    if best.probability < MIN_INSTRUMENT:
        text = f"Instrument: {wider}, most likely {best.label} or {second.label}."
        labels = (wider, *make_labels([best.label, second.label]))
        return Statement("instrument", text, family.probability, "model", labels)
    text, labels = f"Instrument: most likely {first}", (first,)
    if second.probability >= MIN_SECOND:
        text, labels = f"{text}, else {other}", (*labels, other)
    if family.probability >= MIN_FAMILY:
        text, labels = f"{text}; family: {wider}", (*labels, wider)
    return Statement("instrument", text + ".", max(best.probability, family.probability), "model", labels)


def _keep_sure_turns(found: tuple[InstrumentTurn, ...]) -> list[InstrumentTurn]:
    """Return the turns with a high probability; within a family, which the classifier confuses, a higher one."""
    sure = [turn for turn in found if turn.probability >= MIN_TURN]
    kept: list[InstrumentTurn] = []
    for turn in sure:
        least = MIN_TURN_IN_FAMILY if kept and find_family(kept[-1].label) == find_family(turn.label) else MIN_TURN
        if not kept or (turn.label != kept[-1].label and min(turn.probability, kept[-1].probability) >= least):
            kept.append(turn)
    return kept


def _describe_order(in_turn: list[InstrumentTurn]) -> Statement:
    shown = in_turn[:MAX_TURNS]
    listed = ", then ".join(f"{turn.label} (from {turn.start_s:.1f} s)" for turn in shown)
    sure, labels = min(turn.probability for turn in in_turn), make_labels(turn.label for turn in shown)
    return Statement("instrument", f"Instruments in order: first {listed}.", sure, "model", labels)


def describe_style(scores: Mapping[str, float], duration_s: float) -> list[Statement]:
    """Return statements on genre and mood, from style -> score; none where no style scores high enough."""
    if duration_s < MIN_STYLE_S:
        return []
    statements = []
    if found := [style.label for style in rank_styles(scores, "genre")]:
        text = f"Genre or style: most likely {', or '.join(found)}."
        statements.append(Statement("music", text, GENRE_PRECISION, "model", make_labels(found)))
    if felt := [_spell_mood(style) for style in rank_styles(scores, "mood")]:
        statements.append(
            Statement("music", f"Mood: {', or '.join(felt)}.", MOOD_PRECISION, "model", make_labels(felt))
        )
    return statements


def _spell_mood(style: MusicStyle) -> str:
    return f"{style.label} ({', '.join(style.also[:3])})"
