"""A setup folder of one's own, `sis` in it, and a server on this machine that its downloads come from."""

import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

SETTINGS = """
PUBLIC_FILES = {public_files!r}

def engine():
    from sisyphus.localengine import LocalEngine
    return LocalEngine(cpus={cpus})
"""


class Server(ThreadingHTTPServer):
    """Files of a folder, until the end of the block; then nothing answers at its address."""

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=folder))
        self.url = f"http://127.0.0.1:{self.server_port}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def setup_folder(folder, *configs, settings):
    (folder / "config").mkdir(parents=True)
    for config in configs:
        shutil.copy(config, folder / "config")
    (folder / "settings.py").write_text(settings)
    return folder


def settings_for(url, checksums, *, cpus=2):
    public_files = {name: {"urls": [f"{url}/{name}"], **fields} for name, fields in checksums.items()}
    return SETTINGS.format(public_files=public_files, cpus=cpus)


def sis(folder, *arguments):
    """Exit status and output."""
    command = [sys.executable, "-m", "sisyphus", *arguments]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return result.returncode, result.stdout + result.stderr


def jobs_that(event, output):
    """Their classes, in the order of the output's lines."""
    return re.findall(rf"^\[[\d:]+\] {event} +\S*/(\w+)\.", output, re.MULTILINE)
