"""From conversations to packed sequences: what is dropped is counted, and what is kept comes once an epoch."""

from collections import Counter
from collections.abc import Mapping

import pytest

from lalm.messages import ChatTurn, Conversation, MessageAudio
from lalm.model.packing import PackedRow, pack_groups
from lalm.model.template import ChatTemplate, truncate_transcript
from lalm.prompting import AUDIO
from lalm.train.config import BatchConfig
from lalm.train.data import Dataset, Sampler, TrainClip, TrainExample, split_dataset, tokenise
from services.errors import BadAudio, BadConfig

CLIPS: Mapping[str, TrainClip] = {
    "a.wav": TrainClip("a.wav", "aa", 1, "hello"),
    "b.wav": TrainClip("b.wav", "bb", 3, ""),
}


def find(audio: MessageAudio) -> TrainClip | BadAudio:
    return CLIPS.get(audio.path) or BadAudio(f"No recording at '{audio.path}'.")


def conversation(*paths: str, response: str = "A dog.", question: str = "What?") -> Conversation:
    content = f"{AUDIO * len(paths)} {question}"
    turn = ChatTurn(role="user", content=content, audios=tuple(MessageAudio(audio=path) for path in paths))
    return Conversation(messages=(turn,), response=response, source="metadata")


def dataset(template: ChatTemplate, *conversations: Conversation, max_length: int = 100) -> Dataset:
    return tokenise(conversations, template, find, max_length=max_length)


def test_rows_that_cannot_be_learnt_from_are_dropped_and_counted(template: ChatTemplate) -> None:
    kept = dataset(
        template,
        conversation("a.wav"),
        conversation(),
        conversation("a.wav", response=" \n"),
        conversation("gone.wav"),
        conversation("a.wav", "gone.wav"),
        conversation("a.wav", response="long " * 90),
    )
    assert len(kept.examples) == 1
    assert kept.examples[0].source == "metadata"
    assert kept.dropped == Counter({"no audio": 1, "empty reply": 1, "unreadable clip": 2, "too long": 1})
    assert kept.describe_dropped() == (
        "empty reply 1; no audio 1; too long 1 (data.max_length=100; they take 480 to 480 tokens); "
        "unreadable clip 2 (No recording at 'gone.wav')"
    )


def test_a_row_at_the_limit_is_kept_whole(template: ChatTemplate) -> None:
    one = conversation("a.wav", "b.wav")
    row = dataset(template, one).examples[0].row
    length = len(row.prompt) + len(row.reply)
    assert dataset(template, one, max_length=length).examples[0].row == row
    assert not dataset(template, one, max_length=length - 1).examples
    assert row.reply[-1:] == template.turn_end
    assert min(row.prompt) == -20  # four segments of five embeddings


def test_a_long_transcript_is_cut_between_words_or_where_there_are_none_within() -> None:
    assert truncate_transcript("  one \n two ") == "one two"
    assert truncate_transcript("word " * 200) == ("word " * 80).strip()
    assert truncate_transcript("声" * 500) == "声" * 400


def example(number: int, num_prompt: int, num_segments: int = 1) -> TrainExample:
    clip = TrainClip(f"{number}.wav", f"{number:02d}", num_segments, "")
    audio = tuple(-1 - slot for slot in range(5 * num_segments))
    return TrainExample(PackedRow((7, *audio, *range(100, 100 + num_prompt)), (number, 3)), (clip,), "distilled")


def rows(count: int) -> Dataset:
    return Dataset(tuple(example(number % 4, 3 + number, 1 + number % 4) for number in range(count)))


BATCH = BatchConfig(tokens=64, sequences_per_step=2, rows_per_clip=3)


def test_an_epoch_gives_every_row_once_and_no_sequence_over_the_limit() -> None:
    sampler = Sampler(rows(20), BATCH, num_queries=5, seed=1)
    packs = list(sampler.draw_epoch(0))
    seen = Counter(row for one in packs for group in one.groups for row in group.rows)
    assert seen == Counter(one.row for one in rows(20).examples)
    assert all(one.num_tokens <= BATCH.tokens for one in packs)
    assert all(len(group.rows) <= BATCH.rows_per_clip for one in packs for group in one.groups)


