"""Timeline of the options of a question: the probability of each in every section between two changes of sound.

The tagger scores sounds, and speaker analysis tells men from women where somebody speaks. Where all options name an
instrument, the instrument classifier scores them instead.
"""

from collections.abc import Iterator, Mapping, Sequence
from math import log

from services.captioners.music.instrument import InstrumentTurn
from services.captioners.naming import NameMatcher
from services.captioners.sounds.activity import ActiveSpan, ActiveSpans
from services.captioners.sounds.sections import SPEECH, Section
from services.captioners.sounds.statements import make_evidence
from services.captioners.sounds.vocabulary import read_vocabulary
from services.captioners.voices.speaker import AttributedTurn
from services.sentences.meaning import MeaningMatcher
from services.types import Evidence, Label

SOURCE = "focus"
VOICE_ACCURACY = 0.9  # of telling men from women
LOGIT_SCALE = 2.5  # logits of the tagger for one of log-odds


def list_timeline(
    sections: Sequence[Section],
    turns: Sequence[AttributedTurn],
    options: Sequence[str],
    meanings: MeaningMatcher,
) -> Iterator[Evidence]:
    """Yield a statement for each section, in order, whose labels are the options with their probabilities.

    These sum to less than 1: the rest is the probability that none of them is heard there. No statement where the
    options name fewer than two things.
    """
    for section in sections:
        voices = _score_voices(section.scores, _find_speakers(section.spans, turns))
        weighed = meanings.weigh_beside_none(options, {**section.scores, **voices})
        if not weighed:
            return
        labels = tuple(Label.round_to_label(*one) for one in zip(options, weighed, strict=True))
        named = section.tags[0].label if max(weighed) < 1 - sum(weighed) else labels[weighed.index(max(weighed))]
        yield make_evidence("event", f"{named}.", section.spans, labels, source=SOURCE, confidence=named.probability)


def list_played(turns: Sequence[InstrumentTurn], options: Sequence[str], names: NameMatcher) -> Iterator[Evidence]:
    """Yield a statement for each turn of an instrument, in order, whose labels are the options with probabilities."""
    meant = [names.match(option) for option in options]
    for turn in turns:
        num_meant = sum(turn.label in labels for labels in meant)
        others = (1 - turn.probability) / max(1, len(options) - num_meant)
        shares = (turn.probability / num_meant if turn.label in labels else others for labels in meant)
        named = Label.round_to_label(turn.label, turn.probability)
        labels = tuple(Label.round_to_label(*one) for one in zip(options, shares, strict=True))
        span = (ActiveSpan(turn.start_s, turn.end_s),)
        yield make_evidence("event", f"{named}.", span, labels, source=SOURCE, confidence=turn.probability)


def _find_speakers(spans: ActiveSpans, turns: Sequence[AttributedTurn]) -> frozenset[str]:
    """Return the kinds of speakers whose turns overlap spans of sound."""
    return frozenset(
        turn.who for turn in turns if any(span.measure_overlap_s(one) > 0 for span in spans for one in turn.spans)
    )


def _score_voices(scores: Mapping[str, float], speaking: frozenset[str]) -> dict[str, float]:
    """Return kind of speaker -> score: that of speech, lowered for a kind that speaker analysis does not find."""
    speech = max(scores[sound] for sound in SPEECH)
    unlike = LOGIT_SCALE * log(VOICE_ACCURACY / (1 - VOICE_ACCURACY))
    return {who: speech - (unlike if speaking and who not in speaking else 0.0) for who in read_vocabulary().voices}
