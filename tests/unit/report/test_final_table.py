from adadeep.core.cost import UNAVAILABLE, Cost, Provenance, Quantity
from adadeep.core.metric import Scale
from adadeep.report.final_table import COLUMNS, PlanRow, legend, settings_lines, table_rows
from fakes.metrics import ERROR

MEASURED = Quantity(1.5, Provenance.MEASURED, "Box, litert 2")
SUSPECT = Quantity(2.5, Provenance.MEASURED, "Box, litert 2", ("the clock dropped 20%",))
FORMULA = Quantity(0.25, Provenance.ANALYTIC, "Eq. 5")


def row(latency=MEASURED, energy=FORMULA, **changes):
    cost = Cost(latency, energy, 500e3, 1e3, 600_000, 10_000_000)
    values = {"label": "fc1:W1f", "accuracy": 0.98, "test_accuracy": None, "reward": 1.0}
    return PlanRow(**{**values, "cost": cost, "demand": "met", **changes})


def cells(one):
    names = [column.title for column in COLUMNS]
    return dict(zip(names, table_rows([one])[0], strict=True))


def test_a_measured_number_stands_plain_and_one_from_a_formula_is_marked():
    found = cells(row())
    assert (found["T"], found["E"]) == ("1.5 ms", "0.25 mJ *")
    assert found["A (test)"] == "-"
    assert found["demand"] == "met"


def test_a_quality_that_is_no_accuracy_is_shown_in_its_unit_and_explained():
    error = row(accuracy=2.5, scale=Scale.of(ERROR))
    assert cells(error)["A (val)"] == "2.5"
    assert cells(row())["A (val)"] == "98.0 %"
    assert legend([error])[0] == "A: mean error, from 0 to 10, lower is better"
    assert not any(line.startswith("A:") for line in legend([row()]))


def test_a_suspect_number_is_marked_and_explained():
    assert cells(row(SUSPECT))["T"] == "2.5 ms !"
    assert any("suspect" in line for line in legend([row(), row(SUSPECT)]))
    assert not any("suspect" in line for line in legend([row()]))


def test_the_legend_names_every_way_and_source_once():
    lines = legend([row(), row(), row(latency=FORMULA)])
    assert lines == [
        "T: measured: Box, litert 2",
        "T: * from a formula, not measured: Eq. 5",
        "E: * from a formula, not measured: Eq. 5",
    ]


def test_what_is_not_there_is_a_dash_and_has_no_legend():
    assert cells(row(energy=UNAVAILABLE))["E"] == "-"
    assert legend([row(energy=UNAVAILABLE)]) == ["T: measured: Box, litert 2"]


def test_what_a_short_label_leaves_out_stands_below():
    assert settings_lines([row(), row(settings="#2: fc1:W1f(rank=3)")]) == ["#2: fc1:W1f(rank=3)"]
