"""A world of its own for a command: home, folders and adb server; and what a failure must be like.

Everything lies some folders deep below one root, so that a path with `../../` ends up where the
comparison of before and after sees it.
"""

from __future__ import annotations

import os
import re
import signal
import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from adadeep.cli.main import cli, run

_DEEP = "a/b/c/d/e"
_LONGEST_S = 60
_MOST_SAID = 20_000  # characters on stderr: whatever a device says, the user gets some lines
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_ERROR = re.compile(r"^(error|Error): ", re.MULTILINE)
# A next step is an option, a command, or a verb that tells the user what to do.
_NEXT_STEP = re.compile(
    r"--?[a-z]|`|adadeep |\b(name|write|give|try|use|run|set|check|choose|convert|repeat|upgrade"
    r"|restore|save|replace|leave|remove|see|did you mean|for example|must be|begin|free|make"
    r"|plug|point|is not one of|close|install|start|there are|needed|must not be"
    r"|supported|report|from \d)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Outcome:
    """What a command gave."""

    code: int
    out: str
    err: str


@dataclass
class Sandbox:
    """Folders for one test.

    Attributes:
        root: of everything.
        variables: the environment beside HOME and the like.
    """

    root: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in (self.home, self.work, self.library, self.temporary):
            folder.mkdir(parents=True)

    @property
    def home(self) -> Path:
        return self.root / _DEEP / "home"

    @property
    def work(self) -> Path:
        return self.root / _DEEP / "work"

    @property
    def library(self) -> Path:
        return self.root / _DEEP / "library"

    @property
    def temporary(self) -> Path:
        return self.root / _DEEP / "tmp"

    @property
    def cache(self) -> Path:
        return self.home / ".cache"

    @property
    def environment(self) -> dict[str, str]:
        """What the command's environment has instead of ours."""
        return {
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.cache),
            "ADADEEP_LIBRARY": str(self.library),
            "TMPDIR": str(self.temporary),
            **self.variables,
        }

    def file(self, name: str, content: bytes | str) -> Path:
        """Writes a file in the folder that the command runs in."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def snapshot(self) -> dict[str, Any]:
        """Every file and folder but our own ones: cache, library and runs."""
        ours = (self.cache / "adadeep", self.library, self.work / "runs")
        found: dict[str, Any] = {}
        for folder, names, files in os.walk(self.root):
            here = Path(folder)
            names[:] = [name for name in names if here / name not in ours]
            for name in (*names, *files):
                status = (here / name).lstat()
                whole = (status.st_size, status.st_mtime_ns) if name in files else None
                found[str(here / name)] = whole
        found.pop(str(self.cache), None)
        return found


@contextmanager
def hurried(seconds: int = _LONGEST_S) -> Iterator[None]:
    """Ends what hangs, as an error of the test."""

    def over(*_: object) -> None:
        raise pytest.fail.Exception(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class CommandRunner:
    """Runs commands in this process, in a sandbox."""

    def __init__(self, sandbox: Sandbox, capture: Any, patch: pytest.MonkeyPatch) -> None:
        self.sandbox = sandbox
        self._capture = capture
        self._patch = patch

    def __call__(
        self, arguments: Sequence[str], variables: Mapping[str, str] | None = None
    ) -> Outcome:
        """One command; `variables` are added to the environment."""
        with self._patch.context() as patch:
            for name, value in {**self.sandbox.environment, **(variables or {})}.items():
                patch.setenv(name, value)
            patch.setattr("tempfile.tempdir", str(self.sandbox.temporary))
            patch.chdir(self.sandbox.work)
            self._capture.readouterr()
            with hurried():
                code = run(cli, list(arguments))
        said = self._capture.readouterr()
        return Outcome(code, said.out, said.err)


def assert_clear_failure(done: Outcome, codes: set[int]) -> None:
    """A documented exit code, one sentence with a next step, nothing on stdout."""
    assert_harmless(done)
    assert done.code in codes, f"exit code {done.code}\n{done.err}"
    assert done.out == ""
    assert len(_ERROR.findall(done.err)) == 1, done.err
    assert _NEXT_STEP.search(_ERROR.split(done.err)[-1] + _hint(done.err)), done.err


def _hint(err: str) -> str:
    return next((line for line in err.splitlines() if line.startswith("Try '")), "")


def assert_harmless(done: Outcome) -> None:
    """No traceback, no internal error, nothing that a terminal obeys, not too much of it."""
    assert "Traceback" not in done.err
    assert "internal error" not in done.err, done.err
    assert not _CONTROLS.search(done.out + done.err), repr(done.out[-2000:] + done.err[-2000:])
    assert len(done.err) <= _MOST_SAID, f"{len(done.err)} characters on stderr"


# ---- an adb server that knows no device, or says what it is told


class AdbServer(socketserver.ThreadingTCPServer):
    """Answers every request the same way; on a port of its own."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, answers: Mapping[str, bytes] | bytes) -> None:
        self.answers = answers
        super().__init__(("127.0.0.1", 0), _AdbRequest)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _AdbRequest(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        try:
            service = self.rfile.read(int(self.rfile.read(4), 16)).decode()
            answers = self.server.answers  # type: ignore[attr-defined]
            found = (
                answers if isinstance(answers, bytes) else answers.get(service, b"FAIL0004none")
            )
            self.wfile.write(found)
        except (OSError, ValueError):
            pass


def listing(text: bytes) -> dict[str, bytes]:
    """The answers of an adb server whose list of devices is this text."""
    return {
        "host:version": b"OKAY00040029",
        "host:devices-l": b"OKAY%04x%s" % (len(text), text),
        "host:devices": b"OKAY%04x%s" % (len(text), text),
    }
