"""In-memory LRU cache of values computed from clips, because many questions are asked about the same clip."""

from collections import OrderedDict
from collections.abc import Callable

from torch import Tensor

from services.types import AudioClip


class RecentClips:
    """Computes a value of a clip, or returns that of a recent clip with the same samples.

    Args:
        compute: the cached function.
        size: number of clips.
    """

    def __init__(self, compute: Callable[[AudioClip], Tensor], *, size: int) -> None:
        self._compute, self._size = compute, size
        self._kept: OrderedDict[str, Tensor] = OrderedDict()

    def __call__(self, clip: AudioClip) -> Tensor:
        """Return the value of a clip."""
        found = self._kept.get(clip.sha256)
        if found is None:
            found = self._kept[clip.sha256] = self._compute(clip)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        self._kept.move_to_end(clip.sha256)
        return found
