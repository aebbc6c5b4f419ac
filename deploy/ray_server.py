"""`python -m deploy.ray_server`: a Ray cluster of its own with the service on it.

Started by `deploy.serving`, which writes a `Job` to its stdin and keeps that open: at its end this process stops too;
each further line is a configuration to serve from then on. It says on stdout what became of each: one `Said` per line.
"""

import logging
import os
import queue
import re
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import IO

from agents.models import LocalModels
from deploy.app import build
from deploy.config import ServeConfig
from deploy.fleet import OpenModels
from deploy.job import Job, Said
from deploy.listener import Listener

OBJECT_STORE_BYTES = 200_000_000  # an hour of audio at 16 kHz takes 230 MB, spilled to disk where it does not fit
NAME = "earwitness"
QUIET = {"log_level": "ERROR", "enable_access_log": False}


def main(open_models: OpenModels = LocalModels) -> None:
    """Serve until SIGTERM or the end of stdin."""
    job = Job.model_validate_json(sys.stdin.readline())
    told = _take_stdout()
    configs: queue.SimpleQueue[ServeConfig | None] = queue.SimpleQueue()
    threading.Thread(target=_read_configs, args=(configs,), daemon=True).start()
    listener = Listener(socket.socket(fileno=job.listening))
    _start_ray(job)
    signal.signal(signal.SIGTERM, lambda *_: configs.put(None))
    door = job.folder / "door"
    listener.open(door)
    config: ServeConfig | None = job.config
    while config is not None:
        drain_s = config.agent.drain_s
        _tell(told, _serve(config, open_models, door))
        config = configs.get()
    listener.close(drain_s)
    _stop_ray()
    shutil.rmtree(job.folder, ignore_errors=True)  # who started us may have been killed


def _read_configs(configs: "queue.SimpleQueue[ServeConfig | None]") -> None:
    for line in sys.stdin:
        configs.put(ServeConfig.model_validate_json(line))
    os.kill(os.getpid(), signal.SIGTERM)


def _take_stdout() -> IO[str]:
    """Return stdout, and let whatever else is printed here go to stderr."""
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return told


def _tell(told: IO[str], said: Said) -> None:
    print(said.model_dump_json(), file=told, flush=True)


def _start_ray(job: Job) -> None:
    import ray
    from ray import serve

    ray.init(
        address="local",  # never one that is already running
        include_dashboard=False,
        logging_level=logging.ERROR,
        object_store_memory=OBJECT_STORE_BYTES,
        _temp_dir=str(job.folder),
    )
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    # Of a replica that cannot start, `_reason` tells; the controller would log each attempt.
    silent = QUIET | {"log_level": "CRITICAL"}
    serve.start(proxy_location="Disabled", logging_config=silent)  # the agents listen themselves


def _serve(config: ServeConfig, open_models: OpenModels, door: Path) -> Said:
    from ray import serve

    try:
        serve.run(build(config, open_models, door), name=NAME, route_prefix=None, logging_config=QUIET)
    except RuntimeError as error:
        return Said(what="failed", message=_reason() or str(error))
    return Said(what="ready")


def _reason() -> str:
    """Return in one line why a model could not be opened, if the user can mend that; else log what Ray knows."""
    from ray import serve

    deployments = serve.status().applications[NAME].deployments.values()
    report = "\n".join(deployment.message for deployment in deployments)
    ours = re.findall(r"services\.errors\.\w+: (.+)", report)
    if not ours:
        sys.stderr.write(report + "\n")
    return ours[-1] if ours else ""


def _stop_ray() -> None:
    import ray
    from ray import serve

    nowhere = os.open(os.devnull, os.O_WRONLY)  # Ray reports the end of its own processes as errors
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    main()
