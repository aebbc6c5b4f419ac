"""Physical models of what is struck, dropped or fired: bells, glass, coins, balls, steps, knocks, shots, clapping."""

import numpy as np

from lalm.synthesise.draft import Draw, Floats
from lalm.synthesise.sounds.waves import at_random, band, decay, modes, noise, regular, scatter


def wind_chimes(draw: Draw, seconds: float) -> Floats:
    """Strike metal tubes at random."""
    total = np.zeros(round(seconds * 16_000), np.float32)
    for pitch in draw.rng.sample((1046, 1175, 1319, 1568, 1760, 2093), 4):
        tube = modes((pitch, 2.76 * pitch), (0.6, 0.2), 2.0)
        total += scatter(draw, tube, at_random(draw, 0.7, seconds), seconds, spread=0.6)
    return total


def clinking_glass(draw: Draw, seconds: float) -> Floats:
    """Touch glasses."""
    base = draw.rng.uniform(1900, 2800)
    clink = modes([base, 1.6 * base, 2.3 * base], (0.2, 0.1, 0.05), 0.9)
    return scatter(draw, clink, regular(draw, draw.rng.uniform(0.7, 1.4), seconds, jitter=0.2), seconds)


def breaking_glass(draw: Draw, seconds: float) -> Floats:
    """Shatter, then let pieces fall."""
    crash = band(noise(draw, 0.35), 2000, None) * decay(0.35, 0.06)
    total = 3 * scatter(draw, crash, [0.1], seconds)
    for _ in range(18):
        pitch = draw.rng.uniform(2200, 6500)
        piece = modes((pitch, 1.4 * pitch), (0.05, 0.03), 0.3)
        total += scatter(draw, piece, [0.12 + draw.rng.expovariate(3)], max(seconds, 1.0), spread=0.8)[: len(total)]
    return total


def bouncing_ball(draw: Draw, seconds: float) -> Floats:
    """Let a ball bounce lower and lower, and so faster and faster."""
    thud = modes((draw.rng.uniform(130, 220), 410, 830), (0.03, 0.02, 0.01), 0.15)
    return _bounce(draw, thud, seconds, first_s=draw.rng.uniform(0.6, 0.8), loss=0.82)


def _bounce(draw: Draw, hit: Floats, seconds: float, *, first_s: float, loss: float) -> Floats:
    """Hit at intervals that shrink by the loss at each bounce, and begin again when it has come to rest."""
    starts, now_s, gap_s = [], 0.1, first_s
    while now_s < seconds - 0.2:
        starts.append(now_s)
        now_s += gap_s
        gap_s = gap_s * loss if gap_s > 0.04 else first_s
    return scatter(draw, hit, starts, seconds, spread=0.2)


def hammering(draw: Draw, seconds: float) -> Floats:
    """Hammer on metal."""
    blow = modes((900, 1710, 2840, 4100), (0.05, 0.04, 0.03, 0.02), 0.3) + np.float32(0.5) * (
        band(noise(draw, 0.3), 500, None) * decay(0.3, 0.005)
    )
    return scatter(draw, blow, regular(draw, draw.rng.uniform(0.45, 0.8), seconds, jitter=0.08), seconds)


def gunshots(draw: Draw, seconds: float) -> Floats:
    """Fire single shots that echo."""
    shot = band(noise(draw, 1.2), 60, 5000) * decay(1.2, 0.03) + np.float32(0.15) * band(
        noise(draw, 1.2), 60, 900
    ) * decay(1.2, 0.2)
    return scatter(draw, shot, regular(draw, draw.rng.uniform(0.9, 1.7), seconds, jitter=0.2), seconds, spread=0.1)


def explosion(draw: Draw, seconds: float) -> Floats:
    """Blast, then rumble."""
    blast = band(noise(draw, seconds), 30, 600) * decay(seconds, 0.4) + band(noise(draw, seconds), 200, 3000) * decay(
        seconds, 0.06
    )
    return scatter(draw, blast, [0.1], seconds, spread=0)
