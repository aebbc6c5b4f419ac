"""The entry points of the commands: Ctrl-C is handled while the rest is still being imported."""

import signal
import subprocess
import sys

import pytest

import deploy.entry
import eval.entry

SCRIPT = """
import signal, sys, time, types
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored in the background

class Slow(types.ModuleType):
    def __getattr__(self, name):
        if name == {function!r}:
            print("importing", flush=True)
            time.sleep(30)
        raise AttributeError(name)

sys.modules[{cli!r}] = Slow({cli!r})
from {entry} import {function}
{function}()
"""


@pytest.mark.parametrize(
    ("entry", "cli", "function", "name"),
    [
        (deploy.entry, "deploy.cli", "main", "earwitness"),
        (eval.entry, "eval.cli", "main", "eval"),
        (eval.entry, "eval.cli", "run_main", "eval"),
    ],
)
def test_an_interruption_during_the_imports_is_one_line(entry: object, cli: str, function: str, name: str) -> None:
    assert callable(getattr(entry, function))
    script = SCRIPT.format(entry=cli.replace("cli", "entry"), cli=cli, function=function)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=-1, stderr=-1, text=True)
    assert process.stdout is not None and process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1] == f"{name}: interrupted; nothing was changed.\n"
    assert process.returncode == 130
