"""Write the parts of the pages that come out of the code: the file tree and the table of embedded weights.

    python docs/tools/generated_parts.py    # `make docs` runs it; tests/test_pages.py compares

A page holds `<!-- generated: NAME -->` and `<!-- end -->`; what stands between the two is replaced.
"""

import ast
import html
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from agents.listening.calls import describe_tools
from lalm.catalog import HOSTS
from lalm.served_models import read_served_models
from services.weights import store

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
PACKAGES = ("services", "lalm", "agents", "eval", "deploy")
LISTED = {".py", ".json", ".yaml", ".safetensors"}
DATA = {
    "services/asr/languages.json": "English names of the languages that Whisper tells apart, by ISO 639 code",
    "agents/listening/classifiers/relation.safetensors": "Weights of the classifier of relations",
    "agents/listening/classifiers/mention.safetensors": "Weights of the classifier of which mention is asked for",
    "agents/listening/classifiers/difference.safetensors": "Weights of the classifier of differences among options",
    "services/captioners/rhythm/beat.safetensors": "Weights of the head that tells which period is the beat",
    "services/captioners/music/families.json": "Families of instruments",
    "services/captioners/music/instrument.safetensors": "Weights of the head that names instruments",
    "services/captioners/rhythm/metre.safetensors": "Weights of the head that tells how many beats make a bar",
    "services/captioners/music/styles.json": "Styles of music, what the taggers call them, and their usual scores",
    "services/captioners/rhythm/tempo_terms.json": "Tempo terms such as allegro, and their beats per minute",
    "services/captioners/rhythm/tempo_course.safetensors": "Weights of the head that tells how the tempo develops",
    "services/captioners/music/tunes.json": "Openings of well-known melodies, in semitones",
    "services/captioners/sounds/level_course.safetensors": "Weights of the head that tells how the level develops",
    "services/captioners/sounds/name_vectors.safetensors": "Sentence embeddings of the names of all sounds",
    "services/captioners/sounds/sound_head.safetensors": "Weights of the head that names sounds",
    "services/captioners/sounds/sounds.json": "Words for sounds, and the AudioSet classes that they stand for",
    "services/http/options/answer_words.json": "Words of many languages with which prompts say how to answer",
    "services/llms/earwitness-reader-0.5b/adapter_config.json": "The adapters' rank, scale and layers (PEFT)",
    "services/llms/earwitness-reader-0.5b/adapter_model.safetensors": "The adapters",
    "services/llms/earwitness-reader-0.5b/config.yaml": "Configuration of the training of the reader that ships",
    "services/sentences/all-minilm-l6-v2/config.json": "What CTranslate2 needs to know of the sentence encoder",
    "services/sentences/all-minilm-l6-v2/tokenizer.json": "Its tokenizer",
    "services/sentences/all-minilm-l6-v2/vocabulary.json": "Its word pieces",
    "services/weights/weights.json": "Catalogue of embedded weights: wheels, sizes, hashes, licences",
    "lalm/distill/prompt_pool.json": "The 150 prompts that backbones answer, in five styles, with personas",
    "lalm/distill/questions.json": "Wordings of the questions that metadata answers, at least six each",
    "lalm/distill/stop_words.json": "Stop words of twelve languages, by ISO 639-1 code",
    "lalm/distill/vocabulary.json": "Families of sounds and instruments, and wordings of answers",
    "lalm/synthesise/music/general_midi.json": "Instruments, sounds and drums of General MIDI, with ranges",
    "lalm/synthesise/music/styles.json": "Styles that a band plays, a bar of each part as text",
    "lalm/synthesise/sounds/models.json": "Names of the physical models, and what each sound means",
    "lalm/synthesise/sounds/scenes.json": "Places, and the sounds that give each away",
    "lalm/synthesise/speech/foreign.json": "Six sentences in 26 languages, with their meaning",
    "lalm/synthesise/speech/lists.json": "Words that fill the slots of scripts and sentences",
    "lalm/synthesise/speech/phonetics.json": "Words by rhyme, syllables, stress and first sound",
    "lalm/synthesise/speech/scripts.json": "Announcements, stories and dialogues with slots, and questions about them",
    "lalm/synthesise/speech/voices.json": "Voices of the synthesisers: speaker, language, accent, package, licence",
    "lalm/earwitness-tiny/config.yaml": "Configuration of the training of the LALM that ships",
    "lalm/earwitness-tiny/model.safetensors": "Its connector and adapters",
    "lalm/earwitness-tiny/naming.safetensors": "Its naming head",
    "lalm/earwitness-tiny/naming.yaml": "Size of its naming head, and the encoder that the head hears with",
    "lalm/earwitness-tiny/naming_quality.json": "What its naming head does on clips that are held back",
    "agents/reasons/negation.json": "English words that deny, and where what they deny ends",
    "agents/listening/classifiers/planner.safetensors": "Weights that choose the tool for a question",
    "agents/listening/classifiers/absent.safetensors": "Weights that find questions for what is absent",
    "agents/listening/classifiers/demands.safetensors": "Weights that find sentences that tell what to answer",
    "agents/listening/classifiers/said.safetensors": "Weights that find questions about what is said",
    "agents/reading/clock_words.json": "Words about the time of day in 27 languages: hour, half, quarter, past, to",
    "agents/reading/conclusions.json": "Wordings of conclusions and of denials in 28 languages",
    "agents/reading/calibration.json": "Temperatures of the embedded models, with how they were fitted",
    "agents/rows/frames.json": 'Frames that a question is put in, such as "Based on the audio, …"',
    "agents/routing/router.json": "The router that path auto uses, with where it comes from",
    "eval/akb_open/codec-facts.json": "Questions about codecs, each with the sentence of a specification",
    "eval/akb_open/word-facts.json": "Senses of WordNet that questions are made from",
    "eval/analysis/published.json": "The tables that the paper prints",
    "eval/benchmarks/akb-open.json": "AKB-open: 1,440 questions",
    "eval/variation/wordings.json": "Frames that control paraphrase puts questions in",
    "deploy/console/demo.json": "Questions about the demo clips",
    "deploy/console/demo-metadata.json": "What is known about the demo clips, as training data",
    "deploy/grafana/earwitness.json": "Grafana dashboard over /metrics",
    "deploy/k8s/kustomization.yaml": "Everything below, for `kubectl apply -k`",
}
"""Files that cannot say themselves what they are."""
FOLDERS = {
    "configs": "Configurations of training runs",
    "earwitness-reader-0.5b": "The reader that ships: adapters trained by us for an embedded LLM",
    "earwitness-tiny": "The LALM that ships: trained by us, small enough to lie in the repository",
    "all-minilm-l6-v2": "The sentence encoder that ships, in CTranslate2 int8",
    "grafana": "A dashboard for Grafana",
    "k8s": "Manifests for Kubernetes, run by KubeRay",
}
"""Folders without modules."""
MARKED = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", flags=re.DOTALL)


