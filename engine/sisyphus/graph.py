"""The targets of a run and the jobs they need."""

import collections
import contextlib
import logging
import os
import time

from . import global_constants as gc
from . import global_settings as gs
from .base.writing import write_if_changed
from .delayed_ops import DelayedBase
from .jobs.evaluation import one_evaluation
from .tools import extract_paths


class OutputTarget:
    """Something that a run wants: the paths it requires, and what to do when they are available."""

    def __init__(self, name, inputs):
        self.name = name
        self._required = extract_paths(inputs)
        self._sis_done = False

    @property
    def required_full_list(self):
        return sorted(self._required)

    def is_done(self):
        return self._sis_done

    def update_requirements(self, write_output=True, force=False):
        """Do what is to be done as soon as all required paths are available; returns whether the target is done."""
        if write_output and not self._sis_done and all(path.available() for path in self._required):
            self.run_when_done()
            self._sis_done = True
        return self._sis_done

    def run_when_done(self):
        raise NotImplementedError

    def missing_files(self):
        """Required files of finished jobs that no longer exist."""
        return []


class OutputPath(OutputTarget):
    """A link ``output/<name>`` to a file."""

    def __init__(self, output_path, sis_path):
        super().__init__(output_path, sis_path)
        self._sis_path = sis_path
        creator = sis_path.creator
        self._prefixes = creator._sis_alias_prefixes if hasattr(creator, "_sis_id") else {gs.ALIAS_AND_OUTPUT_SUBDIR}

    def run_when_done(self):
        for name in self.link_names():
            _link_output(name, self._sis_path)

    def link_names(self):
        """Relative to the setup folder."""
        return [os.path.join(gs.OUTPUT_DIR, prefix, self.name) for prefix in sorted(self._prefixes)]

    def missing_files(self):
        exists = os.path.exists(self._sis_path.get_path()) or getattr(self._sis_path, "backup", None) is not None
        return [] if exists else [self._sis_path]


class OutputCall(OutputTarget):
    """A function that is called once when all paths in its arguments are available."""

    def __init__(self, name, f, argv, kwargs):
        super().__init__(name, [argv, kwargs])
        self._call = f, argv, kwargs

    def run_when_done(self):
        f, argv, kwargs = self._call
        f(*argv, **kwargs)


class OutputReport(OutputTarget):
    """A text file ``output/<name>`` that is rewritten as values become available."""

    def __init__(self, output_path, report_values, report_template=None, required=None, update_frequency=300):
        super().__init__(output_path, required if required is not None else report_values)
        self._values = report_values
        self._template = report_template
        self._frequency = update_frequency
        self._written = None

    def update_values(self, report_values):
        """Report these values from now on."""
        self._values = report_values
        self._required = extract_paths(report_values)
        self._sis_done = False
        self._written = None

    def update_requirements(self, write_output=True, force=False):
        if not write_output or (self._sis_done and self._required):
            return self._sis_done
        available = all(path.available() for path in self._required)
        due = force or self._written is None or time.monotonic() - self._written > self._frequency
        if available and (self._required or force):
            self.run_when_done()
            self._sis_done = True
        elif due:
            try:
                self.run_when_done()
                self._sis_done = available
            except Exception as e:  # the recipe's function or template, which may need what is not there yet
                logging.info("report %s cannot be written yet: %s: %s", self.name, type(e).__name__, e)
        return self._sis_done

    def run_when_done(self):
        self._written = time.monotonic()
        text = self._text()
        name = os.path.join(gs.BASE_DIR, gs.OUTPUT_DIR, self.name)
        make_folder_of(name, gs.OUTPUT_DIR)
        write_if_changed(name, text)

    def _text(self):
        if self._template is not None:
            return self._template.format(**self._values)
        if callable(self._values) and not isinstance(self._values, DelayedBase):  # a call of one is delayed too
            return str(self._values())
        from pprint import pformat  # workers load this module and do not need it

        return pformat(self._values, width=140) + "\n"


def make_folder_of(name, top):
    """Make the folder of an alias, output or report; raises `OSError` if it would lie in a job.

    ``top``: the folder of all aliases or outputs. If ``a`` links to a job or its output, ``a/b`` cannot be made.
    """
    folder = os.path.dirname(name)
    work, top, real = (os.path.realpath(os.path.join(gs.BASE_DIR, f)) + os.sep for f in (gs.WORK_DIR, top, folder))
    if real.startswith(work) and not top.startswith(work):
        raise FileExistsError(f"{folder} is a link into the folder of a job: use another name")
    os.makedirs(folder, exist_ok=True)


def _link_output(link, path):
    """Make ``link`` (relative to the setup folder) point at the file of ``path``; note it in the log of outputs."""
    full = os.path.join(gs.BASE_DIR, link)
    target = os.path.realpath(path.get_path())
    old = os.readlink(full) if os.path.islink(full) else None
    if old == target:
        return
    make_folder_of(full, gs.OUTPUT_DIR)
    part = f"{full}.{os.getpid()}.partial"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(part)
    os.symlink(target, part)
    os.replace(part, full)
    if old is None:
        note = f"Finished output: {link} (-> {path.rel_path()})"
        logging.info("Finished output: %s", link)
    else:
        note = f"Updated output: {link} {old} -> {target}"
        logging.info(note)
    if gs.FINISHED_LOG:
        name = os.path.join(gs.BASE_DIR, gs.FINISHED_LOG)
        try:
            os.makedirs(os.path.dirname(name), exist_ok=True)
            with open(name, "a", encoding="utf-8") as f:
                f.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}: {note}\n")
        except OSError as e:
            logging.warning("cannot write the FINISHED_LOG of the settings: %s", e)


