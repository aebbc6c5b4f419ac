"""A clip is perceived once, however often and by however many it is asked about."""

import asyncio
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.cache import two_level as cache
from services.cache.perception import STATEMENTS, CachedCaptioner
from services.cache.shelf import DiskCache
from services.errors import ModelError
from services.request_context import RequestContext, use_context
from services.scripted.ears import ScriptedEars
from services.settings import read_settings
from services.telemetry.metrics import render_metrics
from services.types import AudioClip, Evidence, Focus

CLIP = AudioClip(np.zeros(160, np.float32))


def counting() -> ScriptedEars:
    """Return a captioner that says how often it was asked."""
    captioner = ScriptedEars(lambda _, focus: (f"call {captioner.num_captioned} {focus}",), latency_s=0.01)
    return captioner


async def test_many_who_ask_at_once_share_one_call(tmp_path: Path) -> None:
    captioner = counting()
    cached = CachedCaptioner(captioner, tmp_path)
    answers = await asyncio.gather(*(cached.caption(CLIP) for _ in range(8)))
    assert captioner.num_captioned == 1
    assert set(answers) == {answers[0]}


async def test_a_new_process_reads_what_an_old_one_heard(tmp_path: Path) -> None:
    first = await CachedCaptioner(counting(), tmp_path).caption(CLIP)
    captioner = counting()
    assert await CachedCaptioner(captioner, tmp_path).caption(CLIP) == first
    assert captioner.num_captioned == 0


async def test_what_was_said_a_moment_ago_is_in_memory_and_that_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "NUM_RECENT", 2)
    captioner = counting()
    cached = CachedCaptioner(captioner, tmp_path)
    first = await cached.caption(CLIP, Focus(question="first"))
    shutil.rmtree(tmp_path)
    assert await cached.caption(CLIP, Focus(question="first")) == first
    await cached.caption(CLIP, Focus(question="second"))
    await cached.caption(CLIP, Focus(question="third"))
    shutil.rmtree(tmp_path)
    assert await cached.caption(CLIP, Focus(question="first")) != first
    assert captioner.num_captioned == 4


async def test_another_focus_is_another_caption(tmp_path: Path) -> None:
    cached = CachedCaptioner(counting(), tmp_path)
    assert await cached.caption(CLIP) != await cached.caption(CLIP, Focus(question="how many dogs"))


async def test_a_failure_is_not_remembered(tmp_path: Path) -> None:
    def fail_once(clip: AudioClip, focus: Focus | None) -> tuple[str, ...]:
        if captioner.num_captioned == 1:
            raise ModelError("out of order")
        return ("in order",)

    captioner = ScriptedEars(fail_once)
    cached = CachedCaptioner(captioner, tmp_path)
    with pytest.raises(ModelError):
        await cached.caption(CLIP)
    assert len(await cached.caption(CLIP)) == 1


async def test_one_who_gives_up_does_not_stop_the_others(tmp_path: Path) -> None:
    cached = CachedCaptioner(counting(), tmp_path)
    impatient, patient = (asyncio.create_task(cached.caption(CLIP)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    assert len(await patient) == 1


async def test_one_who_gives_up_does_not_make_a_latecomer_start_again(tmp_path: Path) -> None:
    captioner = counting()
    cached = CachedCaptioner(captioner, tmp_path)
    impatient, patient = (asyncio.create_task(cached.caption(CLIP)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    assert await cached.caption(CLIP) == await patient
    assert captioner.num_captioned == 1


async def test_a_file_that_a_crash_left_damaged_is_heard_again(tmp_path: Path) -> None:
    first = await CachedCaptioner(counting(), tmp_path).caption(CLIP)
    (file,) = tmp_path.rglob("*.json")
    file.write_text("[{")
    assert await CachedCaptioner(counting(), tmp_path).caption(CLIP) == first


async def test_hits_misses_and_who_waited_for_another_are_counted(tmp_path: Path) -> None:
    def counted() -> dict[str, float]:
        families = text_string_to_metric_families(render_metrics().decode())
        samples = [sample for family in families for sample in family.samples if "cache_lookups" in sample.name]
        return {one.labels["result"]: one.value for one in samples if one.labels["kind"] == "captions"}

    before = counted()
    cached = CachedCaptioner(counting(), tmp_path)
    await asyncio.gather(*(cached.caption(CLIP) for _ in range(3)))
    await cached.caption(CLIP)
    after = counted()
    assert {name: after[name] - before.get(name, 0) for name in after} == {"miss": 1, "joined": 2, "hit": 1}


async def said_to(tenant: str, cached: CachedCaptioner) -> tuple[tuple[Evidence, ...], list[str]]:
    """Return what somebody is told, and what the cache had to do with it."""
    with use_context(RequestContext(tenant=tenant)) as call:
        told = await cached.caption(CLIP)
    return told, [lookup.result for lookup in call.lookups]


async def test_one_keys_perception_is_new_to_another_and_so_is_work_under_way(tmp_path: Path) -> None:
    captioner = counting()
    cached = CachedCaptioner(captioner, tmp_path)
    at_once = await asyncio.gather(*(said_to(tenant, cached) for tenant in ("alice", "bob", "")))
    assert [how for _, how in at_once] == [["miss"], ["miss"], ["miss"]]
    assert captioner.num_captioned == 3
    assert [(await said_to(tenant, cached))[1] for tenant in ("alice", "bob", "", "carol")] == [
        *(["hit"], ["hit"], ["hit"]),
        ["miss"],
    ]


async def test_a_key_named_like_a_folder_leads_nowhere_else(tmp_path: Path) -> None:
    cached = CachedCaptioner(counting(), tmp_path / "perception")
    await said_to("..", cached)
    assert [path.relative_to(tmp_path).parts[:2] for path in tmp_path.rglob("*.json")] == [("perception", "captions")]
    assert (await said_to("", cached))[1] == ["miss"]


async def test_keys_share_perception_where_that_is_declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARWITNESS_SHARED_PERCEPTION", "true")
    read_settings.cache_clear()
    cached = CachedCaptioner(counting(), tmp_path)
    monkeypatch.undo()
    read_settings.cache_clear()
    first, _ = await said_to("alice", cached)
    assert await said_to("bob", cached) == (first, ["hit"])


def test_the_disk_is_bounded_and_what_was_asked_for_longest_ago_goes_first(tmp_path: Path) -> None:
    statements = (Evidence(kind="sound", source="test", revision="1", text="x" * 1000),)
    shelf = DiskCache(tmp_path, STATEMENTS, max_bytes=20_000)
    for number in range(40):
        shelf.write(f"captions/{number}.json", statements)
        assert shelf.read("captions/0.json") == statements
        os.utime(tmp_path / "captions/0.json", (2_000_000_000, 2_000_000_000))  # newest, whatever the clock resolves
        if number:
            os.utime(tmp_path / f"captions/{number}.json", (number, number))
        assert sum(path.stat().st_size for path in tmp_path.rglob("*.json")) <= 20_000
    kept = sorted(int(path.stem) for path in tmp_path.rglob("*.json"))
    assert kept[0] == 0
    assert kept[1:] == list(range(41 - len(kept), 40))
    assert len(kept) > 10
