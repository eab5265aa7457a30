"""``sis worker JOBDIR TASK [ID]``: runs one task id of a job that has been set up, in this process."""

import contextlib
import logging
import os
import sys
import time

from .. import global_constants as gc
from .. import global_settings as gs
from ..base import layout, processes, role
from ..base.exit_status import EXIT_FAILED, EXIT_INTERRUPTED
from ..base.log_claim import claim, holders_as_text
from ..base.usage_file import read_usage, runs_here
from ..jobs.stored import load_job
from ..task import TaskInterrupted
from .usage_logger import UsageLogger

RETRY_BANNER = "#" * 80 + "\n" + "RETRY OR CONTINUE TASK".center(80) + "\n" + "#" * 80 + "\n"


def worker(jobdir, task_name, task_id=None, engine_name=None, redirect=False):
    """Run one task id; returns the exit status of the process."""
    prefix = os.path.join(gs.BASE_DIR, jobdir)
    log = layout.file_of(prefix, layout.LOG, task_name, task_id)
    if redirect and task_id is not None and not _redirect_output(log):
        who = holders_as_text(log)
        logging.error("%s %s %s: %s holds its log, this process stops", jobdir, task_name, task_id, who)
        return EXIT_INTERRUPTED
    gs.JOB_AUTO_CLEANUP = False
    role.set_role("worker")
    usage = None
    try:
        engine = gs.active_engine = gs.engine().get_used_engine(engine_name)
        task_id = engine.get_task_id(task_id)
        number = engine.process_number()
        earlier = read_usage(layout.file_of(prefix, layout.USAGE, task_name, task_id, number))
        if earlier.get("pid") != os.getpid() and runs_here(earlier):
            logging.error("%s %s runs already in process %s, this one stops", jobdir, task_name, earlier["pid"])
            return EXIT_INTERRUPTED
        if not engine.claim(prefix, task_name, task_id):
            return EXIT_INTERRUPTED
        usage = UsageLogger(prefix, task_name, task_id, engine, number)  # from now on other processes see this one
        job = load_job(jobdir)
        role.set_role("worker", job._sis_path(gc.JOB_OUTPUT))
        task = job._sis_task(task_name)
    except Exception:
        logging.exception("Worker could not load task %s of %s", task_name, jobdir)
        if task_id is not None:
            _mark_broken(prefix, task_name, task_id)
        return EXIT_FAILED
    return _run(task, task_id, engine, usage, is_first=number == 0)


def _redirect_output(logname):
    """Send all output to the log; returns False, and changes nothing, if another worker does so."""
    alone, fresh = claim(logname)
    if not alone:
        return False
    log = os.open(logname, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    if not fresh:
        os.write(1, RETRY_BANNER.encode())
    sys.stdout.reconfigure(line_buffering=True)
    return True


def _mark_broken(prefix, task_name, task_id):
    """The error marker of a task that could not even be loaded: a hard link to its log."""
    log, marker = (layout.file_of(prefix, kind, task_name, task_id) for kind in (layout.LOG, layout.ERROR))
    with contextlib.suppress(OSError):  # it is marked, or its folder is gone
        try:
            os.link(log, marker)
        except FileNotFoundError:
            open(marker, "x").close()


def _run(task, task_id, engine, usage, is_first):
    """``is_first``: of the processes that run this id together. Its environment may not say it any more."""
    usage.start()
    try:
        engine.init_worker(task)
        if task.job._sis_environment is not None:
            task.job._sis_environment.modify_environment()
        _log_start(task)
        _wait_for_inputs(task.job)
        print("Uname:", *os.uname())
        print("Load:", os.getloadavg(), flush=True)
        if not task.run(task_id):
            return EXIT_FAILED
        if task.continuable and is_first:
            logging.info("the task is continuable, so it is not marked finished")
            return EXIT_INTERRUPTED
        return 0
    except TaskInterrupted:
        usage.out_of_memory = True
        return EXIT_INTERRUPTED
    except InputMissing as e:
        logging.error("Job isn't runnable: %s", e)
        task.mark_error(task_id)
        return EXIT_FAILED
    except (SystemExit, KeyboardInterrupt) as e:
        logging.error("Task stopped by %s without a result", repr(e))
        return EXIT_INTERRUPTED
    finally:
        usage.stop()


class InputMissing(Exception):
    """An input file of the job does not exist."""


def _log_start(task):
    logging.info("Start Job: %s Task: %s", task.job, task.name())
    logging.info("Inputs:")
    for path in sorted(task.job._sis_inputs):
        value = ""
        if hasattr(path, "pickle") and path.is_set():
            value = f" (Variable: {path.get()}, {type(path.get())})"
        logging.info("%s%s", path.get_path(), value)


def _wait_for_inputs(job):
    """On a network file system wait for inputs to appear and to settle; raises `InputMissing`."""
    for path in sorted(job._sis_inputs):
        name = path.get_path()
        deadline = time.monotonic() + gs.WAIT_PERIOD_FOR_INPUTS_AVAILABLE
        remote = processes.on_network_filesystem(os.path.dirname(name))
        while not os.path.exists(name):
            if getattr(path, "backup", None) is not None or not gs.TASK_INPUTS_MUST_BE_AVAILABLE:
                break
            if not remote or time.monotonic() > deadline:
                raise InputMissing(f"the input {name} does not exist")
            time.sleep(1)
        if remote and os.path.exists(name):
            age = max(0.0, time.time() - os.stat(name).st_mtime)  # other hosts have other clocks
            time.sleep(max(0.0, gs.WAIT_PERIOD_MTIME_OF_INPUTS - age))
