"""One look at the files of many jobs: what was seen once is not looked at again."""

import os
import threading

# One for each thread: the threads of the status page and the hook ask for states too.
_of_thread = threading.local()


class one_evaluation:
    """Context manager. Inside, a job that was found unfinished (its id is in ``unfinished``) is not looked at again.

    ``list_folders``: list the parent folders first, because many jobs will be asked for and some have no folder.
    """

    def __init__(self, unfinished=(), list_folders=False):
        self.unfinished = set(unfinished)
        self._names = {}  # folder -> names in it
        self._list_folders = list_folders

    def __enter__(self):
        self._outer = current_evaluation()
        _of_thread.evaluation = self._outer or self
        return _of_thread.evaluation

    def __exit__(self, *error):
        _of_thread.evaluation = self._outer

    def names(self, folder):
        """Names in the folder of a job, None if there is no folder."""
        if self._list_folders:
            parent, _, name = folder.rpartition("/")
            if name not in (self._listed(parent) or ()):
                return None
        return self._listed(folder)

    def _listed(self, folder):
        if folder not in self._names:
            try:
                self._names[folder] = set(os.listdir(folder))
            except (FileNotFoundError, NotADirectoryError):
                self._names[folder] = None
        return self._names[folder]


def current_evaluation():
    return getattr(_of_thread, "evaluation", None)
