"""`adadeep techniques [MODEL]`: what can be done to networks, and to the layers of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from adadeep.cli.options import json_option
from adadeep.cli.own_options import NAMES, subject_of
from adadeep.cli.plugin_warnings import warn_of_plugins
from adadeep.cli.ui import Ui
from adadeep.core.display import one_line
from adadeep.core.plan import NONE
from adadeep.core.units import format_bytes, format_count, format_percent
from adadeep.report.table_text import Column

if TYPE_CHECKING:
    from adadeep.core.precision import Precision
    from adadeep.core.protocols import Technique
    from adadeep.study.technique_offers import Offers

COLUMNS = (
    Column("technique"), Column("what it does", wraps=True),
    Column("settings", wraps=True, rank=1), Column("paper", wraps=True, rank=3),
    Column("fine-tuning", right=True, rank=2),
)  # fmt: skip
PRECISION_COLUMNS = (
    Column("precision"), Column("what it does", wraps=True), Column("bits", right=True, rank=1),
    Column("searched", rank=2),
)  # fmt: skip
OFFER_COLUMNS = (
    Column("layer", wraps=True), Column("best setting for S_p", wraps=True),
    Column("S_p", right=True), Column("MACs", right=True, rank=1),
    Column("settings", right=True, rank=2),
)  # fmt: skip
_MOST_NAMES = 6
_LONGEST = 60


@click.command(name="techniques")
@click.argument("model", required=False, metavar="[MODEL|TASK]")
@click.option("--train", metavar="MODULE:FUNCTION", help="Gives custom_objects of your network.")
@click.option("--trust-model", is_flag=True, help="Run the code that the file holds.")
@json_option
def command(model: str | None, as_json: bool, train: str | None, trust_model: bool) -> int:
    """List the techniques and precisions, and what was measured to gain nothing.

    With MODEL, a .keras or .h5 file, or TASK: what applies to which of its layers, what it would
    save of the whole network, and why it can't be applied elsewhere.
    """
    from adadeep.compress.registry import TECHNIQUES
    from adadeep.convert.precisions.registry import PRECISIONS

    ui = Ui(as_json)
    techniques = {name: one for name, one in TECHNIQUES.usable().items() if name != NONE}
    precisions = PRECISIONS.usable()
    warn_of_plugins(ui)
    document: dict[str, Any] = {"model": model, **_listed(techniques, precisions)}
    if model is None:
        _show_all(ui, techniques, precisions)
        ui.emit("techniques", {**document, "network": None})
        return 0
    no_data = {name: None for name in NAMES if name != "untrained"}
    options = {**no_data, "untrained": False, "train": train, "trust_model": trust_model}
    offers = _offers(ui, model, options)
    _show_offers(ui, offers)
    told = [one for one in offers.offers if one.storage_saved is not None]
    if told:
        best = max(told, key=lambda one: one.storage_saved or 0.0)
        ui.now("adadeep compress", model, "--plan", f"{best.layer}={best.technique}")
    ui.emit("techniques", {**document, "network": offers_as_json(offers)})
    return 0


def _offers(ui: Ui, model: str, options: dict[str, Any]) -> Offers:
    from adadeep.compress.registry import TECHNIQUES
    from adadeep.study.look import network_of
    from adadeep.study.technique_offers import offers_of

    subject = subject_of(model, options)
    with ui.progress(f"techniques {subject.task}", None) as bar:
        spec = network_of(subject, lambda text: bar.advance(0, text))
    return offers_of(spec, TECHNIQUES.usable())


def technique_rows(techniques: Mapping[str, Technique[Any]]) -> list[tuple[str, ...]]:
    """Of the table of all techniques."""
    from adadeep.study.technique_facts import FACTS

    rows: list[tuple[str, ...]] = []
    for name, technique in techniques.items():
        facts = FACTS.get(name)
        rows.append((
            name, one_line(technique.title, 200), facts.settings if facts else "-",
            facts.paper if facts else "-", f"{technique.training_factor}x",
        ))  # fmt: skip
    return rows


def precision_rows(precisions: dict[str, Precision]) -> list[tuple[str, ...]]:
    """Of the table of all precisions."""
    from adadeep.core.precision import is_searched

    return [
        (name, one_line(one.title, 200), str(one.weight_bits), "yes" if is_searched(one) else
         "where it is named")
        for name, one in precisions.items()
    ]  # fmt: skip


def offer_rows(offers: Offers) -> list[tuple[str, ...]]:
    """Of the table of what applies to a network."""
    return [
        (
            one_line(one.layer, _LONGEST), one.best or f"{one.technique}: the weights decide",
            _saved(one.storage_saved), _saved(one.macs_saved), str(len(one.settings)),
        )
        for one in offers.offers
    ]  # fmt: skip


def _saved(share: float | None) -> str:
    """Of the whole network: "-12 %", or what it costs more."""
    if share is None:
        return "-"
    return f"{'-' if share >= 0 else '+'}{format_percent(abs(share))}"


def _show_all(
    ui: Ui, techniques: dict[str, Technique[Any]], precisions: dict[str, Precision]
) -> None:
    from adadeep.study.technique_facts import GAINS_NOTHING

    ui.table(COLUMNS, technique_rows(techniques), "techniques, of one layer each")
    ui.table(PRECISION_COLUMNS, precision_rows(precisions), "precisions, of the whole network")
    ui.say("measured to gain nothing:")
    for line in GAINS_NOTHING:
        ui.say(f"- {line}")
    ui.now("adadeep techniques", "MODEL.keras")


def _show_offers(ui: Ui, offers: Offers) -> None:
    spec = offers.model
    ui.table(OFFER_COLUMNS, offer_rows(offers), f"{one_line(spec.name, _LONGEST)}, layer by layer")
    ui.say(
        f"shares are of the whole network: S_p {format_bytes(spec.parameter_storage_bytes)},"
        f" {format_count(spec.macs)} MACs"
    )
    for line in _left(offers):
        ui.say(one_line(line, 400))


def _left(offers: Offers) -> Iterator[str]:
    """What can't be compressed, and why."""
    for one in offers.refusals:
        yield f"{one.layer}: not {one.technique}: {one.reason}"
    for kind, names in offers.untouched.items():
        shown = ", ".join(one_line(name, _LONGEST) for name in names[:_MOST_NAMES])
        more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
        yield f"no technique is for {kind}: {shown}{more}; precisions are for all"


