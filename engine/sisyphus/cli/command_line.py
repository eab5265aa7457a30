"""Arguments of ``sis``."""

import argparse
import logging

from .. import global_constants as gc
from . import commands

_MANAGER_END = """
Without -r the plan is shown and a question asked; without a terminal it is only shown.
Exit status: 0 all outputs exist and no job failed, 1 not all, 2 could not start, 130 stopped by Ctrl-C or SIGTERM.
"""
_JOB = "job folder or a file in it, alias, id, output name, or a part or shell pattern of one of them"


def parser(command=None):
    """Of all commands; of a worker's options alone if that is the ``command``, because one starts for every task."""
    p = argparse.ArgumentParser(
        prog="sis", description="Run graphs of jobs, in the folder with settings.py, config/ and recipe/."
    )
    p.add_argument("--log_level", type=int, default=logging.INFO, metavar="N", help="10 debug, 20 info, 30 warnings")
    p.add_argument("--config", action="append", default=[], dest="config_files", metavar="CONFIG", help="also load it")
    sub = p.add_subparsers(required=True, metavar="COMMAND")
    others = (_add_manager, _add_rerun, _add_find_and_info, _add_timeline, _add_remove, _add_clean, _add_console)
    for add in (*(() if command == gc.CMD_WORKER else others), _add_worker):
        add(sub)
    return p


def _command(sub, name, func, end=None, **options):
    """A sub-command; its one line in the list of commands heads its own help too."""
    options = {"description": options["help"][:1].upper() + options["help"][1:] + ".", **options}
    p = sub.add_parser(name, epilog=end, formatter_class=argparse.RawDescriptionHelpFormatter, **options)
    p.set_defaults(func=func)
    return p


def _job_command(name):
    """The function of ``sis <name>``. Its module is loaded when the command runs: a worker needs none of it."""

    def run(args):
        from . import job_commands

        return getattr(job_commands, name)(args)

    return run


def _add_manager(sub):
    m = _command(
        sub,
        "manager",
        commands.manager,
        _MANAGER_END,
        aliases=["m"],
        help="run all jobs that the outputs of a config need",
    )
    m.add_argument("configs", nargs="*", metavar="CONFIG", help="config/name.py or config.module.function(arguments)")
    m.add_argument("-r", "--run", action="store_true", help="start without asking")
    m.add_argument("-co", "--clear_errors_once", action="store_true", help="first move failed jobs aside")
    m.add_argument(
        "-cio",
        "--clear_interrupts_once",
        action="store_true",
        help="the same for interrupted jobs that cannot resume: done anyway, unless -io",
    )
    m.add_argument(
        "-io", "--ignore_once", action="store_true", help="leave failed and interrupted jobs as they are, do not ask"
    )
    m.add_argument("-i", "--interactive", action="store_true", help="ask before every submission, at a terminal")
    m.add_argument("--http", metavar="[HOST:]PORT", help="serve a status page; without HOST only to this machine")


def _add_rerun(sub):
    end = "Exit status: as of manager; without CONFIG 0 if the job was cleared, 2 if not."
    r = _command(sub, "rerun", commands.rerun, end, help="clear one failed job and run it again, and only it")
    r.add_argument("job", metavar="JOB", help=_JOB)
    r.add_argument(
        "configs",
        nargs="*",
        metavar="CONFIG",
        help="run the job now, alone; without CONFIG, or if a manager runs, the manager does",
    )
    r.add_argument("--force", action="store_true", help="also a job that is finished")
    r.add_argument("--keep_work", action="store_true", help="keep partial results: only clear errors and logs")


def _add_find_and_info(sub):
    configs = {"nargs": "*", "metavar": "CONFIG", "help": "look at the jobs of these configs; else at all job folders"}
    end = "Exit status: 0 found, 1 nothing found, 2 a config that cannot be loaded."
    f = _command(sub, "find", _job_command("find"), end, help="list jobs with their states and names")
    f.add_argument("pattern", metavar="PATTERN", help=_JOB)
    f.add_argument("configs", **configs)

    end = "Exit status: 0, or 2 if not exactly one job matches or a config cannot be loaded."
    i = _command(
        sub,
        "info",
        _job_command("info"),
        end,
        help="show one job: why it failed, where it was made, inputs, users, tasks, resources, outputs, log",
    )
    i.add_argument("job", metavar="JOB", help=_JOB)
    i.add_argument("configs", **configs)
    i.add_argument("-n", "--lines", type=int, default=20, metavar="N", help="last lines of the log (default: 20)")


