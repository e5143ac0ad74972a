"""The interviewer against simulated narrators.

``python -m bench.interview`` plays a whole interview with each narrator of ``sheets/``, without a
model or with one, and prints what was told and what was asked that should not have been. It exits
with 1 when something happened that must not.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from bench.interview.judge import judge
from bench.interview.player import Interview
from bench.interview.playing import played, played_all, scripted
from bench.interview.sheet import Manner, names
from bench.interview.tables import goals, markdown, tell, tell_faults, tell_goals
from bench.interview.transcript import dialogue, page
from bench.report import RESULTS, write

TURNS = (40, 120)
EXAMPLES = {
    "guoqiang": "who tells willingly, in Chinese",
    "harold": "who tells willingly, in English",
    "walter": "a man of few words",
}
EXAMPLE_TURNS = 60
WILLING = frozenset({Manner.OPEN, Manner.RAMBLING, Manner.SWITCHING})
"""Manners of those who tell what they are asked for."""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.interview", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("narrators", nargs="*", metavar="NARRATOR", help="only these")
    parser.add_argument("--turns", type=int, nargs="+", default=list(TURNS))
    parser.add_argument("--seed", type=int, default=0, help="other chances for the narrators")
    parser.add_argument("--model", type=Path, help="a GGUF file that words the replies")
    parser.add_argument("--transcript", metavar="NARRATOR", help="print one interview and stop")
    parser.add_argument("--markdown", type=Path, help="write that interview as a page")
    parser.add_argument("--examples", type=Path, help="write three interviews as pages, and stop")
    parser.add_argument("--tables", type=Path, help="write the tables as Markdown too")
    parser.add_argument("--out", type=Path, default=RESULTS / "interview.json")
    return parser.parse_args()


def main() -> int:
    """Play, judge, print, write."""
    given = arguments()
    if given.transcript is not None:
        interview = played(given.transcript, max(given.turns), given.seed, given.model)
        read_out(given.transcript, interview, given.markdown)
        return 0
    if given.examples is not None:
        write_examples(given.examples)
        return 0
    chosen = given.narrators or names()
    interviews = played_all(chosen, max(given.turns), given.seed, given.model)
    figures = [
        judge(name, interview.first(turns))
        for turns in sorted(given.turns)
        for name, interview in interviews.items()
    ]
    tell(figures)
    tell_faults(figures)
    reached = goals(figures, willing(interviews))
    tell_goals(reached)
    if given.tables is not None:
        given.tables.write_text(markdown(figures, reached), "utf-8")
    write(
        given.out,
        {
            "interviews": [asdict(each) for each in figures],
            "goals": [asdict(each) for each in reached],
        },
    )
    return int(not all(goal.reached for goal in reached))


def willing(interviews: Mapping[str, Interview]) -> frozenset[str]:
    """Return the narrators who tell freely."""
    return frozenset(
        name for name, interview in interviews.items() if interview.sheet.manner in WILLING
    )


def write_examples(folder: Path, turns: int = EXAMPLE_TURNS) -> None:
    """Write whole interviews as pages, with a page that leads to them."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        *("# Examples of interviews", ""),
        "Whole interviews of the scripted interviewer with simulated narrators, as they came out:",
        "no model, nothing chosen or mended. `python -m bench.interview --examples docs/examples`",
        *("writes them anew.", ""),
    ]
    for name, what in EXAMPLES.items():
        interview = scripted(name, turns)
        title = f"{name.capitalize()}, {what}"
        (folder / f"{name}.md").write_text(page(title, interview), "utf-8")
        lines.append(f"- [{title}]({name}.md)")
    (folder / "README.md").write_text("\n".join(lines) + "\n", "utf-8")


def read_out(name: str, interview: Interview, markdown: Path | None) -> None:
    """Print one interview, or write it as a page."""
    if markdown is None:
        print("\n".join(dialogue(interview)))
    else:
        markdown.write_text(page(f"An interview with {name.capitalize()}", interview), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
