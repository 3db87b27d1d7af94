import pytest

from adadeep.core import units
from adadeep.core.errors import ConfigError


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (units.parse_latency_ms, "4ms", 4.0),
        (units.parse_latency_ms, " 250 us ", 0.25),
        (units.parse_latency_ms, "0.1s", 100.0),
        (units.parse_storage_bytes, "500kB", 500e3),
        (units.parse_storage_bytes, "2MiB", 2 * 1024**2),
        (units.parse_energy_mj, "300uJ", 0.3),
        (units.parse_fraction, "1%", 0.01),
        (units.parse_fraction, "0.01", 0.01),
        (units.parse_fraction, "100%", 1.0),
    ],
)
def test_text_with_a_unit_becomes_the_one_unit_inside(parse, text, value):
    assert parse(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (units.parse_latency_ms, "4"),  # without a unit nobody knows
        (units.parse_latency_ms, "fast"),
        (units.parse_latency_ms, "-4ms"),
        (units.parse_latency_ms, "1e999ms"),
        (units.parse_storage_bytes, "500 parsecs"),
        (units.parse_energy_mj, ""),
        (units.parse_fraction, "101%"),
    ],
)
def test_what_is_no_amount_is_told_with_an_example(parse, text):
    with pytest.raises(ConfigError, match=r"example|too large"):
        parse(text)


def test_unknown_is_a_dash_and_never_a_zero():
    for show in (units.format_bytes, units.format_ms, units.format_mj, units.format_count,
                 units.format_percent):  # fmt: skip
        assert show(None) == "-"
    assert units.format_bytes(1234567) == "1.23 MB"
    assert units.format_ms(0.1234) == "0.123 ms"
    assert units.format_count(28324864) == "28.3 M"
    assert units.format_percent(0.983) == "98.3 %"
