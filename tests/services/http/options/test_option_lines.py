"""Options inside a text: the question and the options that it is split into."""

from contextlib import suppress

import pytest

from services.errors import BadRequest
from services.http.options.option_lines import MOST_CHARACTERS, Split, split_options
from services.questions import LONGEST_TEXT


@pytest.mark.parametrize(
    ("text", "question", "options"),
    [
        ("What?\n(A) Rain\n(B) A dog", "What?", ("Rain", "A dog")),
        ("What?\nA. Rain\nB. A dog\nC. 4/4", "What?", ("Rain", "A dog", "4/4")),
        ("What?\n<A>Rain</A>\n<B> A dog </B>", "What?", ("Rain", "A dog")),
        ("What?\r\nA) Rain\r\n\r\n  B)  A dog  \r\n", "What?", ("Rain", "A dog")),
        ("(A) Rain\n(B) A dog\nAnswer with the letter.", "Answer with the letter.", ("Rain", "A dog")),
        ("Listen.\nA: Rain\nB: A dog\nC) not one of them", "Listen.\nC) not one of them", ("Rain", "A dog")),
        ("What?\n(A) Rain", "What?\n(A) Rain", ()),
        ("What?\n(B) Rain\n(C) A dog", "What?\n(B) Rain\n(C) A dog", ()),
        ("What does (A) Rain\nand B. dog mean?", "What does (A) Rain\nand B. dog mean?", ()),
        ("A. Rain\n(B) A dog", "A. Rain\n(B) A dog", ()),
        ("A dog barks.\nB flat is heard.", "A dog barks.\nB flat is heard.", ()),
        ("What? (A) Rain (B) A dog", "What?", ("Rain", "A dog")),
        ("What?\n(A) Rain, (B) A dog; (C) 4/4", "What?", ("Rain", "A dog", "4/4")),
        (
            "What?\n(A) Rain (B) A dog\n(C) Wind (D) Bees\nOne letter.",
            "What?\nOne letter.",
            ("Rain", "A dog", "Wind", "Bees"),
        ),
        ("What? A. Rain B. A dog", "What?", ("Rain", "A dog")),
        ("What? a) Rain b) A dog c) Wind", "What?", ("Rain", "A dog", "Wind")),
        ("What? 1. Rain 2. A dog", "What?", ("Rain", "A dog")),
        ("What? [A] Rain [B] A dog", "What?", ("Rain", "A dog")),
        ("What?\na) Rain b) A dog\nc) Wind d) Bees", "What?", ("Rain", "A dog", "Wind", "Bees")),
        ("What? (A)Rain or (B)a dog", "What?", ("Rain", "a dog")),
        ("什么？A、雨 B、狗", "什么？", ("雨", "狗")),
        ("Who? A. The U.S. B. A man named J. Doe C. None", "Who?", ("The U.S.", "A man named J. Doe", "None")),
        ("Listen. 1. Rain 2. A dog", "Listen. 1. Rain 2. A dog", ()),
        ("Who is it, J. Smith or A. Jones?", "Who is it, J. Smith or A. Jones?", ()),
        ("Is it (A) rain (B) a dog?", "Is it (A) rain (B) a dog?", ()),
        ("Compare (A) rain with (B) wind.", "Compare (A) rain with (B) wind.", ()),
    ],
)
def test_options_are_lines_lettered_from_a_in_one_style(text: str, question: str, options: tuple[str, ...]) -> None:
    assert split_options(text)[:2] == (question, options)


@pytest.mark.parametrize(
    ("text", "options", "marks"),
    [
        ("What?\na) Rain\nb) A dog", ("Rain", "A dog"), ("a", "b")),
        ("What?\n1. 120 BPM\n2. 90 BPM", ("120 BPM", "90 BPM"), ("1", "2")),
        ("Which:\n- (A) Rain\n- (B) A dog", ("Rain", "A dog"), ("A", "B")),
        ("什么？\nＡ．雨\nＢ．狗", ("雨", "狗"), ("A", "B")),
        ("何？\n（ア）雨\n（イ）犬", ("雨", "犬"), ("ア", "イ")),
        ("Что?\nА) Дождь\nБ) Собака", ("Дождь", "Собака"), ("А", "Б")),
    ],
)
def test_marks_come_back_as_the_text_has_them(text: str, options: tuple[str, ...], marks: tuple[str, ...]) -> None:
    assert split_options(text)[1:3] == (options, marks)


