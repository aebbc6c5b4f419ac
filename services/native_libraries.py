"""Threads and memory of native libraries: idle threads sleep, one multiplies small arrays, freed memory goes back.

By default OpenMP's threads spin while they wait for work, on a processor that another model of the same answer could
use, and the C library keeps memory that models have freed for the next time.
"""

import ctypes
import os
from collections.abc import Callable
from threading import Lock
from time import monotonic


def let_idle_threads_sleep() -> None:
    """Have OpenMP's idle threads sleep, unless OMP_WAIT_POLICY says otherwise; call it before the library is loaded."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def use_one_blas_thread() -> None:
    """Have NumPy multiply matrices in the thread that asks: what the analysers multiply is small."""
    from threadpoolctl import ThreadpoolController

    ThreadpoolController().select(internal_api="openblas").limit(limits=1)


class MemoryRelease:
    """Gives memory that was freed back to the system, once in a while: glibc's `malloc_trim`; elsewhere nothing.

    Without it a process that runs models holds some 400 MB more (docs/log, 2026-11-30). A call takes 30 ms.

    Args:
        every_s: seconds in which there is one call at most.
        clock: seconds that have passed.
    """

    def __init__(self, every_s: float = 5.0, clock: Callable[[], float] = monotonic) -> None:
        self._every_s, self._clock = every_s, clock
        self._due_s, self._lock = clock(), Lock()
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None

    def __call__(self) -> bool:
        """Give back what can be; say whether it was due and this system can."""
        with self._lock:
            now_s = self._clock()
            if self._trim is None or now_s < self._due_s:
                return False
            self._due_s = now_s + self._every_s
        self._trim(0)
        return True


release_freed_memory = MemoryRelease()
"""Of this process; whatever ran a model calls it afterwards."""
