"""Every command and snippet that README.md and docs/ show is a test case; CONTRIBUTING.md explains the marks."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from subprocess import PIPE

import pytest
import yaml

from deploy.config import read_serve_config

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
FENCE = re.compile(r"^([ >]*)(`{3,})([\w-]*)([^`\n]*)\n(.*?)^\1\2[ ]*$", flags=re.DOTALL | re.MULTILINE)
LANGUAGES = {"console", "csv", "python", "yaml", "json", "toml", "javascript", "text"}
OURS = ("earwitness", "eval", "run", "python", "make")
SERVICE = "http://127.0.0.1:8000"
NEEDS, RUNNING, RUN_BY = "needs ", "with the service running", "run by "
SECRETS = ("OPENAI_API_KEY", "GEMINI_API_KEY", "ANTHROPIC_API_KEY", "EARWITNESS_API_KEY", "HF_TOKEN")
READY_S = 400.0


@dataclass(frozen=True)
class Step:
    """A command, a snippet or a file that a page shows."""

    page: str
    line: int
    language: str
    title: str
    text: str

    @property
    def is_file(self) -> bool:
        """Whether the title is the name of a file, which the commands below it read."""
        return bool(re.fullmatch(r"[\w./-]+\.\w+", self.title))

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {self.text.splitlines()[0][:60]}"


def steps_of(page: Path) -> Iterator[Step]:
    """Yield what a page shows, in its order."""
    text, name = page.read_text(encoding="utf-8"), page.relative_to(ROOT).as_posix()
    for match in FENCE.finditer(text):
        indent, _, language, info, body = match.groups()
        first = text.count("\n", 0, match.start()) + 2
        title = "".join(re.findall(r'title="([^"]*)"', info))
        lines = [line.removeprefix(indent) for line in body.splitlines()]
        if language != "console":
            yield Step(name, first, language, title, "\n".join(lines) + "\n")
            continue
        for at, line in enumerate(lines):
            if line.startswith("$ "):
                end = at
                while lines[end].endswith("\\"):
                    end += 1
                yield Step(name, first + at, language, title, "\n".join(lines[at : end + 1])[2:])


STEPS = tuple(step for page in PAGES for step in steps_of(page))


def chosen(language: str, title: str) -> list[object]:
    """Return the steps of a language whose title begins so, as parameters."""
    these = [step for step in STEPS if step.language == language and not step.title.startswith(RUN_BY)]
    marked = (NEEDS, RUNNING)
    if title:
        these = [step for step in these if step.title.startswith(title)]
    else:
        these = [step for step in these if not step.title.startswith(marked) and not step.is_file]
    return [pytest.param(step, id=str(step)) for step in these]


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that looks like the root of a clone after `make demo`.

    All pages share it, as they share a reader's: a run that an earlier page made is resumed, and asks nothing again.
    """
    folder = tmp_path_factory.mktemp("documentation") / "clone"
    folder.mkdir()
    run(f"earwitness demo {folder / 'demo'}", ROOT)
    for entry in ROOT.iterdir():
        if entry.name not in {".git", "demo", "runs", "site", "build"}:
            (folder / entry.name).symlink_to(entry)
    return folder


@pytest.fixture(scope="session")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve commands from a process that has imported what they need; yield the PATH on which they are found.

    Only Linux allows any library to be used after a fork; elsewhere the commands that are installed are found.
    """
    installed = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    if sys.platform != "linux":
        yield installed
        return
    folder = tmp_path_factory.mktemp("commands")
    command = [sys.executable, Path(__file__).with_name("command_server.py"), folder]
    ours = {**os.environ, "COLUMNS": "120", "OMP_NUM_THREADS": "1"}  # a server with other threads cannot fork
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, env=ours) as server:
        assert server.stdin and server.stdout and server.stdout.readline() == b"ready\n"
        yield f"{folder}:{installed}"
        server.stdin.close()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the configuration that ships, without keys, on a free port; yield the URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    log = tmp_path_factory.mktemp("service") / "log"
    command = [sys.executable, "-m", "deploy.cli", "serve", "--port", url.rpartition(":")[2]]
    with log.open("w") as file, subprocess.Popen(command, stdout=file, stderr=file, cwd=ROOT) as process:
        try:
            wait_until_ready(url, process)
            yield url
        finally:
            process.terminate()


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Return once the service has loaded its models."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    pytest.fail(f"The service was not ready within {READY_S:.0f} s.")


def run(command: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command in a shell as a person would who has activated the virtual environment."""
    ours = {name: value for name, value in os.environ.items() if name not in SECRETS}
    ours |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "120", **environment}
    shell = ["/bin/bash", "-c", command]
    return subprocess.run(shell, cwd=folder, capture_output=True, text=True, env=ours, check=False, timeout=880)


