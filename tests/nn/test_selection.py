"""The selection rules against plain definitions, one utterance at a time, and the properties that all of them share."""

import inspect
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ctc_kd.methods import METHODS
from ctc_kd.nn.selection import (
    RULES,
    Selection,
    all_frames,
    blank_share,
    eliminate,
    neighbour,
    prior_corrected,
    random_blanks,
    symmetric,
    threshold,
    trim,
)

BLANK = 4


@st.composite
def batches(draw, max_batch=4, max_frames=20):
    """Logits ``[B, T, 5]`` with many blank frames, lengths ``[B]`` one utterance full, others maybe empty."""
    batch, frames = draw(st.integers(1, max_batch)), draw(st.integers(1, max_frames))
    lengths = [frames, *draw(st.lists(st.integers(0, frames), min_size=batch - 1, max_size=batch - 1))]
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    logits = 3 * torch.randn(batch, frames, BLANK + 1, generator=generator)
    logits[..., BLANK] += draw(st.sampled_from([-100.0, 0.0, 3.0, 6.0, 100.0]))  # all speech ... all blank
    return logits.to(draw(st.sampled_from([torch.float32, torch.float16]))), torch.tensor(lengths)


def is_label(frame) -> bool:
    return int(frame.argmax()) != BLANK


def plain_all(frames):
    return [True for _ in frames]


def plain_eliminate(frames):
    return [is_label(frame) for frame in frames]


def plain_symmetric(frames, n):
    spikes = plain_eliminate(frames)
    return [any(spikes[max(t - n, 0) : t + n + 1]) for t in range(len(spikes))]


def plain_trim(frames):
    spikes = [t for t, spike in enumerate(plain_eliminate(frames)) if spike]
    return [bool(spikes) and spikes[0] <= t <= spikes[-1] for t in range(len(frames))]


def plain_threshold(frames, alpha):
    return [is_label(frame) or float(frame.double().softmax(0)[BLANK]) < alpha for frame in frames]


def plain_prior(frames, log_prior, scale):
    return [is_label(frame.double().log_softmax(0) - scale * log_prior.double()) for frame in frames]


def plain_blank_share(frames, share):
    spikes, kept = sum(plain_eliminate(frames)), plain_eliminate(frames)
    for n in range(len(frames) + 1):
        mask = plain_symmetric(frames, n)
        if spikes and (sum(mask) - spikes) / sum(mask) <= share:
            kept = mask
    return kept


def plain_neighbour(frames, alpha):
    spikes = plain_eliminate(frames)
    kept = list(spikes)
    for spike in [t for t, is_spike in enumerate(spikes) if is_spike]:
        label = max((logit, name) for name, logit in enumerate(frames[spike].tolist()) if name != BLANK)[1]
        for step in (1, -1):
            t = spike + step
            while 0 <= t < len(frames) and not spikes[t] and known(frames[t], label) >= alpha:
                kept[t] = True
                t += step
    return kept


def known(frame, label):
    """Probability of a label given that there is one."""
    logits = [logit for name, logit in enumerate(frame.tolist()) if name != BLANK]
    return math.exp(float(frame[label]) - max(logits)) / sum(math.exp(logit - max(logits)) for logit in logits)


LOG_PRIOR = torch.tensor([0.05, 0.05, 0.05, 0.05, 0.8]).log()
PARITY = [
    (all_frames, plain_all, {}),
    (eliminate, plain_eliminate, {}),
    *[(symmetric, plain_symmetric, {"n": n}) for n in (0, 1, 3, 30)],
    (trim, plain_trim, {}),
    *[(threshold, plain_threshold, {"alpha": alpha}) for alpha in (0.0, 0.3, 0.9)],
    *[(prior_corrected, plain_prior, {"log_prior": LOG_PRIOR, "scale": scale}) for scale in (0.0, 0.5)],
    *[(blank_share, plain_blank_share, {"share": share}) for share in (0.3, 0.5, 0.9)],
    *[(neighbour, plain_neighbour, {"alpha": alpha}) for alpha in (0.1, 0.5)],
]


@pytest.mark.parametrize(("rule", "plain", "parameters"), PARITY)
@given(batch=batches())
@settings(max_examples=40)
def test_equals_the_plain_definition(rule, plain, parameters, batch):
    logits, lengths = batch
    mask = rule(logits, lengths, blank=BLANK, **parameters)
    assert mask.dtype == torch.bool
    for row, utterance, length in zip(mask, logits, lengths.tolist(), strict=True):
        assert row.tolist() == plain(utterance[:length], **parameters) + [False] * (len(utterance) - length)


