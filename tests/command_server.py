"""Fork server of commands: `python command_server.py FOLDER` imports once what they import, which takes seconds.

It writes `earwitness`, `eval`, `run` and `python` into the folder. Each gets a process of its own, forked from this,
with the arguments, the working directory, the environment and the open files of who typed it, and ends as that ends.
What is not `python -m MODULE` or `python FILE.py` is done by the Python that is installed. At the end of stdin it ends.
"""

import array
import atexit
import gc
import json
import os
import runpy
import select
import socket
import sys
import threading
from importlib import import_module
from pathlib import Path

IMPORTED = (
    *(
        "deploy.entry",
        "deploy.cli",
        "deploy.console.ask",
        "deploy.console.recordings",
        "deploy.console.show",
        "agents.cascade",
        "agents.graph.graph",
        "eval.benchmarks.mmar",
        "eval.benchmarks.mmau",
        "eval.run.clips",
        "eval.run.session",
        "eval.display.results",
    ),
    *("services.cache.perception", "services.cache.readings", "services.environment", "services.telemetry.trackers"),
    *("services.asr.faster_whisper", "services.captioners.acoustic", "services.llms.quantised"),
    *("ctranslate2", "scipy.optimize", "scipy.signal", "peft", "transformers.models.llama.modeling_llama"),
    *("transformers.models.whisper.modeling_whisper", "transformers.models.auto.modeling_auto"),
)
"""All but onnxruntime, and what imports it: it starts a thread, which a fork would lack."""
ENTRIES = {"earwitness": ("deploy.entry", "main"), "eval": ("eval.entry", "main"), "run": ("eval.entry", "run_main")}
CLIENT = """#!{python} -IS
import array, json, os, socket, sys
name = os.path.basename(sys.argv[0])
if name == "python" and not (sys.argv[1:2] == ["-m"] or "".join(sys.argv[1:2]).endswith(".py")):
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
    server.connect({address!r})
    asked = json.dumps([name, sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
    files = array.array("i", [0, 1, 2])
    server.sendmsg([len(asked).to_bytes(4)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
    server.sendall(asked)
    code = int(server.recv(16) or 1)
sys.exit(code)
"""


def serve(address: Path) -> tuple[str, list[str]]:
    """Fork a process for each command; return in that process alone: the name of the command and its arguments."""
    waiting: dict[int, tuple[int, socket.socket]] = {}
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(address))
        listener.listen()
        print("ready", flush=True)  # noqa: T201 - what started this waits for it
        while True:
            for ready in select.select([listener, sys.stdin, *waiting], [], [])[0]:
                if ready is sys.stdin:
                    sys.exit()
                if isinstance(ready, int):
                    child, client = waiting.pop(ready)
                    os.close(ready)
                    client.sendall(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) % 256).encode())
                    client.close()
                    continue
                client, _ = listener.accept()
                if child := os.fork():
                    waiting[os.pidfd_open(child)] = child, client
                    continue
                return become(client)


def become(client: socket.socket) -> tuple[str, list[str]]:
    """Take over the open files, the folder and the environment of a client."""
    size, ancillary, *_ = client.recvmsg(4, socket.CMSG_LEN(3 * array.array("i").itemsize))
    files = array.array("i", ancillary[0][2])
    asked = b""
    while len(asked) < int.from_bytes(size):
        asked += client.recv(1 << 20)
    name, arguments, folder, environment = json.loads(asked)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    return name, arguments


def run(name: str, arguments: list[str]) -> None:
    """Run a command as if this process had been started for it."""
    if name in ENTRIES:
        sys.argv = [name, *arguments]
        module, function = ENTRIES[name]
        getattr(import_module(module), function)()
    elif arguments[0] == "-m":
        sys.path[0] = str(Path.cwd())
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.path[0] = str(Path(arguments[0]).resolve().parent)
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


def run_to_the_end(name: str, arguments: list[str]) -> None:
    """Run a command, and end the process without tearing down what was imported, which takes longer than most do."""
    code: object = 0
    try:
        run(name, arguments)
    except SystemExit as ended:
        code = ended.code or 0
    if not isinstance(code, int):
        sys.exit(str(code))
    threading._shutdown()  # waits for threads, as the interpreter does at its end
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def main(folder: Path) -> None:
    """Write the commands, import, and serve."""
    sys.path[0] = str(Path(sys.executable).parent)  # not `tests`, whose folders have the names of our packages
    for name in (*ENTRIES, "python"):
        (folder / name).write_text(CLIENT.format(python=sys.executable, address=str(folder / "socket")))
        (folder / name).chmod(0o755)
    gc.disable()
    for module in IMPORTED:
        import_module(module)
    gc.freeze()  # no fork looks for garbage in what was imported
    gc.enable()
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a fork has no other thread than the one that forks"
    run_to_the_end(*serve(folder / "socket"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
