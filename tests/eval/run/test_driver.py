import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eval.benchmarks.benchmark import Benchmark, Item
from eval.run import clips
from eval.run.driver import Driver
from eval.store.records import Prediction
from services.cache.perception import CachedCaptioner
from services.errors import BadAudio, ModelError
from services.protocols import Answerer
from services.scripted.ears import ScriptedEars
from services.scripted.service import ScriptedAnswerer
from services.types import Answer, AudioClip, Choice, Question

Reply = Callable[[Question], Answer]


def items(*audio: str) -> tuple[Item, ...]:
    return tuple(
        Item(id=str(number), audio=name, question="?", choices=("Man", "Woman"), answer="Woman", task="speech")
        for number, name in enumerate(audio)
    )


def benchmark_of(*audio: str) -> Benchmark:
    return Benchmark(name="tiny", file=Path("tiny.json"), sha256="0", audio_root=Path("clips"), items=items(*audio))


def answer_of(question: Question, choice: Choice | None, reply: str = "") -> Answer:
    return Answer(question_id=question.id, reply=reply, choice=choice, path="text")


def answer_by(reply: Reply, *, latency_s: float = 0.0) -> ScriptedAnswerer:
    return ScriptedAnswerer(lambda question, clip: reply(question), latency_s=latency_s)


async def drive(answerer: Answerer, benchmark: Benchmark, concurrency: int, *, hears: bool = False) -> list[Prediction]:
    predictions: list[Prediction] = []
    await Driver(answerer, benchmark, hears=hears).ask(benchmark.items, concurrency, predictions.append)
    return predictions


async def test_at_most_n_items_are_in_flight_and_each_is_asked_once() -> None:
    answerer = answer_by(lambda question: answer_of(question, question.choices[1]), latency_s=0.002)
    predictions = await drive(answerer, benchmark_of(*"abcdefghij" * 5), concurrency=7)
    assert answerer.most_running == 7
    assert sorted((question.id for question in answerer.questions), key=int) == [str(number) for number in range(50)]
    assert sum(prediction.correct_strict for prediction in predictions) == 50


async def test_there_are_no_more_workers_than_items() -> None:
    answerer = answer_by(lambda question: answer_of(question, question.choices[1]), latency_s=0.002)
    others = len(asyncio.all_tasks())
    asked = asyncio.create_task(drive(answerer, benchmark_of(*"ab"), concurrency=100_000))
    await asyncio.sleep(0.001)
    assert len(asyncio.all_tasks()) - others <= 3  # one for each item, and this run
    assert len(await asked) == 2


async def test_a_failing_item_is_recorded_and_stops_nothing() -> None:
    def reply(question: Question) -> Answer:
        if question.id == "1":
            raise ModelError("The server is gone.")
        if question.id == "2":
            raise ZeroDivisionError("a bug of ours")
        return answer_of(question, question.choices[0], "Man")

    predictions = {prediction.id: prediction for prediction in await drive(answer_by(reply), benchmark_of(*"abcd"), 2)}
    assert len(predictions) == 4
    assert predictions["1"].failed == "The server is gone."
    assert "Traceback" in str(predictions["2"].failed)
    assert "ZeroDivisionError: a bug of ours" in str(predictions["2"].failed)
    for failed in (predictions["1"], predictions["2"]):
        assert not failed.correct_strict
        assert not failed.unread
        assert failed.response is None
    assert predictions["0"].failed is None


async def test_an_unread_reply_is_wrong_and_says_so() -> None:
    answerer = answer_by(lambda question: answer_of(question, None, "A woman or a man"))
    (prediction,) = await drive(answerer, benchmark_of("a"), 1)
    assert (prediction.unread, prediction.correct_strict, prediction.failed) == (True, False, None)
    assert (prediction.model_output, prediction.model_prediction) == ("A woman or a man", "A woman or a man")


async def test_a_duplicated_right_option_is_right_under_either_letter() -> None:
    item = Item(id="1", audio="a", question="?", choices=("ten", "six", "ten"), answer="ten", task="music")
    benchmark = benchmark_of("a").model_copy(update={"items": (item,)})
    answerer = answer_by(lambda question: answer_of(question, question.choices[2]))
    (prediction,) = await drive(answerer, benchmark, 1)
    assert prediction.correct_strict


