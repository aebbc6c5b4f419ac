"""Limits of requests: bytes, seconds, concurrency, and the rate limit of each API key."""

from pydantic import Field

from services.audio.fetch import UrlPolicy
from services.errors import TooLarge
from services.types import Value


class PerKey(Value):
    """Rate limit of each API key, per replica."""

    requests_per_s: float = Field(default=20.0, gt=0)
    """Requests per second, on average."""
    burst: float = Field(default=60.0, ge=1)
    """Requests that may come at once after a pause."""
    max_running: int = Field(default=32, ge=1)


class Limits(Value):
    """The bounds of one request."""

    max_upload_bytes: int = Field(default=100_000_000, gt=0)
    """Half an hour of 16-bit mono at 16 kHz is 58 MB, as base64 77 MB; an hour of MP3 at 128 kbit/s is as much."""
    max_upload_bytes_inside: int = Field(default=500_000_000, gt=0)
    """Of all uploads that are read or in work at once, per replica of the agent; one more is refused with 503."""
    max_duration_s: float = Field(default=7200.0, gt=0, allow_inf_nan=False)
    deadline_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Seconds from the head of the request to its answer; None: 600, and as long again as the recording lasts."""
    upload_s: float = Field(default=120.0, gt=0, allow_inf_nan=False)
    """Seconds within which an upload has to be complete: until then it holds a place."""
    max_running: int = Field(default=32, ge=1)
    """Requests in work at once, per replica of the agent."""
    max_waiting: int = Field(default=64, ge=0)
    """Requests that may wait for their turn beside them; one more is refused with 503 and Retry-After."""

    strict_parameters: bool = False
    """Whether a parameter of a chat that changes nothing here is refused, and not ignored with a warning."""

    per_key: PerKey = PerKey()
    audio_urls: UrlPolicy = UrlPolicy()

    @property
    def max_inside(self) -> int:
        """Return how many requests are admitted at once."""
        return self.max_running + self.max_waiting

    def check_bytes(self, num_bytes: int) -> None:
        """Raise `TooLarge` for an upload of more bytes than are accepted, announced or received."""
        if num_bytes > self.max_upload_bytes:
            raise TooLarge(
                f"The upload has more than {self.max_upload_bytes} bytes, the most that is accepted; "
                "send a compressed format (FLAC, Ogg or MP3) or a shorter clip.",
                param="file",
            )
