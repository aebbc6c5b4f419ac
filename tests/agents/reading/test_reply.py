"""One table: reply -> the option it names, or None. A misread reply found in a run becomes a row here."""

from time import process_time

import pytest

from agents.reading.reply import read_choice
from services.types import Question

VOICES = ("Man", "Woman", "Child", "Robot")
SOUNDS = ("Rain on roof", "A dog barking", "Wind", "Silence")
CARS = ("red car", "red car horn", "bus", "bike")
NOTES = ("G", "A#", "D", "E")
NUMBERS = ("1", "2", "2.5", "4")
PIANO = ("Guitar, Piano", "Piano, Guitar", "Piano, Guitar, Piano", "Guitar, Piano, Guitar")
METRES = ("3/4", "4/4", "6/8", "2/4")
LEVELS = ("-29.5 dB", "-19.5 dB", "-5.0 dB", "5.0 dB")
TWICE = ("thirteen", "twenty", "thirteen", "five")
ORDER = ("From near to far", "From far to near", "In a fixed position", "Circling around")
EIGHT = ("one", "two", "three", "four", "five", "six", "seven", "eight")

TABLE = [
    # a letter and nothing else
    ("B", VOICES, "B"),
    ("b", VOICES, "B"),
    ("(B)", VOICES, "B"),
    ("B.", VOICES, "B"),
    ("B)", VOICES, "B"),
    ("**B**", VOICES, "B"),
    ("[C]", VOICES, "C"),
    (" D \n", VOICES, "D"),
    ("Ｂ", VOICES, "B"),
    ("E", VOICES, None),
    ("H", EIGHT, "H"),
    # a letter with its option
    ("(B) Woman", VOICES, "B"),
    ("B. Woman", VOICES, "B"),
    ("B: Woman", VOICES, "B"),
    ("B) woman.", VOICES, "B"),
    ("B Woman", VOICES, "B"),
    ("B - Woman", VOICES, "B"),
    ("**B. Woman**", VOICES, "B"),
    ("Option B", VOICES, "B"),
    ("Option B: Woman", VOICES, "B"),
    ("B. The woman", VOICES, "B"),
    ("B. Woman, because a man would sound lower.", VOICES, "B"),
    ("B because the voice is high.", VOICES, "B"),
    ("B, since the voice is high", VOICES, "B"),
    ("A. Rain on roof", SOUNDS, "A"),
    ("B is correct.", VOICES, "B"),
    # the letter of one option with the text of another
    ("(B) Man", VOICES, None),
    ("B. Man", VOICES, None),
    ("B. Man, because the voice is low", VOICES, None),
    ("A. Woman", VOICES, None),
    ("(A) Woman, because a man would sound lower", VOICES, None),
    ("(A) 4/4", METRES, None),
    ("(B) 4/4", METRES, "B"),
    ("(A) -19.5 dB", LEVELS, None),
    ("(B) -19.5 dB", LEVELS, "B"),
    ("(B) 5.0 dB", LEVELS, None),
    ("I don't think it is a man.", VOICES, None),
    ("I do not believe that the speaker is a man but a woman.", VOICES, "B"),
    ("I don't think it is a man; it is a child.", VOICES, "C"),
    # times in another spelling
    ("9:30", ("nine thirty", "ten", "noon"), "A"),
    ("The meeting starts at half past nine.", ("9:30", "10:00", "12:00"), "A"),
    ("It is nine forty-five.", ("9:30", "10:00", "12:00"), None),
    ("From three forty-two to 6:39.", ("three forty-two", "six thirty-nine"), None),
    ("At nine thirty in the evening.", ("9:30", "21:30"), None),
    ("7 pm", ("7 AM", "7 PM"), "B"),
    ("third", ("1st", "2nd", "3rd"), "C"),
    ("It lasts one second.", ("1st", "2nd", "3rd"), None),
    ("Selected: B", ("cat", "dog"), "B"),
    # two options
    ("Yes or No", ("Yes", "No"), None),
    ("one or three", ("one", "three", "four"), None),
    ("Guitar and drums", ("Drums", "Guitar and drums"), "B"),
    # the text, as people write it
    ("440Hz", ("220 Hz", "440 Hz"), "B"),
    ("Hi hat", ("Tom-tom", "Hi-hat"), "B"),
    ("Hihat", ("Tom-tom", "Hi-hat"), "B"),
    ("dont know", ("know", "don't know"), "B"),
    ("usual'magic night'.", ("usual 'magic night'", "no magic"), "A"),
    ("12", ("1 2", "3 4"), None),
    ("C♯ major", ("C major", "C# major"), "B"),
    ("Bass drum is heard", ("The bass drum", "Cymbal"), "A"),
    ("I think it is C sharp.", ("A sharp", "C sharp"), "B"),
    # the text
    ("Man", VOICES, "A"),
    ("  MAN!! ", VOICES, "A"),
    ('**"Man"**', VOICES, "A"),
    ("_Man_", VOICES, "A"),
    ("ＭＡＮ", VOICES, "A"),
    ("A man.", VOICES, "A"),
    ("dog barking", SOUNDS, "B"),
    ("It sounds like a man speaking.", VOICES, "A"),
    ("It's a man.", VOICES, "A"),
    ("Man, because in the audio I can hear it clearly.", VOICES, "A"),
    ("Man\nThe pitch is too low for a woman.", VOICES, "A"),
    ("Man. Man! The answer: man", VOICES, "A"),
    ("Most likely a robot.", VOICES, "D"),
    ("Male", VOICES, None),
    ("Men", VOICES, None),
    ("mankind", VOICES, None),
    ("red car horn", CARS, "B"),
    ("I hear a red car horn.", CARS, "B"),
    ("I hear a red car.", CARS, "A"),
    ("From far to near", ORDER, "B"),
    ("Guitar, Piano, Guitar", PIANO, "D"),
    ("Guitar, Piano", PIANO, "A"),
    ("2", NUMBERS, "B"),
    ("2.5", NUMBERS, "C"),
    ("The answer is 2.5.", NUMBERS, "C"),
    ("There are 2 of them.", NUMBERS, "B"),
    ("café", ("café", "bar"), "A"),
    ("cafe\u0301", ("café", "bar"), "A"),
    ("男人。", ("男人", "女人"), "A"),
    ("hi-hat", ("Bass drum", "Tom-tom", "Cymbal", "Hi-hat"), "D"),
    ("C major.", ("A minor", "C major", "G major"), "B"),
    ("The key is C major", ("A minor", "C major", "G major"), "B"),
    ("The key is C", ("A minor", "C major", "G major"), None),
    # several options, or none
    ("Man or Woman", VOICES, None),
    ("A or B", VOICES, None),
    ("A and C", VOICES, None),
    ("A, B", VOICES, None),
    ("(A) or (B)", VOICES, None),
    ("Man, Woman, Child, Robot", VOICES, None),
    ("A. Man\nB. Woman\nC. Child\nD. Robot", VOICES, None),
    ("", VOICES, None),
    ("   \n", VOICES, None),
    ("None of the above.", VOICES, None),
    ("I cannot listen to audio.", VOICES, None),
    ("I cannot tell whether it is a man.", VOICES, None),
    ("It is impossible to say. A man?", VOICES, None),
    ("It is not a man.", VOICES, None),
    ("It isn't a robot.", VOICES, None),
    ("It is not a man, it is a child.", VOICES, "C"),
    ("Man, not Woman", VOICES, "A"),
    ("The voice is a woman's rather than a child's, so: woman", VOICES, "B"),
    ("(A) is incorrect. (B) is correct.", VOICES, "B"),
    ("A is wrong.", VOICES, None),
    ("(A) Man... but in the end (B)", VOICES, None),
    ("Man is not correct.", VOICES, None),
    ("I would rule out the robot.", VOICES, None),
    ("Neither (A) nor (B)", VOICES, None),
    ("Option A is wrong, option B is right.", VOICES, "B"),
    ("The answer is not man but woman.", VOICES, "B"),
    ("The level is -3 dB", ("3 dB", "6 dB"), None),
    # what the reply marks as its answer
    ("The answer is B.", VOICES, "B"),
    ("The answer is (B)", VOICES, "B"),
    ("ANSWER: B", VOICES, "B"),
    ("Answer: B. Woman", VOICES, "B"),
    ("**Answer:** B", VOICES, "B"),
    ("### Answer\nB", VOICES, "B"),
    ("The correct answer is: Man.", VOICES, "A"),
    ('The correct answer is: "A dog barking".', SOUNDS, "B"),
    ("The correct option is C", VOICES, "C"),
    ("The answer to the question is a child.", VOICES, "C"),
    ("The answer would be **Robot**", VOICES, "D"),
    ("Answer - C", VOICES, "C"),
    ("First I thought the answer: A. But then the answer: C", VOICES, "C"),
    ("A. Man\nB. Woman\nC. Child\nD. Robot\nAnswer: C", VOICES, "C"),
    ("It could be a man or a woman. The final answer is Woman.", VOICES, "B"),
    ("The answer is not clear.", VOICES, None),
    ("The answer is man or woman.", VOICES, None),
    ("The wrong answer is Man.", VOICES, None),
    ("My answer is below.\n(B)", VOICES, "B"),
    ("(B)\nI hope this answer is helpful.", VOICES, "B"),
    ("I'd go with B.", VOICES, "B"),
    ("Choice: B", VOICES, "B"),
    ("A (Man)", VOICES, "A"),
    ("Woman. The answer is clear from the pitch.", VOICES, "B"),
    ("The answer is A. No, the answer is B.", VOICES, "B"),
    ("The answer is A, B", VOICES, None),
    ("The answer is either A or B", VOICES, None),
    ("Answer: it is the man.", VOICES, "A"),
    ("I choose C because of the pitch", VOICES, "C"),
    ("\\boxed{C}", VOICES, "C"),
    ("So we get $\\boxed{\\text{Child}}$.", VOICES, "C"),
    # tags and JSON
    ("<answer>B</answer>", VOICES, "B"),
    ("<answer>B. Woman</answer>", VOICES, "B"),
    ("<answer>\nwoman\n</answer>", VOICES, "B"),
    ("A man? <ANSWER>Woman</ANSWER>", VOICES, "B"),
    ("<answer>B", VOICES, "B"),
    ("<answer>A</answer> no, <answer>B</answer>", VOICES, "B"),
    ("<answer>unknown</answer> Man", VOICES, None),
    ('{"answer": "B"}', VOICES, "B"),
    ('```json\n{"answer": "Woman", "confidence": 0.9}\n```', VOICES, "B"),
    ('{"reason": "a man would sound lower", "answer": "B. Woman"}', VOICES, "B"),
    ('{"answer": 2}', NUMBERS, "B"),
    ('{"answer": "caf\\u00e9"}', ("café", "bar"), "A"),
    ("{'answer': 'B'}", VOICES, "B"),
    ('{"Answer": "(B)"}', VOICES, "B"),
    ("<final_answer>C</final_answer>", VOICES, "C"),
    ('{"answer": null}', VOICES, None),
    ('{"answer": "a man or a woman"}', VOICES, None),
    ('{"selected_option": "B"}', VOICES, "B"),
    ('{"Final answer": "Woman"}', VOICES, "B"),
    ("Ans: B", VOICES, "B"),
    ("答案是B", VOICES, "B"),
    ("正确答案：女人。", ("男人", "女人"), "B"),
    # thinking
    ("<reasoning>Man?</reasoning>B", VOICES, "B"),
    ("[THINK]A or C[/THINK]B", VOICES, "B"),
    ("<|channel|>analysis<|message|>A?<|end|><|start|>assistant<|channel|>final<|message|>B", VOICES, "B"),
    ("<think>Could be Woman or Child</think> Man", VOICES, "A"),
    ("<think>The answer: B</think>\n\nC", VOICES, "C"),
    ("the template opened the tag, so Woman</think>Child", VOICES, "C"),
    ("<think>The answer is B, but wait", VOICES, None),
    ("<thinking>A</thinking><answer>D</answer>", VOICES, "D"),
    ("<think></think>B", VOICES, "B"),
    # yes or no
    ("Yes, there is no doubt", ("Yes", "No"), "A"),
    ("No.", ("Yes", "No"), "B"),
    ("No, there is not.", ("Yes", "No"), "B"),
    ("There is no sound of a dog", ("Yes", "No"), None),
    # options that share their text, are empty, or look like letters
    ("thirteen", TWICE, "A"),
    ("C", TWICE, "C"),
    ("(C) thirteen", TWICE, "C"),
    ("It is thirteen.", TWICE, "A"),
    ("Entered", ("Entered", "Did not enter", ""), "A"),
    ("C", ("Entered", "Did not enter", ""), "C"),
    ("D", NOTES, None),
    ("The answer is D.", NOTES, None),
    ("D, because it is high", NOTES, None),
    ("The answer is (B) Guitar and drums, because I hear it.", ("Drums", "Guitar and drums"), "B"),
    ("I'd say not sure.", ("Yes", "No", "Not sure"), "C"),
    ("It seems that they don't know.", ("They don't know", "They know"), "A"),
    ("(D)", NOTES, "D"),
    ("D. E", NOTES, "D"),
    ("C. D", NOTES, "C"),
    ("A#", NOTES, "B"),
    # another name or form of the option
    ("D flat", ("C♯", "D", "E"), "A"),
    ("not D flat", ("C♯", "D", "E"), None),
    ("dogs", ("A dog", "A cat"), "A"),
    ("cafe", ("café", "thé"), "A"),
    ("21:30", ("9:30", "10:30"), "A"),
    ("The note is A#.", NOTES, "B"),
    ("G", NOTES, "A"),
    ('"a"', ("twenty-one", "Berman's", "said", "a"), "D"),
    # long reasoning is read by its mark or its conclusion only
    ("The pitch is high and the voice is thin. " * 20 + "A woman", VOICES, None),
    ("The pitch is high and the voice is thin. " * 20 + "Therefore, it is a woman.", VOICES, "B"),
    ("The man laughs and walks on. " * 20 + "\nAnswer: D", VOICES, "D"),
    # beyond LONGEST_REPLY only what whole lines at the end mark or conclude
    ("The man laughs and walks on.\n" * 1_000 + "Answer: D", VOICES, "D"),
    ("The man laughs and walks on.\n" * 1_000 + "<answer>B</answer>", VOICES, "B"),
    ("Answer: D\n" + "The man laughs and walks on.\n" * 1_000, VOICES, None),
    ("A\n" + "The man laughs and walks on.\n" * 1_000 + "\nD", VOICES, None),
    ("<think>" + "It may be A. " * 20_000 + "</think>B", VOICES, "B"),
    # tags that only format, one in another, and ends of lines
    ("<p><strong>B</strong></p>", VOICES, "B"),
    ("<ul><li>B</li></ul>", VOICES, "B"),
    ("B<br>", VOICES, "B"),
    ("B<br/>The voice is high.", VOICES, "B"),
    ("<b>A</b><i>B</i>", VOICES, None),
    # a verdict on each option, on some, and on none
    ("A) Rain on roof - no\nB) A dog barking - yes\nC) Wind - no\nD) Silence - no", SOUNDS, "B"),
    ("A: wrong. B: correct. C: wrong. D: wrong.", SOUNDS, "B"),
    ("**A) Rain on roof**: ❌ no drops\n**B) A dog barking**: ✅\n**C)**: ❌\n**D)**: ❌", SOUNDS, "B"),
    ("A ❌ B ✅", SOUNDS, "B"),
    ("A: wrong. B: correct. C: correct. D: wrong.", SOUNDS, None),
    ("Rain on roof? No. Wind? Yes.", SOUNDS, None),  # what is asked may be what is not heard
    ("True - wrong\nFalse - right", ("True", "False"), None),
    ("True ✗\nFalse ✓", ("True", "False"), "B"),
    ("circles: false\n\nright to left: true\n\nleft: false", ("circles", "right to left", "left"), "B"),
    ("(C) - no", SOUNDS, None),
    ("Wind ❌", SOUNDS, None),
    ("Answer: Wind? No.", SOUNDS, None),
    ("It's B, not A.", SOUNDS, "B"),
    ("The answer is B, not (A).", SOUNDS, "B"),
    ('Answer: "B"? No.', SOUNDS, None),
    ('Answer: "D"? No.', ("2", "3", "4", "5"), None),
    ('THE ANSWER IS D BECAUSE A AND "B" DO NOT FIT.', SOUNDS, "D"),
    ("drums, guitar and drums", ("Violin", "Drums", "Guitar and drums"), None),
    ("B. No drops are heard.", SOUNDS, "B"),
    ("B: no rain falls.", SOUNDS, "B"),
    # what is taken back
    ("A. Wait, actually B.", SOUNDS, "B"),
    ("(A)... no wait, (B).", SOUNDS, "B"),
    ("A. Wait, no.", SOUNDS, None),
    ("The answer is A. Hold on, that is wrong.", SOUNDS, None),
    ("B. Wait here, because of the bell.", ("Go on", "Wait here", "Stop"), "B"),
    ("B. Wait for the bark at 3 s.", SOUNDS, "B"),
    ("B. I actually heard a dog.", SOUNDS, "B"),
    # letters in any marks, hedged, joined, excluded
    ("Definitely **B**.", SOUNDS, "B"),
    ('I\'d say "B".', SOUNDS, "B"),
    ("I can't hear it well, but the answer is likely B.", SOUNDS, "B"),
    ("It is a", SOUNDS, None),
    ("option b", SOUNDS, "B"),
    ("✅ B", SOUNDS, "B"),
    ("→ B", SOUNDS, "B"),
    ("≠B", SOUNDS, None),
    ("C#", ("C", "C#", "D"), "B"),
    ("\u200bB\ufeff", SOUNDS, "B"),
    ("$\\boxed{\\mathbf{B}}$", SOUNDS, "B"),
    ("Either **B** or (C).", SOUNDS, None),
    ("(B)/**C**", SOUNDS, None),
    ("3/4, 6/8", METRES, None),
    ("Everything but (D) fits.", SOUNDS, None),
    ("The best answer is B because A, C, and D don't fit.", SOUNDS, "B"),
    ("Answer: A big noise", SOUNDS, None),
    ("rain, then thunder", ("Rain", "Thunder", "Rain and thunder"), None),
    ("The key is A", ("C major", "A minor", "G major"), None),
    # fields and headings
    ('{"output": "B"}', SOUNDS, "B"),
    ('{"selected_answer": "B", "response": "I hear it."}', SOUNDS, "B"),
    ('{"answer": "A", "choice": "B"}', SOUNDS, None),
    ("Prediction: B", SOUNDS, "B"),
    ("**Final verdict**: B", SOUNDS, "B"),
    # places of options
    ("The second option.", SOUNDS, "B"),
    ("The first option is wrong, the second option is right.", SOUNDS, "B"),
    ("Option 3", ("2", "3", "4", "5"), None),  # the third, or the 3
    ("Option 2", ("1", "2", "3", "4"), "B"),
    ("Ответ — B.", SOUNDS, "B"),
    ("Cevap B'dir.", SOUNDS, "B"),
    # numbers without end
    ("three " * 3_000, NUMBERS, None),
    ("hundred " * 2_000 + "\nAnswer: B", NUMBERS, "B"),
    ("9" * 6_000, NUMBERS, None),
    ('{"answer": ' + "9" * 6_000 + "}", NUMBERS, None),
]


