"""Decode, downmix and resample audio to blocks of mono samples at one rate; headers are not trusted.

WAV, FLAC, Ogg (Vorbis, Opus) and MP3 are read by libsndfile, MP4/M4A, WebM and raw AAC by FFmpeg: the first
bytes decide, and both are held to the codecs listed here. Samples are counted as they come. This module runs in
the service's decoding processes, so it imports nothing heavy; all errors are `BadAudio` with an `AudioCode`.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from io import BytesIO, FileIO
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from services.audio.truncation import count_missing_bytes
from services.errors import AudioCode, BadAudio, bad_audio

if TYPE_CHECKING:
    from av import AudioFrame
    from av.container import InputContainer

Source: TypeAlias = BytesIO | FileIO

MIN_RATE, MAX_RATE = 1_000, 768_000  # Hz; a header that claims less would blow one second up to hours
BLOCK = 1 << 18  # samples decoded at a time, all channels together
HEAD = 16  # bytes that tell the format
FORMATS = "WAV, FLAC, Ogg (Vorbis or Opus), MP3, M4A, AAC and WebM"

# Not the ADPCM variants: libsndfile 1.2.2 overflows in one (CVE-2026-37555).
SUBTYPES = frozenset(
    [
        "PCM_S8",
        "PCM_U8",
        "PCM_16",
        "PCM_24",
        "PCM_32",
        "FLOAT",
        "DOUBLE",
        "ULAW",
        "ALAW",
        "VORBIS",
        "OPUS",
        "MPEG_LAYER_I",
        "MPEG_LAYER_II",
        "MPEG_LAYER_III",
    ]
)
CODECS = frozenset(
    [
        "aac",
        "mp3",
        "mp3float",
        "opus",
        "libopus",
        "vorbis",
        "libvorbis",
        "flac",
        "alac",
        "pcm_u8",
        "pcm_s16le",
        "pcm_s16be",
        "pcm_s24le",
        "pcm_s24be",
        "pcm_s32le",
        "pcm_f32le",
        "pcm_f64le",
    ]
)


class DecodingLimits(NamedTuple):
    """Sample rate of the output, and limits on duration, channels and decoded size."""

    rate: int
    """Hz of the samples that come out."""
    max_duration_s: float
    max_channels: int = 32
    """Fourth-order ambisonics has 25."""
    max_decoded_bytes: int = 4 << 30
    """Of float32 samples before they are averaged and resampled: an hour of stereo at 149 kHz."""


class DecodedAudio(NamedTuple):
    """A recording that is being decoded, block by block."""

    rate: int
    """Hz of the recording."""
    num_channels: int
    blocks: Iterator[NDArray[np.float32]]
    """Shape (num_samples,) each: mono, at the rate that was asked for."""


class AudioReader(StrEnum):
    """Library that reads a container format: libsndfile, or FFmpeg's demuxer of that name."""

    SNDFILE = "sndfile"
    MP4 = "mp4"
    WEBM = "matroska"
    AAC = "aac"


class _Stream(NamedTuple):
    """Decoded audio on its way: blocks of shape (num_frames, num_channels)."""

    rate: int
    num_channels: int
    blocks: Iterator[NDArray[np.float32]]


def detect_format(head: bytes, name: str) -> AudioReader:
    """Detect the container format by its first 16 bytes (magic numbers); `BadAudio` where it is unknown."""
    is_wav = head[:4] in {b"RIFF", b"RF64"} and head[8:12] == b"WAVE"
    is_mpeg = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    is_adts = is_mpeg and head[1] & 0x16 == 0x10  # MPEG-2 or -4, and layer 0, which MP3 never has
    if is_adts:
        return AudioReader.AAC
    if is_wav or head[:4] in {b"fLaC", b"OggS"} or head[:3] == b"ID3" or (is_mpeg and head[1] & 0x06):
        return AudioReader.SNDFILE
    if head[4:8] == b"ftyp":
        return AudioReader.MP4
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return AudioReader.WEBM
    raise bad_audio(AudioCode.FORMAT, f"'{name}' is no audio that can be read. Readable: {FORMATS}.")


def open_audio(source: Source, name: str, bounds: DecodingLimits) -> DecodedAudio:
    """Begin to decode; `name` is what errors call the recording."""
    head = source.read(HEAD)
    reader = detect_format(head, name)
    if missing := count_missing_bytes(source):
        raise bad_audio(AudioCode.DAMAGED, f"'{name}' is cut off: {missing} bytes that it announces are missing.")
    source.seek(0)
    stream = _open_sndfile(source, name) if reader is AudioReader.SNDFILE else _open_ffmpeg(source, reader, name)
    if not MIN_RATE <= stream.rate <= MAX_RATE:
        raise bad_audio(
            AudioCode.BAD_RATE,
            f"'{name}' has {stream.rate} samples a second; accepted are {MIN_RATE} to {MAX_RATE}.",
        )
    if not 1 <= stream.num_channels <= bounds.max_channels:
        raise bad_audio(
            AudioCode.TOO_MANY_CHANNELS,
            f"'{name}' has {stream.num_channels} channels; accepted are 1 to {bounds.max_channels}.",
        )
    return DecodedAudio(stream.rate, stream.num_channels, _resample(stream, name, bounds))


