import pytest

from agents.listening.findings import compute_vote, find_contradictions, find_supported
from services.types import Evidence, EvidenceKind, Label, Question

COUNT = Question.ask("How many steps are heard?", ("Three", "4", "Ten"))
ORDER = Question.ask("In which order?", ("Dog → Rain → Bell", "Rain → Dog → Bell", "Bell → Rain → Dog"))
KEYS = Question.ask("Which key is it in?", ("E major", "D# major", "E♭ minor", "C Major"))
FLATS = Question.ask("Which key is it in?", ("Key of D-flat major", "C major", "A minor", "Gb"))
MODES = Question.ask("Is it major or minor?", ("Major", "Minor"))
PUNCTUATED = Question.ask("What is heard?", ("A bell; a dog barks", "A horn; a cat"))
FEELING = Question.ask("Which emotion?", ("Angry", "Happy", "Neutral", "Sad"))


def statement(text: str) -> Evidence:
    """Return a statement whose one label stands behind its colon."""
    _, _, label = text.rstrip(".").rpartition(": ")
    labels = (Label(text=label),) if ": " in text else ()
    return Evidence(kind="event", source="x", revision="1", text=text, labels=labels)


@pytest.mark.parametrize(
    ("question", "text", "letters"),
    [
        (COUNT, "Number of events: 4.", "B"),
        (COUNT, "Number of events: 3.", "A"),
        (COUNT, "Number of events: 5.", ""),
        (COUNT, "Heard at: 3, 4 and 10 s", ""),
        (COUNT, "Speech at 3.0-4.0 s.", ""),
        (KEYS, "Key: E flat major.", "B"),
        (KEYS, "Key: E major.", "A"),
        (KEYS, "Key: minor (E flat minor)", "C"),
        (KEYS, "Key: F sharp minor.", ""),
        (FLATS, "Key: C sharp major.", "A"),
        (FLATS, "Key: A minor.", "C"),
        (FLATS, "Key: A major.", ""),
        (FLATS, "Key: F sharp major.", "D"),
        (MODES, "Key: E flat minor.", "B"),
        (FEELING, "The voice sounds raised: probably angry, perhaps happy", "AB"),
        (FEELING, "The voice sounds odd.", ""),
        (PUNCTUATED, "A loud dog barks near a bell.", "A"),
    ],
)
def test_which_options_a_statement_speaks_for(question: Question, text: str, letters: str) -> None:
    assert find_supported(statement(text), question) == frozenset(letters)


@pytest.mark.parametrize(
    ("kind", "text", "options", "letters"),
    [
        ("rhythm", "The tempo gradually slows down.", ("It gradually gets faster", "It gradually gets slower"), "B"),
        ("rhythm", "The tempo gradually speeds up.", ("It is steady", "It slackens", "It accelerates"), "C"),
        ("loudness", "Course of the level: it gets gradually quieter.", ("It swells", "It fades away"), "B"),
        ("loudness", "Course of the level: it stays at about the same level.", ("It grows", "It stays even"), "B"),
        ("loudness", "Course of the level: it gets gradually quieter.", ("A dog", "A cat"), ""),
        ("melody", "Interval: octave (12 semitones).", ("a semitone", "one octave", "a tritone"), "B"),
        ("melody", "Interval: perfect fifth (7 semitones).", ("A fifth", "A fourth"), "A"),
        ("melody", "Interval: perfect fifth (7 semitones).", ("A major third", "A fourth"), ""),
    ],
)
def test_a_course_or_an_interval_speaks_for_the_option_that_means_the_same(
    kind: EvidenceKind, text: str, options: tuple[str, ...], letters: str
) -> None:
    told = statement(text).model_copy(update={"kind": kind})
    assert find_supported(told, Question.ask("What happens?", options)) == frozenset(letters)


