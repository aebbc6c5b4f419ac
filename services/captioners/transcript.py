"""The captioner that adds nothing to the ASR: the paper's "Whisper" row of the cascade."""

from services.types import AudioClip, Evidence, Focus


class TranscriptOnly:
    """A captioner without statements of its own."""

    name, revision = "transcript", "1"

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:  # noqa: ARG002
        """Return no statement."""
        return ()
