"""Whisper on CTranslate2: encodings of windows, and what they say: languages, text, times of words.

Whisper learnt on windows of 30 s, and faster-whisper fills every window up to that. An encoder that hears the window
and less silence costs less for a short clip, and makes more errors, but hardly any where it is sure of its text.
"""

import math
from collections.abc import Mapping, Sequence
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from ctranslate2 import StorageView
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_compression_ratio, get_suppressed_tokens, merge_punctuations
from numpy.typing import NDArray

from services.types import SAMPLE_RATE

WHOLE_S = 30.0  # the longest that Whisper's encoder hears at once
DRAFT_TAIL_S = 6.0  # of silence behind a window of which a draft is written; with 1 s the decoder runs in loops
TAIL_S = 20.0  # else: the least within half a point of the word error rate of 30 s windows
STEP_S = 0.02  # of time stamps, and of the encoder's frames
FRAMES_PER_S = 100  # of the log-mel spectrogram
MAX_TOKENS_PER_S = 12  # fast speech has 8; what goes on longer is mostly a loop, which each token makes dearer
LEAST_TOKENS = 20  # that a window may always have
BEAM_SIZE = 5  # as in the Whisper paper (arXiv:2212.04356, section 4.5)
MAX_NO_SPEECH = 0.6  # the paper's threshold of silence, section 4.5
MIN_LOGPROB = -1.0  # the paper's threshold of a failed window: mean log-probability of a token
SURE_LOGPROB = -0.45  # from here on a draft is as right as what is written with more care; see docs/log
MAX_COMPRESSION = 2.4  # the paper's threshold of a loop: gzip ratio of the text

PREPENDED, APPENDED = (
    "\"'“¿([{-",
    "\"'.。,，!！?？:：”)]}、",
)  # punctuation of the word behind it, or before

Samples: TypeAlias = NDArray[np.float32]
Languages: TypeAlias = Mapping[str, float]
"""ISO 639 code -> probability."""


class TimedText(NamedTuple):
    """A stretch of text with its times from the begin of the window."""

    text: str
    start_s: float
    end_s: float
    tokens: tuple[int, ...]


class TimedWord(NamedTuple):
    """A word with its times from the begin of the window."""

    text: str
    start_s: float
    end_s: float
    probability: float


class Hypothesis(NamedTuple):
    """What Whisper writes for a window."""

    texts: tuple[TimedText, ...]
    logprob: float
    """Mean log-probability of a token."""
    no_speech: float
    """Probability that the window holds no speech."""
    is_loop: bool
    """Whether it repeats itself, or comes to no end."""

    @property
    def text(self) -> str:
        """The whole text."""
        return " ".join(one.text for one in self.texts)

    @property
    def compression(self) -> float:
        """Bytes of the text to those of it when compressed; what repeats itself compresses well."""
        return get_compression_ratio(self.text) if self.text else 0.0

    @property
    def is_silence(self) -> bool:
        """Whether Whisper takes the window for silence."""
        return self.no_speech > MAX_NO_SPEECH and self.logprob < MIN_LOGPROB + 0.1

    @property
    def is_sure(self) -> bool:
        """Whether a more careful reading would say the same."""
        return self.logprob >= SURE_LOGPROB and not self.is_loop

    @property
    def is_unlikely(self) -> bool:
        """Whether Whisper itself does not believe in the text."""
        return self.logprob < MIN_LOGPROB


class Encoding(NamedTuple):
    """Encoded windows, padded to the longest of them."""

    frames: StorageView
    """Shape (windows, frames of `STEP_S`, width of the model)."""
    seconds: tuple[float, ...]
    """Length of each window, without its silence."""


