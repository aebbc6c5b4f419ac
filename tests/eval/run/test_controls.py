from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from agents.models import LocalModels, ModelNames
from eval.benchmarks.benchmark import Benchmark, Item
from eval.run.controls import CONTROLS, ROTATION, ControlSampling, SilencedAnswerer
from eval.run.plan import Plan, plan_run
from eval.store.records import RunOptions
from services.errors import BadConfig
from services.scripted.service import ScriptedAnswerer
from services.types import Answer, AudioClip

DRAW = ControlSampling(seed=3, num_probed=4)
NUM_ITEMS = 12


def item(number: int) -> Item:
    choices = ("a bell", "a dog", "a very long violin", "rain")
    return Item(
        id=f"i{number}",
        audio=f"{number // 2}.wav",
        question=f"What is heard in {number}?",
        choices=choices,
        answer=choices[number % 4],
        task="sound",
    )


def plan(path: str = "cascade", **options: str) -> Plan:
    benchmark = Benchmark(
        name="tiny",
        file=Path("tiny.json"),
        sha256="0",
        audio_root=Path(),
        items=tuple(item(number) for number in range(NUM_ITEMS)),
    )
    names = {"llm": "quick", "captioner": "acoustic", "asr": "whisper-base"} if path == "cascade" else {"llm": "quick"}
    return plan_run(benchmark, RunOptions.model_validate({"benchmark": "tiny", "path": path} | names | options))


def test_no_audio_asks_the_same_llm_and_items_over_the_text_path() -> None:
    control = CONTROLS["no-audio"](plan(), DRAW)
    assert (control.options.path, control.options.llm, control.options.captioner) == ("text", "quick", None)
    assert not control.hears
    assert control.benchmark.items == plan().benchmark.items


def test_transcript_only_keeps_the_recogniser_and_takes_the_captioner_away() -> None:
    control = CONTROLS["transcript-only"](plan(), DRAW)
    assert (control.options.captioner, control.options.asr) == ("transcript", "whisper-base")
    assert control.hears


def test_shuffled_captions_gives_every_item_another_clip_and_no_clip_to_two() -> None:
    before, after = plan().benchmark.items, CONTROLS["shuffled-captions"](plan(), DRAW).benchmark.items
    swapped = {(a.audio, b.audio) for a, b in zip(before, after, strict=True)}
    assert all(old != new for old, new in swapped)
    assert len(swapped) == len({old for old, _ in swapped}) == len({new for _, new in swapped}) == 6
    assert [a.model_copy(update={"audio": ""}) for a in before] == [b.model_copy(update={"audio": ""}) for b in after]


def ask_about(*recordings: str) -> Plan:
    """Plan questions about several recordings each, which a text names by letters."""
    asked = plan()
    items = tuple(
        item(number).model_copy(update={"id": f"{number}", "audio": tuple(names)})
        for number, names in enumerate(recordings)
    )
    return asked._replace(benchmark=asked.benchmark.model_copy(update={"items": items}))


@pytest.mark.parametrize("seed", range(8))
def test_a_question_about_several_recordings_hears_none_of_its_own(seed: int) -> None:
    asked = ("ab", "bc", "d", "abc", "aa")
    heard = CONTROLS["swapped-audio"](ask_about(*asked), ControlSampling(seed, None)).benchmark.items
    assert not any(set(own) & set(one.audio) for own, one in zip(asked, heard, strict=True))
    assert [len(one.audio) for one in heard] == [2, 2, 1, 3, 2]
    assert len(set(heard[0].audio)) == 2, "two others are left, and it gets both"
    assert heard[3].audio == ("d", "d", "d")
    assert len(set(heard[4].audio)) == 1, "the same recording twice stays one twice"


def test_a_question_about_every_recording_has_none_of_others() -> None:
    with pytest.raises(BadConfig, match="'0' is about every clip there is"):
        CONTROLS["swapped-audio"](ask_about("ab", "b"), ControlSampling(0, None))


@pytest.mark.parametrize("seed", range(4))
def test_a_missing_clip_is_given_to_no_other_question(tmp_path: Path, seed: int) -> None:
    asked = ask_about("a", "b", "c", "d")
    for name in "abd":
        (tmp_path / name).touch()
    asked = asked._replace(benchmark=asked.benchmark.model_copy(update={"audio_root": tmp_path}))
    heard = CONTROLS["swapped-audio"](asked, ControlSampling(seed, None, skips_missing=True)).benchmark.items
    assert [one.audio for one in heard][2] == ("c",), "it fails in the run, and so it does here"
    assert {name for one in heard if one.id != "2" for name in one.audio} == {"a", "b", "d"}
    assert all(one.audio != (own,) for own, one in zip("ab", heard, strict=False))


