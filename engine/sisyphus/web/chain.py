"""Draws the graph around one job: the jobs it reads from and the jobs that read from it."""

from typing import NamedTuple

from .layers import layout

NODES = 200  # the jobs nearest to the one that is asked for
WIDTH, HEIGHT = 200, 36  # pixels of a box
STEP_X, STEP_Y = 250, 48  # from box to box
LETTERS = 24  # that fit into a box


class Box(NamedTuple):
    job: object
    x: float
    y: float
    title: str
    subtitle: str


def chain(snapshot, job):
    """Boxes and lines of the drawing, in pixels, and how much is cut off."""
    users = snapshot.users()
    before = _near(job, lambda j: j._sis_creators())
    after = _near(job, lambda j: users.get(j._sis_id(), ()))
    shown = [job, *_nearest(before, after)]
    ids = {j._sis_id() for j in shown}
    edges = [(a._sis_id(), j._sis_id()) for j in shown for a in j._sis_creators() if a._sis_id() in ids]
    places, lines = layout([j._sis_id() for j in shown], edges)
    boxes = [Box(j, *_pixels(places[j._sis_id()]), *_titles(j)) for j in shown]
    return {
        "boxes": boxes,
        "lines": [_curve(points) for points in lines.values()],
        "width": max(box.x for box in boxes) + WIDTH + 10,
        "height": max(box.y for box in boxes) + HEIGHT + 10,
        "before": len(before),
        "after": len(after),
        "cut": len(before) + len(after) + 1 - len(shown),
    }


def _near(job, neighbours):
    """All jobs in one direction with their distance, nearest first."""
    distance, queue = {job: 0}, [job]
    for current in queue:  # grows while it is walked
        for other in neighbours(current):
            if other not in distance:
                distance[other] = distance[current] + 1
                queue.append(other)
    del distance[job]
    return distance


def _nearest(before, after):
    both = [*before.items(), *after.items()]
    return [job for job, _ in sorted(both, key=lambda item: item[1])[: NODES - 1]]


def _pixels(place):
    return 10 + STEP_X * place[0], 10 + STEP_Y * place[1]


def _titles(job):
    """Kind of job, and the end of its alias, else of its id."""
    kind, _, code = job._sis_id().rpartition("/")[2].partition(".")
    name = job.get_one_alias() or job.get_vis_name() or code
    return tuple(text if len(text) <= LETTERS else "…" + text[1 - LETTERS :] for text in (kind, name))


def _curve(points):
    """SVG path through the points, which leaves and enters boxes level."""
    pixels = [_pixels(point) for point in points]
    x, y = pixels[0][0] + WIDTH, pixels[0][1] + HEIGHT / 2
    path = f"M{x:.0f} {y:.0f}"
    for i, (x1, y1) in enumerate(pixels[1:], 1):
        y1 += HEIGHT / 2
        middle = (x + x1) / 2
        path += f"C{middle:.0f} {y:.0f} {middle:.0f} {y1:.0f} {x1:.0f} {y1:.0f}"
        x, y = x1, y1
        if i < len(pixels) - 1:  # straight past the boxes of this layer
            x += WIDTH
            path += f"H{x:.0f}"
    return path
