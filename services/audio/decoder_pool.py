"""Decoder pool: untrusted uploads are decoded in sandboxed processes, so that none can crash the service.

Short plain WAV files are read without one (`services.audio.pcm_wav`).

`decode_safely` is `services.audio.load.decode` for the HTTP API, Linux only. The first recording starts a standby
process with the decoders loaded (`services.audio.decoder_worker`). It forks a process for each recording, which gets
the bytes and an empty file, both in memory, and returns samples and a line of JSON. Both are validated as if an
attacker had written them, because an attacker may have. Samples that have arrived count, however the process ends
afterwards. A process that crashes or exceeds its limits fails its own recording alone (`AudioCode`); a standby process
that has ended is replaced. Cancelling a call, at a deadline or because the client has gone, kills its process.
"""

import asyncio
import atexit
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import cache
from io import FileIO
from socket import AF_UNIX, SHUT_RDWR, SOCK_SEQPACKET, send_fds, socket, socketpair
from threading import Lock
from time import monotonic

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from services.audio.decoder_worker import MESSAGE_BYTES, DecodingReport, DecodingTask, ProcessExit
from services.audio.decoding import MAX_RATE, MIN_RATE, DecodedAudio, DecodingLimits
from services.audio.load import build_clip, read_wav_here
from services.audio.pcm_wav import parse_plain_wav
from services.audio.sandbox import ResourceLimits
from services.errors import AudioCode, BadAudio, ModelError, make_bad_audio
from services.types import SAMPLE_RATE, AudioClip

MAX_NAME = 200  # characters of a recording's name in errors
ALLOWANCE = ResourceLimits()
WALL_S = 300.0  # from the start of decoding to its end; two hours of MP3 take 15 s of an idle processor
HERE_BYTES, HERE_S = 4 << 20, 60.0  # of a plain WAV file that is read on the event loop: in 15 ms; a process takes 10
SAMPLE_BYTES = 4
STOP_S = 5.0  # for the process that stands by to end

_MESSAGE: TypeAdapter[DecodingReport | ProcessExit] = TypeAdapter(DecodingReport | ProcessExit)


class DecoderPool:
    """Decodes several recordings concurrently, each in a process of its own."""

    def __init__(self, num_processes: int, *, allowance: ResourceLimits = ALLOWANCE, wall_s: float = WALL_S) -> None:
        self._threads = ThreadPoolExecutor(num_processes, thread_name_prefix="decoder")
        self._allowance = allowance
        self._wall_s = wall_s
        self._lock = Lock()
        self._standby: _Standby | None = None
        self.peak_bytes = 0
        """The most memory that one process has taken so far, the loaded decoders included."""

    async def decode(self, data: bytes, *, name: str, bounds: DecodingLimits) -> AudioClip:
        """Return the clip, or raise `BadAudio` with an `AudioCode`."""
        name = name[:MAX_NAME]
        if not data:
            raise BadAudio(f"'{name}' is empty (0 bytes).", code=AudioCode.EMPTY)
        wav = parse_plain_wav(data) if len(data) <= HERE_BYTES else None
        if wav and wav.num_frames <= HERE_S * wav.rate:
            return read_wav_here(wav, name, bounds)
        written = int(bounds.max_duration_s * bounds.rate + bounds.rate) * SAMPLE_BYTES
        task = DecodingTask(name, bounds, self._allowance._replace(written_bytes=written))
        for _ in range(2):  # the standby process may die of something that is not the recording's fault
            job = _DecodingJob(task, self._wall_s)
            work = self._threads.submit(self._run, job, data)
            work.add_done_callback(job.settle)
            try:
                return await asyncio.wrap_future(job.clip_future)
            except _StandbyLostError:
                continue
            finally:
                if not job.clip_future.done():
                    work.cancel()
                    job.stop()
        raise ModelError("The process that decodes recordings ends as soon as it starts; the server's log says why.")

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            if self._standby is not None:
                self._standby.close()
                self._standby = None
        self._threads.shutdown(cancel_futures=True)

    def start(self) -> "_Standby":
        """Return the standby process, started if there is none; it loads the decoders in the background."""
        with self._lock:
            if self._standby is None or not self._standby.is_alive:
                if self._standby is not None:
                    self._standby.close()
                self._standby = _Standby()
            return self._standby

    def _run(self, job: "_DecodingJob", data: bytes) -> None:
        end = job.run(self.start(), data)
        with self._lock:
            self.peak_bytes = max(self.peak_bytes, end.peak_bytes)


class _StandbyLostError(Exception):
    """The standby process has ended, and with it the channel of every recording."""


