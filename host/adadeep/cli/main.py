"""The entry points: a click group that imports a command when it is called, and exit codes."""

from __future__ import annotations

import importlib
import os
import sys
from typing import NoReturn

import click

from adadeep import __version__
from adadeep.core.errors import AdaDeepError, Interrupted

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
    "deploy": ("adadeep.cli.commands.deploy", "Put a search's winner on a device and check it."),
}

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
        result = command.main(arguments, standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt, Interrupted) as error:
        text = str(error)
        print(f"interrupted. {text}".rstrip(), file=sys.stderr)  # noqa: T201
        return Interrupted.exit_code
    except AdaDeepError as error:
        if os.environ.get("ADADEEP_DEBUG"):
            raise
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("ADADEEP_DEBUG"):
            raise
        print(  # noqa: T201
            f"internal error: {type(error).__name__}: {error}\n"
            "This is a fault of adadeep. ADADEEP_DEBUG=1 shows where; please report it.",
            file=sys.stderr,
        )
        return AdaDeepError.exit_code


def main() -> NoReturn:
    """`adadeep`."""
    sys.exit(run(cli, sys.argv[1:]))


def profile_main() -> NoReturn:
    """`adadeep-profile`: the same as `adadeep profile`."""
    command = cli.get_command(click.Context(cli), "profile")
    assert command is not None
    sys.exit(run(command, sys.argv[1:]))