def write_files(step: Step, folder: Path) -> None:
    """Write the files that the page shows above a step; those below it are not there yet, whatever ran before."""
    for other in STEPS:
        target = folder / other.title
        if other.page != step.page or not other.is_file or target.resolve().is_relative_to(ROOT):
            continue
        if other.line < step.line:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(other.text)
        else:
            target.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def asked() -> dict[str, "subprocess.CompletedProcess[str]"]:
    """What commands came to that change nothing: a question, or a dry run, that several pages show is asked once."""
    return {}


@pytest.mark.timeout(900)
@pytest.mark.weights
@pytest.mark.parametrize("step", chosen("console", ""))
def test_a_command_runs(
    step: Step, clone: Path, fast: str, asked: dict[str, "subprocess.CompletedProcess[str]"]
) -> None:
    write_files(step, clone)
    command = shlex.join(shlex.split(step.text.replace("\\\n", " "), comments=True))
    done = asked.get(command) or run(step.text, clone, PATH=fast)
    if command.startswith("earwitness ask") or command.endswith("--dry-run"):
        asked[command] = done
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
    for told in re.findall(r"evidence \(read \d+ of \d+\)|^Answer: [A-Z]\) .*", read_shown(step), re.MULTILINE):
        assert told in done.stdout


@pytest.mark.timeout(900)
@pytest.mark.weights
def test_make_demo_runs(clone: Path, fast: str) -> None:
    """The environment is there already, and its commands are served."""
    done = run(f"make --assume-old=.venv/.ready demo BIN={fast.partition(':')[0]}", clone)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
    assert done.stdout.count("\nAnswer: ") == 3
    assert "\nRun folder: runs/demo\n" in done.stdout


BY_HAND = {"run by hand: it makes an environment for vLLM"}


@pytest.mark.parametrize("title", sorted({step.title for step in STEPS if step.title.startswith(RUN_BY)} - BY_HAND))
def test_what_is_said_to_run_a_command_is_there(title: str) -> None:
    named = re.findall(r"tests/[\w/]+(?:\.py)?", title)
    assert named or title.startswith("run by CI")
    assert [one for one in named if not (ROOT / one).exists()] == []


def test_what_ci_is_said_to_run_is_a_verb_of_the_makefile() -> None:
    verbs = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    commands = [shlex.split(step.text, comments=True) for step in STEPS if step.title.startswith("run by CI")]
    assert {command[0] for command in commands} == {"make"}
    assert {command[1] for command in commands} <= set(verbs)


def read_shown(step: Step) -> str:
    """Return the output that the page shows right below a command; empty where it shows none."""
    following = STEPS[STEPS.index(step) + 1 :][:1]
    return "".join(below.text for below in following if (below.page, below.language) == (step.page, "text"))


@pytest.mark.alone
@pytest.mark.timeout(600)  # the first one waits for the service
@pytest.mark.weights
@pytest.mark.parametrize("step", chosen("console", RUNNING))
def test_a_command_is_answered_by_the_service(step: Step, clone: Path, service: str) -> None:
    write_files(step, clone)
    done = run(step.text.replace(SERVICE, service), clone)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
    assert not done.stdout.startswith('{"error"')


@pytest.mark.weights
@pytest.mark.parametrize("step", chosen("console", NEEDS))
def test_a_command_names_what_it_needs(step: Step, clone: Path, fast: str) -> None:
    """Ours end with one line about what is missing; of other programs the files that they are given are looked up."""
    words = shlex.split(step.text)
    if words[0] not in OURS:
        assert not missing_files(words)
        return
    write_files(step, clone)
    done = run(step.text, clone, PATH=fast, CUDA_VISIBLE_DEVICES="")  # the Hub is off for all tests
    assert done.returncode not in {0, 126, 127}, done.stdout[-1000:]
    last = done.stderr.rstrip().splitlines()[-1]
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    assert re.match(r"[\w .]+: \S", last), last


def missing_files(words: list[str]) -> list[str]:
    """Return the words of a command that look like files of the repository and are not there."""
    named = [
        word
        for word in words
        if re.fullmatch(r"(services|lalm|agents|eval|deploy|benchmarks|tests|docs)/[\w./-]+", word)
    ]
    return [word for word in named if not (ROOT / word).exists()]


@pytest.mark.weights
@pytest.mark.parametrize("step", chosen("python", ""))
def test_a_script_runs(step: Step, clone: Path, fast: str) -> None:
    write_files(step, clone)
    (clone / "snippet.py").write_text(step.text)
    done = run("python snippet.py", clone, PATH=fast)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.alone
@pytest.mark.timeout(600)  # the first one waits for the service
@pytest.mark.weights
@pytest.mark.parametrize("step", chosen("python", RUNNING))
def test_a_script_is_answered_by_the_service(step: Step, clone: Path, service: str) -> None:
    (clone / "snippet.py").write_text(step.text.replace(SERVICE, service))
    done = run("python snippet.py", clone)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("step", [pytest.param(step, id=str(step)) for step in STEPS if step.language == "python"])
