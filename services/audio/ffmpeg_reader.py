"""Read a recording with FFmpeg (PyAV): demux, decode and place each frame on the container's clock.

Times are as a player shows them. Where the time stamps leave a gap, silence is inserted, and where they overlap,
samples are left out, as FFmpeg's `aresample=async=1:first_pts=0` does it: from 0.1 s on, since less is the rounding of
time stamps, but at the very beginning from 1 ms on. Packets that cannot be decoded are counted and left out.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from errno import EINVAL
from io import SEEK_CUR, SEEK_END, SEEK_SET
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

import av
import numpy as np
from av.audio.plane import AudioPlane
from numpy.typing import NDArray

from services.audio.chaining import Link
from services.audio.formats import ACCEPTED, CODECS, DEMUXERS, HEADERLESS, Source, begins_like_a_recording
from services.audio.pcm_wav import FrameBlock
from services.audio.resync import Resumption, find_resumption
from services.audio.truncation import measure_mp3
from services.errors import AudioCode, BadAudio, make_bad_audio

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream, Packet
    from av.container import InputContainer


BLOCK = 1 << 17  # samples of all channels that are gathered before they are handed on
STATING = frozenset(
    ["aiff", "au", "flac", "flv", "matroska,webm", "rm", "tta", "wv"]
)  # formats that state their length
LOUDEST = 2.0  # of full scale; sound that was coded at full scale decodes to little beyond it
GAP_S = 0.1  # swresample's min_hard_comp
START_GAP_S = 0.001
OVERLAP_S = 1.0  # a clock that goes back further begins again, as in joined files
RESTART_S = 10.0  # ffmpeg's -dts_delta_threshold, for formats whose clock may jump
MAY_JUMP = 0x0200  # AVFMT_TS_DISCONT
MEMORY_PROBE = 1 << 20  # bytes
MICROSECONDS = 1e-6  # unit of a container's start
ID3_HEAD = 10  # bytes
DTYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
SCALES = {"u8": 1 / 128, "s16": 1 / 32768, "s32": 1 / 2147483648, "s64": 1 / 9223372036854775808}


class _Input:
    """The file as FFmpeg sees it: without a name, which would decide about the format, and without ID3v2 tags.

    A tag of megabytes (cover art) would fill all that FFmpeg looks at to tell the format.
    """

    def __init__(self, source: Source, link: Link) -> None:
        self._source = source
        self._start = _find_end_of_tags(source, link)
        self._end = link.end
        self.is_out_of_memory = False
        """Whether reading failed for lack of memory, which FFmpeg takes for the end of the file."""
        source.seek(self._start)

    def read(self, size: int) -> bytes:
        """Read at most `size` bytes, up to the end of the link."""
        try:
            return self._source.read(max(min(size, self._end - self._source.tell()), 0)) or b""
        except MemoryError:
            self.is_out_of_memory = True
            raise

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Move within the link, at most to its end; return the new position, in bytes from the link's beginning.

        A length that is wrong, such as what follows the sound in joined files, leads far beyond it, or before it; an
        exception would end the reading of what there is.
        """
        base = {SEEK_SET: self._start, SEEK_CUR: self._source.tell(), SEEK_END: self._end}[whence]
        if base + offset < self._start:
            return -EINVAL  # as FFmpeg's own files say it
        return self._source.seek(min(base + offset, self._end)) - self._start

    def tell(self) -> int:
        """Return the position, in bytes from the link's beginning."""
        return self._source.tell() - self._start

    def measure_mp3(self, rate: int) -> float:
        """Return the seconds that an MP3 header states, 0 for none; FFmpeg finds its place as it was."""
        place = self._source.tell()
        length_s = measure_mp3(self._source, self._start, rate)
        self._source.seek(place)
        return length_s


