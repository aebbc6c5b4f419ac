"""Physical models of signals: sirens, horns, alarms, telephones, bells at the door, tones, codes."""

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
    strike_modes,
)
from services.types import SAMPLE_RATE

SQUARE = (1.0, 0.0, 0.33, 0.0, 0.2, 0.0, 0.14)
SAW = (1.0, 0.5, 0.33, 0.25, 0.2, 0.17, 0.14, 0.12)
MORSE = {
    "S": "...",
    "O": "---",
    "A": ".-",
    "N": "-.",
    "T": "-",
    "E": ".",
    "R": ".-.",
    "M": "--",
    "K": "-.-",
    "U": "..-",
}
TOUCH_ROWS, TOUCH_COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477)


def make_siren(draw: Draw, seconds: float) -> Floats:
    """Rise and fall, as emergency vehicles in America do."""
    period_s = draw.rng.choice((0.35, 2.0, 4.0))
    course = 0.5 - 0.5 * np.cos(2 * np.pi * list_times(seconds) / period_s)
    return make_tone((600 + 800 * course).astype(np.float32), harmonics=SAW)


def make_two_tone_siren(draw: Draw, seconds: float) -> Floats:
    """Change between two tones, as emergency vehicles in Europe do."""
    step_s = draw.rng.uniform(0.45, 0.8)
    high = (list_times(seconds) / step_s).astype(int) % 2
    return make_tone((435 + 150 * high).astype(np.float32), harmonics=SQUARE)


def make_car_horn(draw: Draw, seconds: float) -> Floats:
    """Sound two tones at once, in blasts."""
    base = draw.rng.uniform(370, 440)
    blast_s = draw.rng.uniform(0.3, 0.9)
    blast = make_steady_tone(base, blast_s, harmonics=SAW) + make_steady_tone(1.26 * base, blast_s, harmonics=SAW)
    return scatter(
        draw, blast, space_regularly(draw, blast_s + draw.rng.uniform(0.2, 0.5), seconds), seconds, spread=0.1
    )


def make_steam_whistle(draw: Draw, seconds: float) -> Floats:
    """Sound a chord through hissing steam."""
    base = draw.rng.uniform(500, 700)
    chord = sum(make_steady_tone(base * ratio, seconds, harmonics=(1.0, 0.2)) for ratio in (1, 1.2, 1.5))
    return fade(np.asarray(chord, np.float32) + 0.3 * filter_band(make_noise(draw, seconds), 1500, None), 0.15)


def make_referee_whistle(draw: Draw, seconds: float) -> Floats:
    """Warble at a high pitch, as the pea in a whistle makes it."""
    warble = 1 + 0.03 * np.sign(np.sin(2 * np.pi * draw.rng.uniform(30, 45) * list_times(0.7)))
    blast = fade(make_tone((2700 * warble).astype(np.float32), harmonics=(1.0, 0.2)), 0.03)
    blast = blast + 0.1 * filter_band(make_noise(draw, 0.7), 2000, 4000)
    return scatter(draw, blast, space_regularly(draw, draw.rng.uniform(1.0, 1.6), seconds), seconds, spread=0.1)


def make_beeps(draw: Draw, seconds: float) -> Floats:
    """Beep in groups, as an alarm clock does."""
    beep = make_steady_tone(draw.rng.uniform(1900, 2300), 0.08, harmonics=SQUARE)
    group = np.concatenate([np.concatenate([beep, make_silence(0.06)]) for _ in range(4)])
    return scatter(draw, group, space_regularly(draw, 1.1, seconds, jitter=0), seconds, spread=0)


def make_smoke_alarm(draw: Draw, seconds: float) -> Floats:
    """Sound three long high beeps and a pause."""
    beep = make_steady_tone(draw.rng.uniform(2900, 3300), 0.5, harmonics=(1.0, 0.1, 0.2))
    group = np.concatenate([beep, make_silence(0.5), beep, make_silence(0.5), beep])
    return scatter(draw, group, space_regularly(draw, 4.0, seconds + 2, jitter=0), seconds, spread=0)


def make_reversing_beeps(draw: Draw, seconds: float) -> Floats:
    """Beep slowly over a diesel engine."""
    beep = make_steady_tone(draw.rng.uniform(1000, 1250), 0.45, harmonics=SQUARE)
    engine = filter_band(make_noise(draw, seconds), 40, 160) * (1 + 0.6 * np.sin(2 * np.pi * 22 * list_times(seconds)))
    beeping = scatter(draw, beep, space_regularly(draw, 0.95, seconds, jitter=0), seconds, spread=0)
    return np.asarray(beeping + 0.3 * engine, np.float32)


def make_ringtone(draw: Draw, seconds: float) -> Floats:
    """Play a short electronic melody again and again."""
    pitches = [draw.rng.choice((660, 784, 880, 988, 1175, 1319)) for _ in range(6)]
    melody = np.concatenate([make_steady_tone(pitch, 0.13, harmonics=SQUARE) for pitch in pitches])
    return scatter(draw, melody, space_regularly(draw, 1.2, seconds, jitter=0), seconds, spread=0)


