"""What ``sis find``, ``info``, ``remove`` and ``clean`` do, given their arguments."""

import logging
import os
import sys
import time

from ..base.exit_status import EXIT_DONE, EXIT_INCOMPLETE, EXIT_INTERRUPT, EXIT_USAGE
from ..base.refusal import JobError
from ..base.words import printable
from ..base.writing import write_atomically
from ..engine import cached_engine
from ..graph import OutputPath, graph
from ..manager import alias_names
from ..reading import lookup
from ..reading.lookup import find_folders, folder_state, names_of_folders, one_of
from ..upkeep import removal
from ..upkeep.lock import ManagerLock
from .commands import load


def _command(action):
    """Logs errors of the operating system and returns status 2. Ctrl-C and a closed pipe end the command quietly."""

    def run(args):
        try:
            status = action(args)
            sys.stdout.flush()
            return status
        except BrokenPipeError:  # the reader, such as head, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return EXIT_DONE
        except KeyboardInterrupt:
            return EXIT_INTERRUPT
        except OSError as e:
            logging.error("%s", e)
            return EXIT_USAGE

    run.__doc__ = action.__doc__
    return run


def _load_named(args):
    """Load the configs of the command line, which must name some. Raises `JobError` if that fails."""
    configs = args.config_files + args.configs
    if not load(configs):
        raise JobError("nothing was done, because a config cannot be loaded")
    return configs


def _states():
    """The states of the loaded graph."""
    from ..run.graph_states import GraphStates

    view = GraphStates(graph, cached_engine())
    view.refresh(everything=True)
    return view


def _names_in_graph(jobs):
    """Job -> its id, aliases and the names of its outputs in the output folder, like `names_of_folders`."""
    names = {job: [job._sis_id(), *alias_names(job)] for job in jobs}
    for target in graph.targets:
        for job in {path.creator for path in target.required_full_list} if isinstance(target, OutputPath) else ():
            if job in names:
                names[job] += target.link_names()
    return names


def _jobs_in_graph(pattern, names):
    return lookup.find(pattern, names, {job._sis_id(): job for job in names})


@_command
def find(args):
    """List jobs. Exit status: 0 found, 1 nothing found, 2 an error."""
    if args.config_files + args.configs:
        _load_named(args)
        view = _states()
        names = _names_in_graph(view.states)
        rows = [(view.states[job], names[job]) for job in _jobs_in_graph(args.pattern, names)]
    else:
        names = names_of_folders()
        rows = [(folder_state(folder), names[folder]) for folder in find_folders(args.pattern, names)]
    for state, called in rows:
        print(printable(f"{state:<10}  {'  '.join(called)}"))
    return EXIT_DONE if rows else EXIT_INCOMPLETE


@_command
def info(args):
    """Show one job. Exit status: 0, or 2 if it cannot be determined."""
    from .job_text import GraphJobs, StoredJobs, describe

    if args.config_files + args.configs:
        _load_named(args)
        known = GraphJobs(_states())
        job = one_of(args.job, _jobs_in_graph(args.job, _names_in_graph(known.states)), known.line)
    else:
        known = StoredJobs()
        job = known.load(one_of(args.job, find_folders(args.job)))
    print(printable("\n".join(describe(job, known, args.lines))))
    return EXIT_DONE


@_command
def timeline(args):
    """Draw which job ran when. Exit status: 0 written, 1 nothing has run, 2 an error."""
    from ..reading.folder import JobFolder
    from ..reading.runs import runs
    from ..web.gantt import Worked, svg

    names = names_of_folders()
    if args.config_files + args.configs:
        _load_named(args)
        of_graph = _names_in_graph(_states().states)
        names = {path: of_graph[job] for job in of_graph if os.path.isdir(path := job._sis_path(abspath=True))}
    worked = []
    for folder, (sis_id, *others) in names.items():
        state, now = folder_state(folder), time.time()
        ran = runs(JobFolder(folder), now if state == "running" else None)
        worked.append(Worked(sis_id, next(iter(others), sis_id), state, ran))
    try:
        write_atomically(args.file, printable(svg(worked)))
    except ValueError as e:
        logging.error("%s", e)
        return EXIT_INCOMPLETE
    return EXIT_DONE


# removal -------------------------------------------------------------------------------------------------------------
@_command
def remove(args):
    """Remove jobs and what depends on them. Exit status: 0 done, 1 not confirmed, 2 an error."""
    folders = []
    for pattern in args.jobs:
        found = find_folders(pattern)
        folders += found if found and any(c in pattern for c in "*?[") else [one_of(pattern, found)]
    return _remove(args, removal.with_descendants(folders))


@_command
def clean(args):
    """Pack finished jobs or remove what is not needed. Exit status: 0 done, 1 not confirmed, 2 an error."""
    if args.unused or args.keep_below is not None:
        if not args.config_files + args.configs:
            raise JobError("name the configs: what none of them needs would be removed")
        _load_named(args)
        return _remove(
            args, removal.unused_folders() if args.unused else removal.folders_to_keep_below(args.keep_below)
        )
    if args.configs or (args.move and args.cleared):
        raise JobError("CONFIG goes with --unused and --keep-below, and what was moved aside cannot be moved again")
    return _remove(args, sorted(removal.job_folders(cleared=True))) if args.cleared else _pack(args)


def _remove(args, folders):
    """List, ask, remove; without a terminal nobody can be asked."""
    can_ask = sys.stdin.isatty() and sys.stdout.isatty()
    mode = "dryrun" if args.dry_run or not (args.yes or can_ask) else "move" if args.move else "remove"
    if removal.remove_jobs(folders, mode, yes=args.yes) or args.dry_run or not folders:
        return EXIT_DONE
    print(
        "Nothing was removed." if can_ask else "Nothing was removed: use --yes, without a terminal nobody can be asked."
    )
    return EXIT_INCOMPLETE


def _pack(args):
    from ..cleaner import clean_folder, is_open

    folders = sorted(folder for folder in removal.job_folders() if is_open(folder))
    if not folders or args.dry_run:
        removal.remove_folders(folders, "dryrun")
        return EXIT_DONE
    freed = packed = 0
    with ManagerLock():
        for folder in folders:
            before = removal.size_of(folder)
            if clean_folder(folder):
                packed += 1
                freed += before - removal.size_of(folder)
    young = f", {len(folders) - packed} ended a moment ago" if packed < len(folders) else ""
    print(f"packed {removal.counted(range(packed))}, freed {removal.in_bytes(max(freed, 0))}{young}")
    return EXIT_DONE
