"""Runs of the manager: what it starts, what it refuses, how it ends."""

import ast
import os
import shlex
import sys
import time

import pytest
from patience import PATIENCE, wait_until


def test_without_run_flag_nothing_is_started(folder):
    status, output = folder.sis("manager", "config.chain(3)")
    assert status == 1
    assert "would start kinds/Trivial" in output and "1 runnable, 2 waiting" in output
    assert not list((folder / "work").rglob("job.save"))


def test_chain_and_second_run(folder):
    status, output = folder.sis("manager", "-r", "config.chain(4)")
    assert status == 0 and output.count(" finished  ") == 4, output
    assert (folder / "output" / "chain").read_text() == "3\n"
    status, output = folder.sis("manager", "-r", "config.chain(4)")
    assert status == 0 and " started " not in output
    assert not (folder / "work" / ".manager.lock").exists()


def test_arguments_of_a_config_may_have_their_names(folder):
    status, output = folder.sis("manager", "config.chain(n=2)")
    assert status == 1 and "1 runnable, 1 waiting" in output


def test_output_that_was_deleted_is_noticed(folder):
    folder.sis("manager", "-r", "config.chain(1)")
    (folder / "output" / "chain").resolve().unlink()
    status, output = folder.sis("manager", "-r", "config.chain(1)")
    assert status == 1 and "does not exist although its job is finished" in output
    assert folder.sis("rerun", "--force", "Trivial")[0] == 0
    assert folder.sis("manager", "-r", "config.chain(1)")[0] == 0


@pytest.mark.parametrize(
    ("how", "message"),
    [("raise", "utterance 17 is broken"), ("segfault", "SIGSEGV"), ("exit", "exit status 3")],
)
def test_failed_job(folder, how, message):
    status, output = folder.sis("manager", "-r", f"config.fails({how!r})")
    assert status == 1
    assert message in output and "made in  config/__init__.py" in output
    assert (folder / "output" / "other").exists(), "jobs that do not depend on the failed one still run"
    failed = folder.job("Fails")
    assert (folder / "failures").read_text().split()[0] == f"kinds/{failed.name}"
    (folder / "repaired").touch()
    status, output = folder.sis("manager", "-r", f"config.fails({how!r})")
    assert status == 1, "a failed job is not started again by itself"
    assert folder.sis("rerun", "--keep_work", str(failed))[0] == 0
    status, output = folder.sis("manager", "-r", f"config.fails({how!r})")
    assert status == 0 and output.count(" started ") == 2, output


def test_task_that_exits_is_interrupted_and_tried_again(folder):
    status, output = folder.sis("manager", "-r", "config.fails('sys.exit')")
    assert status == 1 and "retry error" in output
    assert len((folder.job("Fails") / "submit_log.run").read_text().splitlines()) == 4
    (folder / "repaired").touch()
    assert folder.sis("manager", "-r", "config.fails('sys.exit')")[0] == 0, "a new manager gives it another round"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("update", "KeyError: 'no such key', in update ("),
        ("tasks", "KeyError: 'no such key', in tasks ("),
        ("no tasks", "gives no task"),
        ("method", "has no method 'misspelt'"),
        ("attribute", "cannot be pickled for its worker"),
        ("mem", "mem='much' is not"),
    ],
)
def test_broken_recipe_is_an_error_of_its_job(folder, how, message):
    """The manager and the other jobs go on."""
    status, output = folder.sis("manager", "-r", f"config.broken_recipe({how!r})")
    assert status == 1 and "Traceback" not in output
    (line,) = [line for line in output.splitlines() if "FAILED" in line]
    assert "kinds/Broken." in line and message in line
    assert "made in  config/__init__.py" in output
    assert (folder / "output" / "other").read_text() == "2\n"


def test_failing_callback_and_report(folder):
    status, output = folder.sis("manager", "-r", "config.callbacks")
    assert status == 1
    assert "no_such_method" in output and "KeyError: 'misspelt'" in output
    assert "not made: <lambda>" in output and "not made: report" in output
    assert (folder / "output" / "other").read_text() == "2\n"


