import gc
import itertools
import os
import random
import socket
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifeecho_server.engines.audio import BadAudio, decode
from lifeecho_server.engines.disk import DiskFailed
from lifeecho_server.engines.slices import WAITING_SECONDS, SliceDecoder, SliceSource
from lifeecho_server.engines.transcriber import SAMPLE_RATE, Samples
from tests.engines.clips import ENCODINGS, encoded, noise, pcm, silence, sine
from tests.engines.disks import FailingDisk

# As recorders write them: no index, no lengths that are known only at the end.
LIVE = {
    "webm": {"live": "1"},
    "mp4": {
        "movflags": "frag_keyframe+empty_moov+default_base_moof",
        "frag_duration": "200000",
    },
}
STREAMS = ("webm", "ogg", "mp3", "mp4", "wav", "flac")
RESUMABLE = ("webm", "mp4", "wav", "ogg", "mp3")


def recorder_stream(sound: Samples, form: str) -> bytes:
    return encoded(sound, form, options=LIVE.get(form))


SOUND = noise(6.0, 0.1)
WHOLE = {form: recorder_stream(SOUND, form) for form in STREAMS}
DECODED = {form: decode(whole) for form, whole in WHOLE.items()}


def evenly(whole: bytes, count: int) -> list[bytes]:
    return [whole[i * len(whole) // count : (i + 1) * len(whole) // count] for i in range(count)]


def cut_anywhere(whole: bytes, count: int, rng: random.Random) -> list[bytes]:
    places = [0, *sorted(rng.sample(range(1, len(whole)), count - 1)), len(whole)]
    return [whole[start:end] for start, end in itertools.pairwise(places)]


class Recording:
    """A decoder, and slices written for it."""

    def __init__(self, folder: Path, form: str | None, rate: int | None, limit: float) -> None:
        self.decoder = SliceDecoder(limit_seconds=limit)
        self._folder = folder
        self._form = form
        self._rate = rate
        self._numbers = itertools.count(sum(1 for _ in folder.iterdir()))

    def append(self, index: int, content: bytes | None) -> None:
        path = self._folder / f"{next(self._numbers)}"
        if content is not None:
            path.write_bytes(content)
        self.decoder.append(SliceSource(index, path, self._form, self._rate))

    def ready(self, seconds: float = 1.0) -> Samples:
        """Everything that can be decoded now."""
        pieces = [np.empty(0, np.float32)]
        while (piece := self.decoder.read(seconds)) is not None and len(piece):
            assert piece.dtype == np.float32
            assert piece.shape == (len(piece),)
            assert len(piece) <= seconds * SAMPLE_RATE
            pieces.append(piece)
        return np.concatenate(pieces)

    def rest(self) -> Samples:
        self.decoder.end()
        rest = self.ready()
        assert self.decoder.read(1.0) is None
        return rest

    def heard(self, slices: Sequence[bytes | None], *, live: bool = True) -> Samples:
        """Give slices, ``None`` for one that never came; read after each, or only at the end."""
        pieces: list[Samples] = []
        for index, content in enumerate(slices):
            if content is not None:
                self.append(index, content)
                pieces += [self.ready()] if live else []
        joined = np.concatenate([*pieces, self.rest()])
        assert self.decoder.seconds == len(joined) / SAMPLE_RATE
        return joined


Record = Callable[..., Recording]


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    """Begin recordings; afterwards no thread and no file of theirs is left."""
    begun: list[Recording] = []
    files = open_files()

    def begin(form: str | None, rate: int | None = None, *, limit: float = 7200) -> Recording:
        begun.append(Recording(tmp_path, form, rate, limit))
        return begun[-1]

    yield begin
    for recording in begun:
        recording.decoder.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "slices"]
    assert open_files() == files


def open_files() -> list[str]:
    """What regular files are open, whatever their numbers."""
    links = []
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208 - the list itself opens one
        try:
            links.append(str(Path("/proc/self/fd", number).readlink()))
        except FileNotFoundError:
            continue
    return sorted(link for link in links if link.startswith("/") and ":" not in link)


def assert_same(heard: Samples, expected: Samples, form: str) -> None:
    if form == "mp3":  # without a length the padding of its last frame is not cut off
        assert 0 <= len(heard) - len(expected) < 0.08 * SAMPLE_RATE
        heard, expected = heard[: len(expected) - 20], expected[:-20]
    np.testing.assert_array_equal(heard, expected)


# --- one stream, cut anywhere ---


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("count", [1, 2, 9, 60])
@pytest.mark.parametrize("form", STREAMS)
def test_a_stream_cut_anywhere_is_the_whole(
    record: Record, form: str, count: int, live: bool
) -> None:
    slices = cut_anywhere(WHOLE[form], count, random.Random(f"{form} {count}"))
    recording = record(form)
    heard = recording.heard(slices, live=live)
    assert_same(heard, DECODED[form], form)
    assert recording.decoder.unreadable == ()
    assert recording.decoder.contributed in (count - 1, count - 2)  # indexes give no sound


@pytest.mark.parametrize("form", STREAMS)
def test_a_header_in_single_bytes_is_waited_for(record: Record, form: str) -> None:
    slices = [WHOLE[form][i : i + 1] for i in range(40)] + [WHOLE[form][40:]]
    recording = record(None if form != "mp3" else form)
    assert_same(recording.heard(slices), DECODED[form], form)


@pytest.mark.parametrize("form", ["webm", "ogg", "mp4", "wav"])
def test_empty_slices_of_a_stream_are_nothing_lost(record: Record, form: str) -> None:
    first, second = evenly(WHOLE[form], 2)
    recording = record(form)
    assert_same(recording.heard([b"", first, b"", second, b""]), DECODED[form], form)
    assert recording.decoder.unreadable == ()


def test_slices_give_their_sound_as_soon_as_they_are_there(record: Record) -> None:
    behind = {"webm": 0.3, "ogg": 1.3, "mp3": 0.25, "mp4": 0.3, "wav": 0.003, "flac": 1.0}
    for form, most in behind.items():
        recording = record(form)
        for index, content in enumerate(evenly(WHOLE[form], 6)):
            recording.append(index, content)
            recording.ready()
            assert recording.decoder.seconds > index + 1 - most, form


@pytest.mark.parametrize("chance", [b"\xff\xfb\x90\x64", b"OggS\0\0", b"fLaC\0\0\0\x22", b"ftyp"])
def test_a_piece_that_looks_like_another_files_header_goes_on(
    record: Record, chance: bytes
) -> None:
    raw = pcm(SOUND)
    raw = raw[:64_000] + chance * 16 + raw[64_000:]
    header = WHOLE["wav"][: len(WHOLE["wav"]) - 2 * len(SOUND)]
    no_length = header[:-4] + b"\xff\xff\xff\xff"
    heard = record("wav").heard([no_length + raw[:64_000], raw[64_000:]])
    np.testing.assert_array_equal(heard, decode(raw, format="pcm_s16le", sample_rate=16_000))


@pytest.mark.parametrize("length", ["none", "most", "of slice 0", "of all"])
def test_a_wav_goes_on_raw_whatever_length_its_header_tells(record: Record, length: str) -> None:
    whole = WHOLE["wav"]
    start = whole.index(b"data") + 8
    told = {"none": 0, "most": 2**32 - 1, "of slice 0": 8_000, "of all": len(whole) - start}
    whole = whole[: start - 4] + told[length].to_bytes(4, "little") + whole[start:]
    cut = start + 8_000
    recording = record("wav")
    heard = recording.heard([whole[:cut], whole[cut : cut + 999], whole[cut + 999 :]])
    np.testing.assert_array_equal(heard, DECODED["wav"])


def test_two_streams_one_after_the_other_are_both_heard(record: Record) -> None:
    slices = evenly(WHOLE["webm"], 3) * 2
    recording = record("webm")
    assert len(recording.heard(slices)) == 2 * len(DECODED["webm"])
    assert recording.decoder.unreadable == ()


def test_a_plain_m4a_cut_into_slices_is_read_once_all_of_it_is_there(record: Record) -> None:
    whole = encoded(SOUND, "m4a")
    recording = record("m4a")
    np.testing.assert_array_equal(recording.heard(evenly(whole, 5)), decode(whole))
    assert recording.decoder.unreadable == ()


# --- complete files ---


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("form", sorted(ENCODINGS))
def test_complete_files_are_joined(record: Record, form: str, live: bool) -> None:
    files = [encoded(sound, form) for sound in (sine(1.2, 330), noise(0.7, 0.1), sine(1.6, 520))]
    expected = np.concatenate([decode(file) for file in files])
    recording = record(form)
    heard = recording.heard(files, live=live)
    assert recording.decoder.unreadable == ()
    assert recording.decoder.contributed == 2
    if form in ("wav", "flac"):
        np.testing.assert_array_equal(heard, expected)
    assert len(heard) == pytest.approx(len(expected), abs=0.1 * SAMPLE_RATE)
    tones = np.abs(np.fft.rfft(heard[-SAMPLE_RATE:] * np.hanning(SAMPLE_RATE)))
    assert int(tones.argmax()) == pytest.approx(520, abs=2)


@pytest.mark.parametrize("form", ["m4a", "webm", "ogg", "wav", "flac"])
def test_once_files_are_known_each_is_read_to_its_end(record: Record, form: str) -> None:
    recording = record(form)
    for index in range(3):
        recording.append(index, encoded(noise(1.0, 0.1), form))
        recording.ready()
        if index:
            assert recording.decoder.seconds == pytest.approx(index + 1, abs=0.05 * (index + 1))


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_wav_files_are_joined_by_one_resampler(record: Record, rate: int) -> None:
    raw = pcm(SOUND)
    at_rate = wav_header(rate)
    files = [at_rate(part) for part in (raw[:30_000], raw[30_000:99_998], raw[99_998:])]
    heard = record("wav").heard(files)
    np.testing.assert_array_equal(heard, decode(raw, format="pcm_s16le", sample_rate=rate))


def wav_header(rate: int) -> Callable[[bytes], bytes]:
    def file(raw: bytes) -> bytes:
        layout = b"".join(
            value.to_bytes(size, "little")
            for value, size in ((1, 2), (1, 2), (rate, 4), (rate * 2, 4), (2, 2), (16, 2))
        )
        chunks = b"WAVEfmt \x10\0\0\0" + layout + b"data" + len(raw).to_bytes(4, "little") + raw
        chunks += b"LIST\x04\0\0\0INFO"
        return b"RIFF" + len(chunks).to_bytes(4, "little") + chunks

    return file


@pytest.mark.parametrize("form", ["m4a", "webm", "ogg", "wav", "flac"])
@pytest.mark.parametrize("damage", ["cut short", "random", "not there"])
def test_a_damaged_file_among_others_is_told(record: Record, form: str, damage: str) -> None:
    content = encoded(noise(1.0, 0.1), form)
    damaged = {
        "cut short": content[:40],
        "random": random.Random(1).randbytes(len(content)),
        "not there": None,
    }
    recording = record(form)
    for index, file in enumerate((content, content, damaged[damage], content)):
        recording.append(index, file)
    heard = recording.rest()
    assert recording.decoder.unreadable == (2,)
    assert len(heard) == pytest.approx(3 * len(decode(content)), abs=0.1 * SAMPLE_RATE)


def test_an_m4a_cut_short_is_unreadable_and_the_next_is_heard(record: Record) -> None:
    whole = encoded(noise(1.0, 0.1), "m4a")
    recording = record("m4a")
    heard = recording.heard([whole[:-200], whole])
    assert recording.decoder.unreadable == (0,)
    assert len(heard) == pytest.approx(len(decode(whole)), abs=20)


# --- raw sound ---


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
@given(seed=st.integers(0, 1000), count=st.integers(1, 40), live=st.booleans())
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_raw_pcm_cut_at_odd_bytes_is_the_whole(
    record: Record, rate: int, seed: int, count: int, live: bool
) -> None:
    raw = pcm(SOUND[:40_000])
    recording = record("pcm_s16le", rate)
    heard = recording.heard(cut_anywhere(raw, count, random.Random(seed)), live=live)
    np.testing.assert_array_equal(heard, decode(raw, format="pcm_s16le", sample_rate=rate))
    assert recording.decoder.unreadable == ()
    assert recording.decoder.contributed == count - 1


def test_16_khz_pcm_is_there_to_the_last_sample(record: Record) -> None:
    recording = record("pcm_s16le", SAMPLE_RATE)
    for index in range(3):
        recording.append(index, pcm(sine(0.501)))
        assert len(recording.ready()) == round(0.501 * SAMPLE_RATE)


@pytest.mark.parametrize("kind", ["pcm_s16le", "wav"])
def test_raw_sound_after_a_gap_at_an_odd_byte_is_no_noise(record: Record, kind: str) -> None:
    raw = pcm(sine(3.0, 200))
    whole = wav_header(SAMPLE_RATE)(raw) if kind == "wav" else raw
    slices: list[bytes | None] = list(evenly(whole[:96_001], 7))
    slices[3] = None
    heard = record(kind, SAMPLE_RATE).heard(slices)
    assert len(heard) == pytest.approx(3.0 * SAMPLE_RATE * 6 / 7, abs=100)
    assert float(np.abs(heard).max()) < 0.11


@pytest.mark.parametrize("rate", [None, 0, 1, -5, 10**9])
def test_raw_pcm_without_a_rate_that_exists_is_unreadable(record: Record, rate: int) -> None:
    recording = record("pcm_s16le", rate)
    assert len(recording.heard([b"\0" * 3200, b"\0" * 3200])) == 0
    assert recording.decoder.unreadable == (0, 1)
    assert recording.decoder.contributed is None


# --- gaps and damage ---


@pytest.mark.parametrize("form", ["webm", "ogg", "mp4", "wav", "flac"])
def test_without_its_header_a_stream_is_unreadable(record: Record, form: str) -> None:
    recording = record(form)
    slices: list[bytes | None] = [None, *evenly(WHOLE[form], 5)[1:]]
    assert len(recording.heard(slices)) == 0
    assert recording.decoder.unreadable == (1, 2, 3, 4)


@pytest.mark.parametrize("form", ["pcm_s16le", "mp3", "files"])
def test_what_needs_no_header_is_heard_without_slice_0(record: Record, form: str) -> None:
    recording = record("wav" if form == "files" else form, SAMPLE_RATE)
    slices: dict[str, list[bytes]] = {
        "pcm_s16le": evenly(pcm(SOUND), 3),
        "mp3": evenly(WHOLE["mp3"], 3),
        "files": [encoded(noise(2.0, 0.1), "wav")] * 3,
    }
    heard = recording.heard([None, *slices[form][1:]])
    assert len(heard) == pytest.approx(4 * SAMPLE_RATE, abs=0.2 * SAMPLE_RATE)
    assert recording.decoder.unreadable == ()


@pytest.mark.parametrize("form", RESUMABLE)
def test_a_stream_goes_on_after_a_gap(record: Record, form: str) -> None:
    slices: list[bytes | None] = list(evenly(WHOLE[form], 18))
    slices[6] = slices[7] = None
    recording = record(form)
    heard = recording.heard(slices)
    lost = 6.0 - len(heard) / SAMPLE_RATE
    assert 0.5 < lost < (2.5 if form == "ogg" else 1.0)  # an Ogg page is a second
    assert recording.decoder.contributed in (16, 17)
    correlation = np.corrcoef(heard[-4000:-1000], DECODED[form][-4000:-1000])[0, 1]
    assert form == "mp3" or correlation > 0.9


@pytest.mark.parametrize("form", ["webm", "ogg", "mp4", "mp3"])
def test_a_stream_goes_on_after_a_damaged_slice_and_tells_it(record: Record, form: str) -> None:
    slices = evenly(WHOLE[form], 6)
    slices[2] = random.Random(4).randbytes(len(slices[2]))
    recording = record(form)
    heard = recording.heard(slices)
    assert 3.5 < len(heard) / SAMPLE_RATE < 5.5
    assert recording.decoder.unreadable in ((2,), (1, 2))  # an Ogg page may begin in slice 1


def test_a_stream_of_a_slice_that_is_not_on_disk_goes_on(record: Record) -> None:
    recording = record("webm")
    for index, content in enumerate(evenly(WHOLE["webm"], 6)):
        recording.append(index, None if index == 2 else content)
    assert len(recording.rest()) / SAMPLE_RATE == pytest.approx(5.0, abs=0.2)
    assert recording.decoder.unreadable == (2,)


@pytest.mark.parametrize(
    "content",
    [
        b"\0" * 4000,
        b"not a recording at all, but long enough to be looked at as if it were one",
        b"RIFF\x04\0\0\0WAVE",
        b"RIFF\xff\xff\xff\xffWAVE" + b"LIST\xff\xff\xff\xff" + bytes(5000),
        b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\x7f" + bytes(5000),
        b"\x1a\x45\xdf\xa3" + b"\xff" * 3000,
        b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska\x18\x53\x80\x67" + b"\x01" * 9000,
        b"OggS\0\x02" + bytes(3000),
        b"fLaC\x84\xff\xff\xff" + bytes(3000),
        b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42" + b"\x7f\xff\xff\xffmoov" + bytes(3000),
        b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42" + b"\0\0\0\1mdat" + b"\xff" * 3000,
        b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + b"APIC\x7f\x7f\x7f\x7f" * 400,
        b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n#EXT-X-ENDLIST\n",
    ],
)
@pytest.mark.parametrize("form", [None, "mp4", "wav", "mp3"])
def test_hostile_slices_are_unreadable_and_raise_nothing(
    record: Record, content: bytes, form: str | None
) -> None:
    recording = record(form)
    recording.append(0, content)
    recording.append(1, content)
    heard = np.concatenate([recording.ready(), recording.rest()])
    assert float(np.abs(heard).max(initial=0.0)) <= 1.0


def test_a_playlist_opens_nothing(record: Record) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.wav"
        for form in (None, "mp4", "ogg", "wav"):
            recording = record(form)
            recording.heard([f"#EXTM3U\n#EXTINF:1,\n{address}\n".encode() * 20])
            assert recording.decoder.unreadable == (0,)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("form", [*STREAMS, "m4a"])
def test_damaged_slices_never_raise(record: Record, form: str) -> None:
    whole = recorder_stream(SOUND[:16_000], form)
    rng = random.Random(f"slices {form}")
    for _ in range(45):
        damaged = bytearray(whole)
        for _ in range(rng.choice((1, 8, 64, 400))):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        slices: list[bytes | None] = list(cut_anywhere(bytes(damaged), rng.choice((1, 3, 9)), rng))
        slices[rng.randrange(len(slices))] = rng.choice((None, b"", rng.randbytes(300), whole))
        recording = record(form, limit=60)
        with closing(recording.decoder):
            heard = recording.heard(slices, live=rng.random() < 0.5)
            assert np.isfinite(heard).all()
            assert float(np.abs(heard).max(initial=0.0)) <= 1.0


@given(
    kinds=st.lists(st.sampled_from([*STREAMS, "pcm_s16le"]), min_size=1, max_size=6),
    keep=st.lists(st.integers(0, 6000), min_size=6, max_size=6),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_kinds_that_change_on_the_way_never_raise(
    record: Record, kinds: list[str], keep: list[int]
) -> None:
    recording = record(None)
    for index, (kind, size) in enumerate(zip(kinds, keep, strict=False)):
        recording._form, recording._rate = kind, SAMPLE_RATE
        recording.append(index, WHOLE.get(kind, pcm(SOUND))[:size])
    assert float(np.abs(recording.rest()).max(initial=0.0)) <= 1.0
    recording.decoder.close()


# --- disks that fail ---


@pytest.mark.parametrize("form", [*STREAMS, "m4a", "pcm_s16le", "wav files", "m4a files"])
def test_what_a_failing_disk_does_not_give_is_never_left_out(
    record: Record,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    form: str,
) -> None:
    kind = form.removesuffix(" files")
    whole = pcm(SOUND) if kind == "pcm_s16le" else recorder_stream(SOUND, kind)
    slices = [whole] * 3 if form.endswith("files") else evenly(whole, 4)
    disk = FailingDisk(monkeypatch, tmp_path)
    expected = record(kind, SAMPLE_RATE).heard(slices, live=False)
    for allowed in range(disk.asked):
        disk.asked, disk.allowed = 0, 10**9
        recording = record(kind, SAMPLE_RATE)
        for index, content in enumerate(slices):
            recording.append(index, content)
        recording.decoder.end()
        disk.asked, disk.allowed = 0, allowed
        with closing(recording.decoder):
            with suppress(DiskFailed):
                np.testing.assert_array_equal(recording.ready(), expected)
            assert recording.decoder.unreadable == ()
    assert capfd.readouterr().err == ""


# --- bounds and endings ---


@pytest.mark.parametrize("form", ["webm", "pcm_s16le"])
def test_beyond_the_limit_it_is_bad_audio_after_all_before_it(record: Record, form: str) -> None:
    recording = record(form, 16_000, limit=2.5)
    recording.append(0, WHOLE.get(form, pcm(SOUND)))
    assert recording.decoder.read(10.0) is not None
    for _ in range(2):
        with pytest.raises(BadAudio, match="longer than"):
            recording.decoder.read(1.0)
    assert recording.decoder.seconds == 2.5


def test_a_long_stream_is_never_held_whole(record: Record) -> None:
    minutes = 20
    raw = pcm(silence(60))
    recording = record("pcm_s16le", SAMPLE_RATE)
    for index in range(minutes):
        recording.append(index, raw)
    handover = recording.decoder._handover
    recording.decoder.end()
    while recording.decoder.read(20.0) is not None:
        assert handover._waiting <= (WAITING_SECONDS + 3) * SAMPLE_RATE
    assert recording.decoder.seconds == minutes * 60


def test_the_first_read_of_nothing_gives_nothing(record: Record) -> None:
    recording = record("webm")
    empty = recording.decoder.read(1.0)
    assert empty is not None
    assert len(empty) == 0
    assert recording.decoder.contributed is None
    assert len(recording.rest()) == 0


def test_closing_needs_no_end_and_may_be_repeated(record: Record) -> None:
    recording = record("webm")
    recording.append(0, WHOLE["webm"][:9000])
    assert len(recording.ready()) > 0
    recording.decoder.close()
    recording.decoder.close()
    assert recording.decoder.read(1.0) is None


def test_closing_while_the_decoder_is_full_or_never_read(record: Record) -> None:
    full = record("pcm_s16le", SAMPLE_RATE)
    full.append(0, pcm(silence(120)))
    assert full.decoder.read(0.1) is not None
    record("webm").append(0, WHOLE["webm"])


def test_closing_lets_a_read_in_another_thread_go(record: Record) -> None:
    recording = record("flac")
    recording.append(0, WHOLE["flac"])
    started = threading.Event()
    results: list[Samples | None] = []

    def read_on() -> None:
        while (piece := recording.decoder.read(0.1)) is not None:
            started.set()
        results.append(piece)

    reader = threading.Thread(target=read_on)
    reader.start()
    assert started.wait(10)
    recording.decoder.close()
    reader.join(10)
    assert results == [None]


def test_a_decoder_that_nobody_closed_lets_go_of_its_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    recording = Recording(tmp_path, "webm", None, 7200)
    recording.append(0, WHOLE["webm"][:9000])
    recording.ready()
    (thread,) = set(threading.enumerate()) - before
    gone = weakref.ref(recording.decoder)
    del recording
    gc.collect()
    assert gone() is None
    thread.join(10)
    assert not thread.is_alive()
