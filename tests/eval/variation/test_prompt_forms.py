"""Prompts of others, compared with what their own code makes of the same question."""

import numpy as np
import pytest

from agents.models import LocalModels, ModelNames, ModelPool
from eval.store.records import RunOptions
from eval.variation.prompt_forms import FILE, BorrowedPrompts, build_formed, read_prompt_form
from services.errors import BadConfig
from services.scripted.lalm import ScriptedLALM
from services.scripted.llm import ScriptedLLM
from services.types import AudioClip, Question, Reading
from services.yaml_file import read_config

QUESTION = Question.ask("What is heard?", ("a dog's bark", "rain", "a bell"))
OPTIONS = ["a dog's bark", "rain", "a bell"]
LETTERED = "A. a dog's bark\nB. rain\nC. a bell"


def desta(question: str, options: list[str]) -> str:
    """Word a question as inference_desta25_audio.py does (kehanlu/DeSTA2.5-Audio @ 5503dfc)."""
    said = f"{question} Choose from the following options: "
    for number, option in enumerate(options):
        said += f'"{option}"' + (" or " if number == len(options) - 2 else ", ")
    return said.rstrip(", ")


ASKED = {
    "mmau-authors": f"What is heard?  Select one option from the provided choices.\n{OPTIONS}.",
    "mmar-authors": "What is heard?\nSelect one option from the provided choices:\n" + "\n".join(OPTIONS),
    "mmsu-authors": (
        "Choose the most suitable answer from options A, B, C, and D. You must respond with only A, B, C, or D.\n\n"
        f"Question: What is heard?\n\n{LETTERED}"
    ),
    "air-bench-authors": (
        "Choose the most suitable answer from options A, B, C, and D to respond the question in next line, you may "
        f"only choose A or B or C or D.\nWhat is heard?\n{LETTERED}"
    ),
    "desta": desta("What is heard?", OPTIONS),
    "desta-options": 'What is heard?\nThe answer could be: "a dog\'s bark", "rain" or "a bell"',
    "lmms-eval": (f"What is heard?\n{LETTERED}\nAnswer with the option's letter from the given choices directly."),
    "lmms-eval-mmar": (
        "Listen to the audio and answer the following multiple-choice question. Respond with only the letter (A, B, C, "
        f"or D) of the correct option.\nWhat is heard?\n{LETTERED}\nThe best answer is:"
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_question_is_worded_as_its_authors_word_it(name: str) -> None:
    form = read_prompt_form(name)
    assert form.build_messages(QUESTION)[-1].content == ASKED[name]
    assert [one.role for one in form.build_messages(QUESTION)] == (["system", "user"] if form.system else ["user"])


def test_every_form_has_a_source_and_the_last_one_imagines() -> None:
    forms = read_config(FILE, BorrowedPrompts).forms
    assert {form.name for form in forms} == {*ASKED, "imagine"}
    assert all("@" in form.source or "issue" in form.source or "arXiv" in form.source for form in forms)


async def test_a_text_model_imagines_the_sound_before_it_answers() -> None:
    llm = ScriptedLLM(lambda prompt: "A low rumble." if "Do not answer it" in prompt else "B", name="reader")
    models = LocalModels(ModelNames(llm="reader"), ModelPool(llms={("reader", None): llm}))
    options = RunOptions(benchmark="b", path="text", llm="reader", prompt_form="imagine")
    answer = await build_formed(options)(models).answer(QUESTION, None)
    assert answer.choice is not None and answer.choice.text == "rain"
    assert "Sounds that the question speaks of:\nA low rumble." in llm.prompts[1][-1].content
    assert [step.text for step in answer.trace] == ["imagined: A low rumble.", "reader, in the form imagine"]


async def test_a_lalm_is_asked_in_the_form_with_its_clip_and_open_questions_as_they_are() -> None:
    reading = Reading(reply='The correct answer is: "rain"')
    lalm, clip = ScriptedLALM(lambda prompt, clip: reading, name="hearer"), AudioClip(np.zeros(1600, np.float32))
    models = LocalModels(ModelNames(lalm="hearer"), ModelPool(lalms={("hearer", None): lalm}))
    answerer = build_formed(RunOptions(benchmark="b", path="lalm", lalm="hearer", prompt_form="desta"))(models)
    answer = await answerer.answer(QUESTION, clip)
    assert answer.choice is not None and answer.choice.text == "rain"
    opened = await answerer.answer(Question.ask("What is heard?"), clip)
    assert (opened.choice, opened.reply) == (None, 'The correct answer is: "rain"')


@pytest.mark.parametrize(
    ("path", "form", "message"),
    [
        ("cascade", "desta", "path 'cascade' has its own prompts"),
        ("lalm", "imagine", "for an LLM that hears nothing"),
        ("text", "mine", "'mine' is not known; these are: mmau-authors, mmar-authors"),
    ],
)
def test_a_form_that_does_not_fit_is_refused(path: str, form: str, message: str) -> None:
    with pytest.raises(BadConfig, match=message):
        build_formed(RunOptions(benchmark="b", path=path, prompt_form=form))
