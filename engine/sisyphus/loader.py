"""Finds recipe and config modules, and runs the functions that build the graph."""

import ast
import gc
import importlib
import importlib.machinery
import logging
import os
import sys
import time

from . import global_settings as gs
from .base import role
from .base.refusal import ConfigError


class RecipeFinder:
    """Import finder for ``gs.IMPORT_PATHS``.

    ``"recipe"`` makes that one package importable; ``"recipe/"`` makes everything inside the folder importable.
    Relative entries are relative to the setup folder. It comes last, so that ``sys.path`` wins.
    """

    @staticmethod
    def find_spec(fullname, path=None, target=None):
        if path is not None:
            return None  # a sub-module: its package knows where it lies
        for entry in gs.IMPORT_PATHS:
            folder = os.path.join(gs.BASE_DIR, entry)
            if entry.endswith("/"):
                spec = importlib.machinery.PathFinder.find_spec(fullname, [folder.rstrip("/")])
            elif os.path.basename(folder) == fullname:
                spec = importlib.machinery.PathFinder.find_spec(fullname, [os.path.dirname(folder)])
            else:
                continue
            if spec is not None:
                return spec
        return None

    @staticmethod
    def invalidate_caches():
        importlib.machinery.PathFinder.invalidate_caches()


def install_finder():
    if RecipeFinder not in sys.meta_path:
        sys.meta_path.append(RecipeFinder)


def parse_config_name(name):
    """``config/a.py``, ``config.sub.fn`` or ``config.sub.fn(3, name='x')``.

    Returns the names of module and function, and the arguments: a list, and a dict of those with a name.
    """
    call, _, arguments = name.partition("(")
    try:
        positional, named = literal_arguments(arguments.rstrip().removesuffix(")"))
    except (ValueError, SyntaxError) as e:
        raise ConfigError(f"config {name!r}: arguments must be literals ({e})") from None
    if call.startswith(("./", "../", "/")):  # ./config/a.py, /setup/config/a.py
        full = os.path.join(gs.BASE_DIR, call)
        call = os.path.relpath(full, gs.BASE_DIR)
        if call.startswith(".."):  # it may lead through a link to the setup folder
            call = os.path.relpath(os.path.realpath(full), os.path.realpath(gs.BASE_DIR))
        if call.startswith(".."):
            raise ConfigError(f"config {name!r} is not in the setup folder {gs.BASE_DIR}")
    for entry in gs.IMPORT_PATHS:
        if entry.endswith("/") and call.startswith(entry):
            call = call[len(entry) :]
            break
    module, _, function = call.replace("/", ".").rpartition(".")
    if not module:
        raise ConfigError(f"config {name!r} should look like config/name.py or config.module.function")
    return module, function, positional, named


def literal_arguments(text):
    """``3, name='x'`` -> ``([3], {'name': 'x'})``."""
    call = ast.parse(f"function({text})", mode="eval").body
    positional = [ast.literal_eval(argument) for argument in call.args]
    return positional, {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}


class ConfigManager:
    """Loads configs; async ones are kept and continued in every manager cycle."""

    def __init__(self):
        self.loaded = []
        self.current_config = None
        self._async = None

    def load_configs(self, names=()):
        """Load the named configs (one name or several), ``config.py`` or ``config.main`` if none is named."""
        if not names:
            default = gs.CONFIG_FILE_DEFAULT
            exists = os.path.isfile(os.path.join(gs.BASE_DIR, default))
            names = default if exists else gs.CONFIG_FUNCTION_DEFAULT
        gc.set_threshold(100_000, 20, 100)  # jobs stay, and searching them for garbage would take half of the time
        for name in [names] if isinstance(names, str) else names:
            begin = time.monotonic()
            self.load_config_file(name)
            logging.info("Loaded config: %s (%.2f s)", name, time.monotonic() - begin)

    def load_config_file(self, name):
        """Import the module of one config and call its function, if there is one."""
        with role.loading():
            self._load(name)

    def _load(self, name):
        module_name, function_name, positional, named = parse_config_name(name)
        self.current_config = name
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError as e:
            if e.name and (module_name == e.name or module_name.startswith(e.name + ".")):
                file = os.path.join(gs.BASE_DIR, module_name.replace(".", "/")) + ".py"
                why = f"looked for {file}"
                if os.path.exists(file):
                    why = f"{file} is in none of the IMPORT_PATHS {gs.IMPORT_PATHS}: run sis in the setup folder"
                raise ConfigError(f"config {name!r}: there is no module {module_name} ({why})") from e
            raise
        function = getattr(module, function_name, None)
        if function is not None:
            result = function(*positional, **named)
            if hasattr(result, "__await__"):
                self.add_coroutine(name, result)
        elif function_name != "py":
            raise ConfigError(f"config {name!r}: module {module_name} has no function {function_name!r}")
        elif gs.WARNING_NO_FUNCTION_CALLED:
            logging.warning("config %s has no function py(): it was only imported", name)
        self.loaded.append(name)

    def add_coroutine(self, name, coroutine):
        from .async_workflow import AsyncConfigs

        if self._async is None:
            self._async = AsyncConfigs()
        self._async.add(name, coroutine)

    def continue_configs(self):
        """Run async configs as far as their jobs allow; returns whether any of them went on."""
        if not self._async:
            return False
        with role.loading():
            return self._async.advance()

    def waiting_configs(self):
        """Names of async configs that wait for jobs."""
        return self._async.waiting() if self._async else []


config_manager = ConfigManager()
