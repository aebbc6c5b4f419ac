"""`python use_installed.py CLIP`: asks, benchmarks, reports and serves with the packages that this Python finds.

Run with the Python of an environment that the wheel was installed into; models are scripted, so that none is needed.
Writes to the working folder: the run, the report, and found.json with what else was seen.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

from fastapi.testclient import TestClient

import agents
import eval as evaluation
import lalm
import services
from deploy import cli, config
from services.catalog import ASRS, CAPTIONERS, LLMS
from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.scripted import llm, service
from services.scripted.ears import ScriptedEars

CHOICES = ("A dog", "Rain")
SCRIPTED = ("--llm", "scripted", "--captioner", "scripted", "--asr", "scripted")
CLIP = Path(sys.argv[1])


def earwitness(*arguments: object) -> None:
    """Run the command without its exit."""
    cli.app([str(argument) for argument in arguments], standalone_mode=False)


LLMS["scripted"] = lambda _url: llm.ScriptedLLM(lambda prompt: "B" if "Rain is heard." in prompt else "A")
CAPTIONERS["scripted"] = ASRS["scripted"] = lambda: ScriptedEars(lambda *_: ("Rain is heard.",))
row = {"id": "1", "audio_id": str(CLIP), "question": "What is heard?", "choices": CHOICES, "answer": CHOICES[1]}
Path("bench.json").write_text(json.dumps([row | {"task": "sound", "difficulty": "easy"}]))
options = [word for choice in CHOICES for word in ("--choice", choice)]

earwitness("ask", CLIP, "What is heard?", *options, "--json", *SCRIPTED)
earwitness("eval", "run", "--bench", "bench.json", "--out", "run", *SCRIPTED)
earwitness("eval", "report", "run", "--html", "report.html")
with TestClient(create_app(service.ScriptedService(), Limits()), base_url="http://127.0.0.1") as gateway:
    pages = {address: gateway.get(address).status_code for address in ("/", "/web/page.js", "/web/page.css")}
found = {
    "version": version("earwitness"),
    "folders": [str(Path(str(package.__file__)).parents[4]) for package in (services, lalm, agents, evaluation)],
    "pages": pages,
    "deployments": {
        path.name: len(tuple(config.list_deployed(config.read_serve_config(path))))
        for path in (cli.LOCAL, cli.LOCAL.with_name("serve.yaml"))
    },
}
Path("found.json").write_text(json.dumps(found))
