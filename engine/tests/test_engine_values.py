"""Paths, variables, delayed values and commands as recipes written for upstream use them.

`tests/interchange/test_values.py` of the repository compares many more of them with upstream itself.
"""

import gzip
import pickle
import subprocess

import pytest
from sisyphus import Job, Path, tk
from sisyphus.delayed_ops import Delayed, DelayedBase, DelayedFunctionV2, DelayedSlice
from sisyphus.hash import short_hash
from sisyphus.job_path import Variable
from sisyphus.tools import cache_result


class Makes(Job):
    def __init__(self, source):
        self.out = self.output_path("out")
        self.number = self.output_var("number")

    def run(self):
        open(self.out, "w").close()
        self.number.set(1)


def renamed(path, name):
    path.hash_overwrite = name
    return path


# paths ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "stored"),
    [("ab", (None, "ab")), ("abc", (None, "abc")), ("", (None, "")), (("ab", "cd"), ("ab", "cd")), (None, None)],
)
def test_hash_overwrite_is_set_as_it_is_given(name, stored):
    """A name of two letters too, which must not be taken for a pair."""
    path = renamed(Path("a", hash_overwrite="before"), name)
    assert path.hash_overwrite == stored
    assert path._sis_hash() == Path("a", hash_overwrite=name)._sis_hash()
    assert path.copy()._sis_hash() == path._sis_hash()
    assert pickle.loads(pickle.dumps(path)).hash_overwrite == stored


def test_hash_overwrite_has_the_ids_of_upstream():
    assert [short_hash(renamed(Path("a"), name)) for name in ("ab", "abc")] == ["xJ5DhOoUVNPS", "BMMR7LZfMI1R"]


def test_hash_overwrite_that_has_no_meaning():
    for wrong in (("a", "b", "c"), ["a", "b"], 5):
        with pytest.raises(AssertionError, match=r"hash_overwrite of some/path must be a text"):
            renamed(Path("some/path"), wrong)


def test_paths_stored_by_either_engine_are_read(here):
    """Ours had the attribute itself in its state, upstream has the one behind it."""
    for name in ("hash_overwrite", "_hash_overwrite"):
        path = Path.__new__(Path)
        path.__setstate__({"path": "a", "creator": None, "cached": False, "_tags": None, name: (None, "ab")})
        assert short_hash(path) == "xJ5DhOoUVNPS" and path.users == set()


def test_tags_can_be_set(here):
    path = Path("a")
    path.tags = {"t"}
    assert path.tags == Makes(path).out.tags == {"t"}


def test_paths_of_packages():
    """An absolute path keeps its name, with and without the name of the package."""
    relative = [tk.RelPath("data", "pkg/name"), tk.RelPath("data"), tk.RelPath("data", "")]
    assert [path("/absolute").get_path() for path in relative] == ["/absolute"] * 3
    assert {short_hash(path("/absolute")) for path in relative} == {"m8u5X7dyWaGa"}
    assert [path("x").hash_overwrite for path in relative] == [(None, "pkg/name/x"), None, None]


def test_what_is_zipped_says_the_file(here, caplog):
    for name, opener in (("plain.gz", open), ("packed", gzip.open), ("packed.gz", gzip.open)):
        with opener(name, "wb") as f:
            f.write(b"one\ntwo\n")
    assert [Path(n).is_zipped() for n in ("plain.gz", "packed", "packed.gz", "absent")] == [False, True, True, None]
    assert "plain.gz is not gzip'd" in caplog.text and "packed is gzip'd" in caplog.text
    assert [Path(name).lines() for name in ("plain.gz", "packed", "packed.gz")] == [2, 2, 2]


def test_a_variable_is_no_path(here):
    number = Variable("number")
    number.set(7)
    assert [tk.is_path(value) for value in (Path("a"), number, "a")] == [True, False, False]
    assert [tk.uncached_path(value) for value in (Path("a"), number, "a")] == [str(here / "a"), "7", "a"]
    assert (Path("a").path_type, number.path_type) == ("Path", "Variable")
    assert repr(number) == "<Variable number 7>" and repr(Variable("unset")) == "<Variable unset>"


def test_needed_jobs(here):
    """What unfinished jobs still read; what lies behind finished jobs is not asked for."""
    first = Makes("first")
    second = Makes(first.out)
    last = Makes([second.out, Makes("other").out])
    assert last.out.get_needed_jobs({}) == set()
    tk.run(second.out, quiet=True)
    assert last.out.get_needed_jobs({}) == {second} == second.out.get_needed_jobs({})
    assert last.out.get_needed_jobs(visited := {last.job_id(): {first}}) == {first} and len(visited) == 1
    assert Path("a").get_needed_jobs({}) == set()


