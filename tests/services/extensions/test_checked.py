"""What breaks a protocol is one line that names the model, and what would be right."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from services.errors import BadAudio, ModelError
from services.extensions.checked import check_opener
from services.protocols import MultiClipLALM, TextComparer
from services.types import AudioClip, Evidence, Message, Reading, ReadingStyle

CLIP = AudioClip(np.zeros(16_000, np.float32))
STATED = Evidence(kind="sound", source="mine", revision="1", text="A bell.")
PROMPT = (Message(role="user", content="What is heard?"),)


async def give_found(self: Any, *_: object) -> object:  # noqa: ANN401 - a model of any kind
    return self.found


METHODS = ("caption", "complete", "choose")
FINE = {"name": "mine", "revision": "1", "style": ReadingStyle(), "found": (STATED,)} | dict.fromkeys(
    METHODS, give_found
)


def opened(kind: str = "captioner", **changed: object) -> Any:  # noqa: ANN401 - what the kind has
    model = type("Mine", (), FINE | changed)
    return check_opener(model, kind, f"the {kind} 'mine' of 'mine.py'")()


async def test_a_model_that_keeps_the_protocol_is_asked_as_it_is() -> None:
    captioner = opened()
    assert (captioner.name, captioner.revision) == ("mine", "1")
    assert await captioner.caption(CLIP) == (STATED,)


async def test_a_list_of_statements_is_taken_as_well() -> None:
    assert await opened(found=[STATED]).caption(CLIP) == (STATED,)


@pytest.mark.parametrize(
    ("found", "named"),
    [
        ("A bell.", "`caption` returned str 'A bell.', not a tuple of Evidence."),
        (("A bell.",), "`caption` returned str 'A bell.', not an Evidence."),
        (None, "`caption` returned NoneType 'None', not a tuple of Evidence."),
    ],
)
async def test_statements_of_another_type_are_named(found: object, named: str) -> None:
    with pytest.raises(ModelError) as raised:
        await opened(found=found).caption(CLIP)
    assert str(raised.value) == f"The captioner 'mine' of 'mine.py' breaks its protocol: {named}"


async def test_a_reading_of_another_type_is_named() -> None:
    with pytest.raises(ModelError, match="`complete` returned str 'A', not a Reading"):
        await opened("LLM", found="A").complete(PROMPT)
    assert (await opened("LLM", found=Reading(reply="A")).choose(PROMPT, ())).reply == "A"


async def test_an_llm_that_compares_texts_is_asked_to() -> None:
    style = ReadingStyle(max_lettered=4)
    llm = opened("LLM", found=Reading(reply="A"), style=style, compare=give_found)
    assert isinstance(llm, TextComparer)
    assert (await llm.compare(PROMPT, ())).reply == "A"
    assert not isinstance(opened("LLM"), TextComparer)
    with pytest.raises(ModelError, match=r"as its style sets max_lettered, it needs a method `async def compare"):
        opened("LLM", style=style)


async def test_a_lalm_that_hears_several_recordings_is_asked_about_them() -> None:
    style, found = ReadingStyle(max_clips=2), Reading(reply="A")
    several = {"listen_to_several": give_found, "choose_of_several": give_found}
    lalm = opened("LALM", found=found, style=style, listen=give_found, **several)
    assert isinstance(lalm, MultiClipLALM)
    assert (await lalm.listen_to_several(PROMPT, ())).reply == "A"
    assert (await lalm.choose_of_several(PROMPT, (), ())).reply == "A"
    with pytest.raises(
        ModelError, match=r"as its style sets max_clips, it needs a method `async def listen_to_several"
    ):
        opened("LALM", style=style, listen=give_found)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"revision": 2}, "'revision' is 2; a text is needed."),
        ({"name": None}, "'name' is None; a text is needed."),
        ({"caption": None}, "it needs a method `async def caption(…)`."),
    ],
)
def test_what_is_missing_is_named_when_it_is_opened(changed: dict[str, object], named: str) -> None:
    with pytest.raises(ModelError) as raised:
        opened(**changed)
    assert str(raised.value) == f"The captioner 'mine' of 'mine.py' breaks its protocol: {named}"


def test_an_attribute_that_is_not_there_is_named() -> None:
    class Nothing:
        pass

    with pytest.raises(ModelError, match="'name' is missing; a text is needed"):
        check_opener(Nothing, "captioner", "the captioner 'mine'")()


async def test_a_method_that_is_not_a_coroutine_is_named() -> None:
    with pytest.raises(ModelError, match="an awaitable: it has to be `async def caption`"):
        await opened(caption=lambda self, clip, focus=None: (STATED,)).caption(CLIP)


async def test_an_error_is_one_line_with_the_place_where_it_was_raised() -> None:
    def fail(*_: object) -> None:
        raise KeyError("bell")

    with pytest.raises(ModelError) as raised:
        await opened(caption=fail).caption(CLIP)
    assert str(raised.value).startswith(
        "The captioner 'mine' of 'mine.py' failed: KeyError: 'bell' (test_checked.py, line "
    )
    assert isinstance(raised.value.__cause__, KeyError)


def test_an_error_while_it_is_opened_names_it() -> None:
    def fail() -> None:
        raise OSError("no weights")

    with pytest.raises(
        ModelError, match=r"The captioner 'mine' failed: OSError: no weights \(test_checked.py, line \d+\)"
    ):
        check_opener(fail, "captioner", "the captioner 'mine'")()


async def test_an_error_that_the_user_can_mend_stays_as_it_is() -> None:
    def refuse(*_: object) -> None:
        raise BadAudio("Too quiet.")

    with pytest.raises(BadAudio, match="Too quiet"):
        await opened(caption=refuse).caption(CLIP)


@pytest.mark.parametrize(("kind", "method"), [("ASR", "transcribe"), ("LALM", "listen")])
def test_every_kind_has_its_methods(kind: str, method: str) -> None:
    build: Callable[[], object] = check_opener(type("Mine", (), FINE), kind, f"the {kind} 'mine'")
    with pytest.raises(ModelError, match=f"async def {method}"):
        build()
