import pytest

from ctc_kd.nn.schedules import clipped_line, one_cycle, teacher_ramp, weight_at


@pytest.mark.parametrize(("cool_down", "num_up"), [(0.06, 235), (0.08, 230)])
def test_one_cycle_of_the_paper(cool_down, num_up):
    rates = one_cycle(500, cool_down=cool_down)
    assert len(rates) == 500
    assert rates[0] == pytest.approx(7e-6)
    assert rates[num_up - 1] == pytest.approx(5e-4)
    assert rates[num_up] == pytest.approx(5e-4)
    assert rates[2 * num_up - 1] == pytest.approx(5e-5)
    assert rates[-1] == pytest.approx(1e-7)
    steps = [b - a for a, b in zip(rates, rates[1:], strict=False)]
    assert all(step > 0 for step in steps[: num_up - 1])
    assert all(step < 0 for step in steps[num_up : 2 * num_up - 1])
    assert rates[1] - rates[0] == pytest.approx((5e-4 - 7e-6) / (num_up - 1))


@pytest.mark.parametrize("num_epochs", [1, 2, 3, 10, 17])
def test_one_cycle_has_one_rate_an_epoch(num_epochs):
    assert len(one_cycle(num_epochs)) == num_epochs


def test_the_teacher_never_reaches_the_peak():
    rates = teacher_ramp()
    assert len(rates) == 50
    assert rates[0] == pytest.approx(7e-6)
    assert rates[-1] == pytest.approx(2.286e-4, rel=1e-3)
    with pytest.raises(ValueError, match="110"):
        teacher_ramp(111)


def test_the_clipped_line_has_its_knees_where_the_paper_has_them():
    """Epochs 1 to 11: 0.3 until the fourth, 0.7 from the eighth, a line between."""
    weights = [weight_at({"clipped_line": 0.3}, epoch, 11) for epoch in range(1, 12)]
    assert weights == pytest.approx([0.3, 0.3, 0.3, 0.3, 0.4, 0.5, 0.6, 0.7, 0.7, 0.7, 0.7])


@pytest.mark.parametrize(("knee", "ends"), [(0.0, (0.0, 1.0)), (0.1, (0.1, 0.9)), (0.5, (0.5, 0.5))])
def test_the_clipped_line_from_end_to_end(knee, ends):
    assert (clipped_line(1, 200, knee=knee), clipped_line(200, 200, knee=knee)) == pytest.approx(ends)
    assert clipped_line(1, 1, knee=knee) == ends[0]


def test_what_is_no_schedule_is_constant():
    assert [weight_at(value, 3, 9) for value in (0.5, "all", {"rule": "all"})] == [0.5, "all", {"rule": "all"}]