def test_python_compiles(step: Step) -> None:
    compile(step.text, f"{step.page}:{step.line}", "exec")


@pytest.mark.parametrize(
    "step", [pytest.param(step, id=str(step)) for step in STEPS if step.language in {"yaml", "json", "toml"}]
)
def test_data_can_be_read(step: Step) -> None:
    if step.language == "json" and not step.title.endswith(".jsonl"):
        assert json.loads(step.text) is not None
    elif step.language == "json":
        assert all(json.loads(line) for line in step.text.splitlines())
    elif step.language == "toml":
        assert tomllib.loads(step.text)
    else:
        assert list(yaml.safe_load_all(step.text))


def test_the_configuration_of_the_service_can_be_used(tmp_path: Path) -> None:
    shown = [step for step in STEPS if step.title == "my-service.yaml"]
    (tmp_path / "my-service.yaml").write_text(shown[0].text)
    assert read_serve_config(tmp_path / "my-service.yaml").limits.audio_urls.hosts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tool", "written"), [("openapi.py", "openapi.json"), ("graph_drawing.py", "images/graph.svg")]
)
def test_what_is_generated_is_up_to_date(tool: str, written: str) -> None:
    command = f"python docs/tools/{tool}"
    assert run(command, ROOT).stdout == (ROOT / "docs" / written).read_text(), f"{command} > docs/{written}"


def test_the_experiment_log_has_a_line_for_each_entry() -> None:
    folder = ROOT / "docs" / "log"
    entries = [
        f"{date} · {question}"
        for month in sorted(folder.glob("20*.md"))
        for date, question in re.findall(r"^## (\S+) · (.*)$", month.read_text(), flags=re.MULTILINE)
    ]
    lines = re.findall(r"^\| (\S+) \| \[(.*)\]\(.*\) \| .+ \|$", (folder / "index.md").read_text(), flags=re.MULTILINE)
    assert [f"{date} · {question}" for date, question in lines] == entries


@pytest.mark.skipif(shutil.which("node") is None, reason="node reads JavaScript; it is not installed")
@pytest.mark.parametrize("step", [pytest.param(step, id=str(step)) for step in STEPS if step.language == "javascript"])
def test_javascript_can_be_read(step: Step, tmp_path: Path) -> None:
    (tmp_path / "snippet.mjs").write_text(step.text)
    done = run("node --check snippet.mjs", tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Path) -> None:
    assert {step.language for step in steps_of(page)} <= LANGUAGES
    text = page.read_text()
    assert not re.findall(r"^[ >]*```(?:bash|sh|shell)", text, flags=re.MULTILINE)
    consoles = [match[5] for match in FENCE.finditer(text) if match[3] == "console"]
    assert all(re.match(r"[ >]*\$ ", body) for body in consoles), "a command begins with `$ `, or nothing runs it"


def test_only_one_line_is_read_twice_by_the_shell() -> None:
    """The builtin `eval` would take quotes and `$` for itself: all other lines begin with `earwitness`."""
    bare = {step.text.strip() for step in STEPS if step.language == "console" and step.text.split()[0] == "eval"}
    assert bare == {"eval run --path cascade --llm phi-4"}


def test_the_readme_is_one_page() -> None:
    text = PAGES[0].read_text()
    assert len(text.splitlines()) <= 160
    assert len(text.split()) <= 1300


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_a_page_can_be_read_at_one_go(page: Path) -> None:
    text = re.sub(r'--8<-- "(.+)"', lambda included: (ROOT / included[1]).read_text(), page.read_text())
    assert 60 <= len(text.splitlines()) <= 200


def test_the_pages_can_be_surveyed() -> None:
    assert 18 <= len(list((ROOT / "docs").glob("*.md"))) <= 24


class Loaded(HTMLParser):
    """Collects what a browser loads together with a page."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag in {"script", "img", "iframe", "source", "video", "audio", "embed"}:
            self.urls.append(named.get("src", ""))
        if tag == "link":
            self.urls.append(named.get("href", ""))
        if "mermaid" in named.get("class", "").split():
            self.urls.append("https://unpkg.com/mermaid")  # Material would load it from there


@pytest.mark.slow
def test_the_built_pages_ask_no_other_server(tmp_path: Path) -> None:
    done = run(f"mkdocs build --strict --site-dir {tmp_path}", ROOT, NO_MKDOCS_2_WARNING="1")
    assert done.returncode == 0, done.stderr[-3000:]
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) > len(list((ROOT / "docs").glob("*.md")))
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text())
        assert not [url for url in loaded.urls if re.match(r"(\w+:)?//", url)], page.name
    for style in tmp_path.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", style.read_text()), style.name
