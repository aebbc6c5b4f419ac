"""The check of claims: what they cite exists, the times fit, the numbers stand there."""

import pytest

from agents.reasons.check import WrittenCitation, WrittenClaim, check_claim
from lalm.statements import name_statements
from services.types import Citation, Evidence, Label

DOG = Label(text="dog barking", probability=0.83)
EVIDENCE = name_statements(
    (
        Evidence(kind="sound", source="a", revision="1", text=f"Sounds heard: {DOG}.", labels=(DOG,), end_s=10.0),
        Evidence(kind="event", source="a", revision="1", text="Eleven strokes.", start_s=3.1, end_s=4.0),
        Evidence(
            kind="transcript", source="b", revision="1", text="The train leaves at nine thirty.", start_s=4.0, end_s=6.5
        ),
        Evidence(kind="rhythm", source="c", revision="1", text="Tempo: 119.8 beats per minute."),
        Evidence(
            kind="transcript", source="b", revision="1", text="Um halb zehn.", language="de", start_s=1.0, end_s=2.0
        ),
        Evidence(kind="sound", source="a", revision="1", text="Rain.", recording=2, start_s=91.0, end_s=125.9),
        Evidence(kind="emotion", source="d", revision="1", text="The speaker sounds calm.", confidence=0.62),
        Evidence(kind="transcript", source="b", revision="1", text="Sieben Katzen, 21 Hunde.", language="de"),
        Evidence(kind="transcript", source="b", revision="1", text="Er spielt Take Five.", language="de"),
    )
)


def verdict(text: str, *cites: str | WrittenCitation) -> tuple[str, tuple[str, ...]]:
    named = tuple(one if isinstance(one, WrittenCitation) else WrittenCitation(one) for one in cites)
    claim = check_claim(WrittenClaim(text, named), EVIDENCE)
    return claim.verdict, claim.faults


@pytest.mark.parametrize(
    ("text", "cites"),
    [
        ("A dog barks.", ("S1",)),
        ("A dog barks, which is 83 % sure.", ("S1",)),
        ("A dog barks (0.83).", ("S1",)),
        ("A dog barks within ten seconds.", ("S1",)),
        ("There are 11 strokes between 3.1 and 4.0 s.", ("S2",)),
        ("11 strokes within 0.9 s.", ("S2",)),
        ("The eleven strokes come first, the bark second.", ("S1", "S2")),
        ("One can hear eleven strokes.", ("S2",)),
        ("The train leaves at 9:30.", ("S3",)),
        ("Half past nine is when it leaves.", ("S3",)),
        ("The tempo is about 120 BPM.", ("S4",)),
        ("At 9:30.", ("S5",)),
        ("It rains in recording 2 from 1:31 to 2:05.", ("S6",)),
        ("It rains.", (WrittenCitation("S6", 91.0, 125.0),)),
        ("A stroke.", (WrittenCitation("S2", 3.06, 4.04),)),  # prompts have tenths of a second
        ("The speaker sounds calm (62 %).", ("S7",)),
        ("Es sind 7 Katzen.", ("S8",)),
        ("Es sind einundzwanzig Hunde.", ("S8",)),
        ("Er spielt Take 5.", ("S9",)),
        ("Beats.", (WrittenCitation("S4", 0.0, None),)),
    ],
)
def test_what_the_evidence_holds_in_any_spelling_is_supported(text: str, cites: tuple[str, ...]) -> None:
    assert verdict(text, *cites) == ("supported", ())


def test_a_claim_that_cites_nothing_is_marked_whatever_it_says() -> None:
    assert verdict("There are 11 strokes.") == ("uncited", ())


def test_an_id_that_no_statement_has_is_named() -> None:
    assert verdict("A dog barks.", "S1", "S99", "E1") == ("no_such_evidence", ("S99", "E1"))
    assert verdict("A dog barks.", "S0") == ("no_such_evidence", ("S0",))


