"""In-memory cache (LRU) of what was computed of the last clips: many questions are often asked about the same one."""

from collections import OrderedDict
from collections.abc import Callable

from torch import Tensor

from services.types import AudioClip


class RecentClips:
    """Computes something of a clip, or returns what was computed of the same samples lately.

    Args:
        compute: what is kept.
        size: number of clips.
    """

    def __init__(self, compute: Callable[[AudioClip], Tensor], *, size: int) -> None:
        self._compute, self._size = compute, size
        self._kept: OrderedDict[str, Tensor] = OrderedDict()

    def __call__(self, clip: AudioClip) -> Tensor:
        """Return what was computed of a clip."""
        found = self._kept.get(clip.sha256)
        if found is None:
            found = self._kept[clip.sha256] = self._compute(clip)
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        self._kept.move_to_end(clip.sha256)
        return found