OPTIONS = ("Rain", "A dog", "Wind", "Bees")


@pytest.mark.parametrize(
    "marks",
    [
        *("0. |1. |2. |3. ", "1)|2)|3)|4)", "A> |B> |C> |D> ", "A\t|B\t|C\t|D\t", "A = |B = |C = |D = "),
        *("**A**: |**B**: |**C**: |**D**: ", "**A** |**B** |**C** |**D** ", "`A`: |`B`: |`C`: |`D`: "),
        *(
            "> A. |> B. |> C. |> D. ",
            "- [ ] A. |- [ ] B. |- [ ] C. |- [ ] D. ",
            "Answer A: |Answer B: |Answer C: |Answer D: ",
        ),
        *(
            "⑴ |⑵ |⑶ |⑷ ",
            "⒈ |⒉ |⒊ |⒋ ",
            "⒜ |⒝ |⒞ |⒟ ",
            "🅰 |🅱 |🅲 |🅳 ",
            "❶ |❷ |❸ |❹ ",
            "1\ufe0f\u20e3 |2\ufe0f\u20e3 |3\ufe0f\u20e3 |4\ufe0f\u20e3 ",
        ),
        *(
            "Ⅰ. |Ⅱ. |Ⅲ. |Ⅳ. ",
            "१. |२. |३. |४. ",
            "۱) |۲) |۳) |۴) ",
            "क) |ख) |ग) |घ) ",
            "أ) |ب) |ت) |ث) ",
            "الف) |ب) |ج) |د) ",
        ),
        *(
            "ก. |ข. |ค. |ง. ",
            "ㄱ. |ㄴ. |ㄷ. |ㄹ. ",
            "㉠ |㉡ |㉢ |㉣ ",
            "イ. |ロ. |ハ. |ニ. ",
            "Ա. |Բ. |Գ. |Դ. ",
            "ა) |ბ) |გ) |დ) ",
        ),
        *("\ufeffA. |\ufeffB. |\ufeffC. |\ufeffD. ", "\u200fA. |\u200fB. |\u200fC. |\u200fD. "),
    ],
)
def test_options_are_marked_in_many_alphabets_and_styles(marks: str) -> None:
    lines = [f"{mark}{option}" for mark, option in zip(marks.split("|"), OPTIONS, strict=True)]
    assert split_options("\n".join(["What is heard?", *lines]))[:2] == ("What is heard?", OPTIONS)


@pytest.mark.parametrize(
    "line",
    [
        "A)Rain B)A dog C)Wind D)Bees",
        "A.Rain B.A dog C.Wind D.Bees",
        "**A.** Rain **B.** A dog **C.** Wind **D.** Bees",
        "A) Rain / B) A dog / C) Wind / D) Bees",
        "А) Rain Б) A dog В) Wind Г) Bees",
        "① Rain ② A dog ③ Wind ④ Bees",
        "（ア）Rain（イ）A dog（ウ）Wind（エ）Bees",
        "<br>A. Rain<br>B. A dog<br/>C. Wind<BR>D. Bees",
    ],
)
def test_options_that_share_a_line_are_marked_in_many_ways_too(line: str) -> None:
    assert split_options(f"What is heard? {line}")[:2] == ("What is heard?", OPTIONS)


def test_the_sign_between_two_options_is_of_neither() -> None:
    assert split_options("What?\nA. Rain,\nB. Wind, far off,\nC. Bees").options == ("Rain", "Wind, far off", "Bees")
    assert split_options("What?\nA. Rain,\nB. Wind\nC. Bees").options == ("Rain,", "Wind", "Bees")
    assert split_options('What?\n"A": "Rain",\n"B": "Wind"').options == ("Rain", "Wind")


