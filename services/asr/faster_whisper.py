"""Whisper ASR on CTranslate2 (faster-whisper): the speech of a recording, window by window, each in its language.

A draft of each window is written the cheap way: with little silence behind it, always the likeliest token. It stays
where the window is long and Whisper sure of it, or where neither a word nor a language is clear; else the window is
written again with more silence and by beam search.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from services.asr.decoder import (
    DRAFT_TAIL_S,
    FRAMES_PER_S,
    TAIL_S,
    WHOLE_S,
    Encoding,
    Hypothesis,
    Languages,
    Samples,
    TimedText,
    TimedWord,
    WhisperDecoder,
)
from services.asr.languages import read_languages
from services.asr.repeats import list_units, repeats_itself
from services.asr.speech import SpeechWindow, VoiceActivity
from services.asr.spoken_languages import SLICE_S, LanguageSlice, average_languages, trace_languages
from services.cancellation import raise_if_cancelled, run_in_thread
from services.digest import hash_modules
from services.lazy import Lazy
from services.progress import get_stage
from services.protocols import DecodingDetails, SpokenSegment, SpokenWord, TranscriptionGuide
from services.types import AudioClip, Evidence, Label

CODE = ("services.asr",)  # what decides the words beside the weights
BATCH_SIZES = {"cpu": 4, "cuda": 8}  # windows decoded at once, and on after whoever asked has given up
PART_S = 3.5  # of a window that repeats itself: what is said in it is too little to look like a loop
# Letters and digits for each second of speech, below which phrases were left out: 273 of 277 real recordings have 4.4
# or more, and three of the other four are one word said over and over.
FEWEST_CHARACTERS = 3.0
PHRASE_S = 1.0  # least speech of a part of such a window, cut at its pauses
MOST_EXCESS = 1.25  # times the words of its parts, or of its own, by which a text that repeats itself may differ
MOST_PER_S, SHORTEST_PART_S = 6.0, 0.6  # words or digits a second, above which a part is cut again, but no shorter
LEAST_SURE_S = 4.0  # of a window whose draft may stay
CLEAR = 0.5  # probability of a language below which a window that seems silent is not looked at again
NUM_LANGUAGES = 3  # candidates named when the language is uncertain
LEAST_LIKELY = 0.05  # probability of a candidate that is worth naming
LEAST_KEPT = 1e-4  # of one that is kept for questions that ask about certain languages
MOST_CHANGES = 8  # languages that are listed, one after the other


class Passage(NamedTuple):
    """A window, its language and what is said in it."""

    window: SpeechWindow
    language: str
    """ISO 639 code."""
    heard: Hypothesis


class LanguagePart(NamedTuple):
    """A window, or a part of one, that is in one language."""

    window: SpeechWindow
    language: str
    """ISO 639 code."""


class Recording(NamedTuple):
    """A recording, and where somebody speaks in it."""

    samples: Samples
    activity: VoiceActivity


class HeardBatch(NamedTuple):
    """What is heard in windows that follow one another."""

    passages: list[Passage]
    slices: list[LanguageSlice]
    language: str
    """That of its end."""


class FasterWhisper:
    """A Whisper model in CTranslate2 format.

    Args:
        folder: holds model.bin, config.json, tokenizer.json and the vocabulary.
        name: the catalogue name.
        revision: identifies the weights.
        compute_type: CTranslate2's name of the arithmetic; int8 is fastest on a CPU.
        words: give one piece of evidence per word, with its own time span, not one per sentence.
    """

    def __init__(self, folder: Path, *, name: str, revision: str, compute_type: str, words: bool = False) -> None:
        self.name = name
        self.revision = f"{revision}-{compute_type}-{hash_modules(*CODE)[:8]}" + ("-words" if words else "")
        self._words = words
        self._language: str | None = None
        self._open_decoder = Lazy(partial(WhisperDecoder, folder, compute_type))

    @property
    def _decoder(self) -> WhisperDecoder:
        return self._open_decoder()

    takes_guide = True

    def load(self) -> None:
        """Read the weights now, not with the first clip that is transcribed."""
        self._open_decoder()

    async def transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        """Transcribe in a thread of its own, so that the event loop goes on."""
        return await run_in_thread(self._transcribe, clip)

    async def transcribe_guided(self, clip: AudioClip, guide: TranscriptionGuide) -> tuple[SpokenSegment, ...]:
        """Transcribe with a known language, a prompt, in English, or with the times of words."""
        return await run_in_thread(self._guide(guide)._list_segments, clip, guide)

    def _guide(self, guide: TranscriptionGuide) -> "FasterWhisper":
        """Return this model, with the same weights, as a guide has it."""
        guided = copy(self)
        guided._language, guided._words = guide.language, False
        decoder = partial(self._decoder.guide, prompt=guide.prompt, is_translation=guide.is_translation)
        guided._open_decoder = Lazy(decoder)
        return guided

    def _transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        recording = Recording(clip.samples, VoiceActivity(clip.samples))
        heard, slices = self._list_passages(recording)
        if not heard:
            return ()
        return (self._state_languages(heard, slices), *self._state_words(recording, heard))

    def _list_segments(self, clip: AudioClip, guide: TranscriptionGuide) -> tuple[SpokenSegment, ...]:
        recording = Recording(clip.samples, VoiceActivity(clip.samples))
        heard, _ = self._list_passages(recording)
        return tuple(segment for passage in heard for segment in self._cut_passage(recording, passage, guide))

    def _list_passages(self, recording: Recording) -> tuple[list[Passage], list[LanguageSlice]]:
        """Return what is said and can be believed, and the languages that were heard."""
        windows = recording.activity.find_windows()
        if not windows:
            return [], []
        size = BATCH_SIZES[self._decoder.device]
        passages, slices, language = list[Passage](), list[LanguageSlice](), None
        for first in range(0, len(windows), size):
            raise_if_cancelled()
            batch = self._hear(recording, windows[first : first + size], language)
            passages += batch.passages
            slices += batch.slices
            language = batch.language
            get_stage().advance_to(windows[: first + size][-1].end_s)
        return [one for one in passages if _is_believed(one.heard)], slices

    def _hear(self, recording: Recording, windows: Sequence[SpeechWindow], before: str | None) -> HeardBatch:
        """Transcribe windows that follow one another; `before` is the language that was spoken before them."""
        encoding = self._encode(recording, windows, tail_s=DRAFT_TAIL_S)
        told = zip(windows, self._detect_languages(encoding), strict=True)
        closer = [self._look_closer(recording, LanguageSlice(*one)) for one in told]
        slices = [one for of_window in closer for one in of_window]
        codes = iter(trace_languages(slices, before))
        parts = [
            part
            for of_window in closer
            for part in _join_parts([LanguagePart(one.window, next(codes)) for one in of_window])
        ]
        if len(parts) > len(windows):
            encoding = self._encode(recording, [part.window for part in parts], tail_s=DRAFT_TAIL_S)
        written = self._decoder.write_greedily(encoding, [part.language for part in parts])
        drafts = [Passage(*part, heard) for part, heard in zip(parts, written, strict=True)]
        unclear = {one.window for one in slices if max(one.languages.values()) < CLEAR}
        kept = [_is_sure(one) or (one.heard.is_silence and one.window in unclear) for one in drafts]
        return HeardBatch(list(self._write_again(recording, drafts, kept)), slices, parts[-1].language)

    def _detect_languages(self, encoding: Encoding) -> list[Languages]:
        if self._language is None:
            return self._decoder.detect_languages(encoding)
        return [{self._language: 1.0} for _ in encoding.seconds]

    def _look_closer(self, recording: Recording, whole: LanguageSlice) -> list[LanguageSlice]:
        """Detect the language in slices of a window that does not speak one for sure."""
        windows = whole.window.slice_at_pauses(SLICE_S)
        if whole.is_sure or len(windows) == 1:
            return [whole]
        raise_if_cancelled()
        told = self._decoder.detect_languages(self._encode(recording, windows))
        return [LanguageSlice(*one) for one in zip(windows, told, strict=True)]

    def _encode(self, recording: Recording, windows: Sequence[SpeechWindow], *, tail_s: float = TAIL_S) -> Encoding:
        return self._decoder.encode([window.cut(recording.samples) for window in windows], tail_s=tail_s)

    def _write_again(self, recording: Recording, drafts: Sequence[Passage], kept: Sequence[bool]) -> Iterator[Passage]:
        """Write those passages again whose drafts are not kept."""
        unsure = [draft for draft, is_kept in zip(drafts, kept, strict=True) if not is_kept]
        careful = iter(self._write_carefully(recording, unsure))
        for draft, is_kept in zip(drafts, kept, strict=True):
            yield from (draft,) if is_kept else self._mend(recording, draft, next(careful))

    def _write_carefully(self, recording: Recording, passages: Sequence[Passage]) -> list[Passage]:
        if not passages:
            return []
        raise_if_cancelled()
        encoding = self._encode(recording, [one.window for one in passages])
        written = self._decoder.write(encoding, [one.language for one in passages])
        return [one._replace(heard=heard) for one, heard in zip(passages, written, strict=True)]

    def _mend(self, recording: Recording, draft: Passage, written: Passage) -> Iterable[Passage]:
        """Write a passage again that failed: in 30 s; where it repeats itself, as its draft, else in parts."""
        window, language, heard = written
        if heard.is_silence:
            return (written,)
        if heard.is_loop:
            if draft.heard.is_loop or draft.heard.is_unlikely:
                return self._write_parts(
                    recording, recording.activity.cut_at_pauses(window, PHRASE_S, PART_S), language
                )
            written = draft
        elif heard.is_unlikely:
            raise_if_cancelled()
            (heard,) = self._decoder.write(self._encode(recording, [window], tail_s=WHOLE_S), [language])
            written = Passage(window, language, heard)
        if repeats_itself(written.heard.text):
            return self._check_repeats(recording, draft, written)
        return self._complete(recording, written) if _is_sparse(written) else (written,)

    def _check_repeats(self, recording: Recording, draft: Passage, written: Passage) -> Iterable[Passage]:
        """Check a text that says something again and again: its parts, too short for a loop, must say as much.

        Else the draft is taken if it says as much, or if a part is not believed, and else what the parts say.
        """
        window, language, _ = written
        parts = self._write_parts(recording, recording.activity.cut_at_pauses(window, PHRASE_S, PART_S), language)
        num_said = sum(len(list_units(part.heard.text)) for part in parts if not part.heard.is_loop)
        for whole in (written, draft):
            num_written = len(list_units(whole.heard.text))
            if _is_believed(whole.heard) and num_said <= MOST_EXCESS * num_written <= MOST_EXCESS**2 * num_said:
                return (whole,)
        is_draft_better = _is_believed(draft.heard) and not repeats_itself(draft.heard.text)
        return (draft,) if is_draft_better and not all(_is_believed(part.heard) for part in parts) else parts

    def _complete(self, recording: Recording, passage: Passage) -> Iterable[Passage]:
        """Write a passage in parts that has few words for its speech, as where a phrase is said again and again."""
        window, language, _ = passage
        parts = self._write_parts(recording, recording.activity.cut_at_pauses(window, PHRASE_S, PART_S), language)
        believed = [part for part in parts if _is_believed(part.heard)]
        return believed if sum(map(_count_characters, believed)) > _count_characters(passage) else (passage,)

    def _write_parts(self, recording: Recording, parts: Sequence[SpeechWindow], language: str) -> list[Passage]:
        """Write parts of a window, so short that what is said over and over is neither a loop nor left out."""
        passages = list[Passage]()
        for first in range(0, len(parts), BATCH_SIZES[self._decoder.device]):
            raise_if_cancelled()
            some = parts[first : first + BATCH_SIZES[self._decoder.device]]
            written = self._decoder.write_greedily(self._encode(recording, some), [language] * len(some))
            for part, heard in zip(some, written, strict=True):
                passages += self._cut_overfull(recording, Passage(part, language, heard))
        return passages

    def _cut_overfull(self, recording: Recording, part: Passage) -> Sequence[Passage]:
        """Write the halves of a part that says more than its speech can hold; one too short for that is a loop."""
        speech_s, half_s = sum(span.duration_s for span in part.window.spans), part.window.duration_s / 2
        if not part.heard.is_loop and len(list_units(part.heard.text)) <= MOST_PER_S * speech_s + 1:
            return (part,)
        if half_s < SHORTEST_PART_S:
            return (part._replace(heard=part.heard._replace(is_loop=True)),)
        return self._write_parts(recording, recording.activity.split(part.window, half_s), part.language)

    def _state_languages(self, passages: Sequence[Passage], slices: Sequence[LanguageSlice]) -> Evidence:
        """State the language with its likeliest alternatives, or the languages in their order where it changes."""
        names = read_languages()
        code, *others = [code for code, _ in groupby(passages, key=lambda one: one.language)]
        if others:
            labels = tuple(Label(text=names.get(one, one)) for one in (code, *others)[:MOST_CHANGES])
            more = " and so on" if len(others) >= MOST_CHANGES else ""
            text = f"Spoken languages, in this order: {', then '.join(map(str, labels))}{more}."
            return self._make_evidence("language", text, None).model_copy(update={"labels": labels})
        mean = average_languages(slices)
        ranked = sorted(mean, key=lambda one: (one != code, -mean[one]))[:NUM_LANGUAGES]
        likely = [one for one in ranked if mean[one] >= LEAST_LIKELY or one == code]
        labels = tuple(Label.round_to_label(names.get(one, one), mean[one]) for one in likely)
        statement = self._make_evidence("language", f"Spoken language: {', or '.join(map(str, labels))}.", code)
        kept = sorted((one for one in mean if mean[one] >= LEAST_KEPT), key=lambda one: -mean[one])
        candidates = tuple(Label(text=names.get(one, one), probability=round(mean[one], 4)) for one in kept)
        update = {"labels": labels, "candidates": candidates, "confidence": round(mean[code], 3)}
        return statement.model_copy(update=update)

    def _state_words(self, recording: Recording, passages: Iterable[Passage]) -> Iterable[Evidence]:
        for window, language, heard in passages:
            if self._words:
                raise_if_cancelled()
                encoding = self._encode(recording, [window])
                for word in self._decoder.align(encoding, heard, language):
                    yield self._state_span(window, word.text, (word.start_s, word.end_s), word.probability, language)
                continue
            for one in _list_spoken(window, heard):
                yield self._state_span(window, one.text, (one.start_s, one.end_s), math.exp(heard.logprob), language)

    def _cut_passage(
        self, recording: Recording, passage: Passage, guide: TranscriptionGuide
    ) -> Iterator[SpokenSegment]:
        """Yield the segments of a passage, with their words where they are asked for."""
        window, language, heard = passage
        words: list[TimedWord] = []
        if guide.with_words:
            raise_if_cancelled()
            words = self._decoder.align(self._encode(recording, [window]), heard, language)
        texts = list(_list_spoken(window, heard))
        statements = self._state_words(recording, [passage])
        for text, statement in zip(texts, statements, strict=True):
            assert statement.end_s is not None, "Whisper's segments have an end"
            end_s = window.duration_s if text is texts[-1] else statement.end_s - window.start_s
            own = [word for word in words if (word.start_s + word.end_s) / 2 <= end_s]
            words = words[len(own) :]
            yield SpokenSegment(
                text=statement.text,
                start_s=statement.start_s,
                end_s=statement.end_s,
                confidence=statement.confidence,
                language="en" if guide.is_translation else language,
                words=tuple(_place_word(window, word) for word in own),
                details=_describe_decoding(passage, text) if guide.with_details else None,
            )

    def _state_span(
        self, window: SpeechWindow, text: str, within: tuple[float, float], confidence: float, language: str
    ) -> Evidence:
        """State words that were said within these seconds of a window."""
        span = window.limit_to_speech(window.start_s + within[0], window.start_s + within[1])
        times = {"start_s": round(span.start_s, 2), "end_s": round(span.end_s, 2)}
        statement = self._make_evidence("transcript", text.strip(), language)
        return statement.model_copy(update={**times, "confidence": round(min(confidence, 1.0), 3)})

    def _make_evidence(self, kind: str, text: str, language: str | None) -> Evidence:
        record = {"kind": kind, "source": self.name, "revision": self.revision, "text": text, "language": language}
        return Evidence.model_validate(record)


def _list_spoken(window: SpeechWindow, heard: Hypothesis) -> Iterator[TimedText]:
    """Yield the texts that hold words; one that begins behind the last speech of its window is invented."""
    last_s = window.spans[-1].end_s - window.start_s
    yield from (one for one in heard.texts if one.start_s < last_s and any(map(str.isalnum, one.text)))


def _describe_decoding(passage: Passage, text: TimedText) -> DecodingDetails:
    return DecodingDetails(
        seek=round(passage.window.start_s * FRAMES_PER_S),
        tokens=text.tokens,
        temperature=0.0,  # the decoder draws nothing
        avg_logprob=round(passage.heard.logprob, 4),
        compression_ratio=round(passage.heard.compression, 4),
        no_speech_prob=round(passage.heard.no_speech, 6),
    )


def _place_word(window: SpeechWindow, word: TimedWord) -> SpokenWord:
    """Return a word of a window with its times in the recording."""
    span = window.limit_to_speech(window.start_s + word.start_s, window.start_s + word.end_s)
    return SpokenWord(
        text=word.text,
        start_s=round(span.start_s, 2),
        end_s=round(span.end_s, 2),
        probability=round(min(word.probability, 1.0), 3),
    )


def _join_parts(parts: Iterable[LanguagePart]) -> Iterator[LanguagePart]:
    """Join neighbouring parts of one language."""
    for language, same in groupby(parts, key=lambda one: one.language):
        windows = [one.window for one in same]
        spans = tuple(span for window in windows for span in window.spans)
        yield LanguagePart(SpeechWindow(windows[0].start_s, windows[-1].end_s, spans), language)


def _is_sure(draft: Passage) -> bool:
    """Say whether a draft may stay: of a short window, such as a few digits, Whisper is often sure and wrong."""
    is_long = draft.window.duration_s >= LEAST_SURE_S
    return draft.heard.is_sure and is_long and not _is_sparse(draft) and not repeats_itself(draft.heard.text)


def _is_sparse(passage: Passage) -> bool:
    speech_s = sum(span.duration_s for span in passage.window.spans)
    return speech_s > PART_S and _count_characters(passage) < FEWEST_CHARACTERS * speech_s


def _count_characters(passage: Passage) -> int:
    return sum(map(str.isalnum, passage.heard.text))


def _is_believed(heard: Hypothesis) -> bool:
    return bool(heard.texts) and not (heard.is_silence or heard.is_unlikely or heard.is_loop)