def test_rerun_starts_one_job_and_only_it(folder):
    config = "config.fails('raise')"
    status, output = folder.sis("manager", "-r", config)
    failed = f"kinds/{folder.job('Fails').name}"
    (advice,) = [line.split("again")[1] for line in output.splitlines() if line.startswith("    again ")]
    assert status == 1 and shlex.split(advice) == ["sis", "rerun", failed, config]
    (folder / "repaired").touch()
    status, output = folder.sis("rerun", failed, "config.chain(1)")
    assert status == 2 and "the config does not make kinds/Fails" in output
    status, output = folder.sis("rerun", failed, config)
    assert status == 0 and output.count(" started ") == 1, output
    assert (folder / "work" / failed / "finished").exists()
    assert folder.job("Trivial"), "there is only the other one: the consumer waits for the next manager"
    assert folder.sis("manager", "-r", config)[0] == 0


def test_rerun_of_a_job_that_the_config_has_seen_finished(folder):
    (folder / "config" / "c.py").write_text(
        "from kinds import Trivial\nfrom sisyphus import tk\n\n\ndef py():\n"
        "    tk.register_output('out', out := Trivial(1).out)\n    print('available:', out.available())\n"
    )
    folder.sis("manager", "-r", "config/c.py")
    status, output = folder.sis("rerun", "--force", "Trivial", "config/c.py")
    assert status == 0 and "available: True" in output and output.count(" started ") == 1, output


def test_running_manager_takes_up_a_cleared_job(folder):
    config = "config.slow_and_fails"
    process = folder.start("manager", "-r", config)
    folder.wait_for("error.run.1", size=0)
    (folder / "repaired").touch()
    status, output = folder.sis("rerun", "Fails", config)
    assert status == 0 and "The manager of this folder starts it again" in output
    folder.wait_for("Fails*/finished", size=0)
    (folder / "go").touch()
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output


@pytest.mark.parametrize("request_", [{"cpu": 99}, {"mem": "5G"}, {"gpu": 3}, {"multi_node_slots": 2}, {"cpu": "two"}])
def test_impossible_request(folder, request_):
    status, output = folder.sis("manager", "-r", f"config.asks({request_!r})")
    assert status == 1
    name = next(iter(request_))
    assert f"asks for {name}" in output and "kinds/Asks." in output
    assert (folder / "output" / "other").exists()


def test_gpus_are_given_out(folder):
    status, output = folder.sis("manager", "-r", "config.two_gpu_jobs", CUDA_VISIBLE_DEVICES="4,7")
    assert status == 0, output
    assert {(folder / "output" / name).read_text() for name in "ab"} == {"4", "7"}
    assert (folder / "output" / "c").read_text() == ""


def test_environment_of_tasks(folder):
    status, output = folder.sis("manager", "-r", "config.environment", KEPT_BY_SETTINGS="1", NOT_KEPT="1")
    assert status == 0, output
    environment = ast.literal_eval((folder / "output" / "environment").read_text())
    assert environment["PATH"].split(":")[0] == os.path.dirname(sys.executable)
    assert environment["KEPT_BY_SETTINGS"] == "1" and "NOT_KEPT" not in environment
    assert environment["MINE"] == "yes" and environment["OMP_NUM_THREADS"] == "1"


def test_missing_output_is_an_error_of_its_job(folder):
    status, output = folder.sis("manager", "-r", "config.outputs('a')")
    assert status == 1
    assert "FAILED      kinds/Outputs." in output and "did not write the declared output: number" in output
    assert not list((folder / "work").rglob("Trivial*")), "no consumer is started"


def test_optional_outputs_may_be_missing(folder):
    status, output = folder.sis("manager", "-r", "config.outputs('a', 'number')")
    assert status == 0, output


