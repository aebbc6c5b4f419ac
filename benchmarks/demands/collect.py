"""Collect ordinary sentences for `fit.py` out of freely licensed packages, into `sentences.json`.

    pip download --no-deps chatterbot-corpus==1.3.3 chitchat-dataset==0.9.0; apt-get download r-cran-janeaustenr
    python -m benchmarks.demands.collect chatterbot_corpus-*.whl chitchat_dataset-*.whl r-cran-janeaustenr_*.deb

The packages hold dialogues in 28 languages (BSD licence), conversations of people who type (MIT), and six novels by
Jane Austen (public domain; needs `dpkg-deb`). With them come the dialogues and sentences that our training speech is
synthesised from. None is from a validation set.
"""

import json
import random
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import yaml

HERE = Path(__file__).parent
SPEECH = HERE.parents[1] / "lalm" / "synthesise" / "speech"
ENDS = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])")
STRING = re.compile(rb"\x00\x04\x00\x09(....)", re.DOTALL)
"""A string in R's serialisation (XDR): its type, then its length."""
PLAIN = re.compile(r"[A-Za-z' ,.?!-]{20,200}")
COARSE = re.compile(r"fuck|shit|bitch|sex|rape|porn|kill|\bass\b|whore|dick", re.IGNORECASE)
LEAST_CHARS, MOST_CHARS = 4, 240
MOST_OF_A_LANGUAGE = 260  # of dialogues, but English
NUM_ENGLISH, NUM_CONVERSATIONS, NUM_NOVELS = 900, 2000, 1800


def read_dialogues(wheel: Path) -> dict[str, list[str]]:
    """Read what is said in dialogues, by language."""
    found: dict[str, list[str]] = {}
    with ZipFile(wheel) as packed:
        for name in sorted(packed.namelist()):
            if name.endswith(".yml"):
                rows = yaml.safe_load(packed.read(name).decode())["conversations"] or []
                said = [str(line) for row in rows for line in (row if isinstance(row, list) else [row])]
                found.setdefault(name.split("/")[2], []).extend(said)
    return found


def read_conversations(wheel: Path) -> list[str]:
    """Read what people say in conversations, in English; without lines that hold a number or coarse words."""
    with ZipFile(wheel) as packed:
        rows = json.loads(packed.read("chitchat_dataset/dataset.json"))
    said = (message["text"] for row in rows.values() for turn in row["messages"] for message in turn)
    return [text for text in said if PLAIN.fullmatch(text) and not COARSE.search(text)]


def read_novels(package: Path) -> list[str]:
    """Read the text of the novels, the lines of each joined."""
    with TemporaryDirectory() as folder:
        subprocess.run(["dpkg-deb", "-x", str(package), folder], check=True)  # noqa: S603, S607 - a package of ours to read
        base = next(Path(folder).rglob("Rdata.rdb")).read_bytes()
    lines, place = [], 0
    while place < len(base):  # of chunks, each the length before and the deflated bytes after
        inflate = zlib.decompressobj()
        content = inflate.decompress(base[place + 4 :])
        place = len(base) - len(inflate.unused_data)
        for found in STRING.finditer(content):
            size = int.from_bytes(found[1])
            lines.append(content[found.end() : found.end() + size].decode("utf-8", "replace"))
    paragraphs = "\n".join(lines).split("\n\n")
    return [" ".join(paragraph.split()) for paragraph in paragraphs]


def read_own() -> list[str]:
    """Read the sentences that our training speech is made of."""
    scripts = json.loads((SPEECH / "scripts.json").read_text(encoding="utf-8"))
    foreign = json.loads((SPEECH / "foreign.json").read_text(encoding="utf-8"))
    return [*(turn[1] for script in scripts for turn in script["turns"]), *_walk(foreign)]


def _walk(value: object) -> Iterator[str]:
    """Yield the texts of nested lists and objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner)


def select(texts: list[str], num: int, rng: random.Random) -> list[str]:
    """Select sentences of a speakable length, at random; each once."""
    sentences = (one.strip().strip("\"'“”‘’_-") for text in texts for one in ENDS.split(text.replace("_", "")))
    usable = sorted({one for one in sentences if LEAST_CHARS <= len(one) <= MOST_CHARS and "http" not in one})
    return sorted(rng.sample(usable, min(num, len(usable))))


def main() -> None:
    """Collect and write."""
    rng = random.Random(0)  # noqa: S311 - no secret
    dialogues = read_dialogues(Path(sys.argv[1]))
    found = {
        f"dialogues {language}": select(said, NUM_ENGLISH if language == "english" else MOST_OF_A_LANGUAGE, rng)
        for language, said in sorted(dialogues.items())
    }
    found["conversations"] = select(read_conversations(Path(sys.argv[2])), NUM_CONVERSATIONS, rng)
    found["novels"] = select(read_novels(Path(sys.argv[3])), NUM_NOVELS, rng)
    found["synthesised"] = select(read_own(), 10_000, rng)
    (HERE / "sentences.json").write_text(json.dumps(found, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    print({name: len(sentences) for name, sentences in found.items()})


if __name__ == "__main__":
    main()
