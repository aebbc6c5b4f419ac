import numpy as np
import pytest

from services.sentences.encoder import BATCH, WIDTH, SentenceEncoder, open_sentence_encoder


@pytest.fixture(scope="module")
def encode() -> SentenceEncoder:
    return open_sentence_encoder()


@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("a locomotive", "train", "drum"),
        ("someone sobbing", "person crying", "person laughing"),
        ("How fast is the piece?", "What is the tempo of the music?", "Who is speaking?"),
    ],
)
def test_texts_that_mean_alike_lie_near_each_other(encode: SentenceEncoder, text: str, near: str, far: str) -> None:
    one, like, unlike = encode([text, near, far])
    assert one @ like > one @ unlike + 0.1


def test_embeddings_have_length_one_and_do_not_depend_on_their_batch(encode: SentenceEncoder) -> None:
    texts = [f"{number} dogs bark" + " loudly" * (number % 5) for number in range(BATCH + 3)]
    together = encode(texts)
    assert together.shape == (BATCH + 3, WIDTH) and np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    alone = np.concatenate([encode([text]) for text in texts])
    assert (together * alone).sum(axis=1).min() > 0.995  # int8 without VNNI rounds by batch


@pytest.mark.parametrize("text", ["", " ", "狗在叫", "🎵", "a" * 100_000, "word " * 5_000])
def test_any_text_has_an_embedding(encode: SentenceEncoder, text: str) -> None:
    assert np.isfinite(encode([text])).all()


def test_no_text_has_none(encode: SentenceEncoder) -> None:
    assert encode([]).shape == (0, WIDTH)
