"""The status page in a real browser, which is driven through its pipe for debuggers."""

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import time

import pytest
from patience import PATIENCE

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="needs Chromium or Chrome, which is not installed"),
]
STATE = "document.querySelector('h1 .badge').textContent"


class Browser:
    """One page; `look` evaluates JavaScript in it."""

    def __init__(self, profile):
        (reading, self._to), (self._from, writing) = _pipe(), _pipe()
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
        ]
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$0" "$@" 3<&{reading} 4>&{writing}', PROGRAM, *options, "about:blank"],
            pass_fds=(reading, writing),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(reading)
        os.close(writing)
        self._unread = b""
        self._number = 0
        self._session = {}
        targets = self._call("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        session = self._call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        self._session = {"sessionId": session}

    def _call(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, **self._session}
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._read())
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _read(self):
        while b"\0" not in self._unread:
            part = os.read(self._from, 1 << 16)
            assert part, "the browser has ended"
            self._unread += part
        message, _, self._unread = self._unread.partition(b"\0")
        return message

    def go(self, url):
        self._call("Page.navigate", url=url)
        self.wait("location.href != 'about:blank' && document.readyState == 'complete'")

    def look(self, expression):
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, expression):
        end = time.monotonic() + PATIENCE
        while not self.look(expression):
            assert time.monotonic() < end, (expression, self.look("document.body.innerText"))
            time.sleep(0.1)

    def close(self):
        with contextlib.suppress(OSError, AssertionError):
            self._call("Browser.close")
        self._process.wait(PATIENCE)
        os.close(self._to)
        os.close(self._from)


def _pipe():
    """A pipe whose numbers leave 3 and 4, which the browser uses, free."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high


@pytest.fixture
def browser(tmp_path):
    browser = Browser(tmp_path / "profile")
    yield browser
    browser.close()


@pytest.fixture
def site(folder):
    """Two jobs that end when the files ``one`` and ``two`` are there."""
    (folder / "recipe" / "patient.py").write_text(
        "import os, time\nfrom sisyphus import Job, tk\n\n\nclass Patient(Job):\n"
        "    def __init__(self, name):\n        self.name = name\n        self.out = self.output_path('out')\n\n"
        "    def run(self):\n        print('waiting for <b>' + self.name + '</b>', flush=True)\n"
        "        print('line\\n' * 200, flush=True)\n"
        "        while not os.path.exists(os.path.join(tk.gs.BASE_DIR, self.name)):\n            time.sleep(0.05)\n"
        "        open(self.out, 'w').close()\n"
    )
    (folder / "config" / "patient.py").write_text(
        "from patient import Patient\nfrom sisyphus import tk\n\n\ndef py():\n    for name in ('one', 'two'):\n"
        "        tk.register_output(name, Patient(name).add_alias('the/' + name).out)\n"
    )
    process, url, _ = folder.serve("config/patient.py")
    yield url
    for name in ("one", "two"):
        (folder / name).touch()
    process.wait(PATIENCE)


def link_to(browser, alias):
    browser.wait(f"[...document.querySelectorAll('a.job')].some(a => a.textContent == '{alias}')")
    return browser.look(f"[...document.querySelectorAll('a.job')].find(a => a.textContent == '{alias}').href")


def test_job_page_follows_the_job(folder, site, browser):
    """The state changes in the page that is open: what was put into it, and where it was scrolled, stays."""
    browser.go(site)
    browser.go(link_to(browser, "the/one"))
    browser.wait(f"{STATE} == 'running'")
    browser.wait("document.querySelector('pre.tail').textContent.includes('line')")
    assert browser.look("document.querySelector('pre.tail').scrollTop") > 0, "the end of the log is in sight"
    browser.look("window.loadedOnce = true; scrollTo(0, 150); document.querySelector('details').open = true")
    (folder / "one").touch()
    browser.wait(f"{STATE} == 'finished'")
    assert browser.look("window.loadedOnce && scrollY == 150 && document.querySelector('details').open")
    assert browser.look("document.title").startswith("finished: the/one")


def test_overview_filters_and_tells_when_the_manager_has_ended(folder, site, browser):
    browser.go(site)
    link_to(browser, "the/two")
    browser.look(
        "q = document.querySelector('input[name=q]'); q.focus(); q.value = 'the/one';"
        "q.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    browser.wait("document.querySelectorAll('a.job').length == 1")
    assert browser.look("location.search") == "?q=the%2Fone"
    (folder / "one").touch()
    browser.wait("document.querySelector('h1').textContent == '1 of 2 jobs finished'")
    assert browser.look("q.isConnected && q.value == 'the/one' && document.activeElement == q")
    assert browser.look("document.querySelectorAll('a.job').length") == 1
    assert browser.look("document.getElementById('lost').hidden")
    (folder / "two").touch()
    browser.wait("!document.getElementById('lost').hidden")


def test_page_says_when_the_manager_hangs(site, browser):
    """Here it is given no time at all to answer."""
    browser.go(site)
    browser.look("AbortSignal.timeout = () => AbortSignal.abort(); null")
    browser.wait("!document.getElementById('lost').hidden")


def test_chain_page(site, browser):
    browser.go(site)
    browser.go(link_to(browser, "the/two").replace("/job/", "/chain/"))
    assert browser.look("document.querySelectorAll('.box').length") == 1
    assert browser.look("document.querySelector('.box.here rect').getBoundingClientRect().width") > 100
    assert browser.look("getComputedStyle(document.querySelector('.box rect')).strokeWidth") == "4px"
