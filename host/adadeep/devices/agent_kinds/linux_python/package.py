"""The Linux agent as one file: a zipapp made from the installed package."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import io
import zipfile
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AgentPackage:
    """The zipapp.

    Attributes:
        name: "agent-<first 16 hex digits of its SHA-256>.pyz": never stale on a device.
        sha256: of its bytes.
        data: its bytes, the same for the same sources.
    """

    name: str
    sha256: str
    data: bytes


@functools.cache
def agent_package() -> AgentPackage:
    """The agent of this version; fixed dates, so that its hash depends on content only."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(
            archive,
            "__main__.py",
            b"import sys\nfrom adadeep_agent.serve import main\nsys.exit(main())\n",
        )
        package = importlib.resources.files("adadeep_agent")
        for source in sorted(package.iterdir(), key=lambda item: item.name):
            if source.name.endswith(".py"):
                _add(archive, f"adadeep_agent/{source.name}", source.read_bytes())
    data = buffer.getvalue()
    sha256 = hashlib.sha256(data).hexdigest()
    return AgentPackage(f"agent-{sha256[:16]}.pyz", sha256, data)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)
