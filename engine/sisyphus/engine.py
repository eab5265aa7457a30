"""What every engine does: `EngineBase`, and `EngineSelector`, which gives each task to one of several engines."""

import contextlib
import logging

from . import global_constants as gc
from . import global_settings as gs
from .base import measuring, processes
from .base.refusal import ConfigError
from .jobs import retry
from .task import NOT_STARTED, normalised


class DeferSubmission(Exception):
    """The engine cannot take the call now; the manager tries again later and nothing is recorded."""


class ImpossibleRequest(ValueError):
    """A task asks for more of a resource than the engine will ever have."""


class EngineBase:
    """Interface of an engine. A task id in it is ``queue``, ``queue_error``, ``running`` or ``unknown``."""

    # to be written by an engine ------------------------------------------------------------------------------------
    def task_state(self, task, task_id):
        raise NotImplementedError

    def submit_call(self, call, logpath, rqmt, name, task_name, task_ids):
        """Start ``call`` once per id; returns ``(engine name, information for the submit log)``."""
        raise NotImplementedError

    def get_default_rqmt(self, task):
        raise NotImplementedError

    def get_task_id(self, task_id):
        """The id of this worker, from its command line or from the cluster's environment."""
        assert task_id is not None, "this engine needs the task id on the command line"
        return task_id

    # may be changed by an engine -----------------------------------------------------------------------------------
    def start_engine(self):
        """Called once by the manager before anything else."""

    def stop_engine(self):
        """Called when the manager ends; running tasks go on."""

    def reset_cache(self):
        """Called at the start of a manager cycle."""

    def knows_exactly(self):
        """Whether ``queue`` and ``running`` are certain, so no file must be read."""
        return False

    def certain_state(self, task, task_id):
        """The state of an id that no file contradicts; ``unknown`` if there is none."""
        return self.task_state(task, task_id) if self.knows_exactly() else gc.STATE_UNKNOWN

    def in_hand(self, task):
        """State of a task if no file of its ids must be read, else None. A task in the queue has not started."""
        queued = all(self.task_state(task, i) == gc.STATE_QUEUE for i in task.task_ids())
        return gc.STATE_QUEUE if queued else None

    def set_wake(self, wake):
        """``wake()`` is to be called whenever a task starts or ends, from any thread."""

    def submitted(self):
        """Called after submissions have been recorded."""

    def ended(self, task, task_id):
        """How the last submission of an id ended, in the cluster's words (``"TIMEOUT"``); None if unknown."""

    def remark(self, task, task_id):
        """What a person should know about the state of an id; empty if nothing."""
        return ""

    def batch(self, rqmt, task_ids):
        """The ids that go into one submission. The others follow; if it is empty, all wait."""
        return task_ids

    def get_used_engine(self, selector):
        return self

    def claim(self, prefix, task_name, task_id):
        """Whether this worker may run the id; called first. ``prefix``: the folder of the job."""
        return True

    def process_number(self):
        """The number of this worker among the processes that run one task id together, from 0."""
        return 0

    def init_worker(self, task):
        """Called in the worker before the task runs."""

    def get_job_used_resources(self, process):
        return measuring.used_by_process_tree(process)

    def get_task_termination_info(self, task, task_id, submit_info):
        """``{"out_of_memory": bool, "out_of_time": bool}`` as far as the engine knows."""
        return {}

    def get_job_node_hostnames(self):
        return [processes.hostname()]

    def check_request(self, rqmt, task):
        """Raise `ImpossibleRequest` if ``rqmt`` can never be met."""

    # shared --------------------------------------------------------------------------------------------------------
    def get_rqmt(self, task, task_id, update=True):
        """Requirements of the next submission. Values raised earlier stay raised unless the recipe changed."""
        rqmt = recipe = self.of_recipe(task)
        history = [entry for ids, entry in task.submissions() if task_id in ids]
        if update and history:
            first, last = history[0], history[-1]
            known = last.get("raised_from", first)
            asked = {k: last[k] if k in last and known.get(k) == v else v for k, v in rqmt.items()}
            usage = {**_usage_of(last, task, task_id), **self.get_task_termination_info(task, task_id, last)}
            rqmt = asked
            if usage:  # else that submission has not run
                rqmt = normalised((task._update_rqmt or gs.update_engine_rqmt)(last_rqmt=asked, last_usage=usage))
        return gs.check_engine_limits(retry.raised(rqmt, recipe, task, task_id), task)

    def of_recipe(self, task):
        return normalised({**self.get_default_rqmt(task), **task.rqmt()})

    def with_origin(self, task, rqmt):
        """``rqmt`` for the submit log, with the figures of the recipe that it was raised from."""
        recipe = self.of_recipe(task)
        raised = {k: v for k, v in recipe.items() if isinstance(v, (int, float)) and (rqmt.get(k) or 0) > v}
        return {**rqmt, "raised_from": raised} if raised else rqmt

    def worker_call(self, task):
        call = [*gs.SIS_COMMAND, gc.CMD_WORKER, task.job._sis_path(), task.name()]
        wrapper = getattr(task.job, "_sis_worker_wrapper", gs.worker_wrapper)  # a job loaded from its folder has none
        return wrapper(task.job, task.name(), call)

    def submit(self, task):
        """Submit all ids of ``task`` that can run, grouped by equal requirements. Returns the submitted ids."""
        groups = {}
        for i in task.task_ids():
            if task.state(self, i) in (gc.STATE_RUNNABLE, gc.STATE_INTERRUPTED_RESUMABLE):
                rqmt = self.get_rqmt(task, i)
                self.check_request(rqmt, task)
                groups.setdefault(repr(sorted(rqmt.items())), (rqmt, []))[1].append(i)
        submitted = []
        for rqmt, ids in groups.values():
            with contextlib.suppress(DeferSubmission):
                while ids and (batch := self.batch(rqmt, ids)):
                    self._submit_batch(task, rqmt, batch)
                    submitted += batch
                    ids = ids[len(batch) :]
        self.submitted()
        return submitted

    def _submit_batch(self, task, rqmt, ids):
        ended = {i: cause for i in ids if (cause := self.ended(task, i))}
        earlier = {i for submitted, _ in task.submissions() for i in submitted}
        ended |= {i: NOT_STARTED for i in earlier.intersection(ids) - set(ended) if not task.was_started(i)}
        engine_name, info = self.submit_call(
            self.worker_call(task),
            task.job._sis_path(gc.JOB_LOG_ENGINE, abspath=True),
            rqmt,
            task.task_name(),
            task.name(),
            ids,
        )
        task.log_submission(ids, self.with_origin(task, {**rqmt, "ended": ended} if ended else rqmt), engine_name, info)
        logging.debug("submitted %s %s", task.task_name(), ids)


