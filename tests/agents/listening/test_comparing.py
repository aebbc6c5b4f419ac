import asyncio

import numpy as np
import pytest

from agents.listening import comparing
from agents.listening.comparing import compare_recordings
from services.captioners.absence import NO_MUSIC, NO_SPEECH, state_absence
from services.types import SAMPLE_RATE, AudioClip, Evidence, EvidenceKind, Label


def tone(level: float, hertz: float, seconds: float) -> AudioClip:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return AudioClip((level * np.sin(2 * np.pi * hertz * times)).astype(np.float32))


def heard(recording: int, kind: EvidenceKind, *labels: Label) -> Evidence:
    return Evidence(kind=kind, source="ears", revision="1", text="x", labels=labels, recording=recording)


def absent(recording: int, *what: str) -> Evidence:
    return state_absence(what, 0.95).model_copy(update={"recording": recording})


def compare(*clips: AudioClip, evidence: tuple[Evidence, ...] = ()) -> list[str]:
    return [one.text for one in asyncio.run(compare_recordings(clips, evidence))]


@pytest.mark.slow
def test_two_recordings_are_ranked_by_what_is_measured() -> None:
    told = compare(tone(0.4, 220, 1.0), tone(0.04, 440, 2.0))
    assert told[:3] == [
        "Recording 2 is longer (2.0 s), recording 1 is shorter (1.0 s).",
        "Recording 1 is louder (-11 dBFS), recording 2 is quieter (-31 dBFS).",
        "Recording 2 is higher in pitch (440 Hz), recording 1 is lower in pitch (220 Hz).",
    ]


def test_three_recordings_are_ranked_in_one_sentence() -> None:
    told = compare(*(tone(0.2, 300, seconds) for seconds in (1.0, 3.0, 2.0)))
    assert told[:3] == [
        "Recording 2 is the longest (3.0 s), then recording 3 (2.0 s), recording 1 is the shortest (1.0 s).",
        "All 3 recordings are about equally loud (-17 dBFS).",
        "All 3 recordings are about equally high in pitch (300 Hz).",
    ]


def test_silence_has_a_length_and_nothing_else() -> None:
    assert compare(tone(0.2, 300, 1.0), AudioClip(np.zeros(SAMPLE_RATE, np.float32))) == [
        "Both recordings are equally long (1.0 s)."
    ]


@pytest.mark.slow
def test_what_is_there_and_what_is_not_is_told_of_each_recording() -> None:
    clip = tone(0.2, 300, 1.0)
    music = Label(text="music", probability=0.9)
    evidence = (heard(1, "segment"), absent(1, NO_MUSIC), heard(2, "sound", music), absent(2, NO_SPEECH))
    told = compare(clip, clip, evidence=evidence)
    assert told[:2] == [
        "In recording 1 somebody speaks, in recording 2 nobody speaks.",
        "In recording 2 there is music, in recording 1 there is no music.",
    ]
    nothing_known = compare(clip, clip, clip, evidence=(*evidence, absent(3, NO_SPEECH)))
    assert nothing_known[0] == "In recording 1 somebody speaks, in recordings 2 and 3 nobody speaks."
    assert nothing_known[1] == "In recording 2 there is music, in recording 1 there is no music."


@pytest.mark.slow
def test_the_languages_are_laid_side_by_side() -> None:
    clip = tone(0.2, 300, 1.0)
    french, spanish = (
        heard(1, "language", Label(text=name)).model_copy(update={"language": code})
        for name, code in (("French", "fr"), ("Spanish", "es"))
    )
    told = compare(clip, clip, evidence=(french, spanish.model_copy(update={"recording": 2})))
    assert told[0] == "French is spoken in recording 1, Spanish is spoken in recording 2."
    same = compare(clip, clip, evidence=(french, french.model_copy(update={"recording": 2})))
    assert same[0] == "French is spoken in both recordings."
    assert compare(clip, clip, evidence=(french,))[0] == "Both recordings are equally long (1.0 s)."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("angle", "said", "sure"), [(0.1, "the same speaker", 0.99), (1.2, "different speakers", 0.97)]
)
def test_two_who_speak_are_told_apart_by_their_voices(
    monkeypatch: pytest.MonkeyPatch, angle: float, said: str, sure: float
) -> None:
    clips = tone(0.2, 200, 2.0), tone(0.2, 210, 2.0)
    voices = {clips[0].sha256: 0.0, clips[1].sha256: angle}

    async def find_voice(clip: AudioClip) -> np.ndarray:
        return np.array([np.cos(voices[clip.sha256]), np.sin(voices[clip.sha256])], np.float32)

    monkeypatch.setattr(comparing.analyser, "find_voice", find_voice)
    assert f"Recordings 1 and 2 have {said} ({sure:.2f})." in compare(
        *clips, evidence=(heard(1, "segment"), heard(2, "segment"))
    )
    assert not any("speaker" in one for one in compare(*clips, evidence=(heard(1, "segment"),)))


def test_what_compares_is_about_no_single_recording() -> None:
    told = asyncio.run(compare_recordings((tone(0.2, 300, 1.0), tone(0.2, 300, 2.0)), ()))
    assert {(one.recording, one.source, one.reliability) for one in told} == {(None, "comparison", "measured")}
