"""The service behind the gateway: models that answer, by name, and the errors that they may raise."""

from typing import Protocol

from services.protocols import ASR, Answerer, Captioner


class Service(Protocol):
    """Models that answer, by name.

    Names are `cascade/<llm>`, `text/<llm>`, `lalm/<name>`, `auto` and `both`; the bare path names `cascade`, `text`
    and `lalm` mean the first of their kind.
    """

    async def list_missing(self) -> tuple[str, ...]:
        """Return the deployments whose models do not answer (yet); empty when all are ready."""

    async def list_models(self) -> tuple[str, ...]:
        """Return the models that can answer now, the default first."""

    def resolve(self, name: str | None) -> str | None:
        """Return the name that an alias stands for, and any other name as it is."""

    async def find_answerer(self, name: str | None) -> Answerer:
        """Return the answerer of that name, the default for None; `both` is not a single one.

        Raises `UnknownName` for a name that does not exist and `ModelError` while models load.
        """

    async def list_arms(self) -> tuple[str, str]:
        """Return the two names that `both` asks, the cascade first; `ModelError` where there is no LALM."""

    async def find_asr(self) -> ASR:
        """Return the ASR; `ModelError` while it loads."""

    async def find_captioner(self) -> Captioner:
        """Return the captioner; `ModelError` while it loads."""

    async def takes_reply_options(self, name: str | None) -> bool:
        """Say whether open replies of that name are written as a request asks (temperature and the like)."""

    def needs_clip(self, name: str | None) -> bool:
        """Say whether that model needs a clip."""
