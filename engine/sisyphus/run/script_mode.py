"""``tk.run``: run jobs one after the other in this process, for scripts and tests."""

import contextlib
import logging
import os
import sys

from .. import global_constants as gc
from .. import global_settings as gs
from ..base import layout, role
from ..base.words import tail
from ..graph import SISGraph
from ..logging_format import add_coloring_to_logging
from ..task import TaskInterrupted
from ..tools import extract_paths


class BlockedWorkflow(Exception):
    """A job that is needed cannot be finished; the message has its id and the end of its log."""


def setup_script_mode():
    """Log to the terminal, in colours; call it at the start of a script that uses `run`."""
    add_coloring_to_logging()
    logging.basicConfig(format="[%(asctime)s] %(levelname)s: %(message)s", level=logging.INFO)


def run(obj, quiet=False):
    """Run every unfinished job that the paths in ``obj`` need. Raises `BlockedWorkflow` at the first failure."""
    jobs = {path.creator for path in extract_paths(obj) if hasattr(path.creator, "_sis_id")}
    known = 0
    while True:
        waiting, ran = [], False
        order = SISGraph().walk(sorted(jobs), skip=lambda j: j._sis_finished())
        for job in order:
            if not job._sis_finished():
                if job._sis_runnable():
                    run_job(job, quiet=quiet)
                    ran = True
                else:
                    waiting.append(job)
        if not waiting:
            break
        if not ran and len(order) == known:  # nor has an update() asked for more
            job = waiting[0]
            missing = [str(p.get_path()) for p in sorted(job._sis_inputs) if not p.available()]
            raise BlockedWorkflow(f"{job} cannot run, it lacks its input {', '.join(missing)}")
        known = len(order)


def run_job(job, task_name=None, task_id=1, quiet=False):
    """Run all tasks of ``job`` (or one id of one task) in this process."""
    if task_name is not None:
        job._sis_setup_directory()
        return _run_id(job._sis_task(task_name), task_id, quiet)
    if not quiet:
        logging.info("run %s", job)
    job._sis_setup_directory(force=True)
    for task in job._sis_tasks():
        for i in task.task_ids():
            while not task.finished(i):
                if task.error(i):
                    raise BlockedWorkflow(_failure(job, task, i, "failed earlier"))
                if _run_id(task, i, quiet) and task.continuable:
                    break
    if job._sis_state() != gc.STATE_FINISHED:  # it may have tasks without ids, which leave no marker
        missing = ", ".join(map(job._sis_output_name, job._sis_missing_outputs()))
        raise BlockedWorkflow(f"{job} ended but did not write its output: {missing}")
    return True


def _run_id(task, i, quiet):
    log = task.path(layout.LOG, i)
    job = task.job
    attributes = dict(job.__dict__)  # as in a worker, nothing that a task sets is seen by the next one
    try:
        with _output_to(log), role.worker_of(job._sis_path(gc.JOB_OUTPUT)), _environment_of(job):
            succeeded = task.run(i)
    except TaskInterrupted as e:
        raise BlockedWorkflow(_failure(job, task, i, str(e))) from e
    finally:
        job.__dict__.clear()
        job.__dict__.update(attributes)
    if not quiet:
        sys.stdout.write("\n".join(tail(log, gs.PRINT_ERROR_LINES)) + "\n")
    if not succeeded and task.error(i):
        raise BlockedWorkflow(_failure(job, task, i, "failed")) from task.exception
    return succeeded


def _failure(job, task, i, how):
    text = "\n".join(task.log_tail(i, gs.PRINT_ERROR_LINES))
    return f"{job} task {task.name()} {i} {how}; end of {task.path(layout.LOG, i)}:\n{text}"


@contextlib.contextmanager
def _environment_of(job):
    """Inside, the process has the environment of the job's tasks."""
    before = dict(os.environ)
    job._sis_environment.modify_environment()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _output_to(log):
    """Everything that this process and its children print goes to the file ``log``."""
    handler = logging.FileHandler(log)
    handler.setFormatter(logging.Formatter("[%(asctime)s] %(levelname)s: %(message)s"))
    root = logging.getLogger()
    old_handlers, old_level = root.handlers[:], root.level
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    stack = contextlib.ExitStack()
    try:
        os.dup2(target, 1)
        os.dup2(target, 2)
        root.handlers[:], root.level = [handler], logging.INFO
        f = stack.enter_context(os.fdopen(os.dup(target), "a", buffering=1))
        stack.enter_context(contextlib.redirect_stdout(f))
        stack.enter_context(contextlib.redirect_stderr(f))
        yield
    finally:
        stack.close()
        root.handlers[:], root.level = old_handlers, old_level
        handler.close()
        for fd, old in zip((1, 2), saved, strict=True):
            os.dup2(old, fd)
            os.close(old)
        os.close(target)
