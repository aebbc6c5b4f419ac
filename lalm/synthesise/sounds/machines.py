"""Physical models of machines: engines, aircraft, tools, clocks, keyboards, trains."""

import numpy as np

from lalm.synthesise.draft import Draw, Floats
from lalm.synthesise.sounds.waves import band, decay, noise, regular, scatter, times, tone

ROUGH = (1.0, 0.9, 0.8, 0.6, 0.5, 0.4, 0.3, 0.3, 0.2, 0.2)


def _engine(draw: Draw, rates: Floats) -> Floats:
    """Fire a cylinder at a rate, Hz, for each sample."""
    firing = tone(rates, harmonics=ROUGH)
    breath = band(noise(draw, len(rates) / 16_000), 80, 1200)
    return np.asarray(firing + 0.5 * breath * (1 + firing), np.float32)


def accelerating_engine(draw: Draw, seconds: float) -> Floats:
    """Speed up through the gears."""
    place = times(seconds) / np.float32(seconds)
    gears = draw.rng.choice((1, 2, 3))
    rise = (place * gears) % 1.0
    return _engine(draw, (60 + 110 * rise + 30 * place).astype(np.float32))


def helicopter(draw: Draw, seconds: float) -> Floats:
    """Chop the air with rotor blades."""
    blade = band(noise(draw, 0.07), 60, 700) * decay(0.07, 0.02)
    turbine = 0.1 * band(noise(draw, seconds), 500, 4000)
    return (
        3 * scatter(draw, blade, regular(draw, 1 / draw.rng.uniform(10, 14), seconds, jitter=0.01), seconds) + turbine
    )