def test_the_clips_of_a_sequence_hold_as_many_embeddings_as_it_hears() -> None:
    for one in Sampler(rows(20), BATCH, num_queries=5, seed=1).draw_epoch(0):
        packed = pack_groups(one.groups)
        assert one.num_segments * 5 == sum(group.num_slots for group in one.groups)
        assert one.num_segments == sum(clip.num_segments for clip in one.clips)
        assert -packed.ids_L.min().item() <= one.num_segments * 5
        assert one.num_tokens == len(packed.ids_L)
        assert one.num_replied == len(packed.target_R)


def test_a_row_of_every_group_is_about_its_own_clip() -> None:
    for one in Sampler(rows(20), BATCH, num_queries=5, seed=1).draw_epoch(0):
        assert [row.reply[0] for group in one.groups for row in group.rows[:1]] == [int(c.sha256) for c in one.clips]


def test_the_order_follows_from_seed_and_epoch() -> None:
    def order(seed: int, epoch: int) -> list[PackedRow]:
        sampler = Sampler(rows(20), BATCH, num_queries=5, seed=seed)
        return [row for one in sampler.draw_epoch(epoch) for group in one.groups for row in group.rows]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


def test_a_group_that_is_too_large_is_read_in_parts() -> None:
    wide = Dataset(tuple(example(1, 40) for _ in range(3)))
    packs = list(Sampler(wide, BATCH, num_queries=5, seed=1).draw_epoch(0))
    assert sum(one.num_rows for one in packs) == 3


def test_no_clip_is_in_training_and_in_validation() -> None:
    training, validation = split_dataset(rows(20), 0.25, 42)
    heard = [{clip.sha256 for one in part.examples for clip in one.clips} for part in (training, validation)]
    assert not heard[0] & heard[1]
    assert len(heard[1]) == 1
    assert len(training.examples) + len(validation.examples) == 20


def test_no_recording_is_in_training_and_in_validation() -> None:
    # a mix of the second and the third connects them; clips 6 to 19 stand alone
    origins = {0: ("a",), 1: ("b",), 2: ("c",), 3: ("b", "c"), 4: ("a",), 5: ("c",)}
    connected = tuple(one._replace(recordings=origins.get(number, ())) for number, one in enumerate(rows(20).examples))
    for seed in range(20):
        training, validation = split_dataset(Dataset(connected), 0.25, seed)
        learnt, held = ({name for one in part.examples for name in one.recordings} for part in (training, validation))
        assert not learnt & held
        assert len(training.examples) + len(validation.examples) == 20
        assert validation.examples


def test_a_dataset_without_rows_is_refused_with_the_reasons(template: ChatTemplate) -> None:
    with pytest.raises(BadConfig, match=r"No row is left to train on: no audio 1\."):
        split_dataset(dataset(template, conversation()), 0.1, 1)


def test_rows_of_a_file_come_as_often_as_its_weight_says(template: ChatTemplate) -> None:
    rows = [conversation("a.wav", question=f"{number}?") for number in range(20)]
    weights = [1.0] * 5 + [3.0] * 5 + [0.5] * 5 + [1.25] * 5
    tokenised = tokenise(rows, template, find, max_length=100, weights=weights)
    sampler = Sampler(tokenised, BatchConfig(tokens=400), num_queries=5, seed=1)
    drawn = [
        Counter(row.prompt for batch in sampler.draw_epoch(number) for group in batch.groups for row in group.rows)
        for number in range(4)
    ]
    counts = [[epoch[one.row.prompt] for epoch in drawn] for one in tokenised.examples]
    assert all(count == [1, 1, 1, 1] for count in counts[:5])
    assert all(count == [3, 3, 3, 3] for count in counts[5:10])
    assert all(sorted(count) == [0, 0, 1, 1] for count in counts[10:15])
    assert all(sorted(count) == [1, 1, 1, 2] for count in counts[15:])
    assert len({tuple(count) for count in counts[10:15]}) > 1  # not all in the same epoch
