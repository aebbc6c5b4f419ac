"""Texts with times, in the formats of players and editors."""

from services.http.hearing.timed_text import TimedLine, format_audacity, format_rttm, format_srt, format_vtt

LINES = [TimedLine(0.0, 1.5, "One\nline"), TimedLine(3661.25, 3662.0, "An arrow --> here")]


def test_hours_and_arrows_are_written_as_players_read_them() -> None:
    assert format_srt(LINES) == (
        "1\n00:00:00,000 --> 00:00:01,500\nOne line\n\n2\n01:01:01,250 --> 01:01:02,000\nAn arrow → here\n"
    )
    assert format_vtt(LINES).splitlines()[2] == "00:00:00.000 --> 00:00:01.500"
    assert format_audacity(LINES).splitlines()[1] == "3661.250000\t3662.000000\tAn arrow --> here"


def test_markup_is_text_in_webvtt_and_every_cue_lasts() -> None:
    lines = format_vtt([TimedLine(1.0, 1.0, "<c> Tom & Ann --> b")]).splitlines()
    assert lines[2:] == ["00:00:01.000 --> 00:00:01.001", "&lt;c&gt; Tom &amp; Ann --&gt; b"]


def test_nothing_is_an_empty_file_that_is_still_valid() -> None:
    assert (format_srt([]), format_vtt([]), format_audacity([]), format_rttm([], "a")) == ("", "WEBVTT\n", "", "")


def test_a_name_with_spaces_is_one_field_of_rttm() -> None:
    (line,) = format_rttm([TimedLine(1, 2.5, "speaker 1")], "my clip.wav").splitlines()
    assert line.split() == [
        "SPEAKER",
        "my_clip.wav",
        "1",
        "1.000",
        "1.500",
        "<NA>",
        "<NA>",
        "speaker_1",
        "<NA>",
        "<NA>",
    ]
