"""models, transcribe, doctor: with the small models that were made for the tests."""

import shutil
import wave

import pytest

from lifeecho_server.cli.transcribe import clock_time, lines
from lifeecho_server.engines.transcriber import Segment, Transcript


@pytest.fixture
def whisper(home, models_made):
    shutil.copytree(models_made / "micro-whisper", home.models / "micro-whisper")


@pytest.fixture
def silence(home):
    path = home.folder / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(2 * 16_000))
    return path


def test_without_models_the_list_says_so(home):
    assert home.json("models", "list")["installed"] == []
    assert "No model is installed" in home.ok("models", "list")
    names = [entry["name"] for entry in home.json("models", "list")["catalogue"]]
    assert "whisper-small" in names


def test_models_are_imported_listed_and_removed(home, models_made):
    added = home.json("models", "import", str(models_made / "micro-whisper"))
    assert added["name"] == "micro-whisper"
    assert added["kind"] == "whisper"
    home.ok("models", "import", str(models_made / "micro-llama.gguf"))
    listed = home.json("models", "list")["installed"]
    assert [model["name"] for model in listed] == ["micro-llama", "micro-whisper"]
    assert all(len(model["sha256"]) == 64 for model in listed)
    assert home.json("models", "remove", "micro-llama") == {"name": "micro-llama", "removed": True}
    assert "no model 'micro-llama'" in home.told("models", "remove", "micro-llama")


def test_what_is_no_model_is_not_imported(home):
    (home.folder / "notes.gguf").write_text("not a model")
    assert "notes.gguf" in home.told("models", "import", str(home.folder / "notes.gguf"))
    assert "does not exist" in home.told("models", "import", "nowhere")


@pytest.mark.usefixtures("whisper")
def test_transcribe_hears_silence(home, silence):
    assert home.ok("transcribe", str(silence)) == "(no speech was heard)\n"
    answer = home.json("transcribe", str(silence))
    assert answer["speech"] is False
    assert answer["segments"] == []
    assert answer["duration"] == pytest.approx(1.0)


@pytest.mark.usefixtures("whisper")
def test_transcribe_hears_what_was_said(home, models_made):
    recording = str(models_made / "recordings" / "mother-sang.wav")
    (segment,) = home.json("transcribe", recording)["segments"]
    assert segment["text"] == "My mother sang every evening."
    assert 0 <= segment["start"] < segment["end"]
    assert "My mother sang every evening." in home.ok("transcribe", recording)


def test_transcribe_without_a_model_says_how_to_get_one(home, silence):
    assert "lifeecho models import" in home.told("transcribe", str(silence))


@pytest.mark.usefixtures("whisper")
def test_transcribe_tells_unreadable_audio(home):
    (home.folder / "letter.wav").write_text("dear all")
    assert "recording" in home.told("transcribe", str(home.folder / "letter.wav"))
    assert home.run("transcribe", "none.wav").exit_code == 2


def test_segments_are_shown_with_their_times():
    segments = (Segment(0.0, 1.26, "hello"), Segment(61.0, 3700.0, "well", unsure=True))
    transcript = Transcript("hello well", "en", segments, 3700.0, speech=True)
    assert lines(transcript) == [
        "[0:00.0 – 0:01.3]  hello",
        "[1:01.0 – 1:01:40.0]  well  (unsure)",
    ]
    unsure = Transcript("", "en", (), 2.0, speech=True, unsure=True)
    assert lines(unsure) == ["(there is speech, but it could not be understood)"]


def test_times_never_show_sixty_seconds():
    assert clock_time(59.96) == "1:00.0"
    assert clock_time(3599.99) == "1:00:00.0"
