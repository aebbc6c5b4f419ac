"""Technical questions, computed: sampling, sample counts, bit rates, decibels, waves, spectra, filters."""

import math
from random import Random

from agents.reading.numbers import ORDINALS
from eval.akb_open.acoustics import SPEED, alternate
from eval.akb_open.draft import Drafts, Numeric, SubCategories

RATES = {"8 kHz": 8000, "11.025 kHz": 11025, "16 kHz": 16000, "22.05 kHz": 22050, "24 kHz": 24000, "32 kHz": 32000}
RATES |= {"44.1 kHz": 44100, "48 kHz": 48000, "88.2 kHz": 88200, "96 kHz": 96000, "192 kHz": 192000}
RATIOS = (2, 3, 4, 5, 8, 10, 16, 20, 25, 30, 40, 50, 80, 100, 200, 500, 1000)
ROUND_RATES = {name: rate for name, rate in RATES.items() if rate in {8000, 16000, 24000, 32000, 48000, 96000}}


def _ask_nyquist(rng: Random) -> Numeric:
    rate = rng.choice(list(RATES))
    templates = (
        "What is the Nyquist frequency at a sample rate of {rate}?",
        "Up to which frequency can audio sampled at {rate} represent sound?",
    )
    truth = RATES[rate] / 2
    return Numeric(
        "nyquist",
        templates,
        {"rate": rate},
        truth,
        [truth * 2, truth / 2, truth * 4, truth * 1.5],
        "Hz",
        1 if truth % 1 else 0,
    )


def _ask_lowest_sample_rate(rng: Random) -> Numeric:
    top = rng.choice([3400, 4000, 5500, 6000, 7000, 7500, 9000, 10000, 12000, 15000, 18000, 20000])
    templates = (
        "By the sampling theorem, above which sample rate must a signal with components up to {top} be sampled?",
        "A signal holds frequencies up to {top}. Which sample rate must be exceeded so that nothing aliases?",
    )
    return Numeric(
        "least_rate", templates, {"top": f"{top:,} Hz"}, 2 * top, [top, top / 2, 4 * top, 3 * top, 1.5 * top], "Hz", 0
    )


def _ask_alias(rng: Random) -> Numeric:
    rate = rng.choice([8000, 10000, 16000, 20000, 24000, 32000, 48000])
    tone = rate // 2 + rng.randrange(1, 9) * rate // 20
    templates = (
        "A tone of {tone} is sampled at {rate} without an anti-aliasing filter. At which frequency does it appear?",
        "Unfiltered, a sine of {tone} is digitised at {rate}. Which frequency is heard on playback?",
    )
    truth = rate - tone
    wrong = [tone - rate / 2, tone / 2, rate / 2, truth * 2, tone, truth / 2]
    return Numeric("alias", templates, {"tone": f"{tone:,} Hz", "rate": f"{rate:,} Hz"}, truth, wrong, "Hz", 0)


def _ask_samples(rng: Random) -> Numeric:
    rate, span = rng.choice(list(ROUND_RATES)), rng.choice([5, 10, 20, 25, 30, 50, 100, 125, 250, 500, 750, 1500])
    templates = (
        "How many samples does one channel of {span} hold at {rate}?",
        "At {rate}, how many samples a channel are {span} of audio?",
    )
    truth = RATES[rate] * span / 1000
    return Numeric(
        "samples",
        templates,
        {"span": f"{span:,} ms", "rate": rate},
        truth,
        [truth * 2, truth / 2, truth * 10, truth / 4, truth * 1.5],
        "samples",
        0,
    )


def _ask_duration(rng: Random) -> Numeric:
    rate, count = rng.choice(list(ROUND_RATES)), rng.choice([80, 160, 240, 480, 960, 1200, 2400, 4800, 9600])
    templates = (
        "How long do {count} last at {rate}?",
        "A buffer holds {count} a channel at {rate}. How much audio is that?",
    )
    truth = 1000 * count / RATES[rate]
    digits = 0 if truth % 1 == 0 else 2
    return Numeric(
        "duration",
        templates,
        {"count": f"{count:,} samples", "rate": rate},
        truth,
        [truth * 2, truth / 2, truth * 10, truth * 3],
        "ms",
        digits,
    )


