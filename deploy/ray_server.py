"""`python -m deploy.ray_server`: a Ray cluster of its own with the service on it.

Started by `deploy.serving`, which writes a `Job` to its stdin, later perhaps other configurations, and keeps it open:
when it closes, this process stops too. It says on stdout what became of each: one `JobStatus` per line.
"""

import logging
import os
import queue
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, TypeAlias

from deploy.app import OpenModels, build, open_loaded_models
from deploy.attempt import attempt
from deploy.config import ServeConfig
from deploy.draining import drain
from deploy.job import Job, JobStatus
from services.deployments.start_failure import FOLDER_NAME, clear_start_failures, read_start_failures

if TYPE_CHECKING:
    from ray import serve

OBJECT_STORE_BYTES = 200_000_000  # an hour of audio at 16 kHz takes 230 MB, spilled to disk where it does not fit
NAME = "earwitness"
LOOK_EVERY_S = 1.0
QUIET = {"log_level": "ERROR", "enable_access_log": False}


Configs: TypeAlias = "queue.SimpleQueue[ServeConfig | None]"
"""Queue of configurations to serve; None: stop."""


def main(open_models: OpenModels = open_loaded_models) -> None:
    """Serve until SIGTERM or the end of stdin."""
    job = Job.model_validate_json(sys.stdin.readline())
    told = _take_stdout()
    configs: Configs = queue.SimpleQueue()
    threading.Thread(target=_read_configs, args=(configs,), daemon=True).start()
    # Ray's processes end with the thread that starts them, so this is no `attempt`; Ray raises plain exceptions.
    sys.excepthook = partial(_tell_no_ray, told)
    _start_ray(job)
    sys.excepthook = sys.__excepthook__
    threading.Thread(target=_watch_ray, args=(told,), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: configs.put(None))
    config = job.config
    failures = job.folder / FOLDER_NAME
    with _tell_what_is_loaded(told):
        status = _serve(partial(build, config, open_models), failures)
    _tell(told, status)
    while (changed := configs.get()) is not None:
        status = _replace_models(config, changed, open_models, failures)
        config = changed if status.what == "ready" else config
        _tell(told, status)
    drain(job.folder)
    _stop_ray()
    shutil.rmtree(job.folder, ignore_errors=True)  # the parent process may have been killed


def _read_configs(configs: Configs) -> None:
    for line in sys.stdin:
        configs.put(ServeConfig.model_validate_json(line))
    os.kill(os.getpid(), signal.SIGTERM)


def _take_stdout() -> IO[str]:
    """Return stdout, and let whatever else is printed here go to stderr."""
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return told


def _tell(told: IO[str], said: JobStatus) -> None:
    print(said.model_dump_json(), file=told, flush=True)


@contextmanager
def _tell_what_is_loaded(told: IO[str]) -> Iterator[None]:
    """Tell how many deployments are ready, whenever one more is, until the block ends."""
    ended = threading.Event()

    def look() -> None:
        """Tell each change, until the block ends."""
        before = JobStatus(what="loading")
        while not ended.wait(LOOK_EVERY_S):
            now = _count_ready()
            if now != before:
                _tell(told, now)
            before = now

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield
    finally:
        ended.set()
        looking.join()


def _count_ready() -> JobStatus:
    from ray import serve

    application = serve.status().applications.get(NAME)
    states = [one.status for one in application.deployments.values()] if application else []
    return JobStatus(what="loading", num_ready=states.count("HEALTHY"), num_deployments=len(states))


def _start_ray(job: Job) -> None:
    """Start Ray, and HAProxy under it."""
    import ray
    from ray import serve

    from services.deployments.ray_internals import LOOPBACK, leave_out_dashboard, make_start_options

    leave_out_dashboard()
    ray.init(
        address="local",  # never one that is already running
        include_dashboard=False,
        logging_level=logging.ERROR,
        object_store_memory=OBJECT_STORE_BYTES,
        **make_start_options(job.folder),
    )
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    # `_find_reason` reports a replica that cannot start; the controller would log each attempt.
    silent = QUIET | {"log_level": "CRITICAL"}
    options = {"host": LOOPBACK, "port": job.port}  # HAProxy listens on the host of the job
    serve.start(proxy_location="HeadOnly", http_options=options, logging_config=silent)


def _tell_no_ray(told: IO[str], kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    """Tell in one line why Ray did not start, in place of a traceback."""
    lines = str(error).split("\n")  # of an actor that could not start, the whole traceback: its last line says why
    why = next((line.strip().rstrip(".") for line in reversed(lines) if line.strip()), kind.__name__)
    _tell(told, JobStatus(what="no_ray", message=f"Ray did not start ({why})."))


def _watch_ray(told: IO[str]) -> None:
    """End this process, and with it the service, once a process of Ray ends that nothing replaces."""
    from services.deployments.ray_internals import name_ended_process

    while not (name := name_ended_process()):
        time.sleep(LOOK_EVERY_S)
    _tell(told, JobStatus(what="failed", message=f"Ray's {name} has ended, and with it the service; start it again."))
    os._exit(1)


def _replace_models(before: ServeConfig, after: ServeConfig, open_models: OpenModels, failures: Path) -> JobStatus:
    """Replace the served models without dropping a question (rolling update).

    New models are loaded before the agent calls them, and old ones are stopped once it no longer does.
    """
    for config, beside in ((before, after), (after, before), (after, None)):
        status = _serve(partial(build, config, open_models, beside=beside), failures)
        if status.what == "failed":
            _serve(partial(build, before, open_models), failures)
            return status.model_copy(update={"what": "kept"})
    return JobStatus(what="ready")


def _serve(build_application: "Callable[[], serve.Application]", failures: Path) -> JobStatus:
    from ray import serve

    clear_start_failures(failures)
    options = {"name": NAME, "route_prefix": "/", "logging_config": QUIET}
    why = attempt("serving the configuration", lambda: serve.run(build_application(), **options)).error
    return JobStatus(what="failed", message=_find_reason(failures) or why) if why else JobStatus(what="ready")


def _find_reason(failures: Path) -> str:
    """Return in one line why a model could not be opened, if the user can fix that; else log Ray's report."""
    if reported := read_start_failures(failures):
        return reported[-1].message
    from ray import serve

    application = serve.status().applications.get(NAME)
    for deployment in application.deployments.values() if application else ():
        sys.stderr.write(deployment.message + "\n")
    return ""


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
