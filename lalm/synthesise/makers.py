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


def _make_binder(pick: Callable[[Studio], SourceT | None], absent: str) -> Callable[[MakeFrom[SourceT], float], Maker]:
    """Make the function that binds a function of one source to a studio; the maker raises `NoSource` without it."""

    def bind(make: MakeFrom[SourceT], share: float) -> Maker:
        def make_from_source(studio: Studio, draw: Draw) -> ClipDraft:
            source = pick(studio)
            if source is None:
                raise NoSource(absent)
            return make(source, draw)

        return Maker(make_from_source, share)

    return bind


_with_orchestra = _make_binder(lambda studio: studio.orchestra, "no soundfont")
_with_voices = _make_binder(lambda studio: studio.voices, "no synthesiser")
_with_events = _make_binder(lambda studio: studio.events, "no sound events")

MAKERS: Mapping[str, Maker] = {
    "note": _with_orchestra(melody.make_note, 5),
    "interval": _with_orchestra(melody.make_interval, 2),
    "scale": _with_orchestra(melody.make_scale, 2),
    "melody": _with_orchestra(melody.make_melody, 4),
    "phrases": _with_orchestra(melody.make_phrases, 2),
    "dynamics": _with_orchestra(melody.make_dynamics, 3),
    "soundfont sound": _with_orchestra(melody.make_sound, 1),
    "chord": _with_orchestra(harmony.make_chord, 3),
    "cadence": _with_orchestra(harmony.make_cadence, 1),
    "progression": _with_orchestra(harmony.make_progression, 2),
    "metre": _with_orchestra(rhythm.make_meter, 3),
    "tempo change": _with_orchestra(rhythm.make_tempo_change, 1.5),
    "feel": _with_orchestra(rhythm.make_feel, 1),
    "strokes": _with_orchestra(rhythm.make_strokes, 2.5),
    "drum order": _with_orchestra(rhythm.make_drum_order, 1.5),
    "instruments in turn": _with_orchestra(ensemble.make_turns, 4),
    "instruments together": _with_orchestra(ensemble.make_together, 4),
    "melody and backing": _with_orchestra(ensemble.make_roles, 3),
    "texture": _with_orchestra(ensemble.make_texture, 1.5),
    "entrance": _with_orchestra(ensemble.make_entrance, 1.5),
    "style": _with_orchestra(styles.make_style, 4),
    "mood": _with_orchestra(moods.make_mood, 2),
    "script": _with_voices(scripts.make_script, 7),
    "number said": _with_voices(sayings.make_number_said, 2),
    "arithmetic": _with_voices(sayings.make_arithmetic, 1.5),
    "weekday": _with_voices(sayings.make_weekday, 0.7),
    "list": _with_voices(sayings.make_list, 2),
    "repeated word": _with_voices(sayings.make_repeated_word, 1.5),
    "rate": _with_voices(sayings.make_rate, 1.5),
    "voices": _with_voices(sayings.make_voices, 2),
    "sentence": _with_voices(sayings.make_plain, 2),
    "language": _with_voices(languages.make_language, 3),
    "language switch": _with_voices(languages.make_switch, 1.5),
    "rhyme": _with_voices(phonetics.make_rhyme, 0.7),
    "syllables": _with_voices(phonetics.make_syllables, 0.7),
    "word pair": _with_voices(phonetics.make_pair, 0.5),
    "onset": _with_voices(phonetics.make_onset, 0.5),
    "spelling": _with_voices(phonetics.make_spelling, 0.6),
    "single sound": _with_events(mixtures.make_single, 7),
    "sounds in order": _with_events(mixtures.make_sequence, 7),
    "repeated sound": _with_events(mixtures.make_repeated, 4),
    "sounds at once": _with_events(mixtures.make_layers, 5),
    "loudness course": _with_events(mixtures.make_course, 2),
    "movement": _with_events(mixtures.make_move, 1.5),
    "scene": _with_events(scenes.make_scene, 4),
    "real speakers": Maker(blends.make_real_speakers, 3),
    "speech over": Maker(blends.make_speech_over, 4),
    "timeline": Maker(blends.make_timeline, 3),
    "defect": Maker(blends.make_defect, 4),
    "difference": Maker(blends.make_difference, 3),
}


class MadeClip(NamedTuple):
    """A clip and its kind."""

    kind: str
    """Key of `MAKERS`."""
    draft: ClipDraft


def make_clip(studio: Studio, draw: Draw, shares: Mapping[str, float]) -> MadeClip:
    """Make a clip of a kind drawn at random, or of another kind where this side of the split has no source for it.

    Args:
        studio: what clips are made of.
        draw: randomness of the clip.
        shares: relative frequencies that differ from those of `MAKERS`.

    Raises:
        NoSource: no kind can be made of the sources.
    """
    left = {name: shares.get(name, maker.share) for name, maker in MAKERS.items()}
    while any(left.values()):
        name = draw.rng.choices(list(left), list(left.values()))[0]
        try:
            return MadeClip(name, MAKERS[name].make(studio, draw))
        except NoSource:
            left[name] = 0.0
    raise NoSource(f"{draw.side}: no kind of clip can be made of the sources that are configured")
