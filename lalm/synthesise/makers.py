"""Kinds of clips that can be made, by name, with how often each is made unless the configuration says otherwise."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias, TypeVar

from lalm.synthesise import blends
from lalm.synthesise.draft import ClipDraft, Draw, NoSource
from lalm.synthesise.music import ensemble, harmony, melody, moods, rhythm, styles
from lalm.synthesise.sounds import mixtures, scenes
from lalm.synthesise.speech import languages, phonetics, sayings, scripts
from lalm.synthesise.studio import Studio

SourceT = TypeVar("SourceT")
Make: TypeAlias = Callable[[Studio, Draw], ClipDraft]
MakeFrom: TypeAlias = Callable[[SourceT, Draw], ClipDraft]


class Maker(NamedTuple):
    """How a kind of clip is made."""

    make: Make
    share: float
    """Relative frequency."""


def _give(pick: Callable[[Studio], SourceT | None], absent: str) -> Callable[[MakeFrom[SourceT], float], Maker]:
    """Return what turns a function of one source into a maker, which raises `NoSource` where the studio lacks it."""

    def bind(make: MakeFrom[SourceT], share: float) -> Maker:
        def make_from_source(studio: Studio, draw: Draw) -> ClipDraft:
            source = pick(studio)
            if source is None:
                raise NoSource(absent)
            return make(source, draw)

        return Maker(make_from_source, share)

    return bind


_give_orchestra = _give(lambda studio: studio.orchestra, "no soundfont")
_give_voices = _give(lambda studio: studio.voices, "no synthesiser")
_give_events = _give(lambda studio: studio.events, "no sound events")

MAKERS: Mapping[str, Maker] = {
    "note": _give_orchestra(melody.make_note, 5),
    "interval": _give_orchestra(melody.make_interval, 2),
    "scale": _give_orchestra(melody.make_scale, 2),
    "melody": _give_orchestra(melody.make_melody, 4),
    "phrases": _give_orchestra(melody.make_phrases, 2),
    "dynamics": _give_orchestra(melody.make_dynamics, 3),
    "soundfont sound": _give_orchestra(melody.make_sound, 1),
    "chord": _give_orchestra(harmony.make_chord, 3),
    "cadence": _give_orchestra(harmony.make_cadence, 1),
    "progression": _give_orchestra(harmony.make_progression, 2),
    "metre": _give_orchestra(rhythm.make_meter, 3),
    "tempo change": _give_orchestra(rhythm.make_tempo_change, 1.5),
    "feel": _give_orchestra(rhythm.make_feel, 1),
    "strokes": _give_orchestra(rhythm.make_strokes, 2.5),
    "drum order": _give_orchestra(rhythm.make_drum_order, 1.5),
    "instruments in turn": _give_orchestra(ensemble.make_turns, 4),
    "instruments together": _give_orchestra(ensemble.make_together, 4),
    "melody and backing": _give_orchestra(ensemble.make_roles, 3),
    "texture": _give_orchestra(ensemble.make_texture, 1.5),
    "entrance": _give_orchestra(ensemble.make_entrance, 1.5),
    "style": _give_orchestra(styles.make_style, 4),
    "mood": _give_orchestra(moods.make_mood, 2),
    "script": _give_voices(scripts.make_script, 7),
    "number said": _give_voices(sayings.make_number_said, 2),
    "arithmetic": _give_voices(sayings.make_arithmetic, 1.5),
    "weekday": _give_voices(sayings.make_weekday, 0.7),
    "list": _give_voices(sayings.make_list, 2),
    "repeated word": _give_voices(sayings.make_repeated_word, 1.5),
    "rate": _give_voices(sayings.make_rate, 1.5),
    "voices": _give_voices(sayings.make_voices, 2),
    "sentence": _give_voices(sayings.make_plain, 2),
    "language": _give_voices(languages.make_language, 3),
    "language switch": _give_voices(languages.make_switch, 1.5),
    "rhyme": _give_voices(phonetics.make_rhyme, 0.7),
    "syllables": _give_voices(phonetics.make_syllables, 0.7),
    "word pair": _give_voices(phonetics.make_pair, 0.5),
    "onset": _give_voices(phonetics.make_onset, 0.5),
    "spelling": _give_voices(phonetics.make_spelling, 0.6),
    "single sound": _give_events(mixtures.make_single, 7),
    "sounds in order": _give_events(mixtures.make_sequence, 7),
    "repeated sound": _give_events(mixtures.make_repeated, 4),
    "sounds at once": _give_events(mixtures.make_layers, 5),
    "loudness course": _give_events(mixtures.make_course, 2),
    "movement": _give_events(mixtures.make_move, 1.5),
    "scene": _give_events(scenes.make_scene, 4),
    "real speakers": Maker(blends.make_real_speakers, 3),
    "speech over": Maker(blends.make_speech_over, 4),
    "timeline": Maker(blends.make_timeline, 3),
    "defect": Maker(blends.make_defect, 4),
    "difference": Maker(blends.make_difference, 3),
}


def make_clip(studio: Studio, draw: Draw, shares: Mapping[str, float]) -> tuple[str, ClipDraft]:
    """Make a clip of a drawn kind; where it has no source on this side of the split, of another kind.

    Args:
        studio: what clips are made of.
        draw: randomness of the clip.
        shares: relative frequencies that differ from those of `MAKERS`.

    Returns:
        Name of the kind, and the clip.
    """
    left = {name: shares.get(name, maker.share) for name, maker in MAKERS.items()}
    while any(left.values()):
        name = draw.rng.choices(list(left), list(left.values()))[0]
        try:
            return name, MAKERS[name].make(studio, draw)
        except NoSource:
            left[name] = 0.0
    raise NoSource(f"{draw.side}: no kind of clip can be made of the sources that are configured")
