"""The models behind measurements, opened at the first one in a process: YAMNet for sounds, GE2E for voices."""

from functools import cache
from typing import TYPE_CHECKING

from services.cancellation import run_in_thread
from services.sentences.encoder import open_sentence_encoder
from services.types import AudioClip
from services.weights import store as weights

if TYPE_CHECKING:  # their libraries take a second to import
    from services.captioners.sounds.yamnet import YamNet
    from services.captioners.voices.voiceprint import VoiceEncoder
    from services.measurement.comparison import Embedding, SignalFacts, SoundComparer, SoundComparison
    from services.measurement.sound_search import SoundFinder, SoundSearch


async def compare(first: AudioClip, second: AudioClip) -> "SoundComparison":
    """Compare two clips."""
    return await run_in_thread(lambda: _open_comparer()(first, second))


async def measure(clip: AudioClip) -> "SignalFacts | None":
    """Measure a clip, to compare it with several others; None on silence."""
    from services.measurement.comparison import measure_signal

    return await run_in_thread(measure_signal, clip)


async def find_voice(clip: AudioClip) -> "Embedding | None":
    """Return the embedding of the voice in a clip; None where nobody speaks long enough."""
    from services.measurement.comparison import find_voice

    return await run_in_thread(lambda: find_voice(_open_voices(), clip))


async def find_sound(clip: AudioClip, description: str) -> "SoundSearch":
    """Find where a clip has the sound that these words describe."""
    return await run_in_thread(lambda: _open_finder()(clip, description))


@cache
def _open_yamnet() -> "YamNet":
    from services.captioners.sounds.yamnet import YamNet

    return YamNet(weights.ensure_folder("yamnet"))


@cache
def _open_finder() -> "SoundFinder":
    from services.measurement.sound_search import SoundFinder

    return SoundFinder(_open_yamnet(), open_sentence_encoder())


@cache
def _open_voices() -> "VoiceEncoder":
    from services.captioners.voices.voiceprint import VoiceEncoder

    return VoiceEncoder(weights.ensure_folder("resemblyzer"))


@cache
def _open_comparer() -> "SoundComparer":
    from services.captioners.music.pitches import BasicPitch
    from services.measurement.comparison import SoundComparer

    return SoundComparer(_open_yamnet(), _open_voices(), BasicPitch(weights.ensure_folder("basic-pitch")))
