from agents.reading.plain_text import list_stems, normalise, squeeze, strip_article


def test_case_width_and_punctuation_fold() -> None:
    assert normalise(" “Ａ Dog”! ") == "a dog"
    assert strip_article("The Dog.") == "dog"


def test_accents_hyphens_and_spaces_fold() -> None:
    assert squeeze("café-bar") == squeeze("Cafe bar") == "cafebar"
    assert squeeze("1 2") != squeeze("12")


def test_only_words_have_stems() -> None:
    assert list_stems("dogs") == list_stems("A dog")
    assert list_stems("120 BPM") == list_stems("C# minor") == ()
