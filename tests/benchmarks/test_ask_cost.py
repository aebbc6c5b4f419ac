"""The sums of the cost benchmark, on made-up seconds."""

from pathlib import Path

import ask_cost
from ask_cost import Cost, Measured, Recording, name_kinds, sum_up

RAIN, BABY, TALK = Recording(Path("rain"), "sound"), Recording(Path("baby"), "sound"), Recording(Path("talk"), "speech")


def measured(recording: Recording, tree: ask_cost.Tree, transcribe: float, read: float) -> Measured:
    return Measured(recording, tree, {"decode": 0.0, "caption": 0.5, "transcribe": transcribe, "read": read})


def test_a_sound_is_suspected_of_speech_where_the_earlier_commit_decodes_words() -> None:
    found = [measured(RAIN, "before", 0.02, 1), measured(BABY, "before", 4.8, 1), measured(BABY, "now", 0.02, 1)]
    assert name_kinds(found) == {RAIN: "sound", BABY: "sound, speech suspected"}


def test_a_kind_costs_the_mean_over_its_recordings_of_the_medians_over_the_rounds() -> None:
    rounds = [measured(TALK, "before", t, 2.0) for t in (4.0, 9.0, 3.0)] + [measured(TALK, "now", 1.0, 0.5)]
    (costs,) = sum_up(rounds).values()
    assert costs["transcribe"] == Cost(4.0, 1.0)
    assert costs["in all"] == Cost(6.5, 2.0)
    assert str(costs["in all"]) == "2.00 s (6.50 before, 3.2 times)"


def test_the_clips_lie_in_folders_named_after_their_kinds(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "song.flac").touch()
    assert ask_cost.find_clips(tmp_path) == (Recording(tmp_path / "music" / "song.flac", "music"),)
