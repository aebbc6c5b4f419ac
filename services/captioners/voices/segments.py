"""Voice activity detection (VAD) by Silero VAD (MIT, https://github.com/snakers4/silero-vad)."""

from services.captioners.sounds.activity import ActiveSpan, ActiveSpans, Floats
from services.captioners.sounds.statements import make_evidence
from services.types import SAMPLE_RATE, AudioClip, Evidence

SOURCE = "silero-vad"
LEAST_PROBABILITY = 0.3  # lower than usual: far from the microphone a voice is faint
PAUSE_S = 0.2  # a shorter pause does not end a stretch of speech
MOST_LISTED = 8


def detect_speech(samples: Floats) -> ActiveSpans:
    """Return the spans of speech in samples at 16 kHz, in order; the model comes with faster-whisper."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        threshold=LEAST_PROBABILITY,
        min_silence_duration_ms=round(PAUSE_S * 1000),
        speech_pad_ms=30,
        min_speech_duration_ms=90,
    )
    found = get_speech_timestamps(samples, options)
    return tuple(ActiveSpan(part["start"] / SAMPLE_RATE, part["end"] / SAMPLE_RATE) for part in found)


def describe_speech(clip: AudioClip, speech: ActiveSpans) -> tuple[Evidence, ...]:
    """Describe when there is speech, and for how much of the clip."""
    share = sum(span.duration_s for span in speech) / clip.duration_s
    listed = ", ".join(f"{span.start_s:.1f}-{span.end_s:.1f}" for span in speech[:MOST_LISTED])
    more = f" and {len(speech) - MOST_LISTED} more" if len(speech) > MOST_LISTED else ""
    text = f"Speech at {listed}{more} s ({share:.0%} of the clip)."
    return (make_evidence("segment", text, speech, source=SOURCE, confidence=0.9),)
