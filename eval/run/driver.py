"""Benchmark driver: bounded concurrency over the items; a failed item is recorded and the run goes on."""

import asyncio
import traceback
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter

from eval.benchmarks.benchmark import Benchmark, Item
from eval.store.records import Prediction, judge_answer
from services.errors import BadConfig, EarwitnessError
from services.protocols import Answerer
from services.request_context import RequestContext, use_context
from services.types import Answer


class Driver:
    """Asks an answerer the items of a benchmark and passes on each `Prediction` as it is finished.

    `leaves_out` is what the official rule's raw replies are without; None: it is given what was read from them.
    `explains` says whether the answers are to bring their reasons.
    """

    def __init__(
        self,
        answerer: Answerer,
        benchmark: Benchmark,
        *,
        hears: bool,
        clock_s: float = 0.0,
        leaves_out: str | None = None,
        explains: bool = False,
    ) -> None:
        self._answerer = answerer
        self._benchmark = benchmark
        self._hears = hears
        self._leaves_out = leaves_out
        self._explains = explains
        self._started = perf_counter() - clock_s

    async def ask(self, items: Iterable[Item], concurrency: int, finished: Callable[[Prediction], None]) -> None:
        """Ask the items, those that share a clip one after the other, so that it is held for a short while."""
        queue = _sort_by_clip(list(items))
        if self._hears:
            from eval.run.clips import Clips  # and with it numpy and the decoders, 0.2 s that text does not need

            asked = (item for item in queue if not item.unsupported)
            self._clips = Clips(path for item in asked for path in self._benchmark.find_clips(item))
        waiting = iter(queue)
        await asyncio.gather(*(self._work(waiting, finished) for _ in range(min(concurrency, len(queue)))))

    async def _work(self, waiting: Iterator[Item], finished: Callable[[Prediction], None]) -> None:
        for item in waiting:
            finished(await self._predict(item))

    async def _predict(self, item: Item) -> Prediction:
        started = perf_counter()
        answer, failed = None, None
        with use_context(RequestContext()) as call:
            try:
                answer = await self._answer(item)
            except EarwitnessError as error:
                failed = str(error)
            except Exception:  # noqa: BLE001 - the edge: an error of one item must not end the run
                failed = traceback.format_exc()
        now, num_cached = perf_counter(), sum(one.result == "hit" for one in call.lookups)
        return judge_answer(
            item,
            answer,
            failed,
            took_s=now - started,
            clock_s=now - self._started,
            num_cached=num_cached,
            rule=self._benchmark.official_rule,
            leaves_out=self._leaves_out,
        )

    async def _answer(self, item: Item) -> Answer:
        if item.unsupported:
            raise BadConfig(f"{item.id!r} {item.unsupported}.")
        question = item.to_question(hears=self._hears)
        if self._explains:
            question = question.model_copy(update={"wants_reasons": True})
        if not self._hears:
            return await self._answerer.answer(question)
        async with self._clips.use(*self._benchmark.find_clips(item)) as clips:
            return await self._answerer.answer(question, *clips)


def _sort_by_clip(items: list[Item]) -> list[Item]:
    place = {item.audio[:1]: number for number, item in reversed(list(enumerate(items)))}
    return sorted(items, key=lambda item: place[item.audio[:1]])