@pytest.mark.parametrize(
    ("labels", "letters"),
    [
        ((Label(text="rain"), Label(text="dog barking"), Label(text="bell")), "B"),
        ((Label(text="bell"), Label(text="rain"), Label(text="dog")), "C"),
        (
            (
                Label.round_to_label("dog", 0.9),
                Label.round_to_label("rain", 0.5),
                Label.round_to_label("bell", 0.3),
            ),
            "",
        ),
    ],
)
def test_labels_without_probabilities_are_steps_and_others_are_alternatives(
    labels: tuple[Label, ...], letters: str
) -> None:
    found = statement("Order: unread").model_copy(update={"labels": labels})
    assert find_supported(found, ORDER) == frozenset(letters)


@pytest.mark.parametrize(
    ("labels", "letters"),
    [
        (
            (
                Label.round_to_label("cello", 0.5),
                Label.round_to_label("flute", 0.1),
                Label.round_to_label("bowed strings", 0.6),
            ),
            "B",
        ),
        ((Label.round_to_label("trumpet", 0.5), Label.round_to_label("brass", 0.6)), ""),
        ((Label.round_to_label("brass", 0.5), Label(text="trumpet"), Label(text="cello")), "A"),
        ((Label(text="flute"),), "C"),
    ],
)
def test_of_an_instrument_with_its_family_the_family_alone_counts(labels: tuple[Label, ...], letters: str) -> None:
    question = Question.ask("What plays?", ("A cello", "Bowed strings", "A flute"))
    found = statement("Instrument").model_copy(update={"kind": "instrument", "labels": labels})
    assert find_supported(found, question) == frozenset(letters)


@pytest.mark.parametrize(
    ("text", "options", "letters"),
    [
        ("Key: E flat major.", ("E major", "D# major", "G major", "F major"), "B"),
        ("Key: C sharp major.", ("C major", "Db major", "G major", "A major"), "B"),
        ("Key: A flat major.", ("A major", "G# major", "F major", "D major"), "B"),
        ("Key: F sharp minor.", ("F# minor", "F minor", "G minor", "A minor"), "A"),
        ("Key: F sharp minor.", ("F minor", "G-flat minor", "G minor", "F♯ major"), "B"),
        ("Key: major (B flat major).", ("B major", "B♭ major", "B♭ minor"), "B"),
        ("Key: A major.", ("A minor", "E major", "F major"), ""),
        ("Key: A minor.", ("a minor", "e minor", "c minor"), "A"),
        ("Key: C minor.", ("C", "Cm", "Am"), "B"),
        ("Key: D major.", ("D", "E", "D flat"), "A"),
        ("Key: C sharp major.", ("C# / Db major", "C major", "D major"), "A"),
        ("Key: E flat major.", ("Major", "Minor"), "A"),
        ("Chord: minor (the chord is E minor), from 0.0 to 2.0 s.", ("A major chord", "A minor chord"), "B"),
        ("Chord: C major seventh.", ("C major", "Cmaj7", "Cm7"), "B"),
        ("Chords in order: C major, G major.", ("G major → C major", "C, G", "G", "C"), "B"),
        ("Chords in order: C major, G major.", ("G major", "C major", "D major"), ""),
        ("Pitch: Bb4.", ("B4", "A#4", "A#3"), "B"),
        ("Scale: a major scale.", ("Chromatic scale", "Major scale", "E minor scale"), "B"),
    ],
)
def test_pitches_keys_and_chords_meet_by_what_they_are_not_by_their_letters(
    text: str, options: tuple[str, ...], letters: str
) -> None:
    assert find_supported(statement(text), Question.ask("Which is it?", options)) == frozenset(letters)


def evidence(text: str, reliability: str, start_s: float = 0.0, end_s: float = 1.0, kind: str = "event") -> Evidence:
    fields = {"kind": kind, "start_s": start_s, "end_s": end_s, "reliability": reliability}
    return statement(text).model_copy(update=fields)


def test_a_measured_finding_has_more_say_than_a_heuristic_one() -> None:
    says = {tier: compute_vote(evidence("Number: 4.", tier), COUNT) for tier in ("measured", "model", "heuristic")}
    shares = [part.probabilities["B"] for part in says.values() if part]
    assert shares == [0.8, 0.7, 0.4]
    assert all(part and sum(part.probabilities.values()) == pytest.approx(1) for part in says.values())


