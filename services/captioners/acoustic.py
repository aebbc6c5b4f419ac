"""Acoustic captioner: signal analysis and small pretrained models describe a clip for an LLM that cannot hear."""

from services.cancellation import raise_if_cancelled, run_in_thread
from services.captioners.details import Analysers, FocusedListener
from services.captioners.focus import resolve_focus
from services.captioners.music.caption import MusicListener
from services.captioners.music.instrument import InstrumentHead
from services.captioners.music.pitches import BasicPitch
from services.captioners.sounds.loudness import describe_loudness
from services.captioners.sounds.quality import describe_quality
from services.captioners.sounds.sections import SoundReport, SoundTagger
from services.captioners.sounds.yamnet import YamNet
from services.captioners.voices.gender import GenderNet
from services.captioners.voices.segments import describe_speech, detect_speech
from services.captioners.voices.speaker import SpeakerAnalyser
from services.captioners.voices.voiceprint import VoiceEncoder
from services.captioners.windows import ClipWindow, split_clip
from services.digest import hash_modules
from services.progress import current_stage
from services.types import AudioClip, Evidence, Focus
from services.weights import store as weights

WEIGHTS = ("yamnet", "ina", "resemblyzer", "basic-pitch")
LONGEST_S = 60.0  # a longer clip is described part by part
CODE = (
    "services.captioners.acoustic",
    "services.captioners.details",
    "services.captioners.focus",
    "services.captioners.music",
    "services.captioners.onnx_session",
    "services.captioners.sounds",
    "services.captioners.statement",
    "services.captioners.stop_words",
    "services.captioners.voices",
    "services.captioners.windows",
)
"""Modules and packages that decide what a caption says: a change of any line or table gives another revision."""
WHAT_SPEAKS_LIKE_A_CHILD = ("child speaking", "child singing")


class AcousticCaptioner:
    """Runs the analysers one after the other; each says nothing where it does not know."""

    name = "acoustic"

    def __init__(self) -> None:
        folders = {name: weights.ensure_folder(name) for name in WEIGHTS}
        self.revision = "-".join([hash_modules(*CODE)[:8], *(weights.find_revision(name)[:4] for name in WEIGHTS)])
        yamnet = YamNet(folders["yamnet"])
        self._tagger = SoundTagger(yamnet)
        pitch = BasicPitch(folders["basic-pitch"])
        self._music = MusicListener(yamnet, pitch)
        self._speakers = SpeakerAnalyser(VoiceEncoder(folders["resemblyzer"]), GenderNet(folders["ina"]))
        self._focused = FocusedListener(Analysers(yamnet, pitch, self._tagger, self._speakers, InstrumentHead()))

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:
        """Describe the clip, in order of start; with a focus, say only what it asks for."""
        return await run_in_thread(self.describe, clip, focus)

    def describe(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:
        """Do the work of `caption` in the calling thread."""
        parts = list(split_clip(clip, LONGEST_S))
        told: list[Evidence] = []
        for part in parts:
            raise_if_cancelled()
            heard = self._focused(part.clip, resolve_focus(focus)) if focus else self._describe(part.clip)
            told += heard if len(parts) == 1 else [_shift(statement, part) for statement in heard]
            current_stage().advance_to(part.start_s + part.clip.duration_s)
        dated = (statement.model_copy(update={"revision": self.revision}) for statement in told)
        return tuple(sorted(dated, key=lambda statement: statement.start_s))

    def _describe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        heard = self._tagger(clip, detect_speech(clip.samples))
        if not heard.tags:
            return describe_loudness(clip)
        raise_if_cancelled()
        spoken = self._describe_speech(clip, heard) if heard.speech else ()
        raise_if_cancelled()
        played = self._music(clip)
        raise_if_cancelled()
        return (
            *heard.statements,
            *spoken,
            *played,
            *describe_loudness(clip, tells_gaps=not heard.speech and len(heard.statements) == 1),
            *describe_quality(clip, is_speech=bool(heard.speech) and not heard.background),
        )

    def _describe_speech(self, clip: AudioClip, heard: SoundReport) -> tuple[Evidence, ...]:
        child = heard.confidence(*WHAT_SPEAKS_LIKE_A_CHILD)
        return (
            *describe_speech(clip, heard.speech),
            *self._speakers(clip, heard.speech, child=child, background=heard.background),
        )


def _shift(statement: Evidence, part: ClipWindow) -> Evidence:
    """Return a statement about a part as one about the whole clip; its words count seconds, so they say from where."""
    start_s, end_s = part.start_s, part.start_s + part.clip.duration_s
    update = {
        "text": f"From {start_s:.0f} to {end_s:.0f} s (times counted from {start_s:.0f} s): {statement.text}",
        "start_s": round(statement.start_s + start_s, 2),
        "end_s": round(end_s if statement.end_s is None else statement.end_s + start_s, 2),
    }
    return statement.model_copy(update=update)
