"""How a user's own network is trained, as a recipe."""

from __future__ import annotations

from typing import Any

from adadeep.core.errors import ConfigError
from adadeep.core.rows import each
from adadeep.core.task import Data
from adadeep.training.ends import End, Meaning, ports
from adadeep.training.frozen import about_macs, about_map_bytes
from adadeep.training.modules import told
from adadeep.training.objective import Objective, Teaching, loss_name, loss_of_end
from adadeep.training.recipes.own import OwnRecipe
from adadeep.training.saying import (
    RATE,
    Saying,
    by_output,
    compiled,
    loss_for,
    optimizer_maker,
)

_MOST_A_BATCH, _FEWEST_A_BATCH = 32, 4
_MAPS_BYTES = 2e9  # of a batch; ResNet50 of 224x224 pixels is trained in 3 GB by so many
_FEWEST_STEPS, _MOST_STEPS = 50, 200  # of a plan in a search
_WORK = 200e9  # multiplications that training a plan may take: some 20 s on two cores
_PASSES = 3  # of a step, in forward ones
_FULL, _BASE = 4, 20  # times as many for a winner, for a network from scratch
_LESS = 0.1  # the rate of what is trained already, over that from scratch


def recipe_for(
    model: Any, saying: Saying, ends: tuple[End, ...], data: Data, *, is_trained: bool
) -> OwnRecipe:
    """By what a --train function says, what the network was compiled with, or its labels.

    Raises:
        ConfigError: what is said can't be used.
    """
    state = compiled(model)
    objective, losses, origin = _objective(model, saying, ends, state, data)
    batch = int(saying.number("batch_size", 65_536) or _batch(model))
    steps = int(saying.number("steps", 1_000_000) or _steps(model, batch))
    rate = float(saying.number("learning_rate", 1.0) or _rate(saying, state))
    optimizer, optimizer_text = optimizer_maker(saying.get("optimizer"), saying.code)
    augment = saying.get("augment")
    if augment is not None and not callable(augment):
        raise ConfigError(
            "--train gives augment that can't be called; give a function of a batch of samples, or"
            " a layer of Keras."
        )
    is_taught = is_trained and not data.are_labels_its_own and _gains_by_teaching(ends)
    return OwnRecipe(
        name="own",
        title=f"{losses} {origin}, {steps} steps of {batch} a plan, {_FULL * steps} at the end"
        + ("; half of the loss by the initial network's outputs" if is_taught else ""),
        base_steps=0 if is_trained else _BASE * steps,
        fine_tune_steps=steps,
        full_steps=_FULL * steps,
        batch_size=batch,
        base_rate=rate,
        fine_tune_rate=_LESS * rate,
        says=f"{losses}; {optimizer_text}; {saying.code}",
        is_pretrained=is_trained,
        objective=objective,
        augment=augment,
        optimizer=optimizer,
        distils=is_taught or data.are_labels_its_own,
    )


def _gains_by_teaching(ends: tuple[End, ...]) -> bool:
    """Whether learning of the initial network besides the labels was measured to gain something.

    Half of the loss: 0.4 points more of a HAR network by 1,000 samples, hardly anything of a
    siamese one (benchmarks/bench_distillation.py). One that these very samples trained
    knows no more.
    """
    return all(end.meaning is Meaning.CLASSES and end.is_one for end in ends)


def _objective(
    model: Any, saying: Saying, ends: tuple[End, ...], state: dict[str, Any], data: Data
) -> tuple[Objective, str, str]:
    """What is minimised, its name, and who says so."""
    outputs = ports(model)[1]
    if data.are_labels_its_own:
        nothing = [loss_of_end(end) for end in ends]
        teaching = Teaching(share=1.0)
        objective = Objective(tuple(nothing), (1.0,) * len(ends), ends, teaching)
        return objective, "the distance from the initial network", "(there are no labels)"
    told = saying if saying.get("loss") is not None else state
    loss, weights = told.get("loss"), told.get("loss_weights")
    if loss is None:
        losses = tuple(loss_of_end(end) for end in ends)
        shown = " + ".join(loss_name(end) + (" of logits" if end.is_raw else "") for end in ends)
        return Objective(losses, (1.0,) * len(ends), ends), shown, "(by outputs and labels)"
    origin = "(by --train)" if told is saying else "(as compiled)"
    each_loss = by_output(loss, outputs, "loss")
    found = [
        None if one is None else loss_for(one, end)
        for one, end in zip(each_loss, ends, strict=True)
    ]
    if not any(found):
        raise ConfigError("loss names none for any output; give one for each that is trained.")
    shares = [1.0 if w is None else float(w) for w in by_output(weights, outputs, "loss_weights")]
    functions = tuple(one and one[0] for one in found)
    shown = " + ".join(one[1] for one in found if one)
    objective = Objective(functions, tuple(shares), ends)
    _require_it_runs(objective, model, data)
    return objective, shown, origin


def _require_it_runs(objective: Objective, model: Any, data: Data) -> None:
    """Raises ConfigError where a loss that was given does not take the labels and outputs."""
    import tensorflow as tf

    from adadeep.training.fit import outputs_of

    few = min(2, len(data.x_train))
    try:
        outputs = [tf.constant(one) for one in each(outputs_of(model, data.x_train[:few]))]
        labels = [tf.constant(one) for one in each(data.y_train[:few])]
        values = objective.of(labels, outputs, ())
        if not bool(tf.reduce_all(tf.math.is_finite(values))):
            raise ValueError("it is not finite")
    except Exception as error:  # the loss may be the user's own code
        raise ConfigError(
            f"the loss fails on two samples ({told(error)}); give another by"
            " --train, or labels that fit it."
        ) from error


def _rate(saying: Saying, state: dict[str, Any]) -> float:
    """Of the optimizer that was given, or that the network was compiled with."""
    rate = getattr(saying.get("optimizer"), "learning_rate", None)
    try:
        found = float(rate)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        found = float(state.get("learning_rate", RATE))
    return found if 0 < found <= 1 else RATE


def _batch(model: Any) -> int:
    """As many samples as memory allows, where the user does not say."""
    affordable = int(_MAPS_BYTES // max(about_map_bytes(model), 1.0))
    return min(max(affordable, _FEWEST_A_BATCH), _MOST_A_BATCH)


def _steps(model: Any, batch: int) -> int:
    """As many as the work of a plan allows, in tens."""
    affordable = _WORK / max(_PASSES * batch * about_macs(model), 1.0)
    return int(min(max(affordable // 10 * 10, _FEWEST_STEPS), _MOST_STEPS))