ANY_RULE = [
    Selection("all"),
    Selection("eliminate"),
    Selection("symmetric", {"n": 2}),
    Selection("trim"),
    Selection("threshold", {"alpha": 0.8}),
    Selection("random", {"beta": 0.7}),
    Selection("prior", {"scale": 0.5}),
    Selection("blank_share", {"share": 0.5}),
    Selection("neighbour", {"alpha": 0.1}),
]


def select(selection, logits, lengths):
    tensors = {"prior": {"log_prior": LOG_PRIOR}, "random": {"generator": torch.Generator().manual_seed(1)}}
    return selection(logits, lengths, blank=BLANK, **tensors.get(selection.rule, {}))


@pytest.mark.parametrize("selection", ANY_RULE, ids=lambda selection: selection.rule)
@given(batch=batches(), garbage=st.sampled_from([0.0, 1e4, math.inf, -math.inf, math.nan]))
@settings(max_examples=40)
def test_padding_is_never_selected_and_never_matters(selection, batch, garbage):
    logits, lengths = batch
    padding = torch.arange(logits.shape[1]) >= lengths[:, None]
    clean, dirty = logits.clone(), logits.clone()
    clean[padding] = 0.0
    dirty[padding] = garbage
    assert not select(selection, dirty, lengths)[padding].any()
    assert torch.equal(select(selection, dirty, lengths), select(selection, clean, lengths))


@pytest.mark.parametrize("selection", [s for s in ANY_RULE if s.rule != "random"], ids=lambda s: s.rule)
@given(batch=batches())
@settings(max_examples=40)
def test_an_utterance_is_selected_alone_as_in_a_batch(selection, batch):
    logits, lengths = batch
    mask = select(selection, logits, lengths)
    for i, length in enumerate(lengths.tolist()):
        if length:
            alone = select(selection, logits[i : i + 1, :length], lengths[i : i + 1])
            assert torch.equal(mask[i, :length], alone[0])


@given(batch=batches(), beta=st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.7, 100.0]), seed=st.integers(0, 100))
def test_random_keeps_labels_and_the_right_number_of_blanks(batch, beta, seed):
    logits, lengths = batch
    draw = lambda: random_blanks(logits, lengths, blank=BLANK, beta=beta, generator=torch.Generator().manual_seed(seed))
    mask, labels = draw(), eliminate(logits, lengths, blank=BLANK)
    assert not (labels & ~mask).any()
    for i, length in enumerate(lengths.tolist()):
        num_labels = int(labels[i].sum())
        expected = min(round(beta * num_labels), length - num_labels)
        assert int((mask & ~labels)[i].sum()) == expected
    assert torch.equal(mask, draw())


def test_random_is_uniform_and_drawn_anew_at_every_call():
    logits = torch.zeros(1, 11, BLANK + 1)
    logits[..., BLANK] = 1.0
    logits[0, :2, 0] = 2.0  # 2 labels, 9 blanks, of which round(1.5 * 2) = 3 are drawn
    generator = torch.Generator().manual_seed(0)
    lengths = torch.tensor([11])
    masks = torch.cat([random_blanks(logits, lengths, blank=BLANK, beta=1.5, generator=generator) for _ in range(3000)])
    share = masks.float().mean(dim=0)
    assert torch.equal(share[:2], torch.ones(2))
    torch.testing.assert_close(share[2:], torch.full((9,), 1 / 3), atol=0.04, rtol=0)


@given(batch=batches(), n=st.integers(0, 4))
def test_symmetric_starts_at_elimination_and_grows(batch, n):
    logits, lengths = batch
    assert torch.equal(symmetric(logits, lengths, blank=BLANK, n=0), eliminate(logits, lengths, blank=BLANK))
    smaller, larger = (symmetric(logits, lengths, blank=BLANK, n=m) for m in (n, n + 1))
    assert not (smaller & ~larger).any()


