"""Scoring rules: one reply, its verdict by ours and by the authors' script, and what is counted of many."""

import pytest

from eval.scoring import rules
from eval.scoring.instructions import Instruction
from eval.scoring.rule_scores import ErrorRate, InstructionScore, score_rules
from eval.scoring.rules import Expected, RuleOutcome, require_packages, score_reply
from services.errors import BadConfig


def test_an_exact_set_needs_all_and_no_other() -> None:
    expected = Expected("exact set", ("dog", "cat", "rain"), ("dog", "rain"))
    outcome = score_reply(expected, "rain\ndog")
    assert (outcome.is_right, outcome.is_right_officially, outcome.chosen) == (True, True, ("dog", "rain"))
    one = score_reply(expected, "dog")
    assert (one.is_right, one.is_unread, one.chosen) == (False, False, ("dog",))
    assert not score_reply(expected, "dog\ncat\nrain").is_right
    by_letters = score_reply(expected, "A, C")
    assert (by_letters.is_right, by_letters.is_right_officially) == (True, False)
    assert score_reply(expected, "no idea").is_unread


def test_a_named_option_is_read_from_words() -> None:
    expected = Expected("named option", ("a dog", "a cat"), ("a cat",), official="voicebench")
    outcome = score_reply(expected, "The answer is B.")
    assert (outcome.is_right, outcome.is_right_officially, outcome.chosen) == (True, True, ("a cat",))
    in_words = score_reply(expected, "It must be a cat")
    assert (in_words.is_right, in_words.is_right_officially) == (True, False)
    assert score_reply(expected, "both").is_unread
    wrong = score_reply(expected, "a dog")
    assert (wrong.is_right, wrong.is_unread, wrong.chosen) == (False, False, ("a dog",))


def test_a_transcript_is_right_without_errors_and_counts_them() -> None:
    pytest.importorskip("jiwer")
    expected = Expected("word error rate", reference="It rains again")
    assert score_reply(expected, "it rains, again!") == RuleOutcome(
        is_right=True, is_right_officially=True, errors=0, length=3
    )
    assert score_reply(expected, "it rained").errors == 2
    assert not score_reply(expected, "it rains").is_right
    assert score_reply(expected._replace(rule="character error rate"), "itrains again").is_right
    assert score_reply(expected, "itrains again").errors == 2
    assert score_reply(expected._replace(rule="character error rate"), "it rains agai").errors == 1


def test_instructions_are_followed_strictly_officially_and_loosely() -> None:
    expected = Expected(
        "ifeval",
        instructions=(
            Instruction(name="keywords:existence", keywords=("art",)),
            Instruction(name="punctuation:no_comma"),
        ),
    )
    outcome = score_reply(expected, "Sure, here:\nIt starts")
    assert (outcome.is_right, outcome.is_right_officially) == (False, False)
    assert (outcome.followed, outcome.followed_loosely) == ((True, False), (True, True))
    assert score_reply(expected, "It is art").is_right
    within = score_reply(expected, "It starts")  # the script takes a keyword within a word
    assert (within.is_right, within.is_right_officially) == (False, True)


def test_each_set_of_instructions_has_its_own_stricter_rules() -> None:
    quoted = Expected("mmau-pro", instructions=(Instruction(name="Include Keywords", keywords=("art",)),))
    within, whole = score_reply(quoted, "It starts"), score_reply(quoted, "It is art")
    assert (within.is_right, within.is_right_officially) == (False, True)
    assert (whole.is_right, whole.is_right_officially) == (True, True)


def test_the_figures_of_instructions_are_the_four_of_the_paper() -> None:
    def outcome(followed: tuple[bool, ...], loosely: tuple[bool, ...]) -> RuleOutcome:
        return RuleOutcome(
            is_right=all(followed), is_right_officially=all(followed), followed=followed, followed_loosely=loosely
        )

    found = score_rules(
        [
            (outcome((True, False), (True, True)), "a"),
            (outcome((True,), (True,)), "b"),
            (outcome((False,), (False,)), "c"),
            (outcome((False,), (True,)), "d"),
        ]
    )
    assert found is not None
    expected = InstructionScore(n=4, all_followed=1, all_followed_loosely=3, num=5, followed=2, followed_loosely=4)
    assert found.instructions == expected
    assert expected.final == pytest.approx((1 / 4 + 3 / 4 + 2 / 5 + 4 / 5) / 4)
    assert found.errors is None


def transcript(errors: int, length: int) -> RuleOutcome:
    return RuleOutcome(is_right=not errors, is_right_officially=not errors, errors=errors, length=length)


def test_an_error_rate_is_of_all_words_together_with_an_interval_over_sources() -> None:
    found = score_rules([(transcript(1, 10), "a"), (transcript(5, 10), "b"), (transcript(0, 80), "c")])
    assert found is not None and found.errors is not None
    assert (found.errors.n, found.errors.errors, found.errors.length, found.errors.rate) == (3, 6, 100, 0.06)
    # Residuals 0.4, 4.4, -4.8; se = sqrt((0.16 + 19.36 + 23.04) * 3 / 2) / 100 = 0.0799; t(2) = 4.303.
    assert found.errors.ci_95 is not None
    assert found.errors.ci_95.low == 0.0
    assert found.errors.ci_95.high == pytest.approx(0.06 + 4.3027 * 0.0799, abs=1e-3)


def test_the_transcripts_of_one_source_count_together_in_the_interval() -> None:
    found = score_rules([(transcript(1, 10), "a"), (transcript(5, 10), "a"), (transcript(0, 80), "b")])
    assert found is not None and found.errors is not None and found.errors.ci_95 is not None
    # Residuals 4.8 and -4.8; se = sqrt((23.04 + 23.04) * 2 / 1) / 100 = 0.096; t(1) = 12.706.
    assert found.errors.ci_95.high == pytest.approx(0.06 + 12.706 * 0.096, abs=1e-3)


def test_error_rates_may_pass_one_and_may_have_no_words_to_go_by() -> None:
    found = score_rules([(transcript(9, 3), "a")])
    assert found is not None and found.errors == ErrorRate(n=1, errors=9, length=3, rate=3.0, ci_95=None)
    found = score_rules([(transcript(2, 0), "a"), (transcript(0, 0), "b")])
    assert found is not None and found.errors is not None
    assert (found.errors.rate, found.errors.ci_95) == (None, None)
    alike = score_rules([(transcript(0, 5), "a"), (transcript(0, 5), "b")])
    assert alike is not None and alike.errors is not None and alike.errors.ci_95 is not None
    assert alike.errors.ci_95.high > 0.5


def test_replies_that_no_rule_scores_count_nothing() -> None:
    assert score_rules([]) is None


def test_a_package_that_is_missing_is_named_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "find_spec", lambda _: None)
    require_packages([Expected("exact set"), Expected("speech-ifeval")])
    with pytest.raises(BadConfig, match=r"the word error rate needs jiwer: pip install 'earwitness\[scoring\]'"):
        require_packages([Expected("word error rate")])
    with pytest.raises(BadConfig, match="the character error rate needs jiwer"):
        require_packages([Expected("character error rate")])
    capitals = Instruction(name="change_case:english_capital")
    require_packages([Expected("speech-ifeval", instructions=(capitals,))])  # which detects no language
    with pytest.raises(BadConfig, match="languages needs langdetect"):
        require_packages([Expected("ifeval", instructions=(capitals,))])
