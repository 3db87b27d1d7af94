"""What is read out of a shared library."""

from __future__ import annotations

import random

import pytest

from adadeep.core.errors import FormatError
from adadeep.devices.parse.elf import parse_elf
from fakes.android import CALLS, MACHINES, elf
from fakes.mutations import cases, mutated, with_words


@pytest.mark.parametrize("abi", MACHINES)
@pytest.mark.parametrize("align", [4096, 16384])
def test_a_library_tells_its_abi_its_pages_and_its_functions(abi: str, align: int) -> None:
    found = parse_elf(elf(abi, align=align), "lib.so")
    assert (found.abi, found.align_bytes) == (abi, align)
    assert found.functions == set(CALLS)  # none that it only uses, no variable, no private one


def test_another_processor_is_no_abi() -> None:
    data = bytearray(elf("arm64-v8a"))
    data[18] = 243  # RISC-V
    assert parse_elf(bytes(data), "lib.so").abi is None


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"PK\3\4" * 100, b"\x7fELF\2\2" + bytes(100)])
def test_what_is_no_library_is_one_sentence(data: bytes) -> None:
    with pytest.raises(FormatError, match=r"^lib\.so is no shared library of Android; name"):
        parse_elf(data, "lib.so")


@pytest.mark.parametrize("abi", MACHINES)
def test_one_that_was_cut_is_damaged(abi: str) -> None:
    whole = elf(abi)
    for size in (20, 60, 200, len(whole) - 1):
        with pytest.raises(FormatError, match=r"^lib\.so is a damaged library; take another"):
            parse_elf(whole[:size], "lib.so")


def test_whatever_is_damaged_is_read_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fakes.mutations.SECONDS", 0.5)
    whole = [elf(abi) for abi in MACHINES]
    refusals = []
    for number, rng in enumerate(cases()):
        damaged = (mutated, with_words)[number % 2](random.Random(number).choice(whole), rng)
        try:
            found = parse_elf(damaged, "lib.so")
        except FormatError as error:
            refusals.append(str(error))
        else:
            assert found.align_bytes >= 0
            assert len(found.functions) < 1000
    assert len(refusals) > 10
    assert all(map(str.isprintable, refusals))
