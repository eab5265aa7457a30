"""Builds a graph and writes what ``tk`` and the graph say of it.

python graph.py RESULT.json
"""

import json
import os
import sys
from pathlib import Path

from sisyphus import Job, gs, manager, tk


class Step(Job):
    def __init__(self, name, inputs=(), option=None):
        self.name = name
        self.inputs = inputs
        self.option = option
        self.out = self.output_path("out")


def targets():
    left = Step("left", [Step("first", tk.Path("data/in")).out])
    right = Step("right", {"a": tk.Path("data/in"), "b": [Step("deep").out, Step("deeper").out]})
    last = Step("last", {left.out}).add_alias("a/last")
    tk.register_output("end/last", last.out, export_graph=True)
    gs.ALIAS_AND_OUTPUT_SUBDIR = "sub"
    tk.register_output("right", right.add_alias("right").out, export_graph=True)
    return tk.register_report("report", {"left": left.out})


def steps():
    """Of `tk.export_graph`. Upstream's order of targets is by chance, so one output leads to each job."""
    tk.export_graph("exported")
    return sorted(Path("exported").read_text().splitlines())


def traces():
    x, y = (Step("end", [Step("middle", (), {"lr": lr}).out], option=[lr]) for lr in (1, 2))
    pairs = [(x, y), (x, x), (Step(1), Step("1")), ({"a": 1}, {"b": 1}), (tk.Path("a"), tk.Path("b"))]
    return [[repr(trace) for trace in tk.compare_graph(*pair)] for pair in pairs]


def files(*tops):
    found = (Path(folder, name) for top in tops for folder, _, names in os.walk(top) for name in names)
    return sorted(map(str, found))


def main():
    report = targets()
    graph = tk.graph.graph
    jobs = graph.jobs()
    last = graph.targets_dict["end/last"].required_full_list[0].creator
    above = []
    graph.for_all_nodes(above.append, [last], bottom_up=True)
    manager.create_aliases(jobs)
    report.update_requirements()
    return {
        "same graph": tk.sis_graph is graph and tk.config_manager is not None,
        "targets": sorted(graph.targets_dict),
        "active": sorted(target.name for target in graph.active_targets if target is not report),
        "jobs": sorted(job.job_id() for job in jobs),
        "ids": sorted(graph.id_to_job_dict()),
        "order": [job.job_id() for job in graph.jobs_sorted()],
        "bottom up": sorted(job.job_id() for job in above),
        "visited": len(graph.for_all_nodes(lambda job: job is not last)),
        "states": {state: sorted(map(str, found)) for state, found in graph.get_jobs_by_status().items()},
        "steps": steps(),
        "traces": traces(),
        "aliases": files("alias") + [str(path) for path in Path("alias").rglob("*") if path.is_symlink()],
        "outputs": files("output"),
        "settings": [gs.USE_UI, gs.active_engine],
    }


if __name__ == "__main__":
    gs.GRAPH_WORKER = 1
    Path(sys.argv[1]).write_text(json.dumps(main()))
