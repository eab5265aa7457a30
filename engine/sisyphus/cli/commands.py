"""What ``sis manager``, ``worker``, ``console``, ``rerun`` and ``shortcut`` do, given their arguments."""

import logging
import signal
import sys

from .. import global_constants as gc
from .. import global_settings as gs
from .. import toolkit
from ..base import role
from ..base.exit_status import EXIT_DONE, EXIT_INCOMPLETE, EXIT_INTERRUPT, EXIT_USAGE
from ..base.mistakes import warn_of_settings
from ..base.refusal import ConfigError
from ..jobs import retry
from ..loader import ConfigManager, config_manager

SHORTCUTS = {
    "clean_unused": "tk.cleaner.cleanup_unused()",
    "clean_jobs": "tk.cleaner.cleanup_jobs()",
    "clean_by_keep_value": "tk.cleaner.cleanup_keep_value({0})",
    "import_from_dir": "tk.import_work_directory({args!r}, mode='symlink')",
    "remove_job_and_descendants": "tk.remove_job_and_descendants([j for a in {args!r} for j in tk.find_job(a)])",
}


def worker(args):
    from ..run.worker import worker as run_worker

    return run_worker(args.jobdir, args.task_name, args.task_id, args.engine, args.redirect_output)


def load(names):
    """Load configs; False after an error has been shown."""
    try:
        warn_of_settings()
        retry.rules()
        config_manager.load_configs(names)
        return True
    except ConfigError as e:
        logging.error("%s", e)
    except Exception:
        logging.exception("config %s failed", config_manager.current_config)
    return False


def _become_manager():
    role.set_role("manager")
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def manager(args):
    """Run, or show the plan and ask. Exit status: 0 all outputs exist, 1 not, 2 cannot start, 130 stopped."""
    from ..run.manager import Manager

    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if args.interactive and not terminal:
        logging.error("sis manager -i asks before every submission, and without a terminal nobody answers: omit -i")
        return EXIT_USAGE
    _become_manager()
    try:
        page = _status_server(args.http)
        if not load(args.config_files + args.configs):
            return EXIT_USAGE
        m = Manager(
            clear_errors=args.clear_errors_once,
            clear_interrupted=args.clear_interrupts_once or not args.ignore_once,
            ask=input if args.interactive else None,
        )
        if page:
            page.show(m)
        return m.run() if args.run else _plan_and_ask(m, args, terminal)
    except (KeyboardInterrupt, EOFError):
        return EXIT_INTERRUPT


def _status_server(address):
    """The server of ``--http``; None without it, and then Flask is not loaded."""
    if address is None:
        return None
    from ..web.server import StatusServer

    return StatusServer(address)


def _plan_and_ask(m, args, terminal):
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
            return EXIT_DONE if not m.graph.active_targets else EXIT_INCOMPLETE


def console(args):
    configs = args.config_files + args.configs
    jobs = [toolkit.load_job(path) for path in args.load]  # first, because this would change those of the graph
    if not args.skip_config and (configs or not args.load) and not load(configs):
        return EXIT_USAGE
    names = {
        "tk": toolkit,
        "gs": gs,
        "config_files": configs,
        "jobs": jobs,
    }
    for command in args.commands:
        exec(command, names)
    if args.script:
        return 0
    try:
        from IPython import start_ipython
    except ImportError:
        import code

        code.interact("sisyphus console: tk, gs, config_files, jobs", local=names)
        return 0
    start_ipython(argv=["--no-banner"], user_ns=names)
    return 0


def rerun(args):
    """Clear one job and, if configs are given, run it. Exit status as of `manager`."""
    from ..run.manager import Manager
    from ..upkeep.lock import WorkFolderLocked
    from ..upkeep.rerun import clear, find_one, graph_of

    configs = args.config_files + args.configs
    try:
        folder = find_one(args.job, args.force)
        if configs:
            _become_manager()
            if not load(configs):
                return EXIT_USAGE
            alone = graph_of(folder)
        print(f"{folder}: {clear(folder, args.keep_work)}")
        if configs:
            return Manager(alone, ConfigManager()).run()
    except WorkFolderLocked:
        print(f"The manager of this folder starts it again, in {gs.WAIT_PERIOD_BETWEEN_CHECKS} s at the latest.")
        return 0
    except OSError as e:
        logging.error("%s", e)
        return EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPT
    print("The next `sis manager -r CONFIG` starts it again, if an output or an unfinished job needs it.")
    return 0


def shortcut(args):
    if "{" in SHORTCUTS[args.name] and not args.args:
        logging.error("sis shortcut %s needs an argument", args.name)
        return EXIT_USAGE
    args.commands = [SHORTCUTS[args.name].format(*args.args, args=args.args)]
    args.script, args.skip_config, args.load = True, False, []
    return console(args)
