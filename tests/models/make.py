"""Make the test models: ``python tests/models/make.py whisper`` and so on (see README.md here)."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as with PyTorch, more are slower

if TYPE_CHECKING:
    from tests.models.whisper.recipe import Recipe

WHISPER = HERE / "micro-whisper"
WHISPER_WORDS = HERE / "micro-whisper-words"
LLAMA = HERE / "micro-llama.gguf"


def whisper(arguments: argparse.Namespace) -> None:
    """Train the micro Whisper and export it."""
    from tests.models.whisper.recipes import CLOSED_SET

    _train_whisper(CLOSED_SET, arguments.scratch, arguments.whisper)


def whisper_words(arguments: argparse.Namespace) -> None:
    """Train the micro Whisper that hears word by word and export it."""
    from tests.models.whisper.recipes import WORD_BY_WORD

    _train_whisper(WORD_BY_WORD, arguments.scratch, arguments.whisper_words)


def _train_whisper(recipe: "Recipe", scratch: Path, folder: Path) -> None:
    """Train stage by stage; what there is after each is exported."""
    from tests.models.whisper.export import export
    from tests.models.whisper.training import train

    scratch.mkdir(parents=True, exist_ok=True)
    for model, tokens in train(recipe, scratch):
        export(model, tokens, folder)


def llama(arguments: argparse.Namespace) -> None:
    """Train the micro llama and export it."""
    from tests.models.llama.export import export
    from tests.models.llama.training import train

    arguments.scratch.mkdir(parents=True, exist_ok=True)
    export(*train(), arguments.llama)


def evaluate(arguments: argparse.Namespace) -> None:
    """Print how well the models do on what they have not seen."""
    from tests.models.llama.evaluation import evaluate as evaluate_llama
    from tests.models.whisper.evaluation import evaluate as evaluate_whisper

    evaluate_whisper(arguments.whisper, arguments.scratch)
    evaluate_words(arguments)
    evaluate_llama(arguments.llama)


def evaluate_words(arguments: argparse.Namespace) -> None:
    """Print how well the word-by-word Whisper does on what it has not heard."""
    from tests.models.whisper.word_evaluation import evaluate as evaluate_whisper

    evaluate_whisper(arguments.whisper_words, arguments.scratch)


def record(arguments: argparse.Namespace) -> None:
    """Speak the committed recordings anew and check that the micro Whisper recognises them."""
    from tests.models.whisper.recording import record as record_phrases

    record_phrases(arguments.whisper, HERE / "recordings")


def record_words(arguments: argparse.Namespace) -> None:
    """Speak the recordings with timed words anew, checked with the word-by-word Whisper."""
    from tests.models.whisper.word_recording import record as record_phrases

    record_phrases(arguments.whisper_words, HERE / "recordings-words")


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
    parser.add_argument(
        "--whisper-words", type=Path, default=WHISPER_WORDS, help="the word-by-word one's folder"
    )
    parser.add_argument("--llama", type=Path, default=LLAMA, help="the micro llama's file")
    commands = parser.add_subparsers(required=True)
    trained = (whisper, whisper_words, llama, evaluate, evaluate_words, record, record_words)
    for command in trained:
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
