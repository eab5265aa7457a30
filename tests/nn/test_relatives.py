"""The losses of related methods against plain definitions, frame by frame, and what all of them have in common."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctc_kd.nn.cr_ctc import ConsistencyLoss
from ctc_kd.nn.delayed import DelayedLoss
from ctc_kd.nn.distillation import DistillationLoss
from ctc_kd.nn.factorised import FactorisedLoss
from ctc_kd.nn.frame_and_sequence import FrameAndSequenceLoss
from ctc_kd.nn.guided_ctc import GuidedCtcLoss
from ctc_kd.nn.inter_kd import InterLoss
from ctc_kd.nn.losses import ctc_loss
from ctc_kd.nn.selection import Selection
from ctc_kd.nn.sequence import SequenceLoss, split_hypotheses
from ctc_kd.nn.soft_selection import SoftSelectionLoss

BLANK = 2  # in the middle, so that nobody takes it for the first or the last class
LENGTHS = torch.tensor([7, 5, 0])
TARGETS = {"targets": torch.tensor([[0, 1], [3, 9], [9, 9]]), "target_lengths": torch.tensor([2, 1, 0])}
HYPOTHESES = {
    "hypotheses": torch.tensor([[0, 1, 2, 0, 2, 0, 3, 1, 2], [3, 2, 2, 9, 9, 9, 9, 9, 9], [2] + [9] * 8]),
    "hypothesis_lengths": torch.tensor([9, 3, 1]),
    "hypothesis_weights": torch.tensor([[0.5, 0.25, 0.25], [0.75, 0.25, math.nan], [1.0, math.nan, math.nan]]),
}
"""``01``, ``0`` and ``031``; ``3`` and nothing; nothing."""


def logits_of(seed, copies=2):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(copies, 3, 7, 4, generator=generator, dtype=torch.float64)


def teacher_of(seed):
    teacher = 2 * logits_of(seed + 1000, 1)[0]
    return {"teacher_logits": teacher, "teacher_lengths": LENGTHS}


def frames():
    return [(b, t) for b, length in enumerate(LENGTHS.tolist()) for t in range(length)]


def divergence(p, q):
    """KL of two lists of probabilities."""
    return sum(x * math.log(x / y) for x, y in zip(p, q, strict=True))


def posteriors(logits, temperature):
    return (logits.double() / temperature).softmax(dim=-1).tolist()


def value_of(criterion, logits, name="kd", **inputs):
    return float(criterion(logits, LENGTHS, blank=BLANK, **inputs)[name].value)


SEEDS, TEMPERATURES = st.integers(0, 1000), st.sampled_from([1.0, 2.0])
EACH = settings(max_examples=15)


@given(seed=SEEDS, temperature=TEMPERATURES)
@EACH
def test_soft_selection_weighs_each_frame_by_the_teachers_labels(seed, temperature):
    student, teacher = logits_of(seed)[0], teacher_of(seed)
    p, q = (posteriors(x, temperature) for x in (teacher["teacher_logits"], student))
    weight = [[1 - frame[BLANK] for frame in utterance] for utterance in posteriors(teacher["teacher_logits"], 1.0)]
    total = sum(weight[b][t] * divergence(p[b][t], q[b][t]) for b, t in frames())
    weights = sum(weight[b][t] for b, t in frames())
    criterion = SoftSelectionLoss(1.0, temperature=temperature)
    loss = criterion(student, LENGTHS, blank=BLANK, **teacher)["kd"]
    assert float(loss.value) == pytest.approx(temperature**2 * total / weights, rel=1e-5)
    assert float(loss.count) == pytest.approx(weights, rel=1e-5)


def test_soft_selection_of_a_sure_teacher_is_blank_elimination():
    student, teacher = logits_of(0)[0], teacher_of(0)
    teacher["teacher_logits"] = 200 * torch.nn.functional.one_hot(teacher["teacher_logits"].argmax(-1), 4).double()
    eliminated = DistillationLoss(1.0, selection=Selection("eliminate"))
    assert value_of(SoftSelectionLoss(1.0), student, **teacher) == pytest.approx(
        value_of(eliminated, student, **teacher), rel=1e-6
    )


@given(seed=SEEDS, temperature=TEMPERATURES)
@EACH
def test_factorised_distillation_has_blank_on_all_frames_and_labels_on_label_frames(seed, temperature):
    student, teacher = logits_of(seed)[0], teacher_of(seed)
    p, q = (posteriors(x, temperature) for x in (teacher["teacher_logits"], student))
    binary, conditional, spikes = 0.0, 0.0, 0
    for b, t in frames():
        blanks = [frame[BLANK] for frame in (p[b][t], q[b][t])]
        binary += divergence(*([x, 1 - x] for x in blanks))
        if max(p[b][t]) > p[b][t][BLANK]:
            spikes += 1
            conditional += divergence(
                *(
                    [x / (1 - frame[BLANK]) for label, x in enumerate(frame) if label != BLANK]
                    for frame in (p[b][t], q[b][t])
                )
            )
    losses = FactorisedLoss(1.0, temperature=temperature)(student, LENGTHS, blank=BLANK, **teacher)
    assert float(losses["kd_blank"].value) == pytest.approx(temperature**2 * binary / 12, rel=1e-5)
    assert float(losses["kd_labels"].value) == pytest.approx(temperature**2 * conditional / max(spikes, 1), rel=1e-5)
    assert (int(losses["kd_blank"].count), int(losses["kd_labels"].count)) == (12, spikes)


@given(seed=SEEDS, temperature=TEMPERATURES, d=st.integers(1, 8))
@EACH
def test_a_delayed_match_is_the_best_one_within_d_frames(seed, temperature, d):
    student, teacher = logits_of(seed)[0], teacher_of(seed)
    p, q = (posteriors(x, temperature) for x in (teacher["teacher_logits"], student))
    total = sum(
        min(divergence(p[b][t], q[b][u]) for u in range(max(t - d, 0), min(t + d + 1, int(LENGTHS[b]))))
        for b, t in frames()
    )
    criterion = DelayedLoss(1.0, temperature=temperature, d=d)
    assert value_of(criterion, student, **teacher) == pytest.approx(temperature**2 * total / 12, rel=1e-5, abs=1e-9)


def test_a_student_that_lags_behind_by_a_frame_has_nothing_to_learn():
    teacher = teacher_of(0)
    teacher["teacher_logits"][:, -2:] = teacher["teacher_logits"][:, :1]  # both ends say the same
    student = teacher["teacher_logits"].roll(1, dims=1)
    lengths = torch.tensor([7, 7, 7])
    inputs = {**teacher, "teacher_lengths": lengths}
    delayed = DelayedLoss(1.0, d=1)(student, lengths, blank=BLANK, **inputs)
    assert float(delayed["kd"].value) == pytest.approx(0.0, abs=1e-12)
    assert float(DistillationLoss(1.0)(student, lengths, blank=BLANK, **inputs)["kd"].value) > 0.1


@pytest.mark.parametrize("share", [0.3, 0.5])
def test_the_inner_head_learns_from_the_same_teacher(share):
    heads, inputs = logits_of(0), {**teacher_of(0), **TARGETS}
    criterion = InterLoss(0.25, share=share, selection=Selection("eliminate"))
    plain = DistillationLoss(0.25, selection=Selection("eliminate"))
    found = criterion.weighted_sum(criterion(heads, LENGTHS, blank=BLANK, **inputs))
    last, inner = (float(plain.weighted_sum(plain(head, LENGTHS, blank=BLANK, **inputs))) for head in heads)
    assert float(found) == pytest.approx((1 - share) * last + share * inner)


@given(seed=SEEDS)
@EACH
def test_two_views_are_drawn_to_each_other(seed):
    views = logits_of(seed)
    a, b = (posteriors(view, 1.0) for view in views)
    total = sum(divergence(a[i][t], b[i][t]) + divergence(b[i][t], a[i][t]) for i, t in frames()) / 2
    losses = ConsistencyLoss(0.2)(views, LENGTHS, blank=BLANK, **TARGETS)
    assert float(losses["cr"].value) == pytest.approx(total / 3, rel=1e-5)
    ctc = [float(ctc_loss(view, LENGTHS, *TARGETS.values(), blank=BLANK)) for view in views]
    assert float(losses["ctc"].value) == pytest.approx(sum(ctc) / 2, rel=1e-5)


class Noisy(torch.nn.Module):
    """Its output is its input and noise, in training only."""

    def forward(self, audio, lengths):
        return audio + torch.randn_like(audio) if self.training else audio, lengths


def test_both_views_are_of_the_same_audio():
    audio, model = logits_of(0)[0], Noisy()
    (a, b), lengths = ConsistencyLoss().outputs(model, audio, LENGTHS)
    assert torch.equal(lengths, LENGTHS)
    assert a.shape == b.shape == audio.shape
    assert not torch.equal(a, b)
    (a, b), _ = ConsistencyLoss().outputs(model.eval(), audio, LENGTHS)
    assert torch.equal(a, audio) and torch.equal(b, audio)


def plain_probability(frames, labels):
    """The sum over all paths that say ``labels``."""
    total = 0.0
    for path in itertools.product(range(4), repeat=len(frames)):
        if [label for label, _ in itertools.groupby(path) if label != BLANK] == labels:
            total += math.prod(frame[label] for frame, label in zip(frames, path, strict=True))
    return total


def test_a_sequence_counts_by_its_weight():
    student = logits_of(0)[0]
    q = posteriors(student, 1.0)
    total = 0.0
    for b, weight, labels in ((0, 0.5, [0, 1]), (0, 0.25, [0]), (0, 0.25, [0, 3, 1]), (1, 0.75, [3]), (1, 0.25, [])):
        total -= weight * math.log(plain_probability(q[b][: LENGTHS[b]], labels))
    labels = 0.5 * 2 + 0.25 * 1 + 0.25 * 3 + 0.75 * 1
    loss = SequenceLoss(1.0)(student, LENGTHS, blank=BLANK, **HYPOTHESES)["kd"]
    assert float(loss.value) == pytest.approx(total / labels, rel=1e-5)
    assert float(loss.count) == labels


def test_a_list_of_one_is_ctc_with_pseudo_labels():
    student = logits_of(0)[0]
    one = {
        "hypotheses": torch.tensor([[0, 1, 2], [3, 2, 9], [2, 9, 9]]),
        "hypothesis_lengths": torch.tensor([3, 2, 1]),
        "hypothesis_weights": torch.ones(3, 1),
    }
    assert value_of(SequenceLoss(1.0), student, **one) == value_of(SequenceLoss(0.0), student, "ctc", **TARGETS)


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_frames_and_label_sequences_have_their_shares(share):
    student, teacher = logits_of(0)[0], {**teacher_of(0), **TARGETS}
    criterion = FrameAndSequenceLoss(0.8, share=share, selection=Selection("eliminate"))
    found = criterion.weighted_sum(criterion(student, LENGTHS, blank=BLANK, **teacher, **HYPOTHESES))
    frames = value_of(DistillationLoss(1.0, selection=Selection("eliminate")), student, **teacher)
    sequences = value_of(SequenceLoss(1.0), student, **HYPOTHESES)
    ctc = float(ctc_loss(student, LENGTHS, *TARGETS.values(), blank=BLANK))
    assert float(found) == pytest.approx(0.8 * (share * frames + (1 - share) * sequences) + 0.2 * ctc)


@given(
    batch=st.lists(
        st.lists(st.lists(st.sampled_from([0, 1, 3]), max_size=4), min_size=1, max_size=4), min_size=1, max_size=4
    )
)
@EACH
def test_stored_hypotheses_are_split(batch):
    stored = [[label for labels in hypotheses for label in (*labels, BLANK)] for hypotheses in batch]
    lengths = torch.tensor([len(labels) for labels in stored])
    padded = torch.nn.utils.rnn.pad_sequence([torch.tensor(labels) for labels in stored], batch_first=True)
    weights = torch.ones(len(batch), max(map(len, batch)))
    found = split_hypotheses(padded, lengths, weights, blank=BLANK)
    for b, hypotheses in enumerate(batch):
        num = len(hypotheses)
        split = [found.labels[b, n, : found.lengths[b, n]].tolist() for n in range(num)]
        assert split == hypotheses
        assert found.weights[b].tolist() == [1.0] * num + [0.0] * (weights.shape[1] - num)
        assert found.lengths[b, num:].sum() == 0


RELATIVES = [
    (SoftSelectionLoss(0.5), "teacher"),
    (SequenceLoss(0.5), "hypotheses"),
    (FrameAndSequenceLoss(0.5), "both"),
    (FactorisedLoss(0.5), "teacher"),
    (DelayedLoss(0.5, d=1), "teacher"),
    (InterLoss(0.5, share=0.3), "teacher"),
    (GuidedCtcLoss(0.5), "teacher"),
    (ConsistencyLoss(0.2), None),
]
ALL = pytest.mark.parametrize(("criterion", "source"), RELATIVES, ids=lambda value: type(value).__name__)


def inputs_of(source):
    found = {"teacher": teacher_of(0), "hypotheses": HYPOTHESES, "both": teacher_of(0) | HYPOTHESES, None: {}}
    return {**TARGETS, **found[source]}


def model_outputs(criterion):
    """Logits as the criterion takes them: of one head or view, or of two."""
    return logits_of(0) if isinstance(criterion, (InterLoss, ConsistencyLoss)) else logits_of(0)[0]


def criterion_value(criterion, logits, inputs, **options):
    return criterion.weighted_sum(criterion(logits, LENGTHS, blank=BLANK, **inputs, **options))


@ALL
def test_the_weights_are_those_of_the_losses(criterion, source):
    losses = criterion(model_outputs(criterion), LENGTHS, blank=BLANK, **inputs_of(source))
    assert list(criterion.scales) == list(losses)


@ALL
def test_gradients_are_those_of_the_value(criterion, source):
    """By differences. One view of CR-CTC is a constant in each divergence, so the test has it in the other place."""
    logits, inputs, step = model_outputs(criterion), inputs_of(source), 1e-3
    leaf = logits.clone().requires_grad_()
    if isinstance(criterion, ConsistencyLoss):
        (gradient,) = torch.autograd.grad(criterion(leaf, LENGTHS, blank=BLANK, **inputs)["cr"].value, leaf)
        p, q = (logits[view].softmax(-1) for view in (0, 1))
        valid = (torch.arange(7) < LENGTHS[:, None])[..., None]
        expected = torch.stack([p - q, q - p]) * valid / 6
        torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-6)
        return
    (gradient,) = torch.autograd.grad(criterion_value(criterion, leaf, inputs), leaf)
    direction = torch.randn(logits.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    ahead, behind = (float(criterion_value(criterion, logits + s * step * direction, inputs)) for s in (1, -1))
    assert float((gradient * direction).sum()) == pytest.approx((ahead - behind) / (2 * step), rel=2e-3)


@ALL
@pytest.mark.parametrize("garbage", [1e30, math.nan])
def test_padding_has_no_influence(criterion, source, garbage):
    inputs = inputs_of(source)
    padding = torch.arange(7) >= LENGTHS[:, None]
    plain, dirty = (model_outputs(criterion).clone().requires_grad_() for _ in range(2))
    with torch.no_grad():
        dirty[..., padding, :] = garbage if "hypotheses" not in inputs else 1e30  # torch's CTC reads padding
        changed = {"teacher_logits": inputs["teacher_logits"].clone()} if "teacher_logits" in inputs else {}
        for teacher in changed.values():
            teacher[padding] = garbage
    names = [name for name in criterion.scales if "ctc" not in name or math.isfinite(garbage)]
    for logits, found in ((plain, inputs), (dirty, {**inputs, **changed})):
        losses = criterion(logits, LENGTHS, blank=BLANK, **found)
        sum(losses[name].value for name in names).backward()
    assert torch.equal(plain.grad[..., ~padding, :], dirty.grad[..., ~padding, :])
    assert (dirty.grad[..., padding, :] == 0).all()


@ALL
def test_two_runs_are_equal(criterion, source):
    gradients = []
    for _ in range(2):
        logits = model_outputs(criterion).float().requires_grad_()
        criterion_value(criterion, logits, inputs_of(source)).backward()
        gradients.append(logits.grad)
    assert torch.equal(*gradients)


@ALL
def test_counts_are_those_of_all_processes(criterion, source):
    """A process among three equal ones sees a third of the value, so that the sum is that of one process."""
    logits, inputs = model_outputs(criterion), inputs_of(source)
    alone = float(criterion_value(criterion, logits, inputs))
    share = float(criterion_value(criterion, logits, inputs, over_processes=lambda count: 3 * count))
    assert 3 * share == pytest.approx(alone)


@ALL
def test_a_batch_of_nothing_is_zero(criterion, source):
    logits, inputs = model_outputs(criterion).clone().requires_grad_(), inputs_of(source)
    inputs = {name: value[2:] for name, value in inputs.items()}
    losses = criterion(logits[..., 2:, :, :], LENGTHS[2:], blank=BLANK, **inputs)
    value = criterion.weighted_sum(losses)
    value.backward()
    assert float(value.detach()) == 0.0
    assert (logits.grad == 0).all()


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda: DelayedLoss(1.0, d=0), "delayed: d is 0, expected a whole number above 0"),
        (lambda: InterLoss(1.0, share=1.0), "inter: share is 1.0, expected a number above 0, at most 0.9"),
        (lambda: FrameAndSequenceLoss(1.0, share=1.0), "frames_and_path: share is 1.0, expected a number above 0"),
        (lambda: ConsistencyLoss(-0.2), "cr_ctc: alpha is -0.2, expected a number above 0"),
        (lambda: SequenceLoss(1.5), "kd_scale 1.5, expected"),
        (lambda: SoftSelectionLoss(1.0, temperature=0.0), "temperature 0.0, expected"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(make, fault):
    with pytest.raises(ValueError, match=fault):
        make()
