"""A digest changes with every line of what it names, and with nothing else."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grimp
import numpy as np
import pytest

from agents.listening.comparing import CODE as COMPARISON
from agents.listening.measured import CODE as MEASUREMENT
from agents.listening.options.times import CODE as TIME_OPTIONS
from agents.listening.ordering.order import CODE as ORDER
from agents.listening.transcript import CODE as SAID
from eval.run.session import PROMPTS
from lalm.probing.activations import CODE as ACTIVATIONS
from lalm.runtimes.own_vllm import CODE as EXPORT
from lalm.synthesise.recipe import CODE as SYNTHESIS
from lalm.train.features import CODE as ENCODER
from services.asr.faster_whisper import CODE as ASR
from services.captioners.acoustic import CODE as CAPTIONER
from services.digest import ROOT, hash_modules
from services.types import AudioClip, Label, Question

NO_INFLUENCE = {
    "services.command": "exit codes",
    "services.deadline": "says how long, not what",
    "services.digest": "its own revision",
    "services.environment": "places and keys",
    "services.errors": "says why there is no caption",
    "services.files": "writes and finds files",
    "services.lazy": "says when, not what",
    "services.native_libraries": "how many threads compute the same sums",
    "services.progress": "tells how far the work is",
    "services.protocols": "interfaces and their records; what is done with them stands in the modules that count",
    "services.settings": "places and keys",
    "services.cancellation": "ends work early, or not",
    "services.terminal": "shows how far the work is",
    "services.types": "nouns, and the little that they do is fixed by a test below",
    "services.weights": "the weights have revisions of their own, which are part of the captioner's",
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the packages, so that lines can be changed; a test leaves it as it was."""
    copy = tmp_path_factory.mktemp("tree")
    for package in ("services", "lalm", "agents", "eval"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@contextmanager
def rewritten(path: Path, content: bytes) -> Iterator[None]:
    before = path.read_bytes() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    yield
    if before is None:
        path.unlink()
    else:
        path.write_bytes(before)


def changes(names: tuple[str, ...], tree: Path, file: str, content: bytes) -> bool:
    """Tell whether other content of a file gives another digest of these modules."""
    before = hash_modules(*names, root=tree)
    with rewritten(tree / file, content):
        return hash_modules(*names, root=tree) != before


@pytest.mark.parametrize(
    ("names", "file"),
    [
        (CAPTIONER, "services/captioners/acoustic.py"),
        (CAPTIONER, "services/captioners/onnx_session.py"),
        (CAPTIONER, "services/captioners/music/instrument.safetensors"),
        (CAPTIONER, "services/captioners/music/tunes.json"),
        (CAPTIONER, "services/captioners/music/viterbi.py"),
        (CAPTIONER, "services/captioners/sounds/sounds.json"),
        (CAPTIONER, "services/captioners/sounds/tags.py"),
        (CAPTIONER, "services/captioners/stop_words.txt"),
        (CAPTIONER, "services/captioners/voices/turns.py"),
        (CAPTIONER, "services/sentences/all-minilm-l6-v2/model.bin"),
        (ORDER, "services/sentences/encoder.py"),
        (ASR, "services/asr/decoder.py"),
        (ASR, "services/asr/faster_whisper.py"),
        (ASR, "services/asr/speech.py"),
        (ASR, "services/asr/languages.json"),
        (ASR, "services/asr/languages.py"),
        (ENCODER, "lalm/model/encoder.py"),
        (ENCODER, "services/captioners/sounds/yamnet.py"),
        (ACTIVATIONS, "lalm/model/connector.py"),
        (ACTIVATIONS, "lalm/train/desta.py"),
        (ACTIVATIONS, "services/captioners/sounds/yamnet.py"),
        (EXPORT, "lalm/model/connector.py"),
        (EXPORT, "lalm/train/desta.py"),
        (SYNTHESIS, "lalm/distill/speech_facts.py"),
        (SYNTHESIS, "services/captioners/sounds/yamnet.py"),
        (COMPARISON, "agents/listening/comparing.py"),
        (COMPARISON, "services/captioners/voices/voiceprint.py"),
        (MEASUREMENT, "agents/listening/measuring_tools.py"),
        (MEASUREMENT, "agents/listening/options/times.py"),
        (MEASUREMENT, "services/captioners/sounds/yamnet.py"),
        (ORDER, "agents/listening/ordering/solver.py"),
        (ORDER, "agents/listening/classifiers/text_classifier.py"),
        (ORDER, "agents/listening/classifiers/relation.safetensors"),
        (SAID, "agents/reading/numbers.py"),
        (SAID, "agents/reading/stop_words.txt"),
        (TIME_OPTIONS, "agents/reading/numbers.py"),
        (TIME_OPTIONS, "services/number_words.py"),
        (PROMPTS, "agents/reading/prompts.py"),
        (PROMPTS, "agents/routing/router.json"),
        (PROMPTS, "lalm/prompting.py"),
        (PROMPTS, "lalm/runtimes/request_form.py"),
        (PROMPTS, "services/longform/overview.py"),
        (PROMPTS, "services/captioners/music/families.json"),
        (PROMPTS, "services/captioners/sounds/sounds.json"),
        (PROMPTS, "services/llms/openai_server.py"),
        (PROMPTS, "services/measurement/spectrum.py"),
    ],
)
def test_one_changed_line_gives_another_digest(names: tuple[str, ...], file: str, tree: Path) -> None:
    assert changes(names, tree, file, (tree / file).read_bytes() + b"\n")


@pytest.mark.parametrize(
    ("names", "file"),
    [
        (CAPTIONER, "services/http/gateway.py"),
        (CAPTIONER, "services/captioners/served.py"),
        (CAPTIONER, "services/captioners/music/__pycache__/tunes.cpython-311.pyc"),
        (ASR, "services/captioners/acoustic.py"),
        (PROMPTS, "services/catalog.py"),
    ],
)
def test_an_unrelated_file_does_not_change_it(names: tuple[str, ...], file: str, tree: Path) -> None:
    assert not changes(names, tree, file, b"changed")


def test_the_name_of_a_file_counts(tree: Path) -> None:
    before = hash_modules("agents", root=tree)
    with rewritten(tree / "agents/empty.py", b""):
        empty = hash_modules("agents", root=tree)
    with rewritten(tree / "agents/other.py", b""):
        assert len({before, empty, hash_modules("agents", root=tree)}) == 3


def test_in_which_file_a_line_stands_counts(tree: Path) -> None:
    """The bytes of all files, one after the other, stay what they were."""
    before = hash_modules("agents", root=tree)
    first, second = tree / "agents/auto.py", tree / "agents/cascade.py"
    head, last = first.read_bytes()[:-8], first.read_bytes()[-8:]
    with rewritten(first, head), rewritten(second, last + second.read_bytes()):
        assert hash_modules("agents", root=tree) != before


def test_a_copy_has_the_same_digest_in_whatever_order_the_modules_are_named(tree: Path) -> None:
    assert hash_modules(*reversed(PROMPTS), root=tree) == hash_modules(*PROMPTS)


def test_what_the_nouns_do_to_a_statement_does_not_change() -> None:
    """`services.types` counts in no digest, so whoever changes one of these has to let it count."""
    assert [str(Label(text="rain", probability=0.834)), str(Label(text="rain"))] == ["rain (0.83)", "rain"]
    assert Label.round_to_label("rain", 0.8349).probability == 0.83
    clip = AudioClip(np.arange(16_000, dtype=np.float32), 8_000, 2)
    assert (clip.duration_s, len(clip.cut(0.1, 0.30004).samples), clip.cut(0.1, 0.2).samples[0]) == (1.0, 3201, 1_600)
    asked = Question.ask("Which?", ("rain", "wind"))
    assert [(one.letter, one.text) for one in asked.choices] == [("A", "rain"), ("B", "wind")]


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("services.captioners.acoustic", CAPTIONER),
        ("services.asr.faster_whisper", ASR),
        ("lalm.model.encoder", ENCODER),
        ("lalm.model.hub_encoder", ENCODER),
        ("lalm.model.yamnet_encoder", ENCODER),
        ("services.captioners.sounds.mentions", PROMPTS),
    ],
)
def test_all_that_a_model_of_ours_imports_counts_or_has_no_influence(module: str, names: tuple[str, ...]) -> None:
    imported = grimp.build_graph("services", "lalm").find_upstream_modules(module)
    known = (*names, *NO_INFLUENCE)
    assert [one for one in sorted(imported) if not any(f"{one}.".startswith(f"{name}.") for name in known)] == []
