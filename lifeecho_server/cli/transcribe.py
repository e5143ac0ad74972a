"""``lifeecho transcribe``: what recognition makes of a recording, with times."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import to_builtins

from lifeecho_server.cli.options import FILE, json_option, say, with_settings
from lifeecho_server.engines.faults import NotInstalled
from lifeecho_server.engines.transcriber import Hearing, Recognition, Transcript
from lifeecho_server.settings import Settings

if TYPE_CHECKING:
    from lifeecho_server.engines.audio import AudioDecoder


@click.command("transcribe")
@click.argument("file", type=FILE)
@json_option
@with_settings
def command(settings: Settings, file: Path, as_json: bool) -> None:
    """Recognise a recording, without a server, and show what was said and when."""
    transcript = _recognised(settings, file)
    answer: dict[str, Any] = to_builtins(transcript)
    say(answer, as_json, lines(transcript))


def _recognised(settings: Settings, file: Path) -> Transcript:
    from lifeecho_server.engines.audio import AudioDecoder
    from lifeecho_server.engines.installed import choose, verify
    from lifeecho_server.engines.whisper import load_whisper

    model = choose(settings.models_dir, settings.asr_model, "whisper")
    if model is None:
        raise NotInstalled(
            "no speech model is installed; take one in with `lifeecho models import PATH`"
        )
    verify(model)
    transcriber = load_whisper(model.path, settings.asr_threads)
    try:
        with AudioDecoder(file, limit_seconds=settings.audio_seconds_max) as decoder:
            transcript = _heard(transcriber.begin(Hearing()), decoder)
    finally:
        transcriber.close()
    return transcript


def _heard(recognition: Recognition, decoder: "AudioDecoder") -> Transcript:
    """Recognise a recording piece by piece. Raises BadAudio."""
    from lifeecho_server.engines.audio import PIECE_SECONDS, BadAudio

    while (piece := decoder.read(PIECE_SECONDS)) is not None:
        recognition.hear(piece)
        while not recognition.idle:
            recognition.step()
    if not decoder.seconds:
        raise BadAudio("the recording is empty; please record it again")
    recognition.finish()
    while (transcript := recognition.step()) is None:
        pass
    return transcript


def lines(transcript: Transcript) -> list[str]:
    """Return a transcript for a person: each segment with its times."""
    if not transcript.speech:
        return ["(no speech was heard)"]
    if not transcript.segments:
        return ["(there is speech, but it could not be understood)"]
    return [
        f"[{clock_time(segment.start)} – {clock_time(segment.end)}]  {segment.text}"
        + ("  (unsure)" if segment.unsure else "")
        for segment in transcript.segments
    ]


def clock_time(seconds: float) -> str:
    """Return seconds as ``m:ss.d``, with hours where there are any."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{head}:{rest // 10:02}.{rest % 10}"
