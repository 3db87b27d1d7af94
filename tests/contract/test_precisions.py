"""The contract of every precision, and what adadeep's own are besides."""

from __future__ import annotations

import subprocess
import sys

import pytest

from adadeep.convert.precisions.registry import PRECISIONS
from adadeep.core.plan import UNCHANGED_PRECISION
from adadeep.core.precision import Precision
from adadeep.testing.precisions import PrecisionKit


@pytest.mark.tf
class TestPrecision(PrecisionKit):
    @pytest.fixture(params=list(PRECISIONS))
    def precision(self, request: pytest.FixtureRequest) -> Precision:
        return PRECISIONS.get(request.param)

    def test_it_has_the_name_that_it_is_registered_by(self, precision: Precision) -> None:
        assert PRECISIONS.get(precision.name) is precision


def test_there_is_the_one_of_a_plan_that_names_none() -> None:
    unchanged = PRECISIONS.get(UNCHANGED_PRECISION)
    assert unchanged.runs_as_trained
    assert (unchanged.weight_bits, unchanged.activation_bits) == (32, 32)


def test_listing_them_imports_no_tensorflow() -> None:
    code = (
        "import sys; from adadeep.convert.precisions.registry import PRECISIONS as known;"
        "print(*(known.get(name).name for name in known));"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(PRECISIONS)
