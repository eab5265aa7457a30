"""What a person at a terminal sees and is asked."""

import os
import pty
import re
import struct
import sys
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

import pytest

QUESTION = "exit (n)? "


class Terminal:
    """``sis`` in a terminal of 20 lines and 100 columns."""

    def __init__(self, folder, *args):
        sizes = ("LINES", "COLUMNS")  # readline leaves them in the environment of the process that loads it
        environment = {
            **{name: value for name, value in os.environ.items() if name not in sizes},
            "SIS_GLOBAL_SETTINGS_FILE": "settings.py",
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "TERM": "xterm",
        }
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            ioctl(0, TIOCSWINSZ, struct.pack("HHHH", 20, 100, 0, 0))
            os.chdir(folder.path)
            os.execve(sys.executable, [sys.executable, "-m", "sisyphus", *args], environment)
        self.text = ""

    def read_until(self, wanted):
        """Text up to and with ``wanted``."""
        begin = len(self.text)
        while wanted not in self.text[begin:]:
            part = os.read(self.handle, 4096).decode()
            assert part, self.text
            self.text += part
        return self.text[begin:]

    def answer(self, line):
        os.write(self.handle, f"{line}\n".encode())

    def end(self):
        """Exit status and everything that was printed."""
        while True:
            try:
                part = os.read(self.handle, 4096)
            except OSError:
                break
            if not part:
                break
            self.text += part.decode()
        os.close(self.handle)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]), self.text


@pytest.fixture
def terminal(folder):
    return lambda *args: Terminal(folder, *args)


def screen(text):
    """The lines that stay on the screen: moves up by n lines and clears to the end are carried out."""
    lines = []
    for part in re.split(r"(\x1b\[\d+A\x1b\[J)", text):
        if move := re.fullmatch(r"\x1b\[(\d+)A\x1b\[J", part):
            del lines[-int(move[1]) :]
        else:
            lines += part.replace("\r", "").splitlines()
    return [re.sub(r"\x1b\[\d*m", "", line) for line in lines]


def test_plan_and_questions(folder, terminal):
    sis = terminal("manager", "config.chain(2)")
    plan = sis.read_until(QUESTION)
    assert "Trivial  1 runnable, 1 waiting" in plan and plan.count("would start kinds/Trivial.") == 1
    sis.answer("v")
    assert re.search(r"waiting: kinds/Trivial\S+ <target: chain>", sis.read_until(QUESTION))
    assert not list((folder / "work").rglob("job.save"))
    sis.answer("s")
    sis.read_until(QUESTION)
    assert len(list((folder / "work").rglob("job.save"))) == 1 and not list((folder / "work").rglob("log.*"))
    sis.answer("n")
    assert sis.end()[0] == 1
    sis = terminal("manager", "config.chain(2)")
    sis.read_until(QUESTION)
    sis.answer("y")
    assert sis.end()[0] == 0
    assert terminal("manager", "config.chain(2)").end()[0] == 0, "nothing is asked if nothing is left to do"


def test_failed_jobs_are_cleared_on_request(folder, terminal):
    folder.sis("manager", "-r", "config.fails('raise')")
    (folder / "repaired").touch()
    sis = terminal("manager", "config.fails('raise')")
    sis.read_until("Clear 1 jobs in error state? [y/N] ")
    sis.answer("y")
    sis.read_until(QUESTION)
    sis.answer("y")
    status, output = sis.end()
    assert status == 0 and "cleared" in output


def test_table_with_progress_stays_at_the_bottom(folder, terminal):
    sis = terminal("manager", "-r", "config.slow_and_fails")
    sis.read_until("FAILED")
    sis.read_until("epoch 3 of 7 [25%]")
    folder.wait_for("starts")
    (folder / "go").touch()
    status, output = sis.end()
    lines = screen(output)
    assert status == 1
    assert "    | ValueError: utterance 17 is broken" in lines and any("made in  config/" in line for line in lines)
    assert any(re.match(r"\[.*\] started     kinds/Slow", line) for line in lines)
    assert lines.count("  Fails  1 error") == 1 and lines.count("  Slow   1 finished") == 1, "one table is left"
    assert lines.index("1 of 2 jobs finished, 1 error") > lines.index("  Slow   1 finished")
    assert not any("epoch 3" in line for line in lines)


def test_table_is_cut_to_the_terminal(folder, terminal):
    """A line that wraps or scrolls out could not be redrawn."""
    (folder / "config" / "many.py").write_text(
        "import kinds\nfrom sisyphus import tk\n\n\ndef py():\n    for i in range(30):\n"
        "        kind = type(f'Kind{i:02d}' + 'x' * 120, (kinds.Trivial,), {})\n"
        "        kind.__module__ = 'kinds'\n        setattr(kinds, kind.__name__, kind)\n"
        "        tk.register_output(str(i), kind(i).hold().out)\n"
    )
    status, output = terminal("manager", "-r", "config/many.py").end()
    table = [line for line in screen(output) if line.startswith("  Kind")]
    assert status == 1 and len(table) == 16 and {len(line) for line in table} == {99}
    assert any("... 14 more lines" in line for line in screen(output))
    assert "0 of 30 jobs finished, 30 hold" in screen(output)


def test_removals_ask(folder, terminal):
    folder.sis("manager", "-r", "config.chain(2)")
    for answer, status, left in (("n", 1, 2), ("y", 0, 0)):
        sis = terminal("remove", "Trivial*")
        listing = sis.read_until("Remove 2 job folders? (y/N) ")
        assert listing.count("kinds/Trivial.") == 2 and " KB " in listing
        sis.answer(answer)
        assert sis.end()[0] == status and len(list((folder / "work").rglob("finished"))) == left
    assert terminal("clean", "--cleared").end() == (0, "nothing to do\r\n")


HOSTILE = """
class Mine(Job):
    def __init__(self):
        self.out = self.output_path("out")

    def run(self):
        while not os.path.exists(os.path.join(gs.BASE_DIR, "go")):
            time.sleep(0.05)
        print("\\x1b[31mred\\x1b[0m \\x1b]0;a title\\x07 \\x9b2J", flush=True)
        raise ValueError("\\x1b[2Jgone")

    def info(self):
        return "two\\nlines \\x1b[2J"
"""


def test_logs_and_recipes_do_not_command_the_terminal(folder, terminal):
    (folder / "recipe" / "mine.py").write_text("import os, time\nfrom sisyphus import *\n" + HOSTILE)
    (folder / "config" / "mine.py").write_text(
        "from mine import Mine\nfrom sisyphus import tk\n\n\ndef py():\n    tk.register_output('mine', Mine().out)\n"
    )
    settings = folder / "settings.py"
    settings.write_text(settings.read_text() + "RETRY_RULES = [{'pattern': 'gone'}]\n")
    sis = terminal("manager", "-r", "config/mine.py")
    sis.read_until("two lines \\x1b[2J")
    (folder / "go").touch()
    status, output = sis.end()
    shown = [output, *(folder.sis(*command)[1] for command in (["info", "Mine"], ["info", "Mine", "config/mine.py"]))]
    assert status == 1
    for text in shown:
        assert "| red \\x1b]0;a title\\x07 \\x9b2J" in text and "ValueError: \\x1b[2Jgone" in text
        assert not re.search(r"\x1b\[2J|\x1b\]|\x07|\x9b", text)
    assert re.search(r"retry 1 of 1, because of: .*\\x1b\[2Jgone", output)