def _add_timeline(sub):
    end = "Exit status: 0 written, 1 nothing has run, 2 an error."
    t = _command(sub, "timeline", _job_command("timeline"), end, help="draw which job ran when, as a file in SVG")
    t.add_argument("file", metavar="FILE", help="the picture, such as timeline.svg")
    t.add_argument("configs", nargs="*", metavar="CONFIG", help="only jobs of these configs; else all job folders")


_REMOVES_END = """
Lists what would go with its size, then asks; without a terminal and without --yes nothing goes. What runs or is
queued is never touched, and no manager may run on this work folder meanwhile.
Exit status: 0 done or nothing to do, 1 not confirmed, 2 an error.
"""


def _add_remove(sub):
    r = _command(
        sub,
        "remove",
        _job_command("remove"),
        _REMOVES_END,
        help="remove the folders of jobs and of all jobs that depend on them",
    )
    r.add_argument("jobs", nargs="+", metavar="JOB", help=_JOB + "; only a shell pattern may mean several jobs")
    _add_removal_options(r)


def _add_clean(sub):
    c = _command(
        sub,
        "clean",
        _job_command("clean"),
        _REMOVES_END,
        help="pack finished jobs, or remove what is not needed any more",
        description="Pack the logs of all finished jobs into finished.tar.gz and delete their scratch folders work/,\n"
        "without asking, as a manager does by itself. With --unused, --cleared or --keep-below remove folders instead.",
    )
    c.add_argument("configs", nargs="*", metavar="CONFIG", help="for --unused and --keep-below")
    what = c.add_mutually_exclusive_group()
    what.add_argument(
        "--unused",
        action="store_true",
        help="folders of jobs that none of the CONFIGs needs: name every config whose results you want",
    )
    what.add_argument("--cleared", action="store_true", help="folders that were moved aside (.cleared.NNNN)")
    what.add_argument(
        "--keep-below",
        type=int,
        metavar="N",
        help="finished jobs of the CONFIGs with a keep value below N that no unfinished job of them needs",
    )
    _add_removal_options(c)


def _add_removal_options(p):
    p.add_argument("--yes", action="store_true", help="do not ask")
    p.add_argument("--dry-run", action="store_true", help="only list")
    p.add_argument("--move", action="store_true", help="move folders aside (.cleared.NNNN) instead of removing them")


def _add_console(sub):
    end = "Exit status: 0, 2 if a config cannot be loaded, 1 after an exception in COMMAND."
    c = _command(sub, "console", commands.console, end, aliases=["c"], help="IPython with tk and the loaded graph")
    c.add_argument("configs", nargs="*", metavar="CONFIG")
    c.add_argument("--load", action="append", default=[], metavar="JOBDIR", help="load a stored job into `jobs`")
    c.add_argument("--skip_config", action="store_true", help="load no config, not even the default one")
    c.add_argument("-c", action="append", default=[], dest="commands", metavar="COMMAND", help="Python to run first")
    c.add_argument("-s", "--script", action="store_true", help="run the commands and exit")

    s = _command(sub, "shortcut", commands.shortcut, end, aliases=["s"], help="run a common console command")
    s.add_argument("name", choices=sorted(commands.SHORTCUTS), metavar="NAME", help=", ".join(commands.SHORTCUTS))
    s.add_argument("args", nargs="*", metavar="ARGUMENT")
    s.set_defaults(configs=[])


def _add_worker(sub):
    end = "Exit status: 0 finished, 1 failed, 75 stopped from outside and without a marker."
    w = _command(sub, "worker", commands.worker, end, help="run one task of a job that is set up")
    w.add_argument("jobdir", metavar="JOBDIR", help="relative to the setup folder")
    w.add_argument("task_name", metavar="TASK")
    w.add_argument("task_id", metavar="ID", type=int, nargs="?", help="without it the engine knows")
    w.add_argument("--engine", metavar="NAME", help="which one of an EngineSelector")
    w.add_argument("--redirect_output", action="store_true", help="write into the log of the task")
    w.add_argument("--force_resume", action="store_true", help=argparse.SUPPRESS)
