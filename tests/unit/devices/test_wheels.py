"""Which wheels suit a board."""

from __future__ import annotations

from pathlib import Path

import pytest

from adadeep.core.clock import Deadline
from adadeep.core.errors import StableDeviceError
from adadeep.devices.agent_kinds.linux_python.wheels import WheelTarget, _failure, download_wheels


def test_a_board_takes_wheels_for_its_glibc_and_older_ones_only() -> None:
    platforms = WheelTarget.of((3, 11), "aarch64", 64, "glibc 2.31").platforms
    assert platforms[0] == "manylinux_2_31_aarch64"
    assert "manylinux_2_32_aarch64" not in platforms
    assert {"manylinux2014_aarch64", "manylinux_2_17_aarch64", "linux_aarch64"} <= set(platforms)


@pytest.mark.parametrize(
    ("machine", "bits", "expected"),
    [
        ("aarch64", 64, "aarch64"),
        ("aarch64", 32, "armv7l"),  # a 64-bit kernel under a 32-bit system: Raspberry Pi OS
        ("armv8l", 32, "armv7l"),
        ("armv7l", 32, "armv7l"),
        ("x86_64", 64, "x86_64"),
    ],
)
def test_the_bits_of_the_program_count_not_those_of_the_kernel(
    machine: str, bits: int, expected: str
) -> None:
    assert WheelTarget.of((3, 11), machine, bits, "glibc 2.36").machine == expected


def test_old_arm_boards_get_tflite_runtime_with_numpy_1() -> None:
    target = WheelTarget.of((3, 9), "armv7l", 32, "glibc 2.31")
    assert target.requirements == [("tflite-runtime", "numpy<2")]
    assert target.tag == "cp39"


def test_another_libc_is_told_before_anything_is_downloaded(tmp_path: Path) -> None:
    target = WheelTarget.of((3, 12), "aarch64", 64, "")
    with pytest.raises(StableDeviceError, match=r"board1.*not glibc"):
        download_wheels(target, tmp_path, False, "board1", Deadline.after(1))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("WARNING: Retrying ... NewConnectionError(...)", "can't be reached"),
        ("/usr/bin/python3: No module named pip", "ensurepip"),
        (
            "ERROR: Could not find a version that satisfies the requirement numpy<2 (from ...)",
            "apt install python3-numpy",
        ),
        ("ERROR: No matching distribution found for ai-edge-litert", "No matching distribution"),
    ],
)
def test_what_pip_says_becomes_a_next_step(said: str, expected: str) -> None:
    target = WheelTarget.of((3, 11), "aarch64", 64, "glibc 2.36")
    assert expected in str(_failure(target, "board1", said))
