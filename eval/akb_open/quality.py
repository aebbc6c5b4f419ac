"""Questions on audio quality, computed: noise, levels, distortion, reverberation."""

import math
from random import Random

from eval.akb_open.acoustics import alternate
from eval.akb_open.draft import Drafts, Numeric, SubCategories


def _ask_dynamic_range(rng: Random) -> Numeric:
    bits = rng.choice([6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24])
    templates = (
        "What is the greatest signal-to-quantisation-noise ratio of a full-scale sine with {bits} per sample?",
        "By the usual rule for a full-scale sine, what dynamic range does ideal quantisation with {bits} give?",
    )
    wrong = [
        6.02 * bits,
        3.01 * bits + 1.76,
        6.02 * (bits - 1) + 1.76,
        6.02 * (bits + 1) + 1.76,
        6.02 * bits - 1.76,
        4.0 * bits,
    ]
    return Numeric("dynamic_range", templates, {"bits": f"{bits} bits"}, 6.02 * bits + 1.76, wrong, "dB", 1)


def _ask_more_bits(rng: Random) -> Numeric:
    few, more = rng.choice([8, 10, 12, 14, 16]), rng.choice([2, 4, 6, 8])
    templates = (
        "By how much does ideal quantisation noise fall when {few} per sample become {many}?",
        "A converter with {few} is replaced by an ideal one with {many}. How much dynamic range is gained?",
    )
    truth = 6.02 * more
    wrong = [3.01 * more, 12.04 * more, 6.02 * more + 1.76, float(more), 10.0 * more]
    return Numeric("more_bits", templates, {"few": f"{few} bits", "many": f"{few + more} bits"}, truth, wrong, "dB", 1)


def _ask_steps(rng: Random) -> Numeric:
    bits = rng.choice([4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16])
    templates = (
        "How many amplitude values can {bits} per sample tell apart?",
        "Into how many levels does a quantiser with {bits} divide its range?",
    )
    wrong = [2 ** (bits - 1), 2 ** (bits + 1), bits**2, 2**bits - 2, 2 ** (bits - 2), 2 ** (bits + 2)]
    return Numeric("levels", templates, {"bits": f"{bits} bits"}, 2**bits, wrong, "", 0)


def _ask_snr(rng: Random) -> Numeric:
    signal, noise = -rng.randrange(3, 30), -rng.randrange(45, 100)
    templates = (
        "The signal lies at {signal} and the noise floor at {noise}. What is the signal-to-noise ratio?",
        "Speech is recorded at {signal} over a hiss at {noise}. How large is the signal-to-noise ratio?",
    )
    truth = signal - noise
    wrong = [-signal - noise, truth + 10, truth - 10, -noise, truth / 2, truth + 6]
    return Numeric("snr", templates, {"signal": f"{signal} dBFS", "noise": f"{noise} dBFS"}, truth, wrong, "dB", 0)


def _ask_snr_of_voltages(rng: Random) -> Numeric:
    noise, ratio = rng.choice([1, 2, 4, 5]), rng.choice([10, 20, 25, 50, 80, 100, 125, 200, 250, 400, 500])
    templates = (
        (
            "An amplifier puts out a signal of {signal} and noise of {noise} (both RMS). What is the "
            "signal-to-noise ratio?"
        ),
        "The RMS voltage of the music is {signal}, that of the noise {noise}. How large is the signal-to-noise ratio?",
    )
    truth = 20 * math.log10(ratio)
    wrong = [truth / 2, truth * 1.5, truth + 6, truth - 6, truth * 2]
    given = {"signal": f"{noise * ratio:,} mV", "noise": f"{noise} mV"}
    return Numeric("snr_of_voltages", templates, given, truth, wrong, "dB", 1)


def _ask_noise_for_snr(rng: Random) -> Numeric:
    signal, snr = rng.randrange(55, 90), rng.randrange(6, 41)
    templates = (
        "Speech arrives at {signal}. How loud may the noise be for a signal-to-noise ratio of {snr}?",
        "To mix noise under speech of {signal} at a signal-to-noise ratio of {snr}, what level must the noise have?",
    )
    truth = signal - snr
    given = {"signal": f"{signal} dB", "snr": f"{snr} dB"}
    return Numeric(
        "noise_for_snr", templates, given, truth, [signal + snr, truth - 10, truth + 10, truth / 2, truth + 3], "dB", 0
    )


def _ask_level_after_gain(rng: Random) -> Numeric:
    peak, gain = -rng.randrange(12, 40), rng.choice([3, 4.5, 5, 6, 7.5, 8, 9, 10, 11])
    templates = (
        "A track peaks at {peak}. Where does it peak after a gain of {gain}?",
        "The highest sample lies at {peak}; {gain} of gain are applied. What is the new peak level?",
    )
    truth = peak + gain
    wrong = [peak - gain, truth - 3, truth + 1.5, peak / 2, peak - gain / 2]
    return Numeric("after_gain", templates, {"peak": f"{peak} dBFS", "gain": f"{gain} dB"}, truth, wrong, "dBFS", 1)


