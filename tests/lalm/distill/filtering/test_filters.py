"""Which replies are not worth learning."""

import pytest

from lalm.distill.description import ATTRIBUTES
from lalm.distill.filtering.filters import BackboneReply, find_fault, is_english

KEPT = "A dog barks twice while rain falls in the background."


def reason(
    text: str, *, earlier: tuple[str, ...] = (), is_finished: bool = True, in_english: bool = True
) -> str | None:
    return find_fault(BackboneReply(text=text, is_finished=is_finished), earlier=earlier, in_english=in_english)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (KEPT, None),
        ("B. Running water", None),
        ("The speaker describes a ball gown.", None),
        ("I hear a short spoken description of a tennis ball.", None),
        ("She cannot hear him because of the engine.", None),
        ("The child cannot play outside.", None),
        ("A customer is unable to access her account and calls the hotline.", None),
        ('The speaker apologises: "I\'m sorry".', None),
        ("“I’m sorry, I can’t hear you”, says the caller.", None),
        ("The caller says that the information is confidential.", None),
        ("A voice prompt says that the line is busy.", None),
        ("A woman announces that the shop is open from 9:00 to 17:00.", None),
        ("There is no sound of an audience.", None),
        ("A child sings la la la.", None),
        ("Closed hi-hat", None),
        ("About 180 beats per minute", None),
        ("A song called La Bamba is played on the guitar.", None),
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
        ("I’m sorry, but I can’t listen to it.", "refusal"),
        ('"I cannot hear audio."', "refusal"),
        ("Unable to process the file.", "refusal"),
        ("It is impossible to hear the audio.", "refusal"),
        ("The model cannot listen to sounds.", "refusal"),
        ("I am a text-only model.", "refusal"),
        ("I'm just a large language model.", "refusal"),
        ("It seems there is no audio attached.", "refusal"),
        ("No audio file was provided, so this is a guess.", "refusal"),
        ("I don't see any audio here.", "refusal"),
        ("The text you gave me says that a dog barks.", "leak"),
        ("This follows from the passage I was given.", "leak"),
        ("As the audio description says, it rains.", "leak"),
        ("The prompt mentions a violin.", "leak"),
        ("The caption does not name a speaker.", "leak"),
        ("[00:00-00:05] a dog barks", "bracket format"),
        ("0:00-0:05 a dog barks", "bracket format"),
        ("[00:00] a dog barks", "bracket format"),
        ("A dog barks from 00:00 to 00:05.", "bracket format"),
        ("A dog barks (0:03).", "bracket format"),
        ("A voice (Gender: female, Age: adult) speaks.", "bracket format"),
        ("Un perro ladra mientras llueve y alguien llama a la puerta", "wrong language"),
        ("Звук дождя", "wrong language"),
        ("“Забранен обратен завой”", "wrong language"),
        ("No puedo escuchar.", "wrong language"),
        ("Ein Hund bellt laut.", "wrong language"),
        ("Un chien aboie.", "wrong language"),
        ("Um cachorro late na rua.", "wrong language"),
        ("Een hond blaft.", "wrong language"),
        ("Une gallina de Guinea", "wrong language"),
        ("Harmonica, minor chord, notes one after another, 130 BPM", None),
        ("Three three (male, accent: Belgian French).", "bracket format"),
    ],
)
def test_a_reply_is_kept_or_dropped_for_the_plainest_reason(text: str, expected: str | None) -> None:
    assert reason(text) == expected


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_each_attribute_of_the_seed_format_is_told_from_plain_words(name: str) -> None:
    assert reason(f"A voice ({name}: sad) speaks.") == "bracket format"
    assert reason(f"A voice (male, {name.lower()}:sad) speaks.") == "bracket format"
    assert reason(f"I hear the {name.lower()} of a voice: it is sad (but calm).") is None


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
