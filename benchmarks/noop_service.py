"""The service with no-op models, to measure its own overhead.

    python benchmarks/noop_service.py ray PORT      as `earwitness serve` runs it: Ray, a deployment per model
    python benchmarks/noop_service.py plain PORT    the same ASGI application and the same graph in one uvicorn process

`--caption 40 --transcribe 30 --read 60` lets each model take so many milliseconds, one clip at a time per replica, as
a model on a busy processor would (`--at-once N`: N at a time). `ray --replicas N` starts N of each deployment, and
`--fused KIND ...` says which kinds run in the replica of the agent: by default captioner and ASR, as shipped. Both
print "Listening on URL" when they are ready.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from socket import socket
from typing import NamedTuple

import uvicorn

from agents.degradation import DEGRADING
from agents.paths import make_builder
from deploy import ray_server, serving
from deploy.config import Scales, ServeConfig, ServedModels
from services.audio import decoder_pool as decoder
from services.catalog import DEFAULT_ASR, DEFAULT_CAPTIONER, DEFAULT_LLM, pick
from services.deployments.scale import Scale
from services.errors import EarwitnessError, ModelError
from services.http.access.header_limit import BoundedHeadProtocol
from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.protocols import ASR, LALM, LLM, Answerer, Captioner
from services.types import AudioClip, Choice, Evidence, Focus, Message, Reading, ReadingStyle

LIMITS = Limits(deadline_s=60)
SOURCE = "noop"
FUSIBLE = ("captioner", "asr", "llm")
AS_SHIPPED = ("captioner", "asr")  # in deploy/serve.local.yaml
NOWHERE = "http://127.0.0.1:9/v1"  # a model that only asks a server may be fused, and this one asks nobody
SHARE = 0.1  # of a core, for each replica, so that several of each fit into two


class ModelLatency(NamedTuple):
    """Milliseconds that each model takes, and how many clips it takes at once."""

    caption: float = 0.0
    transcribe: float = 0.0
    read: float = 0.0
    at_once: int = 1


class LatencySlot:
    """Simulates a model with a fixed latency and `at_once` concurrent slots; others queue in order."""

    def __init__(self, latency_ms: float, at_once: int) -> None:
        self._latency_s = latency_ms / 1000
        self._free = asyncio.Semaphore(at_once)

    async def take(self) -> None:
        """Wait for a turn, and then as long as it takes."""
        if self._latency_s:
            async with self._free:
                await asyncio.sleep(self._latency_s)


class NoopEar:
    """Captioner and ASR that return one sentence."""

    name, revision = SOURCE, "1"

    def __init__(self, turn: LatencySlot) -> None:
        self._turn = turn

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:  # noqa: ARG002
        await self._turn.take()
        return (Evidence(kind="sound", source=SOURCE, revision="1", text=f"Speech, {clip.duration_s:.1f} s."),)

    async def transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        await self._turn.take()
        return (Evidence(kind="transcript", source=SOURCE, revision="1", text=f"{len(clip.samples)} samples."),)


class NoopReader:
    """LLM that chooses the first option."""

    name, revision, style = SOURCE, "1", ReadingStyle()

    def __init__(self, turn: LatencySlot) -> None:
        self._turn = turn

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        await self._turn.take()
        return Reading(reply=f"{len(messages)} messages")

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:  # noqa: ARG002
        await self._turn.take()
        odds = {choice.letter: float(choice == choices[0]) for choice in choices}
        return Reading(reply=choices[0].letter, probabilities=odds)


class NoopModels:
    """Opens the no-op models with their latencies."""

    def __init__(self, pace: ModelLatency) -> None:
        self._pace = pace

    def open_llm(self) -> LLM:
        return NoopReader(LatencySlot(self._pace.read, self._pace.at_once))

    def open_captioner(self) -> Captioner:
        return NoopEar(LatencySlot(self._pace.caption, self._pace.at_once))

    def open_asr(self) -> ASR:
        return NoopEar(LatencySlot(self._pace.transcribe, self._pace.at_once))

    def open_lalm(self) -> LALM:
        raise ModelError("There is no LALM here.")


class InProcessService:
    """The service without Ray: paths over models of this process."""

    def __init__(self, models: NoopModels) -> None:
        self._models = models
        built = {path: make_builder(path, policy=DEGRADING)(models) for path in ("cascade", "text")}
        self._named = {f"{path}/{SOURCE}": answerer for path, answerer in built.items()}
        self._answerers = self._named | built

    async def list_missing(self) -> tuple[str, ...]:
        return ()

    async def list_models(self) -> tuple[str, ...]:
        return tuple(self._named)

    def resolve(self, name: str | None) -> str | None:
        """Return the name as it is: there are no aliases."""
        return name

    async def find_answerer(self, name: str | None) -> Answerer:
        return pick(self._answerers, "model", name or "cascade")

    async def list_arms(self) -> tuple[str, str]:
        raise ModelError("There is no LALM here.")

    async def find_asr(self) -> ASR:
        return self._models.open_asr()

    async def find_captioner(self) -> Captioner:
        return self._models.open_captioner()

    async def takes_reply_options(self, _: str | None) -> bool:
        """Return False: nothing is written."""
        return False

    def needs_clip(self, name: str | None) -> bool:
        return (name or "").partition("/")[0] != "text"


class AnnouncingServer(uvicorn.Server):
    """Prints its URL when it listens, as `earwitness serve` does."""

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        print(f"Listening on http://{self.config.host}:{self.config.port}", flush=True)


def serve_plainly(pace: ModelLatency, port: int) -> None:
    """Serve in this process until SIGINT or SIGTERM."""
    decoder.start_decoders()
    app = create_app(InProcessService(NoopModels(pace)), LIMITS)
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=port,
        http=BoundedHeadProtocol,
        log_level="error",
        access_log=False,
        lifespan="off",
    )
    AnnouncingServer(config).run()


def serve_on_ray(pace: ModelLatency, port: int, num_replicas: int, fused: Sequence[str]) -> None:
    """Serve as `earwitness serve` does, until SIGINT or SIGTERM."""
    child = (sys.executable, str(Path(__file__).resolve()), "child", "0", *_format_arguments(pace))
    scale = Scale(num_replicas=num_replicas, num_cpus=SHARE)
    placements = {kind: "fused" if kind in fused else "own" for kind in FUSIBLE}
    models = {
        "llm": {"name": DEFAULT_LLM, "url": NOWHERE, "placement": placements["llm"]},
        "captioner": {"name": DEFAULT_CAPTIONER, "placement": placements["captioner"]},
        "asr": {"name": DEFAULT_ASR, "placement": placements["asr"]},
    }
    config = ServeConfig(
        models=ServedModels.model_validate(models),
        limits=LIMITS,
        scales=Scales(agent=scale, llm=scale, captioner=scale, asr=scale),
    )
    serving.serve(lambda: config, "127.0.0.1", port, child=child)


def _format_arguments(pace: ModelLatency) -> list[str]:
    pairs = zip(("--caption", "--transcribe", "--read", "--at-once"), pace, strict=True)
    return [text for name, value in pairs for text in (name, f"{value}")]


def main() -> None:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(prog="benchmarks/noop_service.py")
    parser.add_argument("how", choices=("ray", "plain", "child"), help="child: what `ray` starts")
    parser.add_argument("port", type=int)
    for stage in ("caption", "transcribe", "read"):
        parser.add_argument(f"--{stage}", type=float, default=0.0, metavar="MS")
    parser.add_argument("--at-once", type=int, default=1, metavar="N")
    parser.add_argument("--replicas", type=int, default=1, metavar="N")
    parser.add_argument("--fused", nargs="*", choices=FUSIBLE, default=AS_SHIPPED, help="in the replica of the agent")
    asked = parser.parse_args()
    pace = ModelLatency(asked.caption, asked.transcribe, asked.read, asked.at_once)
    if asked.how == "child":
        ray_server.main(lambda names: NoopModels(pace))  # noqa: ARG005
    elif asked.how == "plain":
        serve_plainly(pace, asked.port)
    else:
        try:
            serve_on_ray(pace, asked.port, asked.replicas, asked.fused)
        except EarwitnessError as error:
            parser.exit(1, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
