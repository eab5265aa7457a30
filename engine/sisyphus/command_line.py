"""Arguments of ``sis`` and what each sub-command does."""

import argparse
import logging
import signal
import sys

from . import global_settings as gs
from . import toolkit

EXIT_USAGE = 2

_SHORTCUTS = {
    "clean_unused": "tk.cleaner.cleanup_unused()",
    "clean_jobs": "tk.cleaner.cleanup_jobs()",
    "clean_by_keep_value": "tk.cleaner.cleanup_keep_value({0})",
    "import_from_dir": "tk.import_work_directory({args!r}, mode='symlink')",
    "remove_job_and_descendants": "tk.remove_job_and_descendants([j for a in {args!r} for j in tk.find_job(a)])",
}


def parser():
    p = argparse.ArgumentParser(prog="sis", description="Run graphs of jobs.")
    p.add_argument("--log_level", type=int, default=logging.INFO, metavar="N", help="10 debug, 20 info, 30 warnings")
    p.add_argument("--config", action="append", default=[], dest="config_files", metavar="CONFIG", help="also load it")
    sub = p.add_subparsers(required=True, metavar="COMMAND")
    _add_manager(sub)
    _add_worker(sub)
    _add_console(sub)

    r = sub.add_parser("rerun", help="clear one failed job and run it again, and only it")
    r.add_argument("job", metavar="JOB", help="job folder, alias, id, or a part or shell pattern of one of them")
    r.add_argument(
        "configs",
        nargs="*",
        metavar="CONFIG",
        help="run the job now, alone; without CONFIG, or if a manager runs, the manager does",
    )
    r.add_argument("--force", action="store_true", help="also a job that is finished")
    r.add_argument("--keep_work", action="store_true", help="keep partial results: only clear errors and logs")
    r.set_defaults(func=rerun)

    s = sub.add_parser("shortcut", aliases=["s"], help="run a common console command")
    s.add_argument("name", choices=sorted(_SHORTCUTS))
    s.add_argument("args", nargs="*")
    s.set_defaults(func=shortcut, configs=[])
    return p


def _add_manager(sub):
    m = sub.add_parser("manager", aliases=["m"], help="run all jobs that the outputs of a config need")
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
    m.add_argument("-i", "--interactive", action="store_true", help="ask before every submission")
    m.add_argument("--http", metavar="[HOST:]PORT", help="serve a status page; without HOST only to this machine")
    m.set_defaults(func=manager)


def _add_worker(sub):
    w = sub.add_parser("worker", help="run one task of a job that is set up")
    w.add_argument("jobdir", metavar="JOBDIR", help="relative to the setup folder")
    w.add_argument("task_name", metavar="TASK")
    w.add_argument("task_id", metavar="ID", type=int, nargs="?", help="without it the engine knows")
    w.add_argument("--engine", metavar="NAME", help="which one of an EngineSelector")
    w.add_argument("--redirect_output", action="store_true", help="write into the log of the task")
    w.add_argument("--force_resume", action="store_true", help=argparse.SUPPRESS)
    w.set_defaults(func=worker)


def _add_console(sub):
    c = sub.add_parser("console", aliases=["c"], help="IPython with tk and the loaded graph")
    c.add_argument("configs", nargs="*", metavar="CONFIG")
    c.add_argument("--load", action="append", default=[], metavar="JOBDIR", help="load a stored job into `jobs`")
    c.add_argument("--skip_config", action="store_true", help="load no config, not even the default one")
    c.add_argument("-c", action="append", default=[], dest="commands", metavar="COMMAND", help="Python to run first")
    c.add_argument("-s", "--script", action="store_true", help="run the commands and exit")
    c.set_defaults(func=console)


def worker(args):
    from .worker import worker as run_worker

    return run_worker(args.jobdir, args.task_name, args.task_id, args.engine, args.redirect_output)


def _load(names):
    """Load configs; False after an error has been shown."""
    from .loader import ConfigError, config_manager

    try:
        config_manager.load_configs(names)
        return True
    except ConfigError as e:
        logging.error("%s", e)
    except Exception:
        logging.exception("config %s failed", config_manager.current_config)
    return False


