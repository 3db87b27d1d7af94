"""A profile of the computer that the tests run on."""

from __future__ import annotations

from adadeep.core.clock import Deadline
from adadeep.core.device_profile import DeviceProfile, ProfileProvenance
from adadeep.devices.facts import gather_facts
from adadeep.devices.local import LocalTransport
from adadeep.profiles import files


def save_own_profile() -> str:
    """Writes one of facts only to the library that the environment names; gives its name."""
    facts, capabilities = gather_facts(LocalTransport(), Deadline.after(60))
    origin = ProfileProvenance("2026-11-21T00:00:00Z", "0.1.0")
    name = files.name_for(facts)
    files.save(DeviceProfile(name, facts, capabilities, origin))
    return name