class FFmpegReader:
    """A recording that is read from its beginning to its end, once."""

    def __init__(self, source: Source, link: Link, name: str) -> None:
        """Open the container and choose a track; `BadAudio` where nothing can be read."""
        self._file, self._container = _open(source, link, name)
        try:
            self._stream = _choose_track(self._container, name)
        except BadAudio:
            self._container.close()
            raise
        self.num_tracks = len(self._container.streams.audio)
        self.heard_s = 0.0
        """Where the sound read so far ends, on the container's clock."""
        self.num_packets = self.num_bad_packets = 0
        self.ends_badly = False
        """Whether the last packet could not be decoded whole, or the container broke off."""
        self.announced_s = self._find_announced()
        """Length that the container states; 0: none."""

    def _find_announced(self) -> float:
        """Return the seconds that the header states; for other formats FFmpeg infers them from the bytes there are."""
        container, stream = self._container, self._stream
        if container.format.name == "mp3":
            return self._file.measure_mp3(stream.rate or 0)
        if container.format.name not in STATING or len(container.streams) > 1:  # a picture may be longer than its sound
            return 0.0
        if stream.duration and stream.time_base:
            return float(stream.duration * stream.time_base)
        return (container.duration or 0) * MICROSECONDS

    def read(self, max_duration_s: float) -> Iterator[FrameBlock]:
        """Yield the samples on the container's clock; a gap is at most `max_duration_s` of silence."""
        with self._container:
            clock = _Clock(self._container)
            gathered: list[NDArray[np.float32]] = []
            rate = size = 0
            for frame in self._decode():
                samples = self._limit(_to_array(frame))
                skip, silence = clock.place(frame, len(samples))
                self.heard_s = clock.heard_s
                is_other = gathered and (frame.sample_rate, samples.shape[1]) != (rate, gathered[0].shape[1])
                if gathered and (is_other or size >= BLOCK or silence):
                    yield FrameBlock(rate, np.concatenate(gathered))
                    gathered, size = [], 0
                rate = frame.sample_rate
                for length in _split(min(silence, int(max_duration_s * rate) + 1), BLOCK):
                    yield FrameBlock(rate, np.zeros((length, samples.shape[1]), np.float32))
                if skip < len(samples):
                    gathered.append(samples[skip:])
                    size += samples.size
            if gathered:
                yield FrameBlock(rate, np.concatenate(gathered))

    def _limit(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Clip at full scale, as players do, what a lossy decoder makes of a damaged packet: bursts far beyond it.

        Else one of them would set the level of the whole recording. What a lossless codec gives stays as it is.
        """
        if self._stream.codec_context.codec.lossless or not samples.size or np.abs(samples).max() <= LOUDEST:
            return samples
        return np.clip(samples, -1, 1)

    def _decode(self) -> Iterator["AudioFrame"]:
        is_plain = self._stream.codec_context.name.startswith("pcm_")
        for packet in self._demux():
            try:
                frames = self._stream.decode(packet)
            except MemoryError:  # PyAV's own is an FFmpegError as well
                raise
            except av.FFmpegError:
                bytearray(MEMORY_PROBE)  # raises where memory is the cause: FFmpeg calls that invalid data too
                self.num_bad_packets += 1
                self.ends_badly = True
                continue
            if packet is not None:  # a last packet of plain samples or of a WAV file is as long as what is left
                is_measured = is_plain or self._container.format.name == "wav"
                self.ends_badly = packet.is_corrupt and not is_measured
            yield from frames

    def _demux(self) -> Iterator["Packet[AudioStream] | None"]:
        try:
            for packet in self._container.demux(self._stream):
                if packet.size:
                    self.num_packets += 1
                    yield packet
        except MemoryError:
            raise
        except av.FFmpegError:
            self.ends_badly = True
        except IndexError:  # PyAV's at the end of a file whose last tracks began late: all packets of ours have come
            pass
        if self._file.is_out_of_memory:
            raise MemoryError
        yield None


class _Clock:
    """Compares time stamps with the samples that were heard."""

    def __init__(self, container: "InputContainer") -> None:
        self._start_s = (container.start_time or 0) * MICROSECONDS
        self._may_jump = bool(container.format.flags & MAY_JUMP)
        self._is_first = True
        self.heard_s = 0.0

    def place(self, frame: "AudioFrame", num_frames: int) -> tuple[int, int]:
        """Return how many of its sample frames to leave out, and how many of silence to insert before it."""
        is_first, self._is_first = self._is_first, False
        ahead_s = 0.0
        if frame.pts is not None and frame.time_base is not None:
            ahead_s = float(frame.pts * frame.time_base) - self._start_s - self.heard_s
        is_restart = ahead_s < -OVERLAP_S or (self._may_jump and not -GAP_S <= ahead_s <= RESTART_S)
        if is_restart and not is_first:
            self._start_s += ahead_s  # a new part whose clock begins again
            ahead_s = 0.0
        skip = silence = 0
        if abs(ahead_s) > (START_GAP_S if is_first else GAP_S):
            shift = round(ahead_s * frame.sample_rate)
            skip, silence = min(max(-shift, 0), num_frames), max(shift, 0)
        self.heard_s += (num_frames - skip + silence) / frame.sample_rate
        return skip, silence


class _Opened(NamedTuple):
    """A file, and the container that FFmpeg finds in it."""

    file: _Input
    container: "InputContainer"


def _open(source: Source, link: Link, name: str) -> _Opened:
    file = _Input(source, link)
    try:
        return _Opened(file, _open_container(file))
    except (av.FFmpegError, ValueError) as error:
        resumed = find_resumption(source, link)
        if resumed is None and (format_name := HEADERLESS.get(PurePath(name).suffix.lower())):
            resumed = Resumption(link, format_name)
        if resumed is not None:
            with suppress(av.FFmpegError):
                file = _Input(source, resumed.link)
                return _Opened(file, _open_container(file, resumed.format))
        raise _explain(source, link, name) from error


def _open_container(file: _Input, format_name: str | None = None) -> "InputContainer":
    """Open a file; where the name of a format is given, take it for that."""
    file.seek(0)
    # FFmpeg opens a decoder for every track at once, pictures too; the allowlist limits it to ours.
    options = {"codec_whitelist": ",".join(sorted(CODECS)), "format_whitelist": ",".join(sorted(DEMUXERS))}
    try:
        return av.open(file, "r", format=format_name, metadata_errors="ignore", container_options=options)
    except MemoryError:  # PyAV's own is an FFmpegError as well
        raise MemoryError from None
    except (av.FFmpegError, ValueError) as error:
        if file.is_out_of_memory:
            raise MemoryError from error
        raise


def _explain(source: Source, link: Link, name: str) -> BadAudio:
    """Return the error that says why nothing can be read."""
    source.seek(link.start)
    if begins_like_a_recording(source.read(16) or b""):
        message = f"'{name}' is not audio that can be read. It begins like a recording, but is damaged."
        return make_bad_audio(AudioCode.DAMAGED, message)
    return make_bad_audio(AudioCode.FORMAT, f"'{name}' is not audio that can be read. Readable: {ACCEPTED}.")


def _choose_track(container: "InputContainer", name: str) -> "AudioStream":
    """Return the default track, else the one of most channels; one that can be decoded before one that cannot."""
    tracks = container.streams.audio
    if not tracks:
        raise make_bad_audio(AudioCode.NO_TRACK, f"'{name}' has no audio track.")

    def rank(track: "AudioStream") -> tuple[bool, bool, int]:
        """Rank tracks: one that can be decoded, then the file's default, then the one with most channels."""
        return _is_readable(track), bool(track.disposition & av.stream.Disposition.default), track.channels

    best = max((track for track in tracks if _is_readable(track)), key=rank, default=tracks[0])
    if not _is_readable(best):
        codec = best.codec_context.name if best.codec_context is not None else "something unknown"
        message = f"'{name}' holds audio coded as {codec}, which cannot be read; send WAV, FLAC, Opus or AAC."
        raise make_bad_audio(AudioCode.CODEC, message)
    best.codec_context.thread_count = 1  # the sandbox starts no threads
    return best


def _is_readable(track: "AudioStream") -> bool:
    return track.codec_context is not None and track.codec_context.name in CODECS


def _to_array(frame: "AudioFrame") -> NDArray[np.float32]:
    """Return samples in [-1, 1], shape (num_frames, num_channels)."""
    raw, kind = _read_planes(frame), frame.format.name.removesuffix("p")
    shaped = raw.T if frame.format.is_planar else raw.reshape(-1, frame.layout.nb_channels)
    scale = SCALES.get(kind)
    if scale is None:
        return shaped.astype(np.float32, copy=False)
    if raw.dtype == np.uint8:
        return shaped.astype(np.float32) * np.float32(scale) - np.float32(1)
    return shaped.astype(np.float32) * np.float32(scale)


def _read_planes(frame: "AudioFrame") -> NDArray[Any]:
    """Return the samples as they are coded, a row for each plane.

    PyAV's own `to_ndarray` knows no 64 bits, and looks for a ninth plane where there are eight or more, which ends the
    process (7.1 in AAC, Opus or Vorbis).
    """
    num_planes, per_sample = (frame.layout.nb_channels, 1) if frame.format.is_planar else (1, frame.layout.nb_channels)
    kind = DTYPES[frame.format.name.removesuffix("p")]
    length = frame.samples * per_sample
    return np.stack([np.frombuffer(bytes(AudioPlane(frame, number)), kind, length) for number in range(num_planes)])


def _split(total: int, size: int) -> Iterable[int]:
    return (min(size, total - start) for start in range(0, total, size))


def _find_end_of_tags(source: Source, link: Link) -> int:
    """Return where the ID3v2 tags before the sound end."""
    end = link.start
    while end < link.end:
        source.seek(end)
        head = source.read(ID3_HEAD)
        if head[:3] != b"ID3" or len(head) < ID3_HEAD:
            break
        size = sum((value & 127) << shift for value, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
        end += ID3_HEAD + size + (ID3_HEAD if head[5] & 0x10 else 0)
    return min(end, link.end)