def _become_manager():
    toolkit.set_role("manager")
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def manager(args):
    """Run, or show the plan and ask. Exit status: 0 all outputs exist, 1 not, 2 cannot start, 130 stopped."""
    from .lock import WorkFolderLocked
    from .manager import EXIT_INTERRUPT, Manager
    from .web import AddressError

    _become_manager()
    try:
        page = _status_server(args.http)
        if not _load(args.config_files + args.configs):
            return EXIT_USAGE
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
        m = Manager(
            clear_errors=args.clear_errors_once,
            clear_interrupted=args.clear_interrupts_once or not args.ignore_once,
            ask=input if args.interactive and terminal else None,
        )
        if page:
            page.show(m)
        return m.run() if args.run else _plan_and_ask(m, args, terminal)
    except (WorkFolderLocked, AddressError) as e:
        logging.error("%s", e)
        return EXIT_USAGE
    except (KeyboardInterrupt, EOFError):
        return EXIT_INTERRUPT


def _status_server(address):
    """The server of ``--http``; None without it, and then Flask is not loaded."""
    if address is None:
        return None
    from .web.server import StatusServer

    return StatusServer(address)


def _plan_and_ask(m, args, terminal):
    from . import global_constants as gc
    from .manager import EXIT_DONE, EXIT_INCOMPLETE

    if m.plan():
        return m.run()  # nothing to compute: brings outputs, reports and aliases up to date
    if not terminal:
        print("Not started: use -r to start without asking.")
        return EXIT_INCOMPLETE
    failed = m.view.in_state(gc.STATE_ERROR)
    if failed and not args.clear_errors_once and not args.ignore_once:
        m.clear_errors = input(f"Clear {len(failed)} jobs in error state? [y/N] ").lower() == "y"
    while True:
        question = "Start manager (y), print verbose overview (v), update aliases and outputs (u), "
        answer = input(question + "setup runnable jobs (s), or exit (n)? ").lower()
        if answer == "y":
            return m.run()
        if answer == "v":
            m.reporter.verbose(m.view)
        elif answer == "u":
            m.update_links()
            m.update_targets()
        elif answer == "s":
            m.set_up_runnable()
        elif answer == "n":
            return EXIT_DONE if not m.open_targets() else EXIT_INCOMPLETE


def console(args):
    if not args.skip_config and not args.load and not _load(args.config_files + args.configs):
        return EXIT_USAGE
    names = {"tk": toolkit, "gs": gs, "jobs": [toolkit.load_job(path) for path in args.load]}
    for command in args.commands:
        exec(command, names)
    if args.script:
        return 0
    try:
        from IPython import start_ipython
    except ImportError:
        import code

        code.interact("sisyphus console: tk, gs, jobs", local=names)
        return 0
    start_ipython(argv=["--no-banner"], user_ns=names)
    return 0


def rerun(args):
    """Clear one job and, if configs are given, run it. Exit status as of `manager`."""
    from .loader import ConfigManager
    from .lock import WorkFolderLocked
    from .manager import Manager
    from .rerun import RerunError, clear, find_one, graph_of

    configs = args.config_files + args.configs
    try:
        folder = find_one(args.job, args.force)
        if configs:
            _become_manager()
            if not _load(configs):
                return EXIT_USAGE
            alone = graph_of(folder)
        print(f"{folder}: {clear(folder, args.keep_work)}")
        if configs:
            return Manager(alone, ConfigManager()).run()
    except WorkFolderLocked:
        print(f"The manager of this folder starts it again, in {gs.WAIT_PERIOD_BETWEEN_CHECKS} s at the latest.")
        return 0
    except RerunError as e:
        logging.error("%s", e)
        return EXIT_USAGE
    print("The next `sis manager -r CONFIG` starts it again, if an output or an unfinished job needs it.")
    return 0


def shortcut(args):
    try:
        args.commands = [_SHORTCUTS[args.name].format(*args.args, args=args.args)]
    except IndexError:
        logging.error("sis shortcut %s needs an argument", args.name)
        return EXIT_USAGE
    args.script, args.skip_config, args.load = True, args.name == "import_from_dir" and not args.config_files, []
    return console(args)
