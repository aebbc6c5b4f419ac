"""The real engine with an embedded LLM: needs vLLM 0.32.0, see docs/exporting.md.

python -m pytest -m vllm tests/services/llms/test_vllm_engine.py
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from services.catalog import open_llm
from services.errors import ModelError
from services.llms.in_process import InProcessLLM
from services.protocols import LLM
from services.types import Choice, Message, Sampling
from services.weights import store as weights

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(900)]

BACKBONE = "smollm2-135m-backbone"
SHORT = Sampling(max_tokens=12)
START_S = 300
NAMED = zip("ABC", ("a dog", "rain", "a bell"), strict=True)
CHOICES = tuple(Choice(letter=letter, text=text) for letter, text in NAMED)
ASKED = [
    (Message(role="system", content="Answer with the letter."), Message(role="user", content=question))
    for question in ("Which animal barks?\nA. a dog\nB. rain\nC. a bell", "What falls?\nA. a dog\nB. rain\nC. a bell")
]


@pytest.fixture(scope="module")
def here() -> LLM:
    return InProcessLLM(weights.ensure_folder(BACKBONE), name=BACKBONE, sampling=SHORT)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LLM]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", str(weights.ensure_folder(BACKBONE))]
    command += ["--served-model-name", BACKBONE, "--host", "127.0.0.1", "--port", str(port), "--dtype", "float32"]
    command += ["--max-model-len", "512", "--enforce-eager"]
    log = tmp_path_factory.mktemp("vllm") / "log"
    process = subprocess.Popen(command, stdout=log.open("w"), stderr=subprocess.STDOUT)
    try:
        wait_until_healthy(process, port, log)
        yield open_llm(BACKBONE, f"http://127.0.0.1:{port}/v1", SHORT)
    finally:
        process.terminate()
        process.wait()


def wait_until_healthy(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health").status_code == HTTPStatus.OK:
                return
        except httpx.TransportError:
            time.sleep(0.5)
    pytest.fail(log.read_text()[-2000:])


@pytest.mark.parametrize("number", range(len(ASKED)))
async def test_a_server_scores_and_replies_as_transformers_does(number: int, here: LLM, served: LLM) -> None:
    expected, found = await here.choose(ASKED[number], CHOICES), await served.choose(ASKED[number], CHOICES)
    assert found.reply.startswith(expected.reply)  # a server's reply goes on behind the letter
    assert found.probabilities == pytest.approx(expected.probabilities, abs=0.01)
    assert (await served.complete(ASKED[number])).reply == (await here.complete(ASKED[number])).reply


async def test_the_engine_in_this_process_scores_and_replies_as_transformers_does(
    here: LLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.llms.vllm_engine import VllmEngine

    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    engine = VllmEngine(str(weights.ensure_folder(BACKBONE)), name=BACKBONE, sampling=SHORT)
    for asked in ASKED:
        expected, found = await here.choose(asked, CHOICES), await engine.choose(asked, CHOICES)
        assert found.reply == expected.reply
        assert found.probabilities == pytest.approx(expected.probabilities, abs=0.05)  # bfloat16 against float32
    reading = await engine.complete(ASKED[0])
    assert (reading.usage.completion_tokens, reading.is_finished) == (SHORT.max_tokens, False)
    assert reading.reply == (await here.complete(ASKED[0])).reply


def test_without_a_gpu_a_hub_model_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match=r"'phi-4' needs a CUDA GPU with vLLM"):
        open_llm("phi-4")
