from services.number_words import TENS, UNITS


def test_each_word_stands_at_its_number() -> None:
    assert (len(UNITS), len(TENS)) == (20, 8)
    assert (UNITS[13], UNITS[19], TENS[0], TENS[-1]) == ("thirteen", "nineteen", "twenty", "ninety")