def test_an_option_may_go_on_in_the_next_lines() -> None:
    text = "What?\n(A) Rain on\na roof\n(B) Wind\n\nfar off\n(C) Bees\nAnswer."
    assert split_options(text)[:2] == ("What?\nAnswer.", ("Rain on\na roof", "Wind\n\nfar off", "Bees"))
    assert split_options("What?\nA. Rain\nB. Wind in\n   trees\nAnswer.").options == ("Rain", "Wind in\n   trees")


@pytest.mark.parametrize(
    "text",
    [
        "What?\nA. Rain\nB. Wind\nD. Bees",
        "What?\nA. Rain\nB. Wind\nB. Bees",
        "What?\nA. Rain\nB. Wind\nC) Bees",
    ],
)
def test_a_line_marked_as_options_are_is_noticed_beside_them(text: str) -> None:
    split = split_options(text)
    assert (split.options, split.is_whole) == (("Rain", "Wind"), False)
    assert split_options("What?\nA. Rain\nB. Wind\n1. Listen.\n2. Answer.").is_whole


def test_more_numbered_options_than_letters_are_all_read_so_that_they_are_refused() -> None:
    assert len(split_options("Which?\n" + "\n".join(f"{number}. x{number}" for number in range(1, 41))).options) == 40


@pytest.mark.parametrize(
    "text",
    [
        "Do this.\n1. Listen to the clip.\n2. Say what is heard.",
        "How long?\n1.5 s\n2.5 s",
        "What?\na) Rain\n2) A dog",
        "What?\na) Rain\n(b) A dog",
    ],
)
def test_instructions_numbers_and_mixed_marks_are_not_options(text: str) -> None:
    assert split_options(text) == Split(text, ())


@pytest.mark.parametrize(
    ("text", "question", "options"),
    [
        ("Listen to it. 1. Dog 2. Cat 3. Cow", "Listen to it.", ("Dog", "Cat", "Cow")),
        ("Listen to it. 1. Dog 2. Cat 3. Cow.\n", "Listen to it.", ("Dog", "Cat", "Cow")),
        ("What is it? Take one. 1) a dog, 2) a cat, or 3) a cow", "What is it? Take one.", ("a dog", "a cat", "a cow")),
        ("Choose! (1) Grand piano (2) Drum kit (3) Violin", "Choose!", ("Grand piano", "Drum kit", "Violin")),
        ("Hör zu.\nWähle eins. a) Hund b) Katze c) Kuh", "Hör zu.\nWähle eins.", ("Hund", "Katze", "Kuh")),
        ("听。 1、狗 2、猫 3、牛", "听。", ("狗", "猫", "牛")),
    ],
)
def test_short_options_in_one_line_that_end_the_text_are_read_behind_a_sentence(
    text: str, question: str, options: tuple[str, ...]
) -> None:
    assert split_options(text)[:2] == (question, options)


@pytest.mark.parametrize(
    "text",
    [
        "It costs 1. 50",
        "The prices are read. 1. 50 2. 60 3. 70",
        "It took 1.5 s. 2.5 s later it ended. 3.5 s are left.",
        "He came on the 1. May 2. June 3. July",
        "She came. 1. May 2. June",
        "Count. 1. 2. 3. 4.",
        "Do this. 1. Transcribe all that is said 2. Translate it into German 3. Count the words",
        "Do this. 1. Listen. 2. Transcribe. 3. Translate.",
        'He says: "Here is the list. 1. Milk 2. Bread 3. Eggs"',
        "He reads the agenda. 1. Budget 2. Hiring 3. Rent\nSay what comes second.",
        "He reads the agenda. 1. Budget 2. Hiring 3. Rent. What comes second?",
        "He reads the agenda. 2. Budget 3. Hiring 4. Rent",
        "the agenda 1. Budget 2. Hiring 3. Rent",
    ],
)
def test_decimals_dates_steps_and_lists_in_a_transcript_are_not_options(text: str) -> None:
    assert split_options(text) == Split(text, ())


def test_two_lists_are_refused() -> None:
    with pytest.raises(BadRequest, match="twice"):
        split_options("A. Rain\nB. Wind\nor\nA. Dog\nB. Cat")


