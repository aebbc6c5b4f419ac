"""MMAU-Pro's instructions where its script and our strict verdict differ."""

from typing import Any

import pytest

from eval.scoring.instructions import Instruction, follows
from eval.scoring.mmau_pro import MMAU_PRO, MMAU_PRO_STRICTER


@pytest.mark.parametrize(
    ("name", "arguments", "reply", "official", "strict"),
    [
        ("Include Keywords", {"keywords": "art"}, "It starts.", True, False),
        ("Include Keywords", {"keywords": "art, rain"}, "Art in the rain", True, True),
        ("Forbidden Words", {"forbidden_words": "art"}, "It starts.", False, True),
        ("Start Checker", {"start_phrase": "3."}, "Four", True, False),
        ("Start Checker", {"start_phrase": "Well,"}, "Wellness is good", True, True),
        ("End Checker", {"end_phrase": "P.S. 2"}, "No letters: P.S. 3", True, False),
        ("End Checker", {"end_phrase": "the end"}, "This is the end.", True, True),
        ("Quotation", {}, '"', True, False),
        ("Number Words (range)", {"N1": 2, "N2": 3}, "two words", True, True),
    ],
)
def test_the_script_and_ours(name: str, arguments: dict[str, Any], reply: str, official: bool, strict: bool) -> None:
    one = Instruction.model_validate({"name": name, **arguments})
    assert follows(reply, one, MMAU_PRO) is official
    assert follows(reply, one, MMAU_PRO, stricter=MMAU_PRO_STRICTER) is strict
