"""Makes jobs of all classes of a package in ``recipe/`` with made-up arguments; writes their ids, inputs and outputs.

    python jobs.py PACKAGE VARIANTS RESULT.json

The arguments depend on nothing but the class, its signature and the number of the variant. A job that cannot be made
has the type of the exception instead.
"""

import collections.abc
import dataclasses
import enum
import importlib
import inspect
import json
import logging
import random
import signal
import sys
import types
import typing
from pathlib import Path

from imports import import_error, modules
from sisyphus import Job, tk

ENDLESS = 2  # processor seconds that no job needs to be made
PATH_WORDS = "path file dir corpus lexicon checkpoint exe root model segment vocab image text hdf allophone".split()
ATOMS = {
    int: lambda r: r.choice([1, 2, 10, 250]),
    float: lambda r: r.choice([0.1, 1.0, 2.5]),
    bool: lambda r: r.random() < 0.5,
    str: lambda r: r.choice(["a", "train-clean", "b c"]),
    bytes: lambda r: b"abc",
    type(None): lambda r: None,
}
LISTS = (list, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)
DICTS = (dict, collections.abc.Mapping, collections.OrderedDict)


class MadeUp:
    """Arguments for one job; ``paths``: outputs of earlier jobs, which some arguments are taken from."""

    def __init__(self, seed, paths):
        self.random = random.Random(seed)
        self.paths = paths

    def arguments(self, cls):
        """Keyword arguments; a default stays in half of the cases."""
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        try:
            types_of = typing.get_type_hints(cls.__init__)
        except Exception:  # a name that only type checkers import
            types_of = {}
        return {
            p.name: self.value(p.name, types_of.get(p.name))
            for p in parameters
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
            and (p.default is p.empty or self.random.random() < 0.5)
        }

    def value(self, name, kind, depth=0):
        if kind is None or kind in (typing.Any, object) or depth > 4:
            return self.untyped(name)
        origin, inner = typing.get_origin(kind), typing.get_args(kind)
        if origin in (typing.Union, types.UnionType):
            return self.value(name, self.random.choice(inner), depth + 1)
        if origin is typing.Literal:
            return self.random.choice(inner)
        kind = origin or kind
        if kind is tuple:
            inner = inner[:1] * 2 if Ellipsis in inner else inner
            return tuple(self.value(name, one, depth + 1) for one in inner)
        if kind in LISTS or kind in (set, frozenset):
            values = [
                self.value(name, inner[0] if inner else None, depth + 1) for _ in range(self.random.randint(0, 2))
            ]
            return values if kind in LISTS else kind(values)
        if kind in DICTS:
            key, value = inner or (str, None)
            return {self.value(name, key, depth + 1): self.value(name, value, depth + 1) for _ in range(2)}
        if kind is collections.abc.Callable:
            return sorted
        return self.object(name, kind, depth)

    def object(self, name, kind, depth):
        if kind in ATOMS:
            return ATOMS[kind](self.random)
        if not isinstance(kind, type):
            return self.untyped(name)
        if issubclass(kind, tk.AbstractPath):
            return self.path(name)
        if issubclass(kind, enum.Enum):
            return self.random.choice(list(kind))
        if kind.__name__ == "CommonRasrParameters":
            return self.rasr_parameters(kind)
        if dataclasses.is_dataclass(kind):
            hints = typing.get_type_hints(kind)
            return kind(**{f.name: self.value(f.name, hints[f.name], depth + 1) for f in dataclasses.fields(kind)})
        return kind(**self.arguments(kind))

    def path(self, name):
        if self.paths and self.random.random() < 0.5:
            return self.random.choice(self.paths)
        return tk.Path(f"data/{name}.{self.random.randint(0, 3)}", hash_overwrite=self.random.choice([None, name]))

    def untyped(self, name):
        if name == "crp":
            return self.rasr_parameters(importlib.import_module("i6_core.rasr").CommonRasrParameters)
        if name.endswith("returnn_config"):
            return importlib.import_module("i6_core.returnn").ReturnnConfig({"a": 1, "path": self.path(name)})
        if name.endswith("_config"):
            return importlib.import_module("i6_core.rasr").RasrConfig("prolog", "epilog")
        if any(word in name for word in PATH_WORDS):
            return self.random.choice([self.path, lambda name: [self.path(name)]])(name)
        kinds = [*ATOMS.values(), lambda r: ["a", 1], lambda r: {"a": self.path(name)}]
        return self.random.choice(kinds)(self.random)

    def rasr_parameters(self, kind):
        rasr = importlib.import_module("i6_core.rasr")
        parameters = kind()
        rasr.crp_add_default_output(parameters)
        for config in ("corpus_config", "lexicon_config", "acoustic_model_config", "language_model_config"):
            setattr(parameters, config, rasr.RasrConfig())
            parameters[config].file = self.path(config)
        parameters.segment_path, parameters.concurrent = self.path("segments"), self.random.randint(1, 3)
        return parameters


def job_classes(package):
    for module in modules(package):
        if not import_error(module):
            for name, cls in sorted(vars(importlib.import_module(module)).items()):
                if isinstance(cls, type) and issubclass(cls, Job) and cls.__module__ == module:
                    yield f"{module}.{name}", cls


def make(cls, made_up):
    signal.setitimer(signal.ITIMER_VIRTUAL, ENDLESS)
    try:
        job = cls(**made_up.arguments(cls))
        outputs = sorted(job._sis_outputs.values(), key=lambda path: path.get_path())
        inputs = sorted(path.get_path() for path in job._sis_inputs)
    except Exception as e:
        return type(e).__name__
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    made_up.paths += outputs
    return [job._sis_id(), inputs, [[path.get_path(), type(path).__name__] for path in outputs]]


class Endless(Exception):
    """With these arguments the job's ``__init__`` does not come to its end."""


def stop(*_):
    raise Endless


if __name__ == "__main__":
    signal.signal(signal.SIGVTALRM, stop)
    package, variants, result = sys.argv[1:]
    del sys.argv[1:]
    logging.disable()
    paths = []
    found = {
        name: [make(cls, MadeUp(f"{name} {number}", paths)) for number in range(int(variants))]
        for name, cls in job_classes(package)
    }
    Path(result).write_text(json.dumps(found))
