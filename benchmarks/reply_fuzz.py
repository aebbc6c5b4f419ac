"""Fuzz test of the reader of replies: generates replies whose right reading is known, and prints misreadings.

    python benchmarks/reply_fuzz.py --count 100000 --seed 0
    python benchmarks/reply_fuzz.py --count 50000 --forms

Each reply is drawn from a kind: bare answers, conclusions in many languages, contrasts, numbers in other spellings,
lettered options, refusals; around it stand thoughts and special tokens of a model family, known or made up. A reply is
misread where another option than the meant one is read, or any where none is meant. Unread is allowed; the table
says how often by kind. Exits with 1 where a reply is misread.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from quantity_replies import Case, make_number, make_particle, make_time
from reply_forms import make_form
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agents.reading.conclusions import load_wordings
from agents.reading.marks import ANSWER_PAIRS, END_TOKENS, THOUGHT_NAMES, THOUGHT_PAIRS
from agents.reading.reply import read_choice
from services.types import Question

SETS = (
    ("A dog", "A cat", "A bird", "A cow"),
    ("Man", "Woman", "Child", "Robot"),
    ("Rain on a roof", "Wind in trees", "A car horn", "A car"),
    ("Happy", "Sad", "Angry", "Neutral", "Afraid"),
    ("Yes", "No"),
    ("Guitar and drums", "Drums", "Piano", "Violin"),
    ("C major", "A minor", "G major"),
    ("The first speaker", "The second speaker", "Both"),
)
TOKEN_NAMES = ("pondering", "draft_zone", "musing", "brain", "hidden_steps")


class _Draw(NamedTuple):
    """A question in the making: the options, the meant one and another."""

    rng: random.Random
    choices: tuple[str, ...]
    right: int
    other: int

    @property
    def letter(self) -> str:
        return chr(65 + self.right)

    @property
    def wrong(self) -> str:
        return chr(65 + self.other)

    def option(self) -> str:
        """Return the meant option as replies name it."""
        text = self.choices[self.right]
        forms = (
            f"({self.letter})",
            f"{self.letter}.",
            self.letter,
            f"({self.letter}) {text}",
            f"{self.letter}. {text}",
        )
        return self.rng.choice((*forms, text, text.lower(), f"**{text}**", f'"{text}"', f"{self.letter}: {text}"))


def _draw(rng: random.Random) -> _Draw:
    choices = list(rng.choice(SETS))
    rng.shuffle(choices)
    right, other = rng.sample(range(len(choices)), 2)
    return _Draw(rng, tuple(choices), right, other)


def _bare(draw: _Draw) -> str:
    return draw.option()


def _marked(draw: _Draw) -> str:
    frames = (
        *("Answer: {}", "The answer is {}.", "The correct answer is {}", "<answer>{}</answer>", "\\boxed{{{}}}"),
        *(
            "Final answer: {}",
            "So the answer is {}.",
            '{{"answer": "{}"}}',
            "### Answer\n{}",
            "<response>{}</response>",
        ),
    )
    frame = draw.rng.choice(frames)
    option = draw.option()
    return frame.format(option.replace('"', "") if frame.startswith("{{") else option)


def _language(draw: _Draw) -> str:
    one = draw.rng.choice(list(load_wordings().values()))
    space = " " if one.spaced else ""
    noun = draw.rng.choice(one.noun)
    if one.before and draw.rng.random() < 0.3:
        noun = draw.rng.choice(one.before) + space + noun
    letter = draw.rng.choice((draw.letter, f"({draw.letter})", f"**{draw.letter}**"))
    copulas = [word for word in one.copula if word]
    kind = draw.rng.randrange(4)
    if kind == 0 and copulas:
        return f"{noun}{space}{draw.rng.choice(copulas)}{space}{letter}."
    if kind == 1 and one.choose:
        return f"{draw.rng.choice(one.choose)}{space}{letter}."
    if kind == 2 and one.option:
        return f"{noun}: {draw.rng.choice(one.option)}{space}{letter}"
    return f"{noun.capitalize()}{draw.rng.choice((': ', '：', ' : '))}{letter}"


def _denied_language(draw: _Draw) -> str:
    one = draw.rng.choice(list(load_wordings().values()))
    space = " " if one.spaced else ""
    denial, noun = draw.rng.choice(one.denial), draw.rng.choice(one.noun)
    copula = draw.rng.choice(one.copula)
    frames = (
        "{noun}{s}{copula}{s}{denial}{s}{letter}.",
        "{letter}{s}{copula}{s}{denial}.",
        "Option {letter}{s}{copula}{s}{denial}",
        "{denial}{s}{noun}: {letter}",
        "{denial}{s}{text}.",
    )
    text = draw.choices[draw.other].lower()
    return draw.rng.choice(frames).format(
        noun=noun, s=space, copula=copula, denial=denial, letter=draw.wrong, text=text
    )


def _contrast(draw: _Draw) -> str:
    right, wrong = draw.letter, draw.wrong
    texts = draw.choices[draw.right].lower(), draw.choices[draw.other].lower()
    frames = (
        *("The answer is not {1} but {0}.", "It can't be {1}. It must be {0}.", "It is {0}, not {1}."),
        *("Option {0} is correct because option {1} is too loud.", "Not {1}, but {0}.", "It isn't {1}; it is {0}."),
        *("I first thought {1}, but after listening again it is {0}.", "{1} is wrong. {0} is correct."),
        *("It cannot be {1}, so it has to be {0}.", "Initially I considered {1}, however it is {0}."),
        *(
            "I would choose {0} rather than {1}.",
            "Rather than {1}, it is {0}.",
            "({1}) is incorrect. ({0}) is correct.",
        ),
        *(
            "It is {0} because {1} would be louder.",
            "It should be {0} instead of {1}.",
            "Neither {1} nor the rest: {0}.",
        ),
    )
    frame = draw.rng.choice(frames)
    return frame.format(*texts) if draw.rng.random() < 0.3 else frame.format(right, wrong)


def _refusal(draw: _Draw) -> str:
    named = draw.rng.choice((draw.letter, draw.choices[draw.right].lower()))
    other = draw.rng.choice((draw.wrong, draw.choices[draw.other].lower()))
    frames: tuple[str, ...] = (
        *("It is {0} or {1}.", "I cannot tell whether it is {0}.", "It is not {0}.", "It can't be {0}.", "{0} or {1}"),
        *("Neither {0} nor {1}.", "It is not only {0} but also {1}.", "It could be {0} or {1}.", "{0}, {1}"),
        *("I am not sure if it is {0}.", "The answer is not {0}.", "I don't think it is {0}.", "Both {0} and {1}."),
        *("The answer is either {0} or {1}", "It cannot be determined: {0}?", "The wrong answer is {0}."),
        *("It is {0}. It is {1}.", "Unable to say, {0} perhaps.", "It must be {0} and {1}.", "It isn't {0} or {1}."),
    )
    if "Both" in draw.choices:  # "Both B and C" names it
        frames = tuple(frame for frame in frames if " and " not in frame)
    return draw.rng.choice(frames).format(named, other)


LETTERED: Mapping[str, Callable[[_Draw], str]] = {
    "bare": _bare,
    "marked": _marked,
    "language": _language,
    "contrast": _contrast,
}
NONE_MEANT: Mapping[str, Callable[[_Draw], str]] = {"refusal": _refusal, "language denied": _denied_language}


def _own_letters(rng: random.Random) -> Case:
    draw = _draw(rng)
    style = rng.choice(("({}) {}", "{}. {}", "{}) {}", "[{}] {}", "{}: {}"))
    choices = tuple(style.format(chr(65 + place), text) for place, text in enumerate(draw.choices))
    reply = rng.choice((draw.option(), choices[draw.right], f"The answer is {draw.choices[draw.right].lower()}."))
    return Case("own letters", choices, reply, draw.right)


def _thought(rng: random.Random, draw: _Draw) -> str:
    return rng.choice(
        (
            f"{draw.choices[draw.other]}?",
            f"The answer is {draw.wrong}.",
            f"A or B? It could be {draw.choices[draw.other]}.\n\nAnswer: {draw.wrong}",
            f"<answer>{draw.wrong}</answer>",
            f"I hear {draw.choices[draw.other]}.\n{draw.wrong}",
        )
    )


def _thinking(rng: random.Random) -> Case:
    """Return a reply with a thought that names another option."""
    draw = _draw(rng)
    opens, closes = rng.choice((*THOUGHT_PAIRS, *((f"<{name}>", f"</{name}>") for name in THOUGHT_NAMES)))
    if rng.random() < 0.1:
        opens, closes = f"<seed:{opens[1:]}", f"</seed:{closes[2:]}"
        if "|" in opens + closes or not closes.endswith(">") or " " in opens:
            opens, closes = "<seed:think>", "</seed:think>"
    thought, answer = _thought(rng, draw), _final(rng, draw)
    kind = rng.randrange(5)
    if kind == 0:
        return Case("thought unfinished", draw.choices, f"{opens}{thought}", None)
    if kind == 1 and (opens, closes) not in {("<|think|>", "<|content|>")} and "assistant" not in closes:
        return Case("thought begun in the prompt", draw.choices, f"{thought}{closes}\n{answer}", draw.right)
    if kind == 2:
        twice = f"{opens}{thought}{closes}\n{opens}{thought}{closes}{answer}"
        return Case("two thoughts", draw.choices, twice, draw.right)
    return Case("thought", draw.choices, f"{opens}{thought}{closes}\n{answer}", draw.right)


def _unknown_mark(rng: random.Random) -> Case:
    draw = _draw(rng)
    name = rng.choice(TOKEN_NAMES)
    opens, closes = rng.choice(
        (
            (f"<{name}>", f"</{name}>"),
            (f"◁{name}▷", f"◁/{name}▷"),
            (f"[{name}]", f"[/{name}]"),
            (f"<|{name}|>", f"<|/{name}|>"),
            (f"<|begin_{name}|>", f"<|end_{name}|>"),
            (f"【{name}】", f"【/{name}】"),
            (f"<|{name}>", f"<{name}|>"),
        )
    )
    closed = f"{opens}{_thought(rng, draw)}{closes}{_final(rng, draw)}"
    if rng.random() < 0.5:
        return Case("unknown mark", draw.choices, closed, draw.right)
    return Case("unknown mark unfinished", draw.choices, f"{opens}{_thought(rng, draw)}", None)


def _harmony(rng: random.Random) -> Case:
    draw = _draw(rng)
    thought, answer = _thought(rng, draw), _final(rng, draw)
    analysis = f"<|channel|>analysis<|message|>{thought}<|end|><|start|>assistant"
    final = f"<|channel|>final<|message|>{answer}<|return|>"
    kind = rng.randrange(4)
    if kind == 0:
        return Case("harmony unfinished", draw.choices, f"<|channel|>analysis<|message|>{thought}", None)
    if kind == 1:
        return Case("harmony without tokens", draw.choices, f"analysis{thought}assistantfinal{answer}", draw.right)
    return Case("harmony", draw.choices, rng.choice(("", analysis)) + final, draw.right)


def _final(rng: random.Random, draw: _Draw) -> str:
    return rng.choice((_bare, _bare, _marked))(draw)


def _ended(rng: random.Random) -> Case:
    """Return a reply with special tokens after it, and another turn after these."""
    draw = _draw(rng)
    answer, end = _final(rng, draw), rng.choice(END_TOKENS)
    more = rng.choice(("", "", end, "\n", f"\n<|im_start|>user\nIs it {draw.wrong}?", f" {draw.wrong}{end}"))
    head = rng.choice(("", "", "<s> ", "<|im_start|>assistant\n", "<start_of_turn>model\n", "[/INST] "))
    if rng.random() < 0.15:
        opens, closes = rng.choice(ANSWER_PAIRS)
        answer = f"{opens}{answer}{closes}"
    return Case("end token", draw.choices, f"{head}{answer}{end}{more}", draw.right)


def _plain(rng: random.Random) -> Case:
    draw = _draw(rng)
    kind = rng.choice(list(LETTERED))
    return Case(kind, draw.choices, LETTERED[kind](draw), draw.right)


def _none_meant(rng: random.Random) -> Case:
    draw = _draw(rng)
    kind = rng.choice(list(NONE_MEANT))
    return Case(kind, draw.choices, NONE_MEANT[kind](draw), None)


MAKERS = (
    _plain,
    _plain,
    _none_meant,
    make_number,
    make_time,
    make_particle,
    _own_letters,
    _thinking,
    _unknown_mark,
    _harmony,
    _ended,
)


def make_case(rng: random.Random) -> Case:
    """Return a reply of a kind drawn at random."""
    return rng.choice(MAKERS)(rng)


def read_place(case: Case) -> int | None:
    """Return the place of the option that is read; None where none is."""
    choices = Question.ask("?", case.choices).choices
    choice = read_choice(case.reply, choices)
    return None if choice is None else choices.index(choice)


def main() -> None:
    """Read all replies, and print what was misread."""
    parser = argparse.ArgumentParser(prog="benchmarks/reply_fuzz.py")
    parser.add_argument("--count", type=int, default=100_000, help="replies")
    parser.add_argument("--forms", action="store_true", help="replies in other forms: tables, JSON, boxes, emoji")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=20, help="misreadings and unread replies to print")
    options = parser.parse_args()
    rng, console = random.Random(options.seed), Console()  # noqa: S311 - replies, not secrets
    seen: Counter[str] = Counter()
    read: Counter[str] = Counter()
    misread, unread = [], []
    for _ in track(range(options.count), "Reading"):
        case = make_form(rng) if options.forms else make_case(rng)
        place = read_place(case)
        seen[case.kind] += 1
        read[case.kind] += place is not None and place == case.right
        if place is not None and place != case.right:
            misread.append((case, place))
        elif place is None and case.right is not None:
            unread.append(case)
    table = Table("kind", "replies", "read", title=f"{options.count} replies, seed {options.seed}")
    for kind, num in sorted(seen.items()):
        table.add_row(kind, f"{num}", f"{read[kind] / num:.1%}")
    console.print(table)
    for case, place in misread[: options.show]:
        console.print(
            f"misread as {place}, meant {case.right}: {case.kind}: {case.reply!r} {case.choices}", markup=False
        )
    for case in unread[: options.show]:
        console.print(f"unread: {case}", markup=False)
    console.print(f"{len(misread)} misreadings in {options.count}; {len(unread)} unread")
    sys.exit(bool(misread))


if __name__ == "__main__":
    main()
