"""The LALM's way: which part of a recording it hears, and what its answer says of that."""

import numpy as np
import pytest

from agents.direct import Direct
from services.scripted.lalm import ScriptedLALM
from services.scripted.rules import weigh
from services.types import AudioClip, Choice, Evidence, Question, Reading, ReadingStyle

CLIP = AudioClip(np.linspace(-1, 1, 16_000 * 8, dtype=np.float32))
BY_EAR = ReadingStyle(takes_evidence=True, hears_spans=True)


def ask(text: str) -> Question:
    return Question.ask(text, ("A flute", "A horn"))


@pytest.mark.parametrize(
    ("text", "style", "span"),
    [
        ("Between 2 and 4.5 seconds: which instrument plays?", BY_EAR, (2.0, 4.5)),
        ("Between 2 and 4.5 seconds: which instrument plays?", ReadingStyle(), None),
        ("Which instrument plays?", BY_EAR, None),
        ("Between 0 and 7.9 seconds: which instrument plays?", BY_EAR, None),  # as good as all of it
        ("Between 2 and 2.2 seconds: which instrument plays?", BY_EAR, None),  # too short to be heard by itself
    ],
)
async def test_a_lalm_that_cannot_find_times_hears_the_span_that_the_question_names(
    text: str, style: ReadingStyle, span: tuple[float, float] | None
) -> None:
    clips: list[AudioClip] = []

    def choose(_: str, clip: AudioClip, choices: tuple[Choice, ...]) -> Reading:
        clips.append(clip)
        return weigh(0.2, 0.8)(clip, choices)

    answer = await Direct(ScriptedLALM(choose=choose, style=style)).answer(ask(text), CLIP)
    start_s, end_s = span or (0.0, 8.0)
    (heard,) = answer.evidence
    assert (heard.start_s, heard.end_s) == (start_s, end_s)
    assert [one.sha256 for one in clips] == [(CLIP.cut(start_s, end_s) if span else CLIP).sha256]
    assert answer.trace[0].text == ("scripted" if span is None else f"scripted, hears {start_s}-{end_s} s")


async def test_evidence_beside_a_span_keeps_its_times() -> None:
    given = (Evidence(kind="sound", source="ears", revision="1", text="A horn.", start_s=1.0, end_s=3.0),)
    lalm = ScriptedLALM(choose=weigh(0.2, 0.8), style=BY_EAR)
    answer = await Direct(lalm).answer(ask("Between 2 and 4.5 seconds: which instrument plays?"), CLIP, given=given)
    assert [(one.start_s, one.end_s) for one in answer.evidence if one.kind == "sound"] == [(1.0, 3.0)]
