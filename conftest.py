"""For both folders of tests: no example has a deadline, and the files that take longest begin."""

from hypothesis import HealthCheck, settings

settings.register_profile("without clock", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("without clock")


def pytest_collection_modifyitems(items):
    """With several processes (``make test``) each file goes to one of them; no process is to begin a long one last."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    long = {path for path in slow if "end_to_end" in path.parts}
    items.sort(key=lambda item: (item.path not in long, item.path not in slow))
