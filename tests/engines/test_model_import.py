import shutil
from pathlib import Path

import pytest

from lifeecho_server.engines.faults import ModelBroken
from lifeecho_server.engines.installed import installed, verify
from lifeecho_server.engines.manifest import MANIFEST, read_manifest, sha256_of
from lifeecho_server.engines.model_import import CannotImport, import_model

MICRO_WHISPER = Path(__file__).parents[1] / "models" / "micro-whisper"
MICRO_LLAMA = MICRO_WHISPER.parent / "micro-llama.gguf"


def not_called(path: Path) -> None:
    raise AssertionError(path)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MICRO_WHISPER, tmp_path / "from" / "base"))


def test_a_whisper_folder_is_copied_and_recorded(models: Path, source: Path) -> None:
    (source / "pytorch_model.bin").write_bytes(b"not needed")
    model = import_model(source, models, not_called)
    assert (model.name, model.kind, model.path) == ("base", "whisper", models / "base")
    assert model.sha256 == sha256_of(MICRO_WHISPER / "model.bin")
    manifest = read_manifest(model.path)
    assert manifest is not None
    assert set(manifest.sha256) == {path.name for path in MICRO_WHISPER.iterdir()}
    assert manifest.source == str(source)
    verify(model)
    assert [entry.name for entry in models.iterdir()] == ["base"]


@pytest.mark.parametrize("as_folder", [False, True])
def test_a_gguf_gets_a_folder_of_its_own(models: Path, tmp_path: Path, as_folder: bool) -> None:
    path = tmp_path / "tiny" / "Talker-Q8_0.gguf"
    path.parent.mkdir()
    shutil.copy(MICRO_LLAMA, path)
    tried: list[Path] = []
    model = import_model(path.parent if as_folder else path, models, tried.append)
    assert model.name == ("tiny" if as_folder else "Talker-Q8_0")
    assert (model.kind, model.path) == ("llm", models / model.name / "Talker-Q8_0.gguf")
    assert [file.name for file in tried] == ["Talker-Q8_0.gguf"]
    assert tried[0].parent.name.startswith(".importing-")
    verify(model)


def test_links_are_followed_as_in_a_download_cache(models: Path, source: Path) -> None:
    linked = source.parent / "linked"
    linked.mkdir()
    for file in source.iterdir():
        (linked / file.name).symlink_to(file)
    model = import_model(linked, models, not_called)
    assert not any(file.is_symlink() for file in model.path.iterdir())
    verify(model)


def test_what_does_not_load_leaves_nothing_behind(models: Path, source: Path) -> None:
    weights = source / "model.bin"
    weights.write_bytes(weights.read_bytes()[:-5000])
    with pytest.raises(ModelBroken, match="cannot be loaded"):
        import_model(source, models, not_called)
    assert list(models.iterdir()) == []


def test_a_gguf_that_does_not_load_leaves_nothing_behind(models: Path) -> None:
    def refuse(path: Path) -> None:
        raise ModelBroken(f"{path.name} has no chat template")

    with pytest.raises(ModelBroken, match="no chat template"):
        import_model(MICRO_LLAMA, models, refuse)
    assert list(models.iterdir()) == []


def test_an_incomplete_folder_is_told_before_copying(models: Path, source: Path) -> None:
    (source / "tokenizer.json").unlink()
    with pytest.raises(ModelBroken, match=r"tokenizer\.json is missing"):
        import_model(source, models, not_called)
    assert not models.exists()


@pytest.mark.parametrize("name", ["notes.txt", "none", "empty"])
def test_what_is_no_model_is_told(models: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelBroken, match=r"does not exist|is neither"):
        import_model(tmp_path / name, models, not_called)


def test_a_name_that_is_taken_is_refused(models: Path, source: Path) -> None:
    import_model(source, models, not_called)
    (source / "config.json").write_text("{}")
    with pytest.raises(CannotImport, match="'base' already"):
        import_model(source, models, not_called)
    verify(installed(models)[0])


@pytest.mark.parametrize("name", [".hidden", "a b", "家", "-x", "x" * 101])
def test_a_name_that_is_not_plain_is_refused(models: Path, source: Path, name: str) -> None:
    renamed = source.rename(source.with_name(name))
    with pytest.raises(CannotImport, match="cannot be a model's name"):
        import_model(renamed, models, not_called)


def test_what_an_interrupted_import_left_is_no_obstacle(models: Path, source: Path) -> None:
    left = models / ".importing-base"
    left.mkdir(parents=True)
    (left / "model.bin").write_bytes(b"half")
    (left / "strange.bin").write_bytes(b"of another")
    model = import_model(source, models, not_called)
    assert not (model.path / "strange.bin").exists()
    assert (model.path / MANIFEST).exists()
    assert not left.exists()


def test_a_models_folder_that_cannot_be_written_is_told(tmp_path: Path, source: Path) -> None:
    (tmp_path / "models").write_text("a file in its place")
    with pytest.raises(CannotImport, match="cannot be copied"):
        import_model(source, tmp_path / "models", not_called)
