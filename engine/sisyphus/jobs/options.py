"""What a config may set on a job after it was made; none of it enters the id."""

import logging

from .. import global_settings as gs
from ..tools import EnvironmentModifier


def default_environment():
    """What the settings say of the environment of tasks, now."""
    environment = EnvironmentModifier(cleanup_env=gs.CLEANUP_ENVIRONMENT)
    if gs.CLEANUP_ENVIRONMENT:
        environment.keep(gs.DEFAULT_ENVIRONMENT_KEEP)
        environment.set(gs.DEFAULT_ENVIRONMENT_SET)
    return environment


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

    def set_vis_name(self, vis_name):
        self._sis_vis_name = vis_name
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
        set_variable = self._sis_environment.set_verbatim if verbatim else self._sis_environment.set
        set_variable(key, value)
        return self

    def set_attrs(self, attrs):
        """Set attributes, as in ``self.set_attrs(locals())``; those that the job or its class has stay as they are."""
        for key, value in attrs.items():
            if value is self or key == "__class__":  # locals() has them too
                continue
            if not hasattr(self, key):
                setattr(self, key, value)
            elif getattr(self, key) is not value:
                logging.warning("%s has an attribute %s already, it is not set to %r", self, key, value)
        return self

    def set_default(self, name, value):
        if getattr(self, name) is None:
            setattr(self, name, value)
