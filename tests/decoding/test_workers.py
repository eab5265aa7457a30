import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import wait_until

from ctc_kd.decoding.workers import chunks, run_units


@pytest.mark.parametrize("workers", [1, 3])
def test_all_units_are_done(workers):
    units = {number: number for number in range(10)}
    table = {number: number**2 for number in units}  # seen through fork
    assert dict(run_units(table.__getitem__, units, workers=workers)) == table


def test_no_units():
    assert list(run_units(abs, {}, workers=2)) == []


def test_units_of_a_killed_worker_are_done_again(tmp_path, capfd):
    def function(number):
        marker = tmp_path / str(number)
        if number == 3 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return -number

    assert dict(run_units(function, dict(enumerate(range(8))), workers=2)) == {number: -number for number in range(8)}
    assert "a worker process died" in capfd.readouterr().out


def test_workers_that_always_die_are_an_error():
    with pytest.raises(RuntimeError, match="died twice"):
        list(run_units(lambda _: os.kill(os.getpid(), signal.SIGKILL), {0: 0}, workers=2))


def test_errors_of_the_function_are_passed_on():
    def function(_):
        raise ValueError("utterance 1-1-0000")

    with pytest.raises(ValueError, match="1-1-0000"):
        list(run_units(function, {0: 0}, workers=2))


def test_workers_end_with_their_parent(tmp_path):
    """A parent killed in the middle leaves no processes behind."""
    parent = os.fork()
    if not parent:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background jobs with Ctrl-C ignored

        def function(_):
            (tmp_path / f"{os.getpid()}").touch()
            signal.pause()

        list(run_units(function, {0: 0, 1: 1}, workers=2))
        os._exit(0)
    wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    wait_until(lambda: not any(Path(f"/proc/{worker.name}").exists() for worker in tmp_path.iterdir()))


def test_ctrl_c_ends_workers_that_do_not_notice_it(tmp_path):
    """As in a callback of C code, which goes on."""
    parent = os.fork()
    if not parent:
        signal.signal(signal.SIGINT, signal.default_int_handler)

        def function(_):
            with suppress(KeyboardInterrupt):
                os.killpg(0, signal.SIGINT)
                signal.pause()
            (tmp_path / "went on").touch()

        os.setsid()
        try:
            list(run_units(function, {0: 0}, workers=1))
        except KeyboardInterrupt:
            os._exit(130)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(parent, 0)[1]) == 130
    assert not list(tmp_path.iterdir())


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 1000)), st.integers(1, 9))
def test_chunks_are_a_balanced_partition(lengths, number):
    parts = list(chunks(lengths, number))
    assert sorted(utterance for part in parts for utterance in part) == sorted(lengths)
    assert len(parts) <= number and all(parts)
    totals = [sum(lengths[utterance] for utterance in part) for part in parts]
    assert max(totals, default=0) - min(totals, default=0) <= max(lengths.values(), default=0)
