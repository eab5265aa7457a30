"""What state a job is in, derived from the files in its folder (and the engine's queue)."""

import contextlib
import fnmatch
import logging
import os

from . import global_constants as gc
from . import global_settings as gs
from .tools import finished_paths_missing, write_atomically

_unfinished = None  # ids of jobs known to be unfinished within one evaluation of the graph


@contextlib.contextmanager
def one_evaluation():
    """Inside, a job that was found unfinished is not looked at again."""
    global _unfinished
    outer, _unfinished = _unfinished, set() if _unfinished is None else _unfinished
    try:
        yield
    finally:
        _unfinished = outer


class JobStates:
    """Mixin of `Job`."""

    # tasks -------------------------------------------------------------------------------------------------------
    def _sis_tasks(self):
        """The job's tasks; evaluated once, when all inputs are available."""
        cache = self.__dict__.get("_sis_task_cache")
        if cache is None:
            cache = list(self.tasks())
            assert cache, f"{self._sis_id_cache}: tasks() gives no task"
            for task in cache:
                task.set_job(self)
            names = [task.name() for task in cache]
            assert len(set(names)) == len(names), f"{self._sis_id_cache}: two tasks have one name: {names}"
            self._sis_task_cache = cache
        return cache

    def _sis_task(self, name):
        for task in self._sis_tasks():
            if task.name() == name:
                return task
        names = [task.name() for task in self._sis_tasks()]
        raise ValueError(f"job {self._sis_id_cache} has no task {name!r}, only {names}")

    # inputs ------------------------------------------------------------------------------------------------------
    def _sis_update_possible(self):
        from .job import Job

        return type(self).update is not Job.update

    def _sis_inputs_available(self):
        return all(path.available() for path in self._sis_inputs)

    def _sis_runnable(self):
        """Whether all inputs are available; calls ``update()`` until it asks for no more inputs."""
        while self._sis_inputs_available():
            if not self._sis_update_possible():
                return True
            before = len(self._sis_inputs)
            self.update()
            if len(self._sis_inputs) == before:
                return True
        return False

    # finished ----------------------------------------------------------------------------------------------------
    def _sis_finished(self):
        """Whether the job is finished; writes the marker if all its tasks are. Never recurses along the graph."""
        if self._sis_is_finished:
            return True
        with one_evaluation():
            stack = [self]
            while stack:
                job = stack[-1]
                if job._sis_is_finished or job._sis_id_cache in _unfinished:
                    stack.pop()
                    continue
                if not os.path.isdir(job._sis_path(abspath=True)):
                    _unfinished.add(job._sis_id_cache)
                elif job._sis_has_marker():
                    job._sis_is_finished = True
                else:
                    open_inputs = [
                        creator
                        for creator in job._sis_creators()
                        if not creator._sis_is_finished and creator._sis_id_cache not in _unfinished
                    ]
                    if open_inputs:
                        stack.extend(open_inputs)
                        continue
                    with contextlib.suppress(Exception):  # the recipe's, shown when this job's own state is asked for
                        job._sis_finish_if_done()
                    if not job._sis_is_finished:
                        _unfinished.add(job._sis_id_cache)
        return self._sis_is_finished

    def _sis_has_marker(self):
        from .job_files import has_finished_marker

        return has_finished_marker(self._sis_path())

    def _sis_finish_if_done(self):
        if not self._sis_runnable() or not all(task.finished() for task in self._sis_tasks()):
            return
        if self._sis_missing_outputs():
            return
        write_atomically(self._sis_file(gc.JOB_FINISHED_MARKER), "")
        self._sis_is_finished = True
        try:
            if gs.TEAM_SHARE_DIR:
                self._sis_share()
            gs.on_job_finished(self)
        except Exception:
            logging.exception("%s is finished, but TEAM_SHARE_DIR or on_job_finished of the settings failed", self)

    def _sis_share(self):
        link = os.path.join(gs.BASE_DIR, gs.TEAM_SHARE_DIR, self._sis_id_cache)
        os.makedirs(os.path.dirname(link), exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.symlink(os.path.realpath(self._sis_path(abspath=True)), link)
            logging.info("shared %s as %s", self._sis_id_cache, link)

    def _sis_missing_outputs(self):
        """Declared outputs that the finished tasks did not write.

        Not counted: variables with a backup, names in ``__sis_optional_outputs__``, all outputs of a class that
        overrides ``path_available`` (it decides itself what is there), everything if ``CHECK_OUTPUTS`` is off.
        """
        from .job import Job

        if not gs.CHECK_OUTPUTS or type(self).path_available is not Job.path_available:
            return []
        patterns = type(self).__sis_optional_outputs__
        declared = [
            path
            for path in self._sis_outputs.values()
            if getattr(path, "backup", None) is None
            and not any(fnmatch.fnmatch(self._sis_output_name(path), p) for p in patterns)
        ]
        return finished_paths_missing(declared)

    def _sis_output_name(self, path):
        """Name of an output as it was declared (paths of a stored job are absolute)."""
        return os.path.relpath(path.get_path(), self._sis_path(gc.JOB_OUTPUT, abspath=True))

    # state -------------------------------------------------------------------------------------------------------
    def _sis_held(self):
        return self._sis_hold_job or os.path.exists(self._sis_file(gc.JOB_HOLD))

    def _sis_state(self, engine=None):
        """One of the ``STATE_`` names of `global_constants`."""
        if self._sis_finished():
            return gc.STATE_FINISHED
        if not self._sis_runnable():
            return gc.STATE_WAITING
        if self._sis_held():
            return gc.STATE_HOLD
        if not os.path.isdir(self._sis_path(abspath=True)):
            self._sis_reset()
            return gc.STATE_RUNNABLE
        task = self._sis_next_task()
        if task is not None:
            return task.state(engine)
        self._sis_finish_if_done()  # the last task may have ended a moment ago
        return gc.STATE_FINISHED if self._sis_is_finished else gc.STATE_ERROR

    def _sis_next_task(self):
        """The first task that is not finished; None if all are (then outputs are missing)."""
        return next((task for task in self._sis_tasks() if not task.finished()), None)

    def _sis_failure(self, engine=None):
        """Why the job is in a failed state: ``(title, name of the log or None)``."""
        task = self._sis_next_task() if self._sis_runnable() else None
        if task is None:
            names = ", ".join(map(self._sis_output_name, self._sis_missing_outputs()))
            return f"all tasks ended but did not write the declared output: {names}", None
        good = (gc.STATE_FINISHED, gc.STATE_RUNNABLE, gc.STATE_QUEUE, gc.STATE_RUNNING)
        states = {i: task.state(engine, i) for i in task.task_ids()}
        bad = {i: state for i, state in states.items() if state not in good} or states
        first = next((i for i, state in bad.items() if state == gc.STATE_ERROR), next(iter(bad)))
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        remark = engine and engine.remark(task, first)
        title = f"task {task.name()} {first}{more}: {bad[first].replace('_', ' ')}" + (f" ({remark})" if remark else "")
        return title, task.path(gc.JOB_LOG, first)