def test_arguments_are_spread_over_ids(folder):
    status, output = folder.sis("manager", "-r", "config.parallel")
    assert status == 0, output
    assert sorted((folder / "output" / "parallel").read_text().splitlines()) == sorted(
        ["(1,)", "('xy',)", "(2, 3)", "(4, 5)", "([6, 7],)"]
    )
    assert len(list(folder.job("Parallel").glob("finished.part.*"))) == 7


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("config.broken", "KeyError: 'broken config'"),
        ("config/nothere.py", "there is no module config.nothere"),
        ("config.nothing", "has no function 'nothing'"),
        ("config.chain(n)", "arguments must be literals"),
    ],
)
def test_broken_config(folder, config, message):
    status, output = folder.sis("manager", "-r", config)
    assert status == 2 and message in output


def test_missing_input_is_named(folder):
    status, output = folder.sis("manager", "-r", "config.missing_input")
    assert status == 1 and "missing input" in output and "nowhere/file" in output


def test_held_job_is_set_up_but_not_started(folder):
    status, output = folder.sis("manager", "-r", "config.held")
    assert status == 1 and "1 hold, 1 waiting" in output
    assert (folder.job("Trivial") / "job.save").exists()


def test_held_job_that_cannot_be_set_up(folder):
    """It is an error of this job; the others go on."""
    (folder / "config" / "c.py").write_text(
        "from kinds import Broken, Trivial\nfrom sisyphus import tk\n\n\ndef py():\n"
        "    tk.register_output('broken', Broken('attribute').hold().out)\n"
        "    tk.register_output('other', Trivial(2).out)\n"
    )
    status, output = folder.sis("manager", "-r", "config/c.py")
    assert status == 1 and "cannot be pickled for its worker" in output and "1 jobs failed" in output, output
    assert (folder / "output" / "other").read_text() == "2\n"


def test_job_that_cannot_be_set_up_for_a_while(folder):
    """As on a full disk: it is reported once, and tried again as long as the run goes on."""
    (folder / "config" / "c.py").write_text(
        "import os\nfrom kinds import Slow, Trivial\nfrom sisyphus import Job, tk\n\n\n"
        "def set_up(job, force=False):\n    with open('tries', 'a') as f:\n        f.write('x')\n"
        "    if not os.path.exists('room'):\n        raise OSError(28, 'No space left on device')\n"
        "    Job._sis_setup_directory(job, force)\n\n\n"
        "def py():\n    Trivial._sis_setup_directory = set_up\n"
        "    tk.register_output('t', Trivial(1).out)\n    tk.register_output('s', Slow('x').out)\n"
    )
    process = folder.start("manager", "-r", "config/c.py")
    begin, tries = time.monotonic(), folder / "tries"
    folder.wait_for("starts")
    wait_until(lambda: tries.exists() and len(tries.read_text()) >= 3)
    assert len(tries.read_text()) <= 2 + (time.monotonic() - begin)  # one in each second of WAIT_PERIOD_BETWEEN_CHECKS
    (folder / "room").touch()
    folder.wait_for("Trivial*/finished", size=0)
    (folder / "go").touch()
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    assert output.count("FAILED  ") == 1 and "OSError: [Errno 28] No space left on device" in output


@pytest.mark.parametrize("full", [True, False])
def test_own_output_that_cannot_be_written(folder, full):
    """Its disk is full, or its encoding lacks a letter: the jobs run all the same, and the exit status says so."""
    (folder / "config" / "c.py").write_text(
        "import os\nfrom kinds import Trivial\nfrom sisyphus import tk\n\n\ndef py(full):\n"
        "    if full:\n        os.dup2(os.open('/dev/full', os.O_WRONLY), 1)\n"
        "    tk.register_output('out', Trivial(1).set_vis_name('čaj').out)\n"
    )
    status, output = folder.sis("manager", "-r", f"config.c.py({full})", PYTHONIOENCODING="latin-1")
    assert status == 0 and (folder / "output" / "out").exists(), output
    assert full or "(\\u010daj)" in output