class WhisperDecoder:
    """A Whisper model in CTranslate2 format.

    Nothing in it draws at random: the same windows always give the same text.

    Args:
        folder: holds model.bin, config.json, tokenizer.json and the vocabulary.
        compute_type: CTranslate2's name of the arithmetic; int8 is fastest on a CPU.
    """

    def __init__(self, folder: Path, compute_type: str) -> None:
        self._whisper = WhisperModel(str(folder), compute_type=compute_type, local_files_only=True)
        self._model: Any = self._whisper.model
        self._task, self._prompt = "transcribe", ""
        self._tokenizer = cache(self._open_tokenizer)
        self._suppressed: tuple[int, ...] = get_suppressed_tokens(self._tokenizer("en"), [-1])
        self.device: str = self._model.device

    def guide(self, *, prompt: str, is_translation: bool) -> "WhisperDecoder":
        """Return a decoder with the same weights that writes on from a prompt, or in English."""
        guided = copy(self)
        guided._prompt, guided._task = prompt, "translate" if is_translation else "transcribe"
        guided._tokenizer = cache(guided._open_tokenizer)
        return guided

    def encode(self, windows: Sequence[Samples], *, tail_s: float = TAIL_S) -> Encoding:
        """Encode windows of at most 30 s, with that much silence behind them, but none beyond 30 s."""
        seconds = tuple(len(one) / SAMPLE_RATE for one in windows)
        longest_s = min(WHOLE_S, max(seconds) + tail_s)
        num_frames = 2 * math.ceil(longest_s * FRAMES_PER_S / 2)
        features = np.stack([self._measure(one, num_frames) for one in windows])
        return Encoding(self._model.encode(StorageView.from_array(features)), seconds)

    def detect_languages(self, encoding: Encoding) -> list[Languages]:
        """Return the probability of each language, for each window."""
        return [
            {token.strip("<|>"): probability for token, probability in ranked}
            for ranked in self._model.detect_language(encoding.frames)
        ]

    def write(self, encoding: Encoding, languages: Sequence[str]) -> list[Hypothesis]:
        """Write what is said in each window, in the language given for it, by beam search."""
        return self._write(encoding, languages, beam_size=BEAM_SIZE)

    def write_greedily(self, encoding: Encoding, languages: Sequence[str]) -> list[Hypothesis]:
        """Write what is said in each window, always the likeliest token: worse, but it runs less often in loops."""
        return self._write(encoding, languages, beam_size=1)

    def _write(self, encoding: Encoding, languages: Sequence[str], *, beam_size: int) -> list[Hypothesis]:
        tokenizers = [self._tokenizer(language) for language in languages]
        max_tokens = LEAST_TOKENS + math.ceil(MAX_TOKENS_PER_S * max(encoding.seconds))
        prompts = [[*self._encode_prompt(one), *one.sot_sequence] for one in tokenizers]
        max_length = min(len(prompts[0]) + max_tokens, self._whisper.max_length)
        results = self._model.generate(
            encoding.frames,
            prompts,
            beam_size=beam_size,
            max_length=max_length,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=list(self._suppressed),
        )
        return [
            self._read(result, tokenizer, seconds, max_length - len(prompts[0]))
            for result, tokenizer, seconds in zip(results, tokenizers, encoding.seconds, strict=True)
        ]

    def align(self, encoding: Encoding, heard: Hypothesis, language: str) -> list[TimedWord]:
        """Align the words of a window, encoded by itself, with their times."""
        tokens = [token for one in heard.texts for token in one.tokens]
        num_frames = round(encoding.seconds[0] * FRAMES_PER_S)
        (words,) = self._whisper.find_alignment(self._tokenizer(language), [tokens], encoding.frames, num_frames)
        merge_punctuations(words, PREPENDED, APPENDED)
        return [
            TimedWord(one["word"].strip(), float(one["start"]), float(one["end"]), float(one["probability"]))
            for one in words
            if one["word"].strip()
        ]

    def _read(self, result: Any, tokenizer: Any, seconds: float, max_tokens: int) -> Hypothesis:  # noqa: ANN401
        tokens: list[int] = result.sequences_ids[0]
        texts = tuple(one for one in split_by_time(tokens, tokenizer, seconds) if one.start_s < seconds)
        is_endless = len(tokens) >= max_tokens
        return Hypothesis(
            texts,
            logprob=result.scores[0] * len(tokens) / (len(tokens) + 1),
            no_speech=result.no_speech_prob,
            is_loop=is_endless or is_repetitive(tokenizer.decode(tokens)),
        )

    def _measure(self, samples: Samples, num_frames: int) -> Samples:
        """Return the log-mel spectrogram of samples and the silence behind them, (mel bands, num_frames)."""
        length = num_frames * SAMPLE_RATE // FRAMES_PER_S
        padded = np.pad(samples[:length], (0, max(length - len(samples), 0)))
        features: Samples = self._whisper.feature_extractor(padded, padding=0)
        return np.ascontiguousarray(features[:, :num_frames], dtype=np.float32)

    def _encode_prompt(self, tokenizer: Any) -> list[int]:  # noqa: ANN401
        """Return the tokens of the prompt, its end where it is too long, as what was said before."""
        if not self._prompt:
            return []
        return [
            tokenizer.sot_prev,
            *tokenizer.encode(f" {self._prompt.strip()}")[-(self._whisper.max_length // 2 - 1) :],
        ]

    def _open_tokenizer(self, language: str) -> Any:  # noqa: ANN401
        return Tokenizer(self._whisper.hf_tokenizer, multilingual=True, task=self._task, language=language)


def is_repetitive(text: str) -> bool:
    """Say whether a text repeats itself as a decoder in a loop does: by its gzip compression ratio."""
    ratio: float = get_compression_ratio(text)
    return ratio > MAX_COMPRESSION


def split_by_time(tokens: Sequence[int], tokenizer: Any, seconds: float) -> list[TimedText]:  # noqa: ANN401
    """Split the tokens of a window at their time stamps; a time that is missing is the window's begin or end."""
    texts: list[TimedText] = []
    start_s, words = 0.0, list[int]()
    for token in (*tokens, tokenizer.timestamp_begin + round(seconds / STEP_S)):
        if token < tokenizer.timestamp_begin:
            words.append(token)
            continue
        time_s = (token - tokenizer.timestamp_begin) * STEP_S
        if words:
            texts.append(TimedText(tokenizer.decode(words).strip(), start_s, max(time_s, start_s), tuple(words)))
            words = []
        start_s = time_s
    return [one for one in texts if one.text]
