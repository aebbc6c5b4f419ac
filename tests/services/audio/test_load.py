"""What comes out of `services.audio.load`, and what each kind of bad recording is told."""

import os
import threading
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile

from services.audio.load import decode, load
from services.errors import BadAudio
from services.types import SAMPLE_RATE, AudioClip


def tone(rate: int = 44_100, duration_s: float = 1.0, channels: int = 1, hz: float = 440.0) -> np.ndarray:
    t = np.arange(int(rate * duration_s)) / rate
    return np.repeat(0.5 * np.sin(2 * np.pi * hz * t)[:, None], channels, axis=1).astype(np.float32)


def encoded(samples: np.ndarray, rate: int, format: str, subtype: str | None = None) -> bytes:
    buffer = BytesIO()
    soundfile.write(buffer, samples, rate, format=format, subtype=subtype)
    return buffer.getvalue()


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_rate_and_channel_count_becomes_mono_16_khz_with_its_pitch_kept(rate: int, channels: int) -> None:
    clip = decode(encoded(tone(rate, channels=channels), rate, "WAV"), name="tone")
    peak_hz = (
        np.abs(np.fft.rfft(clip.samples[:SAMPLE_RATE])).argmax() * SAMPLE_RATE / min(SAMPLE_RATE, len(clip.samples))
    )
    assert abs(clip.duration_s - 1) < 0.002
    assert abs(peak_hz - 440) < 2
    assert (clip.source_rate, clip.num_channels) == (rate, channels)


@pytest.mark.parametrize(
    ("format", "subtype", "rate"),
    [("FLAC", None, 44_100), ("OGG", "VORBIS", 44_100), ("OGG", "OPUS", 48_000), ("MP3", None, 44_100)],
)
def test_compressed_formats_are_read(format: str, subtype: str | None, rate: int) -> None:
    clip = decode(encoded(tone(rate), rate, format, subtype), name="tone")
    assert abs(clip.duration_s - 1) < 0.1
    assert 0.4 < np.abs(clip.samples).max() < 0.6


@pytest.mark.parametrize("container", ["mp4", "webm", "adts"])
def test_formats_of_ffmpeg_are_read(container: str, tmp_path: Path) -> None:
    import av

    path = tmp_path / f"clip.{container}"
    codec = "libopus" if container == "webm" else "aac"
    with av.open(str(path), "w", format=container) as out:
        track = out.add_stream(codec, rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone(48_000).T.copy(), format="fltp", layout="mono")
        frame.rate = 48_000
        for packet in [*track.encode(frame), *track.encode(None)]:
            out.mux(packet)
    assert abs(load(path).duration_s - 1) < 0.1


def test_the_same_audio_has_the_same_key_whatever_the_container() -> None:
    samples = (tone(16_000) * 32_767).astype(np.int16)
    wav, flac = (decode(encoded(samples, 16_000, kind), name=kind) for kind in ("WAV", "FLAC"))
    assert wav.sha256 == flac.sha256


def test_samples_beyond_full_scale_are_scaled_not_clipped() -> None:
    clip = decode(encoded(tone() * 8, 44_100, "WAV", "FLOAT"), name="loud")
    assert np.abs(clip.samples).max() == pytest.approx(1)
    assert np.mean(np.abs(clip.samples) > 0.99) < 0.1


@pytest.mark.parametrize("offset", [0.02, 0.1, -0.4])
def test_a_constant_offset_is_removed_with_a_remark(offset: float) -> None:
    clip = decode(encoded(tone() + np.float32(offset), 44_100, "WAV", "FLOAT"), name="dc.wav")
    assert abs(float(clip.samples.mean())) < 1e-4
    assert np.abs(clip.samples).max() == pytest.approx(0.5, abs=0.02)
    assert clip.remarks == ("offset",)
    assert decode(encoded(tone(), 44_100, "WAV"), name="clean.wav").remarks == ()


