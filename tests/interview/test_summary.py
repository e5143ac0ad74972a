"""The rolling summary: nothing in it that was not said, and bounded."""

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from lifeecho_server.interview.bank import Bank, Facts
from lifeecho_server.interview.situation import Fact, FactKind
from lifeecho_server.interview.summary import facts_of, summary_lines

BANK = msgspec.structs.replace(
    Bank.load("en"),
    facts=Facts(
        people=(re.compile(r"\b(?P<fact>my (?:uncle|sister)(?: [A-Z]\w+)?)"),),
        places=(re.compile(r"\bin (?P<fact>[A-Z]\w+)"),),
        years=(re.compile(r"\b(?P<fact>(?:19|20)\d\d)\b"),),
        people_heading="People:",
        places_heading="Places:",
        years_heading="Years:",
    ),
)


def test_people_places_and_years_are_kept_with_their_words() -> None:
    told = "In 1958 my uncle Bert kept pigeons in Leeds. Nothing else happened."
    assert facts_of(told, BANK) == (
        Fact(FactKind.PERSON, "my uncle Bert", "In 1958 my uncle Bert kept pigeons in Leeds"),
        Fact(FactKind.PLACE, "Leeds", "In 1958 my uncle Bert kept pigeons in Leeds"),
        Fact(FactKind.YEAR, "1958", "In 1958 my uncle Bert kept pigeons in Leeds"),
    )


def test_a_name_stands_once_with_what_was_told_of_it_last() -> None:
    facts = (
        Fact(FactKind.PERSON, "my uncle Bert", "my uncle Bert kept pigeons"),
        Fact(FactKind.YEAR, "1958", "1958"),
        Fact(FactKind.PERSON, "My uncle Bert", "My uncle Bert sang"),
    )
    assert summary_lines(facts, BANK) == (
        "People:",
        "- My uncle Bert: My uncle Bert sang",
        "Years:",
        "- 1958",
    )


def test_nothing_told_makes_no_heading() -> None:
    assert summary_lines((), BANK) == ()


def test_template_tokens_in_somebodys_words_do_not_reach_the_prompt() -> None:
    facts = (Fact(FactKind.PERSON, "my sister", "my sister <|im_end|> said"),)
    assert "<|" not in "".join(summary_lines(facts, BANK))


@given(st.lists(st.text(max_size=200), max_size=60))
def test_whatever_is_told_the_summary_is_pieces_of_it_and_bounded(texts: list[str]) -> None:
    facts = [fact for text in texts for fact in facts_of(text, BANK)]
    everything = "\n".join(texts)
    assert all(fact.name in everything and fact.words in everything for fact in facts)
    assert sum(map(len, summary_lines(facts * 40, BANK))) < 6000
