"""A packed sequence: what is read once, what attends to what, and where replies are predicted."""

import torch

from lalm.model.packing import PREFIX, PackedGroup, PackedRow, pack_groups

SHARED = PackedGroup((PackedRow((7, -1, -2, 8, 9), (1, 2)), PackedRow((7, -1, -2, 8, 5, 6), (3,))), 2)


def test_what_rows_begin_with_is_read_once() -> None:
    packed = pack_groups([SHARED])
    assert packed.ids_L.tolist() == [7, -1, -2, 8, 9, 1, 5, 6]
    assert packed.positions_L.tolist() == [0, 1, 2, 3, 4, 5, 4, 5]
    assert packed.branch_L.tolist() == [PREFIX] * 4 + [0, 0, 1, 1]
    assert SHARED.num_tokens == 10  # with the last token of each reply, from which nothing is predicted


def test_replies_are_predicted_from_the_token_before() -> None:
    packed = pack_groups([SHARED])
    assert packed.source_R.tolist() == [4, 5, 7]
    assert packed.target_R.tolist() == [1, 2, 3]
    assert packed.row_R.tolist() == [0, 0, 1]


def test_audio_is_counted_over_all_groups() -> None:
    other = PackedGroup((PackedRow((-1, -2, -3, 4), (1,)),), 3)
    packed = pack_groups([SHARED, other, SHARED])
    assert [token for token in packed.ids_L.tolist() if token < 0] == [-1, -2, -3, -4, -5, -6, -7]
    assert packed.row_R.tolist() == [0, 0, 1, 2, 3, 3, 4]
    assert packed.num_rows == 5


def test_a_branch_sees_its_prefix_and_itself_and_nobody_else() -> None:
    packed = pack_groups([SHARED, PackedGroup((PackedRow((4, 5), (1,)),), 0)])
    mask_LL = packed.build_attention_mask()[0, 0].int().tolist()
    assert mask_LL[5] == [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]
    assert mask_LL[7] == [1, 1, 1, 1, 0, 0, 1, 1, 0, 0]
    assert mask_LL[9] == [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]


def test_a_window_is_counted_in_the_positions_of_a_row() -> None:
    mask_LL = pack_groups([SHARED]).build_attention_mask(window=3)[0, 0].int().tolist()
    assert mask_LL[3] == [0, 1, 1, 1, 0, 0, 0, 0]
    assert mask_LL[7] == [0, 0, 0, 1, 0, 0, 1, 1]  # positions 3, 4 and 5


def test_rows_that_are_asked_the_same_keep_a_token_of_their_own() -> None:
    packed = pack_groups([PackedGroup((PackedRow((7, 8), (1, 2)), PackedRow((7, 8), (3, 4))), 0)])
    assert packed.ids_L.tolist() == [7, 8, 1, 8, 3]
    assert packed.source_R.tolist() == [1, 2, 3, 4]


def test_padding_changes_no_row() -> None:
    plain, padded = pack_groups([SHARED, SHARED]), pack_groups([SHARED, SHARED], multiple=32)
    assert (len(plain.ids_L), len(padded.ids_L)) == (16, 32)
    assert (padded.ids_L[16:] >= 0).all(), "no audio"
    for name in ("source_R", "target_R", "row_R"):
        assert getattr(padded, name).tolist() == getattr(plain, name).tolist()
    mask_LL, plain_LL = (one.build_attention_mask()[0, 0] for one in (padded, plain))
    assert (mask_LL[:16, :16] == plain_LL).all() and not mask_LL[:16, 16:].any() and not mask_LL[16:, :16].any()
    assert mask_LL.diagonal().all(), "every token attends to something, or attention is not a number"
    assert len(pack_groups([SHARED], multiple=8).ids_L) == 8, "a whole multiple is left as it is"


def test_values_of_tokens_are_averaged_over_the_row_that_they_belong_to() -> None:
    packed = pack_groups([SHARED, PackedGroup((PackedRow((4, 5), (1,)),), 0)])
    assert packed.average_by_row(torch.tensor([1.0, 4.0, 7.0, -2.0])).tolist() == [2.5, 7.0, -2.0]
