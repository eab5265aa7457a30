"""What a task used over time: measured, thinned out, kept over restarts, and written for long tasks only."""

import time

import psutil
import pytest
from sisyphus import gs
from sisyphus.base import usage_history
from sisyphus.base.usage_history import POINTS, UsageHistory, parse_history, read_history


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1_000_000.0

    monkeypatch.setattr(usage_history.time, "time", lambda: Clock.now)
    return Clock


@pytest.fixture
def busy(monkeypatch, clock):
    """A process that uses one core and a half."""
    monkeypatch.setattr(usage_history, "_cpu_seconds", lambda process: 1.5 * (clock.now - 1_000_000.0))


def test_size_is_bounded_and_peaks_are_kept(tmp_path, clock, busy):
    history = UsageHistory(str(tmp_path / "usage_history.run.1"))
    for second in range(1, 30_001, 5):
        clock.now = 1_000_000.0 + second
        history.add(None, 7.0 if second == 14_001 else 1.0)
    history.write()
    points = read_history(str(tmp_path / "usage_history.run.1"))
    assert POINTS / 2 <= len(points) <= POINTS
    assert points[0][0] < 1_000_400 and points[-1][0] > 1_029_700
    assert max(rss for _, _, rss in points) == 7.0
    assert all(cpu == pytest.approx(150, abs=0.2) for _, cpu, _ in points)
    assert [t for t, _, _ in points] == sorted(t for t, _, _ in points)


def test_a_second_run_goes_on_in_the_same_file(tmp_path, clock, busy):
    name = str(tmp_path / "usage_history.run.1")
    for start in (0, 5000):
        clock.now = 1_000_000.0 + start
        history = UsageHistory(name)
        clock.now += 5
        history.add(None, 1.0)
        history.write()
    assert [t - 1_000_000 for t, _, _ in read_history(name)] == [5, 5005]


def test_own_process_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(gs, "PLOGGING_INTERVAL", 0.05)
    history = UsageHistory(str(tmp_path / "usage_history.run.1"))
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    history.add(psutil.Process(), 0.5)
    history.write()
    ((when, cpu, rss),) = read_history(str(tmp_path / "usage_history.run.1"))
    assert abs(when - time.time()) < 60 and cpu > 0 and rss == 0.5


def test_half_a_line_and_no_file(tmp_path):
    assert parse_history("10 20.0 0.5\n20 30.0 0.5\n30 4") == [(10, 20, 0.5), (20, 30, 0.5)]
    assert read_history(str(tmp_path / "nothing")) == []


def test_only_tasks_longer_than_the_period_write_it(folder):
    status, output = folder.sis("manager", "-r", "config.chain(1)")
    assert status == 0, output
    assert not list((folder / "work").rglob("usage_history.*"))
    status, output = folder.sis("manager", "-r", "config.diamond", SIS_PLOGGING_UPDATE_FILE_PERIOD="0")
    assert status == 0, output
    assert list((folder / "work").rglob("usage_history.*"))
