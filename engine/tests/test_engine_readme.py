"""What engine/README.md says is so; the names that recipes import are there."""

import importlib
import os
import re
from pathlib import Path

import pytest
from sisyphus import gs

ENGINE = Path(__file__).parents[1]
README = (ENGINE / "README.md").read_text()
HOOKS = {"engine", "worker_wrapper", "on_job_failure", "on_new_failure", "on_job_finished", "update_engine_rqmt"}
HOOKS |= {"check_engine_limits", "file_caching"}


def section(title):
    return README.split(f"## {title}\n")[1].split("\n## ")[0]


def test_example(folder):
    recipe, config, *_ = re.findall(r"```python\n(.*?)```", README, re.S)
    (folder / "recipe" / "words.py").write_text(recipe)
    (folder / "config" / "count.py").write_text(config)
    (folder / "data").mkdir()
    (folder / "data" / "in.txt").write_text("three short words\n")
    status, output = folder.sis("manager", "-r", "config/count.py")
    assert status == 0, output
    assert (folder / "output" / "count").read_text() == "3\n"


def test_options_of_the_commands(folder):
    """Every command and option of the table is in the help, and the other way round."""
    told = set(re.findall(r"(?<=[\s`])--?[a-z][a-z_-]*", section("Commands")))
    helped = set()
    for command in ("manager", "rerun", "find", "info", "timeline", "remove", "clean", "console", "worker", "shortcut"):
        assert f"`sis {command}" in section("Commands")
        helped |= set(re.findall(r"(?<=[\s\[])--?[a-z][a-z_-]*", folder.sis(command, "--help", COLUMNS="200")[1]))
    long_forms = {"--run", "--clear_errors_once", "--clear_interrupts_once", "--ignore_once", "--interactive", "-s"}
    assert told == helped - long_forms - {"-h", "--help", "--engine"}


def test_settings():
    """The table has exactly the settings that the engine reads."""
    table = set(re.findall(r"`([A-Z_]{4,})`", " ".join(re.findall(r"^\| (`[A-Z].*?) \|", section("Settings"), re.M))))
    code = "".join(path.read_text() for path in (ENGINE / "sisyphus").rglob("*.py"))
    read = set(re.findall(r"gs\.([A-Z_]+)\b", code)) - {"BASE_DIR"} | {"ENGINE_NOT_SETUP_WARNING"}
    assert table == read
    assert all(hasattr(gs, name) for name in table)
    assert set(re.findall(r"^\| `([a-z_]+)\(", section("Settings"), re.M)) == HOOKS


def test_example_of_retry_rules(monkeypatch):
    from sisyphus.jobs import retry

    example = re.search(r"^RETRY_RULES = (\[.*?^\])", section("Failures"), re.M | re.S)[1]
    monkeypatch.setattr(gs, "RETRY_RULES", eval(example))
    assert len(retry.rules()) == 2
    table = section("Failures").split("| key |")[1]
    assert re.findall(r"^\| `(\w+)` \|", table, re.M) == list(retry.rules()[0])


def test_table_of_failure():
    from sisyphus.run.failures import Failure

    table = section("Failures").split("| key |")[0]
    told = set(re.findall(r"`(\w+)", " ".join(re.findall(r"^\| (`.*?) \|", table, re.M))))
    assert told - {"failure"} == set(Failure.__dataclass_fields__) | {n for n in vars(Failure) if not n.startswith("_")}


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("", "Job Task Path gs tk setup_path"),
        (
            "toolkit",
            "Path Variable Job Delayed AbstractPath gs block sub_block set_root_block find_job find_path "
            "sis_graph load_job setup_job_directory run_job submit_next_task start_manager cached_engine "
            "job_info print_graph compare_graph remove_job_and_descendants import_work_directory dump "
            "load_file zipped mktemp input_path uncached_path is_path bundle_to_str register_output "
            "register_callback register_report async_run async_gather sh running_in_worker "
            "running_in_manager reload_module reload_recipes setup_script_mode run BlockedWorkflow Object "
            "RelPath setup_path cleaner",
        ),
        (
            "delayed_ops",
            "Delayed DelayedBase DelayedAdd DelayedSub DelayedMul DelayedTrueDiv DelayedFloorDiv DelayedMod "
            "DelayedPow DelayedRound DelayedGetItem DelayedFallback DelayedFormat DelayedReplace "
            "DelayedFunction DelayedFunctionV2 DelayedSlice DelayedJoin",
        ),
        ("hash", "short_hash int_hash sis_hash_helper get_object_state md5"),
        (
            "tools",
            "sis_hash try_get extract_paths sh execute_in_dir str_to_GB str_to_hours cache_result "
            "hardlink_or_copy EnvironmentModifier",
        ),
        ("job_path", "Path AbstractPath Variable VariableNotSet NoBackup"),
        ("job", "Job created_jobs JobSingleton job_finished"),
        ("task", "Task"),
        ("engine", "EngineBase EngineSelector DeferSubmission"),
        ("localengine", "LocalEngine"),
        ("graph", "graph SISGraph OutputTarget OutputPath OutputCall OutputReport"),
        ("block", "block Block sub_block set_root_block"),
        ("async_workflow", "async_run async_gather"),
        ("loader", "config_manager RecipeFinder"),
        ("cleaner", "cleanup_keep_value cleanup_unused cleanup_jobs"),
        ("global_constants", "JOB_OUTPUT JOB_SAVE JOB_FINISHED_MARKER ENGINE_SUBMIT PLOGGING_FILE STATE_RUNNABLE"),
    ],
)
def test_public_names(module, names):
    found = importlib.import_module(os.path.join("sisyphus", module).strip("/").replace("/", "."))
    assert [name for name in names.split() if not hasattr(found, name)] == []


def test_star_import():
    names = {}
    exec("from sisyphus import *", names)
    assert set(names) - {"__builtins__"} == {"Job", "Task", "Path", "gs", "tk", "setup_path"}
