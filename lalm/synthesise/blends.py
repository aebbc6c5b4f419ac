"""Clips across domains: real speakers, speech over sound or music, timelines, defects, differences between halves."""

from collections.abc import Callable, Sequence

import numpy as np

from lalm.distill.facts import (
    Fact,
    Wordings,
    list_wordings,
    make_choice,
    make_number,
    make_worded_choice,
    make_yes_no,
    uncapitalise,
)
from lalm.distill.speech_facts import PERSON
from lalm.synthesise.draft import (
    ClipDraft,
    Draw,
    Floats,
    NoSource,
    make_silence,
    overlay,
    scale_to_peak,
    state_domain_facts,
)
from lalm.synthesise.music.styles import make_style
from lalm.synthesise.sounds.effects import ALIKE, DEFECT_WORDS, DEFECTS, change_speed, muffle, reverberate
from lalm.synthesise.sounds.mixtures import make_single, state_sequence
from lalm.synthesise.sounds.recordings import SourceRecording
from lalm.synthesise.speech.sayings import make_plain
from lalm.synthesise.studio import Studio
from services.types import SAMPLE_RATE

LONGEST_HALF_S = 5.0
LONGEST_REAL_S = 5.0
CHANGES: dict[str, Wordings] = {
    "louder": ("It is louder", "The loudness rises"),
    "softer": ("It is softer", "The loudness falls"),
    "muffled": ("It is muffled", "High frequencies are missing"),
    "higher": ("It is faster and higher", "It is played at a higher speed"),
    "lower": ("It is slower and lower", "It is played at a lower speed"),
    "reverb": ("It has more reverberation", "It sounds as in a larger room"),
    "reversed": ("It is played backwards", "It is reversed"),
    "same": ("It is the same", "Nothing changes"),
}


def make_real_speakers(studio: Studio, draw: Draw) -> ClipDraft:
    """Let real people speak one after the other."""
    people = _draw_speakers(studio, draw, draw.rng.choice((2, 2, 3, 4)))
    pieces: list[Floats] = []
    for one in people:
        pieces += [scale_to_peak(one.load(), -4), make_silence(draw.rng.uniform(0.2, 0.6))]
    facts = [*state_domain_facts("speech", speech=True, music=False), make_number("num_speakers", len(people))]
    facts += _state_speakers(people, draw)
    languages = [one.row.language or "" for one in people]
    if len(set(languages)) == len(languages) and all(languages):
        facts.append(make_number("num_languages", len(languages)))
        for kind, place in (("first_language", 0), ("last_language", -1)):
            wrong = list_wordings(name for name in languages if name != languages[place])
            facts.append(Fact(kind, (languages[place],), wrong=wrong, pool="language"))
    words = " ".join(one.row.transcript.strip() for one in people)
    caption = f"Speech: {len(people)} people speak one after the other, {', then '.join(languages)}."
    return _blend(draw, np.concatenate(pieces[:-1]), caption, facts, people, transcript=words)


def _draw_speakers(studio: Studio, draw: Draw, count: int) -> list[SourceRecording]:
    """Draw recordings of different speakers, which have no recording or speaker in common."""
    known = studio.recordings.list_speech(draw.side) if studio.recordings else []
    known = [one for one in known if one.row.duration <= LONGEST_REAL_S]
    people: list[SourceRecording] = []
    for one in draw.shuffle(known):
        if len(people) < count and all(one.voice != other.voice for other in people):
            people.append(one)
    if len(people) < count:
        raise NoSource(f"{draw.side}: no {count} real speakers")
    return people


def _state_speakers(people: Sequence[SourceRecording], draw: Draw) -> list[Fact]:
    """Make the facts about the sexes of the speakers and about who says what."""
    facts = []
    genders = [one.row.speaker.gender for one in people]
    if all(genders):
        known = [gender for gender in genders if gender]
        facts += [
            make_number("num_women", known.count("female"), lowest=0),
            make_number("num_men", known.count("male"), lowest=0),
            make_worded_choice("first_speaker", known[0], PERSON),
            make_worded_choice("last_speaker", known[-1], PERSON),
        ]
    place = draw.rng.randrange(len(people))
    words = people[place].row.transcript.split()
    if 1 < len(words) <= 14:
        ordinals = ("first", "second", "third", "fourth")
        wrong = list_wordings(one.row.transcript.strip() for one in people if one is not people[place])
        right = people[place].row.transcript.strip()
        facts.append(Fact("said_by", (right,), wrong=wrong, about=ordinals[place], pool="said in English"))
    return facts


