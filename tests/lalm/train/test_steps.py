"""Steps go over parts and epochs without a gap, and from any place on they are the same."""

from itertools import islice

from lalm.model.packing import PackedRow
from lalm.train.config import BatchConfig
from lalm.train.data import Dataset, MicroBatch, Sampler, TrainClip, TrainExample
from lalm.train.steps import StepFeed

BATCH = BatchConfig(tokens=64, sequences_per_step=2, rows_per_clip=3)


def sampler(first: int, count: int) -> Sampler:
    """Return a sampler of rows about four clips."""
    clips = [TrainClip(f"{number}.wav", f"{number:02d}", 1, "") for number in range(first, first + 4)]
    examples = (
        TrainExample(PackedRow((7, -1, *range(100, 110 + number)), (number, 3)), (clips[number % 4],), "distilled")
        for number in range(count)
    )
    return Sampler(Dataset(tuple(examples)), BATCH, num_queries=1, seed=1)


PARTS = (sampler(0, 5), sampler(4, 11), sampler(8, 2))


def make_feed(num_parts: int, opened: list[tuple[int, int]]) -> StepFeed:
    def open_part(epoch: int, part: int) -> Sampler | None:
        opened.append((epoch, part))
        return PARTS[part] if part < num_parts else None

    return StepFeed(open_part, BATCH.sequences_per_step)


def test_steps_go_on_over_the_end_of_a_part_and_of_an_epoch() -> None:
    for num_parts in (1, 3):
        drawn = list(islice(make_feed(num_parts, []).draw_steps(), 12))
        assert all(len(step) == 2 for step in drawn)
        in_order: list[MicroBatch] = []
        for epoch in range(40):
            for part in PARTS[:num_parts]:
                in_order.extend(part.draw_epoch(epoch))
        assert [one for step in drawn for one in step] == in_order[: 2 * len(drawn)]


def test_from_every_place_the_steps_are_the_same_and_no_earlier_part_is_opened() -> None:
    whole = list(islice(make_feed(3, []).draw_steps(), 30))
    for num_done in range(25):
        feed = make_feed(3, [])
        list(islice(feed.draw_steps(), num_done))
        place = feed.locate(num_done)
        opened: list[tuple[int, int]] = []
        assert list(islice(make_feed(3, opened).draw_steps(place), 5)) == whole[num_done : num_done + 5]
        assert opened[0] == place.part[:2]
        assert place.part.num_before <= 2 * num_done < place.part.num_before + count_sequences(*place.part[:2]) + 2


def count_sequences(epoch: int, part: int) -> int:
    return sum(1 for _ in PARTS[part].draw_epoch(epoch))


def test_a_place_in_an_older_checkpoint_is_the_number_of_steps_alone() -> None:
    feed = make_feed(3, [])
    whole = list(islice(feed.draw_steps(), 20))
    place = feed.locate(15)._replace(part=make_feed(3, []).locate(0).part)
    assert list(islice(make_feed(3, []).draw_steps(place), 5)) == whole[15:]