def test_a_very_short_clip_is_accepted() -> None:
    assert decode(encoded(tone(duration_s=0.05), 44_100, "WAV"), name="click").duration_s == pytest.approx(
        0.05, abs=1e-3
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty (0 bytes)"),
        (b"this is no sound at all, only text\n" * 20, "is not audio that can be read"),
        (np.random.default_rng(0).bytes(5000), "is not audio that can be read"),
        (encoded(tone(), 44_100, "WAV")[:20], "is not audio that can be read"),
        (encoded(tone(duration_s=0.0), 44_100, "WAV"), "lasts 0.000 s; the shortest accepted is 0.01 s"),
        (encoded(np.full(4410, np.nan, np.float32), 44_100, "WAV", "FLOAT"), "holds no sample that is a finite number"),
        (b"\x00\x00\x00\x18ftypM4A " + bytes(100), "is not audio that can be read"),
        (b"\xff\xf1" + np.random.default_rng(1).bytes(5000), "clip.wav"),
    ],
    ids=["empty", "text", "random bytes", "header cut short", "zero samples", "NaN", "broken mp4", "broken aac"],
)
def test_bad_recordings_are_refused_in_one_line(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(content)
    with pytest.raises(BadAudio) as from_disk:
        load(path)
    with pytest.raises(BadAudio) as from_memory:
        decode(content, name="clip.wav")
    assert message in str(from_disk.value)
    assert message in str(from_memory.value)
    assert "\n" not in str(from_disk.value)


def test_missing_files_and_directories_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadAudio, match=r"No recording at '.*gone.wav'"):
        load(tmp_path / "gone.wav")
    with pytest.raises(BadAudio, match="is a directory"):
        load(tmp_path)


def test_a_header_that_claims_one_sample_a_second_is_refused_before_it_grows() -> None:
    with pytest.raises(BadAudio, match="has 1 samples a second; accepted are 1000 to 768000"):
        decode(encoded(np.zeros(400, np.float32), 1, "WAV"), name="slow.wav")


def test_a_name_that_no_file_can_have_and_one_that_is_not_utf8(tmp_path: Path) -> None:
    with pytest.raises(BadAudio, match="File name too long"):
        load(tmp_path / ("a" * 300))
    odd = tmp_path / b"\xff.wav".decode(errors="surrogateescape")
    odd.write_bytes(encoded(tone(), 44_100, "WAV"))
    assert load(odd).duration_s == pytest.approx(1, abs=0.01)


def test_a_part_of_a_clip_keeps_what_is_known_of_the_recording() -> None:
    clip = AudioClip(np.linspace(0, 1, SAMPLE_RATE * 2, dtype=np.float32), source_rate=8_000, num_channels=2)
    part = clip.cut(0.5, 1.25)
    assert part.duration_s == 0.75 and part.samples[0] == clip.samples[SAMPLE_RATE // 2]
    assert (part.source_rate, part.num_channels) == (8_000, 2)
    assert part.sha256 != clip.sha256


def test_a_pipe_is_read_to_its_end_and_a_device_is_refused(tmp_path: Path) -> None:
    pipe, data = tmp_path / "pipe", encoded(tone(), 44_100, "WAV")
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,))
    writer.start()
    assert load(pipe).duration_s == pytest.approx(1.0, abs=0.002)
    writer.join()
    with pytest.raises(BadAudio, match=r"'/dev/null' is a device, not a recording\."):
        load(Path("/dev/null"))


def test_samples_that_are_no_finite_number_are_silence_with_a_remark(tmp_path: Path) -> None:
    good = tone(duration_s=1.0)
    bad = good.copy()
    bad[[1000, 2000, 2001], 0] = np.nan, np.inf, -np.inf
    (tmp_path / "bad.wav").write_bytes(encoded(bad, 44_100, "WAV", "FLOAT"))
    clip, whole = load(tmp_path / "bad.wav"), decode(encoded(good, 44_100, "WAV", "FLOAT"), name="good")
    assert (clip.remarks, whole.remarks) == (("not_finite",), ())
    assert np.isfinite(clip.samples).all()
    differs = np.flatnonzero(np.abs(clip.samples - whole.samples) > 0.01)
    assert 0 < len(differs) < 20
    assert {round(place / 16_000, 2) for place in differs} == {0.02, 0.05}
