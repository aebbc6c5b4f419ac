"""What damage to a file leaves behind: what is lost is remarked, and a burst sets no level."""

from collections.abc import Callable, Iterator
from io import BytesIO

import av
import numpy as np
import pytest
import soundfile

from services.audio.load import decode
from services.types import RemarkCode

RATE = 48_000
TIMES_S = np.arange(4 * RATE) / RATE
TONE = (0.4 * np.sin(2 * np.pi * 440 * TIMES_S) * (np.sin(6 * np.pi * TIMES_S) > 0)).astype(np.float32)
TONE += np.random.default_rng(0).normal(0, 0.02, len(TONE)).astype(np.float32)


def write(kind: str, codec: str, samples: np.ndarray = TONE, *, form: str = "") -> bytes:
    buffer = BytesIO()
    with av.open(buffer, "w", format=kind) as container:
        track = container.add_stream(codec, rate=RATE, layout="mono")
        assert isinstance(track, av.AudioStream)
        track.format = av.AudioFormat(form) if form else track.format
        resampler = av.AudioResampler(
            format=track.format, layout="mono", rate=RATE, frame_size=track.frame_size or 1024
        )
        frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.rate, frame.pts = RATE, 0
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(track.encode(part))
        container.mux(track.encode(None))
    return buffer.getvalue()


def cut(data: bytes) -> bytes:
    return data[: len(data) * 6 // 10]


def overwrite(data: bytes) -> bytes:
    """Lose what is in the middle, as where blocks of a download are missing."""
    start, end = len(data) * 2 // 5, len(data) * 3 // 5
    return data[:start] + bytes(end - start) + data[end:]


@pytest.mark.parametrize(
    ("kind", "codec", "harm"),
    [
        ("aiff", "pcm_s16be", cut),
        ("au", "pcm_s16be", cut),
        ("flv", "aac", cut),
        ("matroska", "pcm_s16le", cut),
        ("tta", "tta", cut),
        ("mp3", "libmp3lame", overwrite),
        ("webm", "libopus", overwrite),
    ],
)
def test_what_lacks_of_the_length_that_a_header_states_is_remarked(
    kind: str, codec: str, harm: Callable[[bytes], bytes]
) -> None:
    whole = write(kind, codec)
    assert decode(whole, name="whole").remarks == ()
    harmed = decode(harm(whole), name="harmed")
    assert 0.5 < harmed.duration_s < 3.7
    assert set(harmed.remarks) & {"cut_off", "damaged"}


class LateTracks:
    """A container in which tracks began after it was opened: PyAV 18 raises once its packets have come."""

    def __init__(self, container: av.container.InputContainer) -> None:
        self._container = container

    def __getattr__(self, name: str) -> object:
        return getattr(self._container, name)

    def __enter__(self) -> "LateTracks":
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    def demux(self, track: av.AudioStream) -> Iterator["av.Packet[av.AudioStream]"]:
        yield from self._container.demux(track)
        raise IndexError("list index out of range")


def test_a_track_that_begins_late_costs_the_others_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    data, open_file = write("flv", "aac"), av.open
    whole = decode(data, name="whole")
    monkeypatch.setattr(av, "open", lambda *given, **more: LateTracks(open_file(*given, **more)))
    late = decode(data, name="late")
    assert (late.sha256, late.remarks) == (whole.sha256, ())


def test_joined_mp3_files_lack_nothing() -> None:
    assert decode(2 * write("mp3", "libmp3lame"), name="joined").remarks == ()


def test_a_wav_stream_of_packets_is_not_cut_off() -> None:
    whole = write("wav", "adpcm_ima_wav")
    start = whole.index(b"data") + 4
    streamed = whole[:4] + b"\xff" * 4 + whole[8:start] + b"\xff" * 4 + whole[start + 4 :] + b"LIST\x04\0\0\0abcd"
    remarks: tuple[RemarkCode, ...] = decode(streamed, name="streamed").remarks
    assert remarks == ()


def test_a_burst_out_of_a_damaged_packet_does_not_set_the_level() -> None:
    """Players clip it; as a peak it would scale the tone beside it to a tenth."""
    data = write("mp3", "libmp3lame")
    whole = float(np.median(np.abs(decode(data, name="whole").samples)))
    for share in np.linspace(0.1, 0.9, 20):
        start = int(len(data) * share)
        harmed = decode(data[:start] + bytes(1500) + data[start + 1500 :], name="harmed")
        assert float(np.median(np.abs(harmed.samples))) > 0.45 * whole, share


def test_samples_that_no_decoder_made_are_scaled_whatever_their_peak() -> None:
    loud, usual = (BytesIO(), BytesIO())
    soundfile.write(loud, TONE * 20, RATE, format="WAV", subtype="FLOAT")
    soundfile.write(usual, TONE, RATE, format="WAV", subtype="FLOAT")
    scaled, whole = (decode(file.getvalue() + b"\0", name="a.wav").samples for file in (loud, usual))
    np.testing.assert_allclose(scaled, whole / np.abs(whole).max(), atol=1e-4)


def test_samples_of_a_lossless_codec_beyond_full_scale_are_scaled_and_not_clipped() -> None:
    wave = (4 * np.sin(2 * np.pi * 440 * TIMES_S)).astype(np.float32)
    heard = decode(write("wv", "wavpack", wave, form="fltp"), name="loud.wv").samples
    assert np.median(np.abs(heard)) == pytest.approx(0.5**0.5, abs=0.02)  # as of a sine; clipped, it would be 0.97