def test_config_named_by_its_file(folder):
    (folder / "config" / "one.py").write_text("from config import chain\n\n\ndef py(count=1):\n    chain(count)\n")
    (link := folder.path.parent / "link").symlink_to(folder.path)
    names = [f"{top}config/one.py" for top in ("", "./", f"{folder.path}/", f"{link}/")]
    for name in (*names, "./config/one.py(2)"):
        status, output = folder.sis("manager", name)
        assert status == 1 and f"0 of {2 if '(2)' in name else 1} jobs finished" in output, output
    status, output = folder.sis("manager", "../other/config/one.py")
    assert status == 2 and f"is not in the setup folder {folder.path}" in output


def test_work_folder_that_is_a_link_to_nowhere(folder):
    (folder / "work").symlink_to("/not/mounted/work")
    status, output = folder.sis("manager", "-r", "config.chain(1)")
    assert status == 2 and "Traceback" not in output
    assert f"the work folder {folder / 'work'}, a link to /not/mounted/work, is not there" in output


def test_work_folder_that_cannot_be_written(folder):
    (folder / "work").symlink_to("/proc/self/fdinfo")
    for command in (["manager", "-r", "config.chain(1)"], ["clean"]):
        status, output = folder.sis(*command)
        assert "Traceback" not in output
    status, output = folder.sis("manager", "-r", "config.chain(1)")
    assert status == 2 and f"cannot write {folder / 'work' / '.manager.lock'}" in output


READ_ONLY = """
import builtins, errno

def _refuse(*arguments, **options):
    raise OSError(errno.EROFS, "Read-only file system")

def _open(name, mode="r", *arguments, _open=open, **options):
    writes = set(mode) & set("wax+") and str(name).startswith(BASE_DIR)
    return _refuse() if writes else _open(name, mode, *arguments, **options)

builtins.open = _open
os.symlink = os.replace = os.rename = os.unlink = os.mkdir = os.link = os.utime = _refuse
"""


def test_finished_run_in_a_read_only_folder(folder):
    """Its outputs, aliases and reports are there; nothing has to be written."""
    (folder / "config" / "done.py").write_text(
        "from kinds import Trivial\nfrom sisyphus import tk\n\n\ndef py(number=1):\n"
        "    job = Trivial(number).add_alias('an/alias')\n"
        "    tk.register_output('out', job.out)\n"
        "    tk.register_report('report', {'path': job.out})\n"
    )
    assert folder.sis("manager", "-r", "config/done.py")[0] == 0
    settings = folder / "settings.py"
    settings.write_text(settings.read_text() + READ_ONLY)
    for arguments in (["-r"], []):
        status, output = folder.sis("manager", *arguments, "config/done.py")
        assert status == 0 and output.rstrip().endswith("All outputs are there."), output
        assert "WARNING" not in output and "ERROR" not in output and " finished  " not in output
    status, output = folder.sis("manager", "-r", "config.done.py(2)")
    assert status == 2 and ".manager.lock, which every manager does: Read-only file system" in output
    assert "Traceback" not in output


