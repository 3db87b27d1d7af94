"""A user's function by "module:function": imported, called, and whatever it does is one error."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.core.reader import why

_LONGEST = 120


def call(target: str, search_path: str, option: str) -> Any:
    """What "module:function" gives; modules are looked for in a folder first.

    What it prints goes to stderr: stdout is the command's own.

    Raises:
        ConfigError: no such module or function, or it fails.
    """
    function = _function(target, search_path, option)
    shown = one_line(target, _LONGEST)
    try:
        with _apart():
            return function()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, too: a module may be a program
        raise ConfigError(
            f"{option} {shown} fails ({told(error)}); mend it, and try it alone: it is called"
            " without arguments."
        ) from error


def _function(target: str, search_path: str, option: str) -> Callable[[], Any]:
    module, _, name = target.partition(":")
    shown = one_line(target, _LONGEST)
    if not module or not name:
        raise ConfigError(f"{option} {shown} is no module:function; write for example my:data.")
    if search_path not in sys.path:
        sys.path.insert(0, search_path)
    try:
        with _apart():
            found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise ConfigError(
            f"{option} {shown} can't be imported ({told(error)}); start where its module lies,"
            " and try it by python -c 'import ...'."
        ) from error
    if not callable(found):
        raise ConfigError(f"{option} {shown} is no function; name one without arguments.")
    return found


@contextlib.contextmanager
def _apart() -> Iterator[None]:
    """Meanwhile code of a user's neither writes to our stdout nor reads our stdin."""
    before = sys.stdin
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        sys.stdin = nothing
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield
        finally:
            sys.stdin = before


def told(error: BaseException) -> str:
    """What an error of others' code says, in one line, without TensorFlow's inner names."""
    text = why(error) if isinstance(error, Exception) else str(error)
    text = re.sub(r"\{\{.*?\}\}\s*", "", text)
    return one_line(f"{type(error).__name__}: {text}".rstrip(": "), _LONGEST)


def source_hash(value: Any) -> str:
    """Of the file that a user's function or class is from; of its name where there is none.

    Who changes it trains other networks; its text is all that can be told of that.
    """
    kind = value if inspect.isroutine(value) or inspect.isclass(value) else type(value)
    try:
        text = inspect.getsource(inspect.getmodule(kind) or kind)
    except (OSError, TypeError):
        text = f"{kind.__module__}.{kind.__qualname__}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
