"""`adadeep compress MODEL --plan PLAN`: one plan, carried out; no device, no search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from adadeep.cli.options import PATH, json_option
from adadeep.cli.own_options import own_options, subject_of
from adadeep.cli.plugin_warnings import warn_of_plugins
from adadeep.cli.ui import Ui
from adadeep.core.units import format_bytes, format_count
from adadeep.report.table_text import Column

if TYPE_CHECKING:
    from adadeep.core.metric import Scale
    from adadeep.study.compressing import Compression, Weighed
    from adadeep.study.worker_messages import PartLoss

COLUMNS = (
    Column("", wraps=True), Column("MACs", right=True, rank=2), Column("S_p", right=True),
    Column(".tflite", right=True, rank=1), Column("test", right=True, rank=1),
)  # fmt: skip
LOSS_COLUMNS = (Column("in int8 alone", wraps=True), Column("outputs' SQNR", right=True))


@click.command(name="compress")
@click.argument("model", metavar="MODEL|TASK")
@click.option(
    "--plan", required=True, metavar="PLAN",
    help="What to do with which layer, and the precision: conv2=C2,fc1=W3:0.95,int8. `adadeep"
    " techniques MODEL` lists what applies.",
)  # fmt: skip
@own_options
@click.option(
    "-o", "--out", type=PATH, metavar="FILE.tflite",
    help="Where the network goes; FILE.keras beside it. [default: MODEL-compressed.tflite]",
)  # fmt: skip
@click.option("--explain", is_flag=True, help="Say what int8 costs, layer by layer.")
@click.option(
    "--seed", type=click.IntRange(0, max=2**32 - 1), default=0, show_default=True,
    help="Of the training.",
)  # fmt: skip
@json_option
def command(model: str, plan: str, as_json: bool, **options: Any) -> int:
    """Compress a network by a plan of yours, and convert it.

    MODEL is a .keras or .h5 file; TASK a registered task. With --data the compressed network is
    trained by the full recipe and judged on test data; without nothing is trained.
    """
    from adadeep.study.compressing import Wanted, compress, compression_as_json
    from adadeep.study.plugins import plugins

    ui = Ui(as_json)
    subject = subject_of(model, options)
    wanted = Wanted(subject, plan, options["out"], options["seed"], options["explain"])
    plugins()
    warn_of_plugins(ui)
    with ui.progress(f"compress {subject.task}", None) as bar:
        found = compress(wanted, lambda text: bar.advance(0, text), ui.note)
    _show(ui, found)
    ui.now("adadeep measure", found.model)
    ui.emit("compress", compression_as_json(found))
    return 0


def rows(found: Compression) -> list[tuple[str, ...]]:
    """Of the table: the initial network and the compressed one."""
    return [
        _row("initial network", found.before, found.scale),
        _row(found.plan.short_label, found.after, found.scale),
    ]


def loss_rows(losses: tuple[PartLoss, ...]) -> list[tuple[str, ...]]:
    """Of the table of what int8 costs."""
    return [(", ".join(one.layers), _decibels(one)) for one in losses]


def _row(name: str, one: Weighed, scale: Scale | None) -> tuple[str, ...]:
    spec, test = one.spec, one.test_accuracy
    quality = scale.shown(test) if scale is not None and test is not None else "-"
    size = format_bytes(spec.parameter_storage_bytes)
    return name, format_count(spec.macs), size, format_bytes(one.file_bytes), quality


def _decibels(one: PartLoss) -> str:
    if one.is_lossless:
        return "no loss"
    return "-" if one.sqnr_db is None else f"{one.sqnr_db:.0f} dB"


def _show(ui: Ui, found: Compression) -> None:
    title = found.task if found.scale is None else f"{found.task}, {found.scale.title}"
    ui.table(COLUMNS, rows(found), title)
    if found.plan.label != found.plan.short_label:
        ui.say(f"plan: {found.plan.label}")
    before, after = found.before.spec, found.after.spec
    ui.say(
        f"S_p {_times(before.parameter_storage_bytes, after.parameter_storage_bytes)} smaller,"
        f" file {_times(found.before.file_bytes, found.after.file_bytes)} smaller,"
        f" MACs {_times(before.macs, after.macs)} fewer; time is what a device tells"
    )
    if found.losses is not None:
        ui.table(LOSS_COLUMNS, loss_rows(found.losses), "what int8 costs by layer")
        ui.say("SQNR: signal to noise of the network's outputs; the less, the more is lost")
    ui.say(f"written: {found.model}, {found.network}")


def _times(before: float, after: float) -> str:
    return f"{before / after:.3g}x" if after else "-"
