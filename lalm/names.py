"""Names that options and configurations hold: the default LALM, and the engines."""

from typing import Literal, TypeAlias

DEFAULT_LALM = "earwitness-tiny"
Engine: TypeAlias = Literal["in_process", "vllm"]
"""What runs a LALM on this machine."""
