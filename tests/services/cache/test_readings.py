"""A prompt is read once by an LLM that always reads it alike; what changes its reading is another entry."""

import asyncio
from pathlib import Path

import pytest

from services.cache.readings import CachedLLM
from services.catalog import SMALL_READER
from services.llms.quantised import QuantisedLLM
from services.request_context import RequestContext, use_context
from services.scripted.llm import BatchingLLM
from services.types import Choice, Message, Reading, ReadingStyle, Sampling, Usage

PROMPT = (Message(role="system", content="Answer."), Message(role="user", content="A secret about a dog"))
CHOICES = (Choice(letter="A", text="cat"), Choice(letter="B", text="dog"))
READING = Reading(reply="B", probabilities={"A": 0.1, "B": 0.9}, usage=Usage(prompt_tokens=7, completion_tokens=1))


async def test_a_new_process_knows_what_an_old_one_read_with_its_tokens(tmp_path: Path) -> None:
    assert await CachedLLM(BatchingLLM(READING), tmp_path).choose(PROMPT, CHOICES) == READING
    llm = BatchingLLM(READING)
    assert await CachedLLM(llm, tmp_path).choose(PROMPT, CHOICES) == READING
    assert llm.batch_sizes == []


@pytest.mark.parametrize(
    ("messages", "choices"),
    [
        ((PROMPT[0], Message(role="user", content="A secret about a dog.")), CHOICES),
        ((PROMPT[0], Message(role="assistant", content=PROMPT[1].content)), CHOICES),
        (PROMPT[1:], CHOICES),
        (PROMPT[::-1], CHOICES),
        (PROMPT, CHOICES[::-1]),
        (PROMPT, CHOICES[:1]),
        (PROMPT, (CHOICES[0], Choice(letter="C", text="dog"))),
        (PROMPT, (CHOICES[0], Choice(letter="B", text="dogs"))),
    ],
)
async def test_another_prompt_or_option_is_read_anew(
    tmp_path: Path, messages: tuple[Message, ...], choices: tuple[Choice, ...]
) -> None:
    llm = BatchingLLM(READING)
    cached = CachedLLM(llm, tmp_path)
    await cached.choose(PROMPT, CHOICES)
    await cached.choose(messages, choices)
    assert llm.batch_sizes == [1, 1]


async def test_each_kind_of_call_is_read_for_itself(tmp_path: Path) -> None:
    llm = BatchingLLM(READING)
    cached = CachedLLM(llm, tmp_path)
    for _ in range(2):
        await cached.complete(PROMPT)
        await cached.choose(PROMPT, ())
        await cached.compare(PROMPT, ())
    assert llm.batch_sizes == [1, 1, 1]


@pytest.mark.parametrize("changed", [{"name": "other"}, {"fingerprint": "2"}])
async def test_another_model_or_revision_reads_anew(tmp_path: Path, changed: dict[str, str]) -> None:
    await CachedLLM(BatchingLLM(READING), tmp_path).complete(PROMPT)
    llm = BatchingLLM(READING, **changed)
    await CachedLLM(llm, tmp_path).complete(PROMPT)
    assert llm.batch_sizes == [1]


async def test_a_damaged_entry_is_read_anew(tmp_path: Path) -> None:
    await CachedLLM(BatchingLLM(READING), tmp_path).complete(PROMPT)
    (file,) = tmp_path.rglob("*.json")
    file.write_text('{"reply": "B", "probabilities": {"A": 0.')
    llm = BatchingLLM(READING)
    assert await CachedLLM(llm, tmp_path).complete(PROMPT) == READING
    assert llm.batch_sizes == [1]
    assert await CachedLLM(BatchingLLM(READING), tmp_path).complete(PROMPT) == READING


async def test_orders_that_are_read_together_stay_one_batch_and_equal_ones_are_read_once(tmp_path: Path) -> None:
    llm = BatchingLLM(READING)
    cached = CachedLLM(llm, tmp_path)
    orders = [CHOICES, CHOICES[::-1], CHOICES[:1], CHOICES[1:], CHOICES]
    await asyncio.gather(*(cached.choose(PROMPT, order) for order in orders))
    assert llm.batch_sizes == [4]


async def test_the_prompt_is_not_stored_and_the_file_is_its_owners(tmp_path: Path) -> None:
    await CachedLLM(BatchingLLM(READING), tmp_path).choose(PROMPT, CHOICES)
    (file,) = tmp_path.rglob("*.json")
    assert "secret" not in f"{file} {file.read_text()}"
    assert Reading.model_validate_json(file.read_text()) == READING
    assert file.stat().st_mode & 0o077 == 0


async def test_one_keys_readings_are_new_to_another(tmp_path: Path) -> None:
    llm = BatchingLLM(READING)
    cached = CachedLLM(llm, tmp_path)
    results = []
    for tenant in ("alice", "bob", "alice"):
        with use_context(RequestContext(tenant=tenant)) as call:
            await cached.complete(PROMPT)
        results += call.lookups
    assert results == [("readings", "miss"), ("readings", "miss"), ("readings", "hit")]


async def test_an_embedded_llm_is_not_opened_for_what_is_in_the_cache(tmp_path: Path) -> None:
    def open_absent(*, revision: str = "1", style: ReadingStyle = SMALL_READER, seed: int = 0) -> QuantisedLLM:
        return QuantisedLLM(
            tmp_path / "absent", name="toy", revision=revision, style=style, sampling=Sampling(seed=seed)
        )

    llm = BatchingLLM(READING, name="toy", fingerprint=open_absent().fingerprint)
    await CachedLLM(llm, tmp_path).choose(PROMPT, CHOICES)
    assert await CachedLLM(open_absent(), tmp_path).choose(PROMPT, CHOICES) == READING
    for other in (open_absent(revision="2"), open_absent(style=ReadingStyle(scores="texts")), open_absent(seed=1)):
        with pytest.raises(RuntimeError, match="absent"):  # which says that it would have been opened
            await CachedLLM(other, tmp_path).choose(PROMPT, CHOICES)
