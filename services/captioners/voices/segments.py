"""Voice activity detection (VAD) by Silero VAD (MIT, https://github.com/snakers4/silero-vad)."""

from services.captioners.frames import Floats
from services.captioners.sounds.activity import ActiveSpan, ActiveSpans
from services.captioners.sounds.statements import make_evidence
from services.types import SAMPLE_RATE, AudioClip, Evidence

SOURCE = "silero-vad"
MIN_PROBABILITY = 0.3  # below the usual 0.5: a voice far from the microphone is faint
PAUSE_S = 0.2  # a shorter pause does not end a stretch of speech
MAX_LISTED = 8


def detect_speech(samples: Floats) -> ActiveSpans:
    """Detect the spans of speech in samples at 16 kHz, in order; the model comes with faster-whisper."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        threshold=MIN_PROBABILITY,
        min_silence_duration_ms=round(PAUSE_S * 1000),
        speech_pad_ms=30,
        min_speech_duration_ms=90,
    )
    found = get_speech_timestamps(samples, options)
    return tuple(ActiveSpan(part["start"] / SAMPLE_RATE, part["end"] / SAMPLE_RATE) for part in found)


def describe_speech(clip: AudioClip, speech: ActiveSpans) -> tuple[Evidence, ...]:
    """State when there is speech, and its share of the clip."""
    share = sum(span.duration_s for span in speech) / clip.duration_s
    listed = ", ".join(f"{span.start_s:.1f}-{span.end_s:.1f}" for span in speech[:MAX_LISTED])
    more = f" and {len(speech) - MAX_LISTED} more" if len(speech) > MAX_LISTED else ""
    text = f"Speech at {listed}{more} s ({share:.0%} of the clip)."
    return (make_evidence("segment", text, speech, source=SOURCE, confidence=0.9),)
