"""What the class of a job may override, beside its tasks."""


class JobHooks:
    """Base of `Job`. A class that overrides ``update`` or ``path_available`` is treated differently by `JobStates`."""

    def update(self):
        """Called while all inputs are available; may ask for more of them with `add_input`."""

    def path_available(self, path):
        """Whether consumers may use ``path`` now; override to expose outputs before the job is finished."""
        assert path.creator is self
        return self._sis_finished()

    def info(self):
        """One line about the progress of the running job, for people."""

    def completed_fraction(self):
        """How much of the running job is done, 0..1, or None."""
