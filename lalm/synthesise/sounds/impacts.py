"""Physical models of what is struck, dropped or fired: bells, glass, coins, balls, steps, knocks, shots, clapping."""

import numpy as np

from lalm.synthesise.draft import Draw, Floats
from lalm.synthesise.sounds.waves import (
    filter_band,
    list_times,
    make_decay,
    make_noise,
    scatter,
    space_at_random,
    space_regularly,
    strike_modes,
)


def make_wind_chimes(draw: Draw, seconds: float) -> Floats:
    """Strike metal tubes at random."""
    total = np.zeros(len(list_times(seconds)), np.float32)
    for pitch in draw.rng.sample((1046, 1175, 1319, 1568, 1760, 2093), 4):
        tube = strike_modes((pitch, 2.76 * pitch), (0.6, 0.2), 2.0)
        total += scatter(draw, tube, space_at_random(draw, 0.7, seconds), seconds, spread=0.6)
    return total


def make_clinking_glass(draw: Draw, seconds: float) -> Floats:
    """Touch glasses."""
    base = draw.rng.uniform(1900, 2800)
    clink = strike_modes([base, 1.6 * base, 2.3 * base], (0.2, 0.1, 0.05), 0.9)
    return scatter(draw, clink, space_regularly(draw, draw.rng.uniform(0.7, 1.4), seconds, jitter=0.2), seconds)


def make_breaking_glass(draw: Draw, seconds: float) -> Floats:
    """Shatter, then let pieces fall."""
    crash = filter_band(make_noise(draw, 0.35), 2000, None) * make_decay(0.35, 0.06)
    total = 3 * scatter(draw, crash, [0.1], seconds)
    for _ in range(18):
        pitch = draw.rng.uniform(2200, 6500)
        piece = strike_modes((pitch, 1.4 * pitch), (0.05, 0.03), 0.3)
        total += scatter(draw, piece, [0.12 + draw.rng.expovariate(3)], max(seconds, 1.0), spread=0.8)[: len(total)]
    return total


def make_bouncing_ball(draw: Draw, seconds: float) -> Floats:
    """Let a ball bounce lower and lower, and so faster and faster."""
    thud = strike_modes((draw.rng.uniform(130, 220), 410, 830), (0.03, 0.02, 0.01), 0.15)
    return _let_bounce(draw, thud, seconds, first_s=draw.rng.uniform(0.6, 0.8), loss=0.82)


def _let_bounce(draw: Draw, hit: Floats, seconds: float, *, first_s: float, loss: float) -> Floats:
    """Hit at intervals that shrink by the loss at each bounce, and begin again when it has come to rest."""
    starts, now_s, gap_s = [], 0.1, first_s
    while now_s < seconds - 0.2:
        starts.append(now_s)
        now_s += gap_s
        gap_s = gap_s * loss if gap_s > 0.04 else first_s
    return scatter(draw, hit, starts, seconds, spread=0.2)


def make_hammering(draw: Draw, seconds: float) -> Floats:
    """Hammer on metal."""
    blow = strike_modes((900, 1710, 2840, 4100), (0.05, 0.04, 0.03, 0.02), 0.3) + np.float32(0.5) * (
        filter_band(make_noise(draw, 0.3), 500, None) * make_decay(0.3, 0.005)
    )
    return scatter(draw, blow, space_regularly(draw, draw.rng.uniform(0.45, 0.8), seconds, jitter=0.08), seconds)


def make_gunshots(draw: Draw, seconds: float) -> Floats:
    """Fire single shots that echo."""
    shot = filter_band(make_noise(draw, 1.2), 60, 5000) * make_decay(1.2, 0.03) + np.float32(0.15) * filter_band(
        make_noise(draw, 1.2), 60, 900
    ) * make_decay(1.2, 0.2)
    return scatter(
        draw, shot, space_regularly(draw, draw.rng.uniform(0.9, 1.7), seconds, jitter=0.2), seconds, spread=0.1
    )


def make_explosion(draw: Draw, seconds: float) -> Floats:
    """Blast, then rumble."""
    blast = filter_band(make_noise(draw, seconds), 30, 600) * make_decay(seconds, 0.4) + filter_band(
        make_noise(draw, seconds), 200, 3000
    ) * make_decay(seconds, 0.06)
    return scatter(draw, blast, [0.1], seconds, spread=0)