@pytest.mark.parametrize(
    ("text", "cites", "faults"),
    [
        ("A stroke.", (WrittenCitation("S2", 3.0, 4.0),), ("S2, 3-4 s",)),
        ("A stroke.", (WrittenCitation("S2", 3.2, 4.1),), ("S2, 3.2-4.1 s",)),
        ("A stroke.", (WrittenCitation("S2", 3.9, 3.2),), ("S2, 3.9-3.2 s",)),
        ("A stroke.", (WrittenCitation("S2", -1.0, 3.5),), ("S2, -1-3.5 s",)),
        ("A stroke at 5.0 s.", ("S2",), ("5.0 s",)),
        ("A stroke at 5.0 s.", (WrittenCitation("S2", 3.1, 9.0),), ("S2, 3.1-9 s", "5.0 s")),
        ("A dog barks from 8 to 12 seconds.", ("S1",), ("8 to 12 seconds",)),
    ],
)
def test_a_time_outside_the_statement_that_is_cited_is_named(
    text: str, cites: tuple[str, ...], faults: tuple[str, ...]
) -> None:
    assert verdict(text, *cites) == ("wrong_time", faults)


@pytest.mark.parametrize(
    ("text", "cites", "faults"),
    [
        ("There are twelve strokes.", ("S2",), ("twelve",)),
        ("There are 11 strokes.", ("S1",), ("11",)),
        ("The tempo is 119 BPM.", ("S4",), ("119",)),
        ("The tempo is 119.84 BPM.", ("S4",), ("119.84",)),
        ("The train leaves at 9:40.", ("S3",), ("9:40",)),
        ("3 dogs bark, 4 of them loud.", ("S1",), ("3", "4")),
        ("There are ten dogs barking.", ("S1",), ("ten",)),  # its span is ten seconds
        ("There are 83 dogs barking.", ("S1",), ("83",)),
        ("There is one dog barking.", ("S1",), ("one",)),  # 0.83 is not one, rounded
        ("The rain of 2 days.", ("S6",), ("2",)),
        ("Es sind zweiundzwanzig Hunde.", ("S8",), ("zweiundzwanzig",)),
        ("The speaker sounds calm (63 %).", ("S7",), ("63",)),
    ],
)
def test_a_number_that_stands_in_no_statement_that_is_cited_is_named(
    text: str, cites: tuple[str, ...], faults: tuple[str, ...]
) -> None:
    assert verdict(text, *cites) == ("wrong_number", faults)


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ('Somebody says "The train leaves".', True),
        ("It is said that “LEAVES, at nine”.", True),
        ('Somebody says "nine thirty train".', False),
        ('Somebody says "rain".', False),
    ],
)
def test_quoted_words_have_to_stand_in_a_statement_that_is_cited(text: str, is_there: bool) -> None:
    found, faults = verdict(text, "S3")
    assert found == ("supported" if is_there else "misquoted")
    assert all(one in text for one in faults) and bool(faults) != is_there


@pytest.mark.parametrize(
    ("text", "cites", "unrelated"),
    [
        ("The train leaves.", ("S1", "S3", "S4"), ("S1", "S4")),
        ("Dogs were barking.", ("S1",), ()),
        ("There are 11 of them.", ("S2",), ()),
        ("It leaves at 9:30.", ("S5",), ()),
        ("Un perro.", ("S1",), ("S1",)),
        ("Ra!", ("S6",), ("S6",)),  # two letters do not begin "rain"
    ],
)
def test_a_statement_without_a_word_in_common_is_named(
    text: str, cites: tuple[str, ...], unrelated: tuple[str, ...]
) -> None:
    assert verdict(text, *cites) == ("unrelated" if unrelated else "supported", unrelated)


def test_a_citation_without_a_time_has_that_of_its_statement() -> None:
    cited = (WrittenCitation("S2"), WrittenCitation("S3", 4.5), WrittenCitation("S4"), WrittenCitation("S9", 1.0, 2.0))
    claim = check_claim(WrittenClaim("x", cited), EVIDENCE)
    assert claim.cites == (
        Citation(id="S2", start_s=3.1, end_s=4.0),
        Citation(id="S3", start_s=4.5, end_s=6.5),
        Citation(id="S4", start_s=0.0, end_s=None),
        Citation(id="S9", start_s=1.0, end_s=2.0),
    )
