"""Where a user's data come from: an .npz file, a folder of images, or module:function."""

from __future__ import annotations

from pathlib import Path

from adadeep.core.display import one_line
from adadeep.core.errors import ConfigError
from adadeep.training.ends import Port
from adadeep.training.functions import members_by
from adadeep.training.given import Given, named
from adadeep.training.images import members_of
from adadeep.training.npz import read_npz


def given_by(
    name: str, search_path: str, inputs: tuple[Port, ...], outputs: tuple[Port, ...]
) -> Given:
    """The data of that name.

    Args:
        name: as on the command line.
        search_path: where relative paths and modules are looked for first.
        inputs: of the network.
        outputs: of the network.

    Raises:
        ConfigError: they can't be had; says what to do.
    """
    path = Path(search_path, name)
    shown = one_line(name, 80)
    if path.suffix == ".npz" or path.is_file():
        return named(read_npz(path), shown, inputs, outputs)
    if path.is_dir():
        return named(members_of(path, inputs), shown, inputs, outputs)
    if ":" in name:
        members = members_by(name, search_path, (inputs, outputs))
        return named(members, shown, inputs, outputs)
    raise ConfigError(
        f"{shown} is no data; name an .npz file, a folder with a folder of images for each class,"
        " or module:function."
    )
