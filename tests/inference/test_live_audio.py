"""Slices that are read while they arrive: cancelling, and disks that do not answer."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
import trio

from lifeecho_server.engines import slices
from lifeecho_server.engines.audio import BadAudio, TooLong
from lifeecho_server.engines.slices import SliceDecoder, SliceSource
from lifeecho_server.inference.live_audio import LiveAudio

WATCHDOG_SECONDS = 20.0


class SilentDisk:
    """A disk that does not answer until it is told to."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.answers = threading.Event()

    def open(self, *_: object) -> BinaryIO:
        self.asked.set()
        self.answers.wait()
        raise FileNotFoundError


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[SilentDisk]:
    """A disk that answers after the test; or in the end, should anything wait for it."""
    disk = SilentDisk()
    monkeypatch.setattr(slices, "CLOSE_SECONDS", 0.0)
    monkeypatch.setattr(Path, "open", disk.open)
    watchdog = threading.Timer(WATCHDOG_SECONDS, disk.answers.set)
    watchdog.start()
    yield disk
    watchdog.cancel()
    disk.answers.set()
    for thread in threading.enumerate():
        if thread.name == "slices":
            thread.join()


async def test_cancelling_waits_for_no_disk(silent: SilentDisk) -> None:
    audio = LiveAudio(limit_seconds=60, threads=trio.CapacityLimiter(1))
    audio.append(SliceSource(0, Path("slice"), "wav", None))
    with trio.fail_after(2 * WATCHDOG_SECONDS):
        async with trio.open_nursery() as reading:
            reading.start_soon(audio.read, 1.0)
            await trio.to_thread.run_sync(silent.asked.wait)
            reading.cancel_scope.cancel()
        assert await audio.read(1.0) is None  # the one thread there may be has come back
        await audio.aclose()
    assert not silent.answers.is_set()


async def test_bad_audio_is_not_taken_for_a_recording_that_is_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    faults: list[BadAudio] = [BadAudio("damaged"), TooLong(60)]

    def read(_: SliceDecoder, seconds: float) -> None:
        raise faults.pop(0)

    monkeypatch.setattr(SliceDecoder, "read", read)
    async with LiveAudio(limit_seconds=60, threads=trio.CapacityLimiter(1)) as audio:
        with pytest.raises(BadAudio, match="damaged"):
            await audio.read(1.0)
        assert not audio.too_long
        assert await audio.read(1.0) is None
        assert audio.too_long


def test_a_thread_that_could_not_be_started_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    decoder = SliceDecoder(limit_seconds=60)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        with pytest.raises(RuntimeError):
            decoder.read(1.0)
    decoder.close()
