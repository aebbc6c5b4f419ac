"""The form of a reply, as the prompts of harnesses and of people in many languages ask for it."""

import pytest

from services.http.openai.reply_form import ReplyForm, find_form
from services.types import Choice

HEARD = "What is heard?"
OPTIONS = ("Rain", "A dog", "Wind", "Bees")
LETTERS = ("A", "B", "C", "D")


def form_of(text: str, instructions: str = "") -> tuple[str, str]:
    """Return what a reply that chooses option B would be, and the question that is left."""
    asked = find_form(text, instructions, OPTIONS, LETTERS)
    return asked.form.write(Choice(letter="B", text="A dog"), LETTERS), asked.question


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        (
            "Answer the following multiple choice question. The entire content of your response should be of the "
            "following format: 'ANSWER: $LETTER' (without quotes) where LETTER is one of A,B,C,D.\n\n" + HEARD,
            "ANSWER: B",
        ),
        (
            "Answer the following multiple choice question. The last line of your response should be of the following "
            "format: 'ANSWER: [LETTER]' (without quotes) where [LETTER] is one of A,B,C,D. Think step by step before "
            f"answering.\n\nQuestion: {HEARD}\nOptions:",
            "ANSWER: B",
        ),
        (f"{HEARD}\nAnswer with the option's letter from the given choices directly.", "B"),
        (
            "Choose the most suitable answer from options A, B, C, and D to respond the question in next line, you "
            f"should only choose A or B or C or D. Do not provide any explanations.\nQuestion: {HEARD}",
            "B",
        ),
        (f"{HEARD}\nThe best answer is:", "B"),
        (f"{HEARD}\nAnswer:", "B"),
        (f"{HEARD}\nRespond with only the letter (A, B, C, D, etc.) of the correct option.", "B"),
        (f"{HEARD} (A-D)", "B"),
        (f"{HEARD}\nYour answer must be one of A/B/C/D.", "B"),
        (f"{HEARD}\nEnd your answer with:\nAnswer: $LETTER", "Answer: B"),
        (f'{HEARD}\nAnswer as JSON: {{"answer": "<letter>"}}', '{"answer": "B"}'),
        (f"{HEARD}\nPut the letter of your choice in \\boxed{{}}.", "\\boxed{B}"),
        (f"{HEARD}\nAntworte nur mit dem Buchstaben.", "B"),
        (f"{HEARD}\nRéponds uniquement par la lettre de la bonne réponse.", "B"),
        (f"{HEARD}\nSvar kun med bogstavet.", "B"),
        (f"{HEARD}\nRăspunde doar cu litera.", "B"),
        (f"{HEARD}\nОтговори само с буквата.", "B"),
        (f"{HEARD}\nענה רק באות.", "B"),
        (f"{HEARD}\nRéponds sous la forme « Réponse : X ».", "Réponse : B"),
        (f"{HEARD}\nResponde solo con la letra.", "B"),
        (f"{HEARD}\nОтветь только буквой.", "B"),
        (f"{HEARD}\n请直接回答选项字母。", "B"),
        (f"{HEARD}\n你的回答的最后一行应该是这样的格式：“答案：[LETTER]”（不带引号）。", "答案：B"),
        (f"{HEARD}\n選択肢の記号だけで答えてください。", "B"),
        (f"{HEARD}\n정답의 알파벳만 답하세요.", "B"),
    ],
)
def test_a_letter_is_given_where_it_is_asked_for_and_the_question_is_freed_of_it(text: str, reply: str) -> None:
    assert form_of(text) == (reply, HEARD)