def _ask_resampled_samples(rng: Random) -> Numeric:
    (old, new), seconds = rng.sample(list(ROUND_RATES), 2), rng.choice([1, 2, 3, 4, 5, 10])
    templates = ("A mono file of {count} at {old} is resampled to {new}. How many samples has it then?",)
    given = {"count": f"{RATES[old] * seconds:,} samples", "old": old, "new": new}
    truth = RATES[new] * seconds
    return Numeric(
        "resampled",
        templates,
        given,
        truth,
        [RATES[old] * seconds, truth * 2, truth / 2, RATES[old] ** 2 * seconds / RATES[new]],
        "samples",
        0,
    )


def _ask_bit_rate(rng: Random) -> Numeric:
    rate, bits, channels = rng.choice(list(RATES)), rng.choice([8, 16, 24, 32]), rng.choice([1, 2, 4, 6])
    templates = (
        "What is the bit rate of uncompressed PCM at {rate}, {bits} per sample and {channels}?",
        "How many kilobits a second does raw PCM take with {channels}, {bits} per sample and {rate}?",
    )
    truth = RATES[rate] * bits * channels / 1000
    given = {"rate": rate, "bits": f"{bits} bits", "channels": f"{channels} channel{'s' if channels > 1 else ''}"}
    wrong = [truth * 2, truth / 2, truth / 8, truth * 1.5, truth / 4]
    return Numeric("bit_rate", templates, given, truth, wrong, "kbit/s", 1)


def _ask_file_size(rng: Random) -> Numeric:
    rate, minutes = rng.choice([64, 96, 112, 128, 160, 192, 224, 256, 320]), rng.choice([1, 2, 3, 4, 5, 8, 10, 20, 30])
    templates = (
        "How large is an audio stream of {minutes} at {rate} (1 MB = 1,000,000 bytes, headers left out)?",
        "A podcast of {minutes} is coded at a constant {rate}. How many megabytes (10⁶ bytes) of audio data are that?",
    )
    truth = rate * minutes * 60 / 8000
    given = {"minutes": f"{minutes} min", "rate": f"{rate} kbit/s"}
    return Numeric(
        "file_size", templates, given, truth, [truth * 8, truth * 2, truth / 2, truth * 1.5, truth / 8], "MB", 2
    )


def _ask_compression(rng: Random) -> Numeric:
    rate, ratio = rng.choice([768, 1024, 1411.2, 1536, 2304, 4608]), rng.choice([2, 3, 4, 6, 8, 12])
    templates = (
        "PCM of {pcm} is coded at {coded}. What is the compression ratio?",
        "How many times smaller is a stream of {coded} than PCM of {pcm}?",
    )
    given = {"pcm": f"{rate:,} kbit/s", "coded": f"{rate / ratio:,.10g} kbit/s"}
    return Numeric(
        "compression", templates, given, ratio, [ratio * 2, ratio + 1, ratio / 2, ratio * 8, ratio + 3], "to 1", 0
    )


def _ask_power_ratio(rng: Random) -> Numeric:
    templates = (
        "A power is multiplied by {ratio}. By how many decibels does its level rise?",
        "How many decibels is a power ratio of {ratio}?",
    )
    return _make_ratio("power_ratio", templates, rng.choice(RATIOS), db_per_decade=10)


def _ask_amplitude_ratio(rng: Random) -> Numeric:
    templates = (
        "An amplitude is multiplied by {ratio}. By how many decibels does its level rise?",
        "How many decibels is a voltage ratio of {ratio}?",
    )
    return _make_ratio("amplitude_ratio", templates, rng.choice(RATIOS), db_per_decade=20)


def _make_ratio(name: str, templates: tuple[str, ...], ratio: int, *, db_per_decade: int) -> Numeric:
    truth = db_per_decade * math.log10(ratio)
    doubling = 3 * db_per_decade / 10
    wrong = [truth * 2, truth / 2, ratio, truth + doubling, truth * 1.5]
    return Numeric(name, templates, {"ratio": f"{ratio:,}"}, truth, wrong, "dB", 1)


