"""Questions in text, with and without a recording and the adapters: each way is what it says."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from lalm.model.build import build
from lalm.model.template import PromptClip
from lalm.probing.opened import OpenedRun, open_run
from lalm.probing.text_scores import BARE, HEARING, ONLY_ADAPTERS, ONLY_TOKENS, TextScorer
from lalm.prompting import AUDIO, format_prompt, insert_audio
from lalm.train import checkpoint
from lalm.train.config import TrainConfig
from services import yaml_file
from services.errors import TooLarge
from services.types import AudioClip, Message, Question

ASKED = Question.ask("What barks?", ("A dog.", "A bell rings"))


@pytest.mark.slow
def test_bare_is_the_backbone_as_transformers_opens_it(opened: OpenedRun, make_clip: Callable[..., AudioClip]) -> None:
    template = opened.built.template
    prompt = template.encode_prompt([Message(role="user", content=format_prompt(ASKED, lists_options=False))], [])
    plain = AutoModelForCausalLM.from_pretrained(opened.config.backbone)
    expected = []
    for choice in ASKED.choices:
        reply = template.encode_reply(choice.text)
        with torch.inference_mode():
            logits = plain(torch.tensor([prompt + reply])).logits[0, len(prompt) - 1 : -1]
        expected.append(logits.log_softmax(-1)[range(len(reply)), list(reply)].mean().item())
    assert TextScorer(opened).score(ASKED, make_clip(0.5), BARE) == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
def test_the_four_ways_differ_and_only_what_hears_depends_on_the_recording(
    opened: OpenedRun, make_clip: Callable[..., AudioClip]
) -> None:
    scorer = TextScorer(opened)
    assert scorer.conditions == (BARE, HEARING, ONLY_TOKENS, ONLY_ADAPTERS)
    one, other = ({c: scorer.score(ASKED, make_clip(0.5, seed), c) for c in scorer.conditions} for seed in (1, 2))
    assert len({scores[0] for scores in one.values()}) == 4
    assert [one[c] == other[c] for c in scorer.conditions] == [True, False, False, True]


@pytest.mark.slow
def test_a_model_without_adapters_has_two_ways(
    make_run: Callable[..., Path], tmp_path: Path, make_clip: Callable[..., AudioClip]
) -> None:
    config = yaml_file.read_config(make_run(model__lora=None), TrainConfig)
    checkpoint.open_run(tmp_path / "run", config)
    checkpoint.export_weights(build(config.model, torch.device("cpu")).model, tmp_path / "run", torch.float32)
    scorer = TextScorer(open_run(tmp_path / "run", "no-lora"))
    assert scorer.conditions == (BARE, ONLY_TOKENS)
    assert scorer.score(ASKED, make_clip(0.5), BARE) != scorer.score(ASKED, make_clip(0.5), ONLY_TOKENS)


@pytest.mark.slow
def test_a_recording_that_leaves_no_room_is_named(opened: OpenedRun, make_clip: Callable[..., AudioClip]) -> None:
    asked = Question.ask("What barks?", ("A dog", "A bell that rings in the tower of a church"))
    scorer, config = TextScorer(opened), opened.built.model.backbone.config
    config.max_position_embeddings = 30
    with pytest.raises(TooLarge, match="the backbone of 'made-up' reads at most 30: name a shorter --recording") as one:
        scorer.score(asked, make_clip(0.5), HEARING)
    needed = int(str(one.value).split(" takes ")[1].split()[0])
    replies = [len(opened.built.template.encode_reply(choice.text)) for choice in asked.choices]
    content = insert_audio(format_prompt(asked, lists_options=False).replace(AUDIO, ""))
    prompt = opened.built.template.encode_prompt([Message(role="user", content=content)], [PromptClip(1)])
    assert needed == len(prompt) + max(replies) > len(prompt) + min(replies)
    config.max_position_embeddings = needed
    assert scorer.score(asked, make_clip(0.5), HEARING)
