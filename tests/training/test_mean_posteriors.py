"""The mean of several teachers' posteriors, and the stores that have none."""

import numpy as np
import pytest
from sisyphus import tk

from ctc_kd.inventory import Inventory, inventory_of
from ctc_kd.store import HdfWriter, read_hdf, read_metadata
from ctc_kd.training.mean_posteriors import MeanPosteriorsJob

LETTERS = Inventory("characters", ("-", "a", "b"), blank=0)
FACTS = {"frame_shift_s": 0.04, "first_centre_s": 0.02, "teacher_job": "a"}


def utterances(seed, lengths=(5, 4)):
    rng = np.random.default_rng(seed)
    return {f"u{index}": rng.standard_normal((length, 3)).astype("float16") for index, length in enumerate(lengths)}


@pytest.fixture
def store(tmp_path):
    """``store(name, utterances, inventory, **facts)``: a dump."""

    def write(name, logits, inventory=LETTERS, **facts):
        metadata = {**FACTS, "inventory": inventory.facts(), **facts}
        with HdfWriter(tmp_path / name, labels=inventory.labels, metadata=metadata) as writer:
            for utterance, array in logits.items():
                writer.add(utterance, array)
        return tk.Path(str(tmp_path / name))

    return write


def posteriors(logits):
    powers = np.exp(logits.astype("float64"))
    return powers / powers.sum(axis=1, keepdims=True)


def test_the_mean_is_one_of_probabilities(run_jobs, store, monkeypatch):
    monkeypatch.setattr("ctc_kd.training.dump.SHARD_SIZE", 1)
    first, second = utterances(0), utterances(1, (6, 4))
    paths = [store("a.hdf", first), store("b.hdf", second, first_centre_s=0.03, teacher_job="b")]
    job = MeanPosteriorsJob(logits=paths)
    run_jobs(job.out_logits)
    found = job.out_logits.get_path()
    assert inventory_of(found) == LETTERS
    metadata = read_metadata(found)
    assert (metadata["teacher_job"], metadata["frame_shift_s"]) == ("mean of a, b", 0.04)
    assert metadata["first_centre_s"] == pytest.approx(0.025)
    mean = dict(read_hdf(found))
    assert list(mean) == ["u0", "u1"]
    for utterance, array in mean.items():
        expected = (posteriors(first[utterance]) + posteriors(second[utterance])[: len(first[utterance])]) / 2
        assert array.dtype == np.float16
        np.testing.assert_allclose(np.exp(array.astype("float64")), expected, atol=2e-3)


@pytest.mark.parametrize(
    ("other", "fault"),
    [
        (
            {"inventory": Inventory("characters", ("-", "a", "c"), blank=0)},
            "label 2 of 3 is c, but that of .*a.hdf is b",
        ),
        ({"inventory": Inventory("characters", LETTERS.labels, blank=1)}, "blank is label 1, but that of .*a.hdf"),
        ({"frame_shift_s": 0.08}, "the frame shift is 0.08 s, but that of .*a.hdf is 0.04 s"),
        ({"first_centre_s": 0.05}, "frames lie 30.0 ms from those of .*a.hdf, expected at most half"),
        ({"logits": utterances(1, (5,))}, "utterance None with 0 frames, but .*a.hdf has u1 with 4 there"),
        ({"logits": utterances(1, (5, 4, 3))}, "utterance u2 with 3 frames, but .*a.hdf has None with 0 there"),
        ({"logits": utterances(1, (7, 4))}, "utterance u0 with 7 frames, but .*a.hdf has u0 with 5 there"),
    ],
)
def test_stores_that_do_not_fit_are_refused(run_here, store, other, fault):
    paths = [store("a.hdf", utterances(0)), store("b.hdf", **{"logits": utterances(1), **other})]
    with pytest.raises(ValueError, match=rf"b\.hdf: {fault}"):
        run_here(MeanPosteriorsJob(logits=paths))


def test_one_teacher_has_no_mean(store):
    with pytest.raises(ValueError, match="of 1 teachers: expected at least two"):
        MeanPosteriorsJob(logits=[store("a.hdf", utterances(0))])
