"""Threads of native libraries (OpenMP, OpenBLAS): idle ones sleep, and small arrays are computed by one.

By default they spin while they wait for work, on a processor that another model of the same answer could use.
"""

import os


def let_idle_threads_sleep() -> None:
    """Have OpenMP's idle threads sleep, unless OMP_WAIT_POLICY says otherwise; call it before the library is loaded."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def use_one_blas_thread() -> None:
    """Have NumPy multiply matrices in the thread that asks: what the analysers multiply is small."""
    from threadpoolctl import ThreadpoolController

    ThreadpoolController().select(internal_api="openblas").limit(limits=1)
