"""Truth filter: what contradicts the metadata is found, what merely says it otherwise is not."""

import pytest

from lalm.distill.filtering.truth import AskedQuestion, contradicts

COUNT = AskedQuestion("How many people speak?", ("Three", "3"), ("Two", "2", "Four", "4"))
POLAR = AskedQuestion("Is music heard?", ("No",), ("Yes",))
PLACE = AskedQuestion("Which sound comes first?", ("A dog barking",), ("Rain falling", "A chainsaw"))


@pytest.mark.parametrize(
    ("reply", "asked", "expected"),
    [
        ("Two people speak.", COUNT, True),
        ("There are 3 speakers.", COUNT, False),
        ("Three, although two of them sound alike.", COUNT, False),
        ("Several people speak.", COUNT, False),
        ("It was 1942.", COUNT, False),  # no number within a longer one
        ("Yes, there is music.", POLAR, True),
        ("No music is heard.", POLAR, False),
        ("I hear nothing of the kind.", POLAR, False),
        ("First the chainsaw is heard.", PLACE, True),
        ("First the dog barking, then a chainsaw.", PLACE, False),
        ("An animal.", PLACE, False),
    ],
)
def test_contradictions(reply: str, asked: AskedQuestion, expected: bool) -> None:
    assert contradicts(reply, asked) == expected
