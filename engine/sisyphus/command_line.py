"""Arguments of ``sis`` and what each sub-command does."""

import argparse
import logging
import sys

from . import global_settings as gs
from . import toolkit


def parser():
    p = argparse.ArgumentParser(prog="sis", description="Run graphs of jobs.")
    p.add_argument("--log_level", type=int, default=logging.INFO, metavar="N", help="10 debug, 20 info, 30 warnings")
    p.add_argument("--config", action="append", default=[], dest="config_files", metavar="FILE")
    sub = p.add_subparsers(required=True, metavar="COMMAND")

    m = sub.add_parser("manager", aliases=["m"], help="run all jobs that the outputs of a config need")
    m.add_argument("configs", nargs="*", metavar="CONFIG", help="config/name.py or config.module.function(arguments)")
    m.add_argument("-r", "--run", action="store_true", help="start without asking")
    m.add_argument("-co", "--clear_errors_once", action="store_true", help="first move failed jobs aside")
    m.add_argument("-cio", "--clear_interrupts_once", action="store_true", help="the same for interrupted jobs")
    m.add_argument("-io", "--ignore_once", action="store_true", help="do not ask about failed jobs")
    m.add_argument("-i", "--interactive", action="store_true", help="ask before every submission")
    m.set_defaults(func=manager)

    w = sub.add_parser("worker", help="run one task of a job that is set up")
    w.add_argument("jobdir")
    w.add_argument("task_name")
    w.add_argument("task_id", type=int, nargs="?")
    w.add_argument("--engine")
    w.add_argument("--redirect_output", action="store_true")
    w.add_argument("--force_resume", action="store_true", help=argparse.SUPPRESS)
    w.set_defaults(func=worker)
    return p


def manager(args):
    from . import manager as m
    from .loader import ConfigError, config_manager
    from .lock import WorkFolderLocked

    toolkit.set_role("manager")
    try:
        config_manager.load_configs(args.config_files + args.configs)
    except ConfigError as e:
        logging.error("%s", e)
        return m.EXIT_USAGE
    except Exception:
        logging.exception("config %s failed", config_manager.current_config)
        return m.EXIT_USAGE
    try:
        return m.Manager(clear_errors=args.clear_errors_once, clear_interrupted=args.clear_interrupts_once).run()
    except WorkFolderLocked as e:
        logging.error("%s", e)
        return m.EXIT_USAGE


def worker(args):
    from .worker import worker as run_worker

    return run_worker(args.jobdir, args.task_name, args.task_id, args.engine, args.redirect_output)
