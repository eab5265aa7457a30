"""Expressions of recipes; `main` prints what each of them is in the engine that runs it."""

# ruff: noqa: F401  the expressions use these names
import gzip
import json
import pickle

from sisyphus import Job, Path, gs, tk
from sisyphus.block import Block
from sisyphus.delayed_ops import (
    Delayed,
    DelayedBase,
    DelayedFallback,
    DelayedFunctionV2,
    DelayedJoin,
    DelayedSlice,
)
from sisyphus.job_path import Variable
from sisyphus.tools import EnvironmentModifier, cache_result, extract_paths, try_get

EQUAL = """
Path("a/b")
Path("a", hash_overwrite="ab")
Path("", Makes(1))
Path("out", Makes(1), hash_overwrite="ab")
having(Path("a"), hash_overwrite="ab")
having(Path("a"), hash_overwrite="abc")
having(Path("a"), hash_overwrite="")
having(Path("a"), hash_overwrite=("ab", "cd"))
having(Path("a"), hash_overwrite=(Makes(1), "cd"))
having(Path("a", hash_overwrite="ab"), hash_overwrite=None)
having(Path("a"), hash_overwrite="ab").hash_overwrite
having(Path("a"), hash_overwrite="ab").join_right("c")
having(Path("a"), hash_overwrite=("ab", "cd")).copy_append("e").hash_overwrite
having(Path("a"), hash_overwrite=("a", "b", "c"))
having(Path("a"), hash_overwrite=["a", "b"])
having(Path("a"), hash_overwrite=5)
having(Makes(2).out, hash_overwrite="ab")
having(Makes(3).number, hash_overwrite="ab")
Makes(having(Path("a"), hash_overwrite="ab"))
pickle.loads(pickle.dumps(having(Path("a"), hash_overwrite="ab")))
pickle.loads(pickle.dumps(having(Makes(4).out, hash_overwrite=("ab", "cd"))))
having(Path("a"), tags={"t"}).tags
having(Makes(5).out, tags={"t"}).tags
having(Path("a", tags={"t"}), tags=None).tags
Makes(having(Path("tagged"), tags={"t"})).out.tags
[Path("a").path_type, number.path_type]
[Path(name).is_zipped() for name in ("plain", "plain.gz", "packed", "packed.gz", "absent.gz")]
[Path(name).lines() for name in ("plain", "plain.gz", "packed", "packed.gz")]
[Path(name).estimate_text_size() for name in ("plain", "plain.gz", "packed", "packed.gz")]
tk.RelPath("data", "package/name")("x")
tk.RelPath("data", "package/name")("x/y", hash_overwrite="z")
tk.RelPath("data", "package/name")("/absolute")
tk.RelPath("data", "")("x")
tk.RelPath("data")("/absolute")
tk.RelPath("data")("x")
[tk.is_path(value) for value in (Path("a"), number, "a", None)]
[tk.uncached_path(value) for value in ("a", number, Delayed("b"), 5)]
tk.uncached_path(Path("a")).endswith("/a")
tk.bundle_to_str(["a", number])
[number, unset, text]
Makes(6).out.get_needed_jobs({})
Path("a").get_needed_jobs({})
after_finished().out.get_needed_jobs({})
DelayedBase(1).b
DelayedBase(number, 2)
Default({"k": number}, "k", 5)
Default({"k": 1}, text, 5).is_set()
Default({"k": 1}, unset, 5).is_set()
Delayed("text")
Delayed(number)
Delayed(["text", number])
DelayedFunctionV2(joined, ["a", number], {})
DelayedFunctionV2(joined, ("a", number), {"separator": text})
DelayedFunctionV2(Delayed(joined), Delayed(["a", "b"]), Delayed({"separator": "-"}))
DelayedFunctionV2(joined, "a", "b")
DelayedFunctionV2(joined)
Delayed(joined)("a", number, separator=text)
Delayed(len)([1, 2])
number.function(joined, 2, separator="+")
DelayedSlice("abcdef", 1, 4)
DelayedSlice("abcdef", Delayed(1), number, 2)
DelayedSlice("abcdef")
DelayedSlice(text, 0, 2)
DelayedSlice((1, 2, 3), 0, 2)
DelayedSlice([number, 2, 3], 0, 2)
DelayedJoin(["a", text], "-")
Delayed("abc")[1]
Delayed("abc")[1:]
Delayed({"a": number})["a"]
Delayed("a") + "b"
"a" + Delayed("b") * 2
number - 1 + 2 * number
1 / number
number // 2 % 2
2 ** Delayed(3)
pow(number, 2, 5)
round(number / 3, 2)
round(number / 3)
Delayed("{}-{k}").format(number, k=text)
number.rformat("{:03d} {}", text)
number.rformat(fstring="{}")
Delayed("aXb").replace("X", "_")
unset.fallback(fallback=4)
number.fallback(4)
DelayedFallback(number, unset)
[str(value) for value in (text, number, Delayed("x"), Delayed([1]))]
try_get(text)
sorted(map(str, extract_paths({"a": Path("a").path_type, "b": [number, text]})))
tk.sh("echo {name} {{braces}}", True, name="x")
tk.sh("echo plain", capture_output=True)
tk.sh("echo {missing}", True)
tk.sh("exit 3")
tk.sh("exit 3", except_return_codes=(3,))
tk.sh("exit 4", except_return_codes=(3,))
tk.sh("true", except_return_codes=(3,))
tk.sh("echo x", True, except_return_codes=(1, 141))
tk.sh("false | true")
tk.sh("false | true", pipefail=False)
tk.sh("echo $unset_variable", True)
tk.sh("echo $0", True, True, "/bin/sh")
tk.sh("echo out; echo err >&2", True, include_stderr=True)
tk.sh("echo {x}", True, True, None, (0,), True, {"x": 1})
Shell("x").sh("echo {name} {other} {{}}", True, other=number)
Shell("x").sh("exit 3", except_return_codes=(0, 3))
Shell("x").sh("true", except_return_codes=(3,))
with_settings(Takes("tagged", sis_tags={"t" * 50, "u" * 50})._sis_path, JOB_USE_TAGS_IN_PATH=True)
with_settings(Takes, "in a folder", ALIAS_AND_OUTPUT_SUBDIR="folder/").add_alias("name")
Takes._sis_hash_static({"a": 1, "b": 2})
Takes(1)
Takes._sis_hash_static(Takes(1)._sis_kwargs) == Takes(1).job_id().split(".")[-1]
BadHash._sis_hash_static({})
public(SetsAll(1, hold=2, info="i"))
public(SetsBefore(1, b=[2]))
public(AutoSet([1], 2))
arguments_of(changed_later)
environments()
wrappers()
vars(environment_modifier())
blocks()
cached_calls()
"""

