"""Packs the folders of finished jobs; never touches outputs."""

import threading


class JobCleaner(threading.Thread):
    def __init__(self, graph):
        super().__init__(daemon=True)

    def run(self):
        pass

    def close(self):
        pass
