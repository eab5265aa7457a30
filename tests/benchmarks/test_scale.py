"""What a corpus costs: the page shows what the script computes, and the arithmetic agrees with examples by hand."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def scale(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import scale

    return scale


def test_page_has_the_tables(scale):
    page = (ROOT / "docs" / "scale.md").read_text().replace("\n", " ")
    for part in scale.computed():
        assert part.replace("\n", " ") in page


def test_a_store_of_logits(scale):
    assert scale.logit_bytes(1, 79) == 3600 * 25 * 79 * 2
    assert scale.shards(1024) == 1
    assert scale.shards(1025) == 2


def test_gpu_hours_halve_when_the_student_is_twice_as_fast(scale):
    work = scale.Work(rows=3, teacher=10.0, dump=20.0, student=30.0, posteriors=5.0)
    slow, fast = (sum(work.gpu_hours(scale.Speeds(speed)).values()) for speed in (100.0, 200.0))
    assert slow == pytest.approx(2 * fast)


def test_wall_time(scale):
    speeds = scale.Speeds(100.0)
    work = scale.Work(rows=4, teacher=10.0, dump=20.0, student=30.0, posteriors=5.0)
    spent = work.gpu_hours(speeds)
    before = spent["teacher"] + spent["dump"]
    rows = spent["students"] + spent["posteriors"]
    assert scale.wall_hours([work], speeds, 1) == pytest.approx(before + rows)
    two = scale.wall_hours([work], speeds, 2)  # the teacher's training has both GPUs, the dump one
    assert two == pytest.approx(spent["teacher"] / 2 + spent["dump"] + rows / 2)
    four = scale.wall_hours([work], speeds, 4)
    assert four == pytest.approx(spent["teacher"] / 4 + spent["dump"] + rows / 4)


def test_rows_of_one_corpus_fill_the_gaps_of_another(scale):
    speeds = scale.Speeds(100.0)
    works = [scale.Work(rows=2, teacher=1.0, dump=1.0, student=student, posteriors=0.0) for student in (100.0, 300.0)]
    total = sum(sum(work.gpu_hours(speeds).values()) for work in works)
    assert total / 2 <= scale.wall_hours(works, speeds, 2) < total
