"""`python serve_with_doubles.py PORT CONFIG`: the service, with models that need no weights.

Each takes a second to load. The LLM chooses the option that the captioner heard; asked "sleep", it
takes a minute, asked "nap", two seconds, asked "queue", a quarter of one, one question at a time; asked "fail", it
fails as a model server does; asked "bug", it fails as only a bug does. Asked "die", it takes its replica down, once.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from agents.models import ModelNames
from deploy import ray_server, serving
from deploy.config import read_serve_config
from services.errors import ModelError
from services.protocols import ASR, LALM, LLM, Captioner
from services.types import AudioClip, Choice, Evidence, Focus, Message, Reading, ReadingStyle

LOAD_S, NAP_S, TURN_S = 1.0, 2.0, 0.25
DEAD = Path(os.environ.get("TMPDIR", "/tmp")) / "dead"


class Reader:
    """Chooses the option that the evidence names."""

    revision, style = "1", ReadingStyle()

    def __init__(self, name: str) -> None:
        self.name = name
        self._turn = asyncio.Lock()

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        return Reading(reply=f"{len(messages)} messages")

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        prompt = messages[-1].content
        if "sleep" in prompt:
            await self._sleep()
        if "nap" in prompt:
            await asyncio.sleep(NAP_S)
        if "queue" in prompt:
            async with self._turn:
                await asyncio.sleep(TURN_S)
        if "fail" in prompt:
            raise ModelError("The server answered 500.")
        assert "bug" not in prompt
        if "die" in prompt and not DEAD.exists():
            DEAD.touch()
            os._exit(1)
        heard = [choice.letter for choice in choices if f"{choice.text} is heard" in prompt]
        odds = {choice.letter: float(choice.letter in heard) for choice in choices}
        return Reading(reply="".join(heard), probabilities=odds)

    async def _sleep(self) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            sys.stderr.write("woken: nobody waits\n")
            raise


class Listener:
    """Hears a tone in what is loud, and a second in each second."""

    name, revision = "listener", "1"

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:
        what = "A tone" if abs(clip.samples).max() > 0.1 else "Silence"
        return (Evidence(kind="sound", source="listener", revision="1", text=f"{what} is heard."),)

    async def transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        return (Evidence(kind="transcript", source="listener", revision="1", text=f"{clip.duration_s:.1f} s"),)


class Ear:
    """Chooses the first option, whatever is heard."""

    name, revision, style = "ear", "1", ReadingStyle()

    async def listen(self, messages: tuple[Message, ...], clip: AudioClip) -> Reading:
        return Reading(reply=f"{len(messages)} messages, {clip.duration_s:.1f} s")

    async def choose(self, messages: tuple[Message, ...], clip: AudioClip, choices: tuple[Choice, ...]) -> Reading:
        odds = {choice.letter: float(choice == choices[0]) for choice in choices}
        return Reading(reply=choices[0].letter, probabilities=odds)


class Doubles:
    """Opens the doubles, whatever is named."""

    def __init__(self, names: ModelNames) -> None:
        self.names = names

    def llm(self) -> LLM:
        time.sleep(LOAD_S)
        return Reader(self.names.llm)

    def captioner(self) -> Captioner:
        time.sleep(LOAD_S)
        return Listener()

    def asr(self) -> ASR:
        time.sleep(LOAD_S)
        return Listener()

    def lalm(self) -> LALM:
        time.sleep(LOAD_S)
        return Ear()


if __name__ == "__main__" and sys.argv[1] == "child":
    ray_server.main(Doubles)
elif __name__ == "__main__":
    child = (sys.executable, str(Path(__file__).resolve()), "child")
    serving.serve(lambda: read_serve_config(Path(sys.argv[2])), "127.0.0.1", int(sys.argv[1]), child=child)
