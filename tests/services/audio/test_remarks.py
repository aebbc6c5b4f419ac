"""Every remark on a recording becomes a statement."""

from typing import get_args

import numpy as np

from services.audio.remarks import TEXTS, describe_remarks
from services.types import SAMPLE_RATE, AudioClip, RemarkCode


def test_every_remark_has_words() -> None:
    assert set(TEXTS) == set(get_args(RemarkCode))


def test_a_clip_without_remarks_has_no_statement_and_each_remark_is_one() -> None:
    samples = np.zeros(SAMPLE_RATE, np.float32)
    assert describe_remarks(AudioClip(samples)) == ()
    told = describe_remarks(AudioClip(samples, remarks=("cut_off", "other_tracks")))
    assert [one.kind for one in told] == ["quality", "quality"]
    assert "is cut off" in told[0].text and "several audio tracks" in told[1].text
