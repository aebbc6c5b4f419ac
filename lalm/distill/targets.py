"""Short targets from metadata alone: questions about a clip, with and without options, and what the metadata answers.

No LLM takes part. The same row and the same random numbers give the same questions, other numbers other wordings,
options and orders, so that a trainer may draw as many as it likes.
"""

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from lalm.distill.facts import OWN, Fact, Wordings, label, yes_no
from lalm.distill.metadata import Metadata
from lalm.distill.music_facts import music_facts
from lalm.distill.sound_facts import sound_facts
from lalm.distill.speech_facts import speech_facts
from lalm.messages import NO_WORDS, Audio, Conversation, Turn
from lalm.prompting import ANSWER_BRIEFLY, ANSWER_TEXT, SYSTEM_HEARING, asked, beside_audio, listed
from services.types import Question

QUESTIONS: dict[str, list[str]] = json.loads((Path(__file__).parent / "questions.json").read_text(encoding="utf-8"))
DOMAINS = {"speech": ("Speech",), "music": ("Music",), "sound": ("A sound of the surroundings",)}
SHARE_WITHOUT_MUSIC = 0.3  # so that there is music in about half of the clips that are asked for it
NUM_CANDIDATES = 60  # answers of other clips that are looked at for wrong options
NUM_OPTIONS, SHARES = (2, 3, 4, 5), (1, 2, 5, 1)  # how many options a question has, and how often


class Answered(NamedTuple):
    """A question with its answer."""

    question: Question
    reply: str
    phrasing: int
    """Number of its wording in `lalm/distill/questions.json`."""


def facts(row: Metadata, rng: random.Random) -> list[Fact]:
    """Return everything that can be asked about a clip."""
    plain = (
        Fact("domain", DOMAINS[row.task]),
        yes_no("speech_present", is_true=row.task == "speech"),
        yes_no("music_present", is_true=row.task == "music"),
    )
    weights = (1.0, 1.0, 1.0 if row.task == "music" else SHARE_WITHOUT_MUSIC)
    heard = [rng.choices(plain, weights)[0], Fact("describe", (_mended(row.caption),), is_choice=False)]
    return heard + sound_facts(row, rng) + music_facts(row, rng) + speech_facts(row, rng)


class TargetWriter:
    """Writes targets; wrong options are what is right of other clips.

    Args:
        rows: of all clips that options may come from.
    """

    def __init__(self, rows: Iterable[Metadata]) -> None:
        self._pools: dict[str, list[Wordings]] = defaultdict(list)
        for row in rows:
            for fact in facts(row, random.Random(row.id)):  # noqa: S311 - no secret
                self._pools[fact.pool or fact.kind].append(fact.answer)

    def metadata_rows(self, row: Metadata, rng: random.Random) -> list[Conversation]:
        """Return every question that the metadata of a clip answers, half of them with options."""
        written = []
        for fact in facts(row, rng):
            if fact.is_open:
                written.append(_conversation(row, fact, _open(fact, rng)))
            if fact.is_choice and (choice := self._choice(fact, rng)) is not None:
                written.append(_conversation(row, fact, choice))
        return written

    def choice_questions(self, row: Metadata, rng: random.Random) -> list[str]:
        """Return the questions about a clip that have options, with them and without how to answer."""
        chosen = (self._choice(fact, rng) for fact in facts(row, rng) if fact.is_choice)
        return [listed(one.question) for one in chosen if one is not None]

    def _choice(self, fact: Fact, rng: random.Random) -> Answered | None:
        """Return the fact with options, all worded alike; None where no wrong one is known."""
        wording = rng.randrange(len(fact.answer))
        right = fact.answer[wording]
        wanted = rng.choices(NUM_OPTIONS, SHARES)[0] - 1
        wrong = self._wrong(fact, wording, wanted, rng)
        if not wrong:
            return None
        options = rng.sample([right, *wrong], len(wrong) + 1)
        number = rng.randrange(len(QUESTIONS[fact.kind]))
        return Answered(Question.ask(_asked(fact, number), tuple(options)), right, number)

    def _wrong(self, fact: Fact, wording: int, wanted: int, rng: random.Random) -> list[str]:
        """Return wrong options: from the clip itself and, as often as they are right there, from other clips.

        So an option that is often right is as often wrong, and how often it occurs gives nothing away.
        """
        taken = {one.lower() for one in fact.answer} | fact.also_true
        pool = [] if fact.pool == OWN else self._pools[fact.pool or fact.kind]
        own = rng.sample(fact.wrong, len(fact.wrong))
        others = rng.sample(pool, min(len(pool), NUM_CANDIDATES))
        first = own[:wanted] + others[:wanted]
        chosen: list[str] = []
        for words in [*rng.sample(first, len(first)), *others, *own]:
            text = words[wording % len(words)]
            if len(chosen) < wanted and text.lower() not in taken:
                taken.add(text.lower())
                chosen.append(text)
        return chosen


def _asked(fact: Fact, number: int) -> str:
    return label(QUESTIONS[fact.kind][number].format(about=fact.about))[0]


def _open(fact: Fact, rng: random.Random) -> Answered:
    number = rng.randrange(len(QUESTIONS[fact.kind]))
    return Answered(Question.ask(_asked(fact, number)), rng.choice(fact.answer), number)


def _conversation(row: Metadata, fact: Fact, answered: Answered) -> Conversation:
    question = answered.question
    is_description = fact.kind == "describe"
    instruction = ANSWER_TEXT if question.choices else ANSWER_BRIEFLY
    prompt = question.text if is_description else asked(question, instruction)
    return Conversation(
        messages=heard_turns(row, beside_audio(prompt)),
        response=answered.reply,
        id=row.id,
        dataset=", ".join(row.sources),
        recordings=row.recordings,
        source="metadata",
        prompt=prompt,
        prompt_id=f"metadata/{fact.kind}/{answered.phrasing}",
        style="describe" if is_description else "multiple_choice" if question.choices else "open_qa",
    )


def heard_turns(row: Metadata, content: str) -> tuple[Turn, ...]:
    """Return the prompt about a clip as the trained model reads it."""
    clip = Audio(path=row.audio, text=row.transcript.strip() or NO_WORDS)
    return (Turn(role="system", content=SYSTEM_HEARING), Turn(role="user", content=content, audios=(clip,)))


def _mended(caption: str) -> str:
    """Return a caption with its articles and times as people write them."""
    caption = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", caption)
    return re.sub(r"\[(\d+\.\d)s-(\d+\.\d)s\]", r"\1 to \2 s:", caption)