async def test_each_clip_is_decoded_once_and_held_only_while_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[str] = []

    def load(path: Path) -> AudioClip:
        decoded.append(path.name)
        return AudioClip(np.full(1600, len(decoded) / 100, np.float32))

    monkeypatch.setattr(clips, "load", load)
    answerer = answer_by(lambda question: answer_of(question, None), latency_s=0.001)
    benchmark = benchmark_of(*"abcabcabcabc")
    await drive(answerer, benchmark, concurrency=2, hears=True)
    assert decoded == ["a", "b", "c"]
    assert [question.id for question in answerer.questions] == [
        "0",
        "3",
        "6",
        "9",
        "1",
        "4",
        "7",
        "10",
        "2",
        "5",
        "8",
        "11",
    ]
    assert len({clip.sha256 for clip in answerer.clips if clip}) == 3


async def test_a_clip_that_cannot_be_decoded_fails_all_its_items_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(path: Path) -> AudioClip:
        if path.name == "b":
            raise BadAudio("'b' is empty (0 bytes).")
        return AudioClip(np.zeros(1600, np.float32))

    monkeypatch.setattr(clips, "load", load)
    answerer = answer_by(lambda question: answer_of(question, None))
    predictions = await drive(answerer, benchmark_of(*"abab"), 4, hears=True)
    assert {prediction.id: prediction.failed for prediction in predictions} == {
        "0": None,
        "1": "'b' is empty (0 bytes).",
        "2": None,
        "3": "'b' is empty (0 bytes).",
    }


async def test_what_came_out_of_the_perception_cache_is_counted(tmp_path: Path) -> None:
    captioner = CachedCaptioner(ScriptedEars(), tmp_path)

    async def caption(question: Question, clip: AudioClip | None) -> Answer:
        await captioner.caption(AudioClip(np.zeros(16_000, dtype=np.float32)))
        return answer_of(question, question.choices[0])

    predictions = await drive(ScriptedAnswerer(caption), benchmark_of("a", "a", "b"), concurrency=1)
    assert [one.num_cached for one in predictions] == [0, 1, 1]


async def test_the_clock_goes_on_from_earlier_sessions() -> None:
    predictions: list[Prediction] = []
    benchmark = benchmark_of("a")
    answerer = answer_by(lambda question: answer_of(question, None), latency_s=0.01)
    driver = Driver(answerer, benchmark, hears=False, clock_s=100.0)
    await driver.ask(benchmark.items, 1, predictions.append)
    assert 100.0 < predictions[0].clock_s < 101.0
    assert predictions[0].took_s < 1.0


async def test_an_item_about_several_clips_is_asked_about_all_and_each_is_decoded_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded: list[str] = []

    def decode(path: Path) -> AudioClip:
        decoded.append(path.name)
        if path.name == "broken":
            raise BadAudio(f"{path.name!r} is damaged.")
        return AudioClip(np.full(16_000, len(path.name) / 10, np.float32))

    monkeypatch.setattr(clips, "load", decode)
    answerer = answer_by(lambda question: answer_of(question, question.choices[1]))
    first, second, third = items("a", "a", "a")
    several = ({"audio": ("a", "bb", "a")}, {"audio": ("bb",)}, {"audio": ("a", "broken", "ccc")})
    asked = [item.model_copy(update=audio) for item, audio in zip((first, second, third), several, strict=True)]
    benchmark = benchmark_of("a").model_copy(update={"items": tuple(asked)})
    predictions = {one.id: one for one in await drive(answerer, benchmark, 1, hears=True)}
    assert [round(float(clip.samples[0]) * 10) for clip in answerer.clips if clip] == [1, 2, 1, 2]
    assert (predictions["2"].failed, predictions["2"].audio) == ("'broken' is damaged.", ("a", "broken", "ccc"))
    assert {"a", "bb", "broken"} <= set(decoded) <= {"a", "bb", "broken", "ccc"}, (
        "ccc is of use no more once broken failed"
    )
    assert len(decoded) == len(set(decoded))
