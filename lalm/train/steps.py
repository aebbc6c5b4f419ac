"""Steps of a run: micro-batches of one epoch after another, from any step on.

An epoch has parts, one for each buffer of rows (`lalm/train/streaming.py`); rows that are all in memory are one part.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple, TypeAlias

from lalm.train.data import MicroBatch, Sampler

OpenPart: TypeAlias = Callable[[int, int], Sampler | None]
"""Epoch, part -> its rows; None where the epoch has no such part."""


class PartPlace(NamedTuple):
    """A part of an epoch, and the number of packed sequences before it since the first step."""

    epoch: int = 0
    part: int = 0
    num_before: int = 0


class StepPlace(NamedTuple):
    """How far a run is, and the part that its next step begins in."""

    num_done: int = 0
    part: PartPlace = PartPlace()


BEGINNING = StepPlace()


class StepFeed:
    """Yields the micro-batches of every step.

    Args:
        open_part: opens the rows of a part of an epoch.
        sequences_per_step: packed sequences of a step.
    """

    def __init__(self, open_part: OpenPart, sequences_per_step: int) -> None:
        self._open_part, self._size = open_part, sequences_per_step
        self._part = PartPlace()

    def locate(self, num_done: int) -> StepPlace:
        """Return the place of the next step, once `num_done` were drawn."""
        return StepPlace(num_done, self._part)

    def draw_steps(self, place: StepPlace = BEGINNING) -> Iterator[tuple[MicroBatch, ...]]:
        """Yield the micro-batches of each step from a place on, without end; no earlier part is opened."""
        skipped = place.num_done * self._size - place.part.num_before
        sequences = islice(self._draw_sequences(place.part), skipped, None)
        while True:
            yield tuple(islice(sequences, self._size))

    def _draw_sequences(self, place: PartPlace) -> Iterator[MicroBatch]:
        while True:
            sampler = self._open_part(place.epoch, place.part)
            if sampler is None:
                place = PartPlace(place.epoch + 1, 0, place.num_before)
                continue
            self._part, num_drawn = place, 0
            for sequence in sampler.draw_epoch(place.epoch):
                yield sequence
                num_drawn += 1
            place = PartPlace(place.epoch, place.part + 1, place.num_before + num_drawn)
