"""What `search --from` tells to run next."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from adadeep.cli.commands import search_from
from adadeep.core.measure_settings import MeasureSettings


def ranking(network: str) -> Any:
    """One of a run on one device, with what its next command is made of."""
    target = SimpleNamespace(
        key="k", target=SimpleNamespace(settings=MeasureSettings(), device_title="local")
    )
    content = SimpleNamespace(study={"network": network}, sessions=[], asked=3)
    return SimpleNamespace(
        task="photos", content=content, folder="runs/x", targets=[SimpleNamespace(record=target)]
    )


@pytest.mark.parametrize(
    ("network", "begins"), [("lenet", ["photos"]), ("own:5f", ["photos.keras", "--data", "DATA"])]
)
def test_an_own_network_is_named_by_its_file_and_data(
    network: str, begins: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_from, "_serials", lambda *_: ["local"])
    words = search_from._words(ranking(network), ())
    assert words == [*begins, "-d", "local", "-o", "runs/x", "--episodes", "3"]