def _ask_gain_factor(rng: Random) -> Numeric:
    gain = rng.choice([1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 14, 15, 18, 20, 24, 26, 30, 34, 40])
    templates = (
        "By which factor does a gain of {gain} multiply the amplitude?",
        "A fader adds {gain}. With what is the signal's voltage multiplied?",
    )
    truth = 10 ** (gain / 20)
    wrong = [10 ** (gain / 10), gain, 1 + gain / 10, truth / 2, truth * 1.5]
    return Numeric("gain_factor", templates, {"gain": f"{gain} dB"}, truth, wrong, "", 2)


def _ask_wavelength(rng: Random) -> Numeric:
    tone = rng.choice([20, 40, 50, 60, 80, 100, 125, 150, 200, 250, 300, 400, 440, 500, 600, 750, 1000])
    templates = (
        "With sound at {speed}, what is the wavelength of a tone of {tone}?",
        "How long is one wave of a {tone} tone in air at {speed}?",
    )
    truth = SPEED / tone
    given = {"tone": f"{tone:,} Hz", "speed": f"{SPEED} m/s"}
    wrong = [truth * 2, truth / 2, truth / 4, truth * 1.3, tone / SPEED]
    return Numeric("wavelength", templates, given, truth, wrong, "m", 2)


def _ask_tone_of_wave(rng: Random) -> Numeric:
    length = rng.choice([0.1, 0.2, 0.25, 0.4, 0.5, 0.7, 0.8, 1.0, 1.4, 2.0, 2.5, 3.5, 4.0, 5.0, 7.0, 10.0])
    templates = ("Which frequency has a wavelength of {length} in air, with sound at {speed}?",)
    truth = SPEED / length
    return Numeric(
        "tone_of_wave",
        templates,
        {"length": f"{length} m", "speed": f"{SPEED} m/s"},
        truth,
        [truth * 2, truth / 2, truth * 4, SPEED * length, truth * 1.3],
        "Hz",
        1,
    )


def _ask_tone_period(rng: Random) -> Numeric:
    tone = rng.choice([20, 25, 32, 40, 50, 80, 100, 125, 160, 200, 250, 400, 500, 800, 1000, 1250, 2000, 2500])
    templates = ("How long does one period of a tone of {tone} last?", "What is the period of a {tone} sine?")
    truth = 1000 / tone
    return Numeric(
        "tone_period",
        templates,
        {"tone": f"{tone:,} Hz"},
        truth,
        [truth * 2, truth / 2, truth * 10, truth / 10, truth * 1.5],
        "ms",
        2,
    )


def _ask_bin_spacing(rng: Random) -> Numeric:
    rate, size = rng.choice(list(ROUND_RATES)), rng.choice([256, 512, 1024, 2048, 4096])
    templates = (
        "What is the bin spacing of a {size}-point FFT at {rate}?",
        "How far apart are the frequency bins of a {size}-point FFT of audio at {rate}?",
    )
    truth = RATES[rate] / size
    return Numeric(
        "bin_spacing",
        templates,
        {"size": str(size), "rate": rate},
        truth,
        [truth * 2, truth / 2, truth * 4, truth * 1.5],
        "Hz",
        3,
    )


def _ask_bin_frequency(rng: Random) -> Numeric:
    rate, size, number = (
        rng.choice(list(ROUND_RATES)),
        rng.choice([256, 512, 1024, 2048]),
        rng.choice([4, 8, 10, 16, 20, 32, 50, 64, 100]),
    )
    templates = ("Which frequency is the centre of bin {number} (counted from 0) of a {size}-point FFT at {rate}?",)
    truth = number * RATES[rate] / size
    given = {"number": str(number), "size": str(size), "rate": rate}
    return Numeric(
        "bin_frequency",
        templates,
        given,
        truth,
        [truth * 2, truth / 2, (number - 0.5) * RATES[rate] / size, truth * 4],
        "Hz",
        2,
    )


