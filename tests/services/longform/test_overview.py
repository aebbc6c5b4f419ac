"""What the parts of a long recording name, summed up."""

from services.longform.overview import sum_up
from services.types import Evidence, EvidenceKind, Label

MINUTES = 20


def heard(minute: int, *labels: Label, kind: EvidenceKind = "sound") -> Evidence:
    return Evidence(
        kind=kind,
        source="yamnet",
        revision="1",
        text=f"Heard: {', '.join(map(str, labels))}.",
        labels=labels,
        start_s=60.0 * minute,
        end_s=60.0 * minute + 59,
        confidence=0.6,
    )


def label(text: str, probability: float | None = None) -> Label:
    return Label(text=text, probability=probability)


def test_what_is_heard_in_few_parts_is_told_with_its_times() -> None:
    parts = [(heard(n, label("speech", 0.9), *([label("music", n / 20)] if n in (0, 19) else [])),) for n in range(20)]
    (told,) = sum_up(parts)
    assert told.text == (
        "Over the whole recording: speech (0.90) in 20 of 20 parts; "
        "music (0.95) in 2 of 20 parts (0:00-0:59, 19:00-19:59)."
    )
    assert told.labels == (label("speech", 0.9), label("music", 0.95))
    assert (told.start_s, told.end_s, told.confidence) == (0.0, 1199.0, 0.6)


def test_kinds_are_summed_up_apart_and_measured_values_not_at_all() -> None:
    parts = [
        (
            heard(n, label("rain", 0.5)),
            heard(n, label("clean"), kind="quality"),
            heard(n, label(f"{n} dB"), kind="loudness"),
        )
        for n in range(3)
    ]
    assert [one.kind for one in sum_up(parts)] == ["sound", "quality"]


def test_what_one_part_names_alone_is_not_said_twice() -> None:
    assert list(sum_up([(heard(0, label("bell", 0.8)),), ()])) == []
