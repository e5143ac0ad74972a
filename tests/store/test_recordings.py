import hashlib
import stat
from pathlib import Path

import pytest

from lifeecho_server.store.errors import StoreFailed
from lifeecho_server.store.recordings import NewRecording, RecordingFiles
from tests.store.household import NOON


def test_audio_is_kept_privately_under_the_servers_own_id(tmp_path: Path) -> None:
    files = RecordingFiles(tmp_path)
    new = files.write("abc", b"RIFF....", format="wav", at=NOON)
    digest = hashlib.sha256(b"RIFF....").hexdigest()
    assert new == NewRecording("abc", "2024/05/01/abc.wav", "wav", None, 8, digest)
    path = files.path(new.path)
    assert path == tmp_path / "recordings" / "2024" / "05" / "01" / "abc.wav"
    assert path.read_bytes() == b"RIFF...."
    assert [file.name for file in path.parent.iterdir()] == ["abc.wav"]
    modes = {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, *path.parents[1:4])}
    assert (modes, stat.S_IMODE(path.stat().st_mode)) == ({0o700}, 0o600)


def test_deleting_is_real_and_may_be_repeated(tmp_path: Path) -> None:
    files = RecordingFiles(tmp_path)
    kept = files.write("kept", b"a", format="wav", at=NOON)
    gone = files.write("gone", b"b", format="pcm_s16le", at=NOON, sample_rate=16_000)
    for _ in range(2):
        files.delete([gone.path, "2001/01/01/never.wav"])
    assert files.path(kept.path).exists()
    assert not files.path(gone.path).exists()


@pytest.mark.parametrize("name", ["../up", "a/b", "", "x" * 65, "a.b"])
def test_names_that_are_not_the_servers_own_are_refused(tmp_path: Path, name: str) -> None:
    files = RecordingFiles(tmp_path)
    with pytest.raises(ValueError, match="server's own"):
        files.write(name, b"a", format="wav", at=NOON)
    with pytest.raises(ValueError, match="server's own"):
        files.write("id", b"a", format=name, at=NOON)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["../lifeecho.db", "/etc/hostname", "2024/../../secret"])
def test_a_path_out_of_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="inside its folder"):
        RecordingFiles(tmp_path).path(path)


def test_a_disk_that_will_not_is_told_plainly_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("a file where the folder should be")
    files = RecordingFiles(tmp_path)
    with pytest.raises(StoreFailed, match=r"abc\.wav"):
        files.write("abc", b"a", format="wav", at=NOON)
    assert [file.name for file in tmp_path.iterdir()] == ["recordings"]