def _ask_num_bins(rng: Random) -> Numeric:
    size = rng.choice([128, 200, 256, 320, 400, 480, 512, 640, 800, 1024, 2048, 4096])
    templates = (
        "How many different bins, from zero to the Nyquist frequency, has a {size}-point FFT of a real signal?",
    )
    return Numeric(
        "num_bins",
        templates,
        {"size": str(size)},
        size // 2 + 1,
        [size, size // 2, size // 2 - 1, size + 1, size // 4],
        "",
        0,
    )


def _ask_num_frames(rng: Random) -> Numeric:
    rate, window, hop = rng.choice(["8 kHz", "16 kHz"]), rng.choice([20, 25, 32, 40]), rng.choice([5, 10])
    seconds = rng.choice([1, 2, 3, 4, 5])
    templates = (
        (
            "Audio of {span} at {rate} is cut into frames of {window} every {hop}. How many whole "
            "frames fit, without padding?"
        ),
    )
    given = {"span": f"{seconds} s", "rate": rate, "window": f"{window} ms", "hop": f"{hop} ms"}
    truth = (1000 * seconds - window) // hop + 1
    wrong = [1000 * seconds // hop, 1000 * seconds // window, truth - 1, 1000 * seconds // hop + 1, truth * 2]
    return Numeric("num_frames", templates, given, truth, wrong, "frames", 0)


def _ask_slope(rng: Random) -> Numeric:
    order, span = rng.randrange(1, 9), rng.choice(["decade", "octave"])
    templates = (
        (
            "How steeply does a low-pass filter of the {order} order fall far above its cutoff, per "
            "{span} (6 dB or 20 dB for each order)?"
        ),
    )
    per = 20 if span == "decade" else 6
    wrong = [per * (order + 1), per * (order - 1), per * order * 2, per * order / 2, (26 - per) * order]
    return Numeric(
        "slope", templates, {"order": tuple(ORDINALS)[order - 1], "span": span}, per * order, wrong, f"dB per {span}", 0
    )


def _ask_attenuation(rng: Random) -> Numeric:
    slope, octaves, cutoff = (
        rng.choice([6, 12, 18, 24, 36, 48]),
        rng.choice([1, 2, 3, 4]),
        rng.choice([100, 125, 200, 250, 500, 1000]),
    )
    templates = (
        "A low-pass filter falls by {slope} per octave above {cutoff}. On that straight line, how far down is {tone}?",
        (
            "On the asymptote of a low-pass filter with a corner at {cutoff} and {slope} per octave, "
            "what is the attenuation at {tone}?"
        ),
    )
    truth = slope * octaves
    given = {"slope": f"{slope} dB", "cutoff": f"{cutoff:,} Hz", "tone": f"{cutoff * 2**octaves:,} Hz"}
    return Numeric(
        "attenuation",
        templates,
        given,
        truth,
        [slope * 2**octaves, truth + slope, truth / 2, truth * 1.5, truth + 6],
        "dB",
        0,
    )


def _ask_corner(rng: Random) -> Numeric:
    ohms, nanofarads = rng.choice([1, 2.2, 3.3, 4.7, 10, 22, 33, 47, 100]), rng.choice([1, 2.2, 4.7, 10, 22, 47, 100])
    templates = (
        "What is the cutoff frequency of an RC low-pass filter with {ohms} and {farads}?",
        "An RC filter has {ohms} and {farads}. At which frequency is it 3 dB down?",
    )
    truth = 1e6 / (2 * math.pi * ohms * nanofarads)
    given = {"ohms": f"{ohms} kΩ", "farads": f"{nanofarads} nF"}
    return Numeric(
        "rc_corner",
        templates,
        given,
        truth,
        [truth * 2 * math.pi, truth * math.pi, truth / 2, truth * 2, truth / math.pi],
        "Hz",
        0 if truth > 100 else 2,
    )


SUB_CATEGORIES: SubCategories = {
    "Sampling and aliasing": Drafts("Technical", alternate(_ask_nyquist, _ask_lowest_sample_rate, _ask_alias)),
    "Sample counts": Drafts("Technical", alternate(_ask_samples, _ask_duration, _ask_resampled_samples)),
    "Bit rate and file size": Drafts("Technical", alternate(_ask_bit_rate, _ask_file_size, _ask_compression)),
    "Decibels": Drafts("Technical", alternate(_ask_power_ratio, _ask_amplitude_ratio, _ask_gain_factor)),
    "Waves and periods": Drafts("Technical", alternate(_ask_wavelength, _ask_tone_of_wave, _ask_tone_period)),
    "Spectral analysis": Drafts(
        "Technical", alternate(_ask_bin_spacing, _ask_bin_frequency, _ask_num_bins, _ask_num_frames)
    ),
    "Filters": Drafts("Technical", alternate(_ask_slope, _ask_attenuation, _ask_corner)),
}
