"""Sandboxed decoder of uploads: `python -m services.audio.decoder_worker DESCRIPTOR`.

`services.audio.decoder_pool` starts it.

This process loads the decoders once and never reads a recording itself. For each one it forks a process of a few
milliseconds that is confined (see `services.audio.sandbox`), decodes, says how it went and ends: a recording meets
no other recording's data, and whatever it breaks is gone after it. The process for the next recording is forked
ahead and has decoded a recording of ours, so that its pages are its own when the next recording comes: that is most
of the time that a fork costs. Nobody but this process kills: when the other end of a recording's channel closes, its
process ends; when the control channel closes, all do.

Over the control channel comes a `Task` as JSON, with three descriptors: the recording, an empty file for its
samples (float32, native order), and a channel of its own. That gets a `Report` from the forked process, and at
last an `Exit`. Nothing is pickled.
"""

import gc
import json
import os
import pkgutil
import resource
import selectors
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from io import BytesIO, FileIO
from socket import AF_UNIX, SOCK_SEQPACKET, recv_fds, send_fds, socket, socketpair
from typing import NamedTuple, NoReturn

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

from services.audio.decoding import DecodingLimits, decode_audio
from services.audio.sandbox import ResourceLimits, confine, isolate
from services.errors import AudioCode, BadAudio
from services.types import RemarkCode

MESSAGE_BYTES = 1 << 16  # of any message at most
MAX_DESCRIPTORS = 1024


class DecodingTask(NamedTuple):
    """A recording to decode, with the limits on what it may yield and use."""

    name: str
    bounds: DecodingLimits
    allowance: ResourceLimits


class DecodingReport(NamedTuple):
    """What became of a recording: samples, or the reason why there are none."""

    rate: int
    num_channels: int
    num_samples: int
    remarks: tuple[RemarkCode, ...] = ()
    code: str = ""
    """Empty: all went well."""
    message: str = ""


class ProcessExit(NamedTuple):
    """How a process ended."""

    exit_code: int
    """Negative: the signal that ended it."""
    peak_bytes: int
    """Its memory at most."""


class _Spare(NamedTuple):
    """A forked process that waits for its recording."""

    pid: int
    task: socket
    """Takes the task; its end ends the process."""


@dataclass(frozen=True, slots=True, eq=False)
class _Running:
    """A forked process.

    `process` is a descriptor that becomes readable when the process ends, `channel` becomes readable when the other end
    closes: nothing is ever sent this way.
    """

    pid: int
    process: int
    channel: socket


