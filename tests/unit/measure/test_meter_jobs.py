"""What a meter is asked, before anything is pushed."""

import hashlib

from adadeep.measure import meter_jobs
from adadeep.measure.meter_jobs import Batch, Digests, ModelJob


def test_a_model_that_came_before_as_the_same_object_is_not_hashed_again(monkeypatch):
    hashed, real = [], hashlib.sha256
    monkeypatch.setattr(
        meter_jobs.hashlib, "sha256", lambda data: hashed.append(data) or real(data)
    )
    digests, reference = Digests(), bytes(2000)
    for number in range(4):
        candidate = bytes([number]) * 1000
        batch = Batch.of([ModelJob(candidate), ModelJob(reference)], digests)
        assert batch.digests == tuple(real(one).hexdigest() for one in (candidate, reference))
    assert len([one for one in hashed if one is reference]) == 1
    assert len(hashed) == 5


def test_an_equal_model_of_another_object_is_hashed_for_itself_and_few_are_kept():
    digests = Digests()
    models = [bytes([number]) * 10 for number in range(20)]
    for model in models:
        assert digests.of(model) == hashlib.sha256(model).hexdigest()
    assert digests.of(bytes(bytearray(models[0]))) == hashlib.sha256(models[0]).hexdigest()
    assert len(digests._last) <= 4
