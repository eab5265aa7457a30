"""``sis manager``: runs all jobs that the targets of the configs need."""

import logging
import os
import sys
import threading
import time

from .. import global_constants as gc
from .. import global_settings as gs
from ..base import services
from ..base.exit_status import EXIT_DONE, EXIT_INCOMPLETE, EXIT_INTERRUPT
from ..cleaner import JobCleaner
from ..engine import cached_engine
from ..graph import OutputPath, graph
from ..job import Job
from ..loader import config_manager
from ..manager import alias_links, link_alias
from ..upkeep.busy import busy_ones
from ..upkeep.lock import ManagerLock, WorkFolderReadOnly, WorkFolderUnusable
from .failures import FailureHook
from .graph_states import ACTIVE, GraphStates
from .reporter import Reporter

TABLE_PERIOD = 5  # seconds between redraws of the table
SUBMIT_PERIOD = 10  # seconds of submissions, after which states and targets are looked at in between
MOST_BUSY = 0.1  # share of a core that cycles may take when tasks start and end all the time
STARTABLE = (gc.STATE_RUNNABLE, gc.STATE_INTERRUPTED_RESUMABLE)


class Manager:
    """One run over a graph.

    ``clear_errors``: at start move the folders of failed jobs aside, so that they run again; ``clear_interrupted``: the
    same for interrupted jobs that cannot resume. ``ask``: function of a question that is asked before each submission.
    """

    def __init__(self, sis_graph=graph, configs=config_manager, clear_errors=False, clear_interrupted=True, ask=None):
        self.graph = sis_graph
        self.configs = configs
        self.engine = cached_engine()
        self.clear_errors = clear_errors
        self.clear_interrupted = clear_interrupted
        self.ask = ask
        self.hook = FailureHook()
        self.reporter = Reporter(sys.stdout, self.hook.add)
        self._event = threading.Event()
        self._skipped = set()
        self._linked = set()
        self._full_engines = set()
        self._failed_targets = set()
        self._not_cleared = ()
        self._not_counted_anew = set()
        self.view = GraphStates(sis_graph, self.engine)

    # one run -------------------------------------------------------------------------------------------------------
    def run(self):
        """Run until nothing is left to do; returns the exit status."""
        _make_work_folder()
        try:
            with ManagerLock() as lock:
                return self._run(lock)
        except WorkFolderReadOnly as e:
            if not self.is_finished():
                raise
            return self._bring_up_to_date(e)

    def _bring_up_to_date(self, why):
        """A run over finished jobs that needs no lock, because it writes nothing into the work folder."""
        logging.info("all jobs are finished, so it does not matter: %s", why)
        self.update_links()
        self.reporter.begin(self.view)
        try:
            return self._finish()
        finally:
            self.reporter.close()

    def _run(self, lock):
        self.engine.set_wake(self._event.set)
        self.engine.start_engine()
        cleaner = JobCleaner(lambda: self.view.in_state(gc.STATE_FINISHED))
        try:
            self._startup()
            if gs.JOB_AUTO_CLEANUP:
                cleaner.start()
            while True:
                begin = time.thread_time()
                services.check()
                if not self._cycle():
                    break
                lock.touch()
                self._wait(at_least=(time.thread_time() - begin) / MOST_BUSY)
            return self._finish()
        except KeyboardInterrupt:
            self.reporter.interrupted(self.view)
            return EXIT_INTERRUPT
        except services.ServiceLost as e:
            logging.error("%s", e)
            return EXIT_INCOMPLETE
        finally:
            self.engine.stop_engine()
            cleaner.close()
            self.hook.close()
            self.reporter.close()

    def _startup(self):
        self.configs.continue_configs()
        self.view.refresh(everything=True)
        self.clear_failed()
        self._not_counted_anew = set(self.view.in_state(*ACTIVE))
        self._count_submissions_anew(self.view.in_state(*STARTABLE, gc.STATE_RETRY_ERROR))
        self.update_links()
        self.reporter.begin(self.view)

    def is_finished(self):
        """Whether there is nothing to run. Looks at all jobs."""
        self.configs.continue_configs()
        self.view.refresh(everything=True)
        unfinished = any(state != gc.STATE_FINISHED for state in self.view.states.values())
        return not unfinished and not self.configs.waiting_configs()

    def plan(self):
        """Show what `run` would do; returns whether everything is there already."""
        if self.is_finished():
            return True
        self.reporter.plan(self.view)
        return False

    def set_up_runnable(self):
        """Make the folders of runnable jobs without starting them."""
        for job in self.view.in_state(gc.STATE_RUNNABLE):
            self._set_up(job)

    def clear_failed(self):
        states = [gc.STATE_ERROR] * self.clear_errors
        states += [gc.STATE_INTERRUPTED_NOT_RESUMABLE] * self.clear_interrupted
        self._clear(self.view.in_state(*states))

    def _clear(self, jobs):
        """Move the folders of ``jobs`` aside, except for jobs with other tasks that still run or are queued."""
        folders = {job._sis_path(abspath=True): job for job in jobs if job not in self.view.refused}
        busy = [folders.pop(folder) for folder in busy_ones(folders)]
        for job in busy:
            if job not in self._not_cleared:
                self.reporter.event("not cleared", job, "other tasks of it run or are queued")
        self._not_cleared = busy
        cannot = {}
        for job in folders.values():
            try:
                self.reporter.event("cleared", job, f"moved to {os.path.basename(job._sis_move_aside())}")
            except OSError as e:  # an error of this job, the others go on
                cannot[job] = e
        if folders:
            self.view.refresh(everything=True)
        for job, error in cannot.items():
            self.view.refuse(job, error)

    def _count_submissions_anew(self, jobs):
        """Whoever starts a manager wants to go on, however often jobs were interrupted before."""
        for job in jobs:
            self._not_counted_anew.discard(job)
            try:
                if job._sis_setup() and (task := job._sis_next_task()) and task.submissions():
                    task.begin_round()
                    self.view.update_one(job)
            except Exception as e:  # an error of this job, the others go on
                self.view.refuse(job, e)

    def _cycle(self):
        """Everything that can be done now; returns whether there is something to wait for."""
        self._event.clear()
        self.engine.reset_cache()
        if self.configs.continue_configs():
            self.update_links()
        self.view.refresh()
        # nothing is written for a job while it runs or waits
        self._count_submissions_anew(self._not_counted_anew.intersection(self.view.in_state(gc.STATE_RETRY_ERROR)))
        if gs.CLEAR_ERROR:
            self._clear(self.view.in_state(gc.STATE_ERROR))
        self.reporter.update(self.view)
        for job in self.view.in_state(gc.STATE_HOLD):
            self._set_up(job)
        self._submit_all()
        self.reporter.update(self.view)
        self._report_failures()
        self.update_targets()
        if self.view.in_state(*ACTIVE) or (gs.CLEAR_ERROR and self._not_cleared):
            return True
        if not self.configs.waiting_configs() and not self.graph.active_targets:
            return False
        self.view.refresh(everything=True)  # nothing left to wait for, unless files have changed meanwhile
        if self.configs.continue_configs():  # the job that one awaits has ended since the first look
            self.update_links()
            self._event.set()
            return True
        return bool(self.view.in_state(*ACTIVE))

    def _report_failures(self):
        for job in self.view.in_state(gc.STATE_ERROR, gc.STATE_RETRY_ERROR):
            try:
                gs.on_job_failure(job)
            except Exception:
                logging.exception("on_job_failure of the settings failed for %s", job)

    def _wait(self, at_least):
        """Wait until a task starts or ends, or it is time to look at the files again, and keep the table up to date."""
        end = time.monotonic() + gs.WAIT_PERIOD_BETWEEN_CHECKS
        time.sleep(min(at_least, gs.WAIT_PERIOD_BETWEEN_CHECKS, 1))
        while not self._event.wait(min(max(end - time.monotonic(), 0), TABLE_PERIOD)) and time.monotonic() < end:
            self.reporter.tick(self.view)

    def _submit_all(self):
        """Submit what can run. Thousands of submissions take long, so states and targets are updated in between."""
        self._full_engines = set()
        end = time.monotonic() + SUBMIT_PERIOD
        for job in sorted(self.view.in_state(*STARTABLE), key=Job.job_id):
            if time.monotonic() > end:
                self.view.refresh()
                self.reporter.update(self.view)
                self.update_targets()
                end = time.monotonic() + SUBMIT_PERIOD
            if self.view.states.get(job) in STARTABLE:
                self._submit(job)

    def _set_up(self, job):
        try:
            job._sis_setup_directory()
        except Exception as e:  # an error of this job, the others go on
            self.view.refuse(job, e)

    def _submit(self, job):
        if job in self._skipped:
            return
        if self.ask is not None:
            answer = self.ask(f"Submit {job}? (Yes/skip/never) ").lower()
            if answer.startswith(("s", "n")):
                self._skipped.update([job] if answer.startswith("n") else [])
                return
        try:
            task = job._sis_next_task()
            if task is None:  # it has ended meanwhile, or its tasks have no ids
                if not job._sis_setup():
                    job._sis_setup_directory()  # a job without a folder counts as runnable
                self.view.update_one(job)
                return
            engine = task.rqmt().get("engine")
            if engine in self._full_engines:
                return
            job._sis_setup_directory(force=self.view.states[job] == gc.STATE_INTERRUPTED_RESUMABLE)
            submitted = self.engine.submit(task)
            if submitted:
                job._sis_submitted_task = task
            self.view.update_one(job)
            if not submitted and self.view.states[job] in STARTABLE:  # deferred, as the next one would be
                self._full_engines.add(engine)
        except Exception as e:  # an error of this job, the others go on
            self.view.refuse(job, e)

    def _finish(self):
        self.update_targets(force=True)
        self.reporter.update(self.view)
        not_made = [target.name for target in self.graph.active_targets]
        not_made += [f"{name} (an async config)" for name in self.configs.waiting_configs()]
        missing = [path for target in self.graph.targets if target.is_done() for path in target.missing_files()]
        return EXIT_DONE if self.reporter.end(self.view, not_made, missing) else EXIT_INCOMPLETE

    # targets and links -----------------------------------------------------------------------------------------------
    def update_targets(self, force=False):
        with self.view.unfinished_known():
            for target in self.graph.targets:
                if target in self._failed_targets:
                    continue
                try:
                    target.update_requirements(force=force)
                except Exception as e:  # a callback or report of the config: the jobs go on
                    if isinstance(target, OutputPath) and isinstance(e, OSError):
                        logging.warning("cannot make the output %s: %s", target.name, e)
                    else:
                        logging.exception("target %s failed", target.name)
                    self._failed_targets.add(target)

    def update_links(self):
        """Links ``alias/<alias>`` to the job folders of all jobs of the graph."""
        for link, job in alias_links(self.graph.walk()):
            if link not in self._linked:
                link_alias(link, job)
                self._linked.add(link)


def _make_work_folder():
    work = os.path.join(gs.BASE_DIR, gs.WORK_DIR)
    try:
        os.makedirs(work, exist_ok=True)
    except OSError as e:
        where = f"{work}, a link to {os.readlink(work)}," if os.path.islink(work) else work
        raise WorkFolderUnusable(f"the work folder {where} is not there and cannot be made ({e.strerror})") from e