def _listed(
    techniques: dict[str, Technique[Any]], precisions: dict[str, Precision]
) -> dict[str, Any]:
    from adadeep.core.precision import is_searched
    from adadeep.study.technique_facts import FACTS, GAINS_NOTHING

    return {
        "techniques": [
            {
                "name": name,
                "title": one.title,
                "settings": FACTS[name].settings if name in FACTS else None,
                "paper": FACTS[name].paper if name in FACTS else None,
                "training_factor": one.training_factor,
            }
            for name, one in techniques.items()
        ],
        "precisions": [
            {
                "name": name,
                "title": one.title,
                "weight_bits": one.weight_bits,
                "is_searched": is_searched(one),
                "needs_samples": one.needs_samples,
            }
            for name, one in precisions.items()
        ],
        "gains_nothing": list(GAINS_NOTHING),
    }


def offers_as_json(offers: Offers) -> dict[str, Any]:
    """For JSON: keys as in docs/json.md."""
    return {
        "name": offers.model.name,
        "macs": offers.model.macs,
        "storage_bytes": offers.model.parameter_storage_bytes,
        "offers": [asdict(one) for one in offers.offers],
        "refusals": [asdict(one) for one in offers.refusals],
        "untouched": [
            {"kind": kind, "layers": list(names)} for kind, names in offers.untouched.items()
        ],
    }
