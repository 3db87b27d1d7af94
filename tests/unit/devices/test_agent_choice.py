"""Which kind of agent is taken, and what is said where none will do."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from adadeep.core.device import NO_ANSWER, Capability, CapabilityStatus, DeviceFacts
from adadeep.core.errors import ConfigError, NoAgentError, StableDeviceError
from adadeep.core.registry import Registry
from adadeep.devices.agent_kinds import choice
from adadeep.devices.agent_kinds.android_java import built
from adadeep.devices.agent_kinds.android_java.kind import ANDROID_JAVA
from adadeep.devices.agent_kinds.choice import by_priority, choose_kind
from adadeep.devices.agent_kinds.linux_python.kind import LINUX_PYTHON
from adadeep.devices.agent_kinds.linux_python.python import _PYTHONS
from adadeep.devices.facts_script import facts_script
from fakes.android import dist

PHONE = DeviceFacts("phone-1", "adb", os="android", sdk=34)
BOARD = DeviceFacts("board-1", "adb", os="linux")
PYTHON = Capability("python", CapabilityStatus.READABLE, "/usr/bin/python3 3.11.2")
NO_PYTHON = Capability("python", CapabilityStatus.ABSENT)


@dataclasses.dataclass(frozen=True)
class ToyKind:
    name: str
    priority: int
    reason: str | None = None
    title: str = "the toy"

    def fits(self, facts: Any, capabilities: Any) -> str | None:
        return self.reason


@pytest.fixture
def with_kinds(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Adds kinds to the registry, as a plug-in would."""

    def added(*kinds: ToyKind) -> None:
        more: dict[str, Any] = {kind.name: kind for kind in kinds}

        class Extended(Registry[Any]):
            def get(self, name: str) -> Any:
                return more.get(name, LINUX_PYTHON)

        names = dict.fromkeys([LINUX_PYTHON.name, *more], "toys:toy")
        monkeypatch.setattr(choice, "AGENT_KINDS", Extended("agent", names))

    return added


def test_the_python_agent_fits_where_there_is_a_python() -> None:
    assert choose_kind(BOARD, (PYTHON,)) is LINUX_PYTHON
    assert choose_kind(DeviceFacts("local", "local"), ()) is LINUX_PYTHON


@pytest.mark.parametrize("capabilities", [(), (NO_PYTHON,)])
def test_where_no_agent_can_run_each_says_what_it_needs(capabilities: Any) -> None:
    with pytest.raises(NoAgentError) as caught:
        choose_kind(BOARD, capabilities)
    assert str(caught.value) == (
        "board-1: For the Android agent: this device does not run Android, as far as it says."
        " For the Python agent: this device has no Python; the Python agent needs 3.8 or newer."
        " `adadeep-profile` records its facts all the same."
    )


def test_a_device_that_has_both_gets_the_android_agent_and_a_name_overrides(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    built_at = tmp_path / "dist"
    monkeypatch.setattr(built, "built_folder", lambda: built_at)
    assert choose_kind(PHONE, (PYTHON,)) is LINUX_PYTHON  # nothing is built
    dist(built_at)
    assert choose_kind(PHONE, (PYTHON,)) is ANDROID_JAVA
    assert choose_kind(PHONE, (NO_PYTHON,)) is ANDROID_JAVA
    assert choose_kind(PHONE, (PYTHON,), "linux-python") is LINUX_PYTHON
    for status, evidence, kind in (
        (CapabilityStatus.READABLE, "/system/bin/app_process", ANDROID_JAVA),
        (CapabilityStatus.ABSENT, NO_ANSWER, ANDROID_JAVA),
        (CapabilityStatus.ABSENT, "", LINUX_PYTHON),
    ):
        java = Capability("app_process", status, evidence)
        assert choose_kind(PHONE, (PYTHON, java)) is kind
    with pytest.raises(StableDeviceError, match="the Android agent can't run there"):
        choose_kind(BOARD, (PYTHON,), "android-java")


def test_of_those_that_fit_the_highest_priority_is_taken(with_kinds: Any) -> None:
    best, unfit = ToyKind("best", 5), ToyKind("unfit", 9, "It is too old.")
    with_kinds(ToyKind("low", -1), best, unfit)
    assert choose_kind(PHONE, (PYTHON,)) is best
    assert [kind.name for kind in by_priority()] == ["unfit", "best", "linux-python", "low"]


def test_where_none_fits_each_says_why(with_kinds: Any) -> None:
    with_kinds(ToyKind("toy", 5, "It is too old."))
    with pytest.raises(NoAgentError, match=r"For the toy: It is too old\. For the Python agent: "):
        choose_kind(PHONE, (NO_PYTHON,))


def test_a_name_goes_before_priorities_and_one_that_does_not_fit_says_why(with_kinds: Any) -> None:
    with_kinds(ToyKind("toy", 5, "It is too old."))
    assert choose_kind(PHONE, (PYTHON,), "linux-python") is LINUX_PYTHON
    with pytest.raises(
        StableDeviceError, match=r"phone-1: the toy can't .*It is too old"
    ) as caught:
        choose_kind(PHONE, (PYTHON,), "toy")
    assert not isinstance(caught.value, NoAgentError)  # a profile of facts is not what was asked
    assert caught.value.exit_code == 3


def test_an_unknown_name_is_told_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match=r"unknown agent 'linux-pyton'.*'linux-python'"):
        choose_kind(PHONE, (PYTHON,), "linux-pyton")


def test_the_facts_look_for_every_python_that_the_kind_would_take() -> None:
    assert f"in {_PYTHONS};" in facts_script("token")


def test_a_python_that_was_too_slow_for_the_facts_is_looked_for_again() -> None:
    slow = Capability("python", CapabilityStatus.ABSENT, NO_ANSWER)
    assert LINUX_PYTHON.fits(PHONE, (slow,)) is None
    assert LINUX_PYTHON.fits(PHONE, (NO_PYTHON,)) is not None