@pytest.mark.parametrize(
    ("asked", "reply"),
    [
        ('Finish your answer with "the answer is (X)" where X is the correct letter choice.', "the answer is (B)"),
        (
            "Always conclude with:\nThe best answer is [the_answer_letter].\nwhere it is one of A, B, C or D.",
            "The best answer is B.",
        ),
        ("Termina con: La respuesta es [LETRA]", "La respuesta es B"),
        ('Show your choice in the `answer` field with only the letter, e.g., `"answer": "C"`.', '"answer": "B"'),
        ('Return JSON, e.g. {"answer": "A"}', '{"answer": "B"}'),
        ("Answer in the form <answer>A</answer>.", "<answer>B</answer>"),
        ("Put the letter of your answer within \\boxed{}, e.g. \\boxed{A}.", "\\boxed{B}"),
        ("Answer with just the letter in parentheses, e.g. (A).", "(B)"),
        ("Write 'Therefore, the answer is: X' on the last line.", "Therefore, the answer is: B"),
        ("If the answer is F, then write FFFFF.", "BBBBB"),
        ("Answer: Let's think step by step.", "B"),
        ("أجب بالحرف فقط.", "B"),
        ("Відповідай лише літерою.", "B"),
    ],
)
def test_an_example_of_the_reply_is_followed(asked: str, reply: str) -> None:
    assert form_of(f"{HEARD}\n{asked}") == (reply, HEARD)


def test_a_dialogue_ends_where_the_letter_is_to_be_written() -> None:
    assert form_of(f"Q: {HEARD}\nA:") == ("B", HEARD)


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        (f"{HEARD}\nAnswer with the text of the option, not the letter.", "A dog"),
        (f"{HEARD}\nPut your final answer in \\boxed{{}}.", "\\boxed{A dog}"),
        (
            f"{HEARD}\nGive the thinking in <think> </think> and the answer in <answer> </answer>.",
            "<answer>A dog</answer>",
        ),
    ],
)
def test_a_text_is_given_where_it_is_asked_for(text: str, reply: str) -> None:
    assert form_of(text) == (reply, HEARD)


@pytest.mark.parametrize(
    "text",
    [
        HEARD,
        "A man reads a letter. What is his mood?",
        "A woman writes a letter to give to her mother. What is heard?",
        "Which letter is spoken?",
        'Who says "I am … here"?',
        "Does the melody go from A to D?",
        "Choose the instrument that is heard.",
        "Which battery is meant, AAA or AA?",
        "It isn't (A) if the answer can't be heard. What's heard?",
        "The answer is [inaudible]. What is heard?",
        "Which chord is (A)?",
    ],
)
def test_questions_about_letters_are_left_alone(text: str) -> None:
    assert form_of(text) == ("A dog", text)


def test_a_system_message_may_ask_for_the_letter() -> None:
    assert form_of(HEARD, "You are helpful. Reply with a single letter.") == ("B", HEARD)


def test_what_else_is_said_stays_with_the_question() -> None:
    told = "Choose the instrument that is heard. Answer with the letter only, without explanation."
    assert form_of(told)[1] == "Choose the instrument that is heard."
    call = f"You hear a doctor and a patient. Answer with only the letter.\n{HEARD}"
    assert form_of(call) == ("B", f"You hear a doctor and a patient.\n{HEARD}")


def test_options_that_are_letters_need_the_words_of_an_option() -> None:
    letters = ("P", "B", "T")
    spoken = "Which one is spelled first? Choose the letter that is spoken."
    assert find_form(spoken, "", letters, ("A", "B", "C")).form == ReplyForm("text")
    assert find_form("Give only the letter of the option.", "", letters, ("A", "B", "C")).form == ReplyForm("letter")


def test_numbers_are_asked_for_where_options_are_numbered() -> None:
    asked = find_form(f"{HEARD}\nReply with the number of the option.", "", OPTIONS, ("1", "2", "3", "4"))
    assert asked.form.write(Choice(letter="C", text="Wind"), ("1", "2", "3", "4")) == "3"


@pytest.mark.timeout(5)
def test_long_texts_are_read_quickly() -> None:
    for text in (
        "'ANSWER: " * 2_000,
        "A " * 9_000,
        "(" * 18_000,
        "$LETTER" * 2_500,
        "letter, " * 2_000,
        "'x [y]'. A. " * 1_600,
    ):
        find_form(text, "", OPTIONS, LETTERS)
