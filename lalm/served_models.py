"""Table of LALMs that servers have: request form and limits, licence, and where the form was read."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from lalm.runtimes.request_form import RequestForm
from services.types import Value
from services.yaml_file import read_config

FILE = Path(__file__).with_suffix(".yaml")
Host: TypeAlias = Literal["gemini", "openai"]


class LalmEntry(Value):
    """A LALM of others, and how a server of it is asked."""

    weights: str
    """Id on the Hugging Face Hub, or the name that its host knows it by."""
    aliases: tuple[str, ...] = ()
    """Other names that a server may know it by."""
    parameters: str
    licence: str
    commercial: bool = True
    """Whether the licence allows commercial use; where it does not, the model is never a default."""
    host: Host | None = None
    """Who offers it as a service with a key; None: it needs a server of its own."""
    here: bool = False
    """Whether this process can run it too; its weights then come from the Hub."""
    thinks: bool = False
    """Whether it thinks before it answers: it gets room to, and is read by its reply instead of by probabilities."""
    server: str | None = None
    """What serves it; None: `vllm serve` with its weights."""
    form: RequestForm
    source: str
    """Page or file that says how it wants to be asked."""
    read: date | None = None
    """When the form was read there; None: it could not be read, and stands here unchecked."""

    @property
    def needs(self) -> str:
        """The server that it needs."""
        return self.server or f"vllm serve {self.weights}"


class LalmTable(Value):
    """The whole table."""

    models: Mapping[str, LalmEntry]


@cache
def read_served_models() -> Mapping[str, LalmEntry]:
    """Read the table: catalogue name -> model."""
    return read_config(FILE, LalmTable).models