class _Standby:
    """The standby process, and the control channel over which it gets its tasks."""

    def __init__(self) -> None:
        self._control, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        with theirs:
            # No variable but these: what a recording takes over shall find no key.
            self._process = subprocess.Popen(  # noqa: S603 - a fixed command
                [sys.executable, "-P", "-m", "services.audio.decoder_worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the server to handle
            )

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, task: DecodingTask, descriptors: list[int]) -> None:
        """Send a task, with the file descriptors that it works on."""
        try:
            send_fds(self._control, [json.dumps(task).encode()], descriptors)
        except ConnectionError as error:
            raise _StandbyLostError from error

    def close(self) -> None:
        """End it and all that it forked."""
        self._control.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _DecodingJob:
    """The decoding of one recording, run in a thread.

    `clip_future` is done as soon as the samples are there; only the thread waits for the process to exit.
    """

    def __init__(self, task: DecodingTask, wall_s: float) -> None:
        self.clip_future: Future[AudioClip] = Future()
        """The decoded clip, or the error."""
        self.clip_future.set_running_or_notify_cancel()  # a caller that is cancelled does not cancel this future
        self._task = task
        self._wall_s = wall_s
        self._lock = Lock()
        self._channel: socket | None = None
        self._is_stopped = False

    def stop(self) -> None:
        """Cancel: kill the process, if there is one."""
        with self._lock:
            self._is_stopped = True
            if self._channel is not None:
                self._channel.shutdown(SHUT_RDWR)

    def settle(self, work: "Future[None]") -> None:
        """Set the error where the work ended without a clip."""
        if not self.clip_future.done():
            cancelled = work.cancelled()
            self.clip_future.set_exception(
                CancelledError() if cancelled else work.exception() or _make_crash_error(self._task)
            )

    def run(self, standby: _Standby, data: bytes) -> ProcessExit:
        """Decode a recording; its process has ended when this returns."""
        ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        with (
            ours,
            FileIO(os.memfd_create("recording"), "r+") as recording,
            FileIO(os.memfd_create("samples"), "r+") as samples,
        ):
            with theirs:
                recording.write(data)
                recording.seek(0)
                standby.send(self._task, [recording.fileno(), samples.fileno(), theirs.fileno()])
            with self._lock:
                self._channel = ours
                if self._is_stopped:
                    ours.shutdown(SHUT_RDWR)
            try:
                return self._await_report(ours, samples)
            finally:
                with self._lock:
                    self._channel = None

    def _await_report(self, channel: socket, samples: FileIO) -> ProcessExit:
        deadline = monotonic() + self._wall_s
        said = self._receive(channel, deadline)
        if isinstance(said, DecodingReport):
            report = self._check(said)
            if report.code:
                self.clip_future.set_exception(make_bad_audio(AudioCode(report.code), report.message))
            else:
                about = DecodedAudio(report.rate, report.num_channels, report.remarks)
                clip = build_clip(self._read_samples(samples, report), about, self._task.name)
                self.clip_future.set_result(clip)
            said = self._receive(channel, deadline)
        if isinstance(said, DecodingReport):
            raise _make_crash_error(self._task)
        if said.exit_code == -signal.SIGXCPU and not self.clip_future.done():
            raise _make_time_error(self._task, f"{self._task.allowance.cpu_s} s of processor time")
        return said

    def _receive(self, channel: socket, deadline: float) -> DecodingReport | ProcessExit:
        channel.settimeout(max(deadline - monotonic(), 0.001))
        try:
            message = channel.recv(MESSAGE_BYTES)
        except TimeoutError:
            raise _make_time_error(self._task, f"{self._wall_s:g} s") from None
        except ConnectionResetError:
            message = b""
        if not message:
            raise _StandbyLostError
        try:
            return _MESSAGE.validate_json(message)
        except ValidationError:
            raise _make_crash_error(self._task) from None

    def _check(self, report: DecodingReport) -> DecodingReport:
        """Validate a report, which an attacker may have written."""
        is_sound = MIN_RATE <= report.rate <= MAX_RATE and 1 <= report.num_channels <= self._task.bounds.max_channels
        is_short = 0 <= report.num_samples * SAMPLE_BYTES <= self._task.allowance.written_bytes
        if not (report.code in set(AudioCode) if report.code else is_sound and is_short):
            raise _make_crash_error(self._task)
        return report

    def _read_samples(self, file: FileIO, report: DecodingReport) -> NDArray[np.float32]:
        # Copied, not mapped: its writer could still change or cut a mapped file.
        num_bytes = report.num_samples * SAMPLE_BYTES
        file.seek(0)
        if len(data := file.read(num_bytes)) != num_bytes:
            raise _make_crash_error(self._task)
        return np.frombuffer(data, np.float32)


def _make_crash_error(task: DecodingTask) -> BadAudio:
    return make_bad_audio(
        AudioCode.CRASHED, f"'{task.name}' cannot be decoded: the process that decoded it died of it."
    )


def _make_time_error(task: DecodingTask, limit: str) -> BadAudio:
    return make_bad_audio(
        AudioCode.TIME,
        f"'{task.name}' was not decoded within {limit}, the most that a recording gets; send a shorter one.",
    )


@cache
def _open_pool() -> DecoderPool:
    decoder = DecoderPool(len(os.sched_getaffinity(0)))
    atexit.register(decoder.close)
    return decoder


def start_decoders() -> None:
    """Let the decoders load, so that the first recording does not wait for them."""
    _open_pool().start()


async def decode_safely(data: bytes, *, name: str, max_duration_s: float) -> AudioClip:
    """Read a recording that a stranger sent; `name` is what errors call it.

    Raises `BadAudio` with an `AudioCode`. Cancelling ends the work at once.
    """
    return await _open_pool().decode(data, name=name, bounds=DecodingLimits(SAMPLE_RATE, max_duration_s))
