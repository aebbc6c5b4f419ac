"""Fit `agents/listening/classifiers/planner.safetensors`, which estimates what tool a question asks for.

    python benchmarks/planner/fit.py

Reads `questions.json` (MMAU's question texts, Apache-2.0, and our own in ten languages), questions drawn from
`templates.json`, and the wordings of our training questions, labelled by `kinds.json`; README.md says how they were
labelled. Prints how often the likeliest
label is right on folds that were held out, with the temperature fitted there, then writes the classifier fitted on
all. About 3 minutes of CPU.
"""

import json
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_array, hstack
from sklearn.linear_model import LogisticRegression

from agents.listening.classifiers.text_classifier import FILE, NUM_BUCKETS, embed_question, extract_features
from agents.rows.wording import frame_question
from lalm.distill.targets import QUESTIONS

HERE = Path(__file__).parent
TARGET = HERE.parents[1] / "agents" / "listening" / "classifiers" / FILE
FILLERS = ("a dog barking", "the bell", "rain", "a man's cough", "the piano", "“yes”", "the door", "an engine")
"""Stand for what a wording of a training question names."""
STRENGTH = 3.0  # inverse of the regularisation; by cross-validation of 3, 10 and 30
MEANING_NORM = 2.0  # of the sentence embedding, beside two groups of n-grams of norm 1; of 0.5, 1 and 2
NUM_FOLDS = 5
NUM_NGRAMS = 2 * NUM_BUCKETS
NUM_FILLED = 12  # questions that are drawn from a template


class LabelledQuestion(NamedTuple):
    """A question, and the labels of the tools that are right for it."""

    text: str
    tools: tuple[str, ...]
    group: str
    """Wordings of one kind of training question stay in one fold."""


class Fitted(NamedTuple):
    """A fitted classifier."""

    labels: tuple[str, ...]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]

    def score(self, inputs: csr_array) -> NDArray[np.float64]:
        """Return logits, shape (num_questions, num_labels)."""
        return np.asarray(inputs @ self.weights.T + self.bias, np.float64)

    def choose(self, texts: Sequence[str]) -> list[str]:
        """Return the likeliest label of each text."""
        return [self.labels[index] for index in self.score(encode(texts)).argmax(axis=1)]


def load_questions() -> list[LabelledQuestion]:
    """Load all labelled questions: as they are, and our own in a frame as well, such as "Based on the audio, …"."""
    rng = random.Random(0)  # noqa: S311 - no secret
    kinds: Mapping[str, list[str]] = json.loads((HERE / "kinds.json").read_text(encoding="utf-8"))
    rows = json.loads((HERE / "questions.json").read_text(encoding="utf-8"))
    found = [LabelledQuestion(row["text"], tuple(row["tools"]), f"{row['source']} {row['text']}") for row in rows]
    for kind, wordings in QUESTIONS.items():
        texts = [text.format(about=rng.choice(FILLERS)) for text in wordings if text != "{about}"]
        found += [LabelledQuestion(text, tuple(kinds[kind]), f"kind {kind}") for text in texts]
    found += draw_from_templates(rng)
    framed = [one._replace(text=frame_question(one.text, rng)) for one in found if not one.group.startswith("MMAU")]
    return [*found, *framed]


def draw_from_templates(rng: random.Random) -> list[LabelledQuestion]:
    """Draw questions from the templates, in which topics are mentioned and not asked about, or the other way round."""
    data = json.loads((HERE / "templates.json").read_text(encoding="utf-8"))
    drawn: dict[str, LabelledQuestion] = {}
    for template in data["templates"]:
        for _ in range(NUM_FILLED):
            words = {slot: rng.choice(fillers) for slot, fillers in data["slots"].items()}
            text = template["text"].format_map(words)
            drawn[text] = LabelledQuestion(text, tuple(template["tools"]), f"template {template['text']}")
    return list(drawn.values())


def fill_templates(
    templates: Mapping[str, Sequence[str]], slots: Mapping[str, Sequence[str]], rng: random.Random, number: int
) -> list[LabelledQuestion]:
    """Draw so many questions from each template of each label, every other one in a frame; a filler may have slots."""
    drawn: dict[str, LabelledQuestion] = {}
    for label, texts in templates.items():
        for template in texts:
            for place in range(number):
                words = {slot: rng.choice(fillers) for slot, fillers in slots.items()}
                text = template.format_map(words).format_map(words)
                text = frame_question(text, rng) if place % 2 else text
                drawn[text] = LabelledQuestion(text, (label,), f"{label} {template}")
    return list(drawn.values())


def print_held_out_shares(questions: Sequence[LabelledQuestion]) -> None:
    """Print the share of right labels, by label, where no template of a question was fitted on."""
    groups = sorted({one.group for one in questions})
    random.Random(0).shuffle(groups)  # noqa: S311 - no secret
    folds = {group: number % NUM_FOLDS for number, group in enumerate(groups)}
    right: dict[str, list[bool]] = defaultdict(list)
    for fold in range(NUM_FOLDS):
        model = fit([one for one in questions if folds[one.group] != fold])
        held_out = [one for one in questions if folds[one.group] == fold]
        for one, chosen in zip(held_out, model.choose([one.text for one in held_out]), strict=True):
            right[one.tools[0]].append(chosen == one.tools[0])
    for label, found in sorted(right.items()):
        print(f"{label}: {100 * np.mean(found):.1f} % of {len(found)}")


