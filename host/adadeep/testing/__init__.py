"""Contract kits: what every technique, sampler, ... must do, as tests that others inherit.

They are run over all that adadeep itself registers. Who adds an entry to a registry, in adadeep or
in a package of their own, derives from the kit of its kind and gives the entry by one fixture:

    from adadeep.testing.techniques import TechniqueKit

    class TestP1(TechniqueKit):
        @pytest.fixture
        def technique(self):
            return P1

A kit needs pytest, which adadeep itself does not; nothing else imports this package.
"""

import pkgutil

import pytest

# Their assertions are to say what they compared, as those of a test module do.
pytest.register_assert_rewrite(
    *(f"{__name__}.{one.name}" for one in pkgutil.iter_modules(__path__))
)
