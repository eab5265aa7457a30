from sisyphus import tk
from works import Works


def one(arguments):
    tk.register_output("one", Works("one", **arguments).out)


def several(n, arguments):
    for i in range(n):
        tk.register_output(f"several/{i}", Works(f"job{i}", **arguments).out)


def mixed(first, second):
    """A chain, and a job beside it that asks for ``second``."""
    tk.register_output("mixed", Works("last", inputs=[Works("first", ids=2, rqmt=first).out]).out)
    tk.register_output("beside", Works("beside", rqmt=second).out)
