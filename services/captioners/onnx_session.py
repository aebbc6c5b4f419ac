"""ONNX Runtime sessions: the one place where a small perception model is opened, and with which options."""

from pathlib import Path

from onnxruntime import InferenceSession, SessionOptions

NUM_THREADS = 1  # the models are small: a second thread costs two thirds more and saves no time where others work


def open_session(path: Path) -> InferenceSession:
    """Open a model on the CPU: it is small, and so scores the same with a GPU as without one."""
    options = SessionOptions()
    options.intra_op_num_threads = NUM_THREADS
    return InferenceSession(path, options, providers=["CPUExecutionProvider"])