def make_speech_over(studio: Studio, draw: Draw) -> ClipDraft:
    """Let somebody speak over a sound or over music."""
    speech = _draw_speech(studio, draw)
    behind = _draw_background(studio, draw)
    length_s = max(speech.duration_s, 3.0)
    ground = np.resize(behind.samples, round((length_s + 1) * SAMPLE_RATE))
    samples = overlay(
        [(0.5, scale_to_peak(speech.samples, -4)), (0.0, scale_to_peak(ground, draw.rng.uniform(-20, -12)))]
    )
    facts = [
        make_choice(
            "domain_blend", "Speech over music" if behind.task == "music" else "Speech over other sounds", BLENDS
        ),
        make_yes_no("speech_present", is_true=True),
        make_yes_no("music_present", is_true=behind.task == "music"),
        *(fact for fact in speech.facts if fact.kind in KEPT_OF_SPEECH),
        *(fact._replace(kind="background") for fact in behind.facts if fact.kind == "sound"),
        *(fact for fact in behind.facts if fact.kind in KEPT_OF_BACKGROUND),
    ]
    caption = f"{speech.caption} Behind it: {uncapitalise(behind.caption)}"
    return _join("speech", draw, samples, caption, facts, [speech, behind])


BLENDS = ("Speech over music", "Speech over other sounds", "Speech alone", "Music alone")
KEPT_OF_SPEECH = {"gender", "said", "word", "content", "first_words", "last_words", "num_speakers"}
KEPT_OF_BACKGROUND = {"band_style", "has_drums"}


def make_timeline(studio: Studio, draw: Draw) -> ClipDraft:
    """Let speech, music and a sound follow one another."""
    makers: list[tuple[str, Callable[[Studio, Draw], ClipDraft]]] = [
        ("Somebody speaking", _draw_speech),
        ("Music", _draw_music),
        ("", _draw_sound),
    ]
    chosen = draw.rng.sample(makers, draw.rng.choice((2, 3)))
    drafts = [make(studio, draw) for _, make in chosen]
    names = [name or draft.labels[0] for (name, _), draft in zip(chosen, drafts, strict=True)]
    pieces: list[Floats] = []
    for draft in drafts:
        part = draft.samples[: round(LONGEST_HALF_S * SAMPLE_RATE)]
        pieces += [scale_to_peak(part, -5), make_silence(draw.rng.uniform(0.1, 0.5))]
    tasks = {draft.task for draft in drafts}
    facts = [
        *state_sequence(names, draw),
        make_yes_no("speech_present", is_true="speech" in tasks),
        make_yes_no("music_present", is_true="music" in tasks),
    ]
    caption = f"One after the other: {', then '.join(map(uncapitalise, names))}."
    return _join("sound", draw, np.concatenate(pieces[:-1]), caption, facts, drafts)


def make_defect(studio: Studio, draw: Draw) -> ClipDraft:
    """Add one defect to a recording, or leave it clean."""
    draft = _draw_any(studio, draw)
    is_real = studio.recordings is not None and any(studio.recordings.holds(source) for source in draft.sources)
    name = draw.rng.choice(
        [*DEFECTS] if is_real else ["clean", "clean", *DEFECTS]
    )  # a real recording may have a defect of its own
    before = scale_to_peak(draft.samples[: round(8 * SAMPLE_RATE)], -6)
    samples = DEFECTS[name](draw, before) if name != "clean" else before
    near = next((group for group in ALIKE if name in group), {name})
    known = {key: words for key, words in DEFECT_WORDS.items() if key == name or key not in near}
    facts = [make_worded_choice("defect", name, known)]
    if name == "clean" or draw.decide(0.2):
        facts.append(make_yes_no("has_defect", is_true=name != "clean"))
    caption = f"{draft.caption} Recording: {uncapitalise(DEFECT_WORDS[name][0])}."
    return _join(draft.task, draw, samples, caption, facts, [draft])


