"""Cancellation stops the work: counted in steps that were not taken, and in seconds until the worker is free."""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, current_thread

import numpy as np
import pytest

from services.asr.faster_whisper import FasterWhisper, HeardBatch, Recording
from services.asr.speech import SpeechWindow
from services.audio.load import load
from services.cache.perception import CachedASR, CachedCaptioner
from services.cancellation import raise_if_cancelled, run_in_thread, use_threads
from services.captioners.acoustic import AcousticCaptioner
from services.catalog import ASRS, DEFAULT_ASR, open_llm
from services.llms.batching import Batch, Batcher
from services.llms.quantised import QuantisedLLM
from services.scripted.ears import ScriptedEars
from services.types import SAMPLE_RATE, AudioClip, Evidence, Focus, Message, Sampling
from services.weights import store as weights

STEP_S, NUM_STEPS = 0.02, 500  # ten seconds of work, were it not stopped
WAIT_S = 60  # at most, for what takes a step: other work may have the cores; what was done is counted in steps
CLIP = AudioClip(np.zeros(160, np.float32))


class Stepwise:
    """Work in many small steps, which are counted; `ears` do it in a thread to caption and to transcribe."""

    def __init__(self) -> None:
        self.num_steps = 0
        self.started, self.ended = Event(), Event()

        async def hear(*_: object) -> tuple[str, ...]:
            return await run_in_thread(self._work)

        self.ears = ScriptedEars(hear, hear)

    def _work(self) -> tuple[str, ...]:
        self.started.set()
        try:
            for _ in range(NUM_STEPS):
                raise_if_cancelled()
                time.sleep(STEP_S)
                self.num_steps += 1
        finally:
            self.ended.set()
        return ()


