"""Protocol checks of models that others wrote: what breaks the protocol is one line that names the model.

Our own models are checked by mypy; an extension may never have seen it.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from services.errors import ModelError
from services.extensions.error_boundary import contain_errors
from services.types import AudioClip, Choice, Evidence, Focus, Message, Reading, ReadingStyle


class ModelContract(NamedTuple):
    """What a model of a kind has to offer."""

    wrap: "Callable[[Any, str], CheckedModel]"
    """Put a model behind the checks, given what to call it."""
    attributes: Mapping[str, type]
    methods: tuple[str, ...]


def check_opener(opener: Callable[..., Any], kind: str, what: str) -> Callable[..., Any]:
    """Return an opener whose model is checked when it is opened and whenever it is asked.

    Args:
        opener: as a catalogue holds it.
        kind: of the model, as `CONTRACTS` has it; what is of no kind there is opened without a check.
        what: to call it in messages, such as `the captioner 'peak' of 'peak.py'`.
    """

    def open_checked(*arguments: Any) -> Any:  # noqa: ANN401 - what openers take differs
        """Open the model, and check that it has what its protocol asks for."""
        with contain_errors(what):
            model = opener(*arguments)
        contract = CONTRACTS.get(kind)
        return model if contract is None else _check_model(model, contract, what)

    return open_checked


def _check_model(model: object, contract: ModelContract, what: str) -> "CheckedModel":
    for name, expected in contract.attributes.items():
        found = getattr(model, name, None)
        if not isinstance(found, expected):
            problem = f"is {found!r}" if hasattr(model, name) else "is missing"
            raise _make_breach(what, f"{name!r} {problem}; {_word_kind(expected)} is needed.")
    for name in contract.methods:
        if not callable(getattr(model, name, None)):
            raise _make_breach(what, f"it needs a method `async def {name}(…)`.")
    return contract.wrap(model, what)


class CheckedModel:
    """A model of others behind the checks that all kinds share."""

    def __init__(self, model: Any, what: str) -> None:  # noqa: ANN401 - anything until it is checked
        self._model = model
        self._what = what
        self.name: str = model.name
        self.revision: str = model.revision

    async def _ask(self, method: str, *arguments: object) -> Any:  # noqa: ANN401 - the caller checks it
        with contain_errors(self._what):
            awaited = getattr(self._model, method)(*arguments)
            if not inspect.isawaitable(awaited):
                raise self._make_error(method, awaited, f"an awaitable: it has to be `async def {method}`")
            return await awaited

    async def _read(self, method: str, *arguments: object) -> Reading:
        reading: Reading = self._require(method, await self._ask(method, *arguments), Reading)
        return reading

    async def _state(self, method: str, *arguments: object) -> tuple[Evidence, ...]:
        found = await self._ask(method, *arguments)
        if not isinstance(found, tuple | list):
            raise self._make_error(method, found, "a tuple of Evidence")
        return tuple(self._require(method, one, Evidence) for one in found)

    def _require(self, method: str, found: Any, kind: type[Any]) -> Any:  # noqa: ANN401 - checked here
        if not isinstance(found, kind):
            raise self._make_error(method, found, _word_kind(kind))
        return found

    def _make_error(self, method: str, found: object, needed: str) -> ModelError:
        returned = f"{type(found).__name__} {str(found)[:60]!r}"
        return _make_breach(self._what, f"`{method}` returned {returned}, not {needed}.")


class CheckedCaptioner(CheckedModel):
    """A captioner whose statements are checked."""

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:
        """Caption the clip."""
        return await self._state("caption", clip, focus)


class CheckedASR(CheckedModel):
    """An ASR whose transcripts are checked."""

    async def transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        """Transcribe the clip."""
        return await self._state("transcribe", clip)


class CheckedReadingModel(CheckedModel):
    """A model that reads prompts, whose readings are checked."""

    @property
    def style(self) -> ReadingStyle:
        """How the model reads best."""
        style: ReadingStyle = self._model.style
        return style


class CheckedLLM(CheckedReadingModel):
    """An LLM whose readings are checked."""

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        """Reply to a prompt."""
        return await self._read("complete", messages)

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Choose an option."""
        return await self._read("choose", messages, choices)


class CheckedComparer(CheckedLLM):
    """An LLM that compares texts too, as `TextComparer` says."""

    async def compare(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Compare options that the prompt does not list."""
        return await self._read("compare", messages, choices)


def _wrap_llm(model: Any, what: str) -> CheckedLLM:  # noqa: ANN401 - anything until it is checked
    if callable(getattr(model, "compare", None)):
        return CheckedComparer(model, what)
    if model.style.max_lettered is not None:
        raise _make_breach(what, "as its style sets max_lettered, it needs a method `async def compare(…)`.")
    return CheckedLLM(model, what)


class CheckedLALM(CheckedReadingModel):
    """A LALM whose readings are checked."""

    async def listen(self, messages: tuple[Message, ...], clip: AudioClip) -> Reading:
        """Reply to a prompt about the clip."""
        return await self._read("listen", messages, clip)

    async def choose(self, messages: tuple[Message, ...], clip: AudioClip, choices: tuple[Choice, ...]) -> Reading:
        """Choose an option."""
        return await self._read("choose", messages, clip, choices)


class CheckedMultiClipLALM(CheckedLALM):
    """A LALM that hears several recordings too, as `MultiClipLALM` says."""

    async def listen_to_several(self, messages: tuple[Message, ...], clips: tuple[AudioClip, ...]) -> Reading:
        """Reply to a prompt about all of the clips."""
        return await self._read("listen_to_several", messages, clips)

    async def choose_of_several(
        self, messages: tuple[Message, ...], clips: tuple[AudioClip, ...], choices: tuple[Choice, ...]
    ) -> Reading:
        """Choose an option."""
        return await self._read("choose_of_several", messages, clips, choices)


def _wrap_lalm(model: Any, what: str) -> CheckedLALM:  # noqa: ANN401 - anything until it is checked
    if model.style.max_clips == 1:
        return CheckedLALM(model, what)
    for name in ("listen_to_several", "choose_of_several"):
        if not callable(getattr(model, name, None)):
            raise _make_breach(what, f"as its style sets max_clips, it needs a method `async def {name}(…)`.")
    return CheckedMultiClipLALM(model, what)


NAMED = {"name": str, "revision": str}
READS: Mapping[str, type] = {**NAMED, "style": ReadingStyle}
CONTRACTS: Mapping[str, ModelContract] = {
    "captioner": ModelContract(CheckedCaptioner, NAMED, ("caption",)),
    "ASR": ModelContract(CheckedASR, NAMED, ("transcribe",)),
    "LLM": ModelContract(_wrap_llm, READS, ("complete", "choose")),
    "LALM": ModelContract(_wrap_lalm, READS, ("listen", "choose")),
}


def _make_breach(what: str, problem: str) -> ModelError:
    return ModelError(f"{what[:1].upper()}{what[1:]} breaks its protocol: {problem}")


def _word_kind(kind: type) -> str:
    return "a text" if kind is str else f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"
