"""Decode, downmix and resample audio to blocks of mono samples at one rate; headers are not trusted.

Complete WAV files are read by libsndfile, all else by FFmpeg, in its own process or here: the content decides, and both
are held to the formats and codecs of `services.audio.formats`. Samples are counted as they come. This module runs in
the service's decoding processes, so it imports nothing heavy; all errors are `BadAudio` with an `AudioCode`.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np
import soxr
from numpy.typing import NDArray

from services.audio.chaining import find_links
from services.audio.formats import Source
from services.audio.mixdown import ChannelMeter, Mix
from services.audio.pcm_wav import FrameBlock, PlainWav, is_complete_wav, open_wav, read_wav
from services.audio.truncation import count_excess_bytes, count_missing_bytes
from services.errors import AudioCode, BadAudio, BadRequest, make_bad_audio
from services.types import RemarkCode

MIN_DURATION_S = 0.01
MIN_RATE, MAX_RATE = 1_000, 768_000  # Hz; a header that claims less would blow one second up to hours
BAD_SHARE = 0.02  # of the packets; fewer that cannot be decoded are the joints of joined files
CUT_S = 0.25  # seconds that may lack of the length that a header states


class DecodingLimits(NamedTuple):
    """Sample rate of the output, and limits on duration, channels and decoded size."""

    rate: int
    """Hz of the samples that come out."""
    max_duration_s: float
    max_channels: int = 32
    """Fourth-order ambisonics has 25."""
    max_decoded_bytes: int = 8 << 30
    """Of float32 samples before they are averaged and resampled: four hours of stereo at 74 kHz."""


class SampleSink(Protocol):
    """Takes the samples of a recording as they come."""

    def write(self, samples: NDArray[np.float32]) -> None:
        """Take a block, shape (num_samples,): mono, at the rate that was asked for."""

    def restart(self) -> None:
        """Forget what was written: it comes again, mixed otherwise."""


class DecodedAudio(NamedTuple):
    """What is known of a recording once it was decoded."""

    rate: int
    """Hz of the recording."""
    num_channels: int
    remarks: tuple[RemarkCode, ...] = ()


class _DecodedBlocks(NamedTuple):
    """A pass over a recording: its blocks, and what there is to remark once they were read."""

    blocks: Iterator[FrameBlock]
    find_remarks: Callable[[], tuple[RemarkCode, ...]]


def decode_audio(
    source: Source, name: str, bounds: DecodingLimits, sink: SampleSink, *, channel: int | None = None
) -> DecodedAudio:
    """Write a recording's samples to `sink`; `name` is what errors call the recording.

    Where the average of the channels turns out to lose what is there, the recording is decoded a second time.
    `channel`, counted from 1, is written alone; None: the mix of all.
    """
    return _decode(lambda: _open(source, name, bounds), name, bounds, sink, channel)


def decode_plain_wav(wav: PlainWav, name: str, bounds: DecodingLimits, sink: SampleSink) -> DecodedAudio:
    """Do for a plain WAV file what `decode_audio` does, without libsndfile."""
    return _decode(lambda: _DecodedBlocks(wav.read(), lambda: ()), name, bounds, sink)


def _decode(
    open_reading: Callable[[], _DecodedBlocks],
    name: str,
    bounds: DecodingLimits,
    sink: SampleSink,
    channel: int | None = None,
) -> DecodedAudio:
    first = _DecodingPass(name, bounds, None, channel)
    reading = open_reading()
    first.write_all(reading.blocks, sink)
    remarks = reading.find_remarks()
    if first.rate == 0 and remarks:
        raise make_bad_audio(AudioCode.DAMAGED, f"'{name}' is damaged: none of its sound can be decoded.")
    if first.rate == 0:
        message = f"'{name}' lasts 0.000 s; the shortest accepted is {MIN_DURATION_S} s."
        raise make_bad_audio(AudioCode.TOO_SHORT, message)
    if first.num_bad and first.num_bad == first.num_values:
        message = f"'{name}' holds no sample that is a finite number: all are NaN or infinite."
        raise make_bad_audio(AudioCode.NOT_FINITE, message)
    remarks += ("not_finite",) if first.num_bad else ()
    if channel is None and (mix := first.choose_mix()):
        sink.restart()
        _DecodingPass(name, bounds, mix).write_all(open_reading().blocks, sink)
        remarks += ("opposed_channels",) if mix.is_aligned else ("noise_channel",)
    return DecodedAudio(first.rate, first.num_channels, remarks)


def _open(source: Source, name: str, bounds: DecodingLimits) -> _DecodedBlocks:
    if is_complete_wav(source) and (file := open_wav(source)):

        def find_excess() -> tuple[RemarkCode, ...]:
            """Look behind the length that the WAV header announces."""
            return ("excess",) if count_excess_bytes(source) else ()

        return _DecodedBlocks(read_wav(file), find_excess)
    links = _Links(source, name, bounds)
    return _DecodedBlocks(links.read(), links.find_remarks)


class _Links:
    """The recordings that a file holds, one behind the other; most files hold one."""

    def __init__(self, source: Source, name: str, bounds: DecodingLimits) -> None:
        self._source, self._name, self._bounds = source, name, bounds
        self._remarks: set[RemarkCode] = set()

    def read(self) -> Iterator[FrameBlock]:
        """Yield the blocks of every link in turn; a later link that cannot be opened is left out with a remark."""
        from services.audio.ffmpeg_reader import FFmpegReader  # loads FFmpeg, which plain WAV does not need

        for number, link in enumerate(find_links(self._source)):
            try:
                reader = FFmpegReader(self._source, link, self._name)
            except BadAudio:
                if number == 0:
                    raise
                self._remarks.add("damaged")
                continue
            yield from reader.read(self._bounds.max_duration_s)
            if reader.num_tracks > 1:
                self._remarks.add("other_tracks")
            if reader.ends_badly or reader.announced_s - reader.heard_s > CUT_S:
                self._remarks.add("cut_off")
            if reader.num_bad_packets > max(1, BAD_SHARE * reader.num_packets):
                self._remarks.add("damaged")

    def find_remarks(self) -> tuple[RemarkCode, ...]:
        """Return what was odd about the file, once all of it is read."""
        if count_missing_bytes(self._source):
            self._remarks.add("cut_off")
        elif count_excess_bytes(self._source):
            self._remarks.add("excess")
        return tuple(sorted(self._remarks))


class _DecodingPass:
    """One pass over a recording: checks, mixes and resamples what comes."""

    def __init__(self, name: str, bounds: DecodingLimits, mix: Mix | None, channel: int | None = None) -> None:
        self.rate = 0
        """Hz of the first block; 0: none came."""
        self.num_channels = 0
        self.num_values = self.num_bad = 0
        """Samples of all channels, and those that are NaN or infinite."""
        self._name, self._bounds, self._mix, self._channel = name, bounds, mix, channel
        self._meter: ChannelMeter | None = None
        self._num_bytes = self._num_samples = 0
        self._resampler: soxr.ResampleStream | None = None
        self._resampled_rate = bounds.rate

    def write_all(self, blocks: Iterator[FrameBlock], sink: SampleSink) -> None:
        """Check, downmix and resample every block, and write the samples."""
        for found in blocks:
            self._check(found)
            block = self._silence_bad(found)
            for samples in self._resample(self._to_mono(block), block.rate):
                self._write(samples, sink)
        for samples in self._finish():
            self._write(samples, sink)

    def choose_mix(self) -> Mix | None:
        """Return the downmix that loses least, or None where the channels were not compared."""
        return self._meter.choose() if self._meter else None

    def _check(self, block: FrameBlock) -> None:
        name, bounds, num_channels = self._name, self._bounds, block.samples.shape[1]
        if not MIN_RATE <= block.rate <= MAX_RATE:
            raise make_bad_audio(
                AudioCode.BAD_RATE,
                f"'{name}' has {block.rate} samples a second; accepted are {MIN_RATE} to {MAX_RATE}.",
            )
        if not 1 <= num_channels <= bounds.max_channels:
            raise make_bad_audio(
                AudioCode.TOO_MANY_CHANNELS,
                f"'{name}' has {num_channels} channels; accepted are 1 to {bounds.max_channels}.",
            )
        if self._channel is not None and self._channel > num_channels:
            raise BadRequest(f"'{name}' has {num_channels} channels: there is no channel {self._channel}.")
        self._num_bytes += block.samples.nbytes
        if self._num_bytes > bounds.max_decoded_bytes:
            raise make_bad_audio(
                AudioCode.DECODED_TOO_LARGE,
                f"'{name}' decodes to more than {bounds.max_decoded_bytes} bytes, the most that is accepted.",
            )
        if not self.rate:
            self.rate, self.num_channels = block.rate, num_channels
            self._meter = ChannelMeter(num_channels) if num_channels > 1 and self._mix is None else None

    def _silence_bad(self, block: FrameBlock) -> FrameBlock:
        """Set to zero what is not finite: the resampler would spread it over its neighbours."""
        is_bad = ~np.isfinite(block.samples)
        self.num_values += block.samples.size
        num_bad = int(np.count_nonzero(is_bad))
        self.num_bad += num_bad
        return FrameBlock(block.rate, np.where(is_bad, np.float32(0), block.samples)) if num_bad else block

    def _to_mono(self, block: FrameBlock) -> NDArray[np.float32]:
        samples = block.samples
        if self._channel is not None:
            return samples[:, self._channel - 1]
        if samples.shape[1] == 1:
            return samples[:, 0]
        if self._meter and samples.shape[1] == self._meter.num_channels:
            self._meter.add(samples, block.rate)
        if self._mix is not None and len(self._mix.weights) == samples.shape[1]:
            mixed: NDArray[np.float32] = samples @ self._mix.weights
            return mixed
        if samples.shape[1] == 2:  # NumPy's mean of two columns takes five times as long
            return (samples[:, 0] + samples[:, 1]) * np.float32(0.5)
        average: NDArray[np.float32] = samples.mean(axis=1, dtype=np.float32)
        return average

    def _resample(self, mono: NDArray[np.float32], rate: int) -> Iterator[NDArray[np.float32]]:
        # At the right rate already soxr would give back every sample as it is, in a third of the time of loading.
        if rate != self._resampled_rate:
            yield from self._finish()
            self._resampled_rate = rate
            self._resampler = (
                None if rate == self._bounds.rate else soxr.ResampleStream(rate, self._bounds.rate, 1, "float32")
            )
        yield mono if self._resampler is None else self._resampler.resample_chunk(mono)

    def _finish(self) -> Iterator[NDArray[np.float32]]:
        if self._resampler is not None:
            yield self._resampler.resample_chunk(np.zeros(0, np.float32), last=True)

    def _write(self, samples: NDArray[np.float32], sink: SampleSink) -> None:
        self._num_samples += len(samples)
        if self._num_samples > int(self._bounds.max_duration_s * self._bounds.rate):
            raise make_bad_audio(
                AudioCode.TOO_LONG,
                f"'{self._name}' lasts longer than the longest accepted, {self._bounds.max_duration_s:g} s.",
            )
        sink.write(samples)
