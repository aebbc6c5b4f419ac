import numpy as np
import pytest

from services.captioners.head import ClassifierHead

HEADS = (
    ("services.captioners.rhythm", "beat.safetensors", 95),
    ("services.captioners.rhythm", "metre.safetensors", 95),
    ("services.captioners.rhythm", "tempo_course.safetensors", 285),
    ("services.captioners.sounds", "level_course.safetensors", 86),
)


@pytest.mark.parametrize(("package", "file", "num_features"), HEADS)
def test_a_head_gives_probabilities_that_add_up_to_one(package: str, file: str, num_features: int) -> None:
    head = ClassifierHead(package, file)
    rows = np.random.default_rng(0).normal(size=(3, num_features)).astype(np.float32)
    logs = head(rows)
    assert logs.shape == (3, len(head.labels))
    assert np.exp(logs).sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)
