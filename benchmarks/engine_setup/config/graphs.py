"""Graphs of ``n`` jobs."""

from sisyphus import tk
from steps import Collect, Step, UpdatedStep

WIDTH = 50


def fan(n):
    """Independent jobs, and one that reads all of them."""
    tk.register_output("fan", Collect([Step(i).out for i in range(n - 1)]).out)


def _layers(n, kind):
    """Layers of 50 jobs; every job reads two of the layer before."""
    above, layer, outputs = [], [], []
    for i in range(n):
        if len(layer) == WIDTH:
            above, layer = layer, []
        layer.append(kind(i, [above[i % WIDTH], above[(i + 7) % WIDTH]] if above else []).out)
        outputs.append(layer[-1])
    return outputs


def layers(n):
    tk.register_output("layers", Collect(_layers(n - 1, Step)).out)


def updates(n):
    """The same layers, but every job has an ``update()``."""
    tk.register_output("updates", Collect(_layers(n - 1, UpdatedStep)).out)


def targets(n):
    """The same layers, but every output is a target."""
    for i, output in enumerate(_layers(n, Step)):
        tk.register_output(f"t/{i:05}", output)


def chain(n):
    """Every job reads the one before."""
    out = None
    for i in range(n):
        out = Step(i, [out] if out else []).out
    tk.register_output("chain", out)


def mixed(n, seconds):
    """Jobs of all kinds in turn, of ``seconds`` each; every one reads two of the ten before, and is a target."""
    from mixed import KINDS

    outputs = []
    for i in range(n):
        inputs = [outputs[max(0, i - back)] for back in (3, 10)] if i > 3 else []
        outputs.append(KINDS[i % len(KINDS)](i, inputs, seconds).out)
        tk.register_output(f"mixed/{i:03}", outputs[-1])
