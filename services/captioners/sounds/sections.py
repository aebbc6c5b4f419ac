"""Sound event tagging and segmentation: tags of the whole clip, and of sections between changes of sound."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from services.captioners.frames import Floats
from services.captioners.sounds.activity import ActiveSpan, ActiveSpans, detect_activity, measure_levels_db
from services.captioners.sounds.changes import SoundRegion, find_regions, list_spans
from services.captioners.sounds.sound_head import SoundHead
from services.captioners.sounds.statements import make_evidence
from services.captioners.sounds.tags import Tag, rank_sounds, score_sounds
from services.captioners.sounds.yamnet import HOP_S, PATCH_S, ClassScores, YamNet
from services.captioners.statement import make_labels
from services.types import AudioClip, Evidence, EvidenceKind, Label

SOURCE = "yamnet"
NUM_OVERALL, NUM_OF_SECTION = 6, 3
MIN_OVERALL, MIN_OF_SECTION = 0.15, 0.3  # confidence
SPLIT_AFTER_S = 2.0  # a longer span is searched for changes of sound
MIN_CHANGE = 0.45  # cosine distance between the second before and the second after a cut
ALIKE = 0.7  # cosine similarity from which two spans are the same sound
NUM_SHARED = 2  # spans that share one of this many first tags are the same sound
AUDIBLE_DB = 25.0  # below the loudest piece
JOINED_S = 0.28  # closer spans are joined
MAX_SECTIONS = 24
SPEECH = ("speech", "child speaking", "whispering", "person shouting")
VOICE = (*SPEECH, "person sighing", "breathing", "person sniffing")
MIN_SPEECH_LOGIT, SURE_SPEECH_LOGIT, MIN_SPEECH_S = -0.6, 2.0, 0.15
SHORTEST_BESIDE_S = 0.8  # of a sound before or after speech
MAX_SPOKEN = 0.2  # share of it that may be speech
MIN_BESIDE = 0.7  # its confidence, where neither its begin nor its end is heard
NUM_BACKGROUND, MIN_BACKGROUND, CLEAR_BACKGROUND = 4, 0.12, 0.45


class Section(NamedTuple):
    """One sound, and its spans up to the next sound."""

    spans: ActiveSpans
    tags: tuple[Tag, ...]
    embedding: Floats
    scores: Mapping[str, float]
    """Sound -> logit, of every sound; the tags leave out the wider ones."""


class SoundReport(NamedTuple):
    """Tags of one clip, statements on its sounds, and its spans of speech."""

    tags: tuple[Tag, ...]
    """Every sound, the most confident first; empty on silence."""
    statements: tuple[Evidence, ...]
    speech: ActiveSpans
    """Spans of speech; empty where there is none."""

    @property
    def background(self) -> bool:
        """Whether a sound other than a voice is clearly heard."""
        return any(tag.sound not in VOICE and tag.confidence >= CLEAR_BACKGROUND for tag in self.tags)

    def get_confidence(self, *sounds: str) -> float:
        """Return the highest confidence of these sounds."""
        return max((tag.confidence for tag in self.tags if tag.sound in sounds), default=0.0)


class SoundTagger:
    """Tags and segments the sounds of a clip with YAMNet."""

    def __init__(self, model: YamNet) -> None:
        self._model = model
        self._head = SoundHead(model.names)

    def __call__(self, clip: AudioClip, speech: ActiveSpans) -> SoundReport:
        """Return a statement on the whole clip and, where the sound changes, one per section; none on silence.

        Args:
            clip: the whole clip.
            speech: spans of voice activity detection; in a clip of speech only sounds other than the voice are named.
        """
        regions = find_regions(clip.samples)
        if not regions:
            return SoundReport((), (), ())
        spans = detect_activity(clip.samples) or list_spans(regions)
        tags = self._tag(clip.samples, spans)
        spoken = _agree_on_speech(speech, tags, spans)
        if spoken:
            whole = ActiveSpan(spans[0].start_s, spans[-1].end_s)
            beside = tuple(self._find_beside(clip.samples, regions, spoken))
            behind = self._tag(clip.samples, spoken) if beside else tags
            return SoundReport(tags, (*_describe_background(behind, whole), *map(_describe_section, beside)), spoken)
        if len(regions) > 1:
            spans = list_spans(regions)
            tags = self._tag(clip.samples, spans)
        whole = ActiveSpan(spans[0].start_s, spans[-1].end_s)
        sections = self._find_sections(clip.samples, regions)
        described = [_describe_section(section) for section in sections] if len(sections) > 1 else []
        return SoundReport(tags, (_describe_clip(tags, whole), *described), ())

    def score(self, clip: AudioClip) -> Mapping[str, float]:
        """Return sound -> logit over the clip; empty on silence."""
        spans = list_spans(find_regions(clip.samples))
        return self._score(self._hear(clip.samples, spans)) if spans else {}

    def find_sections(self, clip: AudioClip) -> tuple[Section, ...]:
        """Return the sections of different sound, speech included, in order; empty on silence."""
        return self._find_sections(clip.samples, find_regions(clip.samples))

    def _find_sections(self, samples: Floats, regions: Sequence[SoundRegion]) -> tuple[Section, ...]:
        """Return the sections in order; a piece far quieter than the loudest counts only if a change delimits it."""
        most = max(1, MAX_SECTIONS // max(1, len(regions)))
        pieces = [
            (piece, region.is_own)
            for region in regions
            for span in _join_spans(region.spans, most)
            for piece in self._split(samples, span)
        ]
        levels_db = [float(measure_levels_db(piece.cut(samples)).max()) for piece, _ in pieces]
        sections: list[Section] = []
        for (piece, is_own), level_db in zip(pieces, levels_db, strict=True):
            if not is_own and level_db <= max(levels_db) - AUDIBLE_DB:
                continue
            section = self._make_section(samples, (piece,))
            if sections and _is_same_sound(sections[-1], section):
                sections[-1] = self._make_section(samples, (*sections[-1].spans, piece))
            else:
                sections.append(section)
        return tuple(sections)

    def _find_beside(self, samples: Floats, regions: Sequence[SoundRegion], speech: ActiveSpans) -> Iterator[Section]:
        """Yield the continuous sounds before, between and after the speech that are clearly not a voice."""
        for region in regions:
            (span, *others) = region.spans
            spoken_s = sum(span.measure_overlap_s(one) for one in speech)
            if others or span.duration_s < SHORTEST_BESIDE_S or spoken_s > MAX_SPOKEN * span.duration_s:
                continue
            section = self._make_section(samples, region.spans)
            least = CLEAR_BACKGROUND if region.is_own else MIN_BESIDE
            if section.tags[0].sound not in VOICE and section.tags[0].confidence >= least:
                yield section

    def _make_section(self, samples: Floats, spans: ActiveSpans) -> Section:
        heard = self._hear(samples, spans)
        scores = self._score(heard)
        return Section(spans, rank_sounds(scores), heard.embeddings.mean(axis=0), scores)

    def _tag(self, samples: Floats, spans: ActiveSpans) -> tuple[Tag, ...]:
        return rank_sounds(self._score(self._hear(samples, spans)))

    def _hear(self, samples: Floats, spans: ActiveSpans) -> ClassScores:
        return self._model(np.concatenate([span.cut(samples) for span in spans]))

    def _score(self, scores: ClassScores) -> Mapping[str, float]:
        return score_sounds(scores.logits, self._model.names, self._head(scores))

    def _split(self, samples: Floats, span: ActiveSpan) -> ActiveSpans:
        """Split a span at the local maxima of the distance between the sound of the next second and the last."""
        if span.duration_s < SPLIT_AFTER_S:
            return (span,)
        embeddings = self._model(span.cut(samples)).embeddings
        reach = round(PATCH_S / HOP_S)
        distances = np.array(
            [
                1 - _compute_cosine(embeddings[max(0, i - reach) : i].mean(0), embeddings[i : i + reach].mean(0))
                for i in range(1, len(embeddings))
            ]
        )
        cuts = [
            i + 1
            for i, distance in enumerate(distances)
            if distance >= MIN_CHANGE and distance == distances[max(0, i - reach) : i + reach + 1].max()
        ]
        edges = [span.start_s, *(span.start_s + PATCH_S / 2 + (cut - 0.5) * HOP_S for cut in cuts), span.end_s]
        return tuple(ActiveSpan(start, end) for start, end in pairwise(edges))


def _join_spans(spans: ActiveSpans, most: int) -> ActiveSpans:
    """Join spans that lie close together, until there are at most `most`."""
    gap_s = JOINED_S
    while True:
        joined: list[ActiveSpan] = []
        for span in spans:
            if joined and span.start_s - joined[-1].end_s < gap_s:
                joined[-1] = ActiveSpan(joined[-1].start_s, span.end_s)
            else:
                joined.append(span)
        if len(joined) <= most:
            return tuple(joined)
        gap_s *= 2


def _is_same_sound(before: Section, after: Section) -> bool:
    shared = {tag.sound for tag in before.tags[:NUM_SHARED]} & {tag.sound for tag in after.tags[:NUM_SHARED]}
    return bool(shared) or _compute_cosine(before.embedding, after.embedding) > ALIKE


def _compute_cosine(a: Floats, b: Floats) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9))


def _agree_on_speech(speech: ActiveSpans, tags: tuple[Tag, ...], spans: ActiveSpans) -> ActiveSpans:
    """Return the spans of speech on which voice activity detection and the tagger agree.

    Either alone takes cries and sneezes for speech; but a confident tagger overrules a detector that finds nothing.
    """
    sure = max(tag.logit for tag in tags if tag.sound in SPEECH)
    found = speech or (spans if sure >= SURE_SPEECH_LOGIT else ())
    is_long_enough = sum(span.duration_s for span in found) >= MIN_SPEECH_S
    return found if sure > MIN_SPEECH_LOGIT and is_long_enough else ()


def _describe_clip(tags: tuple[Tag, ...], whole: ActiveSpan) -> Evidence:
    said = [tag for tag in tags[:NUM_OVERALL] if tag.confidence >= MIN_OVERALL] or list(tags[:1])
    labels = tuple(tag.label for tag in said)
    text = f"Sounds heard, most likely first: {', '.join(map(str, labels))}."
    return _make_evidence("sound", text, labels, whole, tags[0].confidence)


def _describe_background(tags: tuple[Tag, ...], whole: ActiveSpan) -> tuple[Evidence, ...]:
    """State the sounds behind a voice, even at a low confidence: a voice masks the other sounds.

    Args:
        tags: of the clip; where other sounds are heard before or after the speech, of the speech alone.
        whole: span of the statement.
    """
    others = [tag for tag in tags if tag.sound not in VOICE][:NUM_BACKGROUND]
    if not others or others[0].confidence < MIN_BACKGROUND:
        return ()
    labels = tuple(tag.label for tag in others)
    text = f"Behind the voice, most likely first: {', '.join(map(str, labels))}."
    return (_make_evidence("sound", text, labels, whole, others[0].confidence),)


def _describe_section(section: Section) -> Evidence:
    best, *others = section.tags[:NUM_OF_SECTION]
    also = [tag.label for tag in others if tag.confidence >= MIN_OF_SECTION]
    times = make_labels([f"{len(section.spans)} times"] if len(section.spans) > 1 else [])
    text = f"{best.label}{', or ' + ', '.join(map(str, also)) if also else ''}{''.join(f', {one}' for one in times)}."
    whole = ActiveSpan(section.spans[0].start_s, section.spans[-1].end_s)
    return _make_evidence("event", text, (best.label, *also, *times), whole, best.confidence)


def _make_evidence(
    kind: EvidenceKind, text: str, labels: tuple[Label, ...], span: ActiveSpan, confidence: float
) -> Evidence:
    return make_evidence(kind, text, (span,), labels, source=SOURCE, confidence=confidence)
