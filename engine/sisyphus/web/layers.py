"""Where the jobs of a chain are drawn: in layers from left to right, every job right of what it reads from."""

SWEEPS = 6  # over all layers, to untangle the lines


def layout(nodes, edges):
    """``nodes`` and ``edges`` (from, to) of a graph without cycles -> ``(places, lines)``.

    ``places``: node -> (layer, height) in units of one node; ``lines``: edge -> its points in the same units.
    """
    layers = layers_of(nodes, edges)
    chains = {edge: [edge[0], *_bends(edge, layers), edge[1]] for edge in edges}
    left, right, columns = {}, {}, {}
    for chain in chains.values():
        for a, b in zip(chain, chain[1:], strict=False):
            right.setdefault(a, []).append(b)
            left.setdefault(b, []).append(a)
    for node in nodes:
        columns.setdefault(layers[node], []).append(node)
    for chain in chains.values():
        for bend in chain[1:-1]:
            columns.setdefault(bend[2], []).append(bend)
    ordered = [columns[layer] for layer in sorted(columns)]
    heights = _heights(ordered, left, right, set(nodes))
    places = {node: (layers[node], heights[node]) for node in nodes}
    lines = {edge: [(layers.get(p, p[-1]), heights[p]) for p in chain] for edge, chain in chains.items()}
    return places, lines


def layers_of(nodes, edges):
    """Node -> layer from 0: as far left as its inputs allow, but no further from its users than need be."""
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
    first = min(layer.values(), default=0)
    return {node: n - first for node, n in layer.items()}


def _bends(edge, layers):
    """Points of a line in the layers between its ends."""
    return [("bend", edge, layer) for layer in range(layers[edge[0]] + 1, layers[edge[1]])]


def _heights(columns, left, right, nodes):
    heights = {}
    for column in columns:
        for i, node in enumerate(column):
            heights[node] = float(i)
    for sweep in range(2 * SWEEPS):
        near, walk = (left, columns) if sweep % 2 == 0 else (right, columns[::-1])
        for column in walk:
            wanted = {n: _mean([heights[m] for m in near.get(n, ())], heights[n]) for n in column}
            column.sort(key=wanted.get)
            heights.update(zip(column, _apart([wanted[n] for n in column], column, nodes), strict=True))
    lowest = min(heights.values(), default=0.0)
    return {node: height - lowest for node, height in heights.items()}


def _mean(values, default):
    return sum(values) / len(values) if values else default


def _apart(wanted, column, nodes):
    """Heights as near to the ``wanted`` ones (ascending) as gaps of one node, or half of one for lines, allow."""
    offsets, offset = [], 0.0
    for i, node in enumerate(column):
        offset += (1.0 if node in nodes or column[i - 1] in nodes else 0.4) if i else 0.0
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
