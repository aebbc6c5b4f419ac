"""Entry point of `serve deploy` and KubeRay: the application that a configuration file describes."""

from pathlib import Path

from ray import serve

from deploy.app import build
from deploy.config import read_serve_config
from services.types import Value


class Arguments(Value):
    """The `args` of the application in Serve's configuration."""

    config: Path
    """Such as deploy/serve.yaml; relative to where Ray was started."""


def application(arguments: Arguments) -> serve.Application:
    """Return the application; `BadConfig` says what cannot be used."""
    return build(read_serve_config(arguments.config))
