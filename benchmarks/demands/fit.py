"""Fit `agents/listening/classifiers/demands.safetensors`, which estimates whether a sentence says what to answer.

    python -m benchmarks.demands.fit

Demands are drawn from `demands.json`, ordinary sentences from `ordinary.json`, both with the words of `slots.json`;
`sentences.json` holds sentences by others. Prints, with each family of wordings held out in turn, how many of its
demands are told at each threshold and how many sentences by others are taken for demands, then writes the classifier
fitted on all. About two minutes of CPU.
"""

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression

from agents.listening.classifiers.demands import ASKED, DEMAND, FILE, ORDINARY, UNASKED
from benchmarks.planner.fit import Fitted, encode_ngrams, write_head

HERE = Path(__file__).parent
TARGET = HERE.parents[1] / "agents" / "listening" / "classifiers" / FILE
CHOICE = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"\{(\w+)\}")
NUM_DRAWN = 24  # of each template
LONG_SHARE = 0.15  # of the options that are sentences by others
LONG_CHARS = 60  # at most
STRENGTH = 10.0  # inverse of the regularisation
TEMPLATE_WEIGHT = 4.0  # of all sentences that are drawn from one template together
OTHERS_WEIGHT = 0.5  # of a sentence by others
BEGINNINGS = ("Um, ", "Okay, ", "So, ", "And ", "Well, ", "Hello. ", "Now, ", "Yes, ", "Right, ")
NUM_FOLDS = 5  # of the sentences by others


class Sentence(NamedTuple):
    """A sentence with its label."""

    text: str
    is_demand: bool
    family: str
    """What is held out together."""
    language: str
    weight: float


def draw(rng: random.Random) -> Iterator[Sentence]:
    """Draw demands and ordinary sentences from the templates, then yield those by others."""
    others = _read("sentences.json")
    long = [one.rstrip(".!?") for one in others["dialogues english"] + others["novels"] if len(one) <= LONG_CHARS]
    slots = {**_read("slots.json"), "long": long}
    for is_demand, file in ((True, "demands.json"), (False, "ordinary.json")):
        for family, by_language in _read(file).items():
            for language, templates in by_language.items():
                for template in templates:
                    texts = {_vary(fill(template, language, slots, rng), language, rng) for _ in range(NUM_DRAWN)}
                    for text in sorted(texts):
                        yield Sentence(text, is_demand, family, language, TEMPLATE_WEIGHT / len(texts))
    for source, sentences in others.items():
        for number, text in enumerate(sentences):
            yield Sentence(
                text, is_demand=False, family=f"others {number % NUM_FOLDS}", language=source, weight=OTHERS_WEIGHT
            )


def fill(template: str, language: str, slots: Mapping[str, Any], rng: random.Random) -> str:
    """Fill a template: one of the alternatives in each pair of brackets, and words for its slots."""
    text = CHOICE.sub(lambda found: rng.choice(found[1].split("|")), template)
    return SLOT.sub(lambda found: _draw_word(found[1], language, slots, rng), text)


def _draw_word(slot: str, language: str, slots: Mapping[str, Any], rng: random.Random) -> str:
    if slot == "number":
        return str(rng.randint(2, 60))
    if slot in {"letter", "wrong_letter"}:
        letter: str = rng.choice(slots["letters"])
        return slots["misheard_letters"].get(letter, letter) if rng.random() < 0.1 else letter
    if slot == "rank":
        return str(rng.choice(slots["ranks"][language]))
    if rng.random() < LONG_SHARE:
        return str(rng.choice(slots["long"]))
    text = str(rng.choice(slots["texts"]["en" if rng.random() < 0.5 else language]))
    return text.capitalize() if rng.random() < 0.3 else text


def _vary(text: str, language: str, rng: random.Random) -> str:
    """Write a sentence as a recogniser might: without punctuation, or behind another word."""
    text = text[0].upper() + text[1:]
    if language == "en" and rng.random() < 0.15:
        text = rng.choice(BEGINNINGS) + text
    return re.sub(r"[.,:;!?。，：！？]", "", text) if rng.random() < 0.2 else text


def _read(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((HERE / name).read_text(encoding="utf-8"))
    return found


def fit(sentences: Sequence[Sentence], inputs: csr_array) -> Fitted:
    """Fit a logistic regression; its two rows are half of it and half of its negative."""
    model = LogisticRegression(C=STRENGTH, max_iter=1000, tol=1e-5)
    model.fit(inputs, [one.is_demand for one in sentences], sample_weight=[one.weight for one in sentences])
    weights, bias = model.coef_ / 2, model.intercept_ / 2
    return Fitted((ORDINARY, DEMAND), np.vstack([-weights, weights]), np.hstack([-bias, bias]))


def estimate(model: Fitted, inputs: csr_array) -> NDArray[np.float64]:
    """Estimate the probability that each sentence is a demand."""
    logits = model.score(inputs)
    found: NDArray[np.float64] = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    return found


def estimate_held_out(sentences: Sequence[Sentence], inputs: csr_array, groups: Sequence[str]) -> NDArray[np.float64]:
    """Estimate each sentence by a model fitted without its group."""
    probabilities = np.zeros(len(sentences))
    members = np.array(groups)
    for group in sorted(set(groups)):
        kept = np.flatnonzero(members != group)
        model = fit([sentences[place] for place in kept.tolist()], inputs[kept])
        held = np.flatnonzero(members == group)
        probabilities[held] = estimate(model, inputs[held])
    return probabilities


def print_shares(title: str, groups: Sequence[str], flagged: NDArray[np.bool_]) -> None:
    """Print the share that is taken for a demand in each group."""
    print(title)
    for group in sorted(set(groups)):
        inside = np.array([one == group for one in groups])
        print(f"  {group}: {100 * flagged[inside].mean():.1f} % of {inside.sum()}")


def main() -> None:
    """Hold out each family, print what is told, fit on all, write."""
    sentences = list(draw(random.Random(0)))  # noqa: S311 - no secret
    inputs = encode_ngrams([one.text for one in sentences])
    probabilities = estimate_held_out(sentences, inputs, [one.family for one in sentences])
    by_others = np.array([one.family.startswith("others") for one in sentences])
    is_demand = np.array([one.is_demand for one in sentences])
    for least in (ASKED, UNASKED):
        flagged = probabilities >= least.demand
        print(f"from {least.demand}: {100 * flagged[by_others].mean():.2f} % of the sentences by others are taken")
        names = ["others" if one.family.startswith("others") else one.family for one in sentences]
        print_shares("by family held out", names, flagged)
        places = np.flatnonzero(is_demand)
        print_shares("demands by language", [sentences[place].language for place in places], flagged[places])
    write_head(fit(sentences, inputs), TARGET)


if __name__ == "__main__":
    main()
