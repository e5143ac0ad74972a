"""Recordings in slices: the same words whatever happens to them, and how soon they are there.

``python -m bench.recording same`` sends one recording in slices of 1, 5 and 30 s, in order,
shuffled, a tenth of them doubled, the connection cut ten times, and compares every transcript with
that of the whole file and with what was said. ``kill`` kills the server again and again while it
takes the recording in. ``speechless`` sends silence, noise and music. ``tail`` measures the time
from the last slice, sent as fast as it is spoken, to the transcript, beside plain faster-whisper
over the whole file. ``throughput`` compares recognition alone with it. ``long`` watches the
server's memory over one long recording.
"""

import argparse
import base64
import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from faster_whisper import WhisperModel

from bench.report import RESULTS, show, spread, write
from bench.serving import Serving, addresses, lifeecho, settle
from bench.slice_client import SAMPLE_RATE, Line, cut, frame, on_line, received, send_all
from bench.spoken import Samples, music, pcm, silence, talk, white_noise
from lifeecho_server.engines.transcriber import Hearing
from lifeecho_server.engines.whisper import load_whisper

MICRO_WHISPER = Path(__file__).parents[1] / "tests" / "models" / "micro-whisper"
SLICE_SECONDS = (1.0, 5.0, 30.0)
SLICES_A_LIFE = 8


@dataclass(frozen=True, slots=True)
class Sent:
    """One way of sending a recording, and whether its words came out."""

    way: str
    as_the_whole_file: bool
    as_spoken: bool
    wrong_words: int


@contextmanager
def served(model: Path, people: int = 1, **settings: str) -> Iterator[tuple[Serving, list[str]]]:
    """Serve with one speech model; yield the server and the address of each conversation."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        data_dir, models_dir = Path(folder) / "data", Path(folder) / "models"
        shutil.copytree(model, models_dir / model.name)
        with lifeecho(data_dir, models_dir, **settings) as server:
            yield server, addresses(server.url, settle(data_dir, people))


def wrong_words(said: str, heard: str) -> int:
    """Return the least number of words to change, add or leave out (Levenshtein)."""
    one, other = said.split(), heard.split()
    row = list(range(len(other) + 1))
    for i, word in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, candidate in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != candidate))
    return row[-1]


def same(seconds: float, model: Path) -> list[Sent]:
    """Send one recording in every way, each in a conversation of its own."""
    said, samples = talk(seconds)
    sound, sent = pcm(samples), []
    ways = [(size, way) for size in SLICE_SECONDS for way in range(4)]
    with served(model, people=len(ways) + 1) as (_, lines):
        whole = _whole(lines[-1], sound)
        sent.append(_judged("whole file", said, whole, whole))
        for address, (size, way) in zip(lines, ways, strict=False):
            shuffled, doubled, cuts = way in (1, 3), 0.1 if way >= 2 else 0.0, 10 if way == 3 else 0
            shown = send_all(
                address, cut(sound, size), shuffled=shuffled, doubled=doubled, cuts=cuts, seed=way
            )
            name = ("in order", "shuffled", "a tenth doubled", "shuffled, doubled, cut 10 times")
            sent.append(_judged(f"{size:g} s, {name[way]}", said, whole, shown["text"]))
    return sent


def _whole(address: str, sound: bytes) -> str:
    with on_line(address) as line:
        line.until_asr()
        data = {"format": "pcm_s16le", "sample_rate": SAMPLE_RATE}
        data["audio_base64"] = base64.b64encode(sound).decode()
        line.socket.send(json.dumps({"type": "audio_message", "data": data}))
        text: str = line.until("transcript")["text"]
        return text


def _judged(way: str, said: str, whole: str, heard: str) -> Sent:
    return Sent(way, heard == whole, heard == said, wrong_words(said, heard))


@dataclass
class Killed:
    """What ``kill -9`` at random instants left."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    as_spoken: bool = False
    wrong_words: int = 0
    turns: int = 0


def kill(seconds: float, kills: int, model: Path, seed: int) -> Killed:
    """Send a recording to a server that is killed so often meanwhile, and count what is missing."""
    rng, killed = random.Random(seed), Killed()
    said, samples = talk(seconds)
    slices = cut(pcm(samples), len(samples) / SAMPLE_RATE / (kills * 3))
    acknowledged: set[int] = set()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        data_dir, models_dir = Path(folder) / "data", Path(folder) / "models"
        shutil.copytree(model, models_dir / model.name)
        with lifeecho(data_dir, models_dir) as server:
            [token] = [address.partition("token=")[2] for address in _settled(server, data_dir)]
        while True:
            with lifeecho(data_dir, models_dir) as server:
                [address] = addresses(server.url, [token])
                with on_line(address) as line:
                    here = received(line.until("connect"))
                    killed.lost += len(acknowledged - here)
                    left = [index for index in range(len(slices)) if index not in here]
                    if killed.kills < kills:
                        rng.shuffle(left)
                        _cut_short(server, line, slices, left[:SLICES_A_LIFE], rng)
                        acknowledged |= line.acknowledged
                        killed.kills += 1
                        continue
                    for index in left:
                        line.socket.send(frame(slices[index], index, index == len(slices) - 1))
                    shown = _transcript(line, slices, left)
                    break
        killed.turns = _turns(data_dir)
    killed.acknowledged = len(acknowledged)
    killed.as_spoken = shown["text"] == said
    killed.wrong_words = wrong_words(said, shown["text"])
    return killed


