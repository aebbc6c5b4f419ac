"""Lazily loaded LALM made by `lalm.train`: its weights are read with the first question.

Path `auto` opens a LALM that most questions never reach; PyTorch and the weights take seconds and a gigabyte.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from lalm.train import run_files
from services.cancellation import run_in_thread
from services.lazy import Lazy
from services.protocols import ASR, GivenEvidence
from services.types import AudioClip, Choice, Message, Reading

if TYPE_CHECKING:
    from lalm.runtimes.in_process import InProcessTrainedLALM


class TrainedLALM:
    """A LALM of a run folder; implements `LALM` and `Loadable`.

    Args:
        folder: of the run.
        name: catalogue name.
        asr: writes the transcript that the model was trained to see after the audio; None: without transcripts.

    Raises:
        BadConfig: the run folder has no configuration or no weights that can be read.
    """

    def __init__(self, folder: Path, *, name: str, asr: ASR | None) -> None:
        self.name = name
        self.style = run_files.find_style(run_files.read_config(folder).model)
        self.revision = run_files.compute_whole_revision(folder)
        self._opened = Lazy(lambda: _open(folder, name, asr))

    def load(self) -> None:
        """Read the weights now, not with the first question."""
        self._opened()

    async def listen(self, messages: tuple[Message, ...], clip: AudioClip, given: GivenEvidence = None) -> Reading:
        """Generate a reply about the clip."""
        model = await run_in_thread(self._opened)
        return await model.listen(messages, clip, given)

    async def choose(
        self, messages: tuple[Message, ...], clip: AudioClip, choices: tuple[Choice, ...], given: GivenEvidence = None
    ) -> Reading:
        """Compare the options."""
        model = await run_in_thread(self._opened)
        return await model.choose(messages, clip, choices, given)


def _open(folder: Path, name: str, asr: ASR | None) -> "InProcessTrainedLALM":
    from lalm.runtimes.in_process import InProcessTrainedLALM  # torch and transformers take seconds to import

    return InProcessTrainedLALM(folder, name=name, asr=asr)
