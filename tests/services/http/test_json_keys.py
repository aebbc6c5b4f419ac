"""Duplicate keys of JSON: found at any depth and however they are written, and nowhere else."""

import json

import pytest

from services.errors import BadRequest
from services.http.json_keys import LONGEST_KEPT, MOST_QUOTES, NEAR, check_keys

LONG = "a" * (LONGEST_KEPT + 1)


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"model": "a", "model": "b"}', "model"),
        (b'{"model": "a", "mod\\u0065l": "b"}', "model"),
        (b'{"messages": [{"role": "user", "role": "system"}]}', "role"),
        (b'{"a": {"b": {"c": 1, "c": 1}}}', "c"),
        (b'{"audio": "%s", "model": 1, "model": 2}' % LONG.encode(), "model"),
        (b'{"text": "%s\\\\", "model": 1, "model": 2}' % LONG.encode(), "model"),
        (b'{"a\\"": 1, "a\\"": 2}', 'a"'),
    ],
)
def test_a_key_that_comes_twice_is_refused_by_name(body: bytes, key: str) -> None:
    with pytest.raises(BadRequest, match="twice in one object") as refused:
        check_keys(body)
    assert refused.value.param == key


@pytest.mark.parametrize(
    "value",
    [
        {"model": "a", "messages": [{"role": "user"}, {"role": "user"}]},
        {"a": {"a": {"a": []}}},
        {LONG + "1": 1, LONG + "2": 2},
        {"text": LONG + '"model": 1, "model": 2' + LONG},
        {"text": '"' * 1000 + "\\" * (NEAR + 1) + '"', "model": LONG + "\\" * (2 * NEAR)},
        "a", 1, [], None,
    ],
)  # fmt: skip
def test_keys_of_different_objects_and_texts_are_no_duplicates(value: object) -> None:
    check_keys(json.dumps(value).encode())


def test_a_text_made_of_quotes_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadRequest, match=f"{MOST_QUOTES} quotation marks"):
        check_keys(json.dumps('"' * MOST_QUOTES).encode())