def make_difference(studio: Studio, draw: Draw) -> ClipDraft:
    """Play a sound twice, the second time changed in one way or not at all."""
    draft = _draw_any(studio, draw)
    part = scale_to_peak(draft.samples[: round(draw.rng.uniform(2.0, LONGEST_HALF_S) * SAMPLE_RATE)], -12)
    name = draw.rng.choice(list(CHANGES))
    changed = _change(draw, part, name)
    facts = [make_worded_choice("difference", name, CHANGES), make_yes_no("is_different", is_true=name != "same")]
    caption = (
        f"The same is heard twice: {uncapitalise(draft.caption)} The second time: {uncapitalise(CHANGES[name][0])}."
    )
    samples = np.concatenate([part, make_silence(0.5), changed])
    return _join(draft.task, draw, samples, caption, facts, [draft])


def _change(draw: Draw, part: Floats, name: str) -> Floats:
    if name in {"louder", "softer"}:
        return part * np.float32(10 ** ((11 if name == "louder" else -16) / 20))
    if name in {"higher", "lower"}:
        return change_speed(part, 1.4 if name == "higher" else 0.7)
    if name == "muffled":
        return muffle(draw, part)
    if name == "reverb":
        return scale_to_peak(reverberate(draw, part), -12)
    return part[::-1].copy() if name == "reversed" else part


def _draw_any(studio: Studio, draw: Draw) -> ClipDraft:
    """Draw a clip of some domain that the studio can make."""
    makers = draw.shuffle([_draw_speech, _draw_music, _draw_sound])
    for make in makers:
        try:
            return make(studio, draw)
        except NoSource:
            continue
    raise NoSource("nothing to change")


def _draw_sound(studio: Studio, draw: Draw) -> ClipDraft:
    return make_single(studio.events, draw)


def _draw_music(studio: Studio, draw: Draw) -> ClipDraft:
    if studio.orchestra is None:
        raise NoSource("no soundfont")
    return make_style(studio.orchestra, draw)


def _draw_background(studio: Studio, draw: Draw) -> ClipDraft:
    if studio.orchestra is not None and draw.decide(0.4):
        return _draw_music(studio, draw)
    return _draw_sound(studio, draw)


def _draw_speech(studio: Studio, draw: Draw) -> ClipDraft:
    """Draw real speech or, as often, a synthetic voice."""
    real = studio.recordings.list_speech(draw.side) if studio.recordings else []
    if real and (studio.voices is None or draw.decide(0.5)):
        one = draw.rng.choice(real)
        words = one.row.transcript.strip()
        facts = [make_worded_choice("gender", one.row.speaker.gender, PERSON)] if one.row.speaker.gender else []
        if 1 < len(words.split()) <= 14 and one.row.language == "English":
            facts.append(Fact("said", (words,), pool="said in English"))
        language = one.row.language or "a language"
        return _blend(draw, one.load(), f"Speech: somebody speaks {language}.", facts, [one], transcript=words)
    if studio.voices is None:
        raise NoSource("nobody speaks")
    return make_plain(studio.voices, draw)


def _blend(
    draw: Draw,
    samples: Floats,
    caption: str,
    facts: Sequence[Fact],
    people: Sequence[SourceRecording],
    *,
    transcript: str,
) -> ClipDraft:
    """Make a clip of real speech."""
    return ClipDraft(
        scale_to_peak(samples, draw.rng.uniform(-12, -1)),
        "speech",
        caption,
        tuple(facts),
        tuple(one.source for one in people),
        transcript=transcript,
    )


def _join(
    task: str, draw: Draw, samples: Floats, caption: str, facts: Sequence[Fact], drafts: Sequence[ClipDraft]
) -> ClipDraft:
    """Make a clip of other clips."""
    return ClipDraft(
        scale_to_peak(samples, draw.rng.uniform(-10, -1)),
        "speech" if task == "speech" else "music" if task == "music" else "sound",
        caption,
        tuple(facts),
        tuple(dict.fromkeys(source for draft in drafts for source in draft.sources)),
        transcript=" ".join(draft.transcript for draft in drafts if draft.transcript),
    )
