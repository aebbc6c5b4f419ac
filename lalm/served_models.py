"""Catalogue of served LALMs: request form and limits, licence, and the page that the form was read from."""

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
    """A LALM of others, and the requests that its server takes."""

    weights: str
    """Id on the Hugging Face Hub, or the name that its host knows it by."""
    aliases: tuple[str, ...] = ()
    """Other names that a server may know it by."""
    parameters: str
    licence: str
    commercial: bool = True
    """Whether the licence allows commercial use; where it does not, the model is never a default."""
    host: Host | None = None
    """Hosted service that has it, with an API key; None: it needs a server of its own."""
    runs_in_process: bool = False
    """Whether this process can run it too; its weights are then downloaded from the Hub."""
    thinks: bool = False
    """Whether it reasons before it answers: it gets more tokens, and its reply is read instead of probabilities."""
    server: str | None = None
    """What serves it; None: `vllm serve` with its weights."""
    form: RequestForm
    source: str
    """Page or file that documents the request form."""
    read_on: date | None = None
    """Date on which the form was read there; None: unchecked, as the page could not be read."""

    @property
    def needs(self) -> str:
        """The server that it needs, for messages."""
        return self.server or f"vllm serve {self.weights}"


class LalmTable(Value):
    """Contents of `served_models.yaml`."""

    models: Mapping[str, LalmEntry]


@cache
def read_served_models() -> Mapping[str, LalmEntry]:
    """Read the table: catalogue name -> model; read once."""
    return read_config(FILE, LalmTable).models
