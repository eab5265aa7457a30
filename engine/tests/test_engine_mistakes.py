"""Common mistakes in recipes and configs are named with the line that makes them."""

import pytest

CONFIG = """
from kinds import Joined, Outputs, Trivial
from sisyphus import tk


def jobs_as_arguments():
    for number in (1, 2):
        first = Trivial(number)
        tk.register_output(f"a{number}", Joined(parts=[first, Trivial(9).out]).out)


def variables():
    made = Outputs([])
    Trivial(f"{made.number}")
    Trivial(made.number.get())
    Trivial(made.with_backup.get())
    Trivial(made.number + 1)
    tk.register_report("report", lambda: made.number.get(), required=None)
    tk.register_output("x", made.a)


async def later():
    made = Outputs(["a", "folder/x", "number"])
    await tk.async_run(made.number)
    print("read", made.number.get())
    tk.register_output("y", made.a)
"""


@pytest.fixture
def config(folder):
    (folder / "config" / "c.py").write_text(CONFIG)
    return lambda name: folder.sis("manager", f"config.c.{name}")[1]


def test_a_job_instead_of_its_output(config):
    output = config("jobs_as_arguments")
    warnings = [line for line in output.splitlines() if "WARNING" in line]
    assert len(warnings) == 2 and all(
        "WARNING: config/c.py:9: Joined gets the job kinds/Trivial." in w for w in warnings
    )
    assert "as its argument parts" in warnings[0] and "pass the output that it needs (out)" in warnings[0]


def test_a_variable_that_is_read_too_early(config):
    output = config("variables")
    warnings = [line for line in output.splitlines() if "WARNING" in line]
    assert [w.split("WARNING: ")[1].split(": ")[0] for w in warnings] == ["config/c.py:14", "config/c.py:15"], output
    assert all("/output/number is read before its job has set it, which gives None" in w for w in warnings)


def test_a_variable_that_is_read_in_time(folder, config):
    (folder / "settings.py").write_text((folder / "settings.py").read_text() + "CHECK_OUTPUTS = False\n")
    config("later")
    status, output = folder.sis("manager", "-r", "config.c.later")
    assert "read 1" in output and "WARNING" not in output, output


def test_wrong_arguments_name_the_class(folder):
    (folder / "config" / "w.py").write_text("from kinds import Trivial\n\n\ndef py():\n    Trivial(numbr=1)\n")
    status, output = folder.sis("manager", "config/w.py")
    assert status == 2 and "cannot construct kinds.Trivial: missing a required argument: 'number'" in output
    assert "config/w.py" in output