class _ForkServer:
    """Fork server: starts a process for each task, kills it when the task is cancelled, and reports how it ended."""

    def __init__(self, control: socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._running: set[_Running] = set()
        self._spare: _Spare | None = _fork()

    def serve(self) -> None:
        """Work until the control channel closes."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    message, files, _, _ = recv_fds(self._control, MESSAGE_BYTES, 3)
                    if not message:
                        self._end_all()
                        return
                    self._start(message, *files)
                elif key.data in self._running:  # its end may have been seen a moment ago
                    if key.fileobj is key.data.channel:
                        signal.pidfd_send_signal(key.data.process, signal.SIGKILL)
                        self._selector.unregister(key.data.channel)
                    else:
                        self._bury(key.data)

    def _start(self, message: bytes, recording: int, samples: int, channel: int) -> None:
        spare, self._spare = self._spare or _fork(), None
        while not _hand_over(spare, message, [recording, samples, channel]):  # it was killed while it waited
            os.waitpid(spare.pid, 0)
            spare.task.close()
            spare = _fork()
        spare.task.close()
        os.close(recording)
        os.close(samples)
        child = _Running(spare.pid, os.pidfd_open(spare.pid), socket(AF_UNIX, SOCK_SEQPACKET, fileno=channel))
        self._running.add(child)
        self._selector.register(child.process, selectors.EVENT_READ, child)
        self._selector.register(child.channel, selectors.EVENT_READ, child)

    def _bury(self, child: _Running) -> None:
        _, status, usage = os.wait4(child.pid, 0)
        with suppress(BrokenPipeError, ConnectionResetError):
            end = ProcessExit(os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024)
            child.channel.send(json.dumps(end).encode())
        self._running.remove(child)
        for watched in (child.process, child.channel):
            if watched in self._selector.get_map():
                self._selector.unregister(watched)
        os.close(child.process)
        child.channel.close()
        self._spare = self._spare or _fork()  # forking now delays no recording

    def _end_all(self) -> None:
        if self._spare is not None:
            self._spare.task.close()
        for child in self._running:
            signal.pidfd_send_signal(child.process, signal.SIGKILL)


def _fork() -> _Spare:
    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
    if (pid := os.fork()) == 0:
        _wait_decode_and_exit(theirs)
    theirs.close()
    return _Spare(pid, ours)


def _hand_over(spare: _Spare, message: bytes, files: list[int]) -> bool:
    try:
        send_fds(spare.task, [message], files)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _wait_decode_and_exit(waiting: socket) -> NoReturn:
    try:
        os.dup2(1, 2)  # decoders write to stderr what recordings make them write
        _close_all_but(waiting.fileno())
        decode_audio(BytesIO(_make_silence()), "ours", DecodingLimits(16_000, 1.0), _SampleFile(os.memfd_create("")))
        message, files, _, _ = recv_fds(waiting, MESSAGE_BYTES, 3)
        if not message:
            os._exit(0)
        recording, samples, channel = files
        name, bounds, allowance = json.loads(message)
        task = DecodingTask(name, DecodingLimits(*bounds), ResourceLimits(*allowance))
        waiting.close()
        confine(task.allowance)
        report = _decode(task, recording, samples)
        os.write(channel, json.dumps(report).encode())
        os._exit(0)
    finally:
        os._exit(1)


def _close_all_but(*kept: int) -> None:
    """Close what was inherited: the control channel, and the channels of other recordings."""
    start = 3
    for descriptor in sorted(kept):
        os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, MAX_DESCRIPTORS)


def _decode(task: DecodingTask, recording: int, samples: int) -> DecodingReport:
    file = FileIO(recording)  # libsndfile reads by its descriptor, which would close with it
    try:
        sink = _SampleFile(samples)
        about = decode_audio(file, task.name, task.bounds, sink)
        num_samples = sink.num_bytes // np.dtype(np.float32).itemsize
        return DecodingReport(
            rate=about.rate, num_channels=about.num_channels, num_samples=num_samples, remarks=about.remarks
        )
    except MemoryError:
        most = task.allowance.memory_bytes >> 20
        message = f"'{task.name}' cannot be decoded in {most} MB of memory, the most that a recording gets."
        return DecodingReport(rate=0, num_channels=0, num_samples=0, remarks=(), code=AudioCode.MEMORY, message=message)
    except BadAudio as error:
        return DecodingReport(rate=0, num_channels=0, num_samples=0, remarks=(), code=error.code, message=str(error))


class _SampleFile:
    """Writes samples to a file, by its descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.num_bytes = 0

    def write(self, samples: NDArray[np.float32]) -> None:
        """Append float32 samples to the shared file."""
        self.num_bytes += os.pwrite(self._descriptor, samples.tobytes(), self.num_bytes)

    def restart(self) -> None:
        """Forget what was written: the next block overwrites it."""
        self.num_bytes = 0


def _load_decoders() -> None:
    """Decode recordings of our own, a good one and bad ones, so that a confined process has nothing to import."""
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if not module.name.endswith("__main__"):
            import_module(module.name)  # PyAV imports each kind of stream when it meets one
    for data in (_make_silence(), _make_stereo(-1.0), _make_stereo(0.5), b"\x1a\x45\xdf\xa3", b"RIFF....WAVE"):
        with suppress(BadAudio):
            decode_audio(BytesIO(data), "ours", DecodingLimits(16_000, 1.0), _SampleFile(os.memfd_create("")))


@cache
def _make_silence() -> bytes:
    """Return a recording of ours: 10 ms of silence."""
    buffer = BytesIO()
    soundfile.write(buffer, np.zeros((480, 2), np.float32), 48_000, format="WAV")
    return buffer.getvalue()


def _make_stereo(gain: float) -> bytes:
    """Return a recording of ours that FFmpeg reads, whose second channel is the first but for a gain."""
    noise, buffer = np.random.default_rng(0).normal(0, 0.1, 9600), BytesIO()
    soundfile.write(buffer, np.stack([noise, gain * noise], axis=1), 48_000, format="AIFF")
    return buffer.getvalue()


def main() -> None:
    """Serve the control channel, whose descriptor is the first argument, until it closes."""
    control = socket(AF_UNIX, SOCK_SEQPACKET, fileno=int(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_DESCRIPTORS, MAX_DESCRIPTORS))
    _load_decoders()
    isolate()
    gc.freeze()  # what the forked processes share stays shared
    _ForkServer(control).serve()


if __name__ == "__main__":
    main()
