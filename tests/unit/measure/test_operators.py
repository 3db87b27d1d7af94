"""What a runtime can't run is told before anything is pushed."""

import pytest

from adadeep.core.errors import AgentError
from adadeep.core.measurement import Agent
from adadeep.measure.layer_models import SingleLayer, dense, tflite_of
from adadeep.measure.operators import require_operators
from fakes.tflite_models import rewritten

PHONES = Agent("android-java", "1", "tensorflow-lite", "2.16.1")
MODEL = tflite_of(SingleLayer(dense(8, 4)))


def newer(version):
    def change(parts):
        parts.operatorCodes[0].version = version

    return rewritten(MODEL, change)


def test_a_model_of_newer_operators_is_refused_by_name_and_never_called_corrupt():
    with pytest.raises(AgentError) as caught:
        require_operators("S 1", PHONES, [("good", MODEL), ("bad", newer(12))])
    assert (caught.value.code, caught.value.model) == ("unsupported_op", "bad")
    assert caught.value.exit_code == 2
    assert str(caught.value) == (
        "S 1: this model needs a newer runtime than tensorflow-lite 2.16.1: FULLY_CONNECTED of"
        " version 12, of which it has 1 to 11. Convert it for that runtime, or give the device a"
        " newer one: on Android --runtime FILE.aar, else adadeep doctor -d 'S 1' --provision"
    )


def test_what_the_runtime_has_passes_and_so_does_all_on_one_that_nobody_knows():
    require_operators("S", PHONES, [("good", MODEL), ("last", newer(11)), ("junk", b"junk")])
    unknown = Agent("android-java", "1", "tensorflow-lite", "2.99")
    require_operators("S", unknown, [("bad", newer(12))])