def test_a_finding_votes_with_the_confidence_that_it_states() -> None:
    unsure = evidence("Number: 4.", "measured").model_copy(update={"confidence": 0.55})
    vote = compute_vote(unsure, COUNT)
    assert vote and vote.probabilities["B"] == pytest.approx(0.55)
    assert compute_vote(unsure.model_copy(update={"confidence": 0.2}), COUNT) is None


def test_a_finding_that_weighs_the_options_votes_with_those_weights() -> None:
    weighed = (Label.round_to_label("angry", 0.6), Label.round_to_label("sad", 0.3))
    finding = evidence("Most like: angry (0.60), else sad (0.30).", "model").model_copy(update={"labels": weighed})
    vote = compute_vote(finding, FEELING)
    assert vote and vote.probabilities == pytest.approx({"A": 0.6, "D": 0.3, "B": 0.05, "C": 0.05})
    assert find_supported(finding, FEELING) == {"A"}


def test_no_finding_is_certain() -> None:
    certain = evidence("Most like: angry (1.00).", "model").model_copy(
        update={"labels": (Label.round_to_label("angry", 1.0),)}
    )
    vote = compute_vote(certain, FEELING)
    assert vote and 0.9 < vote.probabilities["A"] < 0.96
    assert sum(vote.probabilities.values()) == pytest.approx(1)


def test_a_heuristic_that_leaves_half_of_the_options_says_nothing() -> None:
    assert compute_vote(evidence("It sounds: angry, happy", "heuristic"), FEELING) is None
    assert compute_vote(evidence("It sounds: angry, happy", "model"), FEELING) is not None


def test_only_statements_of_one_kind_over_a_common_span_contradict() -> None:
    found = (evidence("Number: 4.", "measured"),)
    assert find_contradictions(COUNT, found, (evidence("Number: 3.", "model"),))
    assert not find_contradictions(COUNT, found, (evidence("Number: 3.", "model", 1.0, 2.0),))
    assert not find_contradictions(COUNT, found, (evidence("Number: 3.", "model", kind="melody"),))
    assert not find_contradictions(COUNT, found, (evidence("Number: 4.", "model"),))


def test_equally_reliable_statements_both_stay() -> None:
    (clash,) = find_contradictions(COUNT, (evidence("Number: 4.", "model"),), (evidence("Number: 3.", "model"),))
    assert clash.doubted is None and clash.text.endswith("equally reliable, both stay")


def test_no_option_is_ruled_out_by_a_finding_that_weighs_them_all() -> None:
    weighed = tuple(
        Label.round_to_label(choice.text, share)
        for choice, share in zip(COUNT.choices, (1.0, *[0.0] * (len(COUNT.choices) - 1)), strict=True)
    )
    vote = compute_vote(statement("Of the options").model_copy(update={"labels": weighed}), COUNT)
    assert vote is not None
    assert sum(vote.probabilities.values()) == pytest.approx(1)
    assert max(vote.probabilities.values()) < 0.97
    assert min(vote.probabilities.values()) > 0.01


def test_what_is_heard_speaks_against_an_option_where_what_is_not_heard_is_asked_for() -> None:
    question = Question.ask("Which of these instruments cannot be heard?", ("Flute", "Drum", "Harp"))
    heard = (Label.round_to_label("flute", 0.8), Label.round_to_label("drum", 0.15))
    finding = statement("Of the instruments").model_copy(update={"labels": heard, "reliability": "model"})
    vote = compute_vote(finding, question)
    assert vote is not None
    assert vote.probabilities["C"] > vote.probabilities["B"] > vote.probabilities["A"]
    assert sum(vote.probabilities.values()) == pytest.approx(1)
    asked = compute_vote(finding, Question.ask("Which of these can be heard?", ("Flute", "Drum", "Harp")))
    assert asked is not None
    assert max(asked.probabilities, key=lambda letter: asked.probabilities[letter]) == "A"
