"""Starts a vLLM server for a run of `lalm.train`, on loopback; it ends together with this process.

The configuration chooses the engine (`lalm_engine`); there is no fallback from one to the other.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

import torch
from filelock import FileLock
from pydantic import SecretStr

from lalm.export.hf_folder import export
from lalm.export.vllm_version import require_vllm
from lalm.runtimes.served_run import ServedTrainedLALM
from lalm.train import run_files
from services.clients.chat_server import Endpoint
from services.digest import hash_modules
from services.errors import ModelError
from services.protocols import ASR
from services.settings import read_settings

START_S = 600.0  # timeout; a large backbone takes minutes to load and compile
CODE = ("lalm.export", "lalm.model", "lalm.prompting", "lalm.train.checkpoint", "lalm.train.desta")
"""Code that an exported folder depends on."""
POLL_S = 0.5
MAX_TOKENS = 2048  # prompt and reply together
# vLLM's GPU model runner does not accept logits processors written for the CPU model runner.
ON_CPU = (
    *("--dtype", "float32", "--enforce-eager", "--block-size", "32"),
    *("--logits-processors", "lalm.export.vllm_reply:ForcedReplyProcessor"),
)
DIE_WITH_PARENT = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 15)  # PR_SET_PDEATHSIG, SIGTERM: ends with its parent thread
os.execv(sys.argv[1], sys.argv[1:])
"""


class VllmServerProcess:
    """Child process `vllm serve` that ends with this process, even if that is killed.

    Args:
        folder: run of `lalm.train`; it is exported once, below the cache folder.
        name: model name on the server.

    Raises:
        BadConfig: the right version of vLLM is not installed.
        ModelError: the server did not start.
    """

    def __init__(self, folder: Path, name: str) -> None:
        require_vllm()
        self._name = name
        self._key = secrets.token_urlsafe()
        port = _find_free_port()
        command = [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", str(_export_once(folder))]
        command += ["--served-model-name", name, "--host", "127.0.0.1", "--port", str(port)]
        command += ["--max-model-len", str(MAX_TOKENS), "--limit-mm-per-prompt", json.dumps({"audio": 1})]
        share = f"{read_settings().vllm_memory:g}"
        command += ("--gpu-memory-utilization", share) if torch.cuda.is_available() else ON_CPU
        self._process = subprocess.Popen(  # noqa: S603 - our own words and a folder of ours
            [sys.executable, "-c", DIE_WITH_PARENT, *command],
            env={**os.environ, "VLLM_API_KEY": self._key},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
        )
        self._port = port
        self._wait()

    @property
    def endpoint(self) -> Endpoint:
        """URL, model name and API key of the server."""
        return Endpoint(url=f"http://127.0.0.1:{self._port}/v1", model=self._name, api_key=SecretStr(self._key))

    def close(self) -> None:
        """Stop the server, and wait until it has ended."""
        self._process.terminate()
        self._process.wait()

    def _wait(self) -> None:
        end = time.monotonic() + START_S
        while not self._is_healthy():
            if (code := self._process.poll()) is not None:
                raise ModelError(f"vLLM ended with code {code} before it served {self._name!r}; its log says why.")
            if time.monotonic() > end:
                self.close()
                raise ModelError(f"vLLM did not serve {self._name!r} within {START_S:g} s; its log says why.")
            time.sleep(POLL_S)

    def _is_healthy(self) -> bool:
        asking = HTTPConnection("127.0.0.1", self._port, timeout=POLL_S)
        try:
            asking.request("GET", "/health")
            return asking.getresponse().status == HTTPStatus.OK
        except OSError:
            return False
        finally:
            asking.close()


class OwnVllmTrainedLALM(ServedTrainedLALM):
    """A LALM made by `lalm.train`, run by a vLLM server that we start; implements `LALM`."""

    def __init__(self, folder: Path, *, name: str, asr: ASR | None) -> None:
        self._server = VllmServerProcess(folder, name)
        super().__init__(folder, self._server.endpoint, name=name, asr=asr)


def _export_once(folder: Path) -> Path:
    """Export the run for vLLM, once for each revision of the run and of the exporting code; return the folder."""
    target = read_settings().home / "exported" / f"{run_files.compute_revision(folder)}-{hash_modules(*CODE)[:8]}"
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if not target.is_dir():
            export(folder, target)
    return target


def _find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