def test_aliases_outputs_and_log_that_cannot_be_written(folder):
    """Everything is computed all the same; /proc/self/cwd is a link that nobody can remove."""
    (folder / "config" / "c.py").write_text(
        "from kinds import Trivial\nfrom sisyphus import tk\n\n\ndef py():\n"
        "    tk.register_output('out', Trivial(1).add_alias('cwd').out)\n"
    )
    (folder / "alias").symlink_to("/proc/self")
    (folder / "log").symlink_to("/proc/self")
    status, output = folder.sis("manager", "-r", "config/c.py")
    assert status == 0 and "Traceback" not in output, output
    assert f"cannot make the alias {folder / 'alias' / 'cwd'}" in output
    assert "cannot write the FINISHED_LOG" in output and (folder / "output" / "out").exists()
    (folder / "output" / "out").unlink()
    (folder / "output").rmdir()
    (folder / "output").symlink_to("/proc/self")
    status, output = folder.sis("manager", "-r", "config/c.py")
    assert status == 1 and "Traceback" not in output, output
    assert "cannot make the output out" in output and "not made: out" in output


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n1 / 0", "settings.py:2: ZeroDivisionError: division by zero"),
        ("x = 1\ndef f(:", "settings.py:2: SyntaxError: invalid syntax"),
        ("def engine():\n    return LocalEngine()", "engine() of the settings failed: settings.py:2: NameError"),
        (
            "def engine():\n    from sisyphus.engine import EngineSelector\n    return EngineSelector({}, 'long')",
            "engine() of the settings failed: settings.py:3: AssertionError: default engine 'long' is not among []",
        ),
    ],
)
def test_broken_settings(folder, text, message):
    (folder / "settings.py").write_text(text)
    status, output = folder.sis("manager", "-r", "config.chain(1)")
    assert status == 2 and message in output and "Traceback" not in output, output


def test_settings_that_log(folder):
    """The lines of the command stay as they are; else its level and its format would be lost. So do their own logs."""
    own = (
        "import logging\n\nlogging.info('settings')\nlogging.getLogger().addHandler(logging.FileHandler('mine.log'))\n"
    )
    (folder / "settings.py").write_text(f"{(folder / 'settings.py').read_text()}\n{own}")
    status, output = folder.sis("manager", "config.chain(1)")
    assert status == 1 and "] INFO: Loaded config: config.chain(1)" in output, output
    status, output = folder.sis("--log_level", "40", "manager", "config.nothing")
    assert status == 2 and "] ERROR: config 'config.nothing'" in output and "INFO" not in output, output
    assert "config 'config.nothing'" in (folder / "mine.log").read_text()


def test_settings_file_that_is_missing(folder):
    warning = "SIS_GLOBAL_SETTINGS_FILE names mine.py, which is not there: correct it\n"
    for files, output in (("settings.py:mine.py", warning), ("settings.py", ""), ("", "")):
        assert folder.sis("find", "x", SIS_GLOBAL_SETTINGS_FILE=files) == (1, output)


def test_nobody_can_be_asked_without_a_terminal(folder):
    status, output = folder.sis("manager", "-r", "-i", "config.chain(1)")
    assert status == 2 and "asks before every submission" in output and not (folder / "work").exists()


def test_settings_that_are_nearly_known(folder):
    """Only those are reported; other names are free."""
    free = "REQUESTS = CORPUS_DIRS = CONFIG_DIR = START_KERNEL = LOG_TRACEBACKS = _WORK_DIRS = None"
    settings = (folder / "settings.py").read_text()
    (folder / "settings.py").write_text(f"{settings}\nJOB_AUTO_CLEANUPS = 1\nMAX_SUBMIT_RETRY = 1\n{free}\n")
    output = folder.sis("manager", "config.chain(1)")[1]
    warnings = [line.split("WARNING: ")[1] for line in output.splitlines() if "WARNING" in line]
    assert warnings == [
        "the settings have JOB_AUTO_CLEANUPS, which is none of the engine's: do you mean JOB_AUTO_CLEANUP?",
        "the settings have MAX_SUBMIT_RETRY, which is none of the engine's: do you mean MAX_SUBMIT_RETRIES?",
    ]


def test_names_below_other_names(folder):
    """``a`` is a link to a job: ``a/b`` is no place for another one, and nothing is put into the job's folder."""
    (folder / "config" / "c.py").write_text(
        "from kinds import Outputs, Trivial\nfrom sisyphus import tk\n\n\ndef py():\n"
        "    first = Outputs(['a', 'folder/x', 'number']).add_alias('a')\n"
        "    tk.register_output('out', first.folder)\n"
        "    tk.register_output('out/b', Trivial(1, [first.a]).add_alias('a/b').out)\n"
    )
    for _ in range(2):
        status, output = folder.sis("manager", "-r", "config/c.py")
        assert status == 1 and "not made: out/b" in output, output
        assert output.count("is a link into the folder of a job: use another name") >= 2
    assert not (folder.job("Outputs") / "b").is_symlink()
    assert [p.name for p in (folder / "output" / "out").iterdir()] == ["x"]


