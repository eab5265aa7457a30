"""What state a job is in, derived from the files in its folder (and the engine's queue)."""

import contextlib
import fnmatch
import logging
import os

from .. import global_constants as gc
from .. import global_settings as gs
from ..base import layout
from ..base.writing import write_atomically
from ..tools import finished_paths_missing
from .evaluation import current_evaluation, one_evaluation
from .hooks import JobHooks


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
        return type(self).update is not JobHooks.update

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
        evaluation = current_evaluation()
        if evaluation is not None and self._sis_id_cache in evaluation.unfinished:
            return False
        with one_evaluation() as evaluation:
            unfinished = evaluation.unfinished
            stack = [self]
            while stack:
                job = stack[-1]
                if job._sis_is_finished or job._sis_id_cache in unfinished:
                    stack.pop()
                    continue
                names = evaluation.names(job._sis_path(abspath=True))
                if names is None:
                    unfinished.add(job._sis_id_cache)
                elif layout.is_finished(names):
                    job._sis_is_finished = True
                else:
                    open_inputs = [
                        creator
                        for creator in job._sis_creators()
                        if not creator._sis_is_finished and creator._sis_id_cache not in unfinished
                    ]
                    if open_inputs:
                        stack.extend(open_inputs)
                        continue
                    if layout.has_finished_id(names):
                        with contextlib.suppress(Exception):  # the recipe's, shown with the state
                            job._sis_finish_if_done()
                    if not job._sis_is_finished:
                        unfinished.add(job._sis_id_cache)
        return self._sis_is_finished

    def _sis_get_needed_jobs(self, visited):
        """The finished jobs that this one, or an unfinished job behind it, still reads from; itself if it is finished.

        ``visited``: results of earlier calls, by job id.
        """
        if self._sis_id_cache not in visited:
            needed, seen, stack = set(), set(), [self]
            while stack:
                job = stack.pop()
                if job in seen:
                    continue
                seen.add(job)
                if job._sis_finished():
                    needed.add(job)
                elif job._sis_id_cache in visited:
                    needed |= visited[job._sis_id_cache]
                else:
                    stack += job._sis_creators()
            visited[self._sis_id_cache] = needed
        return visited[self._sis_id_cache]

    def _sis_finish_if_done(self):
        if not self._sis_runnable() or not all(task.finished() for task in self._sis_tasks()):
            return
        if self._sis_missing_outputs():
            return
        write_atomically(self._sis_path(gc.JOB_FINISHED_MARKER, abspath=True), "")
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

        Variables with a backup and names in ``__sis_optional_outputs__`` do not count. A class that overrides
        ``path_available`` decides itself, so none of its outputs count; nor do any if ``CHECK_OUTPUTS`` is off.
        """
        if not gs.CHECK_OUTPUTS or type(self).path_available is not JobHooks.path_available:
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
        """Name of an output as it was declared. Paths of a stored job are absolute, and its folder may have moved."""
        inside_work = self._sis_path(gc.JOB_OUTPUT).removeprefix(gs.WORK_DIR)
        return os.path.normpath(path.get_path().partition(f"{inside_work}/")[2])

    # state -------------------------------------------------------------------------------------------------------
    def _sis_state(self, engine=None):
        """One of the ``STATE_`` names of `global_constants`."""
        with one_evaluation() as evaluation:
            if self._sis_finished():
                return gc.STATE_FINISHED
            if not self._sis_runnable():
                return gc.STATE_WAITING
            names = evaluation.names(self._sis_path(abspath=True))
        if self._sis_hold_job or gc.JOB_HOLD in (names or ()):
            return gc.STATE_HOLD
        if names is None:
            self._sis_reset()
            return gc.STATE_RUNNABLE
        while (task := self._sis_next_task()) is not None:
            state = task.state(engine)
            if state != gc.STATE_FINISHED:  # else it ended just now, and the next one counts
                return state
        self._sis_finish_if_done()  # the last task may have ended a moment ago
        return gc.STATE_FINISHED if self._sis_is_finished else gc.STATE_ERROR

    def _sis_next_task(self):
        """The first task that is not finished; None if all are (then outputs are missing)."""
        return next((task for task in self._sis_tasks() if not task.finished()), None)