def _settled(server: Serving, data_dir: Path) -> list[str]:
    return addresses(server.url, settle(data_dir, 1))


def _cut_short(
    server: Serving, line: Line, slices: list[bytes], chosen: list[int], rng: random.Random
) -> None:
    """Send a few slices and kill the server somewhere in between."""
    last = len(slices) - 1
    instant = rng.randrange(len(chosen) + 1)
    try:
        for position, index in enumerate(chosen):
            if position == instant:
                break
            if index != last:  # the end stays for the end, or there would be nothing left to kill
                line.socket.send(frame(slices[index], index, False))
        time.sleep(rng.expovariate(1 / 0.05))
        server.kill()
    finally:
        line.drain()


def _transcript(line: Line, slices: list[bytes], left: list[int]) -> dict[str, Any]:
    shown = line.until("transcript")
    if not left:
        line.socket.send(frame(slices[-1], len(slices) - 1, True))
    return shown


def _turns(data_dir: Path) -> int:
    from lifeecho_server.store.database import Database

    with Database.open(data_dir / "lifeecho.db") as data:
        query = "SELECT count(*) FROM turns WHERE speaker = 'narrator'"
        return int(data.connection.execute(query).fetchone()[0])


@dataclass(frozen=True, slots=True)
class Speechless:
    """A sound in which nobody speaks, and what was made of it."""

    sound: str
    seconds: float
    words: int
    turn: bool


def speechless(seconds: float, model: Path) -> list[Speechless]:
    """Send sounds without speech in slices of 5 s."""
    sounds = {
        "silence": silence(seconds),
        "white noise, quiet": white_noise(seconds, 0.005),
        "white noise, loud": white_noise(seconds, 0.1),
        "music": music(seconds),
    }
    with served(model, people=len(sounds)) as (_, lines):
        return [
            _speechless(name, samples, address)
            for (name, samples), address in zip(sounds.items(), lines, strict=True)
        ]


def _speechless(name: str, samples: Samples, address: str) -> Speechless:
    shown = send_all(address, cut(pcm(samples), 5.0), shuffled=False, doubled=0, cuts=0, seed=0)
    seconds = len(samples) / SAMPLE_RATE
    return Speechless(name, seconds, len(shown["text"].split()), shown["message_id"] is not None)


@dataclass(frozen=True, slots=True)
class Tail:
    """Seconds from the last slice to the transcript, and of plain faster-whisper for the whole."""

    slice_seconds: float
    tail: float
    whole: float

    @property
    def ratio(self) -> float:
        """The share of the whole's time that is left to wait when the talk ends."""
        return self.tail / self.whole


def tail(seconds: float, model: Path, pace: float) -> list[Tail]:
    """Send a recording ``pace`` times as fast as it is spoken, for each length of slice."""
    _, samples = talk(seconds)
    whisper = _plain(model)
    tails = []
    with served(model, people=len(SLICE_SECONDS[:2])) as (_, lines):
        for address, size in zip(lines, SLICE_SECONDS, strict=False):
            waited = _tail(address, cut(pcm(samples), size), size / pace)
            begin = time.perf_counter()
            segments, _ = whisper.transcribe(
                samples, vad_filter=True, condition_on_previous_text=False
            )
            for _ in segments:
                pass
            tails.append(Tail(size, waited, time.perf_counter() - begin))
    return tails


def _tail(address: str, slices: list[bytes], pause: float) -> float:
    with on_line(address) as line:
        line.until_asr()
        for index, audio in enumerate(slices):
            time.sleep(pause)  # a slice is sent when it has been spoken
            ended = time.perf_counter()
            line.socket.send(frame(audio, index, index == len(slices) - 1))
        line.until("transcript")
        return time.perf_counter() - ended


@dataclass(frozen=True, slots=True)
class Throughput:
    """Seconds of sound recognised a second: whole files, talk that is followed, the library."""

    ours: float
    live: float
    plain: float


def throughput(seconds: float, model: Path) -> Throughput:
    """Recognise one recording by our adapter and by plain faster-whisper, in turn."""
    _, samples = talk(seconds)
    ours = load_whisper(model, 1)
    plain = _plain(model)

    def by_ours(live: bool) -> None:
        recognition = ours.begin(Hearing(live=live))
        recognition.hear(samples)
        recognition.finish()
        while recognition.step() is None:
            pass

    def by_plain() -> None:
        segments, _ = plain.transcribe(samples, vad_filter=True, condition_on_previous_text=False)
        for _ in segments:
            pass

    speeds = [
        len(samples) / SAMPLE_RATE / _seconds(work)
        for work in (partial(by_ours, False), partial(by_ours, True), by_plain)
    ]
    ours.close()
    return Throughput(*speeds)


