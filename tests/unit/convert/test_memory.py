"""What will not fit is said before it is begun."""

from pathlib import Path

import pytest

from adadeep.convert.memory import available_bytes, expected_memory_bytes, require_memory
from adadeep.core.errors import ConfigError


def test_up_to_30_million_weights_take_4_gb_at_the_most() -> None:
    assert expected_memory_bytes(30_000_000) < 4e9


def test_what_does_not_fit_is_refused_with_both_numbers() -> None:
    require_memory(138_000_000, 20e9)
    with pytest.raises(ConfigError, match=r"138 million weights takes about 11\.\d GB.*4 GB are"):
        require_memory(138_000_000, 4e9)


@pytest.mark.tf
def test_room_is_asked_for_a_large_network_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from adadeep.convert import tflite

    asked: list[int] = []
    monkeypatch.setattr(tflite, "require_memory", asked.append)
    for weights in (60_000, 5_000_000, 30_000_000):
        tflite.require_room(SimpleNamespace(count_params=lambda weights=weights: weights))
    assert asked == [30_000_000]


def test_free_memory_is_the_systems(tmp_path: Path) -> None:
    file = tmp_path / "meminfo"
    assert available_bytes(file) is None
    for text in ("", "MemAvailable:", "MemAvailable: many kB", "MemFree: 5 kB"):
        file.write_text(text)
        assert available_bytes(file) is None
    file.write_text("MemTotal: 9 kB\nMemAvailable:   2000 kB\n")
    assert available_bytes(file) == 2_048_000
