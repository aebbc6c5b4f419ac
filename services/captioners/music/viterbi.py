"""Viterbi decoding with one cost for every change of state."""

import numpy as np
from numpy.typing import NDArray


def find_best_path(scores: NDArray[np.float32], change_cost: float) -> NDArray[np.int64]:
    """Return the state of each step on the best path, shape (num_steps,).

    Args:
        scores: of each state in each step, shape (num_steps, num_states); they are added up along a path.
        change_cost: subtracted for every change of state.
    """
    origin = np.zeros(scores.shape, np.int64)
    stay = np.arange(scores.shape[1])
    total = scores[0].copy()
    for step in range(1, len(scores)):
        best = int(total.argmax())
        change = total[best] - change_cost
        origin[step] = np.where(total >= change, stay, best)
        total = np.maximum(total, change) + scores[step]
    path = np.empty(len(scores), np.int64)
    path[-1] = int(total.argmax())
    for step in range(len(scores) - 1, 0, -1):
        path[step - 1] = origin[step, path[step]]
    return path
