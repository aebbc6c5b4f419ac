"""N-best alternatives of a transcript: what Whisper's beam search holds for likely beside what it writes.

The recogniser keeps the likeliest text of each window. A reader that knows what is talked about can make use of the
others (HyPoradise, arXiv:2309.15701).
"""

import math
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from services.asr.decoder import BEAM_SIZE, LEAST_TOKENS, MAX_TOKENS_PER_S, Encoding, WhisperDecoder
from services.asr.speech import SpeechWindow, VoiceActivity
from services.cancellation import raise_if_cancelled, run_in_thread
from services.errors import ModelError
from services.types import AudioClip
from services.weights import store as weights

COMPUTE_TYPES: Mapping[str, str] = {"whisper-base": "int8", "whisper-large-v3": "default"}
"""Weights of an ASR -> CTranslate2's name of the arithmetic that they run in, as `services.catalog` has it."""


class WeighedText(NamedTuple):
    """A text and its share of the probability of all alternatives of its window."""

    text: str
    share: float


class WindowAlternatives(NamedTuple):
    """What may be said in a window of speech."""

    start_s: float
    end_s: float
    language: str
    """ISO 639 code."""
    texts: tuple[WeighedText, ...]
    """Different ones, the likeliest first."""


class NBestDecoder(WhisperDecoder):
    """N-best decoding with Whisper: other transcripts of the same speech, with their probabilities."""

    def write_alternatives(self, encoding: Encoding, language: str) -> tuple[WeighedText, ...]:
        """Write the likeliest texts of one window by beam search, without time stamps."""
        tokenizer = self._tokenizer(language)
        prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
        max_tokens = LEAST_TOKENS + math.ceil(MAX_TOKENS_PER_S * encoding.seconds[0])
        (result,) = self._model.generate(
            encoding.frames,
            [prompt],
            beam_size=BEAM_SIZE,
            num_hypotheses=BEAM_SIZE,
            max_length=min(len(prompt) + max_tokens, self._whisper.max_length),
            return_scores=True,
            suppress_tokens=list(self._suppressed),
        )
        texts = [tokenizer.decode(tokens).strip() for tokens in result.sequences_ids]
        chances = [
            math.exp(score * len(tokens)) for score, tokens in zip(result.scores, result.sequences_ids, strict=True)
        ]
        return merge_texts(zip(texts, chances, strict=True))


def merge_texts(weighed: Iterable[tuple[str, float]]) -> tuple[WeighedText, ...]:
    """Merge texts of the same words to the likeliest spelling, and weigh them; a text without words is dropped."""
    spelt: dict[str, str] = {}
    chances: dict[str, float] = {}
    for text, chance in sorted(weighed, key=lambda one: -one[1]):
        if words := " ".join(re.findall(r"\w+", text.lower())):
            spelt.setdefault(words, text)
            chances[words] = chances.get(words, 0.0) + chance
    total, ranked = sum(chances.values()), sorted(chances, key=lambda one: -chances[one])
    return tuple(WeighedText(spelt[words], chances[words] / total) for words in ranked)


def find_decoder(asr: str) -> str | None:
    """Return the name of the weights that an ASR decodes with, where they are Whisper's embedded ones; else None."""
    name = asr.removesuffix("-words")
    return name if name in COMPUTE_TYPES else None


async def list_alternatives(clip: AudioClip, asr: str) -> tuple[WindowAlternatives, ...]:
    """List what may be said in each window of speech, in order; empty without speech.

    Args:
        clip: of any length.
        asr: catalogue name of the recogniser; `ModelError` where it is not one of Whisper's embedded ones.
    """
    name = find_decoder(asr)
    if name is None:
        raise ModelError(f"The ASR {asr!r} gives no alternatives; these do: {', '.join(COMPUTE_TYPES)}.")
    return await run_in_thread(lambda: tuple(_list_alternatives(_open_decoder(name), clip)))


def _list_alternatives(decoder: NBestDecoder, clip: AudioClip) -> list[WindowAlternatives]:
    found = []
    for window in VoiceActivity(clip.samples).find_windows():
        raise_if_cancelled()
        found.append(_hear(decoder, clip, window))
    return [one for one in found if one.texts]


def _hear(decoder: NBestDecoder, clip: AudioClip, window: SpeechWindow) -> WindowAlternatives:
    encoding = decoder.encode([window.cut(clip.samples)])
    (languages,) = decoder.detect_languages(encoding)
    language = max(languages, key=lambda code: languages[code])
    span_s = window.spans[0].start_s, window.spans[-1].end_s
    return WindowAlternatives(*span_s, language, decoder.write_alternatives(encoding, language))


@cache
def _open_decoder(name: str) -> NBestDecoder:
    folder: Path = weights.ensure_folder(name)
    return NBestDecoder(folder, COMPUTE_TYPES[name])
