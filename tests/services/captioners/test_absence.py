from services.captioners.absence import NO_MUSIC, NO_SPEECH, join_absences, state_absence
from services.types import Evidence


def absent(start_s: float, end_s: float, *what: str) -> Evidence:
    return state_absence(what, 0.97).model_copy(update={"start_s": start_s, "end_s": end_s})


def test_one_sentence_says_all_that_is_not_heard() -> None:
    assert state_absence((NO_SPEECH, NO_MUSIC), 0.97).text == "Nobody speaks: no speech (0.97), no music (0.97)."
    assert state_absence((NO_MUSIC,), 0.9).text == "There is no music (0.90)."
    assert [one.text for one in state_absence((NO_SPEECH, NO_MUSIC), 0.97).labels] == ["no speech", "no music"]


def test_parts_in_a_row_that_lack_the_same_are_one_statement() -> None:
    sound = Evidence(kind="sound", source="tagger", revision="1", text="Rain.")
    told = (absent(0, 60, NO_SPEECH), sound, absent(60, 120, NO_SPEECH), absent(120, 180, NO_MUSIC))
    joined = [one for one in join_absences(told) if one.kind == "absence"]
    assert [(one.start_s, one.end_s, one.text) for one in joined] == [
        (0, 120, "Nobody speaks: no speech (0.97)."),
        (120, 180, "There is no music (0.97)."),
    ]
    assert sound in tuple(join_absences(told))


def test_speech_between_two_parts_keeps_them_apart() -> None:
    joined = join_absences((absent(0, 60, NO_SPEECH), absent(120, 180, NO_SPEECH)))
    assert [(one.start_s, one.end_s) for one in joined] == [(0, 60), (120, 180)]
