"""Exit statuses of ``sis`` and of its workers."""

import signal

# of sis manager and the other commands
EXIT_DONE, EXIT_INCOMPLETE, EXIT_USAGE, EXIT_INTERRUPT = 0, 1, 2, 130

# of workers
EXIT_FAILED = 1
EXIT_INTERRUPTED = 75
"""No marker was written: the manager may start the task again."""

_STOPPING = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
STOPPED_FROM_OUTSIDE = {*(-s for s in _STOPPING), *(128 + s for s in _STOPPING), EXIT_INTERRUPTED}
"""How a worker ends that somebody stopped, also behind a shell."""
