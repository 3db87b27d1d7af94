"""What a person sees: the only module that prints. Results on stdout, the rest on stderr.

Every text goes through the display filter here, whoever made it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import click

from adadeep import __version__
from adadeep.cli.progress import ProgressState
from adadeep.core import interrupts
from adadeep.core.display import printable, printable_json
from adadeep.core.errors import ConfigError
from adadeep.report.table_text import Column, Table, render

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

_LINE_EVERY_S = 10.0
_WIDTH_OFF_TERMINAL = 160


class OutputError(ConfigError):
    """Results can't be written: stdout is closed, or the disk behind it is full."""

    def __init__(self, error: OSError) -> None:
        super().__init__(
            f"the results can't be written to stdout ({error.strerror}); free some space, or "
            "redirect the output elsewhere."
        )


class Progress(Protocol):
    """A bar that is advanced."""

    def advance(self, steps: float = 1, note: str = "", outlook: str = "") -> None:
        """Moves the bar; the note replaces the text below it, the outlook that behind the pace."""
        ...


class _Lines:
    """Progress where stderr is no terminal: a line now and then."""

    def __init__(self, state: ProgressState) -> None:
        self._state = state
        self._next_at = time.monotonic() + _LINE_EVERY_S

    def advance(self, steps: float = 1, note: str = "", outlook: str = "") -> None:
        """Counts, and says so every few seconds."""
        interrupts.raise_pending()
        self._state.advance(steps, note, outlook)
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + _LINE_EVERY_S
            complain(self._state.line())


class _Region:
    """Progress on a terminal: the live region's content."""

    def __init__(self, state: ProgressState) -> None:
        self._state = state

    def advance(self, steps: float = 1, note: str = "", outlook: str = "") -> None:
        """Counts; the region is drawn anew a few times a second."""
        interrupts.raise_pending()
        self._state.advance(steps, " ".join(printable(note).split()), outlook)

    def __rich__(self) -> Text:
        from rich.text import Text

        return Text("\n".join(self._state.lines(_width(sys.stderr))), no_wrap=True)


class Ui:
    """Shows results and progress, or in JSON mode prints one document at the end.

    Args:
        json_mode: print results as JSON; then nothing else goes to stdout.
    """

    def __init__(self, json_mode: bool = False) -> None:
        self.json_mode = json_mode
        self._live: Live | None = None

    def note(self, text: str) -> None:
        """A line about what happens, on stderr; above the live region if there is one."""
        interrupts.raise_pending()
        if self._live:
            self._above(self._live, text)
        else:
            complain(text)

    def warn(self, text: str) -> None:
        """A line that the user should not miss, on stderr."""
        self.note(f"warning: {text}")

    def now(self, command: str, *arguments: object) -> None:
        """The next step, a command as a shell takes it, on stderr; nothing in JSON mode."""
        if not self.json_mode:
            self.note(" ".join(["now:", command, *(shlex.quote(str(a)) for a in arguments)]))

    def say(self, text: str) -> None:
        """A line of the result, on stdout; nothing in JSON mode."""
        if self.json_mode:
            return
        if self._live and sys.stdout.isatty():
            self._above(self._live, text)  # the same terminal
        else:
            _print(printable(text))

    def confirms(self, question: str) -> bool:
        """The user's answer, yes by default; no where stdin is no terminal to ask at."""
        if not sys.stdin.isatty():
            return False
        if self._live:
            self._live.stop()
        try:
            return click.confirm(printable(question), default=True, err=True)
        finally:
            if self._live:
                self._live.start()

    def answer(self, question: str) -> str | None:
        """What the user types; None where stdin is no terminal to ask at."""
        if not sys.stdin.isatty():
            return None
        typed: str = click.prompt(printable(question), default="", show_default=False, err=True)
        return typed

    def table(
        self,
        columns: Sequence[str | Column],
        rows: Sequence[Sequence[str]],
        title: str = "",
        below: Mapping[int, str] | None = None,
    ) -> None:
        """A table of the result on stdout, nothing in JSON mode.

        Args:
            columns: a text is a column that stays and does not wrap; ">x" aligns right.
            rows: a text for each column.
            title: above it.
            below: number of a row -> text that goes below it.
        """
        specs = [Column(c.lstrip(">"), c.startswith(">")) if isinstance(c, str) else c
                 for c in columns]  # fmt: skip
        cells = [[" ".join(printable(cell).split()) for cell in row] for row in rows]
        texts = {number: printable(text) for number, text in (below or {}).items()}
        content = Table(specs, cells, printable(title), texts)
        for line in render(content, _width(sys.stdout)):
            self.say(line)

    def emit(self, kind: str, payload: dict[str, Any], version: int = 1) -> None:
        """In JSON mode the result: one document; `schema` is as docs/json.md says."""
        if self.json_mode:
            document = {
                "schema": f"adadeep.{kind}/{version}",
                "adadeep_version": __version__,
                **payload,
            }
            text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
            _print(printable_json(text))

    @contextlib.contextmanager
    def progress(self, text: str, total: float | None) -> Iterator[Progress]:
        """A live region with pace and time left on stderr; lines where that is no terminal.

        Args:
            text: what is done.
            total: how many steps there will be; None where that is not known.
        """
        state = ProgressState(printable(text), total)
        if not sys.stderr.isatty():
            yield _Lines(state)
            return
        from rich.console import Console
        from rich.live import Live

        region = _Region(state)
        # Nothing is redirected: all that prints is here, and libraries have their own log.
        self._live = Live(
            region, console=Console(stderr=True, highlight=False), transient=True,
            refresh_per_second=4, redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        try:
            with self._live:
                yield region
        finally:
            self._live = None

    def _above(self, live: Live, text: str) -> None:
        """Prints above the live region; rich draws the region anew below it."""
        from rich.text import Text

        live.console.print(Text(printable(text)), soft_wrap=True)


def complain(text: str) -> None:
    """A line on stderr; if nobody can be told, that is no reason to fail."""
    with contextlib.suppress(OSError, ValueError):
        click.echo(printable(text), err=True)


def _print(text: str) -> None:
    """A line on stdout.

    Raises:
        OutputError: it can't be written.
    """
    try:
        click.echo(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error) from error


def _width(stream: Any) -> int:
    """Of the terminal; $COLUMNS where it is set, 160 where the stream is no terminal."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _WIDTH_OFF_TERMINAL
    except (OSError, ValueError, AttributeError):
        return _WIDTH_OFF_TERMINAL