BETTER = {
    'DelayedJoin(["a", 1], "-")': "numbers and paths are joined as text",
    'Delayed("aXb").replace("X", text)': "all arguments may be delayed",
    "7 % number": "all operators may have the delayed value on their right",
    "unset.fallback(4).is_set()": "what falls back is set",
    "DelayedSlice([unset], 0, 1).is_set()": "all values know whether they are set",
    "Delayed(joined)(unset).is_set()": "also those behind a function",
    'tk.sh("echo x; exit 3", True, except_return_codes=(3,))': "captured output is a text for all exit codes",
    "entered_inside_itself()": "a block may be entered inside itself",
}


def having(value, **attributes):
    for name, attribute in attributes.items():
        setattr(value, name, attribute)
    return value


def joined(*values, separator=" "):
    return separator.join(map(str, values))


def public(job):
    return sorted((name, value) for name, value in vars(job).items() if not name.startswith("_"))


class Default(DelayedBase):
    def __init__(self, a, b, default=None):
        super().__init__(a, b)
        self.default = default

    def get(self):
        return try_get(self.a).get(try_get(self.b), self.default)


class Makes(Job):
    def __init__(self, source):
        self.out = self.output_path("out")
        self.number = self.output_var("number")


class Takes(Job):
    def __init__(self, a, b=2):
        pass


class BadHash(Job):
    def __init__(self):
        pass

    @classmethod
    def hash(cls, parsed_args):
        return "not fit"


class Shell(Job):
    def __init__(self, name):
        self.name = name


