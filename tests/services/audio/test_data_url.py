"""Data URLs and base64, as RFC 2397, RFC 4648 and browsers have them."""

import base64
import time
from urllib.parse import quote

import pytest

from services.audio import data_url
from services.audio.data_url import decode_base64, decode_data_url, is_data_url

CLIP = bytes(range(256)) + b"!"  # its base64 holds + and /, and needs two signs of padding
BASE64 = base64.b64encode(CLIP).decode()


@pytest.mark.parametrize(
    "head",
    [
        "data:audio/wav;base64,",
        "data:;base64,",
        "DATA:audio/x-wav;codecs=1;Base64,",
        "data:audio/webm; codecs=opus;base64,",
        'data:audio/webm; codecs="opus,vorbis"; base64 ,',
        "data:audio/mp4;charset=utf-8;name=%C3%A4.m4a;base64,",
        "data:audio/vnd.wave;codecs=1;base64, ",
        " \ndata:audio/wav;base64,",
    ],
)
def test_what_stands_before_the_comma_may_be_anything(head: str) -> None:
    assert is_data_url(head)
    assert decode_data_url(head + BASE64) == CLIP


@pytest.mark.parametrize(
    "written",
    [
        BASE64.rstrip("="),
        BASE64.replace("+", "-").replace("/", "_"),
        base64.urlsafe_b64encode(CLIP).decode().rstrip("="),
        "\r\n".join(BASE64[place : place + 76] for place in range(0, len(BASE64), 76)),
        f" {BASE64}\n",
    ],
)
def test_base64_may_be_wrapped_unpadded_and_in_either_alphabet(written: str) -> None:
    assert decode_base64(written.encode()) == CLIP
    assert decode_data_url(f"data:audio/wav;base64,{written}") == CLIP
    assert decode_data_url(f"data:audio/wav;base64,{quote(written)}") == CLIP


def test_content_without_base64_is_percent_encoded() -> None:
    assert decode_data_url("data:audio/wav," + quote(CLIP, safe="")) == CLIP
    assert decode_data_url("data:,RIFF") == b"RIFF"


def test_a_fragment_is_not_of_the_content() -> None:
    assert decode_data_url(f"data:audio/wav;base64,{BASE64}#t=10,20") == CLIP
    assert decode_data_url("data:,a%23b#c") == b"a#b"


@pytest.mark.parametrize("text", ["QUJD?", "QUJD=QUJD", "A", "QUJDé"])
def test_what_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not base64"):
        decode_base64(text.encode())


@pytest.mark.timeout(5)
def test_a_long_head_is_read_once() -> None:
    started = time.process_time()
    for head in ("data:" + '"' * 5_000_000, "data:" + ";a=b" * 2_000_000, 'data:"' + "a," * 2_000_000):
        with pytest.raises(ValueError, match="no comma"):
            decode_data_url(head)
    assert time.process_time() - started < 1


def test_a_recording_of_several_pieces_is_decoded_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_url, "PIECE", 8)
    for num_bytes in (5, 6, 7, 12, 13):
        clip = bytes(range(num_bytes))
        text = base64.b64encode(clip).decode()
        assert decode_base64(text) == clip
        assert decode_data_url(f"data:audio/wav;base64,{text}") == clip


@pytest.mark.parametrize("text", ["AAAAAAA=AAAAAAAA", "AAAAAA==AAAA", "AAAAAAAAé"])
def test_padding_belongs_to_the_end_of_the_last_piece(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_url, "PIECE", 8)
    with pytest.raises(ValueError, match="is not base64"):
        decode_base64(text)