@given(batch=batches(), alphas=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_threshold_starts_at_elimination_and_grows(batch, alphas):
    logits, lengths = batch
    assert torch.equal(threshold(logits, lengths, blank=BLANK, alpha=0.0), eliminate(logits, lengths, blank=BLANK))
    smaller, larger = (threshold(logits, lengths, blank=BLANK, alpha=alpha) for alpha in sorted(alphas))
    assert not (smaller & ~larger).any()


@given(batch=batches(), betas=st.tuples(st.floats(0, 3), st.floats(0, 3)))
def test_random_starts_at_elimination_and_grows(batch, betas):
    logits, lengths = batch
    draw = lambda beta: random_blanks(
        logits, lengths, blank=BLANK, beta=beta, generator=torch.Generator().manual_seed(0)
    )
    assert torch.equal(draw(0.0), eliminate(logits, lengths, blank=BLANK))
    smaller, larger = (draw(beta) for beta in sorted(betas))
    assert not (smaller & ~larger).any()


def logits_by_name(frames):
    """``[1, T, 5]``: 0 to 3 are sure labels, ``_`` a sure blank, ``2_`` a sure blank that knows the label 2."""
    rows = torch.zeros(1, len(frames), BLANK + 1)
    for row, name in zip(rows[0], frames, strict=True):
        if name[0] != "_":
            row[int(name[0])] = 10.0
        if name[-1] == "_":
            row[BLANK] = 20.0
    return rows


@pytest.mark.parametrize(
    ("rule", "parameters", "kept"),
    [
        (blank_share, {"share": 0.5}, "00010000010110"),  # n = 1 would keep 5 blank frames beside 4 labels
        (blank_share, {"share": 0.6}, "00111000111111"),  # n = 2 would keep 8
        (blank_share, {"share": 2 / 3}, "01111101111111"),  # n = 3 would keep all 10
        (neighbour, {"alpha": 0.5}, "00111100111110"),
        (neighbour, {"alpha": 0.2}, "11111111111111"),  # four labels are equally likely in a blank frame
    ],
)
def test_rules_that_choose_by_themselves_by_hand(rule, parameters, kept):
    frames = ["_", "_", "1_", "1", "1_", "1_", "_", "1_", "3_", "3", "3_", "0", "0", "_"]
    logits, lengths = logits_by_name(frames), torch.tensor([len(frames)])
    assert rule(logits, lengths, blank=BLANK, **parameters)[0].long().tolist() == [int(mark) for mark in kept]


@pytest.mark.parametrize(("blank_logit", "expected"), [(-100.0, True), (100.0, False)])
@pytest.mark.parametrize("selection", [s for s in ANY_RULE if s.rule != "all"], ids=lambda s: s.rule)
def test_all_speech_and_all_blank(selection, blank_logit, expected):
    logits, lengths = torch.randn(2, 9, BLANK + 1), torch.tensor([9, 5])
    logits[..., BLANK] = blank_logit
    everything = all_frames(logits, lengths, blank=BLANK)
    assert torch.equal(select(selection, logits, lengths), everything & expected)


def test_blank_may_be_any_class():
    logits = torch.eye(3)[None]
    assert eliminate(logits, torch.tensor([3]), blank=0).tolist() == [[False, True, True]]


def test_every_rule_is_declared_with_its_hyper_parameter():
    declared = {name: method.parameter for name, method in METHODS.items() if method.is_rule}
    assert set(declared) == set(RULES)
    for rule, parameter in declared.items():
        arguments = inspect.signature(RULES[rule]).parameters.values()
        numbers = [argument.name for argument in arguments if argument.annotation in ("int", "float")]
        assert numbers == ["blank", *([parameter.name] if parameter else [])]


def test_wrong_configs_are_refused():
    with pytest.raises(ValueError, match="symetric.*expected one of all, eliminate"):
        Selection("symetric", {"n": 2})
    for rule, parameters in (("threshold", {"alpha": 90}), ("symmetric", {"n": -1}), ("random", {"beta": math.nan})):
        with pytest.raises(ValueError, match=f"'{rule}': .* is {next(iter(parameters.values()))}, expected"):
            Selection(rule, parameters)
    with pytest.raises(ValueError, match=r"takes \['n'\], got \['alpha'\]"):
        Selection("symmetric", {"alpha": 2})
    with pytest.raises(ValueError, match=r"takes \['n'\], got \[\]"):
        Selection("symmetric")


@pytest.mark.parametrize("selection", ANY_RULE, ids=lambda selection: selection.rule)
def test_frames_that_are_no_numbers_are_selected_and_so_make_the_loss_no_number(selection):
    """Else a student of a diverged teacher would learn nothing, and nothing would show it."""
    assert select(selection, torch.full((1, 6, BLANK + 1), math.nan), torch.tensor([6])).all()
