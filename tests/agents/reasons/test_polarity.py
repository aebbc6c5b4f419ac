"""Polarity: what denies, how far, and when that cannot be told."""

import pytest

from agents.reasons.check import WrittenCitation, WrittenClaim, check_claim
from agents.reasons.polarity import compare_polarity, read_polarity
from lalm.statements import name_statements
from services.types import Evidence, EvidenceKind


def say(text: str, kind: EvidenceKind = "caption", language: str | None = None) -> Evidence:
    return Evidence(kind=kind, source="a", revision="1", text=text, language=language)


BARKS = say("Sounds heard, most likely first: dog barking (0.83).", "sound")
RAIN = say("Rain falls on a tin roof, and a kettle whistles.")
NOBODY = say("Nobody speaks: no speech (0.97).", "absence")
NO_MUSIC = say("There is no music (0.93).", "absence")
REFUSES = say("I don't like olives.", "transcript", "en")
UNACCOMPANIED = say("An unaccompanied choir sings.")
SILENCE = say("Silence from 2.0 to 3.5 s.", "loudness")


@pytest.mark.parametrize(
    ("claim", "cited"),
    [
        ("No dog barks.", (BARKS,)),
        ("There is no dog barking in this recording.", (BARKS,)),
        ("The dog doesn't bark.", (BARKS,)),
        ("The dog isn’t barking at all.", (BARKS,)),
        ("The dog never barks.", (BARKS,)),
        ("A dog is not heard.", (BARKS,)),
        ("Neither a dog nor a cat can be heard.", (BARKS,)),
        ("The clip is without any barking.", (BARKS,)),
        ("It lacks barking.", (BARKS,)),
        ("It does not rain.", (RAIN,)),
        ("There's a roof, and no kettle whistles.", (RAIN,)),
        ("The rain is not falling.", (RAIN,)),
        ("Somebody speaks.", (NOBODY,)),
        ("There is speech.", (NOBODY,)),
        ("Music plays throughout.", (NO_MUSIC,)),
        ("She likes olives.", (REFUSES,)),
        ("A vocal choir.", (say("A nonvocal choir of brass."),)),
        ("A toneless hum.", (say("A low tone hums."),)),
    ],
)
def test_a_claim_that_denies_what_is_said_or_says_what_is_denied_is_the_opposite(
    claim: str, cited: tuple[Evidence, ...]
) -> None:
    assert compare_polarity(claim, cited) == "opposite"


@pytest.mark.parametrize(
    ("claim", "cited"),
    [
        ("A dog barks.", (BARKS,)),
        ("A dog barks without pause, as the label dog barking says.", (BARKS, say("It barks without a pause."))),
        ("Not only a dog is heard: it barks.", (BARKS,)),
        ("It is raining on a roof.", (RAIN,)),
        ("Nobody speaks.", (NOBODY,)),
        ("There is no speech.", (NOBODY,)),
        ("There isn't any speech in the recording.", (NOBODY,)),
        ("Nobody speaks; there is neither speech nor music.", (NOBODY, NO_MUSIC)),
        ("A dog barks and nobody speaks.", (BARKS, NOBODY)),
        ("It rains, there is no music.", (RAIN, NO_MUSIC)),
        ("She does not like olives.", (REFUSES,)),
        ('She says "I don\'t like olives".', (REFUSES,)),
        ("An unaccompanied choir is singing.", (UNACCOMPANIED,)),
        ("There is silence between 2 and 3 s.", (SILENCE,)),
        ("Symphony No. 9 is played.", (say("Symphony number 9 by an orchestra."),)),
        ("No, it is the dog that barks.", (BARKS,)),
        ("Somebody speaks.", (NOBODY, say("A woman speaks."))),
        (BARKS.text, (BARKS,)),
        ("Hardly a dog", (say("Hardly a dog without a bark, never silent."),)),
    ],
)
def test_what_agrees_stays_supported(claim: str, cited: tuple[Evidence, ...]) -> None:
    assert compare_polarity(claim, cited) == "same"


@pytest.mark.parametrize(
    ("claim", "cited"),
    [
        ("A dog barks, and no cat meows.", (BARKS,)),
        ("The dog is barking, not whining.", (BARKS,)),
        ("No more than one dog barks.", (BARKS,)),
        ("Nothing but a dog is heard.", (BARKS,)),
        ("It is not true that no dog barks.", (BARKS,)),
        ("The dog hardly barks.", (BARKS,)),
        ("The dog is silent.", (BARKS,)),
        ("Not every dog barks.", (BARKS,)),
        ("The choir is accompanied.", (UNACCOMPANIED,)),
        ("The choir is unaccompanied.", (say("An accompanied choir sings."),)),
        ("She mentions olives.", (REFUSES,)),
        ("No loud music plays.", (say("Music: a piano."),)),
        ("The kettle is not on the stove.", (RAIN,)),
    ],
)
def test_what_cannot_be_told_is_said_to_be_unclear(claim: str, cited: tuple[Evidence, ...]) -> None:
    assert compare_polarity(claim, cited) == "unclear"


@pytest.mark.parametrize(
    ("claim", "said", "language", "agreement"),
    [
        ("Der Zug fährt.", "Der Zug fährt nicht.", "de", "unclear"),
        ("Der Zug fährt heute nicht.", "Der Zug fährt nicht.", "de", "same"),
        ("Der Zug fährt.", "Der Zug fährt heute.", "de", "same"),
        ("El tren no sale.", "El tren sale tarde.", "es", "unclear"),
        ("列車は出発しません。", "列車は出発しません。", "ja", "same"),
        ("Влакът тръгва.", "Влакът не тръгва днес.", "bg", "unclear"),
    ],
)
def test_in_other_languages_it_is_told_only_whether_both_deny_something(
    claim: str, said: str, language: str, agreement: str
) -> None:
    assert compare_polarity(claim, (say(said, "transcript", language),)) == agreement


def test_a_denial_reaches_to_a_preposition_or_the_end_of_its_clause() -> None:
    read = read_polarity("A man walks, but no dog barks at the gate; it isn't late.")
    assert [set(one.stems) for one in read.denials] == [{"dog", "bark"}, {"late"}]
    assert {"man", "walk", "gate"} <= read.asserted and "dog" not in read.asserted


def test_the_check_marks_what_contradicts_and_what_cannot_be_told() -> None:
    evidence = name_statements((BARKS, NOBODY))
    for text, name, verdict in (
        ("No dog barks.", "S1", "contradicted"),
        ("A dog barks, not whines.", "S1", "unchecked"),
        ("A dog barks.", "S1", "supported"),
        ("Somebody speaks.", "S2", "contradicted"),
        ("Nobody speaks.", "S2", "supported"),
        ("No cat meows.", "S1", "unrelated"),
    ):
        assert check_claim(WrittenClaim(text, (WrittenCitation(name),)), evidence).verdict == verdict, text