def test_one_clip_cannot_be_swapped() -> None:
    alone = plan()
    benchmark = alone.benchmark.model_copy(update={"items": alone.benchmark.items[:2]})
    with pytest.raises(BadConfig, match="about one clip"):
        CONTROLS["shuffled-captions"](alone._replace(benchmark=benchmark), DRAW)


def test_shuffled_options_permutes_each_item_by_seed_and_id_alone() -> None:
    shuffled = CONTROLS["shuffled-options"](plan(), DRAW).benchmark.items
    assert all(Counter(one.choices) == Counter(item(0).choices) for one in shuffled)
    assert len({one.choices for one in shuffled}) > 3
    only_last = plan().benchmark.model_copy(update={"items": (item(NUM_ITEMS - 1),)})
    (alone,) = CONTROLS["shuffled-options"](plan()._replace(benchmark=only_last), DRAW).benchmark.items
    assert alone == shuffled[-1]
    assert CONTROLS["shuffled-options"](plan(), ControlSampling(4, 1)).benchmark.items != shuffled


def test_circular_asks_every_rotation_once() -> None:
    rotated = CONTROLS["circular"](plan(), DRAW).benchmark.items
    of_first = [one for one in rotated if one.id.startswith(f"i0{ROTATION}")]
    assert len(rotated) == 4 * NUM_ITEMS
    assert {one.choices[0] for one in of_first} == set(item(0).choices)
    assert all(
        one.choices[(n := one.choices.index("a bell")) :] + one.choices[:n] == item(0).choices for one in of_first
    )


@pytest.mark.parametrize(("control", "chosen"), [("constant-first", "a bell"), ("longest", "a very long violin")])
async def test_rules_ask_no_model_and_hear_nothing(control: str, chosen: str) -> None:
    ruled = CONTROLS[control](plan(), DRAW)
    models = LocalModels(ModelNames())
    answer = await ruled.build(models).answer(item(2).to_question(), None)
    assert answer.choice is not None
    assert answer.choice.text == chosen
    assert (models.opened, ruled.hears, ruled.options.llm) == ({}, False, None)


@pytest.mark.parametrize("control", ["swapped-audio", "silent-audio"])
def test_probes_ask_a_seeded_few(control: str) -> None:
    few = CONTROLS[control](plan(), DRAW).benchmark.items
    ids = [one.id for one in few]
    assert len(ids) == 4
    assert ids == [one.id for one in CONTROLS[control](plan(), DRAW).benchmark.items]
    assert ids == sorted(ids, key=lambda name: int(name[1:]))
    assert len(CONTROLS[control](plan(), ControlSampling(3, 100)).benchmark.items) == NUM_ITEMS


def test_all_items_are_probed_where_that_is_asked_and_silence_on_path_lalm_always_asks_all() -> None:
    assert len(CONTROLS["swapped-audio"](plan(), ControlSampling(3, None)).benchmark.items) == NUM_ITEMS
    heard = plan()._replace(options=plan().options.model_copy(update={"path": "lalm"}))
    assert len(CONTROLS["silent-audio"](heard, DRAW).benchmark.items) == NUM_ITEMS


async def test_silence_is_as_long_as_the_clip() -> None:
    listener = ScriptedAnswerer(lambda *_: Answer(question_id="", reply="", choice=None, path="cascade"))
    await SilencedAnswerer(listener).answer(item(0).to_question(), AudioClip(np.ones(1600, np.float32)))
    (heard,) = listener.clips
    assert heard is not None and (heard.samples == np.zeros(1600)).all()


@pytest.mark.parametrize(
    "control", ["no-audio", "transcript-only", "shuffled-captions", "swapped-audio", "silent-audio"]
)
def test_controls_of_what_is_heard_are_refused_where_nothing_is(control: str) -> None:
    with pytest.raises(BadConfig, match=control):
        CONTROLS[control](plan("text"), DRAW)


def test_a_service_has_chosen_its_captioner() -> None:
    with pytest.raises(BadConfig, match="--server has chosen"):
        CONTROLS["transcript-only"](plan(server="http://127.0.0.1:1"), DRAW)
