import os
import shutil
from pathlib import Path

import pytest

from lifeecho_server.engines.catalogue import CATALOGUE, find
from lifeecho_server.engines.faults import ModelBroken, NotInstalled
from lifeecho_server.engines.installed import choose, installed, recognise, remove, verify
from lifeecho_server.engines.manifest import MANIFEST, Manifest, sha256_of, write_manifest

MICRO_WHISPER = Path(__file__).parents[1] / "models" / "micro-whisper"
MICRO_LLAMA = MICRO_WHISPER.parent / "micro-llama.gguf"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A models folder with one of everything that can lie in it."""
    folder = tmp_path / "models"
    shutil.copytree(MICRO_WHISPER, folder / "whisper-b")
    shutil.copytree(MICRO_WHISPER, folder / "whisper-a")
    (folder / "talker").mkdir()
    shutil.copy(MICRO_LLAMA, folder / "talker" / "weights.gguf")
    shutil.copy(MICRO_LLAMA, folder / "alone.gguf")
    (folder / "README.md").write_text("not a model")
    (folder / "empty").mkdir()
    (folder / "fake.gguf").write_bytes(b"not a GGUF")
    shutil.copytree(MICRO_WHISPER, folder / ".importing-c")
    return folder


def test_models_are_told_by_content_in_order_of_name(models: Path) -> None:
    found = [(model.name, model.kind, model.path.name) for model in installed(models)]
    assert found == [
        ("alone", "llm", "alone.gguf"),
        ("talker", "llm", "weights.gguf"),
        ("whisper-a", "whisper", "whisper-a"),
        ("whisper-b", "whisper", "whisper-b"),
    ]
    sizes = {model.name: model.bytes for model in installed(models)}
    assert sizes["alone"] == MICRO_LLAMA.stat().st_size
    assert sizes["whisper-a"] == sum(file.stat().st_size for file in MICRO_WHISPER.iterdir())


def test_a_folder_that_is_not_there_has_no_models(tmp_path: Path) -> None:
    assert installed(tmp_path / "none") == []
    assert choose(tmp_path / "none", None, "llm") is None


def test_without_a_setting_the_first_of_the_kind_is_taken(models: Path) -> None:
    whisper, llm = choose(models, None, "whisper"), choose(models, None, "llm")
    assert whisper is not None
    assert llm is not None
    assert (whisper.name, llm.name) == ("whisper-a", "alone")


@pytest.mark.parametrize(
    ("setting", "kind", "name"),
    [
        ("whisper-b", "whisper", "whisper-b"),
        ("alone", "llm", "alone"),
        ("alone.gguf", "llm", "alone"),
        (str(MICRO_LLAMA), "llm", "micro-llama"),
        (str(MICRO_WHISPER), "whisper", "micro-whisper"),
    ],
)
def test_a_setting_is_a_name_a_file_name_or_a_path(
    models: Path, setting: str, kind: str, name: str
) -> None:
    model = choose(models, setting, "llm" if kind == "llm" else "whisper")
    assert model is not None
    assert model.name == name


def test_a_named_model_that_is_missing_or_of_another_kind_is_an_error(models: Path) -> None:
    with pytest.raises(NotInstalled, match="'none' is not in"):
        choose(models, "none", "whisper")
    with pytest.raises(NotInstalled):
        choose(models, "fake.gguf", "llm")
    with pytest.raises(ModelBroken, match="is of kind llm, not whisper"):
        choose(models, "alone", "whisper")


def record(folder: Path) -> None:
    sums = {path.name: sha256_of(path) for path in folder.iterdir()}
    write_manifest(folder, Manifest("whisper", sums, "somewhere"))


def test_every_file_is_compared_with_what_was_installed(models: Path) -> None:
    folder = models / "whisper-a"
    record(folder)
    model = recognise(folder)
    assert model is not None
    assert model.sha256 == sha256_of(MICRO_WHISPER / "model.bin")
    verify(model)
    weights = folder / "model.bin"
    times = weights.stat()
    damaged = bytearray(weights.read_bytes())
    damaged[-1] ^= 1
    weights.write_bytes(damaged)
    os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(ModelBroken, match=r"model\.bin of the model 'whisper-a' is not what"):
        verify(model)
    weights.unlink()
    with pytest.raises(ModelBroken, match="cannot be read"):
        verify(model)


def test_a_model_put_there_by_hand_is_not_compared(models: Path) -> None:
    for model in installed(models):
        assert model.sha256 is None
        verify(model)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"kind":"whisper","sha256":{"../x":"0"},"source":""}']
)
def test_a_damaged_manifest_is_told_at_loading_and_the_list_goes_on(
    models: Path, content: bytes
) -> None:
    (models / "whisper-a" / MANIFEST).write_bytes(content)
    model = choose(models, "whisper-a", "whisper")
    assert model is not None
    with pytest.raises(ModelBroken, match="is damaged"):
        verify(model)


def test_removing_takes_that_model_only(models: Path) -> None:
    for name in ("alone", "whisper-a"):
        remove(models, name)
    assert [model.name for model in installed(models)] == ["talker", "whisper-b"]
    assert (models / "README.md").exists()
    assert not (models / ".removing-whisper-a").exists()
    remove(models, "talker")
    assert not (models / "talker").exists()


@pytest.mark.parametrize("name", ["", ".", "..", "../outside", "/etc", "README.md", "empty"])
def test_nothing_but_a_model_is_removed(models: Path, name: str) -> None:
    shutil.copytree(MICRO_WHISPER, models.parent / "outside")
    before = sorted(models.parent.rglob("*"))
    with pytest.raises(NotInstalled):
        remove(models, name)
    assert sorted(models.parent.rglob("*")) == before


def test_removing_a_link_leaves_what_it_points_to(models: Path) -> None:
    outside = shutil.copytree(MICRO_WHISPER, models.parent / "outside")
    (models / "linked").symlink_to(outside)
    remove(models, "linked")
    assert not (models / "linked").exists()
    assert recognise(outside) is not None


def test_the_catalogue_has_what_the_documents_promise() -> None:
    names = {entry.name for entry in CATALOGUE}
    assert len(names) == len(CATALOGUE)
    assert names >= {f"whisper-{size}" for size in ("tiny", "base", "small", "medium")}
    assert "whisper-large-v3-turbo" in names
    assert {"qwen2.5-0.5b-instruct", "qwen3-4b"} <= names
    for entry in CATALOGUE:
        assert entry.repo.count("/") == 1
        assert min(entry.megabytes, entry.memory) > 0
        assert {"zh", "en"} <= set(entry.languages)


def test_a_catalogue_name_is_found_in_any_case() -> None:
    entry = find("Qwen2.5-0.5B-Instruct")
    assert entry is not None
    assert entry.repo == "Qwen/Qwen2.5-0.5B-Instruct-GGUF"
    assert entry.files == ("qwen2.5-0.5b-instruct-q4_k_m.gguf",)
    assert find("gpt-9") is None