@pytest.mark.parametrize(("reply", "choices", "letter"), TABLE, ids=range(len(TABLE)))
def test_a_reply_is_read_as_the_option_it_names(reply: str, choices: tuple[str, ...], letter: str | None) -> None:
    choice = read_choice(reply, Question.ask("?", choices).choices)
    assert (choice.letter if choice else None) == letter, reply


@pytest.mark.slow
def test_a_reply_nested_beyond_reason_is_not_read() -> None:
    assert read_choice('{"a":' * 20_000, Question.ask("?", VOICES).choices) is None


def test_no_reply_is_read_without_choices() -> None:
    assert read_choice("B", ()) is None


def cpu_s(repeated: str, length: int) -> float:
    reply, choices = repeated * (length // len(repeated)), Question.ask("?", (*SOUNDS[:3], "3 dogs")).choices
    started = process_time()
    read_choice(reply, choices)
    return process_time() - started


@pytest.mark.slow
@pytest.mark.parametrize(
    "repeated",
    [
        *("Rain or wind, and then the rhythm. ", "\n", " ", "x \n", "1 ", "9:", "1/2 ", "½", "minus one ", "may 3 "),
        *(
            "*",
            "*B",
            "✅",
            "**A** or ",
            "A\n- ",
            "wait, ",
            "A: no\n",
            "(A",
            "A, ",
            "because A ",
            "<b>",
            "< ",
            "<|a|>",
            "正确",
            "答案",
            "so-",
            "Antwort\n",
            "first-thought-",
        ),
    ],
)
def test_reading_time_grows_with_the_length_of_a_reply_and_not_with_its_square(repeated: str) -> None:
    cpu_s(repeated, 500)  # compiles and fills caches
    assert cpu_s(repeated, 19_200) < 100 * max(cpu_s(repeated, 600), 1e-3)  # 32 times as long; the square: 1,024
