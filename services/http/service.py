"""What the gateway stands in front of, and the errors it may raise."""

from typing import Protocol

from services.protocols import ASR, Answerer


class Service(Protocol):
    """Models that answer, by name.

    Names are `cascade/<llm>`, `text/<llm>`, `lalm/<name>`, `auto` and `both`; the bare path names `cascade`, `text`
    and `lalm` mean the first of their kind.
    """

    async def missing(self) -> tuple[str, ...]:
        """Return the deployments whose models do not answer (yet); empty when all is ready."""

    async def models(self) -> tuple[str, ...]:
        """Return the names that can be answered now, the default first."""

    async def answerer(self, name: str | None) -> Answerer:
        """Return the way of that name, the default for None; `both` is no single way.

        Raises `UnknownName` for a name that does not exist and `ModelError` while models load.
        """

    async def arms(self) -> tuple[str, str]:
        """Return the two names that `both` asks, the cascade first; `ModelError` where there is no LALM."""

    async def asr(self) -> ASR:
        """Return the recogniser that transcribes; `ModelError` while it loads."""

    def needs_clip(self, name: str | None) -> bool:
        """Say whether that way needs a clip."""
