"""Training targets from metadata alone, without an LLM: open and multiple-choice questions with short answers.

Deterministic for a row and a random seed; other seeds give other wordings, distractors and orders of options.
"""

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from lalm.distill.facts import DOMAINS, OWN, Fact, Wordings, capitalise, make_yes_no
from lalm.distill.filtering.truth import AskedQuestion
from lalm.distill.metadata import Metadata
from lalm.distill.music_facts import read_music_facts
from lalm.distill.sound_facts import read_sound_facts
from lalm.distill.speech_facts import read_speech_facts
from lalm.messages import NO_WORDS, ChatTurn, Conversation, MessageAudio
from lalm.prompting import ANSWER_BRIEFLY, ANSWER_TEXT, SYSTEM_HEARING, format_prompt, format_question, insert_audio
from services.types import Question

QUESTIONS: dict[str, list[str]] = json.loads((Path(__file__).parent / "questions.json").read_text(encoding="utf-8"))
SHARE_WITHOUT_MUSIC = 0.3  # balances yes and no of the question whether there is music
NUM_CANDIDATES = 60  # answers of other clips that are considered as distractors
NUM_CONTRADICTIONS = 12  # answers of other clips that a reply to an open question must not give
NUM_OPTIONS, SHARES = (2, 3, 4, 5), (1, 2, 5, 1)  # number of options, and relative frequency


class AnsweredQuestion(NamedTuple):
    """A question with its answer."""

    question: Question
    reply: str
    phrasing: int
    """Index of its wording in `lalm/distill/questions.json`."""
    kind: str
    """Key of `lalm/distill/questions.json`."""


def collect_facts(row: Metadata, rng: random.Random) -> list[Fact]:
    """Collect all facts about a clip: those that its metadata states, or else those that its columns imply."""
    described = Fact("describe", (_fix_caption(row.caption),), is_choice=False)
    if row.facts:
        return [described, *(Fact(**dict(stated)) for stated in row.facts)]
    plain = (
        Fact("domain", DOMAINS[row.task]),
        make_yes_no("speech_present", is_true=row.task == "speech"),
        make_yes_no("music_present", is_true=row.task == "music"),
    )
    weights = (1.0, 1.0, 1.0 if row.task == "music" else SHARE_WITHOUT_MUSIC)
    heard = [rng.choices(plain, weights)[0], described]
    return heard + read_sound_facts(row, rng) + read_music_facts(row, rng) + read_speech_facts(row, rng)


