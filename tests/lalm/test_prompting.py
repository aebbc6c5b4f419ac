"""A question is put in the same words when a model is trained and when it is asked."""

from lalm.prompting import AUDIO, build_messages, format_beside, format_prompt, insert_audio
from services.types import Choice, Question

QUESTION = Question(
    id="1", text="What barks?", choices=(Choice(letter="A", text="A dog"), Choice(letter="B", text="Rain"))
)


def test_options_stand_one_a_line_and_a_letter_is_asked_for() -> None:
    assert (
        format_prompt(QUESTION)
        == "Question: What barks?\nA. A dog\nB. Rain\nAnswer with the letter of the best option."
    )


def test_where_texts_are_compared_no_option_is_shown() -> None:
    text = format_prompt(QUESTION, lists_options=False)
    assert text == "Question: What barks?\nAnswer in a few words."
    assert build_messages(QUESTION, lists_options=False)[-1].content == text


def test_an_open_question_is_answered_in_sentences() -> None:
    open_question = QUESTION.model_copy(update={"choices": ()})
    assert format_prompt(open_question).endswith("\nAnswer in one or two sentences.")
    assert format_prompt(open_question, "Answer in French.").endswith("\nAnswer in French.")


def test_the_clip_stands_between_its_tags_before_the_prompt_or_behind_it() -> None:
    assert insert_audio("What?") == f"<start_audio>{AUDIO}<end_audio>\n\nWhat?"
    assert insert_audio("What?", "a dog", prompt_first=True) == "What?\n\n<start_audio>a dog<end_audio>"


def test_text_beside_a_clip_is_the_bare_transcript_or_lines_of_the_newer_form() -> None:
    assert format_beside("it is noon", form=1) == "it is noon"
    assert format_beside("it is noon", ["A bell rings."]) == (
        '\nSomebody says: "it is noon"\nWhat listening tools heard, which may be wrong:\n- A bell rings.\n'
    )
    assert format_beside(" ", ["Rain."]) == "\nWhat listening tools heard, which may be wrong:\n- Rain.\n"
    assert format_beside(" ") == ""
