"""Records to JSON and back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctc_kd.methods import METHODS
from ctc_kd.report.record import Record, Score, read_record

counts = st.integers(0, 10**6)
scores = st.builds(
    Score, st.floats(0, 200), counts, counts, counts, words=st.integers(1, 10**6), utterances=st.integers(1, 10**5)
)
maybe = lambda strategy: st.none() | strategy
records = st.builds(
    Record,
    corpus=st.text(),
    preset=st.sampled_from(["published", "consistent"]),
    row=st.text(),
    method=st.sampled_from(list(METHODS)),
    parameter=maybe(st.floats(0, 9)),
    weight=maybe(st.floats(0, 1)),
    temperature=maybe(st.floats(1, 4)),
    normalisation=maybe(st.text()),
    seed=maybe(st.integers()),
    lm_scale=st.floats(0, 5),
    prior_scale=st.floats(0, 1),
    dev=scores,
    test=maybe(scores),
    published=maybe(st.fixed_dictionaries({"dev": st.floats(1, 9), "test": st.floats(1, 9), "parameter": st.none()})),
    training_seconds=maybe(st.floats(0, 1e6)),
    epochs=maybe(counts),
    num_parameters=maybe(counts),
    job_ids=st.dictionaries(st.text(), st.text()),
    uses_transcripts=st.booleans(),
)


@given(records)
def test_round_trip(record):
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record


def test_file(make_record, tmp_path):
    record = make_record("trim", None, 0.9, dev=17, test=18)
    path = tmp_path / "record.json"
    path.write_text(json.dumps(record.to_json()))
    assert read_record(path) == record


def test_unknown_method_is_refused(make_record):
    with pytest.raises(ValueError, match="elimination-l1.0.*eliminate"):
        make_record("elimination", None, 1.0, dev=17, test=18)