@pytest.mark.timeout(5)
def test_a_long_line_is_read_once() -> None:
    for line in ("(A) x" + " " * 1_000_000 + "y", "A. " * 300_000):
        assert split_options(line) == Split(line, ())


@pytest.mark.timeout(5)
def test_the_longest_line_that_is_split_may_hold_one_mark_thousands_of_times() -> None:
    line = ("A. " * (LONGEST_TEXT // 3)).strip()
    assert split_options(line) == Split(line, ())


@pytest.mark.timeout(5)
@pytest.mark.parametrize("unit", ["1. x\n", "A. x\n", "(A) x\n\n"])
def test_a_text_that_is_too_long_to_be_asked_is_not_split(unit: str) -> None:
    text = "Which?\n" + unit * 200_000
    assert split_options(text) == Split(text, ())


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "unit", ["A. x\n\n\n", "A. x\n  y\n", "A.x B.x ", "①x", "['a','b'] ", "options ['a','b']\n", "{'A':'b','B':'c'} "]
)
def test_the_longest_text_that_is_split_is_split_at_once(unit: str) -> None:
    for repeated in (unit * MOST_CHARACTERS, "Which options?\n" + unit * MOST_CHARACTERS):
        with suppress(BadRequest):
            split_options(repeated[:MOST_CHARACTERS])


@pytest.mark.parametrize(
    ("text", "question", "options"),
    [
        ("What is heard? A = rain, B = dog", "What is heard?", ("rain", "dog")),
        ("What is heard? A=rain B=dog", "What is heard?", ("rain", "dog")),
        ("Which animal is it? (A = cat, B = dog, C = cow)", "Which animal is it?", ("cat", "dog", "cow")),
        ("Which animal is it? (A: cat; B: dog)", "Which animal is it?", ("cat", "dog")),
        ("What is heard? A - rain, B - a dog", "What is heard?", ("rain", "a dog")),
        ("What is heard? 1 = rain, 2 = dog, 3 = wind", "What is heard?", ("rain", "dog", "wind")),
        ("听到什么？A=雨，B=狗", "听到什么？", ("雨", "狗")),
        ("Choose: A→rain, B→dog", "Choose:", ("rain", "dog")),
        ("Was hört man? A = Regen, B = Hund. Antworte kurz.", "Was hört man?\nAntworte kurz.", ("Regen", "Hund")),
        ("In the formula A = 5, B = 3, what is A+B?", "In the formula A = 5, B = 3, what is A+B?", ()),
        ("Listen. A = 440 Hz, B = 880 Hz. Which is it?", "Listen. A = 440 Hz, B = 880 Hz. Which is it?", ()),
        ("Is it loud? (I mean A - the first - and B - the last)", None, ()),
        ("What is heard (A major, B minor)?", None, ()),
    ],
)
def test_options_in_one_line_may_be_marked_by_a_sign_between_and_stand_in_brackets(
    text: str, question: str | None, options: tuple[str, ...]
) -> None:
    split = split_options(text)
    assert (split.question, split.options) == (question or text, options)


@pytest.mark.parametrize(
    ("user", "assistant"),
    [("User:", "Assistant:"), ("### Human:", "### Assistant:"), ("USER:", "AI:"), ("Benutzer:", "Assistent:")],
)
@pytest.mark.parametrize("listed", ["\n(A) {}\n(B) {}", " (A) {} (B) {}"])
def test_an_answered_turn_of_a_dialogue_in_one_text_is_an_example(user: str, assistant: str, listed: str) -> None:
    first = f"{user} What is heard?" + listed.format("Rain", "Hail")
    last = f"{user} And now?" + listed.format("Wind", "A cow")
    split = split_options(f"{first}\n{assistant} B\n{last}\n{assistant}")
    assert (split.options, split.num_examples) == (("Wind", "A cow"), 1)
    assert split.question == f"{user} And now?\n{assistant}"
    with pytest.raises(BadRequest, match="lists options twice"):
        split_options(f"{first}\nAssistants are here.\n{last}")
