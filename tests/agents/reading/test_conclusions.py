"""Numbers in several spellings, options that carry their letters, contrasts, and conclusions in many languages."""

import pytest

from agents.reading.conclusions import load_wordings
from agents.reading.reply import read_choice
from lalm.prompting import format_question
from services.questions import drop_own_letters
from services.types import Question

ANIMALS = ("A dog", "A cat", "A bird", "A cow")
COUNTS = ("2", "3", "4", "5")
WORDS = ("Two", "Three", "Four")
BEATS = ("2 beats", "3 beats", "12 beats")
LETTERED = ("(A) A dog", "(B) A cat")

TABLE = [
    # numbers
    ("three", COUNTS, "B"),
    ("Three.", COUNTS, "B"),
    ("3.0", COUNTS, "B"),
    ("03", COUNTS, "B"),
    ("٣", COUNTS, "B"),
    ("三", COUNTS, "B"),
    ("There are three beats.", COUNTS, "B"),
    ("The answer is three.", COUNTS, "B"),
    ("3", WORDS, "B"),
    ("There are 3 of them", WORDS, "B"),
    ("3", BEATS, "B"),
    ("three beats", BEATS, "B"),
    ("twelve", BEATS, "C"),
    ("twenty-one", ("21", "20", "1"), "A"),
    ("one hundred and five", ("105", "100", "5"), "A"),
    ("1,000", ("1000", "100"), "A"),
    ("two point five", ("2", "2.5", "5"), "B"),
    ("minus five", ("5", "-5"), "B"),
    ("There is one speaker.", ("1", "2"), "A"),
    ("The one that barks twice", ("1", "2"), None),
    ("3.5", COUNTS, None),
    ("thirteen", COUNTS, None),
    ("two or 3", COUNTS, None),
    ("Between three and five", COUNTS, None),
    ("seven", COUNTS, None),
    # options that carry their letter
    ("A cat", LETTERED, "B"),
    ("The answer is a cat.", LETTERED, "B"),
    ("B", LETTERED, "B"),
    ("(B) A cat", LETTERED, "B"),
    ("B. A cat", LETTERED, "B"),
    ("(A) A cat", LETTERED, None),
    ("cat", ("A. dog", "B. cat"), "B"),
    ("cat", ("A) dog", "B) cat"), "B"),
    ("cat", ("A: dog", "B: cat"), "B"),
    # contrasts
    ("The answer is not B but C.", ANIMALS, "C"),
    ("Option B is correct because option A is too loud.", ANIMALS, "B"),
    ("It can't be B. It must be C.", ANIMALS, "C"),
    ("It cannot be a dog, so it must be a bird.", ANIMALS, "C"),
    ("I first thought B, but after listening again it is C.", ANIMALS, "C"),
    ("It is a cat because a dog would be louder.", ANIMALS, "B"),
    ("A is wrong. C is correct.", ANIMALS, "C"),
    ("It isn't a dog or a cat.", ANIMALS, None),
    ("It is not only B but also C.", ANIMALS, None),
    ("It is a dog. It is B.", ANIMALS, None),
    ("A is too loud.", ANIMALS, None),
    ("It does not sound like a dog.", ANIMALS, None),
    ("It must be C.", ("A minor", "C major", "G major"), None),
    ("No or yes", ("Yes", "No"), None),
    # languages
    ("Antwort: B", ANIMALS, "B"),
    ("Die richtige Antwort ist B.", ANIMALS, "B"),
    ("Die Antwort ist nicht B.", ANIMALS, None),
    ("Die falsche Antwort: B", ANIMALS, None),
    ("La respuesta correcta es la C.", ANIMALS, "C"),
    ("Réponse : C", ANIMALS, "C"),
    ("A resposta é a letra B.", ANIMALS, "B"),
    ("La risposta corretta è B", ANIMALS, "B"),
    ("Правильный ответ: B", ANIMALS, "B"),
    ("الإجابة الصحيحة هي B", ANIMALS, "B"),
    ("정답은 C입니다.", ANIMALS, "C"),
    ("答え：C", ANIMALS, "C"),
    ("正解はCです。", ANIMALS, "C"),
    ("正解はCではありません。", ANIMALS, None),
    ("我选择C。", ANIMALS, "C"),
    ("答案不是C", ANIMALS, None),
    ("错误答案：C", ANIMALS, None),
    ("Doğru cevap: B", ANIMALS, "B"),
    ("Odpowiedź: B", ANIMALS, "B"),
    ("सही उत्तर B है।", ANIMALS, "B"),
    ("Đáp án là B", ANIMALS, "B"),
    ("Das ist kein Hund.", ("Hund", "Katze"), None),
    ("Option B est incorrecte.", ANIMALS, None),
]


@pytest.mark.parametrize(("reply", "choices", "letter"), TABLE, ids=range(len(TABLE)))
def test_a_reply_is_read_as_the_option_it_names(reply: str, choices: tuple[str, ...], letter: str | None) -> None:
    choice = read_choice(reply, Question.ask("?", choices).choices)
    assert (choice.letter if choice else None) == letter, reply


@pytest.mark.parametrize("language", load_wordings())
def test_every_language_concludes_with_a_colon(language: str) -> None:
    for noun in load_wordings()[language].noun:
        choice = read_choice(f"{noun}: C", Question.ask("?", ANIMALS).choices)
        assert choice is not None and choice.letter == "C", noun


def test_a_prompt_shows_the_letters_of_options_once() -> None:
    assert format_question(Question.ask("?", LETTERED)) == "Question: ?\nA. A dog\nB. A cat"
    assert format_question(Question.ask("?", LETTERED[::-1])) == "Question: ?\nA. A cat\nB. A dog"


@pytest.mark.parametrize(
    "options", [("(A) dog", "cat"), ("(A) dog", "(C) cat"), ("(A) dog", "B. cat"), ("A dog", "B sharp"), ("A. dog",)]
)
def test_options_that_do_not_all_carry_their_letters_stay(options: tuple[str, ...]) -> None:
    choices = Question.ask("?", options).choices
    assert drop_own_letters(choices) == choices
