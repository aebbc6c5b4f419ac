"""What FFmpeg plays is heard, all of it and at the right time: each kind of file that headers and clocks get wrong."""

import struct
from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from services.audio.formats import CODECS, DEMUXERS
from services.audio.load import decode, load
from services.errors import AudioCode, BadAudio
from services.types import SAMPLE_RATE, AudioClip

RATE = 48_000


def tone(hz: float, duration_s: float, rate: int = RATE) -> np.ndarray:
    return (0.4 * np.sin(2 * np.pi * hz * np.arange(round(duration_s * rate)) / rate)).astype(np.float32)


def write(kind: str, samples: np.ndarray, rate: int = RATE, subtype: str | None = None) -> bytes:
    buffer = BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


def mux(
    kind: str,
    codec: str,
    parts: Sequence[tuple[float, np.ndarray]],
    *,
    rate: int = RATE,
    options: dict[str, str] | None = None,
) -> bytes:
    """Encode parts of sound, each with the second at which it begins: between them the track has no packets."""
    buffer = BytesIO()
    with av.open(buffer, "w", format=kind, options=options or {}) as container:
        add_track(container, codec, parts, rate)
    return buffer.getvalue()


def add_track(
    container: av.container.OutputContainer, codec: str, parts: Sequence[tuple[float, np.ndarray]], rate: int = RATE
) -> av.AudioStream:
    track = container.add_stream(codec, rate=rate, layout="mono")
    assert isinstance(track, av.AudioStream)
    for start_s, samples in parts:
        at = round(start_s * rate)
        size = track.frame_size or 1024
        for first in range(0, len(samples) // size * size, size):
            frame = av.AudioFrame.from_ndarray(samples[None, first : first + size].copy(), format="fltp", layout="mono")
            frame.rate, frame.pts, frame.time_base = rate, at + first, Fraction(1, rate)
            converted = av.AudioResampler(format=track.format, layout="mono", rate=rate).resample(frame)
            for part in converted:
                part.pts, part.time_base = at + first, Fraction(1, rate)
                container.mux(track.encode(part))
    container.mux(track.encode(None))
    return track


def onset_s(clip: AudioClip, hz: float) -> float:
    """Return the second at which a tone begins: where its strength first exceeds half of its most."""
    size = SAMPLE_RATE // 100
    wave = np.exp(-2j * np.pi * hz * np.arange(len(clip.samples)) / SAMPLE_RATE)
    whole = len(clip.samples) // size * size
    strength = np.abs((clip.samples * wave)[:whole].reshape(-1, size).sum(axis=1))
    return float(np.argmax(strength > strength.max() / 2)) * 0.01


FIRST, SECOND = tone(440, 2.0), tone(1500, 1.0)


@pytest.mark.parametrize("num_channels", [7, 8, 9, 16])
def test_channels_in_planes_of_their_own_are_heard_however_many(num_channels: int) -> None:
    channels = np.stack([tone(440, 0.5) / (number + 1) for number in range(num_channels)], axis=1)
    clip = decode(write("OGG", channels, subtype="VORBIS"), name="many.ogg")
    assert clip.num_channels == num_channels
    mean = channels.mean(axis=1)
    assert float(np.abs(clip.samples).max()) == pytest.approx(float(np.abs(mean).max()), rel=0.1)


def test_what_follows_the_sound_of_a_file_on_disk_does_not_end_its_reading(tmp_path: Path) -> None:
    file = tmp_path / "joined.caf"
    file.write_bytes(2 * write("CAF", FIRST))  # the second head is read as a chunk of 8 exabytes
    assert load(file).duration_s == pytest.approx(2.0)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "codec"), [("mp3", "libmp3lame"), ("adts", "aac")])
def test_all_of_joined_files_is_heard(kind: str, codec: str) -> None:
    joined = mux(kind, codec, [(0, FIRST)]) + mux(kind, codec, [(0, SECOND)])
    clip = decode(joined, name="joined")
    assert clip.duration_s == pytest.approx(3.0, abs=0.15)
    assert onset_s(clip, 1500) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("kind", ["WAV", "FLAC"])
def test_all_of_joined_files_without_loss_is_heard_to_the_sample(kind: str) -> None:
    clip = decode(write(kind, FIRST) + write(kind, SECOND), name="joined")
    assert clip.duration_s == pytest.approx(3.0, abs=0.001)
    assert onset_s(clip, 1500) == pytest.approx(2.0, abs=0.011)


def test_joined_flac_files_of_different_rates_are_heard_to_the_sample() -> None:
    clip = decode(write("FLAC", FIRST) + write("FLAC", tone(1500, 1.0, 22_050), 22_050), name="joined.flac")
    assert (clip.duration_s, clip.remarks) == (pytest.approx(3.0, abs=0.001), ())
    assert onset_s(clip, 1500) == pytest.approx(2.0, abs=0.011)


