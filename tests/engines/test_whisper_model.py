import shutil
import struct
from pathlib import Path

import pytest

from lifeecho_server.engines.faults import ModelBroken, RecognitionFailed
from lifeecho_server.engines.transcriber import Hearing
from lifeecho_server.engines.whisper import load_whisper
from lifeecho_server.engines.whisper_model import missing_files, open_whisper, threads_for
from tests.engines.clips import clips

MICRO_WHISPER = Path(__file__).parents[1] / "models" / "micro-whisper"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MICRO_WHISPER, tmp_path / "model"))


@pytest.mark.parametrize("name", ["config.json", "model.bin", "tokenizer.json", "vocabulary.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert missing_files(folder) == (name,)
    with pytest.raises(ModelBroken, match=f"incomplete: {name} is missing"):
        load_whisper(folder)


def test_a_folder_that_is_not_there_lacks_everything(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match=r"config\.json, model\.bin, tokenizer\.json"):
        load_whisper(tmp_path / "none")


DAMAGE = [
    (name, content)
    for name in ("config.json", "model.bin", "tokenizer.json", "vocabulary.json")
    for content in (b"", b"{}", b"[]", b"\xff\xfe garbage")
    if (name, content) != ("config.json", b"{}")  # CTranslate2 has defaults for all of it
]


@pytest.mark.parametrize(("name", "content"), DAMAGE)
def test_a_damaged_file_is_a_broken_model(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(ModelBroken, match="'model'"):
        load_whisper(folder)


def test_truncated_weights_are_a_broken_model(folder: Path) -> None:
    weights = folder / "model.bin"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(ModelBroken, match="cannot be loaded"):
        load_whisper(folder)


def test_a_preprocessor_of_another_model_is_told(folder: Path) -> None:
    (folder / "preprocessor_config.json").write_text('{"feature_size": 128}')
    with pytest.raises(ModelBroken, match="80 mel bands and is given 128"):
        load_whisper(folder)


@pytest.mark.parametrize("content", ["not json", '"text"', "[1]"])
def test_a_damaged_preprocessor_is_told(folder: Path, content: str) -> None:
    (folder / "preprocessor_config.json").write_text(content)
    with pytest.raises(ModelBroken):
        load_whisper(folder)


@pytest.mark.parametrize(
    ("processors", "threads"), [(1, 1), (2, 1), (4, 2), (8, 4), (16, 4), (64, 4)]
)
def test_the_event_loop_keeps_its_share(processors: int, threads: int) -> None:
    assert threads_for(processors) == threads


def test_a_window_is_what_the_model_hears_at_once(folder: Path) -> None:
    (folder / "preprocessor_config.json").unlink()
    assert open_whisper(folder, 1).window_seconds == 29.5
    (folder / "preprocessor_config.json").write_text('{"chunk_length": 5}')
    assert open_whisper(folder, 1).window_seconds == 4.5


def test_languages_are_those_the_model_knows(folder: Path) -> None:
    model = open_whisper(folder, 1)
    assert model.spoken(("zh", "en")) == ("zh", "en")
    assert model.spoken(("tlh", "en")) == ("en",)
    assert "zh" in model.spoken(("tlh",))


def test_cantonese_is_chinese_to_a_model_without_it(folder: Path) -> None:
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text().replace("<|yue|>", "<|xyz|>"))
    assert open_whisper(folder, 1).spoken(("yue", "en")) == ("en", "zh")


def test_odds_are_among_the_languages_asked_about(folder: Path) -> None:
    model = open_whisper(folder, 1)
    for clip in clips():
        odds = model.language_odds(clip.samples(), ("en", "zh", "fr"))
        assert set(odds) == {"en", "zh", "fr"}
        assert sum(odds.values()) == pytest.approx(1)
        assert odds[clip.language] > 0.9


def test_looking_at_the_language_first_changes_no_word(folder: Path) -> None:
    model = open_whisper(folder, 1)
    for clip in clips():
        samples = clip.samples()
        alone = model.hear(samples.copy(), clip.language, "", "")
        model.language_odds(samples, ("en", "zh"))
        assert model.hear(samples, clip.language, "", "") == alone


def test_a_closed_model_fails_the_recording_and_says_so(folder: Path) -> None:
    whisper = load_whisper(folder)
    recognition = whisper.begin(Hearing())
    recognition.hear(clips()[0].samples())
    assert recognition.step() is None
    recognition.finish()
    assert recognition.step() is None
    whisper.close()
    with pytest.raises(RecognitionFailed, match="could not be recognised"):
        recognition.step()


def test_weights_of_another_version_are_a_broken_model(folder: Path) -> None:
    weights = bytearray((folder / "model.bin").read_bytes())
    weights[:4] = struct.pack("<I", 999)
    (folder / "model.bin").write_bytes(weights)
    with pytest.raises(ModelBroken, match="version"):
        load_whisper(folder)
