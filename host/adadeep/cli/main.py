"""The entry points: a click group that imports a command when it is called, and exit codes."""

from __future__ import annotations

import errno
import importlib
import os
import sys

import click

from adadeep import __version__
from adadeep.cli.plugin_warnings import told, warn_of_plugins
from adadeep.cli.ui import OutputError, Ui, complain
from adadeep.core import interrupts
from adadeep.core.errors import AdaDeepError, ConfigError, Interrupted
from adadeep.core.registry import suggestion
from adadeep.study.plugins import culprit

# name -> module with a click command called `command`, and the line for the group's help
COMMANDS: dict[str, tuple[str, str]] = {
    "devices": ("adadeep.cli.commands.devices", "What is plugged in, its state, how to fix it."),
    "doctor": (
        "adadeep.cli.commands.doctor",
        "Check a device from end to end; provision a board.",
    ),
    "profile": ("adadeep.cli.commands.profile", "Profile the attached device into the library."),
    "profiles": ("adadeep.cli.commands.profiles", "List, show, diff and validate profiles."),
    "measure": ("adadeep.cli.commands.measure", "Measure a .tflite on a device."),
    "search": ("adadeep.cli.commands.search", "Search the best compression for a device."),
    "compress": (
        "adadeep.cli.commands.compress",
        "Compress a network by a plan of yours, without a search.",
    ),
    "techniques": (
        "adadeep.cli.commands.techniques",
        "What can be done to a network, layer by layer, and what it saves.",
    ),
    "deploy": ("adadeep.cli.commands.deploy", "Put a search's winner on a device and check it."),
    "runs": ("adadeep.cli.commands.runs", "List, show and prune the folders of searches."),
}

_OUTPUT_ERRORS = (errno.ENOSPC, errno.EBADF, errno.EIO, errno.EDQUOT)  # of writing the help
_HELP_SETTINGS = {"help_option_names": ["-h", "--help"]}


class _LazyGroup(click.Group):
    """Knows the commands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = suggestion(args[0], list(COMMANDS))
            raise click.UsageError(
                f"No such command {args[0]!r}.{hint} There are: {', '.join(COMMANDS)}.", ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings=_HELP_SETTINGS)
@click.version_option(__version__, prog_name="adadeep")
def cli() -> None:
    """Profile the device in front of you, search the DNN compression that suits it, deploy it.

    Exit codes: 0 done, 1 internal error, 2 usage or bad input, 3 device, 4 demand can't be met,
    130 interrupted.
    """


def run(command: click.Command, arguments: list[str]) -> int:
    """Runs a command and returns its exit code; every error becomes one clear message.

    Set ADADEEP_DEBUG=1 for the traceback.
    """
    try:
        if any("\0" in argument for argument in arguments):
            raise ConfigError("an argument holds a null byte, which no name may; give it without.")
        result = _result(command, arguments)
        return result if isinstance(result, int) else 0
    except (click.Abort, KeyboardInterrupt, Interrupted) as error:
        return _interrupted(error)
    except (BrokenPipeError, SystemExit):  # click makes the second of the first
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        return 0
    except Exception as error:  # noqa: BLE001  # nothing gets past here
        return _interrupted(error) if interrupts.pending() else _failed(error)


def _result(command: click.Command, arguments: list[str]) -> object:
    try:
        return command.main(arguments, standalone_mode=False)
    except ConfigError as error:
        told([str(error)])  # will be
        raise
    finally:
        warn_of_plugins(Ui())


def _interrupted(error: BaseException) -> int:
    text = str(error) if isinstance(error, Interrupted) else ""
    complain(f"interrupted. {text}".rstrip())
    return Interrupted.exit_code


def _failed(error: Exception) -> int:
    notes = getattr(error, "__notes__", [])
    if isinstance(error, click.ClickException):
        complain(_usage(error))
        return ConfigError.exit_code
    if os.environ.get("ADADEEP_DEBUG"):
        raise error
    if isinstance(error, AdaDeepError):
        complain("\n".join([f"error: {error}", *notes]))
        return error.exit_code
    if isinstance(error, OSError) and error.errno in _OUTPUT_ERRORS and error.filename is None:
        complain(f"error: {OutputError(error)}")
        return OutputError.exit_code
    about = f"internal error: {type(error).__name__}: {error}"
    complain("\n".join([about, *notes, _whose_fault(error)]))
    return AdaDeepError.exit_code


def _whose_fault(error: Exception) -> str:
    plugin = culprit(error)
    where = "ADADEEP_DEBUG=1 shows where"
    if plugin is None:
        return f"This is a fault of adadeep. {where}; please report it."
    return f"This is a fault of {plugin}. {where}; update that package, or remove it."


def _usage(error: click.ClickException) -> str:
    """What click's own `show` prints, as text."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return f"error: {error.format_message()}"
    return (
        f"{context.get_usage()}\nTry '{context.command_path} --help' for help.\n\n"
        f"error: {error.format_message()}"
    )


def run_program(program: str, arguments: list[str]) -> int:
    """`adadeep`, or `adadeep-profile`, which is the same as `adadeep profile`."""
    name = program.removeprefix("adadeep").removeprefix("-")
    command = cli.get_command(click.Context(cli), name) if name else cli
    assert command is not None
    return run(command, arguments)
