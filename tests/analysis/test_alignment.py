"""How a student differs from its teacher in time: against plain definitions, by hand, and through the job."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sisyphus import tk

from ctc_kd.analysis.alignment import AlignmentJob
from ctc_kd.analysis.frame_counts import FrameCounts
from ctc_kd.analysis.paired import BestPath, best_path
from ctc_kd.analysis.spike_offsets import Spike, SpikeOffsets, matched, spikes_of
from ctc_kd.files import read_json
from ctc_kd.inventory import Inventory
from ctc_kd.scoring.alignment import GAP_COST, SUBSTITUTION_COST, align, count
from ctc_kd.scoring.label_errors import LabelErrorRateJob
from ctc_kd.store import HdfWriter

A, BLANK, B, NOISE = range(4)
INVENTORY = Inventory("characters", ("a", "_", "b", "<noise>"), blank=BLANK, unspoken=("<noise>",))
SPIKES = st.lists(st.integers(0, 2), max_size=5).flatmap(
    lambda labels: st.lists(st.integers(0, 9), min_size=len(labels), max_size=len(labels), unique=True).map(
        lambda frames: [Spike(*spike) for spike in zip(labels, sorted(frames), strict=True)]
    )
)


def cost(matches):
    """Of an alignment: errors first, then the distances in time of its pairs."""
    pairs = [(one, other) for one, other in matches if one and other]
    wrong = sum(one.label != other.label for one, other in pairs)
    errors = SUBSTITUTION_COST * wrong + GAP_COST * (len(matches) - len(pairs))
    return errors, sum(abs(one.frame - other.frame) for one, other in pairs)


def alignments(teacher, student):
    """All there are."""
    if not teacher and not student:
        yield []
    if teacher and student:
        yield from ([(teacher[0], student[0]), *rest] for rest in alignments(teacher[1:], student[1:]))
    if teacher:
        yield from ([(teacher[0], None), *rest] for rest in alignments(teacher[1:], student))
    if student:
        yield from ([(None, student[0]), *rest] for rest in alignments(teacher, student[1:]))


@settings(max_examples=30)
@given(SPIKES, SPIKES)
def test_no_alignment_is_cheaper(teacher, student):
    found = matched(teacher, student)
    assert [one for one, _ in found if one] == teacher
    assert [other for _, other in found if other] == student
    assert cost(found) == min(map(cost, alignments(teacher, student)))


@settings(max_examples=30)
@given(SPIKES, SPIKES)
def test_labels_are_aligned_as_cheaply_as_without_times(teacher, student):
    plain = count(align([spike.label for spike in teacher], [spike.label for spike in student]))
    errors, _ = cost(matched(teacher, student))
    assert errors == SUBSTITUTION_COST * plain.substitutions + GAP_COST * (plain.deletions + plain.insertions)


def test_time_says_which_of_two_equal_labels_was_left_out():
    first, second = Spike(A, 10), Spike(A, 20)
    for frame, kept in ((11, first), (19, second)):
        pairs = matched([first, second], [Spike(A, frame)])
        assert (kept, Spike(A, frame)) in pairs


@settings(max_examples=30)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=6))
def test_a_shifted_student_has_the_offsets_of_its_shifts(shifts):
    teacher = [Spike(A if number % 2 else B, 10 * number + 5) for number in range(len(shifts))]
    student = [Spike(label, frame + shift) for (label, frame), shift in zip(teacher, shifts, strict=True)]
    offsets = SpikeOffsets()
    offsets.add_matches(matched(teacher, student))
    assert offsets.offsets == Counter(shifts)
    summary = offsets.summary()
    assert summary["label_errors"] == 0.0 and summary["hits"] == len(shifts)
    assert summary["exact"] == pytest.approx(100 * shifts.count(0) / len(shifts))
    assert summary["within_one"] == pytest.approx(100 * sum(abs(shift) <= 1 for shift in shifts) / len(shifts))
    assert summary["mean_offset"] == pytest.approx(np.mean(shifts))
    assert summary["mean_distance"] == pytest.approx(np.mean(np.abs(shifts)))


PATHS = st.lists(st.integers(0, 3), max_size=12)


@settings(max_examples=30)
@given(PATHS, PATHS.map(lambda labels: [-0.5 * label for label in labels]))
def test_spikes_are_the_labels_of_the_path_at_their_highest_posteriors(labels, scores):
    scores = (scores + [0.0] * len(labels))[: len(labels)]
    path = BestPath(np.array(labels, dtype=int), np.array(scores))
    spikes = spikes_of(path, blank=BLANK, unspoken={NOISE})
    assert [spike.label for spike in spikes] == [label for label in INVENTORY.collapsed(labels) if label != NOISE]
    for label, frame in spikes:
        begin = end = frame
        while begin and labels[begin - 1] == label:
            begin -= 1
        while end < len(labels) and labels[end] == label:
            end += 1
        assert scores[frame] == max(scores[begin:end]) > max([-9.0, *scores[begin:frame]])


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20), st.integers(0, 20))
def test_frames_are_counted_as_they_are_defined(pairs, cut):
    counts = FrameCounts()
    for part in (pairs[:cut], pairs[cut:]):
        teacher, student = (np.array([pair[side] for pair in part], dtype=int) for side in (0, 1))
        counts.add(teacher, student, blank=BLANK)
    found, spoken = counts.summary(), [(one, other) for one, other in pairs if one != BLANK]
    assert found["share"] == pytest.approx(100 * sum(one == other for one, other in pairs) / len(pairs))
    blanks = [100 * sum(pair[side] == BLANK for pair in pairs) / len(pairs) for side in (0, 1)]
    assert [found["teacher_blank"], found["blank"]] == pytest.approx(blanks)
    assert found["blank_surplus"] == pytest.approx(blanks[1] - blanks[0])
    if not spoken:
        assert found["label_share"] is found["spike_error"] is found["missed"] is None
        return
    assert found["spike_error"] == pytest.approx(100 * sum(one != other for one, other in spoken) / len(spoken))
    assert found["missed"] == pytest.approx(100 * sum(other == BLANK for _, other in spoken) / len(spoken))
    assert found["label_share"] + found["spike_error"] == pytest.approx(100)


def test_logits_and_their_log_posteriors_have_one_best_path():
    logits = np.random.default_rng(0).normal(size=(7, 4)) * 5
    posteriors = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for scores in (logits, np.log(posteriors)):
        path = best_path(scores)
        assert path.labels.tolist() == posteriors.argmax(axis=1).tolist()
        assert path.log_posteriors == pytest.approx(np.log(posteriors.max(axis=1)), abs=1e-5)


def write(path, utterances):
    with HdfWriter(path, labels=INVENTORY.labels, metadata={"inventory": INVENTORY.facts()}) as store:
        for utterance, labels in utterances.items():
            store.add(utterance, 4 * np.eye(4, dtype="float16")[labels])
    return tk.Path(str(path))


@pytest.fixture
def stores(tmp_path):
    def make(student, teacher):
        paths = {"student": (tmp_path / "s.hdf", student), "teacher": (tmp_path / "t.hdf", teacher)}
        return {name: write(*content) for name, content in paths.items()}

    return make


def test_job_by_hand(stores, run_here):
    student = {"x": [BLANK, BLANK, A, BLANK, BLANK, BLANK, B], "y": [A, BLANK], "left": [A]}
    teacher = {"x": [BLANK, A, BLANK, B, BLANK, BLANK, B, BLANK], "y": [NOISE, BLANK], "other": [B]}
    pair = stores(student, teacher)
    job = run_here(AlignmentJob(**pair))
    found = read_json(job.out_alignment.get_path())
    assert (found["utterances"], found["left_out"], found["frames"], found["label_frames"]) == (2, 2, 9, 4)
    # x: a is one frame late, the first b is missing, the second in place; y: where the teacher has noise, the
    # student inserts a
    assert found["offsets"] == {"0": 1, "1": 1}
    assert [found[name] for name in ("substitutions", "deletions", "insertions", "hits", "labels")] == [0, 1, 1, 2, 3]
    assert (job.out_exact.get(), job.out_within_one.get(), job.out_mean_offset.get()) == (50.0, 100.0, 0.5)
    assert job.out_label_errors.get() == pytest.approx(200 / 3)
    assert (job.out_spike_error.get(), found["missed"]) == (75.0, 50.0)
    assert job.out_blank_surplus.get() == pytest.approx(100 / 9)
    assert job.out_share.get() == pytest.approx(100 * 5 / 9)
    rates = LabelErrorRateJob(hypotheses=pair["student"], references=pair["teacher"])
    assert run_here(rates).out_rate.get() == pytest.approx(job.out_label_errors.get())


def test_a_silent_teacher_has_no_spikes_to_compare_with(stores, run_here):
    job = run_here(AlignmentJob(**stores({"x": [A, BLANK]}, {"x": [BLANK, BLANK]})))
    assert job.out_exact.get() is job.out_spike_error.get() is job.out_label_errors.get() is None
    assert job.out_blank_surplus.get() == -50.0


def test_a_silent_student_has_errors_but_no_offsets(stores, run_here):
    job = run_here(AlignmentJob(**stores({"x": [BLANK, BLANK]}, {"x": [A, BLANK]})))
    assert job.out_exact.get() is job.out_within_one.get() is job.out_mean_offset.get() is None
    assert job.out_spike_error.get() == job.out_label_errors.get() == 100.0


def test_a_diverged_student_is_named(stores, tmp_path, run_here):
    pair = stores({"x": [A]}, {"x": [A]})
    with HdfWriter(tmp_path / "s.hdf", labels=INVENTORY.labels, metadata={"inventory": INVENTORY.facts()}) as store:
        store.add("x", np.full((1, 4), np.nan, dtype="float16"))
    with pytest.raises(ValueError, match="s.hdf: utterance x has a NaN; its model has diverged"):
        run_here(AlignmentJob(**pair))
