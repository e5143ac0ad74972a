"""The figures as tables and goals, and the pages of whole interviews."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.interview.__main__ import EXAMPLES, write_examples
from bench.interview.judge import Figures, judge
from bench.interview.playing import scripted
from bench.interview.sheet import Manner, load
from bench.interview.tables import Goal, goals, markdown, tables, tell


@pytest.fixture(scope="module")
def figures() -> Figures:
    return judge("shuzhen", scripted("shuzhen", 14))


def test_every_table_fits_eighty_columns(
    figures: Figures, capsys: pytest.CaptureFixture[str]
) -> None:
    tell([replace(figures, name="guoqiang", turns=120)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 12
    assert max(len(line.rstrip()) for line in lines) <= 80


def test_the_tables_are_markdown_too(figures: Figures) -> None:
    page = markdown([figures], [Goal("nothing", reached=False, found="1")])
    for table in tables([figures]):
        assert f"**{table.title}**" in page
        assert all(f"| {' | '.join(row)} |" in page for row in table.rows)
    assert "FAIL  nothing: 1" in page


def test_a_goal_missed_is_said(figures: Figures) -> None:
    long = replace(figures, turns=120, told=18, facts=36, alone=1, stories=9, follow_ups=8)
    missed = {goal.name for goal in goals([long], frozenset({"shuzhen"})) if not goal.reached}
    assert missed == {
        "willing narrators tell 60%",
        "willing narrators' stories asked nothing",
        "willing narrators' follow-ups a story, 1",
    }


def test_the_examples_are_of_both_languages_and_one_of_few_words(tmp_path: Path) -> None:
    write_examples(tmp_path, turns=4)
    assert {load(name).language for name in EXAMPLES} == {"en", "zh"}
    assert Manner.TERSE in {load(name).manner for name in EXAMPLES}
    index = (tmp_path / "README.md").read_text("utf-8")
    for name in EXAMPLES:
        assert f"({name}.md)" in index
        assert "**Narrator**: " in (tmp_path / f"{name}.md").read_text("utf-8")
