"""The detail that is taken up: the person's own word, and a whole one."""

import pytest

from lifeecho_server.interview.bank import Bank
from lifeecho_server.interview.detail import detail_of


@pytest.mark.parametrize(
    ("told", "taken_up"),
    [
        ("门口有棵大槐树", "大槐树"),
        ("门口有一棵大槐树。", "大槐树"),
        ("家里有个收音机", "收音机"),
        ("院子里种了棵枣树,年年结果", "枣树"),
        ("后来买了一台缝纫机", "缝纫机"),
        ("那时有个张老师", "张老师"),
        ("我们养了只猫", None),
        ("嗯", None),
    ],
)
def test_detail_begins_after_its_measure_word(told: str, taken_up: str | None) -> None:
    detail = detail_of(told, Bank.load("zh"))
    assert (detail.text if detail else None) == taken_up


@pytest.mark.parametrize("told", ["门口有棵大槐树", "家里有个收音机"])
def test_what_was_taken_up_before_is_not_taken_up_again(told: str) -> None:
    bank = Bank.load("zh")
    detail = detail_of(told, bank)
    assert detail is not None
    assert detail_of(told, bank, said=f"您说的{detail.text},我记下了。") is None