def _ask_overshoot(rng: Random) -> Numeric:
    over = rng.choice([1, 1.5, 2, 2.5, 3, 4, 5, 6])
    peak = -rng.randrange(2, 15)
    templates = (
        "A signal that peaks at {peak} is amplified by {gain}. By how much does it exceed full scale and clip?",
        "How far above 0 dBFS would the peaks of a recording lie that peaks at {peak} and gets {gain} of gain?",
    )
    given = {"peak": f"{peak} dBFS", "gain": f"{over - peak} dB"}
    wrong = [over - 2 * peak, over - peak, -float(peak), over + 3, over + 1, over + 2]
    return Numeric("overshoot", templates, given, over, wrong, "dB", 1)


def _ask_normalise(rng: Random) -> Numeric:
    loudness, target = -rng.randrange(26, 42), rng.choice([-14, -16, -18, -23])
    templates = (
        "A programme measures {loudness} integrated. What gain brings it to {target}?",
        "By how much must a podcast at {loudness} be raised to meet a target of {target}?",
    )
    truth = target - loudness
    given = {"loudness": f"{loudness} LUFS", "target": f"{target} LUFS"}
    return Numeric(
        "normalise", templates, given, truth, [-target - loudness, truth + 3, truth * 2, -target, truth + 6], "dB", 0
    )


def _ask_averaging(rng: Random) -> Numeric:
    count = rng.choice([2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 32, 50, 64, 100])
    templates = (
        (
            "{count} takes of the same sound with independent noise are averaged. By how much does the "
            "signal-to-noise ratio rise?"
        ),
        "How much signal-to-noise ratio is gained by averaging {count} aligned recordings whose noise is uncorrelated?",
    )
    truth = 10 * math.log10(count)
    return Numeric(
        "averaging",
        templates,
        {"count": str(count)},
        truth,
        [truth * 2, count, truth / 2, truth + 3, truth * 1.5],
        "dB",
        1,
    )


def _ask_sum_of_noises(rng: Random) -> Numeric:
    first, gap = rng.randrange(40, 80), rng.choice([0, 1, 2, 3, 4, 5, 6])
    templates = (
        "Two independent noises of {first} and {second} are heard together. What is their total level?",
        "A fan gives {first}, a pump {second}, and their noises are independent. What level do both give?",
    )
    second = first - gap
    truth = 10 * math.log10(10 ** (first / 10) + 10 ** (second / 10))
    wrong = [first + second, first + 6, (first + second) / 2 - 2, first + 10, truth + 3, truth - 4.5]
    return Numeric(
        "sum_of_noises", templates, {"first": f"{first} dB", "second": f"{second} dB"}, truth, wrong, "dB", 1
    )


def _ask_coherent_sum(rng: Random) -> Numeric:
    level, count = rng.randrange(-40, -16), rng.choice([2, 3, 4])
    templates = ("{count} identical, in-phase copies of a signal at {level} are summed. What is the level of the sum?",)
    gain = 20 * math.log10(count)
    wrong = [level + gain / 2, level * count, level + count, level - gain, level + gain * 1.5]
    return Numeric(
        "coherent_sum", templates, {"count": str(count), "level": f"{level} dBFS"}, level + gain, wrong, "dBFS", 1
    )


def _ask_sine_rms(rng: Random) -> Numeric:
    peak = rng.choice([0.2, 0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0])
    templates = (
        "What is the RMS value of a sine with a peak of {peak}?",
        "A pure tone reaches peaks of {peak}. How large is its RMS voltage?",
    )
    truth = peak / math.sqrt(2)
    return Numeric(
        "sine_rms",
        templates,
        {"peak": f"{peak} V"},
        truth,
        [peak * math.sqrt(2), peak / 2, peak, peak / math.sqrt(3), peak * 0.9],
        "V",
        3,
    )


def _ask_peak_to_peak(rng: Random) -> Numeric:
    rms = rng.choice([0.1, 0.2, 0.3, 0.5, 0.775, 1.0, 1.228, 1.5, 2.0, 3.0])
    templates = ("A sine measures {rms} RMS. What is its peak-to-peak voltage?",)
    truth = 2 * math.sqrt(2) * rms
    return Numeric(
        "peak_to_peak",
        templates,
        {"rms": f"{rms} V"},
        truth,
        [math.sqrt(2) * rms, 2 * rms, 4 * rms, rms / math.sqrt(2)],
        "V",
        3,
    )


def _ask_crest_factor(rng: Random) -> Numeric:
    peak, crest = -rng.randrange(1, 12) / 2, rng.randrange(3, 24)
    templates = (
        "A mix peaks at {peak} and has an RMS level of {rms}. What is its crest factor?",
        "Peak level {peak}, RMS level {rms} on the same scale: how large is the crest factor?",
    )
    given = {"peak": f"{peak} dBFS", "rms": f"{peak - crest} dBFS"}
    return Numeric(
        "crest_factor",
        templates,
        given,
        crest,
        [crest - 2 * peak, crest - peak, crest + 3, crest / 2, crest * 2],
        "dB",
        1,
    )


