"""Shared prefixes and batches change the speed, never the answer. The model is a random Llama made here."""

import asyncio
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from services.cancellation import Cancelled, cancel_when
from services.llms.in_process import InProcessLLM
from services.types import Choice, Message, Sampling

WORDS = [
    "<pad>",
    "</s>",
    "A",
    "B",
    "C",
    "dog",
    "cat",
    "cow",
    "which",
    "barks",
    "heard",
    "loud",
    "soft",
    "the",
    "a",
    "two",
]
CHOICES = tuple(Choice(letter=letter, text=text) for letter, text in zip("ABC", ("dog", "cat", "cow"), strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("llama")
    words = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<pad>"))
    words.pre_tokenizer = Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="</s>")
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }} {% endfor %}"
    tokenizer.save_pretrained(path)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(path)
    return path


def test_a_forward_pass_ends_at_the_layer_after_its_cancellation(folder: Path) -> None:
    llm = InProcessLLM(folder, name="toy")
    ran: list[int] = []
    for number, layer in enumerate(llm._model.base_model.layers):
        layer.register_forward_hook(lambda *_, number=number: ran.append(number))
    with cancel_when(lambda: bool(ran)), pytest.raises(Cancelled):
        llm._compute_logits([(2, 3, 4)])
    assert ran == [0]
    with cancel_when(lambda: False):
        assert llm._compute_logits([(2, 3, 4)]).shape == (1, len(WORDS))


def prompt(*words: str) -> tuple[Message, ...]:
    return (Message(role="user", content=" ".join(words)),)


PROMPTS = [
    prompt("heard", "the", "loud", "dog", "two", "which", "barks"),
    prompt("heard", "the", "loud", "dog", "two", "which", "barks", "the", "cat"),
    prompt("heard", "the", "loud", "dog", "soft"),
    prompt("which"),
]


async def test_batched_prompts_behind_a_shared_prefix_score_like_each_alone(folder: Path) -> None:
    llm = InProcessLLM(folder, name="tiny")
    together = await asyncio.gather(*(llm.choose(one, CHOICES) for one in PROMPTS))
    for one, reading in zip(PROMPTS, together, strict=True):
        ids = llm._tokenizer.encode(one[0].content + " ", add_special_tokens=False)
        with torch.inference_mode():
            logits = llm._model(torch.tensor([ids])).logits[0, -1, [WORDS.index(letter) for letter in "ABC"]]
        alone = dict(zip("ABC", torch.softmax(logits, -1).tolist(), strict=True))
        assert reading.probabilities == pytest.approx(alone, abs=1e-4)
        assert reading.reply == max(alone, key=alone.__getitem__)


@pytest.mark.slow
async def test_a_reply_does_not_depend_on_the_other_requests_of_the_batch(folder: Path) -> None:
    llm = InProcessLLM(folder, name="tiny", sampling=Sampling(max_tokens=40))
    alone = [await llm.complete(one) for one in PROMPTS]
    assert await asyncio.gather(*(llm.complete(one) for one in PROMPTS)) == alone


@pytest.mark.slow
async def test_drawn_replies_repeat_with_their_seed_and_differ_with_another(folder: Path) -> None:
    def opened(seed: int) -> InProcessLLM:
        return InProcessLLM(folder, name="tiny", sampling=Sampling(temperature=1.0, max_tokens=12, seed=seed))

    one, same, other = [[await opened(seed).complete(prompt) for prompt in PROMPTS] for seed in (1, 1, 2)]
    assert one == same
    assert one != other


async def test_a_reply_that_ends_is_finished_and_one_that_is_cut_off_is_not(folder: Path) -> None:
    llm = InProcessLLM(folder, name="tiny", sampling=Sampling(temperature=1.0, max_tokens=12, seed=1))
    readings = await asyncio.gather(*(llm.complete(prompt(*(["dog"] * n))) for n in range(1, 30)))
    assert {reading.is_finished for reading in readings} == {True, False}
    assert all(reading.usage.completion_tokens == 12 for reading in readings if not reading.is_finished)


@pytest.mark.slow
async def test_a_cancelled_reply_ends_early(folder: Path) -> None:
    llm = InProcessLLM(folder, name="tiny", sampling=Sampling(temperature=1.0, max_tokens=100_000, seed=2))
    llm._model.generation_config.eos_token_id = None  # else it might end by itself
    endless = asyncio.create_task(llm.complete(PROMPTS[0]))
    await asyncio.sleep(0.5)
    assert not endless.done()
    endless.cancel()
    llm._sampling = Sampling(max_tokens=2)
    async with asyncio.timeout(10):
        assert (await llm.complete(PROMPTS[0])).usage.completion_tokens == 2
