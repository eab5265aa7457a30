"""Commands that are interrupted, shortcuts, and the console; find, info, remove and clean have files of their own."""

import signal
import subprocess
import sys

from patience import PATIENCE


def test_interrupted_commands_end_without_a_word(folder):
    (folder / "config" / "slow.py").write_text(
        "import time\n\n\ndef py():\n    print('loading', flush=True)\n    time.sleep(100_000)\n"
    )
    folder.sis("manager", "-r", "config.fails('raise')")
    for command in (["find", "x"], ["clean", "--unused"], ["rerun", "Fails"]):
        process = folder.start(*command, "config/slow.py")
        assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=PATIENCE)[0] == "" and process.returncode == 130


def test_interrupt_while_the_engine_is_loaded(folder):
    """Before a command has begun, there is nobody who catches it. A shell shows both statuses as 130."""
    (folder / "settings.py").write_text("import os, signal\n\nos.kill(os.getpid(), signal.SIGINT)\n")
    for command in (["manager", "-r", "config.chain(1)"], ["find", "x"], ["worker", "work/x", "run", "1"]):
        assert folder.sis(*command) == (-signal.SIGINT, "")


def test_interrupted_console_ends_without_a_word(folder):
    command = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
    assert folder.sis("console", "--skip_config", "-s", "-c", command) in [(-signal.SIGINT, ""), (130, "")]


def test_interrupt_is_the_business_of_who_loads_the_engine(folder):
    """Only the command changes what Ctrl-C does."""
    program = "import signal, sisyphus; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    assert subprocess.check_output([sys.executable, "-c", program], preexec_fn=with_interrupts, text=True) == "True\n"


def with_interrupts():
    """A shell starts background jobs, perhaps these tests, with Ctrl-C ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_shortcuts_of_upstream(folder):
    folder.sis("manager", "-r", "config.chain(2)")
    status, output = folder.sis("--config", "config.chain(1)", "shortcut", "clean_unused")
    assert status == 0 and "Remove 1 job folder? (y/N)" in output
    assert folder.sis("--config", "config.waits", "shortcut", "clean_unused")[0] == 2
    for name in ("clean_by_keep_value", "remove_job_and_descendants"):
        status, output = folder.sis(
            "--config", "config.chain(2)", "shortcut", name, "90" if "value" in name else "Triv"
        )
        assert status == 0 and "Remove 2 job folders? (y/N)" in output, output
    assert len(list((folder / "work").rglob("finished"))) == 2


def test_import_into_the_default_graph(folder, tmp_path):
    assert folder.sis("manager", "-r", "config.diamond")[0] == 0
    (folder / "work").rename(tmp_path / "elsewhere")
    with open(folder / "config" / "__init__.py", "a") as config:
        config.write("\n\nmain = diamond\n")
    status, output = folder.sis("shortcut", "import_from_dir", str(tmp_path / "elsewhere"))
    assert status == 0, output
    assert len([p for p in (folder / "work").rglob("*") if p.is_symlink()]) == 4


def test_a_manager_of_the_console_has_its_role(folder):
    """Only then do the rules for retries hold: to look at a job changes nothing."""
    run = ["print(tk.running_in_manager())", "tk.start_manager()", "print(tk.running_in_manager())"]
    commands = [word for one in run for word in ("-c", one)]
    status, output = folder.sis("console", "--script", *commands, "config.chain(1)")
    assert status == 0 and "False" in output.split("All outputs")[0] and "True" in output.split("All outputs")[1]
