"""What a config may set on a job after it was made; none of it enters the id."""


class JobOptions:
    """Mixin of `Job`."""

    @property
    def tags(self):
        return self._sis_tags

    def add_alias(self, alias):
        self._sis_aliases.add(alias)
        return self

    def get_aliases(self):
        return self._sis_aliases

    def get_one_alias(self):
        return min(self._sis_aliases, key=lambda a: (len(a), a)) if self._sis_aliases else None

    def set_vis_name(self, name):
        self._sis_vis_name = name
        return self

    def get_vis_name(self):
        return self._sis_vis_name

    def keep_value(self, value=None):
        """Get or set how long results are kept (0..99); the clean-up by keep value removes low values first."""
        if value is None:
            return self._sis_keep_value
        assert 0 <= value < 100, f"keep value {value} is not in 0..99"
        self._sis_keep_value = value
        return value

    def set_keep_value(self, value):
        self.keep_value(value)
        return self

    def hold(self):
        """Do not start this job."""
        self._sis_hold_job = True
        return self

    def set_rqmt(self, task_name, rqmt):
        """Replace the requirements of a task."""
        self._sis_task_rqmt_overwrite[task_name] = (dict(rqmt), False)
        return self

    def update_rqmt(self, task_name, rqmt):
        """Change single requirements of a task."""
        self._sis_task_rqmt_overwrite[task_name] = (dict(rqmt), True)
        return self

    def set_env(self, key, value, *, verbatim=True):
        """Set an environment variable for the tasks; ``$VAR`` is expanded if not ``verbatim``."""
        self._sis_environment_settings.append((key, value, verbatim))
        return self

    def set_attrs(self, attributes):
        for key, value in attributes.items():
            setattr(self, key, value)
        return self

    def set_default(self, name, value):
        if getattr(self, name) is None:
            setattr(self, name, value)