def make_dial_tone(draw: Draw, seconds: float) -> Floats:
    """Sound what a telephone does before a number is dialled."""
    low, high = draw.rng.choice(((350, 440), (425, 425)))
    return make_steady_tone(low, seconds) + make_steady_tone(high, seconds)


def make_busy_signal(draw: Draw, seconds: float) -> Floats:
    """Sound what a telephone does when the line is busy."""
    beep = make_steady_tone(480, 0.5) + make_steady_tone(620, 0.5)
    return scatter(draw, beep, space_regularly(draw, 1.0, seconds, jitter=0), seconds, spread=0)


def make_touch_tones(draw: Draw, seconds: float) -> Floats:
    """Dial digits on a push-button telephone."""
    tones: list[Floats] = []
    while len(tones) * 0.28 < seconds - 0.3:
        row, column = draw.rng.choice(TOUCH_ROWS), draw.rng.choice(TOUCH_COLUMNS)
        tones.append(np.concatenate([make_steady_tone(row, 0.16) + make_steady_tone(column, 0.16), make_silence(0.12)]))
    return np.concatenate(tones)


def make_doorbell(draw: Draw, seconds: float) -> Floats:
    """Sound ding-dong."""
    base = draw.rng.uniform(560, 700)
    ding, dong = (strike_modes((f, 2.76 * f, 5.4 * f), (0.5, 0.2, 0.1), 2.2) for f in (1.25 * base, base))
    both = np.concatenate([ding[: round(0.6 * SAMPLE_RATE)], dong])
    return scatter(draw, both, [0.05, 3.2][: 1 + (seconds > 5)], seconds, spread=0)


def make_buzzer(draw: Draw, seconds: float) -> Floats:
    """Buzz harshly."""
    buzz = make_steady_tone(draw.rng.uniform(95, 150), draw.rng.uniform(0.5, 1.2), harmonics=SQUARE + SQUARE)
    return scatter(draw, buzz, space_regularly(draw, 1.6, seconds), seconds, spread=0)


def make_morse(draw: Draw, seconds: float) -> Floats:
    """Key Morse code."""
    unit_s, pitch = draw.rng.uniform(0.06, 0.1), draw.rng.uniform(550, 850)
    parts: list[Floats] = []
    while sum(map(len, parts)) < (seconds - 0.5) * SAMPLE_RATE:
        for sign in MORSE[draw.rng.choice(list(MORSE))]:
            parts += [make_steady_tone(pitch, unit_s * (1 if sign == "." else 3)), make_silence(unit_s)]
        parts.append(make_silence(2 * unit_s))
    return np.concatenate(parts)


def make_radio_static(draw: Draw, seconds: float) -> Floats:
    """Hiss as an untuned radio."""
    slow = 1 + 0.5 * np.sin(2 * np.pi * draw.rng.uniform(0.3, 1.5) * list_times(seconds))
    return np.asarray(filter_band(make_noise(draw, seconds), 300, 6000) * slow, np.float32)


def make_sonar(draw: Draw, seconds: float) -> Floats:
    """Ping, and let it echo."""
    ping = make_steady_tone(draw.rng.uniform(900, 1500), 2.5) * make_decay(2.5, 0.35)
    return scatter(draw, ping, space_regularly(draw, 2.6, seconds + 1, jitter=0), seconds, spread=0)


def make_game_sounds(draw: Draw, seconds: float) -> Floats:
    """Make the jumps and coins of an old video game."""
    parts: list[Floats] = []
    while sum(map(len, parts)) < (seconds - 0.6) * SAMPLE_RATE:
        start, end = draw.rng.choice(((300, 900), (988, 1319), (900, 200), (500, 520)))
        length = len(list_times(draw.rng.uniform(0.12, 0.3)))
        parts += [fade(make_tone(np.linspace(start, end, length, dtype=np.float32), harmonics=SQUARE), 0.01)]
        parts.append(make_silence(draw.rng.uniform(0.05, 0.4)))
    return np.concatenate(parts)


def make_laser(draw: Draw, seconds: float) -> Floats:
    """Make the shots of a science-fiction weapon."""
    length = len(list_times(0.3))
    zap = make_tone(np.geomspace(4000, 150, length).astype(np.float32), harmonics=SAW) * make_decay(0.3, 0.1)
    return scatter(
        draw, fade(zap, 0.005), space_regularly(draw, draw.rng.uniform(0.4, 0.9), seconds, jitter=0.2), seconds
    )


def make_pure_tone(draw: Draw, seconds: float) -> Floats:
    """Hold one sine tone."""
    return make_steady_tone(draw.rng.uniform(200, 3000), seconds)


def make_sweep(draw: Draw, seconds: float) -> Floats:
    """Glide from low to high."""
    return fade(
        make_tone(np.geomspace(draw.rng.uniform(60, 200), 6500, len(list_times(seconds))).astype(np.float32)), 0.02
    )


def make_mains_hum(draw: Draw, seconds: float) -> Floats:
    """Hum as an electric transformer."""
    return make_steady_tone(draw.rng.choice((100, 120)), seconds, harmonics=(1.0, 0.5, 0.3, 0.3, 0.1, 0.1))
