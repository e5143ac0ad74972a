import random
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.engines.audio import AudioDecoder, BadAudio, decode
from lifeecho_server.engines.transcriber import SAMPLE_RATE, Samples
from tests.engines.clips import ENCODINGS, encoded, noise, pcm, silence, sine

MOSTLY_THE_SAME = 0.9
FRAGMENTED = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "200000"}


def correlation(one: Samples, other: Samples) -> float:
    """Best correlation over small shifts: encoders delay what they are given."""
    length = min(len(one), len(other)) - 2000
    heard = other[1000 : 1000 + length]
    return max(
        float(np.corrcoef(one[1000 + shift : 1000 + shift + length], heard)[0, 1])
        for shift in range(-600, 601, 4)
    )


@pytest.mark.parametrize("form", sorted(ENCODINGS))
def test_every_format_sounds_the_same(form: str) -> None:
    sound = np.concatenate([sine(0.6, 330), silence(0.2), sine(0.9, 520)])
    decoded = decode(encoded(sound, form))
    assert decoded.dtype == np.float32
    assert len(decoded) == pytest.approx(len(sound), abs=0.12 * SAMPLE_RATE)
    assert correlation(decoded, sound) > MOSTLY_THE_SAME


def test_a_file_and_its_bytes_decode_alike(tmp_path: Path) -> None:
    path = tmp_path / "r.webm"
    path.write_bytes(encoded(sine(1.0), "webm"))
    np.testing.assert_array_equal(decode(path), decode(path.read_bytes()))


def test_the_bytes_tell_the_format_whatever_was_declared() -> None:
    assert len(decode(encoded(sine(1.0), "ogg"), format="m4a")) > 0


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_raw_pcm_is_brought_to_16_khz(rate: int) -> None:
    moments = np.arange(rate) / rate
    sound = (0.3 * np.sin(2 * np.pi * 300 * moments)).astype(np.float32)
    decoded = decode(pcm(sound), format="pcm_s16le", sample_rate=rate)
    assert len(decoded) == pytest.approx(SAMPLE_RATE, abs=20)
    assert float(np.abs(decoded).max()) == pytest.approx(0.3, abs=0.02)


def test_half_a_sample_at_the_end_of_raw_pcm_is_dropped() -> None:
    decoded = decode(pcm(sine(0.5)) + b"\x01", format="pcm_s16le", sample_rate=SAMPLE_RATE)
    assert len(decoded) == SAMPLE_RATE // 2


@pytest.mark.parametrize("rate", [None, 0, -16_000, 1, 10_000_000])
def test_raw_pcm_needs_a_sample_rate_that_exists(rate: int | None) -> None:
    with pytest.raises(BadAudio, match="sample rate"):
        decode(pcm(sine(0.5)), format="pcm_s16le", sample_rate=rate)


def test_two_channels_are_averaged_and_do_not_clip() -> None:
    loud = np.full(SAMPLE_RATE, 0.9, np.float32)
    stereo = np.repeat(loud, 2)
    header = bytearray(encoded(stereo, "wav"))
    at = header.index(b"fmt ")
    header[at + 10 : at + 12] = (2).to_bytes(2, "little")
    header[at + 16 : at + 20] = (SAMPLE_RATE * 4).to_bytes(4, "little")
    header[at + 20 : at + 22] = (4).to_bytes(2, "little")
    decoded = decode(bytes(header))
    assert len(decoded) == pytest.approx(SAMPLE_RATE, abs=20)
    assert float(np.median(decoded)) == pytest.approx(0.9, abs=0.01)


@given(pieces=st.lists(st.floats(0.05, 3.0), min_size=1, max_size=8))
def test_reading_in_pieces_gives_the_same_as_at_once(pieces: list[float]) -> None:
    raw = pcm(noise(4.0, 0.1))
    got: list[Samples] = []
    with AudioDecoder(raw, format="pcm_s16le", sample_rate=48_000) as decoder:
        for seconds in pieces * 60:
            if (piece := decoder.read(seconds)) is None:
                break
            assert 0 < len(piece) <= round(seconds * SAMPLE_RATE) + 1
            got.append(piece)
        assert decoder.seconds == sum(map(len, got)) / SAMPLE_RATE
    whole = decode(raw, format="pcm_s16le", sample_rate=48_000)
    joined = np.concatenate(got)
    np.testing.assert_array_equal(joined, whole[: len(joined)])