class SISGraph:
    """All targets; jobs are found from them."""

    def __init__(self):
        self.targets = []
        self._outputs = {}  # name -> targets that are registered under it

    def add_target(self, target):
        if isinstance(target, OutputPath):
            same_name = self._outputs.setdefault(target.name, [])
            same_links = [other for other in same_name if not other._prefixes.isdisjoint(target._prefixes)]
            if any(other._sis_path == target._sis_path for other in same_links):
                return
            if same_links:
                logging.warning("two different outputs are registered as %s", target.name)
            same_name.append(target)
        self.targets.append(target)
        if gs.SHOW_JOB_TARGETS:
            for path in target._required:
                if hasattr(path.creator, "_sis_id"):
                    path.creator._sis_needed_for_which_targets.add(target.name)

    @property
    def targets_dict(self):
        """Name -> target."""
        return {target.name: target for target in self.targets}

    @property
    def active_targets(self):
        """Targets that are not done."""
        return [target for target in self.targets if not target.is_done()]

    def remove_targets(self, targets):
        self.targets, kept = [], [t for t in self.targets if t not in targets]
        self._outputs.clear()
        for target in kept:
            self.add_target(target)

    # jobs ------------------------------------------------------------------------------------------------------------
    def target_jobs(self):
        """The jobs that make what the targets require, each once, in order of registration."""
        creators = (p.creator for t in self.targets for p in t.required_full_list)
        return list(dict.fromkeys(c for c in creators if hasattr(c, "_sis_id")))

    def walk(self, start=None, skip=lambda job: False):
        """Jobs needed by ``start`` (default: all targets), every job after the jobs it reads from.

        Below a job for which ``skip`` is true the walk stops. Uses no recursion.
        """
        order, seen = [], set()
        stack = [(job, False) for job in reversed(self.target_jobs() if start is None else list(start))]
        while stack:
            job, expanded = stack.pop()
            if expanded:
                order.append(job)
            elif job not in seen:
                seen.add(job)
                stack.append((job, True))
                if not skip(job):
                    stack.extend((c, False) for c in reversed(job._sis_creators()) if c not in seen)
        return order

    def for_all_nodes(self, f, nodes=None, bottom_up=False, *, update_graph=True, pool=None):
        """Call ``f(job)`` for ``nodes`` (default: all targets) and the jobs that they need; returns the jobs' ids.

        Below a job for which ``f`` returns False the walk stops. ``bottom_up``: ``f`` sees every job after the jobs it
        reads from, and its result does not matter. ``update_graph``: each job may first ask for more inputs.
        ``pool`` has no effect.
        """

        def stops(job):
            if update_graph:
                job._sis_runnable()
            result = None if bottom_up else f(job)
            return result is not None and not result

        order = self.walk(nodes, skip=stops)
        if bottom_up:
            for job in order:
                f(job)
        return {job._sis_id() for job in order}

    def update_nodes(self):
        """Let every job ask for more inputs."""
        self.for_all_nodes(lambda job: None)

    def jobs(self, *, update_graph=True):
        """All jobs, those that make targets first."""
        found = []
        self.for_all_nodes(found.append, update_graph=update_graph)
        return found

    def jobs_sorted(self, *, update_graph=True):
        """Yields every job after the jobs it reads from: depth first, jobs that could run at the same time by id."""
        users, missing = {}, {}
        for job in self.jobs(update_graph=update_graph):
            missing[job] = set(job._sis_creators())
            for creator in missing[job]:
                users.setdefault(creator, []).append(job)
        stack = [(None, iter(sorted(job for job in missing if not missing[job])))]
        while stack:
            creator, following = stack[-1]
            job = next(following, None)
            if job is None:
                stack.pop()
                continue
            missing[job].discard(creator)
            if not missing[job]:
                yield job
                stack.append((job, iter(sorted(users.get(job, ())))))

    def id_to_job_dict(self):
        return {job._sis_id(): job for job in self.jobs()}

    def job_by_id(self, sis_id):
        return self.id_to_job_dict().get(sis_id)

    def find(self, pattern, mode="all", *, update_graph=True):
        """Jobs whose folder, alias or name contains ``pattern``, and their inputs and outputs whose file name does."""
        if update_graph:
            self.update_nodes()
        found = {}
        for job in self.walk():
            texts = [job._sis_path(), *job.get_aliases(), job.get_vis_name() or ""]
            if mode in ("all", "job") and any(pattern in text for text in texts):
                found[job] = None
            if mode in ("all", "path"):
                paths = (*sorted(job._sis_inputs), *job._sis_outputs.values())
                found.update(dict.fromkeys(path for path in paths if pattern in path.rel_path()))
        return list(found)

    def get_jobs_by_status(self, nodes=None, engine=None, skip_finished=False):
        """State -> jobs in that state, of ``nodes`` (default: all targets) and the jobs that they need.

        Names of input files that no job makes are in ``input_path`` or ``input_missing``. ``skip_finished`` leaves out
        finished jobs and what only they need.
        """
        result = collections.defaultdict(set)

        def look_at(job):
            state = job._sis_state(engine)
            if skip_finished and state == gc.STATE_FINISHED:
                return False
            result[state].add(job)
            for path in job._sis_inputs:
                if path.creator is None:
                    result[gc.STATE_INPUT_PATH if path.available() else gc.STATE_INPUT_MISSING].add(path.get_path())
            return True

        with one_evaluation():
            self.for_all_nodes(look_at, nodes, update_graph=False)
        return result


graph = SISGraph()