def test_async_config_that_fails(folder):
    """At once it stops the command, as any config; later the jobs go on, and the run is not complete."""
    (folder / "config" / "c.py").write_text(
        "from kinds import Trivial\nfrom sisyphus import tk\n\n\nasync def later():\n"
        "    tk.register_output('other', Trivial(2, [Trivial(3).out]).out)\n"
        "    await tk.async_run(Trivial(1).out)\n    raise KeyError('boom')\n\n\n"
        "async def at_once():\n    raise KeyError('boom')\n"
    )
    status, output = folder.sis("manager", "-r", "config.c.later")
    assert status == 1 and (folder / "output" / "other").read_text() == "2\n", output
    assert output.count("config config.c.later failed") == output.count("KeyError: 'boom'") == 1
    assert "not made: config.c.later (an async config)" in output
    assert folder.sis("clean", "--unused", "--yes", "config.c.later")[0] == 2, "it is not known what is needed"
    status, output = folder.sis("manager", "-r", "config.c.at_once")
    assert status == 2 and output.count("KeyError: 'boom'") == 1, output


def test_async_config(folder):
    status, output = folder.sis("manager", "-r", "config.waits")
    assert status == 0, output
    assert (folder / "output" / "async").read_text() == "101\n"
    assert (folder / "alias" / "made" / "later" / "finished").exists()


def test_console_script_and_shortcut(folder):
    folder.sis("manager", "-r", "config.chain(2)")
    command = "print(len(tk.find_job('Trivial')), config_files)"
    status, output = folder.sis("console", "config.chain(2)", "--script", "-c", command)
    assert status == 0 and output.splitlines()[-1] == "2 ['config.chain(2)']"
    load = ["--load", f"work/kinds/{next((folder / 'work' / 'kinds').iterdir()).name}"]
    for configs, found in (([], 0), (["config.chain(2)"], 2)):
        command = "print(len(tk.find_job('Trivial')), len(jobs))"
        status, output = folder.sis("console", *load, "--script", "-c", command, *configs)
        assert status == 0 and output.splitlines()[-1] == f"{found} 1"
    for name in ("clean_by_keep_value", "import_from_dir", "remove_job_and_descendants"):
        status, output = folder.sis("--config", "config.chain(2)", "shortcut", name)
        assert status == 2 and f"{name} needs an argument" in output
    assert folder.sis("--config", "config.chain(2)", "shortcut", "clean_jobs")[0] == 0
    assert len(list((folder / "work").rglob("finished.tar.gz"))) == 2


def test_clean_up_keeps_outputs(folder):
    """The first job is packed while the second one runs; both engines count it as finished."""
    (folder / "config" / "two.py").write_text(
        "from kinds import Slow, Trivial\nfrom sisyphus import tk\n\n\ndef py():\n"
        "    tk.register_output('t', Trivial(1).out)\n    tk.register_output('s', Slow('x').out)\n"
    )
    process = folder.start("manager", "-r", "config/two.py", TEST_CLEANUP="1")
    folder.wait_for("finished.tar.gz")
    job = folder.job("Trivial")
    (folder / "go").touch()
    assert process.communicate(timeout=PATIENCE)[0] and process.returncode == 0
    assert sorted(p.name for p in job.iterdir()) == ["finished.tar.gz", "info", "input", "output"]
    assert (folder / "output" / "t").read_text() == "1\n"
    status, output = folder.sis("manager", "-r", "config/two.py")
    assert status == 0 and " started " not in output