class SetsAll(Job):
    def __init__(self, a, hold, info, b=None):
        self.set_attrs(locals())


class SetsBefore(Job):
    def __init__(self, a, b):
        self.a = 0
        self.set_attrs(locals())
        b.append(3)


class SeesItsArguments(Job):
    def __init__(self, a, b):
        self.seen = (self.a, self.b)
        self.a.append(self.a is a)


def AutoSet(*arguments):
    return with_settings(SeesItsArguments, *arguments, AUTO_SET_JOB_INIT_ATTRIBUTES=True)


def with_settings(function, *arguments, **settings):
    before = {name: getattr(gs, name) for name in settings}
    having(gs, **settings)
    try:
        return function(*arguments)
    finally:
        having(gs, **before)


def changed_later(values):
    job = Takes(values)
    values.append(2)
    return job


def arguments_of(make):
    return make([1])._sis_kwargs


def after_finished():
    """An unfinished job after a finished one after an unfinished one."""
    middle = Makes(Makes("first").out)
    middle._sis_is_finished = True
    return Makes(Makes(middle.out).out)


def environments():
    found = []
    for number, cleanup in enumerate((True, True, False)):
        settings = {"DEFAULT_ENVIRONMENT_SET": {"MODE": number}, "DEFAULT_ENVIRONMENT_KEEP": {"HOME"}}
        job = with_settings(Takes, f"environment {number}", CLEANUP_ENVIRONMENT=cleanup, **settings)
        job.set_env("MINE", "$HOME")
        job._sis_environment.set("FLAGS", "-O2")
        found.append(sorted(vars(job._sis_environment).items()))
    return found


def environment_modifier():
    modifier = EnvironmentModifier()
    modifier.keep("A")
    modifier.keep({"B"})
    modifier.set("C", 1)
    modifier.set({"D": "$A"})
    modifier.set_verbatim("E", "$A")
    return having(modifier, keep_vars=sorted(modifier.keep_vars))


def wrappers():
    from sisyphus.task import Task

    jobs = [with_settings(Takes, name, worker_wrapper=lambda job, task, call, name=name: [name]) for name in "ab"]
    calls = []
    for job in jobs:
        task = having(Task("set_attrs"), _job=job)
        try:
            calls.append(task.get_worker_call())
        except AttributeError:  # the bundled engine's task does not know it
            from sisyphus.localengine import LocalEngine

            calls.append(LocalEngine().worker_call(task))
    return calls


def blocks():
    root = Block("root")
    group = root.sub_block("group")
    with root:
        inner = tk.sub_block("inner")
        for number in range(2):
            with inner:
                Makes(f"inner {number}")
        with group, tk.block("deep"):
            Makes("deep")
    Makes("outside")
    return tree(root)


def tree(block):
    def shown(child):
        return tree(child) if isinstance(child, Block) else child._sis_kwargs["source"]

    return block.name, [shown(child) for child in block.children]


def entered_inside_itself():
    group = Block("group")
    with group, group:
        Makes("twice inside")
    return tree(group)


def cached_calls():
    calls = []

    @cache_result(force_update="anew", clear_cache="forget")
    def call(*arguments):
        calls.append(arguments)
        return len(calls)

    return [call(1), call(1), call(2), call(1, anew=True), call(1), call(forget=True), call(2)]


def outcome(call, *arguments):
    try:
        return call(*arguments)
    except Exception:
        return "raises"


def described(expression):
    """Text, id, and text of the value that it stands for; the setup folder's name is left out."""
    value = outcome(eval, expression, globals())
    found = outcome(repr, value), outcome(gs.SIS_HASH, value), outcome(lambda: repr(try_get(value)))
    return [text.replace(gs.BASE_DIR, "<here>") for text in found]


def main():
    for name, opener in (("plain", open), ("plain.gz", open), ("packed", gzip.open), ("packed.gz", gzip.open)):
        with opener(name, "wb") as f:
            f.write(b"one\ntwo\n")
    number.set(7)
    text.set("k")
    print(json.dumps([{line: described(line) for line in lines} for lines in (EQUAL.strip().splitlines(), BETTER)]))


number, text, unset = Variable("number"), Variable("text"), Variable("unset")
