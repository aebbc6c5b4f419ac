"""A run folder answers: options by likelihood, replies to the end of the turn."""

import asyncio
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch

from lalm.export import hf_folder
from lalm.model import parts
from lalm.model.build import build
from lalm.model.frames import pad_segments
from lalm.model.template import ChatTemplate, PromptClip
from lalm.prompting import AUDIO, insert_audio
from lalm.runtimes.in_process import PRIOR_WEIGHT, SILENCE, InProcessTrainedLALM
from lalm.train import checkpoint, cli, run_files
from services.errors import ModelError, TooLarge
from services.scripted.ears import ScriptedEars
from services.types import SAMPLE_RATE, AudioClip, Choice, Evidence, Message

MakeRun = Callable[..., Path]
MakeClip = Callable[..., AudioClip]
CHOICES = (
    Choice(letter="A", text="A dog."),
    Choice(letter="B", text="A bell number 1."),
    Choice(letter="C", text="Rain"),
)


def asked(text: str) -> tuple[Message, ...]:
    return (Message(role="system", content="You hear."), Message(role="user", content=text))


def words() -> ScriptedEars:
    """Return an ASR that hears the same words in every clip."""
    language = Evidence(kind="language", source="words", revision="1", text="English")
    return ScriptedEars(words=lambda _: (" ring \n it", language), name="words")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the run is kept that the first test trains for all."""
    return tmp_path_factory.mktemp("trained") / "run"


@pytest.fixture
def folder(trained: Path, make_run: MakeRun, tmp_path: Path) -> Path:
    """Return a copy of a trained run, which a test may change."""
    if not trained.is_dir():
        optimizer = {"num_steps": 8, "warmup_steps": 1, "learning_rate": 0.01, "lora_learning_rate": 0.05}
        assert cli.main([str(make_run(optimizer=optimizer)), str(trained)]) == 0
    return Path(shutil.copytree(trained, tmp_path / "run"))


def mean(folder: Path, clip: AudioClip, prompt: tuple[Message, ...], reply: str, words: str = "") -> float:
    """Return the mean log-probability of a token of a reply by a plain forward pass of each token."""
    built = build(run_files.read_config(folder).model, torch.device("cpu"))
    checkpoint.load_weights(built.model, folder)
    model = built.model.eval()
    ids = (
        *built.template.encode_prompt(prompt, [PromptClip(len(built.encoders(clip)), words)]),
        *built.template.encode_reply(reply),
    )
    audio_AH = model.embed_audio(pad_segments(built.encoders(clip)))
    assert audio_AH is not None
    inputs_LH = model.backbone.get_input_embeddings()(torch.tensor(ids).clamp(min=0)).clone()
    for place, token in enumerate(ids):
        if token < 0:
            inputs_LH[place] = audio_AH[-1 - token]
    logprobs_LV = model.backbone(inputs_embeds=inputs_LH[None]).logits[0].log_softmax(-1)
    targets = built.template.encode_reply(reply)
    start = len(ids) - len(targets)
    return sum(logprobs_LV[start + n - 1, token].item() for n, token in enumerate(targets)) / len(targets)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.6, 33.0])
async def test_the_option_that_gains_most_from_what_is_heard_is_chosen(
    folder: Path, make_clip: MakeClip, seconds: float
) -> None:
    lalm, clip = InProcessTrainedLALM(folder, name="test", asr=words()), make_clip(seconds, seed=4)
    reading = await lalm.choose(asked("What is heard?"), clip, CHOICES)
    prompt = (asked("")[0], Message(role="user", content=insert_audio("What is heard?")))
    with torch.no_grad():
        expected = torch.tensor(
            [
                mean(folder, clip, prompt, choice.text, "ring it")
                - PRIOR_WEIGHT * mean(folder, SILENCE, prompt, choice.text)
                for choice in CHOICES
            ]
        )
    assert reading.reply == "ABC"[int(expected.argmax())]
    shares = [reading.probabilities[letter] for letter in "ABC"]
    torch.testing.assert_close(torch.tensor(shares), expected.softmax(-1), rtol=1e-3, atol=1e-4)


@pytest.mark.slow
async def test_questions_that_are_read_together_are_answered_as_alone(folder: Path, make_clip: MakeClip) -> None:
    lalm = InProcessTrainedLALM(folder, name="test", asr=None)
    clips = [make_clip(length, seed=number) for number, length in enumerate((0.5, 31.0, 0.9))]
    together = await asyncio.gather(*(lalm.choose(asked("What barks?"), clip, CHOICES) for clip in clips))
    for clip, reading in zip(clips, together, strict=True):
        alone = await lalm.choose(asked("What barks?"), clip, CHOICES)
        assert alone.probabilities == pytest.approx(reading.probabilities, abs=1e-4)


@pytest.mark.slow
async def test_in_bfloat16_neighbours_change_no_digit(folder: Path, make_clip: MakeClip) -> None:
    config = folder / run_files.CONFIG
    config.write_text(config.read_text().replace("dtype: float32", "dtype: bfloat16"))
    lalm = InProcessTrainedLALM(folder, name="test", asr=None)
    clips = [make_clip(length, seed=number) for number, length in enumerate((0.5, 2.0, 0.9, 1.3))]
    together = await asyncio.gather(*(lalm.choose(asked("What barks?"), clip, CHOICES) for clip in clips))
    alone = [await lalm.choose(asked("What barks?"), clip, CHOICES) for clip in clips]
    assert [one.probabilities for one in together] == [one.probabilities for one in alone]


@pytest.mark.slow
async def test_ruined_weights_give_an_error(folder: Path, make_clip: MakeClip) -> None:
    lalm = InProcessTrainedLALM(folder, name="test", asr=None)
    with torch.no_grad():
        lalm._built.model.connector.queries_KQD.fill_(torch.nan)
    with pytest.raises(ModelError, match="'test' gives no numbers"):
        await lalm.choose(asked("What barks?"), make_clip(0.5), CHOICES)


@pytest.mark.slow
async def test_a_clip_that_exceeds_the_context_is_refused_with_the_longest_that_fits(folder: Path) -> None:
    lalm = InProcessTrainedLALM(folder, name="test", asr=None)
    hour = AudioClip(np.zeros(3600 * SAMPLE_RATE, np.float32))
    with pytest.raises(
        TooLarge, match=r"lasts 3600.0 s; with this question the LALM 'test' hears at most (\d+) s"
    ) as told:
        await lalm.choose(asked("What barks?"), hour, CHOICES)
    longest_s = int(re.findall(r"most (\d+) s", str(told.value))[0])
    fits, exceeds = (AudioClip(hour.samples[: (longest_s + more) * SAMPLE_RATE]) for more in (0, 1))
    assert lalm._encode_asked(asked("What barks?"), fits, ())
    with pytest.raises(TooLarge):
        lalm._encode_asked(asked("What barks?"), exceeds, ())


@pytest.mark.slow
async def test_a_reply_ends_where_the_turn_ends(
    folder: Path, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch, template: ChatTemplate
) -> None:
    lalm = InProcessTrainedLALM(folder, name="test", asr=None)
    planned = [*template.encode_reply("A dog."), *template.encode_reply("More words.")]
    spoken: list[int] = []

    def saying(_: object, __: object, logits: torch.Tensor) -> torch.Tensor:
        said = torch.full_like(logits, -10.0)
        said[..., -1, planned[len(spoken)]] = 10.0
        spoken.append(planned[len(spoken)])
        return said

    lalm._built.model.backbone.get_output_embeddings().register_forward_hook(saying)
    reading = await lalm.listen(asked("What is heard?"), make_clip(0.7))
    assert reading.reply == "A dog."
    assert spoken == list(template.encode_reply("A dog."))


@pytest.mark.slow
async def test_of_a_long_clip_no_more_than_a_segment_is_heard_at_once_and_its_embeddings_are_kept(
    folder: Path, make_clip: MakeClip
) -> None:
    lalm = InProcessTrainedLALM(folder, name="test", asr=None)
    model, lengths = lalm._built.model, []
    model.connector.register_forward_pre_hook(lambda _, given: lengths.append(len(given[0][0].frames_S)))
    clip = make_clip(61.0)
    for question in ("What barks?", "What rings?"):
        await lalm.choose(asked(question), clip, CHOICES)
    assert lengths == [1] * 4  # three of the clip, one of the silence that it is compared with
    with torch.inference_mode():
        whole = model.embed_audio(pad_segments(lalm._built.encoders(clip)))
    lengths.clear()
    torch.testing.assert_close(lalm._embed_clip(clip), whole, rtol=1e-3, atol=1e-4)
    assert not lengths


@pytest.mark.slow
async def test_another_clip_gets_another_reading(folder: Path, make_clip: MakeClip) -> None:
    lalm = InProcessTrainedLALM(folder, name="test", asr=None)
    first, second = [
        (await lalm.choose(asked("What is heard?"), make_clip(0.7, seed=seed), CHOICES)).probabilities
        for seed in (1, 2)
    ]
    assert first != second


@pytest.mark.slow
async def test_the_place_of_a_clip_in_the_text_of_a_question_is_text(folder: Path, make_clip: MakeClip) -> None:
    lalm = InProcessTrainedLALM(folder, name="test", asr=None)
    reading = await lalm.choose(asked(f"What is {AUDIO}?"), make_clip(0.7), CHOICES)
    assert sum(reading.probabilities.values()) == pytest.approx(1)


@pytest.mark.slow
async def test_who_gives_up_stops_the_hearing_between_two_segments(
    folder: Path, make_clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    lalm = InProcessTrainedLALM(folder, name="ours", asr=None)
    segment, heard, begun = lalm._built.encoders.each[0].encode_segment, [], Event()

    def slow(samples: torch.Tensor) -> torch.Tensor:
        heard.append(len(samples))
        begun.set()
        time.sleep(0.1)
        return segment(samples)

    monkeypatch.setattr(lalm._built.encoders.each[0], "encode_segment", slow)
    asking = asyncio.create_task(lalm.choose(asked("Which?"), make_clip(300.0), CHOICES))
    await asyncio.to_thread(begun.wait, 10)
    asking.cancel()
    short = make_clip(1.0)
    async with asyncio.timeout(10):
        assert (await lalm.choose(asked("Which?"), short, CHOICES)).probabilities
    assert len(short.samples) in heard
    assert heard.count(30 * 16_000) < 10  # of ten


@pytest.mark.slow
def test_the_revision_is_that_of_the_weights(folder: Path) -> None:
    before = InProcessTrainedLALM(folder, name="test", asr=None).revision
    assert InProcessTrainedLALM(folder, name="test", asr=None).revision == before
    built = build(run_files.read_config(folder).model, torch.device("cpu"))
    checkpoint.export_weights(built.model, folder, torch.float32)
    assert InProcessTrainedLALM(folder, name="test", asr=None).revision != before


@pytest.fixture
def reader(make_run: MakeRun, tmp_path: Path) -> Path:
    """Return a run whose model reads evidence."""
    path = make_run(model__captioner="acoustic", model__prompt=2, data__evidence="rows", optimizer={"num_steps": 1})
    assert cli.main([str(path), str(tmp_path / "reads")]) == 0
    return tmp_path / "reads"


@pytest.mark.slow
async def test_evidence_stands_behind_the_clip_as_in_training_in_place_of_its_own_transcript(
    reader: Path, make_clip: MakeClip
) -> None:
    lalm = InProcessTrainedLALM(reader, name="ours", asr=words())
    assert lalm.style.takes_evidence
    sound = Evidence(kind="sound", source="ears", revision="1", text="Sounds heard: bell.")
    spoken = Evidence(kind="transcript", source="scribe", revision="1", text="noon")
    clip, prompt = make_clip(0.5), asked("Which?")
    reading = await lalm.choose(prompt, clip, CHOICES, (sound, spoken))
    assert reading.given == (sound, spoken)
    template = lalm._built.template
    full = (*prompt[:1], Message(role="user", content=insert_audio("Which?")))
    given = PromptClip(1, "noon", ("Sounds heard: bell.",))
    expected = len(template.encode_prompt(full, [given])) + len(template.encode_prompt(full, [PromptClip(1)]))
    assert reading.usage.prompt_tokens == expected
    own = await lalm.choose(prompt, clip, CHOICES)
    assert [one.text for one in own.given] == [" ring \n it"]
    assert own.probabilities != reading.probabilities


@pytest.mark.slow
def test_a_run_without_evidence_takes_none(folder: Path) -> None:
    assert not InProcessTrainedLALM(folder, name="ours", asr=None).style.takes_evidence


@pytest.mark.slow
def test_a_run_with_two_encoders_is_opened_with_the_revisions_that_it_names(
    make_run: MakeRun, make_clip: MakeClip, encoder_folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(encoder_folder, tmp_path / "second")
    encoders = [{"source": str(encoder_folder), "pool": 2}, {"source": "second", "layers": [0]}]
    path = make_run(model__encoder=None, model__encoders=encoders, optimizer={"num_steps": 1})
    assert cli.main([str(path), str(tmp_path / "both")]) == 0
    named = run_files.read_config(tmp_path / "both").model.encoders
    assert [one.revision for one in named] == [parts.compute_revision(str(encoder_folder))] * 2
    assert named[1].source == str(tmp_path / "second")
    lalm = InProcessTrainedLALM(tmp_path / "both", name="ours", asr=None)
    reading = asyncio.run(lalm.choose(asked("Which?"), make_clip(0.5), CHOICES))
    assert sum(reading.probabilities.values()) == pytest.approx(1)
    (tmp_path / "second" / "config.json").write_text((tmp_path / "second" / "config.json").read_text() + "\n")
    with pytest.raises(ModelError, match="and the model was trained with"):
        InProcessTrainedLALM(tmp_path / "both", name="ours", asr=None)
    assert hf_folder.main([str(tmp_path / "both"), str(tmp_path / "exported")]) == 2
