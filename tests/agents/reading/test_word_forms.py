from agents.reading.word_forms import list_word_forms, respell_alike


def test_endings_accents_and_case_do_not_matter() -> None:
    assert list_word_forms("The dogs' barking") == list_word_forms("the dog barked")
    assert list_word_forms("les CHANSONS", "fr") == list_word_forms("Les chanson", "fr")
    assert list_word_forms("café") == list_word_forms("CAFE")


def test_letters_that_are_spelled_out_are_a_word() -> None:
    assert list_word_forms("That is B-R-O-W-N, from the U.S.A.")[2:] == ["brown", "from", "the", "usa"]
    assert list_word_forms("A B") == ["a", "b"]


def test_numbers_are_digits() -> None:
    assert list_word_forms("three dogs") == list_word_forms("3 dogs")


def test_a_name_is_known_however_it_is_spelled() -> None:
    known = {"catherine", "stephen", "piano", "three"}
    assert respell_alike(["kathryn", "steven"], known) == ["catherine", "stephen"]
    assert respell_alike(["pony", "their"], known) == ["pony", "their"]


def test_two_names_that_sound_alike_are_not_told_apart() -> None:
    assert respell_alike(["kathryn"], {"catherine", "katherine"}) == ["kathryn"]
