import pytest
from unicode_rbnf import RbnfEngine

from agents.reading.spelled_numbers import MemoisedEngine, find_spelled, fold


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "language", "readings"),
    [
        ("Es waren einundzwanzig Hunde.", "de", ["21"]),
        ("Ils étaient vingt et un, puis septante-deux.", "fr", ["21", "72"]),
        ("una casa y veintiún perros", "es", ["(1)", "21"]),
        ("двадцать одна собака", "ru", ["21"]),
        ("п'ятдесят сім", "uk", ["57"]),
        ("nou-cents catorze", "ca", ["914"]),
        ("yüzkırkiki", "tr", ["142"]),
        ("ihmisiä oli yhdeksältä", "fi", ["9"]),
        ("neunzehnhundertvierundachtzig", "de", ["1984"]),
        ("犬が三十匹", "ja", ["30"]),
        ("the three of us", "xx", []),
    ],
)
def test_number_words_of_many_languages_are_numbers(text: str, language: str, readings: list[str]) -> None:
    assert [min(number.readings) for number in find_spelled(text, language)] == readings


def test_words_of_two_numbers_stay_two() -> None:
    found = find_spelled("neuf, trente et dix trois", "fr")
    assert [sorted(number.readings) for number in found] == [["9"], ["30"], ["10"], ["3"]]


def test_a_rank_is_not_a_count() -> None:
    (found,) = find_spelled("la troisième", "fr")
    assert found.readings == {"#3"}


def test_folding_keeps_letters_and_drops_accents_hyphens_and_case() -> None:
    assert fold("Vingt-et-Un Élève") == "vingtetuneleve"


@pytest.mark.parametrize("language", ["cs", "fr", "hi", "ja"])
def test_parts_that_are_kept_are_spelled_as_the_library_spells_them(language: str) -> None:
    memoised, plain = MemoisedEngine(language), RbnfEngine.for_language(language)
    for number in (0, 1, 2, 5, 12, 21, 22, 71, 80, 92, 101, 192, 292, 1_001, 1_984, 2_000, 9_900):
        assert memoised.format_number(number) == plain.format_number(number)
