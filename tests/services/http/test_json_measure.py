"""JSON of very many pieces, or nested very deeply, is refused before it is parsed."""

import base64
import time

import pytest

from services.errors import BadRequest
from services.http.access.limits import Limits
from services.http.forms import parse_json
from services.http.json_measure import MOST_PIECES, check_measure
from services.http.openai.chat import ChatRequest


@pytest.mark.parametrize("piece", [b'{"role":"user","content":""},', b"1,", b"[],", b'"",'])
def test_many_pieces_are_refused(piece: bytes) -> None:
    started = time.process_time()
    with pytest.raises(BadRequest, match="pieces"):
        check_measure(b'{"messages":[' + piece * MOST_PIECES + b"1]}")
    assert time.process_time() - started < 0.5


def test_a_recording_is_one_piece() -> None:
    check_measure(b'{"audio":"' + base64.b64encode(bytes(3_000_000)) + b'"}')


def test_what_is_nested_deeply_is_refused_by_the_parser() -> None:
    body = b'{"messages":' + b"[" * (MOST_PIECES - 10)
    check_measure(body)
    with pytest.raises(BadRequest, match="recursion limit"):
        parse_json(ChatRequest, body)


def test_the_bound_is_above_what_questions_have() -> None:
    assert Limits().max_upload_bytes > MOST_PIECES
