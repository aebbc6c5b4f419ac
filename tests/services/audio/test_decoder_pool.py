"""Recordings that strangers send, in every accepted format and in every hostile one that we know of."""

import asyncio
import os
import signal
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from services.audio.decoder_pool import DecoderPool
from services.audio.decoding import DecodingLimits
from services.audio.load import decode
from services.audio.sandbox import ResourceLimits
from services.errors import AudioCode, BadAudio
from services.types import SAMPLE_RATE, AudioClip

BOUNDS = DecodingLimits(SAMPLE_RATE, 60.0)
CONTAINERS = {
    "m4a": ("mp4", "aac"),
    "aac": ("adts", "aac"),
    "webm": ("webm", "libopus"),
    "opus": ("ogg", "libopus"),
    "caf": ("caf", "pcm_s16le"),
    "w64": ("w64", "pcm_s16le"),
    "avi": ("avi", "libmp3lame"),
}
SNDFILE = {"wav": ("WAV", "PCM_16"), "flac": ("FLAC", "PCM_24"), "ogg": ("OGG", "VORBIS"), "mp3": ("MP3", None)}


@pytest.fixture(scope="module")
def decoder() -> Iterator[DecoderPool]:
    decoder = DecoderPool(2)
    yield decoder
    decoder.close()


def tone(duration_s: float = 1.0, rate: int = 48_000, num_channels: int = 2) -> np.ndarray:
    seconds = np.arange(round(duration_s * rate)) / rate
    return np.repeat(0.5 * np.sin(2 * np.pi * 440 * seconds)[:, None], num_channels, axis=1).astype(np.float32)


def sndfile(kind: str, samples: np.ndarray, rate: int = 48_000, subtype: str | None = None) -> bytes:
    buffer = BytesIO()
    name, usual = SNDFILE[kind]
    soundfile.write(buffer, samples, rate, format=name, subtype=subtype or usual)
    return buffer.getvalue()


def ffmpeg(kind: str, samples: np.ndarray, options: dict[str, str] | None = None) -> bytes:
    container_name, codec = CONTAINERS[kind]
    buffer = BytesIO()
    with av.open(buffer, "w", format=container_name, options=options or {}) as container:
        encode(container, codec, samples)
    return buffer.getvalue()


def encode(container: av.container.OutputContainer, codec: str, samples: np.ndarray, rate: int = 48_000) -> None:
    stream = container.add_stream(codec, rate=rate, layout="stereo")
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout="stereo")
    frame.rate = rate
    resampler = av.AudioResampler(format=stream.format, layout="stereo", rate=rate, frame_size=stream.frame_size or 960)
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(part))
    container.mux(stream.encode(None))


def decoded(decoder: DecoderPool, data: bytes, bounds: DecodingLimits = BOUNDS) -> AudioClip:
    return asyncio.run(decoder.decode(data, name="clip", bounds=bounds))


def refused(decoder: DecoderPool, data: bytes, bounds: DecodingLimits = BOUNDS) -> BadAudio:
    with pytest.raises(BadAudio) as caught:
        decoded(decoder, data, bounds)
    assert caught.value.code in set(AudioCode)
    assert 400 <= caught.value.http_status < 500
    return caught.value


def wav_header(rate: int, num_channels: int, data: bytes, bits: int = 16) -> bytes:
    frame = num_channels * bits // 8
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, num_channels, rate,
                       (rate * frame) & 0xFFFFFFFF, frame & 0xFFFF, bits, b"data", len(data))  # fmt: skip
    return head + data


@pytest.mark.parametrize("kind", [*SNDFILE, *CONTAINERS])
def test_every_promised_format_is_heard(decoder: DecoderPool, kind: str) -> None:
    data = sndfile(kind, tone()) if kind in SNDFILE else ffmpeg(kind, tone())
    clip = decoded(decoder, data)
    assert clip.duration_s == pytest.approx(1.0, abs=0.12)  # AAC and MP3 pad
    spectrum = np.abs(np.fft.rfft(clip.samples))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(clip.samples) == pytest.approx(440, abs=2)


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 96_000, 192_000])
@pytest.mark.parametrize("num_channels", [1, 6])
def test_common_rates_and_channels_become_16_khz_mono(decoder: DecoderPool, rate: int, num_channels: int) -> None:
    clip = decoded(decoder, sndfile("wav", tone(0.5, rate, num_channels), rate))
    assert clip.duration_s == pytest.approx(0.5, abs=0.001)
    assert (clip.source_rate, clip.num_channels) == (rate, num_channels)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"])
def test_samples_of_8_to_64_bits_are_read(decoder: DecoderPool, subtype: str) -> None:
    clip = decoded(decoder, sndfile("wav", tone(), subtype=subtype))
    assert float(np.abs(clip.samples).max()) == pytest.approx(0.5, abs=0.03)


