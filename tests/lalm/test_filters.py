"""Which replies are not worth learning."""

import pytest

from lalm.filters import Reply, fault, is_english

KEPT = "A dog barks twice while rain falls in the background."


def reason(
    text: str, *, earlier: tuple[str, ...] = (), is_finished: bool = True, in_english: bool = True
) -> str | None:
    return fault(Reply(text=text, is_finished=is_finished), earlier=earlier, in_english=in_english)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (KEPT, None),
        ("B. Running water", None),
        ("The speaker describes a ball gown.", None),
        ("I hear a short spoken description of a tennis ball.", None),
        ("She cannot hear him because of the engine.", "refusal"),  # rather one too many than one too few
        (" \n", "empty"),
        ("...", "empty"),
        ("The provided text does not say who speaks.", "leak"),
        ("Based on the description, a dog barks.", "leak"),
        ("The transcript says that it rains.", "leak"),
        ("According to the metadata, the clip is 5 s long.", "leak"),
        ("The audio clips between the tags hold a dog.", "leak"),
        ("I cannot hear audio, but a dog may bark.", "refusal"),
        ("I'm unable to actually listen to the recording.", "refusal"),
        ("As an AI language model, I have no ears.", "refusal"),
        ("[00:00-00:05] a dog barks", "bracket format"),
        ("A voice (Gender: female, Age: adult) speaks.", "bracket format"),
        ("Un perro ladra mientras llueve y alguien llama a la puerta", "wrong language"),
        ("Звук дождя", "wrong language"),
        ("Une gallina de Guinea", "wrong language"),
        ("Harmonica, minor chord, notes one after another, 130 BPM", None),
        ("Three three (male, accent: Belgian French).", "bracket format"),
    ],
)
def test_a_reply_is_kept_or_dropped_for_the_plainest_reason(text: str, expected: str | None) -> None:
    assert reason(text) == expected


def test_a_reply_that_was_cut_off_is_dropped() -> None:
    assert reason(KEPT, is_finished=False) == "truncated"


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [(KEPT.upper(), "near-duplicate"), (KEPT.replace("twice", "once"), "near-duplicate"), ("A cat purrs.", None)],
)
def test_a_reply_that_says_the_same_about_the_same_clip_is_dropped(earlier: str, expected: str | None) -> None:
    assert reason(KEPT, earlier=(earlier,)) == expected


def test_another_language_is_right_where_the_words_of_the_clip_are_asked_for() -> None:
    assert reason("Una gallina de Guinea está en el jardín de la casa.", in_english=False) is None


def test_a_quotation_in_another_script_stays_english() -> None:
    assert is_english('The speaker says "Авиакомпания Тукса" in Russian.')