async def cancel_task(task: "asyncio.Task[object]", started: Event) -> None:
    """Cancel a task once its work has begun."""
    await asyncio.to_thread(started.wait, WAIT_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_thread_stops_at_its_next_step() -> None:
    work = Stepwise()
    await cancel_task(asyncio.create_task(work.ears.caption(CLIP)), work.started)
    assert await asyncio.to_thread(work.ended.wait, WAIT_S)
    assert work.num_steps < NUM_STEPS / 5


async def test_a_model_that_shares_a_process_works_in_threads_of_its_own() -> None:
    with ThreadPoolExecutor(1, "own") as own:
        with use_threads(own):
            assert (await run_in_thread(lambda: current_thread().name)).startswith("own")
        assert not (await run_in_thread(lambda: current_thread().name)).startswith("own")


async def test_cancelling_one_of_two_leaves_the_other_running() -> None:
    cancelled, kept_on = Stepwise(), Stepwise()
    kept = asyncio.create_task(kept_on.ears.caption(CLIP))
    await cancel_task(asyncio.create_task(cancelled.ears.caption(CLIP)), cancelled.started)
    assert await asyncio.to_thread(cancelled.ended.wait, WAIT_S)
    assert not kept.done()
    assert not kept_on.ended.is_set()
    kept.cancel()


async def test_the_cache_cancels_work_whose_callers_were_all_cancelled_and_stores_nothing(tmp_path: Path) -> None:
    work = Stepwise()
    cached = CachedCaptioner(work.ears, tmp_path)
    first, second = (asyncio.create_task(cached.caption(CLIP)) for _ in range(2))
    await cancel_task(first, work.started)
    assert not await asyncio.to_thread(work.ended.wait, 5 * STEP_S)  # the second still waits
    await cancel_task(second, work.started)
    assert await asyncio.to_thread(work.ended.wait, WAIT_S)
    assert work.num_steps < NUM_STEPS / 5
    assert not list(tmp_path.rglob("*.json"))


async def test_a_caller_after_the_cancelled_ones_gets_an_answer(tmp_path: Path) -> None:
    class Quick(Stepwise):
        def _work(self) -> tuple[str, ...]:
            return () if self.started.is_set() else super()._work()

    work = Quick()
    cached = CachedASR(work.ears, tmp_path)
    first = asyncio.create_task(cached.transcribe(CLIP))
    await asyncio.to_thread(work.started.wait, WAIT_S)
    first.cancel()
    await asyncio.sleep(0)
    async with asyncio.timeout(WAIT_S):
        assert await cached.transcribe(CLIP) == ()
    assert work.num_steps < NUM_STEPS / 5


async def test_a_batch_goes_on_without_cancelled_requests_and_ends_when_all_are_cancelled() -> None:
    steps: list[int] = []
    batches: list[list[str]] = []
    started = Event()

    def write(requests: Batch[str]) -> Sequence[str]:
        batches.append(list(requests))
        started.set()
        for _ in range(NUM_STEPS):
            awaited = [n for n in range(len(requests)) if not requests.is_cancelled(n)]
            if not awaited:
                break
            steps.append(len(awaited))
            time.sleep(STEP_S)
        return list(requests)

    batcher: Batcher[str, str] = Batcher(write, max_size=2)
    tasks = [asyncio.create_task(batcher.submit(name)) for name in ("first", "second", "queued")]
    await cancel_task(tasks[2], started)
    await cancel_task(tasks[0], started)
    await asyncio.sleep(5 * STEP_S)
    assert steps[-1] == 1
    await cancel_task(tasks[1], started)
    started.clear()
    written = asyncio.create_task(batcher.submit("next"))
    await cancel_task(written, started)
    assert batches == [["first", "second"], ["next"]]  # the worker was free, and no cancelled work came first
    assert len(steps) < NUM_STEPS / 5


async def test_a_batch_that_was_cancelled_ends_at_its_next_step() -> None:
    started, ended = Event(), Event()
    steps: list[int] = []

    def write(requests: Batch[str]) -> Sequence[str]:
        started.set()
        try:
            for number in range(NUM_STEPS):
                raise_if_cancelled()
                steps.append(number)
                time.sleep(STEP_S)
        finally:
            ended.set()
        return list(requests)

    batcher: Batcher[str, str] = Batcher(write, max_size=2)
    first, second = (asyncio.create_task(batcher.submit(name)) for name in ("first", "second"))
    await cancel_task(first, started)
    assert not await asyncio.to_thread(ended.wait, 5 * STEP_S)  # the second still waits
    await cancel_task(second, started)
    assert await asyncio.to_thread(ended.wait, WAIT_S)
    assert len(steps) < NUM_STEPS / 5


class Watched:
    """Work of a real model, whose steps are counted from outside."""

    def __init__(self, work: Callable[..., tuple[Evidence, ...]]) -> None:
        self.started, self.ended = Event(), Event()
        self._work = work

    def __call__(self, clip: AudioClip, *focus: Focus) -> tuple[Evidence, ...]:
        self.started.set()
        try:
            return self._work(clip, *focus)
        finally:
            self.ended.set()


@pytest.fixture(scope="module")
def long_speech() -> AudioClip:
    """Return five minutes of speech."""
    (path,) = (
        path for path in weights.ensure_folder("demo-speech").iterdir() if path.suffix in {".wav", ".flac", ".mp3"}
    )
    once = load(path)
    return AudioClip(np.tile(once.samples, math.ceil(300 / once.duration_s))[: 300 * SAMPLE_RATE])


@pytest.mark.weights
async def test_the_captioner_stops_between_its_analyses(
    long_speech: AudioClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioner = AcousticCaptioner()
    parts = []
    watched, describer = Watched(captioner.describe), captioner._describer()
    describe = describer.describe
    monkeypatch.setattr(captioner, "describe", watched)
    monkeypatch.setattr(describer, "describe", lambda clip, focus: (parts.append(clip), describe(clip, focus))[1])
    await cancel_task(asyncio.create_task(captioner.caption(long_speech)), watched.started)
    assert await asyncio.to_thread(watched.ended.wait, WAIT_S)
    assert len(parts) <= 1  # of five


@pytest.mark.weights
async def test_whisper_stops_between_its_windows(long_speech: AudioClip, monkeypatch: pytest.MonkeyPatch) -> None:
    asr = ASRS[DEFAULT_ASR]()
    assert isinstance(asr, FasterWhisper)
    batches: list[int] = []
    watched, hear, begun = Watched(asr._transcribe), asr._hear, Event()

    def count(recording: Recording, windows: Sequence[SpeechWindow], before: str | None) -> HeardBatch:
        begun.set()
        batches.append(len(windows))
        return hear(recording, windows, before)

    monkeypatch.setattr(asr, "_transcribe", watched)
    monkeypatch.setattr(asr, "_hear", count)
    await cancel_task(asyncio.create_task(asr.transcribe(long_speech)), begun)
    assert await asyncio.to_thread(watched.ended.wait, WAIT_S)
    assert len(batches) <= 1


@pytest.mark.weights
async def test_an_embedded_llm_stops_in_the_middle_of_a_reply() -> None:
    llm = open_llm("smollm2-135m", sampling=Sampling(temperature=1.0, max_tokens=4000))
    assert isinstance(llm, QuantisedLLM)
    story = asyncio.create_task(llm.complete((Message(role="user", content="Count from 1 to 5000, in words."),)))
    await asyncio.sleep(1)
    assert not story.done()
    story.cancel()
    llm._generator()._sampling = Sampling(max_tokens=2)
    async with asyncio.timeout(WAIT_S):
        assert (await llm.complete((Message(role="user", content="Is water wet?"),))).usage.completion_tokens == 2