class TargetWriter:
    """Writes training targets; distractors are right answers of other clips.

    Args:
        rows: metadata of all clips that distractors may come from.
    """

    def __init__(self, rows: Iterable[Metadata]) -> None:
        self._pools: dict[str, list[Wordings]] = defaultdict(list)
        for row in rows:
            for fact in collect_facts(row, random.Random(row.id)):  # noqa: S311 - no secret
                self._pools[fact.pool or fact.kind].append(fact.answer)

    def write_rows(self, row: Metadata, rng: random.Random) -> list[Conversation]:
        """Write every question that the metadata of a clip answers, as an open and as a multiple-choice question."""
        written = []
        for fact in collect_facts(row, rng):
            if fact.is_open:
                written.append(_make_conversation(row, fact, _ask_openly(fact, rng)))
            if fact.is_choice and (choice := self._write_choice(fact, rng)) is not None:
                written.append(_make_conversation(row, fact, choice))
        return written

    def write_multiple_choice(self, row: Metadata, rng: random.Random) -> list[AnsweredQuestion]:
        """Write the multiple-choice questions about a clip with their answers, without a prompt."""
        drawn = (self._write_choice(fact, rng) for fact in collect_facts(row, rng) if fact.is_choice)
        return [one for one in drawn if one is not None]

    def write_choice_questions(self, row: Metadata, rng: random.Random) -> list[AskedQuestion]:
        """Write the multiple-choice questions about a clip, with options but without an instruction."""
        written = []
        for fact in collect_facts(row, rng):
            if fact.is_choice and (one := self._write_choice(fact, rng)) is not None:
                wrong = tuple(choice.text for choice in one.question.choices if choice.text != one.reply)
                written.append(AskedQuestion(format_question(one.question), fact.answer, wrong))
        return written

    def write_open_questions(self, row: Metadata, rng: random.Random) -> list[AskedQuestion]:
        """Write the open questions about a clip, without an instruction."""
        written = []
        for fact in collect_facts(row, rng):
            if fact.is_open and fact.kind != "describe":
                question = _word_question(fact, rng.randrange(len(QUESTIONS[fact.kind])))
                own = (wording for words in fact.wrong for wording in words)
                wrong = (*own, *self._draw_wrong_options(fact, 0, NUM_CONTRADICTIONS, rng))
                written.append(AskedQuestion(question, (*fact.answer, *sorted(fact.also_true)), wrong))
        return written

    def _write_choice(self, fact: Fact, rng: random.Random) -> AnsweredQuestion | None:
        """Make a multiple-choice question, all options in the same wording; None without a distractor."""
        wording = rng.randrange(len(fact.answer))
        right = fact.answer[wording]
        wanted = rng.choices(NUM_OPTIONS, SHARES)[0] - 1
        wrong = self._draw_wrong_options(fact, wording, wanted, rng)
        if not wrong:
            return None
        options = rng.sample([right, *wrong], len(wrong) + 1)
        number = rng.randrange(len(QUESTIONS[fact.kind]))
        return AnsweredQuestion(Question.ask(_word_question(fact, number), tuple(options)), right, number, fact.kind)

    def _draw_wrong_options(self, fact: Fact, wording: int, wanted: int, rng: random.Random) -> list[str]:
        """Draw distractors: those of the fact, and right answers of other clips by their frequency.

        An answer that is often right is therefore also often a distractor, so that its frequency is not a cue.
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


def _word_question(fact: Fact, number: int) -> str:
    return capitalise(QUESTIONS[fact.kind][number].format(about=fact.about))[0]


def _ask_openly(fact: Fact, rng: random.Random) -> AnsweredQuestion:
    number = rng.randrange(len(QUESTIONS[fact.kind]))
    return AnsweredQuestion(Question.ask(_word_question(fact, number)), rng.choice(fact.answer), number, fact.kind)


def _make_conversation(row: Metadata, fact: Fact, answered: AnsweredQuestion) -> Conversation:
    question = answered.question
    is_description = fact.kind == "describe"
    instruction = ANSWER_TEXT if question.choices else ANSWER_BRIEFLY
    prompt = question.text if is_description else format_prompt(question, instruction)
    return Conversation(
        messages=build_turns(row, insert_audio(prompt)),
        response=answered.reply,
        id=row.id,
        dataset=", ".join(row.sources),
        recordings=row.recordings,
        labels=row.labels,
        source="metadata",
        prompt=prompt,
        prompt_id=f"metadata/{fact.kind}/{answered.phrasing}",
        question_kind=fact.kind,
        question=question.text if question.choices else "",
        choices=tuple(choice.text for choice in question.choices),
        style="describe" if is_description else "multiple_choice" if question.choices else "open_qa",
    )


def build_turns(row: Metadata, content: str, system: str = SYSTEM_HEARING) -> tuple[ChatTurn, ...]:
    """Build the chat turns of a training row, as the trained model reads them, under a system prompt."""
    clip = MessageAudio(path=row.audio, text=row.transcript.strip() or NO_WORDS)
    return (ChatTurn(role="system", content=system), ChatTurn(role="user", content=content, audios=(clip,)))


def _fix_caption(caption: str) -> str:
    """Correct articles and times in a caption; "a one-man band" and "a unicorn" are right."""
    caption = re.sub(r"\b([Aa]) (?=(?!one|once|uni|use|usu|eu)[aeiou])", r"\1n ", caption)
    return re.sub(r"\[(\d+\.\d)s-(\d+\.\d)s\]", r"\1 to \2 s:", caption)