def test_what_cannot_be_decoded_has_a_code_of_its_own(decoder: DecoderPool) -> None:
    good = sndfile("wav", tone())
    nan = np.full_like(tone(), np.nan)
    hostile = {
        AudioCode.EMPTY: b"",
        AudioCode.FORMAT: b"%PDF-1.7 is no audio at all",
        AudioCode.TOO_SHORT: sndfile("wav", tone()[:100]),
        AudioCode.DAMAGED: good[:20],
        AudioCode.NOT_FINITE: sndfile("wav", nan, subtype="FLOAT"),
        AudioCode.BAD_RATE: wav_header(1, 1, bytes(3200)),
        AudioCode.TOO_MANY_CHANNELS: wav_header(16_000, 255, bytes(255 * 2 * 1000)),
        AudioCode.TOO_LONG: sndfile("wav", tone(61, 8_000, 1), 8_000),
    }
    assert {code: refused(decoder, data).code for code, data in hostile.items()} == {code: code for code in hostile}
    assert refused(decoder, wav_header(4_000_000, 1, bytes(64_000))).code == AudioCode.BAD_RATE
    assert decoded(decoder, good).duration_s == pytest.approx(1.0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*SNDFILE, *CONTAINERS])
def test_a_recording_that_is_cut_off_is_heard_as_far_as_it_goes_with_a_remark(decoder: DecoderPool, kind: str) -> None:
    noise = np.random.default_rng(3).normal(0, 0.1, (6 * 48_000, 2)).astype(np.float32)
    data = sndfile(kind, noise) if kind in SNDFILE else ffmpeg(kind, noise)
    whole = decoded(decoder, data + b"TAG of somebody's")
    assert whole.duration_s == pytest.approx(6.0, abs=0.12)
    assert "cut_off" not in whole.remarks
    for share in (0.4, 0.8):
        part = data[: int(share * len(data))]
        if kind == "m4a":  # its index comes last, and without it FFmpeg plays nothing
            assert refused(decoder, part).code == AudioCode.DAMAGED
            continue
        heard = decoded(decoder, part)
        assert heard.duration_s == pytest.approx(6.0 * share, abs=1.1)  # an Ogg page is a second
        assert "cut_off" in heard.remarks


