"""Every command there is, as the program itself knows them."""

from __future__ import annotations

from collections.abc import Iterator

import click

from adadeep.cli.main import COMMANDS, cli


def leaves(name: str) -> Iterator[tuple[str, click.Command]]:
    """The command of that name, of a group all its commands: (as it is typed, the command)."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    if isinstance(command, click.Group):
        for sub in command.list_commands(click.Context(command)):
            leaf = command.get_command(click.Context(command), sub)
            assert leaf is not None
            yield f"{name} {sub}", leaf
    else:
        yield name, command


def all_leaves() -> dict[str, click.Command]:
    """Every command that does something, by what is typed."""
    return dict(leaf for name in COMMANDS for leaf in leaves(name))
