"""Claims in replies, as JSON and as lines; and what is neither."""

import json

import jsonschema
import pytest

from agents.reasons.check import WrittenCitation, WrittenClaim
from agents.reasons.claims import MAX_CLAIMS, make_schema, read_json_claims, read_line_claims

ONE = {"claim": "A dog\n barks.", "evidence": [{"id": "S1", "start_s": 0.0, "end_s": 2.5}]}
READ = (WrittenClaim("A dog barks.", (WrittenCitation("S1", 0.0, 2.5),)),)
REPLY = json.dumps({"claims": [ONE]})


@pytest.mark.parametrize(
    "reply", [REPLY, f"```json\n{REPLY}\n```", f"<think>It barks {{}}</think>\n{REPLY}", f"  {REPLY}\n"]
)
def test_json_is_read_also_behind_a_thought_and_in_a_code_fence(reply: str) -> None:
    assert read_json_claims(reply) == READ


@pytest.mark.parametrize(
    "reply",
    [
        *("", "A dog barks [S1].", "{}", "[]", "null", REPLY[:-5], f"Sure! {REPLY}", f"<think>{REPLY}"),
        json.dumps({"claims": [{"claim": "x"}]}),
        json.dumps({"claims": [{"claim": 1, "evidence": []}]}),
        '{"claims": [{"claim": "x", "evidence": [{"id": "S1", "start_s": NaN}]}]}',
    ],
)
def test_what_is_not_json_of_the_schema_is_not_read(reply: str) -> None:
    assert read_json_claims(reply) is None


def test_marks_within_json_are_words_of_the_claim() -> None:
    reply = json.dumps({"claims": [{"claim": "It says <b>yes</b> </think> <x>", "evidence": []}]})
    assert read_json_claims(reply) == (WrittenClaim("It says <b>yes</b> </think> <x>"),)


def test_no_claims_are_not_the_same_as_an_unread_reply_and_a_loop_is_cut() -> None:
    assert read_json_claims('{"claims": []}') == ()
    assert read_json_claims(json.dumps({"claims": [ONE] * 50})) == READ
    many = [{"claim": f"Claim {number}", "evidence": []} for number in range(50)]
    assert len(read_json_claims(json.dumps({"claims": many})) or ()) == MAX_CLAIMS == 5


def test_the_schema_takes_known_ids_alone() -> None:
    schema = make_schema(["S1", "S3"])
    jsonschema.validate(json.loads(REPLY), schema)
    unknown = {"claims": [ONE | {"evidence": [{"id": "S2", "start_s": None, "end_s": None}]}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(unknown, schema)
    uncited = {"claims": [{"claim": "x", "evidence": []}]}
    jsonschema.validate(uncited, schema)


@pytest.mark.parametrize("claim", [{"claim": "x"}, {"claim": "x", "evidence": [], "sure": True}])
def test_the_schema_requires_each_field_and_no_other(claim: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"claims": [claim]}, make_schema(["S1"]))


def test_ids_in_brackets_are_read_without_them() -> None:
    reply = json.dumps({"claims": [{"claim": "A dog.", "evidence": [{"id": "[S1]"}]}]})
    assert read_json_claims(reply) == (WrittenClaim("A dog.", (WrittenCitation("S1"),)),)


@pytest.mark.parametrize(
    ("line", "text", "cites"),
    [
        ("A dog barks. [S1]", "A dog barks.", [("S1", None, None)]),
        ("- A dog barks [S1, S2].", "A dog barks.", [("S1", None, None), ("S2", None, None)]),
        ("2. A bell (S2, 3.1-4.0 s; S3)", "A bell", [("S2", 3.1, 4.0), ("S3", None, None)]),
        ("* Rain [S6 1:31-2:05]", "Rain", [("S6", 91.0, 125.0)]),
        ("According to S1, a dog barks.", "According to S1, a dog barks.", [("S1", None, None)]),
        ("A dog [loud] barks [s1]", "A dog [loud] barks", [("S1", None, None)]),
        ("A dog barks [S1] and barks [S1]", "A dog barks and barks", [("S1", None, None)]),
        ("The chord E7 [4] is heard", "The chord E7 [4] is heard", []),
        ("3 dogs bark", "3 dogs bark", []),
        ("It is said [S1]:", "It is said:", [("S1", None, None)]),
    ],
)
def test_a_line_is_a_claim_with_the_ids_that_stand_in_it(
    line: str, text: str, cites: list[tuple[str, float, float]]
) -> None:
    assert read_line_claims(line) == (WrittenClaim(text, tuple(WrittenCitation(*one) for one in cites)),)


def test_a_claim_that_is_repeated_for_each_statement_is_one_that_cites_them_all() -> None:
    cites = tuple(map(WrittenCitation, ("S1", "S2")))
    assert read_line_claims("A dog. [S1]\n1. A dog. [S2]\nA dog. [S1]") == (WrittenClaim("A dog.", cites),)


def test_headings_rules_and_repeats_are_not_claims() -> None:
    reply = "Reasons:\n\n---\nA dog barks [S1]\nA dog barks [S1]\n" + "Rain [S2]\n" * 40
    assert [one.text for one in read_line_claims(reply) or ()] == ["A dog barks", "Rain"]
    assert read_line_claims("") is read_line_claims("...\n**") is read_line_claims("<think>A dog [S1]") is None


def test_of_a_reply_that_was_cut_off_the_last_line_is_left() -> None:
    assert [one.text for one in read_line_claims("A dog [S1]\nA be", is_finished=False) or ()] == ["A dog"]
    assert read_line_claims("A dog barks and barks", is_finished=False) is None
