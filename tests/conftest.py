"""A house for every test that wants one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lifeecho_server.engines.chosen import EngineSource
from lifeecho_server.settings import Settings
from tests.house import House

MODELS = Path(__file__).parent / "models"


def quick_settings(data_dir: Path, **changes: Any) -> Settings:
    """Return settings without pauses, models and speech, on a port of the system's choice."""
    values: dict[str, Any] = {
        "data_dir": data_dir / "data",
        "models_dir": data_dir / "models",
        "host": "127.0.0.1",
        "port": 0,
        "part_pause": 0.0,
        "speech_engine": "none",
        "log_level": "warning",
    }
    return Settings(**(values | changes))


@pytest.fixture
def build_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Make and start houses with settings of one's own; they are stopped after the test."""
    houses: list[House] = []

    def build(engines: EngineSource | None = None, **changes: Any) -> House:
        settings = quick_settings(tmp_path, **changes)
        house = House(settings.data_dir, settings, engines=engines)
        houses.append(house)
        house.start()
        return house

    yield build
    for house in houses:
        house.stop()


@pytest.fixture
def house(build_house: Callable[..., House]) -> House:
    """A house without models in which Rose lives, whose profile is complete."""
    built = build_house()
    built.elder("rose")
    return built
