"""Acoustic captioner: signal analysis and small pretrained models describe a clip for an LLM that cannot hear.

Its revision, which the perception cache is keyed by, is known at once; its models are opened with the first clip.
"""

from typing import TYPE_CHECKING

from services.cancellation import raise_if_cancelled, run_in_thread
from services.captioners.absence import join_absences
from services.captioners.windows import ClipWindow, split_clip
from services.digest import hash_modules
from services.lazy import Lazy
from services.progress import get_stage
from services.types import AudioClip, Evidence, Focus
from services.weights import store as weights

if TYPE_CHECKING:
    from services.captioners.description import ClipDescriber

WEIGHTS = ("yamnet", "ina", "resemblyzer", "basic-pitch", "musicnn")
LONGEST_S = 60.0  # a longer clip is described part by part
CODE = (
    "services.captioners.absence",
    "services.captioners.acoustic",
    "services.captioners.asked",
    "services.captioners.description",
    "services.captioners.details",
    "services.captioners.focus",
    "services.captioners.frames",
    "services.captioners.head",
    "services.captioners.mel",
    "services.captioners.music",
    "services.captioners.rhythm",
    "services.captioners.naming",
    "services.captioners.onnx_session",
    "services.captioners.sounds",
    "services.captioners.statement",
    "services.captioners.stop_words",
    "services.captioners.timeline",
    "services.captioners.voices",
    "services.captioners.windows",
    "services.number_words",
    "services.sentences",
)
"""Modules and packages that decide what a caption says: a change of any line or table gives another revision."""


class AcousticCaptioner:
    """The embedded captioner; implements `Captioner` and `Loadable`. A long clip is described part by part."""

    name = "acoustic"

    def __init__(self) -> None:
        for name in WEIGHTS:
            weights.ensure_folder(name)
        self.revision = "-".join([hash_modules(*CODE)[:8], *(weights.find_revision(name)[:4] for name in WEIGHTS)])
        self._describer = Lazy(_open_describer)

    def load(self) -> None:
        """Open the models now, not with the first clip."""
        self._describer()

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:
        """Describe the clip, in order of start; with a focus, say only what it asks for."""
        return await run_in_thread(self.describe, clip, focus)

    def describe(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:
        """Do the work of `caption` in the calling thread."""
        describer = self._describer()
        is_whole = focus is not None and focus.topic == "turns"  # a voice keeps its number throughout
        parts = list(split_clip(clip, clip.duration_s if is_whole else LONGEST_S))
        found: list[Evidence] = []
        for part in parts:
            raise_if_cancelled()
            heard = describer.describe(part.clip, focus)
            found += heard if len(parts) == 1 else [_shift(statement, part) for statement in heard]
            get_stage().advance_to(part.start_s + part.clip.duration_s)
        dated = (statement.model_copy(update={"revision": self.revision}) for statement in found)
        return tuple(sorted(join_absences(dated), key=lambda statement: statement.start_s))


def _open_describer() -> "ClipDescriber":
    from services.captioners.description import ClipDescriber  # its libraries take a second to import

    return ClipDescriber({name: weights.ensure_folder(name) for name in WEIGHTS})


def _shift(statement: Evidence, part: ClipWindow) -> Evidence:
    """Return a statement about a part as one about the whole clip; its text says where its times are counted from."""
    start_s, end_s = part.start_s, part.start_s + part.clip.duration_s
    dated = f"From {start_s:.0f} to {end_s:.0f} s (times counted from {start_s:.0f} s): {statement.text}"
    update = {
        "text": statement.text if statement.kind == "absence" else dated,
        "start_s": round(statement.start_s + start_s, 2),
        "end_s": round(end_s if statement.end_s is None else statement.end_s + start_s, 2),
    }
    return statement.model_copy(update=update)
