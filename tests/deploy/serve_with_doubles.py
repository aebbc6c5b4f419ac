"""`python serve_with_doubles.py PORT CONFIG`: the service, with models that need no weights.

Each takes a second to load. The LLM chooses the option that the captioner heard; asked "sleep", it
takes a minute, asked "nap", two seconds, asked "queue", a quarter of one, one question at a time; asked "fail", it
fails as a model server does; asked "bug", it fails as only a bug does. Asked "die", it takes its replica down, once.
"""

import asyncio
import os
import sys
from pathlib import Path

from agents.models import ModelNames
from deploy import ray_server, serving
from deploy.config import read_serve_config
from services.errors import ModelError
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import ScriptedLALM
from services.scripted.llm import ScriptedLLM
from services.scripted.models import ScriptedModels
from services.scripted.rules import weigh
from services.types import AudioClip, Choice, Focus, Reading

LOAD_S, NAP_S, TURN_S = 1.0, 2.0, 0.25
DEAD = Path(os.environ.get("TMPDIR", "/tmp")) / "dead"


class Reader:
    """Chooses the option that the evidence names."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def read(self, prompt: str, choices: tuple[Choice, ...]) -> Reading:
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


def hear_loudness(clip: AudioClip, focus: Focus | None) -> tuple[str, ...]:
    """Hear a tone in what is loud."""
    return (f"{'A tone' if abs(clip.samples).max() > 0.1 else 'Silence'} is heard.",)


def listen(prompt: str, clip: AudioClip) -> Reading:
    return Reading(reply=f"heard {clip.duration_s:.1f} s")


def choose_first(prompt: str, clip: AudioClip, choices: tuple[Choice, ...]) -> Reading:
    """Choose the first option, whatever is heard."""
    return weigh(1.0, *(0.0 for _ in choices[1:]))(choices)


def open_doubles(names: ModelNames) -> ScriptedModels:
    """Open the doubles, whatever is named."""
    return ScriptedModels(
        ScriptedLLM(lambda _: "one message", Reader().read, name=names.llm),
        ScriptedEars(hear_loudness, lambda clip: (f"{clip.duration_s:.1f} s",), name="listener"),
        ScriptedLALM(listen, choose_first, name="ear"),
        load_s=LOAD_S,
    )


if __name__ == "__main__" and sys.argv[1] == "child":
    ray_server.main(open_doubles)
elif __name__ == "__main__":
    child = (sys.executable, str(Path(__file__).resolve()), "child")
    serving.serve(lambda: read_serve_config(Path(sys.argv[2])), "127.0.0.1", int(sys.argv[1]), child=child)
