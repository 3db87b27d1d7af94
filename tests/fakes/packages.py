"""Installed packages with entry points, as pip leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def install(
    folder: Path,
    name: str,
    entry_points: Mapping[str, Mapping[str, str]] | bytes,
    modules: Mapping[str, str] | None = None,
    version: str = "1.2",
    metadata: str | None = None,
) -> None:
    """Puts a package into a folder of the path.

    Args:
        folder: of the path.
        name: of the package.
        entry_points: group -> name -> target; or what the file holds instead.
        modules: name -> text.
        version: of the package.
        metadata: what the file holds instead of name and version.
    """
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (info / "METADATA").write_text(about if metadata is None else metadata)
    if not isinstance(entry_points, bytes):
        lines = [
            f"[{group}]\n" + "".join(f"{entry} = {target}\n" for entry, target in entries.items())
            for group, entries in entry_points.items()
        ]
        entry_points = "\n".join(lines).encode()
    (info / "entry_points.txt").write_bytes(entry_points)
    for module, text in (modules or {}).items():
        (folder / f"{module}.py").write_text(text)
