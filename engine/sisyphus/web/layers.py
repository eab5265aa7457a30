"""Where the jobs of a chain are drawn: in layers from left to right, every job right of what it reads from."""

from typing import NamedTuple

SWEEPS = 6  # over all layers, to untangle the lines


def layout(nodes, edges):
    """``nodes`` and ``edges`` (from, to) of a graph without cycles -> ``(places, lines)``.

    ``places``: node -> (layer, height) in units of one node; ``lines``: edge -> its points in the same units. Lines
    from one node share their points for as long as they go the same way.
    """
    layers = layers_of(nodes, edges)
    lines = {(a, b): [a, *(Bend(a, i) for i in range(layers[a] + 1, layers[b])), b] for a, b in edges}
    columns = {}
    for point in dict.fromkeys([*nodes, *(point for line in lines.values() for point in line)]):
        layer = point.layer if isinstance(point, Bend) else layers[point]
        columns.setdefault(layer, []).append(point)
    heights = _heights([columns[layer] for layer in sorted(columns)], lines.values())
    places = {p: (layer, heights[p]) for layer, column in columns.items() for p in column}
    return {n: places[n] for n in nodes}, {edge: [places[p] for p in line] for edge, line in lines.items()}


class Bend(NamedTuple):
    """Where the lines of a node pass a layer."""

    start: object
    layer: int


def layers_of(nodes, edges):
    """Node -> layer from 0: right of all its inputs, and as close to its users as possible."""
    inputs, users = {n: [] for n in nodes}, {n: [] for n in nodes}
    for a, b in edges:
        users[a].append(b)
        inputs[b].append(a)
    open_inputs = {n: len(inputs[n]) for n in nodes}
    order = [n for n in nodes if not inputs[n]]
    layer = {}
    for node in order:  # grows while it is walked
        layer[node] = max((layer[a] + 1 for a in inputs[node]), default=0)
        for user in users[node]:
            open_inputs[user] -= 1
            if not open_inputs[user]:
                order.append(user)
    for node in reversed(order):
        if users[node]:
            layer[node] = min(layer[user] for user in users[node]) - 1
    return layer


def _heights(columns, lines):
    left, right = {}, {}
    for line in lines:
        for a, b in zip(line, line[1:], strict=False):
            right.setdefault(a, {})[b] = None
            left.setdefault(b, {})[a] = None
    heights = {point: float(i) for column in columns for i, point in enumerate(column)}
    for sweep in range(2 * SWEEPS):
        near, walk = (left, columns) if sweep % 2 == 0 else (right, columns[::-1])
        for column in walk:
            wanted = {p: _mean([heights[q] for q in near.get(p, ())], heights[p]) for p in column}
            column.sort(key=wanted.get)
            heights.update(zip(column, _apart([wanted[p] for p in column], column), strict=True))
    lowest = min(heights.values(), default=0.0)
    return {point: height - lowest for point, height in heights.items()}


def _mean(values, default):
    return sum(values) / len(values) if values else default


def _apart(wanted, column):
    """Heights as near to the ``wanted`` ones (ascending) as gaps of one node, less between lines, allow."""
    offsets, offset = [], 0.0
    for i, point in enumerate(column):
        lines_only = isinstance(point, Bend) and isinstance(column[i - 1], Bend)
        offset += 0.0 if i == 0 else 0.4 if lines_only else 1.0
        offsets.append(offset)
    groups = []  # of neighbours that touch: [sum of what they want, number]
    for want, offset in zip(wanted, offsets, strict=True):
        groups.append([want - offset, 1])
        while len(groups) > 1 and groups[-2][0] / groups[-2][1] > groups[-1][0] / groups[-1][1]:
            total, number = groups.pop()
            groups[-1][0] += total
            groups[-1][1] += number
    means = [total / number for total, number in groups for _ in range(number)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
