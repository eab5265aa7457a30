"""N-best lists against all label sequences of short utterances."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctc_kd.decoding.nbest import NBestSearch
from ctc_kd.decoding.nbest_job import NBestJob
from ctc_kd.decoding.search import SearchConfig
from ctc_kd.inventory import Inventory, inventory_of
from ctc_kd.store import HdfWriter, read_hdf

INVENTORY = Inventory("characters", ("a", "_", "b", "<s>"), blank=1, unspoken=("<s>",))
EVERYTHING = SearchConfig(beam_size=1000, beam_size_token=4, beam_threshold=1000.0)


def plain_list(logits):
    """Every label sequence with its probability, summed over all paths."""
    frames = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    found = {}
    for path in itertools.product((0, 1, 2), repeat=len(frames)):
        labels = tuple(INVENTORY.collapsed(path))
        found[labels] = found.get(labels, 0.0) + math.prod(frame[k] for frame, k in zip(frames, path, strict=True))
    return sorted(found.items(), key=lambda item: -item[1])


def random_logits(seed, num_frames):
    return np.random.default_rng(seed).normal(0.0, 2.0, (num_frames, 4)).astype("float16")


@given(seed=st.integers(0, 1000), num_frames=st.integers(1, 5), num=st.integers(1, 8))
@settings(max_examples=15)
def test_the_list_has_the_most_probable_sequences(seed, num_frames, num):
    logits = random_logits(seed, num_frames)
    found = NBestSearch(config=EVERYTHING, inventory=INVENTORY).best(logits, num)
    expected = plain_list(logits.astype("float64"))[:num]
    assert [labels for labels, _ in found] == [labels for labels, _ in expected]
    assert [math.exp(score) for _, score in found] == pytest.approx([p for _, p in expected], rel=1e-5)


def test_the_first_need_not_be_the_best_path():
    """Blank is the best of both frames, but ``a`` may be in the first, in the second or in both."""
    logits = np.log(np.array([[0.4, 0.6, 1e-6, 1e-6]] * 2))
    (labels, score), *_ = NBestSearch(config=EVERYTHING, inventory=INVENTORY).best(logits, 1)
    assert labels == (0,)
    assert math.exp(score) == pytest.approx(1 - 0.6**2, abs=1e-4)


def test_no_frames_say_nothing():
    assert NBestSearch(config=EVERYTHING, inventory=INVENTORY).best(np.zeros((0, 4)), 3) == [((), 0.0)]


def test_lists_are_stored_with_their_weights(run_jobs, tmp_path):
    from sisyphus import tk

    logits = {f"utterance-{number}": random_logits(number, 1 + number % 5) for number in range(7)}
    (tmp_path / "logits").mkdir()
    for shard, names in enumerate((list(logits)[:4], list(logits)[4:])):
        with HdfWriter(
            tmp_path / "logits" / f"shard.{shard}.hdf",
            labels=INVENTORY.labels,
            metadata={"inventory": INVENTORY.facts()},
        ) as writer:
            for name in names:
                writer.add(name, logits[name])
    job = NBestJob(logits=tk.Path(str(tmp_path / "logits")), num=3, search=EVERYTHING)
    run_jobs(job.out_hypotheses)
    folder = job.out_hypotheses.get_path()
    assert inventory_of(f"{folder}/labels.hdf") == INVENTORY
    labels, weights = (dict(read_hdf(f"{folder}/{name}.hdf")) for name in ("labels", "weights"))
    assert list(labels) == list(weights) == list(logits)
    for name, array in logits.items():
        expected = plain_list(array.astype("float64"))[:3]
        assert labels[name].tolist() == [label for sequence, _ in expected for label in (*sequence, 1)]
        total = sum(p for _, p in expected)
        np.testing.assert_allclose(weights[name], [[p / total] for _, p in expected], rtol=1e-5)
