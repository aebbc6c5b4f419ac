"""Special tokens and thoughts are taken away; a mark that is not known leaves the reply unread."""

import pytest

from agents.reading.reply import read_choice
from services.types import Question

ANIMALS = ("A dog", "A cat", "A bird", "A cow")

TABLE = [
    # tokens of the end, of roles and of turns
    ("B<|im_end|>", "B"),
    ("B</s></s>", "B"),
    ("<s> B</s>", "B"),
    ("B. A cat<end_of_turn>\n", "B"),
    ("<start_of_turn>model\nB<end_of_turn>\n<eos>", "B"),
    ("<|start_header_id|>assistant<|end_header_id|>\n\nB<|eot_id|>", "B"),
    ("<|im_start|>assistant<|im_sep|>The answer is B.<|im_end|>", "B"),
    ("B<｜end▁of▁sentence｜>", "B"),
    ("B<|im_end|>\n<|im_start|>user\nIs it C?<|im_end|>", "B"),
    ("[/INST] A cat</s>", "B"),
    ("<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>B<|END_OF_TURN_TOKEN|>", "B"),
    ("B<|end_of_something_new|>", "B"),
    ("<|im_end|>", None),
    # thoughts
    ("◁think▷a dog?◁/think▷C", "C"),
    ("a dog?◁/think▷C", "C"),
    ("◁think▷a dog? C", None),
    ("[THINK]A or C[/THINK]B", "B"),
    ("<|START_THINKING|>A<|END_THINKING|><|START_RESPONSE|>B<|END_RESPONSE|>", "B"),
    ("<seed:think>A</seed:think>B", "B"),
    ("<think>A</think>\n<think>C</think>\nB", "B"),
    ("<think>A <think>C</think> D</think>B", "B"),
    ("<THINK><PLANNING>A</PLANNING><REASONING>C</REASONING></THINK><RESPONSE>B</RESPONSE>", "B"),
    ("<|begin_of_thought|>A<|end_of_thought|><|begin_of_solution|>B<|end_of_solution|>", "B"),
    ("<think>A</think><|begin_of_box|>B<|end_of_box|>", "B"),
    ("<|channel>thought\nA<channel|>B<turn|>", "B"),
    ("<|begin|>assistant<|think|>A<|end|><|begin|>assistant<|content|>B<|end|>", "B"),
    ("Here is my thought process: A.\nHere is my response: B", "B"),
    ("B <think>or is it C", None),
    # harmony
    ("<|channel|>final<|message|>C<|return|>", "C"),
    ("<|channel|>analysis<|message|>A?<|end|><|start|>assistant<|channel|>final<|message|>C<|return|>", "C"),
    ('<|channel|>final <|constrain|>json<|message|>{"answer": "C"}<|return|>', "C"),
    ("<|channel|>analysis<|message|>It is A.<|end|>", None),
    ("<|channel|>commentary<|message|>A<|call|>", None),
    ("analysisIt could be A.assistantfinalC", "C"),
    ("analysisIt is A.", None),
    # unknown marks
    ("⟦muse⟧A dog⟦/muse⟧", None),
    ("<musing>A</musing>B", None),
    ("◁ponder▷A◁/ponder▷B", None),
    ("[draft]A[/draft]B", None),
    ("[draft] The answer is A", None),
    ("<|scratch|>A<|/scratch|>B", None),
    ("<|new_thinking|>The answer is A", None),
    ("The answer is A<|end_new_thinking|>", None),
    # formats are not marks
    ("<b>B</b>", "B"),
    ('<span style="color: red">A cat</span>', "B"),
    ("<A cat>", "B"),
]


@pytest.mark.parametrize(("reply", "letter"), TABLE, ids=range(len(TABLE)))
def test_a_reply_is_read_without_its_thoughts_and_tokens(reply: str, letter: str | None) -> None:
    choice = read_choice(reply, Question.ask("?", ANIMALS).choices)
    assert (choice.letter if choice else None) == letter, reply


@pytest.mark.parametrize("options", [("<unk>", "</s>"), ("[LAUGHTER]", "[NOISE]"), ("<laugh>", "<cough>")])
def test_options_that_look_like_marks_are_read(options: tuple[str, ...]) -> None:
    choice = read_choice(f"The answer is B. {options[1]}", Question.ask("?", options).choices)
    assert choice is None or choice.text == options[1]
    assert read_choice("B", Question.ask("?", options).choices) is not None