def test_what_is_too_long_is_refused_as_soon_as_it_is() -> None:
    with pytest.raises(BadAudio, match=r"longer than 0\.5 minutes"):
        decode(encoded(silence(31), "flac"), limit_seconds=30)


def test_a_long_recording_is_never_held_whole() -> None:
    decoder = AudioDecoder(encoded(silence(120), "flac"))
    with decoder:
        while decoder.read(1.0) is not None:
            assert decoder._available < 2 * SAMPLE_RATE
    assert decoder.seconds == pytest.approx(120, abs=0.1)


@pytest.mark.parametrize("form", ["m4a", "mp4"])
def test_a_plain_m4a_cut_short_says_so(form: str) -> None:
    whole = encoded(noise(3.0, 0.2), form)
    with pytest.raises(BadAudio, match="cut short"):
        decode(whole[: len(whole) * 2 // 3])


@pytest.mark.parametrize("form", ["webm", "ogg", "mp3", "wav", "flac"])
def test_other_formats_cut_short_give_what_is_there(form: str) -> None:
    whole = encoded(noise(4.0, 0.2), form)
    decoded = decode(whole[: len(whole) // 2])
    assert 0.9 < len(decoded) / SAMPLE_RATE < 3.0  # an Ogg page is a second


def test_a_fragmented_mp4_cut_short_gives_what_is_there() -> None:
    whole = encoded(noise(4.0, 0.2), "mp4", options=FRAGMENTED)
    assert 1.0 < len(decode(whole[: len(whole) // 2])) / SAMPLE_RATE < 3.0


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"", "empty"),
        (encoded(sine(0.1), "wav")[:-3200], "empty"),
        (b"\0" * 4000, "format"),
        (b"not a recording at all", "format"),
        (b"RIFF\x04\0\0\0WAVE", "damaged"),
        (b"\x1a\x45\xdf\xa3" + b"\xff" * 3000, "damaged"),
        (b"OggS" + bytes(3000), "damaged"),
    ],
)
def test_what_no_decoder_reads_is_bad_audio(source: bytes, said: str) -> None:
    with pytest.raises(BadAudio, match=said):
        decode(source)


def test_a_file_that_is_not_there_is_bad_audio(tmp_path: Path) -> None:
    with pytest.raises(BadAudio, match="cannot be opened"):
        decode(tmp_path / "none.wav")


@pytest.mark.parametrize("declared", [None, "wav", "mp4", "ogg"])
def test_a_playlist_is_no_recording_and_opens_nothing(
    declared: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/a.wav"
        secret = tmp_path / "secret.wav"
        secret.write_bytes(encoded(sine(1.0), "wav"))
        monkeypatch.chdir(tmp_path)
        for target in (address, str(secret), "secret.wav"):
            playlists = (
                f"#EXTM3U\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n",
                f"ffconcat version 1.0\nfile '{target}'\n",
            )
            for playlist in playlists:
                with pytest.raises(BadAudio):
                    decode(playlist.encode(), format=declared)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("form", sorted(ENCODINGS))
def test_damaged_bytes_are_bad_audio_or_what_is_left(form: str) -> None:
    whole = encoded(noise(1.0, 0.2), form)
    rng = random.Random(f"damage {form}")
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(rng.choice((1, 8, 64, 400))):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        cut = rng.choice((len(damaged), rng.randrange(len(damaged))))
        _decoded_or_refused(bytes(damaged[:cut]))


@given(
    tail=st.binary(max_size=600), form=st.sampled_from(sorted(ENCODINGS)), keep=st.integers(4, 90)
)
def test_hostile_bytes_after_a_good_beginning_are_refused(
    tail: bytes, form: str, keep: int
) -> None:
    _decoded_or_refused(HEADS[form][:keep] + tail)


HEADS = {form: encoded(sine(0.2), form) for form in ENCODINGS}


def _decoded_or_refused(source: bytes) -> None:
    try:
        decoded = decode(source, limit_seconds=60)
    except BadAudio:
        return
    assert decoded.dtype == np.float32
    assert np.isfinite(decoded).all()
    assert float(np.abs(decoded).max()) <= 1.0
