"""The files of a training are checked before it starts, and a fault names the file and the utterance."""

import ast
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctc_kd.corpus.audio import Segment
from ctc_kd.corpus.ogg_zip import OggZipJob
from ctc_kd.inventory import Inventory
from ctc_kd.lexicon.inventory import phonemes
from ctc_kd.store import HdfWriter, read_hdf
from ctc_kd.training.check_inputs import check_frames, check_inputs, check_once
from ctc_kd.training.datasets import read_index, too_short_for_ctc, utterance_durations
from ctc_kd.training.train_config import Inputs

CLASSES = phonemes(79).labels


@pytest.fixture
def check(tiny, tmp_path):
    """``check(partition_epoch=, processes=, **files)``: with files of 20 and 5 utterances, or others by name."""
    names = [name for part in ("train", "dev") for name in utterance_durations([getattr(tiny, part).get_path()])]
    write_logits(tmp_path / "logits.hdf", dict.fromkeys(names, np.zeros((12, 79), "float16")))
    files = {name: getattr(tiny, name).get_path() for name in ("train", "dev", "train_labels", "dev_labels")}

    def run(*, partition_epoch=1, processes=1, hypotheses=None, **other):
        given = {**files, "logits": str(tmp_path / "logits.hdf"), **other}
        train = Inputs([given["train"]], given["train_labels"], given["logits"], hypotheses)
        dev = Inputs([given["dev"]], given["dev_labels"], given["logits"])
        check_inputs(train, dev, inventory=phonemes(), partition_epoch=partition_epoch, processes=processes)

    return run


def write_logits(path, logits, **metadata):
    with HdfWriter(path, labels=CLASSES, metadata={"frame_shift_s": 0.04, **metadata}) as writer:
        for utterance, array in logits.items():
            writer.add(utterance, array)


def without(path, utterance):
    """A copy of a store of logits that lacks an utterance."""
    logits = dict(read_hdf(path))
    del logits[utterance]
    write_logits(path.with_name("fewer_logits.hdf"), logits)
    return str(path.with_name("fewer_logits.hdf"))


@pytest.mark.parametrize(("partition_epoch", "processes"), [(21, 1), (1, 21), (7, 3)])
def test_fewer_utterances_than_sub_epochs_and_processes(check, partition_epoch, processes):
    check(partition_epoch=5, processes=4)
    with pytest.raises(
        ValueError, match=rf"train\.zip: found 20 utterances, expected at least 21, for {partition_epoch}"
    ):
        check(partition_epoch=partition_epoch, processes=processes)


@pytest.mark.parametrize("utterance", ["train-07", "dev-03"])
def test_a_store_of_logits_that_lacks_an_utterance(check, tmp_path, utterance):
    store = without(tmp_path / "logits.hdf", utterance)
    with pytest.raises(ValueError, match=rf"fewer_logits\.hdf lacks 1 utterances .*: {utterance}\."):
        check(logits=store)


def test_labels_and_archives_that_lack_utterances(check, tiny):
    with pytest.raises(ValueError, match=r"dev_labels\.hdf lacks 20 utterances .*: train-00, .*train-09, \.\.\.\."):
        check(train_labels=tiny.dev_labels.get_path())
    with pytest.raises(ValueError, match=r"dev\.zip lacks 20 utterances .*: train-00"):
        check(dev_labels=tiny.train_labels.get_path())
    check(train_labels=None, dev_labels=None)
    check(logits=None)


def test_dev_utterances_without_labels_need_no_logits(check, tiny, tmp_path):
    """They have words outside of the lexicon, and are left out of the dev loss."""
    labelled = {name: array for name, array in read_hdf(tiny.dev_labels.get_path()) if name != "dev-03"}
    with HdfWriter(tmp_path / "fewer.hdf", labels=CLASSES[:-1]) as writer:
        for utterance, array in labelled.items():
            writer.add(utterance, array)
    store = without(tmp_path / "logits.hdf", "dev-03")
    check(dev_labels=str(tmp_path / "fewer.hdf"), logits=store)


@pytest.mark.parametrize(
    ("subsampling", "facts", "fault"),
    [
        (4, {"frame_shift_s": 0.02}, r"the frame shift is 0\.02 s, but the student's is 0\.04 s"),
        (8, {"frame_shift_s": 0.04}, r"the frame shift is 0\.04 s, but the student's is 0\.08 s"),
        (
            4,
            {"first_centre_s": 0.005},
            "the first frame is at 5.0 ms, but the student's is at 27.5 ms: .* half a frame",
        ),
        (8, {"frame_shift_s": 0.08, "first_centre_s": 0.09}, "the first frame is at 90.0 ms, but .* at 47.5 ms"),
        (4, {"first_centre_s": 0.0465}, None),
        (8, {"frame_shift_s": 0.08, "first_centre_s": 0.08}, None),
    ],
)
def test_a_frame_of_the_teacher_is_where_that_of_the_student_is(tmp_path, subsampling, facts, fault):
    path = str(tmp_path / "logits.hdf")
    write_logits(path, {"one": np.zeros((12, 79), "float16")}, **facts)
    if fault is None:
        check_frames(path, subsampling)
    else:
        with pytest.raises(ValueError, match=rf"logits\.hdf: {fault}"):
            check_frames(path, subsampling)
        if "first frame" in fault:
            check_frames(path, subsampling, is_student=False)


