"""Parameters of OpenAI's, vLLM's and other clients that change nothing here: ignored ones, and those passed on.

Options are scored and open questions answered with what is likeliest, so that nothing is sampled, unless a model on a
server can be asked to write an open reply otherwise (`PASSED_ON`). What would ask for anything else is ignored with a
warning, or refused where `limits.strict_parameters` is set.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError

from services.errors import Unsupported
from services.http.forms import LEAVE_OUT, make_bad_request, make_parameter_error
from services.request_context import ReplyOptions

OWN = ("choices", "explain", "reply")  # fields of our own, which change the answer: a misspelt one is not ignored
NEUTRAL: tuple[object, ...] = (None, False, 0, "", [], {}, ())
ALSO_NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "add_generation_prompt": (True,),
    "best_of": (1,),
    "encoding_format": ("float",),
    "length_penalty": (1,),
    "modalities": (["text"], ("text",)),
    "n": (1,),
    "parallel_tool_calls": (True,),
    "reasoning_effort": ("none",),
    "repetition_penalty": (1,),
    "service_tier": ("auto", "default"),
    "skip_special_tokens": (True,),
    "spaces_between_special_tokens": (True,),
    "temperature": (1,),
    "tool_choice": ("none", "auto"),
    "function_call": ("none", "auto"),
    "top_k": (-1,),
    "top_p": (1,),
    "truncation": ("disabled", "auto"),
    "verbosity": ("medium",),
}
"""Parameter -> its values, beside those of `NEUTRAL`, that ask for nothing."""
WITHOUT_EFFECT = frozenset(
    {
        "add_special_tokens",
        "cache_salt",
        "include_stop_str_in_output",
        "metadata",
        "prediction",
        "priority",
        "prompt_cache_key",
        "prompt_cache_retention",
        "request_id",
        "return_tokens_as_token_ids",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
    }
)
"""Parameters that change no answer anywhere, whatever their value."""


PASSED_ON = ("temperature", "top_p", "stop", "seed")
"""Parameters that are passed on to a model that writes an open reply."""


def read_reply_options(request: BaseModel, asked: Sequence[str]) -> ReplyOptions | None:
    """Return how an open reply is to be written; None where nothing of it is among what is `asked` for."""
    given = {name: getattr(request, name, None) for name in PASSED_ON if name in asked}
    stop = given.get("stop")
    if isinstance(stop, str):
        given["stop"] = [stop]
    try:
        return ReplyOptions.model_validate(given) if given else None
    except ValidationError as error:
        raise make_bad_request(error) from None


def list_ignored(request: BaseModel, supported: frozenset[str], fields: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the parameters of a request that ask for what is not done.

    Args:
        request: the body; it may hold fields of any name.
        supported: its parameters that change the answer.
        fields: further fields inside of its parts, which are not known.
    """
    given = {name: getattr(request, name) for name in type(request).model_fields} | (request.model_extra or {})
    names = [name for name, value in given.items() if name not in supported and _asks(name, value)]
    for name in request.model_extra or {}:
        if get_close_matches(name.lower(), OWN, 1, cutoff=0.8):
            raise make_parameter_error(name)
    return (*names, *fields)


def _asks(name: str, value: object) -> bool:
    """Say whether a parameter asks for anything."""
    return name not in WITHOUT_EFFECT and value not in NEUTRAL and value not in ALSO_NEUTRAL.get(name, ())


def warn_of(ignored: Sequence[str], *, is_open: bool, is_strict: bool) -> Iterator[str]:
    """Yield what is to be said of parameters that are ignored; refuse the first where that is asked for."""
    if ignored and is_strict:
        raise Unsupported(f"{ignored[0]}: {LEAVE_OUT}.", param=ignored[0])
    if ignored:
        why = "the likeliest reply is given" if is_open else "options are scored, and no reply is sampled"
        yield f"Ignored, because {why}: {', '.join(ignored)}."
