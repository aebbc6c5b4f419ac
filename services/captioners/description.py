"""Description of a clip by every analyser in turn; an analyser that cannot tell adds no statement."""

from collections.abc import Mapping
from pathlib import Path

from services.cancellation import raise_if_cancelled
from services.captioners.absence import NO_MUSIC, NO_SPEECH, state_absence
from services.captioners.details import Analysers, FocusedListener
from services.captioners.focus import resolve_focus
from services.captioners.music.caption import MusicListener, measure_music
from services.captioners.music.instrument import InstrumentHead
from services.captioners.music.musicnn import MusicTagger
from services.captioners.music.pitches import BasicPitch
from services.captioners.music.style import StyleClassifier
from services.captioners.rhythm.analyser import RhythmAnalyser
from services.captioners.sounds.loudness import describe_loudness
from services.captioners.sounds.quality import describe_quality
from services.captioners.sounds.sections import SPEECH, SoundReport, SoundTagger
from services.captioners.sounds.yamnet import YamNet
from services.captioners.voices.gender import GenderNet
from services.captioners.voices.segments import describe_speech, detect_speech
from services.captioners.voices.speaker import SpeakerAnalyser
from services.captioners.voices.voiceprint import VoiceEncoder
from services.native_libraries import use_one_blas_thread
from services.sentences.encoder import open_sentence_encoder
from services.types import AudioClip, Evidence, Focus

CHILD_VOICES = ("child speaking", "child singing")
MAX_ABSENT_SPEECH = 0.25  # confidence of the tagger in any kind of speech; from it on, absence is not stated
MAX_ABSENT_MUSIC = 0.005  # probability of any kind of music; likewise
ABSENCE_PRECISION = 0.95
"""Share of the negative statements that are right (docs/ears.md)."""


class ClipDescriber:
    """Opens the analysers, and runs them over a clip.

    Args:
        folders: name of the weights -> their folder.
    """

    def __init__(self, folders: Mapping[str, Path]) -> None:
        use_one_blas_thread()
        self._yamnet = yamnet = YamNet(folders["yamnet"])
        self._tagger = SoundTagger(yamnet)
        pitch = BasicPitch(folders["basic-pitch"])
        style = StyleClassifier(MusicTagger(folders["musicnn"]), yamnet.names)
        self._music = MusicListener(yamnet, pitch, style)
        self._speakers = SpeakerAnalyser(VoiceEncoder(folders["resemblyzer"]), GenderNet(folders["ina"]))
        sentences = open_sentence_encoder()
        models = Analysers(
            yamnet, pitch, self._tagger, self._speakers, InstrumentHead(), RhythmAnalyser(), style, sentences
        )
        self._focused = FocusedListener(models)

    def describe(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:
        """Describe a clip; with a focus, say only what it asks for."""
        if focus and focus.topic == "turns":
            return self._speakers.list_turns(clip, detect_speech(clip.samples))
        return self._focused(clip, resolve_focus(focus)) if focus else self._describe_all(clip)

    def _describe_all(self, clip: AudioClip) -> tuple[Evidence, ...]:
        detected = detect_speech(clip.samples)
        heard = self._tagger(clip, detected)
        if not heard.tags:
            return describe_loudness(clip)
        raise_if_cancelled()
        spoken = self._describe_speech(clip, heard) if heard.speech else ()
        raise_if_cancelled()
        played = self._music(clip, heard.speech)
        raise_if_cancelled()
        return (
            *self._describe_absence(clip, heard, may_speak=bool(detected)),
            *heard.statements,
            *spoken,
            *played,
            *describe_loudness(clip, has_gaps=not heard.speech and len(heard.statements) == 1),
            *describe_quality(clip, is_speech=bool(heard.speech) and not heard.background),
        )

    def _describe_absence(self, clip: AudioClip, heard: SoundReport, *, may_speak: bool) -> tuple[Evidence, ...]:
        """State that there is no speech or no music, where both detectors agree: either alone misses a faint voice."""
        has_speech = may_speak or heard.get_confidence(*SPEECH) >= MAX_ABSENT_SPEECH
        has_music = measure_music(self._yamnet(clip.samples)) >= MAX_ABSENT_MUSIC
        absent = [*([] if has_speech else [NO_SPEECH]), *([] if has_music else [NO_MUSIC])]
        return (state_absence(absent, ABSENCE_PRECISION),) if absent else ()

    def _describe_speech(self, clip: AudioClip, heard: SoundReport) -> tuple[Evidence, ...]:
        child = heard.get_confidence(*CHILD_VOICES)
        return (
            *describe_speech(clip, heard.speech),
            *self._speakers(clip, heard.speech, child=child, background=heard.background),
        )
