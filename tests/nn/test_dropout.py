import pytest
import torch

from ctc_kd.nn.dropout import dropout


@pytest.mark.parametrize("probability", [0.1, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_elements_are_dropped_independently_and_the_mean_is_kept(probability, dtype):
    torch.manual_seed(0)
    x = torch.ones(1001, 403, dtype=dtype, requires_grad=True)
    y = dropout(x, probability, training=True)
    y.sum().backward()
    assert y.dtype == dtype
    assert torch.equal(x.grad, y.detach())
    kept = (y.detach() != 0).flatten().float()
    torch.testing.assert_close(y[y != 0].detach(), torch.full_like(y[y != 0], 1 / (1 - probability)))
    for lag in (1, 2, 3, 4, 8):  # random bits are drawn for several neighbours at once
        both = (kept[lag:] * kept[:-lag]).mean()
        assert float(both) == pytest.approx((1 - probability) ** 2, abs=0.005)
    for offset in range(4):
        assert float(kept[offset::4].mean()) == pytest.approx(1 - probability, abs=0.005)


def test_dropout_is_off_in_evaluation_and_repeats_with_a_seed():
    x = torch.randn(5, 7)
    assert dropout(x, 0.5, training=False) is x
    draws = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        draws.append(dropout(x, 0.5, training=True))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
