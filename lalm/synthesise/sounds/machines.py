"""Physical models of machines: engines, aircraft, tools, clocks, keyboards, trains."""

import numpy as np

from lalm.synthesise.draft import Draw, Floats
from lalm.synthesise.sounds.waves import (
    filter_band,
    list_times,
    make_decay,
    make_noise,
    make_tone,
    scatter,
    space_regularly,
)
from services.types import SAMPLE_RATE

ROUGH_HARMONICS = (1.0, 0.9, 0.8, 0.6, 0.5, 0.4, 0.3, 0.3, 0.2, 0.2)


def _run_engine(draw: Draw, rates: Floats) -> Floats:
    """Fire a cylinder at a rate, Hz, for each sample."""
    firing = make_tone(rates, harmonics=ROUGH_HARMONICS)
    breath = filter_band(make_noise(draw, len(rates) / SAMPLE_RATE), 80, 1200)
    return np.asarray(firing + 0.5 * breath * (1 + firing), np.float32)


def make_accelerating_engine(draw: Draw, seconds: float) -> Floats:
    """Speed up through the gears."""
    place = list_times(seconds) / np.float32(seconds)
    gears = draw.rng.choice((1, 2, 3))
    rise = (place * gears) % 1.0
    return _run_engine(draw, (60 + 110 * rise + 30 * place).astype(np.float32))


def make_helicopter(draw: Draw, seconds: float) -> Floats:
    """Chop the air with rotor blades."""
    blade = filter_band(make_noise(draw, 0.07), 60, 700) * make_decay(0.07, 0.02)
    turbine = 0.1 * filter_band(make_noise(draw, seconds), 500, 4000)
    return (
        3 * scatter(draw, blade, space_regularly(draw, 1 / draw.rng.uniform(10, 14), seconds, jitter=0.01), seconds)
        + turbine
    )
