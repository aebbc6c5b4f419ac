"""Captioner without statements: the cascade then reads the transcript alone ("Whisper" in arXiv:2603.19195)."""

from services.types import AudioClip, Evidence, Focus


class TranscriptOnly:
    """A captioner without statements of its own."""

    name, revision = "transcript", "1"

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:  # noqa: ARG002
        """Return no statement."""
        return ()
