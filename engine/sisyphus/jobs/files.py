"""The folder of a job: ``work/<id>/`` with its links, output folders, stored job and info file."""

import contextlib
import gzip
import os
import pickle

from .. import global_constants as gc
from .. import global_settings as gs
from ..base.layout import move_aside
from ..base.mistakes import places_as_text
from ..base.words import printable, value_as_text
from ..base.writing import write_atomically

MAX_NAME = 255  # bytes of a file name
MAX_TAGS = 80  # characters of all tags in the name of the folder


class JobFiles:
    """Mixin of `Job`: everything that touches the job's folder."""

    def _sis_path(self, kind=None, name=None, abspath=False):
        """``work/<id>[/kind[/name]]``; an integer ``name`` is a task id and joined with a dot."""
        path = f"{gs.WORK_DIR}/{self._sis_id_cache}"
        if gs.JOB_USE_TAGS_IN_PATH and self._sis_tags:
            path += ("." + ".".join(sorted(self._sis_tags)))[:MAX_TAGS]
        if kind:
            path = f"{path}/{kind}"
        if name is not None and name != "":
            path = f"{path}.{name}" if isinstance(name, int) else f"{path}/{name}"
        return os.path.join(gs.BASE_DIR, path) if abspath else path

    def _sis_setup(self):
        """Whether the job has a folder."""
        return os.path.isdir(self._sis_path(abspath=True))

    def work_path(self):
        """Where tasks run, relative to the setup folder."""
        return self._sis_path(gc.JOB_WORK_DIR)

    def _sis_creators(self):
        """The jobs that make the inputs, sorted by id."""
        cached = self.__dict__.get("_sis_creators_cache")
        if cached is None or cached[0] != len(self._sis_inputs):
            creators = {p.creator._sis_id(): p.creator for p in self._sis_inputs if hasattr(p.creator, "_sis_id")}
            cached = self._sis_creators_cache = (len(self._sis_inputs), [creators[i] for i in sorted(creators)])
        return cached[1]

    def _sis_setup_directory(self, force=False):
        """Make the job's folder ready for its tasks; repeated once per manager, files and links are kept."""
        base = self._sis_path(abspath=True)
        if self._sis_setup_since_restart and not force and os.path.exists(f"{base}/{gc.JOB_SAVE}"):
            return
        os.makedirs(base, exist_ok=True)
        for name in (gc.JOB_INPUT, gc.JOB_OUTPUT, gc.JOB_WORK_DIR, gc.JOB_LOG_ENGINE):
            with contextlib.suppress(FileExistsError):
                os.mkdir(f"{base}/{name}")
        for path in self._sis_output_dirs:
            os.makedirs(path.get_path(), exist_ok=True)
        for creator in self._sis_creators():
            self._sis_link_input(base, creator)
        write_atomically(
            f"{base}/{gc.JOB_SAVE}", gzip.compress(self._sis_pickled(), compresslevel=1, mtime=0), mode="wb"
        )
        write_atomically(f"{base}/{gc.JOB_INFO}", printable(self._sis_info_text()))
        self._sis_setup_since_restart = True

    def _sis_pickled(self):
        try:
            return pickle.dumps(self)
        except Exception as e:  # pickle raises many kinds
            raise TypeError(f"an attribute of the job cannot be pickled for its worker: {e}") from e

    def _sis_link_input(self, base, creator):
        name = creator._sis_id().replace("/", "_")
        if len(name) > MAX_NAME:
            name = os.path.basename(creator._sis_id())
        link, target = f"{base}/{gc.JOB_INPUT}/{name}", creator._sis_path(abspath=True)
        if os.path.islink(link):
            if os.readlink(link) == target:
                return
            os.unlink(link)
        os.symlink(target, link)

    def _sis_info_text(self):
        lines = [f"TAG: {tag}" for tag in sorted(self._sis_tags)]
        lines += sorted(f"INPUT: {path.get_path()}" for path in self._sis_inputs)
        lines += sorted(f"PARAMETER: {k}: {value_as_text(v)}" for k, v in self._sis_kwargs.items())
        lines += [f"ALIAS: {alias}" for alias in sorted(self._sis_aliases)]
        lines += [f"MADE IN: {place}" for place in [self._sis_made_in()] if place]
        for stack in self._sis_stacktrace:
            lines.append("STACKTRACE:")
            lines += [f'  File "{f.filename}", line {f.lineno}, in {f.name}' for f in reversed(list(stack))]
        return "".join(line + "\n" for line in lines)

    def _sis_made_in(self):
        """Where the job was made, ``recipe/a.py:7, from config/b.py:12``; empty if that is not known."""
        return places_as_text(self.__dict__.get("_sis_call_places") or ())

    def _sis_move_aside(self):
        """Rename the job's folder to ``<id>.cleared.NNNN``; returns the new name."""
        return move_aside(self._sis_path(abspath=True), self._sis_reset)

    def _sis_reset(self):
        """Forget what this process knows about the job's folder."""
        self._sis_is_finished = False
        self._sis_setup_since_restart = False
        for task in self.__dict__.get("_sis_task_cache", None) or ():
            task.reset()