def main() -> None:
    """Write every generated part of every page."""
    for page in sorted(DOCS.glob("*.md")):
        before = page.read_text(encoding="utf-8")
        if (after := fill_parts(before)) != before:
            page.write_text(after, encoding="utf-8")


def fill_parts(page: str) -> str:
    """Return the text of a page with its generated parts as the code has them."""
    return MARKED.sub(lambda found: found[1] + PARTS[found[2]]() + found[3], page)


def file_tree() -> str:
    """Return a line of HTML for each folder of the five packages, which opens to its files with one line each."""
    return "\n" + "\n".join(line for package in PACKAGES for line in _list_folder(ROOT / package)) + "\n\n"


def _list_folder(folder: Path) -> Iterator[str]:
    files = sorted(path for path in folder.iterdir() if path.suffix in LISTED and path.name != "__init__.py")
    if files:
        about = _read_docstring(folder / "__init__.py") if (folder / "__init__.py").is_file() else FOLDERS[folder.name]
        name = f"<code>{folder.relative_to(ROOT).as_posix()}/</code>"
        items = "".join(f"<li><code>{path.name}</code> {_mark_up(first_line(path))}</li>" for path in files)
        yield f"<details><summary>{name} {_mark_up(about)}</summary><ul>{items}</ul></details>"
    for inner in sorted(path for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"):
        yield from _list_folder(inner)


def _mark_up(line: str) -> str:
    """Return a line of a docstring as HTML: what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(line, quote=False))


def first_line(path: Path) -> str:
    """Return what a file is, in one line: from its docstring, its first comment, or the table above."""
    name = path.relative_to(ROOT).as_posix()
    if path.suffix == ".py":
        return _read_docstring(path)
    if name in DATA:
        return DATA[name]
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first.startswith("# "), f"{name}: a first comment line has to say what it is, or DATA in this file"
    return first.removeprefix("# ")


def _read_docstring(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0].removesuffix(".")


def weights_table() -> str:
    """Return the table of the weights that come to this machine."""
    rows = ["| name | kind | download | licence | publisher |", "|---|---|---|---|---|"]
    for name, entry in store.list_weights().items():
        size = f"from `{entry.made_from}`" if entry.made_from else f"{entry.download_size / 1e6:,.0f} MB"
        where = " (Hugging Face Hub)" if entry.hub else ""
        rows.append(f"| `{name}` | {entry.kind} | {size}{where} | {entry.licence} | {entry.publisher} |")
    return "\n" + "\n".join(rows) + "\n\n"


def tools_table() -> str:
    """Return the table of the tools of the listening agent."""
    rows = ["| tool | what it finds | arguments | nothing where |", "|---|---|---|---|"]
    for tool in describe_tools():
        required = frozenset(tool.arguments.get("required", ()))
        names = [f"**`{name}`**" if name in required else f"`{name}`" for name in tool.arguments["properties"]]
        rows.append(f"| `{tool.name}` | {tool.description} | {', '.join(names)} | {tool.says_nothing} |")
    return "\n" + "\n".join(rows) + "\n\n"


def lalms_table() -> str:
    """Return the table of the LALMs: what they need, and where their request form was read."""
    shipped = (
        "| `earwitness-tiny` (default) | ships with the package | 11 M trained, 155 M frozen | Apache-2.0 | here | |"
    )
    rows = ["| name | weights | parameters | licence | runs | form read |", "|---|---|---|---|---|---|", shipped]
    for name, model in read_served_models().items():
        licence = model.licence if model.commercial else f"{model.licence} (**not for commercial use**)"
        runs = f"`{HOSTS[model.host].key}`" if model.host else _describe_server(model.needs)
        form = f"[{model.read_on}]({model.source})" if model.read_on else f"[unchecked]({model.source})"
        rows.append(
            f"| `{name}` | `{model.weights}` | {model.parameters} | {licence} | "
            f"{'here or ' if model.runs_in_process else ''}{runs} | {form} |"
        )
    return "\n" + "\n".join(rows) + "\n\n"


def _describe_server(needs: str) -> str:
    """Return the server that a model needs, a plain command as code."""
    if needs.startswith("a server"):
        return needs
    return "server: `vllm serve`" if needs.startswith("vllm serve") and needs.count(" ") == 2 else f"server: {needs}"


PARTS: Mapping[str, Callable[[], str]] = {
    "lalms": lalms_table,
    "tools": tools_table,
    "tree": file_tree,
    "weights": weights_table,
}


if __name__ == "__main__":
    main()