@pytest.mark.slow
@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
@pytest.mark.parametrize(("rate", "num_channels"), [(48_000, 1), (24_000, 2)])
def test_a_chain_of_ogg_streams_is_heard_whatever_changes_between_them(
    subtype: str, rate: int, num_channels: int
) -> None:
    second = np.repeat(tone(1500, 1.0, rate)[:, None], num_channels, axis=1)
    clip = decode(write("OGG", FIRST, subtype=subtype) + write("OGG", second, rate, subtype), name="chain.ogg")
    assert clip.duration_s == pytest.approx(3.0, abs=0.05)
    assert onset_s(clip, 1500) == pytest.approx(2.0, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "codec"), [("webm", "libopus"), ("mp4", "aac"), ("matroska", "libopus"), ("mp4", "libopus")]
)
@pytest.mark.parametrize("gap_s", [0.5, 15.0])
def test_a_gap_in_the_time_stamps_is_silence(kind: str, codec: str, gap_s: float) -> None:
    quiet = np.zeros(RATE // 25, np.float32)  # an encoder looks ahead, and puts what follows a gap before it
    clip = decode(mux(kind, codec, [(0, FIRST), (1.96 + gap_s, np.concatenate([quiet, SECOND]))]), name="gap")
    assert clip.duration_s == pytest.approx(3 + gap_s, abs=0.05)
    assert onset_s(clip, 1500) == pytest.approx(2 + gap_s, abs=0.02)
    assert np.abs(clip.cut(2.1, 1.9 + gap_s).samples).max() < 0.01


@pytest.mark.slow
def test_sound_that_begins_after_the_picture_begins_late() -> None:
    buffer = BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        video = container.add_stream("mpeg4", rate=5)
        video.width = video.height = 64
        track = container.add_stream("aac", rate=RATE, layout="mono")
        for _ in range(20):
            container.mux(video.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(video.encode(None))
        for first in range(0, 90 * 1024, 1024):
            frame = av.AudioFrame.from_ndarray(tone(440, 2.0)[None, first : first + 1024].copy(), "fltp", "mono")
            frame.rate, frame.pts, frame.time_base = RATE, 2 * RATE + first, Fraction(1, RATE)
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
    assert onset_s(decode(buffer.getvalue(), name="late.mp4"), 440) == pytest.approx(2.0, abs=0.03)


@pytest.mark.parametrize("stated", [0, 0xFFFFFFFF, 0x7FFFFFFF])
def test_a_wav_length_that_is_unknown_or_too_long_is_not_believed(stated: int) -> None:
    data = write("WAV", FIRST)
    at = data.index(b"data") + 4
    clip = decode(data[:at] + struct.pack("<I", stated) + data[at + 4 :], name="odd.wav")
    assert clip.duration_s == pytest.approx(2.0, abs=0.001)


def test_a_wav_length_that_is_too_short_is_remarked() -> None:
    data = write("WAV", np.random.default_rng(0).normal(0, 0.1, 2 * RATE))
    at = data.index(b"data") + 4
    clip = decode(data[:at] + struct.pack("<I", RATE) + data[at + 4 :], name="short.wav")
    assert (clip.duration_s, clip.remarks) == (pytest.approx(0.5, abs=0.001), ("excess",))


def test_a_flac_stream_of_unknown_length_is_heard() -> None:
    data = bytearray(write("FLAC", FIRST))
    data[21] &= 0xF0  # the total of samples: 36 bits
    data[22:26] = bytes(4)
    clip = decode(bytes(data), name="piped.flac")
    assert (clip.duration_s, clip.remarks) == (pytest.approx(2.0, abs=0.001), ())


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "codec"), [("mp3", "libmp3lame"), ("adts", "aac")])
@pytest.mark.parametrize("lead", [bytes(1000), b"HTTP/1.1 200 OK\r\n" * 9, None], ids=["zeros", "text", "mid frame"])
def test_a_stream_that_does_not_begin_with_a_frame_is_heard(kind: str, codec: str, lead: bytes | None) -> None:
    data = mux(kind, codec, [(0, FIRST)])
    clip = decode(data[500:] if lead is None else lead + data, name="radio")
    assert clip.duration_s == pytest.approx(2.0, abs=0.15)


@pytest.mark.parametrize(("kind", "subtype"), [("OGG", "VORBIS"), ("FLAC", "PCM_16")])
@pytest.mark.parametrize("lead", [bytes(1000), b"HTTP/1.1 200 OK\r\n" * 9], ids=["zeros", "text"])
def test_a_file_that_begins_with_something_else_is_heard(kind: str, subtype: str, lead: bytes) -> None:
    clip = decode(lead + write(kind, FIRST, subtype=subtype), name="radio")
    assert clip.duration_s == pytest.approx(2.0, abs=0.01)
    assert np.abs(clip.samples[:1600]).max() == pytest.approx(0.4, abs=0.05)