# delayed values ------------------------------------------------------------------------------------------------------
def joined(*values, separator=" "):
    return separator.join(map(str, values))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (DelayedFunctionV2(joined, ["a", Delayed(1)], {"separator": Delayed("-")}), "a-1"),
        (DelayedFunctionV2(Delayed(joined), Delayed(("a", 1)), Delayed({"separator": "+"})), "a+1"),
        (Delayed(joined)("a", Delayed(1), separator="/"), "a/1"),
        (DelayedSlice("abcd", 1, 3), "bc"),
        (DelayedSlice(Delayed("abcd"), step=2), "ac"),
        (DelayedSlice((1, 2, 3), 0, 2), (1, 2)),
    ],
)
def test_functions_and_slices(value, expected):
    assert value.get() == expected and value.is_set() and repr(value) == str(expected)


def test_ids_of_functions_and_slices():
    assert short_hash(DelayedFunctionV2(len, ([1, 2],), {})) == short_hash(Delayed(len)([1, 2])) == "8tw0V0t9qMt4"
    assert short_hash(DelayedSlice("abc", 0, 2)) == "6KCXQJmKjok5" and short_hash(DelayedBase(1, 2)) == "jAs5Zk1sSUzz"


class OfDictionary(DelayedBase):
    def __init__(self, table, key, default=None):
        super().__init__(table, key)
        self.default = default

    def get(self):
        return tk.try_get(self.a).get(tk.try_get(self.b), self.default)


def test_operations_of_recipes():
    value = OfDictionary({"k": 1}, Delayed("k"))
    assert value.get() == 1 and (value + 1).get() == 2 and repr(value) == "1"
    assert not OfDictionary({}, Variable("unset"), 3).is_set()


# commands ------------------------------------------------------------------------------------------------------------
def test_commands_are_filled_in():
    assert tk.sh("echo {name} {{x}}", capture_output=True, name="a") == "a {x}\n"
    assert tk.sh("echo {a} {b}", True, sis_replace={"a": 1, "b": 2}, b=3) == "1 3\n"
    with pytest.raises(KeyError):
        tk.sh("echo {name}")


@pytest.mark.parametrize(
    ("command", "codes", "fails"),
    [("true", (3,), False), ("exit 3", (3,), False), ("exit 4", (3,), True), ("exit 3", (0,), True)],
)
def test_exit_codes_beside_0_that_are_no_errors(command, codes, fails):
    if not fails:
        assert tk.sh(command, True, except_return_codes=codes) == ""
        return
    with pytest.raises(subprocess.CalledProcessError):
        tk.sh(command, True, except_return_codes=codes)


def test_cached_results():
    calls = []

    @cache_result(force_update="anew", clear_cache="forget")
    def call(*arguments):
        calls.append(arguments)
        return len(calls)

    assert [call(1), call(1), call(2), call(1, anew=True), call(1)] == [1, 1, 2, 3, 3]
    assert call(forget=True) is None and call(2) == 4


# blocks --------------------------------------------------------------------------------------------------------------
def test_blocks_are_entered_again(here):
    from sisyphus import block

    root = block.Block("root")
    group, unused = root.sub_block("group"), root.sub_block("unused")
    with root:
        inner = tk.sub_block("inner")
        for number in range(2):
            with inner, inner:
                job = Makes(number)
        with group, tk.block("deep") as deep:
            Makes("deep")
    assert root.children == [group, unused, inner] and unused.children == []
    assert [job._sis_kwargs["source"] for job in inner.children] == [0, 1]
    assert group.children == [deep] and deep.parents == {group} and job._sis_blocks == {inner}
    assert block.active_blocks == set()


def test_a_block_is_left_by_an_error(here):
    from sisyphus import block

    with pytest.raises(KeyError), tk.sub_block("a"):
        raise KeyError
    assert block.active_blocks == set()


def test_a_cached_block_belongs_to_all_who_call_it(here):
    @tk.block(cache=True)
    def made(number):
        return Makes(number)

    with tk.sub_block("first") as first:
        job = made(1)
    with tk.sub_block("second") as second:
        assert made(1) is job
    assert first.children == second.children == list(job._sis_blocks)
