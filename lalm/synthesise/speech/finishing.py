"""Finishing of a clip of speech: the facts that its voices give, and its caption."""

from collections.abc import Sequence

import numpy as np

from lalm.distill.facts import Fact, make_number, make_worded_choice
from lalm.distill.speech_facts import PERSON
from lalm.synthesise.draft import ClipDraft, Draw, Floats, make_silence, scale_to_peak, state_domain_facts
from lalm.synthesise.speech.voices import SyntheticVoice


def join(parts: Sequence[Floats], draw: Draw, *, shortest_s: float = 0.2, longest_s: float = 0.6) -> Floats:
    """Concatenate utterances, equally loud, with pauses between them."""
    pieces: list[Floats] = []
    for part in parts:
        pieces += [scale_to_peak(part, -3), make_silence(draw.rng.uniform(shortest_s, longest_s))]
    return np.concatenate(pieces[:-1])


def finish_speech(
    voices: Sequence[SyntheticVoice], draw: Draw, samples: Floats, facts: Sequence[Fact], *, words: str, said: str = ""
) -> ClipDraft:
    """Make a clip of speech.

    Args:
        voices: of the speakers, in order.
        draw: randomness of the clip.
        samples: the speech.
        facts: about what is said.
        words: transcript.
        said: what kind of speech it is, for the caption.
    """
    languages = sorted({voice.language for voice in voices})
    people = {voice.source: voice for voice in voices}
    named = " and ".join(PERSON[voice.gender][0].lower() for voice in people.values())
    caption = f"Speech: {said or 'somebody speaks'}; {named} speak{'s' * (len(people) == 1)} {' and '.join(languages)}."
    return ClipDraft(
        scale_to_peak(samples, draw.rng.uniform(-12, -1)),
        "speech",
        caption,
        (*state_domain_facts("speech", speech=True, music=False), *_state_voices(list(people.values()), draw), *facts),
        tuple(people),
        transcript=words,
        language=languages[0] if len(languages) == 1 else None,
    )


def _state_voices(people: Sequence[SyntheticVoice], draw: Draw) -> list[Fact]:
    """Make the facts about who speaks."""
    if len(people) == 1:
        facts = [make_worded_choice("gender", people[0].gender, PERSON)]
        if draw.decide(0.15):
            facts.append(make_number("num_speakers", 1))
        if people[0].accent:
            facts.append(Fact("english_accent", (people[0].accent,)))
        return facts
    women = sum(voice.gender == "female" for voice in people)
    return [
        make_number("num_speakers", len(people)),
        make_number("num_women", women, lowest=0),
        make_number("num_men", len(people) - women, lowest=0),
        make_worded_choice("first_speaker", people[0].gender, PERSON),
    ]
