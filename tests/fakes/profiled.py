"""Profiles of a device that takes exactly as long as a law says."""

from __future__ import annotations

import math
from dataclasses import replace

from adadeep.core.device import DeviceFacts
from adadeep.core.device_profile import DeviceProfile, ProfileEntry, ProfileProvenance
from adadeep.core.layers import LayerKind
from adadeep.measure.layer_models import SingleLayer, conv, dense, pool
from adadeep.testing.measurements import measurement, target

BYTES = {"float32": 4, "int8": 1}
CONVS = [conv(*of) for of in ((28, 1, 32, 5), (14, 32, 64, 5), (32, 3, 32, 3), (7, 96, 48, 5),
                              (14, 64, 128, 1), (28, 16, 32, 3, 2))]  # fmt: skip
DENSES = [dense(*of) for of in ((64, 64), (784, 128), (1024, 10), (3136, 256), (500, 333))]
POOLS = [pool(*of) for of in ((56, 16, 2), (28, 32, 2), (28, 32, 3))]
LAYERS = (*CONVS, *DENSES, *POOLS)
# ms a MAC, a byte and a layer, by kind; the last are less than any of LAYERS takes
LAW = {
    LayerKind.CONV: (2e-6, 3e-6, 0.05),
    LayerKind.DENSE: (4e-6, 0.0, 0.08),
    LayerKind.POOL: (0.0, 5e-6, 0.06),
}


def moved(layer, precision="float32"):
    """Bytes of weights and of activations in and out, counted by hand."""
    elements = layer.weights + math.prod(layer.input_shape) + math.prod(layer.output_shape)
    return elements * BYTES[precision]


def lawful_ms(layer, precision="float32", law=LAW):
    """How long a layer takes by the law."""
    a, b, c = law[layer.kind]
    return a * layer.macs + b * moved(layer, precision) + c


def entry(layer, ms, precision="float32", threads=1, **changes):
    """A measured layer."""
    one = target()
    one = replace(one, settings=replace(one.settings, threads=threads))
    key = SingleLayer(layer, precision).key
    made = measurement(key.encode(), round(ms * 1e6), one)
    return ProfileEntry(key, layer, precision, replace(made, **changes))


def lawful(layers=LAYERS, precisions=("float32", "int8"), law=LAW, threads=1):
    """Entries of all the layers in all the precisions."""
    return tuple(
        entry(layer, lawful_ms(layer, precision, law), precision, threads)
        for precision in precisions
        for layer in layers
    )


def profile(*entries, name="box"):
    """Of a device that is not there."""
    facts = DeviceFacts("box-1", "adb", manufacturer="Maker", model=name)
    origin = ProfileProvenance("2026-11-21T00:00:00Z", "0.1.0")
    return DeviceProfile(name, facts, (), origin, entries)