def test_stores_of_another_inventory_are_refused(check, tiny, tmp_path):
    """As many classes are not enough: blank is elsewhere, or a label is another one."""
    moved = Inventory("characters", CLASSES, blank=0)
    with HdfWriter(tmp_path / "moved.hdf", labels=CLASSES, metadata={"inventory": moved.facts()}) as writer:
        for utterance, array in read_hdf(tiny.train_labels.get_path()):
            writer.add(utterance, array)
    with pytest.raises(ValueError, match=r"^labels .*moved\.hdf: blank is label 0, but that of the model is label 78"):
        check(train_labels=str(tmp_path / "moved.hdf"))


def test_hypotheses_that_lack_an_utterance_or_have_other_labels(check, tiny, tmp_path):
    names = [name for part in (tiny.train, tiny.dev) for name in utterance_durations([part.get_path()])]
    for labels, written, fault in (
        (CLASSES, names[:-1], f"labels.hdf lacks 1 utterances .*: {names[-1]}"),
        ([*CLASSES[:-2], "?", CLASSES[-1]], names, "hypotheses .*labels.hdf: label 77 of 79 is \\?"),
    ):
        with HdfWriter(tmp_path / "labels.hdf", labels=labels) as writer:
            for name in written:
                writer.add(name, np.array([3, 78], "int32"))
        with pytest.raises(ValueError, match=fault):
            check(hypotheses=str(tmp_path))


# utterances that are too short -------------------------------------------------------------------------------------
def write_labels(path, sequences):
    with HdfWriter(path, labels=CLASSES) as writer:
        for utterance, labels in sequences.items():
            writer.add(utterance, np.array(labels, dtype="int32"))
    return str(path)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.lists(st.integers(0, 2), max_size=8), st.integers(0, 16)), min_size=1, max_size=6))
def test_too_short_for_ctc(tmp_path_factory, utterances):
    """CTC needs a frame for each label, and one between two equal ones."""
    path = write_labels(tmp_path_factory.mktemp("s") / "l.hdf", {f"u{i}": one for i, (one, _) in enumerate(utterances)})
    durations = {f"u{i}": 0.025 + 0.03 + 0.04 * (frames - 1) for i, (_, frames) in enumerate(utterances)}
    expected = {}
    for i, (labels, frames) in enumerate(utterances):
        needed = len(labels) + sum(a == b for a, b in zip(labels, labels[1:], strict=False))
        if frames < needed:
            expected[f"u{i}"] = frames, needed
    assert too_short_for_ctc(path, durations) == expected


@pytest.mark.parametrize("names", [["a/b", "c-sp0.9"], ["a'b", 'c"d'], ["a\\b"], ["\u2028", "é"], []])
def test_index_is_read_as_the_literal_that_it_is(names):
    job = OggZipJob(cuts=None)
    entries = [job.entry(Segment(name, f"of {name}", "x.flac", 0, 16001 + i)) for i, name in enumerate(names)]
    index = "[\n" + "".join(f"{entry!r},\n" for entry in entries) + "]\n"
    expected = [(entry["seq_name"], entry["duration"]) for entry in ast.literal_eval(index)]
    assert [name for name, _ in expected] == names
    assert list(read_index(index)) == list(read_index(repr(entries))) == expected


def test_inputs_that_passed_are_not_checked_after_a_restart(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = utterance_durations([tiny.train.get_path()])
    labels = write_labels(tmp_path / "labels.hdf", {**dict.fromkeys(names, [1, 2]), "train-07": 99 * [1]})
    train, dev = Inputs([tiny.train.get_path()], labels, None), Inputs([tiny.dev.get_path()], None, None)

    def notes(**options):
        check_once(train, dev, inventory=phonemes(), processes=1, **options)
        return capsys.readouterr().out.count("note: 1 utterances")

    assert [notes(partition_epoch=1), notes(partition_epoch=1)] == [1, 0]
    assert [notes(partition_epoch=2), notes(partition_epoch=2)] == [1, 0]
    os.utime(labels, (1, 1))
    assert notes(partition_epoch=2) == 1, "another file has its name now"
    for _ in range(2):
        with pytest.raises(ValueError, match="expected at least 21"):
            notes(partition_epoch=21)


@pytest.mark.parametrize(
    ("is_student", "said"),
    [
        (True, "have fewer frames than CTC needs for their labels; their CTC loss counts as 0: "),
        (
            False,
            "may have fewer frames (an encoder makes up to two more than shown) than CTC needs for their labels; if ",
        ),
    ],
)
def test_of_an_encoder_the_number_of_frames_is_not_known(tiny, tmp_path, capsys, is_student, said):
    labels = write_labels(
        tmp_path / "labels.hdf", dict.fromkeys(utterance_durations([tiny.train.get_path()]), 99 * [1])
    )
    train, dev = Inputs([tiny.train.get_path()], labels, None), Inputs([tiny.dev.get_path()], None, None)
    check_inputs(train, dev, inventory=phonemes(), partition_epoch=1, processes=1, is_student=is_student)
    assert f"note: 20 utterances of {labels} {said}" in capsys.readouterr().out
