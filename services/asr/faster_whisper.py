"""Whisper ASR on CTranslate2 (faster-whisper): gated by voice activity detection, batched over long recordings."""

import math
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np
from ctranslate2 import set_random_seed
from faster_whisper import BatchedInferencePipeline, WhisperModel
from faster_whisper.transcribe import Segment
from faster_whisper.vad import VadOptions, get_speech_timestamps
from numpy.typing import NDArray

from services.asr.languages import read_languages
from services.cancellation import raise_if_cancelled, run_in_thread
from services.digest import hash_modules
from services.lazy import Lazy
from services.progress import current_stage
from services.types import SAMPLE_RATE, AudioClip, Evidence, Label

CODE = ("services.asr.faster_whisper", "services.asr.languages")  # what decides the words beside the weights
BATCH_SIZES = {"cpu": 4, "cuda": 8}  # windows of 30 s decoded at once, and on after whoever asked has given up
BATCHED_FROM_S = 60.0  # shorter recordings gain nothing from batching, and the sequential decoder retries bad windows
BEAM_SIZE = 5  # as in the Whisper paper (arXiv:2212.04356, section 4.5)
TEMPERATURES = (0.0, 0.2, 0.4)  # retried in this order; higher ones invent text
MAX_NO_SPEECH = 0.6  # the paper's threshold of silence, section 4.5
MIN_LOGPROB = -1.0  # the paper's threshold of a failed window: mean log-probability of a token
MAX_COMPRESSION = 2.4  # the paper's threshold of a loop: gzip ratio of the text
NUM_LANGUAGES = 3  # candidates named when the language is uncertain
TARGET_RMS = 0.1  # loud frames are brought to -20 dBFS: the voice detector misses far-field speech below it
MAX_GAIN = 30.0  # 30 dB
VAD = VadOptions(threshold=0.35, min_speech_duration_ms=100, min_silence_duration_ms=1000)


class FasterWhisper:
    """A Whisper model in CTranslate2 format.

    Args:
        folder: holds model.bin, config.json, tokenizer.json and the vocabulary.
        name: the catalogue name.
        revision: identifies the weights.
        compute_type: CTranslate2's name of the arithmetic; int8 is fastest on a CPU.
        words: give one piece of evidence per word, with its own time span, not one per segment.
    """

    def __init__(self, folder: Path, *, name: str, revision: str, compute_type: str, words: bool = False) -> None:
        self.name = name
        self.revision = f"{revision}-{compute_type}-{hash_modules(*CODE)[:8]}" + ("-words" if words else "")
        self._words = words
        self._model = Lazy(partial(WhisperModel, str(folder), compute_type=compute_type, local_files_only=True))

    def load(self) -> None:
        """Read the weights now, not with the first clip that is transcribed."""
        self._model()

    async def transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        """Transcribe in a thread of its own, so that the event loop goes on."""
        return await run_in_thread(self._transcribe, clip)

    def _transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        speech = get_speech_timestamps(_normalise_level(clip.samples), VAD)
        if not speech:
            return ()
        raise_if_cancelled()
        language, candidates = self._languages(clip.samples[speech[0]["start"] :])
        heard = self._state_segments(self._decode_segments(clip.samples, language), language)
        return (candidates, *heard) if heard else ()

    def _decode_segments(self, samples: NDArray[np.float32], language: str) -> Iterable[Segment]:
        options = {"language": language, "beam_size": BEAM_SIZE, "temperature": TEMPERATURES}
        options |= {"word_timestamps": self._words, "without_timestamps": False}
        set_random_seed(0)  # the retries sample
        segments: Iterable[Segment]
        if len(samples) >= BATCHED_FROM_S * SAMPLE_RATE:
            batched, size = BatchedInferencePipeline(self._model()), BATCH_SIZES[self._model().model.device]
            segments, _ = batched.transcribe(samples, batch_size=size, vad_parameters=VAD, **options)
        else:
            # Cutting the pauses out of a short clip joins words that Whisper then misses: the gate is enough.
            segments, _ = self._model().transcribe(
                samples, vad_filter=False, condition_on_previous_text=False, **options
            )
        return segments

    def _languages(self, samples: NDArray[np.float32]) -> tuple[str, Evidence]:
        """Return the most likely language code, and the likeliest languages as a statement."""
        names = read_languages()
        code, probability, ranked = self._model().detect_language(samples[: 30 * SAMPLE_RATE])
        likely = [(c, p) for c, p in ranked[:NUM_LANGUAGES] if p >= 0.05 or c == code]
        labels = tuple(Label.rounded(names.get(c, c), p) for c, p in likely)
        statement = self._make_evidence("language", f"Spoken language: {', or '.join(map(str, labels))}.", code)
        return code, statement.model_copy(update={"labels": labels, "confidence": round(probability, 3)})

    def _state_segments(self, segments: Iterable[Segment], language: str) -> tuple[Evidence, ...]:
        kept = []
        for segment in segments:  # decoded as they are asked for
            raise_if_cancelled()
            current_stage().advance_to(segment.end)
            if any(map(str.isalnum, segment.text)) and not _is_invented(segment):
                kept.append(segment)
        if self._words:
            words = [word for segment in kept for word in segment.words or ()]
            return tuple(self._state_words(w.word, w.start, w.end, w.probability, language) for w in words)
        return tuple(self._state_words(s.text, s.start, s.end, math.exp(s.avg_logprob), language) for s in kept)

    def _state_words(self, text: str, start_s: float, end_s: float, confidence: float, language: str) -> Evidence:
        statement = self._make_evidence("transcript", text.strip(), language)
        times = {"start_s": round(start_s, 2), "end_s": round(end_s, 2)}
        return statement.model_copy(update={**times, "confidence": round(min(confidence, 1.0), 3)})

    def _make_evidence(self, kind: str, text: str, language: str) -> Evidence:
        record = {"kind": kind, "source": self.name, "revision": self.revision, "text": text, "language": language}
        return Evidence.model_validate(record)


def _normalise_level(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Normalise the level (automatic gain): loud frames of 20 ms come to `TARGET_RMS`, however far the speaker is."""
    frames = np.pad(samples, (0, -len(samples) % 320)).reshape(-1, 320)
    loud = float(np.percentile(np.sqrt(np.mean(np.square(frames), axis=1)), 95))
    gain = min(TARGET_RMS / max(loud, 1e-9), MAX_GAIN)
    leveled: NDArray[np.float32] = np.clip(samples * np.float32(gain), -1, 1)
    return leveled


def _is_invented(segment: Segment) -> bool:
    hesitant = segment.no_speech_prob > MAX_NO_SPEECH and segment.avg_logprob < MIN_LOGPROB + 0.1
    return bool(hesitant or segment.avg_logprob < MIN_LOGPROB or segment.compression_ratio > MAX_COMPRESSION)