def test_a_flac_stream_is_heard_from_its_first_whole_frame_on() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * RATE)
    data = write("FLAC", np.concatenate([noise, SECOND]))
    clip = decode(data[len(data) // 3 :], name="radio")
    assert 1.5 < clip.duration_s < 2.7
    assert onset_s(clip, 1500) == pytest.approx(clip.duration_s - 1, abs=0.02)


@pytest.mark.parametrize("kind", ["", ".wav"])
def test_what_only_its_name_tells_is_read_by_that_name_alone(kind: str) -> None:
    data = mux("g722", "g722", [(0, tone(440, 2.0, 16_000))], rate=16_000)
    clip = decode(data, name="call.G722")
    assert clip.duration_s == pytest.approx(2.0, abs=0.1)
    assert np.abs(np.fft.rfft(clip.samples)).argmax() / clip.duration_s == pytest.approx(440, abs=3)
    with pytest.raises(BadAudio):
        decode(data, name=f"call{kind}")


def test_a_tag_of_megabytes_before_the_sound_hides_nothing() -> None:
    size = 3_000_000
    head = b"ID3\x04\0\0" + bytes((size >> shift) & 127 for shift in (21, 14, 7, 0))
    clip = decode(head + bytes(size) + mux("mp3", "libmp3lame", [(0, FIRST)]), name="cover.mp3")
    assert clip.duration_s == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(
    ("kind", "codec", "rate"),
    [
        ("ogg", "flac", 48_000),
        ("mp4", "alac", 48_000),
        ("mp4", "ac3", 48_000),
        ("matroska", "flac", 48_000),
        ("aiff", "pcm_s16be", 48_000),
        ("au", "pcm_s16be", 48_000),
        ("caf", "pcm_s16be", 48_000),
        ("avi", "pcm_s16le", 48_000),
        ("mov", "aac", 48_000),
        ("mpegts", "aac", 48_000),
        ("w64", "pcm_s16le", 48_000),
        ("wav", "adpcm_ima_wav", 48_000),
        ("wav", "adpcm_ms", 48_000),
        ("wav", "pcm_mulaw", 8_000),
        ("wav", "pcm_s64le", 48_000),
        ("ogg", "libspeex", 16_000),
        ("flv", "aac", 44_100),
    ],
)
def test_sound_in_any_usual_coding_is_read(kind: str, codec: str, rate: int) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this build of FFmpeg cannot encode {codec}")
    clip = decode(mux(kind, codec, [(0, tone(440, 2.0, rate))], rate=rate), name="clip")
    assert clip.duration_s == pytest.approx(2.0, abs=0.12)
    peak_hz = np.abs(np.fft.rfft(clip.samples)).argmax() / clip.duration_s
    assert peak_hz == pytest.approx(440, abs=3)


def test_the_content_tells_the_format_not_the_name(tmp_path_factory: pytest.TempPathFactory) -> None:
    for name, data in (("a.wav", mux("mp3", "libmp3lame", [(0, FIRST)])), ("b.mp3", write("WAV", FIRST))):
        path = tmp_path_factory.mktemp("names") / name
        path.write_bytes(data)
        assert load(path).duration_s == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n" + bytes(500), b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", b"ffconcat"]
)
def test_what_ffmpeg_would_open_that_is_not_sound_is_refused(data: bytes) -> None:
    with pytest.raises(BadAudio) as caught:
        decode(data, name="clip")
    assert caught.value.code == AudioCode.FORMAT


@pytest.mark.slow
def test_of_several_tracks_the_default_one_is_heard_with_a_remark() -> None:
    buffer = BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        tracks = [container.add_stream("aac", rate=RATE, layout="mono") for _ in range(2)]
        tracks[0].disposition, tracks[1].disposition = av.stream.Disposition(0), av.stream.Disposition.default
        for track, hz in zip(tracks, (440, 1500), strict=True):
            for first in range(0, RATE // 1024 * 1024, 1024):
                frame = av.AudioFrame.from_ndarray(tone(hz, 1.0)[None, first : first + 1024].copy(), "fltp", "mono")
                frame.rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
                container.mux(track.encode(frame))
            container.mux(track.encode(None))
    clip = decode(buffer.getvalue(), name="two.mp4")
    assert np.abs(np.fft.rfft(clip.samples)).argmax() / clip.duration_s == pytest.approx(1500, abs=10)
    assert clip.remarks == ("other_tracks",)


def test_every_allowed_format_and_codec_is_one_that_ffmpeg_knows() -> None:
    assert set(CODECS) <= av.codecs_available
    assert set(DEMUXERS) <= av.formats_available
