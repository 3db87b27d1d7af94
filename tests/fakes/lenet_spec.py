"""LeNet as `describe.model_spec` describes it, written down without Keras."""

from adadeep.core.layers import NETWORK_INPUT, LayerKind, LayerSpec, ModelSpec


def _conv(name, size, channels, filters, source):
    weights = 25 * channels * filters + filters
    return LayerSpec(
        name, LayerKind.CONV, (size, size, channels), (size, size, filters), (5, 5), (1, 1),
        "same", "relu", weights, weights, group=name, inputs=(source,),
    )  # fmt: skip


def _pool(name, size, channels, source):
    half = size // 2
    return LayerSpec(
        name, LayerKind.POOL, (size, size, channels), (half, half, channels), (2, 2), (2, 2),
        "valid", group=name, inputs=(source,),
    )  # fmt: skip


def _dense(name, inputs, units, activation, source, flattened_from=None):
    weights = inputs * units + units
    return LayerSpec(
        name, LayerKind.DENSE, (inputs,), (units,), activation=activation, weights=weights,
        nonzero_weights=weights, group=name, flattened_from=flattened_from, inputs=(source,),
    )  # fmt: skip


def lenet_spec(size=8, classes=10):
    quarter = size // 4
    shape, features = (quarter, quarter, 64), quarter * quarter * 64
    layers = (
        _conv("conv1", size, 1, 32, NETWORK_INPUT),
        _pool("pool1", size, 32, "conv1"),
        _conv("conv2", size // 2, 32, 64, "pool1"),
        _pool("pool2", size // 2, 64, "conv2"),
        LayerSpec(
            "flatten", LayerKind.RESHAPE, shape, (features,), group="flatten", inputs=("pool2",)
        ),
        _dense("fc1", features, 1024, "relu", "flatten", shape),
        _dense("fc2", 1024, classes, "softmax", "fc1"),
    )
    return ModelSpec("lenet", (size, size, 1), layers)