def _seconds(work: Callable[[], None]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _plain(model: Path) -> WhisperModel:
    return WhisperModel(
        str(model), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
    )


@dataclass(frozen=True, slots=True)
class Held:
    """Memory of the server (10**6 bytes) after so many seconds of a recording were taken in."""

    seconds: float
    megabytes: float


def long(seconds: float, model: Path) -> tuple[list[Held], int]:
    """Send one recording of that length; return the memory on the way, and the words wrong."""
    said, samples = talk(seconds)
    slices = cut(pcm(samples), 5.0)
    step = max(1, len(slices) // 12)
    held = []
    with served(model) as (server, [address]), on_line(address) as line:
        line.until_asr()
        for index, audio in enumerate(slices):
            line.socket.send(frame(audio, index, index == len(slices) - 1))
            while line.until("segment_ack")["segment_index"] != index:
                pass
            if index % step == step - 1:
                held.append(Held(5.0 * (index + 1), server.megabytes()))
        shown = line.until("transcript")
        held.append(Held(len(samples) / SAMPLE_RATE, server.megabytes()))
    return held, wrong_words(said, shown["text"])


def _yes(value: bool) -> str:
    return "yes" if value else "NO"


def _show_same(arguments: argparse.Namespace) -> dict[str, Any]:
    sent = same(arguments.seconds, arguments.model)
    show(
        f"{arguments.seconds:g} s of known phrases",
        ("sent", "as the whole file", "as spoken", "wrong words"),
        [(s.way, _yes(s.as_the_whole_file), _yes(s.as_spoken), str(s.wrong_words)) for s in sent],
    )
    return {"same": [asdict(each) for each in sent]}


def _show_kill(arguments: argparse.Namespace) -> dict[str, Any]:
    killed = kill(arguments.seconds, arguments.kills, arguments.model, arguments.seed)
    rows = [(name.replace("_", " "), str(value)) for name, value in asdict(killed).items()]
    show(f"killed while {arguments.seconds:g} s of talk came in", ("what", "figure"), rows)
    return {"kill": asdict(killed)}


def _show_speechless(arguments: argparse.Namespace) -> dict[str, Any]:
    found = speechless(arguments.seconds, arguments.model)
    rows = [(s.sound, f"{s.seconds:g}", str(s.words), _yes(s.turn)) for s in found]
    show("nobody speaks", ("sound", "seconds", "words", "a turn"), rows)
    return {"speechless": [asdict(each) for each in found]}


def _show_tail(arguments: argparse.Namespace) -> dict[str, Any]:
    rounds = [
        each
        for _ in range(arguments.rounds)
        for each in tail(arguments.seconds, arguments.model, arguments.pace)
    ]
    rows = []
    for size in SLICE_SECONDS[:2]:
        these = [each for each in rounds if each.slice_seconds == size]
        rows.append(
            (
                f"{size:g} s",
                spread([each.tail for each in these]),
                spread([each.whole for each in these]),
                spread([each.ratio for each in these]),
            )
        )
    columns = ("slices", "end of speech to transcript, s", "whole file, s", "ratio")
    show(f"{arguments.seconds:g} s of talk, {arguments.model.name}", columns, rows)
    return {"tail": [asdict(each) for each in rounds]}


def _show_throughput(arguments: argparse.Namespace) -> dict[str, Any]:
    rounds = [throughput(arguments.seconds, arguments.model) for _ in range(arguments.rounds)]
    plain = [each.plain for each in rounds]
    by_name = {
        "whole file, ours": [each.ours for each in rounds],
        "live windows, ours": [each.live for each in rounds],
        "plain faster-whisper": plain,
    }
    rows = [
        (
            name,
            spread(speeds),
            spread([one / peer for one, peer in zip(speeds, plain, strict=True)]),
        )
        for name, speeds in by_name.items()
    ]
    columns = ("recognised by", "seconds of sound a second", "ratio")
    show(f"{arguments.seconds:g} s of talk, {arguments.model.name}", columns, rows)
    return {"throughput": [asdict(each) for each in rounds]}


def _show_long(arguments: argparse.Namespace) -> dict[str, Any]:
    held, wrong = long(arguments.seconds, arguments.model)
    rows = [(f"{each.seconds:g}", f"{each.megabytes:.0f}") for each in held]
    show(f"one recording, {wrong} words wrong", ("seconds taken in", "memory, MB"), rows)
    return {"long": [asdict(each) for each in held], "wrong_words": wrong}


MEASUREMENTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "same": _show_same,
    "kill": _show_kill,
    "speechless": _show_speechless,
    "tail": _show_tail,
    "throughput": _show_throughput,
    "long": _show_long,
}


def main() -> None:
    """Run one of the measurements."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=tuple(MEASUREMENTS))
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--model", type=Path, default=MICRO_WHISPER, help="a Whisper folder")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pace", type=float, default=4.0, help="times as fast as it is spoken")
    parser.add_argument("--out", type=Path, default=None)
    arguments = parser.parse_args()
    shown = MEASUREMENTS[arguments.what](arguments)
    write(arguments.out or RESULTS / f"recording-{arguments.what}.json", shown)


if __name__ == "__main__":
    main()