def print_shares_on_files(model: Fitted, names: Sequence[str], *, text: str, label: str) -> None:
    """Print the share of right labels on JSON files of objects that have a text and its label under these keys."""
    for name in names:
        rows = json.loads(Path(name).read_text(encoding="utf-8"))
        chosen = model.choose([row[text] for row in rows])
        found = [one == row[label] for row, one in zip(rows, chosen, strict=True)]
        print(f"{name}: {100 * np.mean(found):.1f} % of {len(found)}")


def encode(texts: Sequence[str]) -> csr_array:
    """Return the features of texts, n-grams and sentence embedding: shape (num_texts, NUM_NGRAMS + 384)."""
    meaning = MEANING_NORM * np.stack([embed_question(text) for text in texts])
    return csr_array(hstack([encode_ngrams(texts), csr_array(meaning)]))


def encode_ngrams(texts: Sequence[str]) -> csr_array:
    """Return the n-grams of texts, shape (num_texts, NUM_NGRAMS)."""
    features = [extract_features(text) for text in texts]
    starts = np.cumsum([0, *(len(one.indices) for one in features)])
    values, indices = (np.concatenate([one[part] for one in features]) for part in (1, 0))
    return csr_array((values, indices, starts), shape=(len(texts), NUM_NGRAMS))


def fit(questions: Sequence[LabelledQuestion]) -> Fitted:
    """Fit a multinomial logistic regression; a question with several labels counts as a part for each."""
    inputs = encode([one.text for one in questions])
    rows = [(number, label, 1 / len(one.tools)) for number, one in enumerate(questions) for label in one.tools]
    numbers, labels, shares = zip(*rows, strict=True)
    model = LogisticRegression(C=STRENGTH, max_iter=300, tol=1e-3)
    model.fit(inputs[list(numbers)], labels, sample_weight=shares)
    weights, bias = model.coef_, model.intercept_
    if len(weights) == 1:  # of two labels scikit-learn keeps the logit of the second
        weights, bias = np.vstack([-weights, weights]) / 2, np.hstack([-bias, bias]) / 2
    return Fitted(tuple(map(str, model.classes_)), weights, bias)


def measure_loss(logits: NDArray[np.float64], right: NDArray[np.bool_], temperature: float) -> float:
    """Return the mean negative log-probability that one of the right labels has."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares = powers / powers.sum(axis=1, keepdims=True)
    return float(-np.log((shares * right).sum(axis=1) + 1e-12).mean())


def cross_validate(questions: Sequence[LabelledQuestion]) -> float:
    """Print the share of right labels on held-out folds, by source; return the temperature that fits them best."""
    groups = sorted({one.group for one in questions})
    random.Random(0).shuffle(groups)  # noqa: S311 - no secret
    folds = {group: number % NUM_FOLDS for number, group in enumerate(groups)}
    logits, right, sources = [], [], []
    for fold in range(NUM_FOLDS):
        held_out = [one for one in questions if folds[one.group] == fold]
        model = fit([one for one in questions if folds[one.group] != fold])
        logits.append(model.score(encode([one.text for one in held_out])))
        right.append(np.array([[label in one.tools for label in model.labels] for one in held_out]))
        sources += [one.group.split()[0] for one in held_out]
    all_logits, all_right = np.concatenate(logits), np.concatenate(right)
    best = minimize_scalar(lambda log: measure_loss(all_logits, all_right, float(np.exp(log))), bounds=(-2, 2)).x
    is_right = all_right[np.arange(len(all_right)), all_logits.argmax(axis=1)]
    for source in sorted(set(sources)):
        chosen = is_right[np.array(sources) == source]
        print(f"{source}: {100 * chosen.mean():.1f} % of {len(chosen)}")
    temperature = float(np.exp(best))
    losses = [measure_loss(all_logits, all_right, one) for one in (1.0, temperature)]
    print(f"temperature {temperature:.2f}; loss {losses[0]:.3f} without, {losses[1]:.3f} with it")
    return temperature


def write(model: Fitted, temperature: float) -> None:
    """Write the planner, calibrated."""
    write_head(Fitted(model.labels, model.weights / temperature, model.bias / temperature), TARGET)


def write_head(model: Fitted, target: Path) -> None:
    """Write a classifier, the weights of its n-grams rounded to eight bits a label, of the embedding to sixteen."""
    weights, meaning = model.weights[:, :NUM_NGRAMS], MEANING_NORM * model.weights[:, NUM_NGRAMS:]
    scale = np.abs(weights).max(axis=1, keepdims=True) / 127
    rounded = np.ascontiguousarray(np.round(weights / scale), np.int8)
    tensors = {"weights": rounded, "scale": scale, "bias": model.bias}
    if meaning.shape[1]:
        tensors["meaning"] = np.ascontiguousarray(meaning, np.float16)
    save_file(tensors, target, metadata={"labels": json.dumps(model.labels)})


def main() -> None:
    """Cross-validate, fit on all, write."""
    questions = load_questions()
    temperature = cross_validate(questions)
    write(fit(questions), temperature)


if __name__ == "__main__":
    main()
