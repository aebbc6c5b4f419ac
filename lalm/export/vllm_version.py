"""Version of vLLM that the plug-in is written for, and the key of its requests; imports neither vLLM nor PyTorch."""

from importlib.metadata import PackageNotFoundError, version

from services.errors import BadConfig

PINNED = "0.32.0"  # vLLM's interfaces for models change between minor versions
REPLY = "earwitness_reply"  # key in `vllm_xargs` of the token ids that `lalm.export.vllm_reply` forces


def read_vllm_version() -> str:
    """Return the version of vLLM that is installed, without what follows a plus sign."""
    return version("vllm").partition("+")[0]


def require_vllm() -> None:
    """Raise `BadConfig` unless the version of vLLM that the plug-in is written for is installed."""
    try:
        installed = read_vllm_version()
    except PackageNotFoundError:
        raise BadConfig(
            f"lalm_engine 'vllm' needs vLLM {PINNED} beside Earwitness (docs/exporting.md), and none is installed. "
            "Leave lalm_engine out to run the LALM in process."
        ) from None
    if installed != PINNED:
        raise BadConfig(f"lalm_engine 'vllm' needs vLLM {PINNED}; {installed} is installed.")