@pytest.mark.slow
def test_an_mp4_file_whose_index_comes_first_is_heard_until_its_sound_is_cut_off(
    decoder: DecoderPool, tmp_path: Path
) -> None:
    with av.open(tmp_path / "fast.mp4", "w", format="mp4", options={"movflags": "faststart"}) as container:
        encode(container, "aac", tone(4.0))
    data = (tmp_path / "fast.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert decoded(decoder, data).duration_s == pytest.approx(4.0, abs=0.12)
    cut = decoded(decoder, data[: len(data) * 2 // 3])
    assert (cut.duration_s, cut.remarks) == (pytest.approx(2.6, abs=0.3), ("cut_off",))


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*SNDFILE, *CONTAINERS])
@pytest.mark.parametrize("second", ["same", "opposed", "noise"])
def test_an_upload_and_a_file_of_ones_own_give_the_same_samples(decoder: DecoderPool, kind: str, second: str) -> None:
    draw = np.random.default_rng(5)
    first = draw.normal(0, 0.1, 2 * 48_000) * np.repeat(draw.random(40) ** 3, 2400)
    other = {"same": first, "opposed": -first, "noise": draw.normal(0, 0.1, len(first))}[second]
    samples = np.stack([first, other], axis=1).astype(np.float32)
    data = sndfile(kind, samples) if kind in SNDFILE else ffmpeg(kind, samples)
    upload, own = decoded(decoder, data), decode(data, name="clip")
    assert (upload.sha256, upload.remarks) == (own.sha256, own.remarks)
    assert np.square(upload.samples).mean() > 0.2 * np.square(first).mean()


def test_what_was_streamed_is_heard_as_far_as_it_goes(decoder: DecoderPool) -> None:
    live = ffmpeg("webm", tone(4.0), {"live": "1"})
    assert decoded(decoder, live[: len(live) // 2]).duration_s == pytest.approx(2.0, abs=0.3)


def test_a_wav_file_that_was_streamed_or_is_off_by_little_is_heard_as_far_as_it_goes(decoder: DecoderPool) -> None:
    good = sndfile("wav", tone())
    place = good.index(b"data") + 4
    streamed = good[:place] + b"\xff\xff\xff\xff" + good[place + 4 : len(good) // 2]
    assert decoded(decoder, streamed).duration_s == pytest.approx(0.5, abs=0.01)
    off = decoded(decoder, good[:-1000])
    assert off.duration_s == pytest.approx(1.0, abs=0.05)
    assert off.remarks == ()


@pytest.mark.parametrize("kind", [*SNDFILE, *CONTAINERS])
def test_cut_and_mutated_files_are_answered_and_harm_nobody(decoder: DecoderPool, kind: str) -> None:
    data = sndfile(kind, tone()) if kind in SNDFILE else ffmpeg(kind, tone())
    random = np.random.default_rng(7)
    for _ in range(8):
        mutated = bytearray(data[: random.integers(1, len(data) + 1)])
        for place in random.integers(0, len(mutated), 1 + len(mutated) // 200):
            mutated[place] = random.integers(256)
        try:
            assert decoded(decoder, bytes(mutated)).duration_s <= BOUNDS.max_duration_s
        except BadAudio as error:
            assert error.code in set(AudioCode)  # noqa: PT017 - either is right
    assert decoded(decoder, sndfile("wav", tone(), subtype="FLOAT")).duration_s == pytest.approx(1.0)


def waiting(decoder: DecoderPool) -> int:
    """Return the process that waits for the next recording, once it is the only one: the last one takes time to end."""
    for _ in range(1000):  # tries, not seconds: a machine that stands still for a while has not failed
        standby = decoder.start().pid
        children = Path(f"/proc/{standby}/task/{standby}/children").read_text().split()
        if len(children) == 1 and state(int(children[0])) == "S":
            return int(children[0])
        time.sleep(0.01)
    pytest.fail(f"No process waits, or several are left: {children}")


def state(pid: int) -> str:
    """Return a process's state as `ps` prints it, or "" once it is gone."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


def await_end(pid: int) -> None:
    """Wait until a process that was killed is gone: it gives back its memory first."""
    for _ in range(1000):  # tries, not seconds
        if state(pid) in ("Z", ""):
            return
        time.sleep(0.01)
    pytest.fail(f"Process {pid} lives on: {state(pid)}")


def test_one_process_waits_for_the_next_recording_and_no_other_is_left(decoder: DecoderPool) -> None:
    seen = set()
    for _ in range(3):
        decoded(decoder, sndfile("wav", tone(), subtype="FLOAT"))
        seen.add(waiting(decoder))
    assert len(seen) == 3


@pytest.mark.slow
def test_a_process_that_was_killed_while_it_waited_harms_no_recording(decoder: DecoderPool) -> None:
    decoded(decoder, sndfile("wav", tone(), subtype="FLOAT"))
    os.kill(pid := waiting(decoder), signal.SIGKILL)
    await_end(pid)
    assert decoded(decoder, sndfile("wav", tone(), subtype="FLOAT")).duration_s == pytest.approx(1.0)


@pytest.mark.slow
def test_a_small_file_that_decodes_to_hours_is_stopped(decoder: DecoderPool) -> None:
    silence = sndfile("flac", np.zeros((3 * 3600 * 8_000, 1), np.float32), 8_000)
    assert len(silence) < 2_000_000
    assert refused(decoder, silence).code in (AudioCode.TOO_LONG, AudioCode.DECODED_TOO_LARGE)
    assert decoder.peak_bytes < 600_000_000


@pytest.mark.slow
def test_a_recording_that_takes_more_memory_than_it_gets_is_refused() -> None:
    data = sndfile("flac", np.random.default_rng(0).normal(0, 0.1, (50 * 48_000, 2)).astype(np.float32))
    small = DecoderPool(1, allowance=ResourceLimits(memory_bytes=1 << 20))  # less than the interpreter itself has
    try:
        assert refused(small, data).code in (AudioCode.MEMORY, AudioCode.CRASHED)
    finally:
        small.close()


@pytest.mark.slow
def test_a_recording_that_takes_longer_than_it_gets_is_refused() -> None:
    data = sndfile("flac", np.random.default_rng(0).normal(0, 0.1, (50 * 48_000, 2)).astype(np.float32))
    slow = DecoderPool(1, wall_s=0.02)
    try:
        assert refused(slow, data).code == AudioCode.TIME
    finally:
        slow.close()


@pytest.mark.slow
def test_who_stops_waiting_ends_the_decoding() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (48_000, 2)).astype(np.float32)
    data, bounds = sndfile("wav", np.tile(noise, (300, 1))), DecodingLimits(SAMPLE_RATE, 600.0)
    decoder = DecoderPool(1)

    async def cancel(pid: int) -> None:
        """Cancel a decoding that, halted, would never end by itself."""
        decoding = asyncio.create_task(decoder.decode(data, name="clip", bounds=bounds))
        for _ in range(1000):  # tries, not seconds
            if state(pid) == "R":
                break
            await asyncio.sleep(0.01)
        os.kill(pid, signal.SIGSTOP)
        assert not decoding.done()
        decoding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await decoding

    try:
        decoded(decoder, sndfile("wav", tone(), subtype="FLOAT"))  # the decoders are loaded
        pid = waiting(decoder)
        asyncio.run(cancel(pid))
        assert decoded(decoder, sndfile("wav", tone(), subtype="FLOAT")).duration_s == pytest.approx(
            1.0
        )  # the one thread is free
        await_end(pid)
    finally:
        decoder.close()
