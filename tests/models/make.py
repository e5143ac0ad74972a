"""Make the test models: ``python tests/models/make.py whisper`` and so on (see README.md here)."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

WHISPER = HERE / "micro-whisper"
LLAMA = HERE / "micro-llama.gguf"


def whisper(arguments: argparse.Namespace) -> None:
    """Train the micro Whisper and export it."""
    from tests.models.whisper.export import export
    from tests.models.whisper.training import train

    arguments.scratch.mkdir(parents=True, exist_ok=True)
    export(*train(arguments.scratch), arguments.whisper)


def llama(arguments: argparse.Namespace) -> None:
    """Train the micro llama and export it."""
    from tests.models.llama.export import export
    from tests.models.llama.training import train

    arguments.scratch.mkdir(parents=True, exist_ok=True)
    export(*train(), arguments.llama)


def evaluate(arguments: argparse.Namespace) -> None:
    """Print how well both models do on what they have not seen."""
    from tests.models.llama.evaluation import evaluate as evaluate_llama
    from tests.models.whisper.evaluation import evaluate as evaluate_whisper

    evaluate_whisper(arguments.whisper, arguments.scratch)
    evaluate_llama(arguments.llama)


def record(arguments: argparse.Namespace) -> None:
    """Speak the committed recordings anew and check that the micro Whisper recognises them."""
    from tests.models.whisper.recording import record as record_phrases

    record_phrases(arguments.whisper, HERE / "recordings")


def random_llm(arguments: argparse.Namespace) -> None:
    """Write a GGUF of Qwen2.5-0.5B's shape with random weights."""
    from tests.models.architecture.random_llm import write

    write(arguments.out)


def random_whisper(arguments: argparse.Namespace) -> None:
    """Write a CTranslate2 folder of Whisper base's shape with random weights."""
    from tests.models.architecture.random_whisper import write

    write(arguments.out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make.py", description="Make the test models.")
    parser.add_argument("--scratch", type=Path, default=HERE / ".build", help="clips, checkpoints")
    parser.add_argument("--whisper", type=Path, default=WHISPER, help="the micro Whisper's folder")
    parser.add_argument("--llama", type=Path, default=LLAMA, help="the micro llama's file")
    commands = parser.add_subparsers(required=True)
    for command in (whisper, llama, evaluate, record):
        _add(commands, command)
    for command in (random_llm, random_whisper):
        _add(commands, command).add_argument("out", type=Path)
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    command: Callable[[argparse.Namespace], None],
) -> argparse.ArgumentParser:
    """Add a command under its function's name, with its docstring as help."""
    added: argparse.ArgumentParser = commands.add_parser(
        command.__name__.replace("_", "-"), help=command.__doc__
    )
    added.set_defaults(command=command)
    return added


def main(words: Sequence[str] | None = None) -> None:
    """Run one command."""
    arguments = _parser().parse_args(words)
    arguments.command(arguments)


if __name__ == "__main__":
    main()
