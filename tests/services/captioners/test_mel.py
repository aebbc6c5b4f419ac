"""Both mel scales, against published values."""

import numpy as np
import pytest

from services.captioners.mel import make_mel_filters, space_on_mel_scale


def test_the_scale_of_htk_has_1000_mels_at_1000_hz() -> None:
    edges_hz = space_on_mel_scale(0, 1000, 3)
    assert edges_hz[[0, 2]] == pytest.approx([0, 1000])
    assert 2595 * np.log10(1 + edges_hz[1] / 700) == pytest.approx(500, abs=0.1)  # half of the mels
    assert edges_hz[1] == pytest.approx(391, abs=1)


def test_filters_of_slaney_are_linear_below_1_khz_and_wider_above() -> None:
    filters = make_mel_filters(512, 40)
    assert filters.shape == (257, 40)
    widths = (filters > 0).sum(0)
    assert widths[-1] > 4 * widths[:10].max()
    peaks_hz = filters.argmax(0) * 16_000 / 512
    assert np.all(np.diff(peaks_hz[:15]) <= 94)
    assert filters.sum(0)[20:] * 16_000 / 512 == pytest.approx(1, abs=0.05)  # each has an area of one
