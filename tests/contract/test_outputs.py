"""Every command with a stdout or a stderr that can't be written."""

from __future__ import annotations

import errno
import io
import sys
from pathlib import Path

import pytest

from adadeep.cli.main import cli, run
from fakes.commands import CASES


class Refusing(io.RawIOBase):
    """A descriptor that is closed, or leads to a full disk."""

    def __init__(self, number: int) -> None:
        self._number = number

    def writable(self) -> bool:
        return True

    def write(self, _: object) -> int:
        raise OSError(self._number, "no")


def refusing(number: int) -> io.TextIOWrapper:
    return io.TextIOWrapper(Refusing(number), write_through=True)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADADEEP_LIBRARY", str(tmp_path / "library"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("json", [[], ["--json"]], ids=["", "json"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EBADF])
@pytest.mark.parametrize("name", CASES)
def test_a_result_that_can_not_be_written_is_one_sentence_and_code_2(
    name: str, number: int, json: list[str],
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    arrange, arguments, _, _ = CASES[name][0]
    arrange(monkeypatch)
    monkeypatch.setattr(sys, "stdout", refusing(number))
    assert run(cli, [*name.split(), *arguments.split(), *json]) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert len(errors) == 1
    assert "can't be written to stdout" in errors[0]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EBADF])
@pytest.mark.parametrize("name", CASES)
def test_messages_that_can_not_be_written_change_nothing(
    name: str, number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arrange, arguments, code, _ = CASES[name][0]
    arrange(monkeypatch)
    monkeypatch.setattr(sys, "stderr", refusing(number))
    assert run(cli, [*name.split(), *arguments.split(), "--json"]) == code
    assert capsys.readouterr().out.startswith("{")
