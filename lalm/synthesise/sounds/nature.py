"""Physical models of nature: weather, water, fire, animals, the body."""

import numpy as np

from lalm.synthesise.draft import Draw, Floats, make_silence
from lalm.synthesise.sounds.waves import (
    fade,
    filter_band,
    list_times,
    make_decay,
    make_noise,
    make_steady_tone,
    make_tone,
    scatter,
    space_regularly,
)
from services.types import SAMPLE_RATE


def draw_curve(draw: Draw, seconds: float, *, turns_per_s: float) -> Floats:
    """Draw a smooth random course between 0 and 1."""
    points = draw.noise.uniform(0, 1, max(3, round(seconds * turns_per_s) + 2))
    places = np.linspace(0, len(points) - 1, len(list_times(seconds)))
    below = np.minimum(places.astype(int), len(points) - 2)
    blend = 0.5 - 0.5 * np.cos(np.pi * (places - below))
    return np.asarray(points[below] * (1 - blend) + points[below + 1] * blend, np.float32)


def make_wind(draw: Draw, seconds: float) -> Floats:
    """Howl: noise through a resonance that moves with the gusts."""
    gusts = draw_curve(draw, seconds, turns_per_s=0.8)
    low, high = filter_band(make_noise(draw, seconds), 150, 400), filter_band(make_noise(draw, seconds), 400, 900)
    howl = (low * (1.3 - gusts) + 1.5 * high * gusts) * (0.3 + gusts)
    return fade(np.asarray(howl, np.float32), 0.5)


def make_drips(draw: Draw, seconds: float) -> Floats:
    """Drip into still water."""
    base = draw.rng.uniform(700, 1200)
    drop = make_tone((base * (1 + 6 * list_times(0.09))).astype(np.float32)) * make_decay(0.09, 0.02)
    return scatter(draw, drop, space_regularly(draw, draw.rng.uniform(0.5, 1.1), seconds, jitter=0.08), seconds)


def make_surf(draw: Draw, seconds: float) -> Floats:
    """Break and withdraw, as waves on a beach."""
    period_s = draw.rng.uniform(3, 5.5)
    course = np.clip(np.sin(2 * np.pi * list_times(seconds) / period_s + draw.rng.uniform(0, 6)), 0, 1) ** 1.5
    return np.asarray(filter_band(make_noise(draw, seconds), 200, 4500) * (0.12 + course), np.float32)


def make_crickets(draw: Draw, seconds: float) -> Floats:
    """Chirp at a high pitch, in pulses."""
    pulse = fade(make_steady_tone(draw.rng.uniform(4200, 5000), 0.018), 0.006)
    chirp = np.concatenate([np.concatenate([pulse, make_silence(0.014)]) for _ in range(draw.rng.randint(3, 5))])
    return scatter(
        draw, chirp, space_regularly(draw, draw.rng.uniform(0.35, 0.6), seconds, jitter=0.05), seconds, spread=0.4
    )


def make_birds(draw: Draw, seconds: float) -> Floats:
    """Chirp: fast glides at a high pitch, in phrases."""
    total = np.zeros(len(list_times(seconds)), np.float32)
    now_s = 0.1
    while now_s < seconds - 0.4:
        base, count = draw.rng.uniform(2500, 4800), draw.rng.randint(2, 6)
        for turn in range(count):
            length = len(list_times(draw.rng.uniform(0.05, 0.12)))
            glide = np.linspace(base, base * draw.rng.uniform(0.75, 1.4), length, dtype=np.float32)
            start = round((now_s + 0.13 * turn) * SAMPLE_RATE)
            chirp = fade(make_tone(glide), 0.015)[: max(0, len(total) - start)]
            total[start : start + len(chirp)] += chirp
        now_s += 0.13 * count + draw.rng.uniform(0.3, 0.9)
    return total


def make_heartbeat(draw: Draw, seconds: float) -> Floats:
    """Beat lub-dub."""
    lub, dub = (make_steady_tone(f, 0.12) * make_decay(0.12, 0.03) for f in (55, 70))
    beat = np.concatenate([lub, make_silence(0.14), 0.7 * dub])
    return scatter(
        draw, beat, space_regularly(draw, 60 / draw.rng.uniform(60, 110), seconds, jitter=0.01), seconds, spread=0.1
    )


def make_snake(draw: Draw, seconds: float) -> Floats:
    """Hiss in long breaths."""
    return filter_band(make_noise(draw, seconds), 3000, None) * (0.05 + draw_curve(draw, seconds, turns_per_s=1.2) ** 2)
