"""What a person sees: the only module that knows rich. Results on stdout, the rest on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import click

from adadeep import __version__

if TYPE_CHECKING:
    from rich.console import Console


_LINE_EVERY_S = 10.0


class Progress(Protocol):
    """A bar that is advanced."""

    def advance(self, steps: float = 1, note: str = "") -> None:
        """Moves the bar; the note replaces the text behind it."""
        ...


class _Lines:
    """Progress where stderr is no terminal: a line now and then."""

    def __init__(self, text: str, total: float) -> None:
        self._text, self._total, self._done = text, total, 0.0
        self._next_at = time.monotonic() + _LINE_EVERY_S

    def advance(self, steps: float = 1, note: str = "") -> None:
        """Counts, and says so every few seconds."""
        self._done += steps
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + _LINE_EVERY_S
            click.echo(f"{self._text}: {self._done:g} of {self._total:g} {note}", err=True)


class Ui:
    """Shows results and progress, or in JSON mode prints one document at the end.

    Args:
        json_mode: print results as JSON; then nothing else goes to stdout.
    """

    def __init__(self, json_mode: bool = False) -> None:
        self.json_mode = json_mode

    def _console(self, stderr: bool = False) -> Console:
        from rich.console import Console

        stream = sys.stderr if stderr else sys.stdout
        width = None if stream.isatty() else 160
        return Console(stderr=stderr, highlight=False, soft_wrap=False, width=width)

    def note(self, text: str) -> None:
        """A line about what happens, on stderr."""
        click.echo(text, err=True)

    def warn(self, text: str) -> None:
        """A line that the user should not miss, on stderr."""
        click.echo(f"warning: {text}", err=True)

    def say(self, text: str) -> None:
        """A line of the result, on stdout; nothing in JSON mode."""
        if not self.json_mode:
            click.echo(text)

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = ""
    ) -> None:
        """A table of the result on stdout, nothing in JSON mode; a column ">x" aligns right."""
        if self.json_mode:
            return
        from rich import box
        from rich.table import Table

        table = Table(
            title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
        )
        for name in columns:
            justify: Any = "right" if name.startswith(">") else "left"
            table.add_column(name.lstrip(">"), justify=justify, overflow="fold")
        for row in rows:
            table.add_row(*row)
        self._console().print(table)

    def emit(self, kind: str, payload: dict[str, Any]) -> None:
        """In JSON mode the result: one document, `schema` is "adadeep.<kind>/1" (docs/json.md)."""
        if self.json_mode:
            head = {"schema": f"adadeep.{kind}/1", "adadeep_version": __version__}
            click.echo(json.dumps({**head, **payload}, indent=2, ensure_ascii=False))

    @contextlib.contextmanager
    def progress(self, text: str, total: float) -> Iterator[Progress]:
        """A bar with time left on stderr; a line every few seconds where that is no terminal."""
        if not sys.stderr.isatty():
            yield _Lines(text, total)
            return
        from rich import progress as bars

        columns = (
            bars.TextColumn("{task.description}"), bars.BarColumn(), bars.MofNCompleteColumn(),
            bars.TimeElapsedColumn(), bars.TimeRemainingColumn(),
            bars.TextColumn("{task.fields[note]}"),
        )  # fmt: skip
        with bars.Progress(*columns, console=self._console(stderr=True), transient=True) as live:
            task = live.add_task(text, total=total, note="")

            class _Bar:
                def advance(self, steps: float = 1, note: str = "") -> None:
                    live.update(task, advance=steps, note=note)

            yield _Bar()
