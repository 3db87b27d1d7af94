"""The answer of the facts script: sections between lines that hold a random token."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_DENIED = re.compile(r"permission den|not permitted|operation not allowed|EACCES|EPERM", re.I)
_LONGEST_LINE = 4000  # nothing that is asked for is longer; patterns take time by its square
_HUNG = (124, 137)  # exit codes: the script gave it up, or killed it
_NO_SERVICE = re.compile(r"can't find service|unknown command|not found|inaccessible", re.I)


@dataclass(frozen=True, slots=True)
class Section:
    """What one command of the script printed.

    Attributes:
        text: stdout, lines parted by line feeds.
        errors: stderr.
        exit_code: of the command; None if its end did not arrive.
    """

    text: str = ""
    errors: str = ""
    exit_code: int | None = None

    @property
    def hung(self) -> bool:
        """Whether the command did not come to its end and was given up."""
        return self.exit_code in _HUNG

    @property
    def denied(self) -> bool:
        """Whether the device refused."""
        return bool(_DENIED.search(self.errors or self.text[:400]))

    @property
    def missing(self) -> bool:
        """Whether there is no such command or service."""
        return not self.text.strip() or bool(_NO_SERVICE.search(self.errors or self.text[:200]))


@dataclass(frozen=True, slots=True)
class Reads:
    """Files that were read, each of one value.

    Attributes:
        values: path -> content.
        failures: path -> what the shell said.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)

    def matching(self, pattern: str) -> Iterator[tuple[str, str]]:
        """(path, content) of the files whose whole path matches."""
        for path, value in self.values.items():
            if re.fullmatch(pattern, path):
                yield path, value

    def failed(self, pattern: str) -> Iterator[tuple[str, str]]:
        """(path, message) of the files that could not be read."""
        for path, message in self.failures.items():
            if re.fullmatch(pattern, path):
                yield path, message

    def number(self, path: str) -> int | None:
        """The integer in a file; None if it was not read or holds something else."""
        return integer(self.values.get(path))


def is_denied(message: str) -> bool:
    """Whether an error message says that access was refused."""
    return bool(_DENIED.search(message))


def integer(text: str | None) -> int | None:
    """The text as a decimal integer of at most 18 digits; None if it is none."""
    match = re.fullmatch(r"\s*([-+]?[0-9]{1,18})\s*", text or "")
    return int(match[1]) if match else None


def clean_lines(text: str) -> list[str]:
    """Lines without carriage returns (old adbd) and null bytes (device tree), of sane length."""
    lines = text.replace("\r", "").replace("\0", " ").split("\n")
    return [line[:_LONGEST_LINE] for line in lines]


def decode(data: bytes) -> str:
    """Bytes as text; knows the byte order marks that Windows shells write."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")


def split_sections(text: str, token: str) -> tuple[dict[str, Section], bool]:
    """The sections by name, and whether the script came to its end.

    The script frames each command as ``TOKEN begin NAME``, stdout, ``TOKEN errors CODE``, stderr,
    ``TOKEN end``; its last line is ``TOKEN done``.
    """
    found: dict[str, Section] = {}
    name, code, done = "", None, False
    stdout: list[str] = []
    stderr: list[str] = []
    target: list[str] = []
    for line in clean_lines(text):
        if not line.startswith(token):
            target.append(line)
            continue
        word, _, rest = line[len(token) :].strip().partition(" ")
        if word == "begin":
            name, code, stdout, stderr = rest, None, [], []
            target = stdout
        elif word == "errors":
            code, target = integer(rest), stderr
        elif word == "end":
            found[name] = Section("\n".join(stdout).strip("\n"), "\n".join(stderr).strip(), code)
            target = []
        done = done or word == "done"
    return found, done


def parse_reads(text: str) -> Reads:
    """Lines ``/path:content``; ``!/path:message`` where it could not be read.

    A tab may stand for the colon: paths such as /sys/class/powercap/intel-rapl:0 have colons.
    """
    values: dict[str, str] = {}
    failures: dict[str, str] = {}
    for line in clean_lines(text):
        path, colon, content = line.partition("\t" if "\t" in line else ":")
        if colon and path.startswith("/"):
            values.setdefault(path, content.strip())
        elif colon and path.startswith("!/"):
            failures[path[1:]] = content.strip()
    return Reads(values, failures)