def _usage_of(submission, task, task_id):
    """What an id used in this submission; empty if the file is that of an earlier one, which asked for less."""
    usage = task.usage(task_id)
    requested = usage.get("requested_resources") or submission
    same = all(requested.get(name) == submission.get(name) for name in ("mem", "time"))
    return usage if same else {}


class EngineSelector(EngineBase):
    """Gives each task to ``engines[rqmt["engine"]]``, or to ``engines[default_engine]`` if it names none."""

    def __init__(self, engines, default_engine):
        assert default_engine in engines, f"default engine {default_engine!r} is not among {sorted(engines)}"
        self.engines = engines
        self.default_engine = default_engine

    def get_used_engine(self, selector):
        """``selector``: as in a rqmt; None for the default."""
        selector = selector or self.default_engine
        if selector not in self.engines:
            raise ImpossibleRequest(f"the rqmt asks for engine {selector!r}, the settings have {sorted(self.engines)}")
        return self.engines[selector].get_used_engine(selector)

    def _name(self, task):
        return task.rqmt().get("engine", self.default_engine)

    def _of(self, task):
        return self.get_used_engine(self._name(task))

    def _all(self):
        return list({id(e): e for e in self.engines.values()}.values())

    def start_engine(self):
        for engine in self._all():
            engine.start_engine()

    def stop_engine(self):
        for engine in self._all():
            engine.stop_engine()

    def reset_cache(self):
        for engine in self._all():
            engine.reset_cache()

    def submitted(self):
        for engine in self._all():
            engine.submitted()

    def set_wake(self, wake):
        for engine in self._all():
            engine.set_wake(wake)

    def in_hand(self, task):
        return self._of(task).in_hand(task)

    def certain_state(self, task, task_id):
        return self._of(task).certain_state(task, task_id)

    def task_state(self, task, task_id):
        """Also finds a task that another engine took before the request or the settings changed."""
        mine = self._of(task)
        state = mine.task_state(task, task_id)
        others = (e for e in self._all() if e is not mine and not e.knows_exactly())
        while state == gc.STATE_UNKNOWN and (engine := next(others, None)):
            state = engine.task_state(task, task_id)
        return state

    def ended(self, task, task_id):
        return next(filter(None, (engine.ended(task, task_id) for engine in self._all())), None)

    def remark(self, task, task_id):
        return next(filter(None, (engine.remark(task, task_id) for engine in self._all())), "")

    def batch(self, rqmt, task_ids):
        return self.get_used_engine(rqmt.get("engine", self.default_engine)).batch(rqmt, task_ids)

    def get_default_rqmt(self, task):
        return self._of(task).get_default_rqmt(task)

    def get_rqmt(self, task, task_id, update=True):
        return self._of(task).get_rqmt(task, task_id, update)

    def check_request(self, rqmt, task):
        self._of(task).check_request(rqmt, task)

    def submit_call(self, call, logpath, rqmt, name, task_name, task_ids):
        selector = rqmt.get("engine", self.default_engine)
        at = call.index(gc.CMD_WORKER) + 1
        call = [*call[:at], "--engine", selector, *call[at:]]
        engine = self.get_used_engine(selector)
        return engine.submit_call(call, logpath, rqmt, name, task_name, task_ids)

    def get_task_id(self, task_id):
        return self.get_used_engine(self.default_engine).get_task_id(task_id)

    def init_worker(self, task):
        self._of(task).init_worker(task)

    def get_task_termination_info(self, task, task_id, submit_info):
        return self._of(task).get_task_termination_info(task, task_id, submit_info)


def cached_engine(cache=[]):  # noqa: B006  the default list is the cache
    """The engine of the settings, made once. Raises `ConfigError` if the settings cannot make it."""
    if not cache:
        try:
            cache.append(gs.engine())
        except Exception as e:  # of the settings
            raise ConfigError(f"engine() of the settings failed: {gs.error_as_text(e)}") from e
    return cache[0]