def _resample(stream: _Stream, name: str, bounds: DecodingLimits) -> Iterator[NDArray[np.float32]]:
    # At the right rate already soxr would give back every sample as it is, in a third of the time that loading takes.
    resampler = None if stream.rate == bounds.rate else soxr.ResampleStream(stream.rate, bounds.rate, 1, "float32")
    longest = int(bounds.max_duration_s * bounds.rate)
    num_bytes = num_samples = 0
    for block in stream.blocks:
        num_bytes += block.nbytes
        if num_bytes > bounds.max_decoded_bytes:
            raise bad_audio(
                AudioCode.DECODED_TOO_LARGE,
                f"'{name}' decodes to more than {bounds.max_decoded_bytes} bytes, the most that is accepted.",
            )
        mono = block[:, 0] if stream.num_channels == 1 else block.mean(axis=1, dtype=np.float32)
        samples = mono if resampler is None else resampler.resample_chunk(mono)
        num_samples += len(samples)
        if num_samples > longest:
            raise bad_audio(
                AudioCode.TOO_LONG,
                f"'{name}' lasts longer than the longest accepted, {bounds.max_duration_s:g} s.",
            )
        yield samples
    if resampler is not None:
        yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _unreadable(name: str) -> BadAudio:
    return bad_audio(
        AudioCode.DAMAGED, f"'{name}' is no audio that can be read. It begins like a recording, but is damaged."
    )


def _other_codec(name: str, codec: str) -> BadAudio:
    return bad_audio(
        AudioCode.CODEC, f"'{name}' holds audio coded as {codec}, which is not accepted; send WAV, FLAC, Opus or AAC."
    )


def _open_sndfile(source: Source, name: str) -> _Stream:
    # By its descriptor libsndfile reads a file itself; else each block is a call back into Python.
    handle = source if isinstance(source, BytesIO) else source.fileno()
    try:
        file = soundfile.SoundFile(handle, closefd=False)
    except (soundfile.LibsndfileError, ValueError) as error:
        raise _unreadable(name) from error
    if file.subtype not in SUBTYPES:
        raise _other_codec(name, file.subtype)
    return _Stream(file.samplerate, file.channels, _read_blocks(file, name))


def _read_blocks(file: soundfile.SoundFile, name: str) -> Iterator[NDArray[np.float32]]:
    with file:
        try:
            while len(block := file.read(BLOCK // file.channels, dtype="float32", always_2d=True)):
                yield block
        except soundfile.LibsndfileError as error:
            raise bad_audio(AudioCode.DAMAGED, f"'{name}' is damaged: {error.error_string}") from error


def _open_ffmpeg(source: Source, demuxer: AudioReader, name: str) -> _Stream:
    import av

    # FFmpeg opens a decoder for every track at once, pictures too; the whitelist limits it to ours.
    options = {"codec_whitelist": ",".join(sorted(CODECS))}
    try:
        container = av.open(source, "r", format=demuxer.value, metadata_errors="ignore", container_options=options)
    except MemoryError:  # PyAV's own is an FFmpegError as well
        raise
    except (av.FFmpegError, ValueError) as error:
        raise _unreadable(name) from error
    if not container.streams.audio:
        container.close()
        raise bad_audio(AudioCode.NO_TRACK, f"'{name}' has no audio track.")
    context = container.streams.audio[0].codec_context
    if context is None or context.name not in CODECS:
        container.close()
        raise _other_codec(name, context.name if context else "something unknown")
    frames = _decode_frames(container, name)
    first = next(frames, None)
    if first is None:
        return _Stream(context.sample_rate, context.channels, iter(()))
    # A frame's word, not the header's: HE-AAC decodes to twice the rate that its header may name.
    return _Stream(first.sample_rate, first.layout.nb_channels, _convert_to_planar(chain([first], frames), name))


def _decode_frames(container: "InputContainer", name: str) -> Iterator["AudioFrame"]:
    import av

    with container:
        try:
            yield from container.decode(audio=0)
        except MemoryError:
            raise
        except av.FFmpegError as error:
            raise bad_audio(AudioCode.DAMAGED, f"'{name}' is damaged: {error.strerror}") from error


def _convert_to_planar(frames: Iterable["AudioFrame"], name: str) -> Iterator[NDArray[np.float32]]:
    import av

    planar = av.AudioResampler(format="fltp")
    for frame in frames:
        try:
            parts = planar.resample(frame)
        except ValueError as error:
            raise bad_audio(AudioCode.DAMAGED, f"'{name}' is damaged: its rate or channels change midway.") from error
        for part in parts:
            yield part.to_ndarray().T.astype(np.float32, copy=False)
