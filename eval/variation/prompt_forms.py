"""Prompt forms of others: the exact words in which other projects put their questions, for reproducing their figures.

`prompt_forms.yaml` holds them, each with file and commit. A model replies in words, greedily unless a temperature is
given, and the reply is read as always; the official rule is given the raw reply, as its authors gave it.
"""

import hashlib
from pathlib import Path
from time import perf_counter
from typing import Protocol

from agents.direct import listen, require_room
from agents.models import Models
from agents.paths import Build
from agents.reading.reply import read_choice
from eval.store.records import RunOptions
from services.errors import BadConfig
from services.protocols import LALM, LLM, Answerer
from services.types import Answer, AudioClip, Choice, Message, Question, Reading, StepName, TraceStep, Usage, Value
from services.yaml_file import read_config

FILE = Path(__file__).with_name("prompt_forms.yaml")
OPEN = "{question}"


class BorrowedPrompt(Value):
    """The words of one prompt; `user` and `imagine` hold {question} and {options}, `user` {imagined} too."""

    name: str
    source: str
    """File and commit, issue or paper."""
    system: str = ""
    """Empty: none is sent."""
    user: str
    option: str
    """One option, by {letter} and {text}."""
    between: str = ", "
    before_last: str = ""
    """Between the last two options; empty: as between any."""
    leaves_out: str = ""
    """What its authors take out of a reply before they score it."""
    imagine: str = ""
    """Asked first; its reply is {imagined}. Empty: nothing is."""

    def build_messages(self, question: Question, imagined: str = "") -> tuple[Message, ...]:
        """Word a question; one without options is asked as it is."""
        template = self.user if question.choices else OPEN
        return self._fill(template, question, imagined)

    def build_imagining(self, question: Question) -> tuple[Message, ...]:
        """Word what is asked before the question."""
        return self._fill(self.imagine, question, "")

    def _fill(self, template: str, question: Question, imagined: str) -> tuple[Message, ...]:
        said = template.format(question=question.text, options=self._list(question.choices), imagined=imagined)
        system = (Message(role="system", content=self.system),) if self.system else ()
        return (*system, Message(role="user", content=said))

    def _list(self, choices: tuple[Choice, ...]) -> str:
        *first, last = [self.option.format(letter=one.letter, text=one.text) for one in choices] or [""]
        return (self.before_last or self.between).join([self.between.join(first), last] if first else [last])


class BorrowedPrompts(Value):
    """All forms."""

    forms: tuple[BorrowedPrompt, ...]


def read_prompt_form(name: str) -> BorrowedPrompt:
    """Return the form of that name; `BadConfig` lists the names."""
    forms = {form.name: form for form in read_config(FILE, BorrowedPrompts).forms}
    if name not in forms:
        raise BadConfig(f"--prompt-form {name!r} is not known; these are: {', '.join(forms)}.")
    return forms[name]


def hash_prompt_form(name: str) -> str:
    """Return the digest of a form's words: a run folder keeps to them."""
    return hashlib.sha256(read_prompt_form(name).model_dump_json().encode()).hexdigest()


def build_formed(options: RunOptions) -> Build:
    """Return what builds the answerer of a path whose model is asked in a form; `BadConfig` where it cannot be."""
    form = read_prompt_form(options.prompt_form or "")
    if options.path == "text":
        return lambda models: FormedAnswerer(_ReadingLLM(models.open_llm()), form, "text")
    if options.path == "lalm" and form.imagine:
        raise BadConfig(f"Prompt form {form.name!r} is for an LLM that hears nothing: take --path text.")
    if options.path == "lalm":
        return lambda models: FormedAnswerer(_HearingLALM(models), form, "lalm")
    raise BadConfig(
        f"A prompt form is for one model that is asked by itself; path {options.path!r} has its own prompts: take "
        "--path text or --path lalm, or leave out --prompt-form."
    )


class _Replier(Protocol):
    """One model that replies in words."""

    name: str
    step: StepName

    async def reply(self, messages: tuple[Message, ...], clips: tuple[AudioClip, ...]) -> Reading:
        """Reply to a prompt."""


class _ReadingLLM:
    """An LLM that hears nothing."""

    step: StepName = "read"

    def __init__(self, llm: LLM) -> None:
        self.name, self._llm = llm.name, llm

    async def reply(self, messages: tuple[Message, ...], clips: tuple[AudioClip, ...]) -> Reading:  # noqa: ARG002
        return await self._llm.complete(messages)


class _HearingLALM:
    """A LALM that hears the clips."""

    step: StepName = "listen"

    def __init__(self, models: Models) -> None:
        self._lalm: LALM = models.open_lalm()
        self.name = self._lalm.name

    async def reply(self, messages: tuple[Message, ...], clips: tuple[AudioClip, ...]) -> Reading:
        assert clips, "a LALM needs a clip"
        require_room(self._lalm, clips)
        return await listen(self._lalm, messages, clips)


class FormedAnswerer(Answerer):
    """Answers by one model that is asked in a form of others."""

    def __init__(self, replier: _Replier, form: BorrowedPrompt, path: str) -> None:
        self._replier, self._form, self._path = replier, form, path

    async def answer(self, question: Question, *clips: AudioClip) -> Answer:
        """Ask, and read the option that the reply names."""
        started, imagined = perf_counter(), Reading(reply="")
        if self._form.imagine and question.choices:
            imagined = await self._replier.reply(self._form.build_imagining(question), clips)
        reading = await self._replier.reply(self._form.build_messages(question, imagined.reply), clips)
        seconds = perf_counter() - started
        note = f"{self._replier.name}, in the form {self._form.name}"
        return Answer.model_validate(
            {
                "question_id": question.id,
                "reply": reading.reply,
                "choice": read_choice(reading.reply, question.choices) if question.choices else None,
                "path": self._path,
                "trace": _make_trace(self._replier.step, note, seconds, imagined.reply),
                "timings_s": {self._replier.step: seconds},
                "usage": sum((imagined.usage, reading.usage), Usage()),
            }
        )


def _make_trace(step: StepName, note: str, seconds: float, imagined: str) -> tuple[TraceStep, ...]:
    told = (TraceStep(step=step, text=f"imagined: {imagined}"),) if imagined else ()
    return (*told, TraceStep(step=step, text=note, seconds=seconds))