def _ask_thd_percent(rng: Random) -> Numeric:
    fundamental, (second, third) = (
        rng.choice([1, 2, 5]),
        rng.choice([(3, 4), (6, 8), (5, 12), (8, 15), (9, 12), (10, 24), (12, 16), (15, 20)]),
    )
    templates = (
        (
            "A tone's fundamental is {fundamental}; its only harmonics are {second} and {third} (all "
            "RMS). What is the total harmonic distortion?"
        ),
    )
    truth = math.hypot(second, third) / fundamental / 10
    wrong = [
        (second + third) / fundamental / 10,
        third / fundamental / 10,
        second / fundamental / 10,
        truth * 10,
        truth * 2,
    ]
    given = {"fundamental": f"{fundamental} V", "second": f"{second} mV", "third": f"{third} mV"}
    return Numeric("thd_percent", templates, given, truth, wrong, "%", 2)


def _ask_distortion_db(rng: Random) -> Numeric:
    percent = rng.choice([0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.8, 1, 2, 2.5, 3, 5, 8, 10])
    templates = (
        "A total harmonic distortion of {percent} lies how many decibels below the fundamental (amplitudes)?",
        "Expressed in decibels below the fundamental, how large is a distortion of {percent} in amplitude?",
    )
    truth = -20 * math.log10(percent / 100)
    return Numeric(
        "distortion_db",
        templates,
        {"percent": f"{percent}%"},
        truth,
        [truth / 2, truth + 20, truth + 6, truth * 2, truth + 10],
        "dB",
        1,
    )


def _ask_sabine(rng: Random) -> Numeric:
    volume, area = (
        rng.choice([60, 80, 100, 150, 200, 250, 300, 500, 1000]),
        rng.choice([10, 15, 20, 25, 30, 40, 50, 80]),
    )
    templates = (
        (
            "A room of {volume} has an equivalent absorption area of {area}. What is its reverberation "
            "time by Sabine's formula (0.161 s/m)?"
        ),
        "By Sabine's formula with 0.161 s/m, how long does a hall of {volume} with {area} of absorption reverberate?",
    )
    truth = 0.161 * volume / area
    given = {"volume": f"{volume} m³", "area": f"{area} m²"}
    return Numeric(
        "sabine", templates, given, truth, [truth * 2, truth / 2, truth * 1.6, truth * 0.7, truth * 3], "s", 2
    )


def _ask_decay(rng: Random) -> Numeric:
    rate = rng.choice([15, 20, 24, 25, 30, 40, 48, 50, 60, 75, 80, 100, 120, 150])
    templates = (
        "After the music stops, the level in a hall falls by {rate} per second. What is the reverberation time RT60?",
        "Sound in a room decays steadily by {rate} per second. How long is its reverberation time (60 dB)?",
    )
    truth = 60 / rate
    return Numeric(
        "decay",
        templates,
        {"rate": f"{rate} dB"},
        truth,
        [30 / rate, 20 / rate, 120 / rate, 90 / rate, 100 / rate],
        "s",
        2,
    )


def _ask_rt60_from_t20(rng: Random) -> Numeric:
    drop, span = rng.choice([(20, 3), (30, 2)]), rng.choice([150, 200, 250, 300, 350, 400, 450, 500, 600])
    templates = (
        (
            "The level in a room takes {span} to fall by {drop}. Going on at that rate, what is the "
            "reverberation time RT60?"
        ),
    )
    truth = span * drop[1] / 1000
    given = {"span": f"{span} ms", "drop": f"{drop[0]} dB"}
    return Numeric(
        "extrapolated_decay", templates, given, truth, [truth / drop[1], truth * 2, truth / 2, truth * 1.5], "s", 2
    )


SUB_CATEGORIES: SubCategories = {
    "Quantisation": Drafts("Audio Quality", alternate(_ask_dynamic_range, _ask_more_bits, _ask_steps)),
    "Signal and noise": Drafts("Audio Quality", alternate(_ask_snr, _ask_snr_of_voltages, _ask_noise_for_snr)),
    "Gain and headroom": Drafts("Audio Quality", alternate(_ask_level_after_gain, _ask_overshoot, _ask_normalise)),
    "Adding and averaging noise": Drafts(
        "Audio Quality", alternate(_ask_averaging, _ask_sum_of_noises, _ask_coherent_sum)
    ),
    "Peaks and RMS": Drafts("Audio Quality", alternate(_ask_sine_rms, _ask_peak_to_peak, _ask_crest_factor)),
    "Distortion": Drafts("Audio Quality", alternate(_ask_thd_percent, _ask_distortion_db)),
    "Reverberation": Drafts("Audio Quality", alternate(_ask_sabine, _ask_decay, _ask_rt60_from_t20)),
}
