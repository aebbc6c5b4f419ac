import pytest

from agents.listening.classifiers.mention import PLACES, MentionPlace, estimate_mention_places


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("Which country does the guide name first?", "first"),
        ("What is the second digit that is read out?", "second"),
        ("Which vegetable comes third in what she lists?", "third"),
        ("With which month does the man end?", "last"),
    ],
)
def test_the_place_of_a_mention_is_read_off_the_question(question: str, place: MentionPlace) -> None:
    estimates = estimate_mention_places(question)
    assert set(estimates) == set(PLACES)
    assert max(estimates, key=lambda one: estimates[one]) == place and estimates[place] > 0.5


@pytest.mark.parametrize(
    "question",
    ["Which sound is heard first?", "Which city is mentioned?", "What did she buy last week?", "Who speaks second?"],
)
def test_sounds_speakers_and_deeds_are_no_mentions(question: str) -> None:
    assert max(estimate_mention_places(question).values()) < 0.5
