"""The figures of interviews as tables for a person."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.interview.judge import PROFILE_TURNS, ZEROS, Figures
from bench.report import show
from lifeecho_server.inference.metrics import ReplyMetrics

EXAMPLES = 3
"""How many of each kind of fault are printed with its words."""
WILLING_TELLS = 0.6
LONG = 120
"""Turns after which a willing narrator has told so much of the sheet."""

Cell = Callable[[Figures], str]

TOLD: dict[str, Cell] = {
    "told": lambda one: f"{one.told / one.facts:.0%}",
    "led\nto": lambda one: f"{(one.told - one.unasked) / one.facts:.0%}",
    "stories": lambda one: str(one.stories),
    "follow-\nups each": lambda one: f"{one.follow_ups / max(1, one.stories):.2f}",
    "led\non": lambda one: str(one.led_on),
    "alone": lambda one: str(one.alone),
    "told\nagain": lambda one: str(one.told_already),
    "shrugs": lambda one: str(one.shrugs),
}
UNDERSTOOD: dict[str, Cell] = {
    "profile\nin turns": lambda one: "–" if one.profile_turns is None else str(one.profile_turns),
    "profile\nright": lambda one: f"{one.profile_right}/5",
    "stages": lambda one: str(one.stages),
    "comforted\nin vain": lambda one: str(len(one.in_vain)),
    "sorrow\nasked into": lambda one: str(len(one.asked_into)),
}
FAULTS = {
    "repeated": ("repeated_wordings", "repeated_keys"),
    "declined\nagain": ("declined_again",),
    "after\na no": ("asked_after_no",),
    "never\ntold": ("never_told",),
    "too\nlong": ("long_parts",),
    "same\ntwice": ("same_twice",),
}


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that must be so, and whether it is."""

    name: str
    reached: bool
    found: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A table: heads may be of two lines, the first column holds names."""

    title: str
    heads: list[str]
    rows: list[list[str]]


def tables(figures: Sequence[Figures]) -> Iterator[Shown]:
    """Give tables for each number of turns: what was told, understood, and must not happen."""
    for turns in sorted({each.turns for each in figures}):
        some = [each for each in figures if each.turns == turns]
        for title, cells in (("told", TOLD), ("understood", UNDERSTOOD)):
            rows = [[each.name, *(cell(each) for cell in cells.values())] for each in some]
            yield Shown(f"{turns} turns: what was {title}", ["narrator", *cells], rows)
        faults = [[each.name, *_faults(each), str(each.most_questions)] for each in some]
        faults.append(["all", *_sums(some), str(max(each.most_questions for each in some))])
        heads = ["narrator", *FAULTS, "questions\na reply"]
        yield Shown(f"{turns} turns: what must not happen", heads, faults)


def tell(figures: Sequence[Figures]) -> None:
    """Print the tables."""
    for table in tables(figures):
        show(table.title, table.heads, table.rows)


def markdown(figures: Sequence[Figures], reached: Sequence["Goal"]) -> str:
    """Return the tables and the goals for a page of documentation."""
    lines: list[str] = []
    for table in tables(figures):
        rows = [[" ".join(head.replace("-\n", "-").split()) for head in table.heads]]
        rows += [["---", *("---:" for _ in table.heads[1:])], *table.rows]
        lines += [f"**{table.title[0].upper()}{table.title[1:]}**", ""]
        lines += [f"| {' | '.join(row)} |" for row in rows] + [""]
    goals = [f"{'PASS' if goal.reached else 'FAIL'}  {goal.name}: {goal.found}" for goal in reached]
    return "\n".join([*lines, "```text", *goals, "```", ""])


def goals(figures: Sequence[Figures], willing: frozenset[str]) -> list[Goal]:
    """Return what must be so; ``willing`` are the narrators who tell freely."""
    found = [
        Goal(name.replace("_", " "), count == 0, str(count))
        for name in ZEROS
        if (count := sum(len(getattr(each.faults, name)) for each in figures)) is not None
    ]
    most = max(each.most_questions for each in figures)
    found.append(Goal("questions a reply, at most 1", most <= 1, str(most)))
    free = [each for each in figures if each.name in willing]
    turns = [each.profile_turns for each in free]
    late = [each for each in turns if each is None or each > PROFILE_TURNS]
    found.append(Goal(f"willing profiles within {PROFILE_TURNS} turns", not late, str(turns)))
    long = [each for each in free if each.turns >= LONG]
    if long:
        least = min(each.told / each.facts for each in long)
        reached = least >= WILLING_TELLS
        found.append(Goal(f"willing narrators tell {WILLING_TELLS:.0%}", reached, f"{least:.0%}"))
        alone, stories = sum(each.alone for each in long), sum(each.stories for each in long)
        name = "willing narrators' stories asked nothing"
        found.append(Goal(name, alone == 0, f"{alone} of {stories}"))
        each_story = min(each.follow_ups / each.stories for each in long)
        found.append(
            Goal("willing narrators' follow-ups a story, 1", each_story >= 1, f"{each_story:.2f}")
        )
    return found


def tell_goals(reached: Sequence[Goal]) -> None:
    """Print each goal."""
    for goal in reached:
        print(f"{'PASS' if goal.reached else 'FAIL'}  {goal.name}: {goal.found}")


def tell_faults(figures: Sequence[Figures]) -> None:
    """Print what must not have happened, and what of a profile was understood otherwise."""
    longest = [each for each in figures if each.turns == max(one.turns for one in figures)]
    for each in longest:
        kinds = {name: getattr(each.faults, name) for name in (*ZEROS, "wrong_profile")}
        kinds |= {"in_vain": each.in_vain, "asked_into": each.asked_into}
        for name, found in kinds.items():
            for words in found[:EXAMPLES]:
                print(f"{each.name}: {name}: {' / '.join(words.splitlines())}")
            if len(found) > EXAMPLES:
                print(f"{each.name}: {name}: and {len(found) - EXAMPLES} more")


def tell_counts(name: str, counts: ReplyMetrics) -> None:
    """Print whose words a narrator heard, and what the guards kept back."""
    refused = ", ".join(f"{reason} {n}" for reason, n in counts.refused.most_common())
    print(
        f"{name}: model {counts.by_model}, script {counts.by_script}, worded ahead"
        f" {counts.asked_ahead} ({counts.questions_worded} fit, {counts.questions_unfit} not),"
        f" model faults {sum(counts.model_faults.values())}; kept back: {refused or 'nothing'}"
    )


def _faults(one: Figures) -> list[str]:
    return [str(_count(one, names)) for names in FAULTS.values()]


def _sums(some: Sequence[Figures]) -> list[str]:
    return [str(sum(_count(each, names) for each in some)) for names in FAULTS.values()]


def _count(one: Figures, names: Sequence[str]) -> int:
    return sum(len(getattr(one.faults, name)) for name in names)
