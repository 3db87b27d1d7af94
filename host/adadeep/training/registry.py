"""Tasks and their parts by name. Adding one is a file and a line here (and contract tests run)."""

from __future__ import annotations

from adadeep.core.metric import Metric
from adadeep.core.registry import Registry
from adadeep.core.task import DataSet, Network, Recipe, Task

NETWORKS: Registry[Network] = Registry(
    "network",
    {"lenet": "adadeep.training.networks.lenet:LENET"},
    group="adadeep.networks",
    protocol=Network,
)

DATA_SETS: Registry[DataSet] = Registry(
    "data set",
    {
        "digits": "adadeep.training.data_sets.digits:DIGITS",
        "mnist": "adadeep.training.data_sets.mnist:MNIST",
    },
    group="adadeep.data_sets",
    protocol=DataSet,
)

RECIPES: Registry[Recipe] = Registry(
    "recipe",
    {
        "digits": "adadeep.training.recipes.digits:DIGITS",
        "mnist": "adadeep.training.recipes.mnist:MNIST",
    },
    group="adadeep.recipes",
    protocol=Recipe,
)

METRICS: Registry[Metric] = Registry(
    "metric",
    {
        "accuracy": "adadeep.training.metrics.accuracy:ACCURACY",
        "balanced_accuracy": "adadeep.training.metrics.balanced_accuracy:BALANCED_ACCURACY",
        "f1": "adadeep.training.metrics.f1:F1_OF_TWO",
        "mean_error": "adadeep.training.metrics.mean_error:MEAN_ERROR",
        "iou": "adadeep.training.metrics.iou:IOU",
        "agreement": "adadeep.training.metrics.agreement:AGREEMENT",
    },
    group="adadeep.metrics",
    protocol=Metric,
)

TASKS: Registry[Task] = Registry(
    "task",
    {
        "digits": "adadeep.training.tasks:DIGITS",
        "mnist": "adadeep.training.tasks:MNIST",
    },
    group="adadeep.tasks",
    protocol=Task,
)
