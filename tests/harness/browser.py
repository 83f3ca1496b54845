"""A real browser, headless: Debian's chromium, driven by WebDriver's plain HTTP."""

import base64
import json
import os
import re
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# A hang detector, not a target.
DEADLINE_S = 120.0
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver's name for an element's handle
WORDS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-device-scale-factor=1",
    "--force-color-profile=srgb",
    "--window-size=1000,900",
)


class BrowserError(Exception):
    """The browser could not do what it was told."""


class Browser:
    """One window."""

    def __init__(self, driver: str, folder: Path) -> None:
        self._driver = driver
        options = {"args": [*WORDS, f"--user-data-dir={folder / 'profile'}"]}
        # eager: a picture that never ends keeps the page from being loaded.
        wanted = {"pageLoadStrategy": "eager", "goog:chromeOptions": options}
        wanted["timeouts"] = {"script": round(DEADLINE_S * 1000)}
        answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{answer['sessionId']}"

    def open(self, url: str) -> None:
        """Load a page."""
        self._call("POST", f"{self._session}/url", {"url": url})

    def text(self, selector: str) -> str:
        """Return what an element shows."""
        return str(self._call("GET", f"{self._element(selector)}/text"))

    def screenshot(self, selector: str) -> bytes:
        """Return a PNG of what the window shows of an element."""
        return base64.b64decode(self._call("GET", f"{self._element(selector)}/screenshot"))

    def wait(self, script: str, *arguments: object) -> Any:
        """Run a script, and wait until it calls `done`; return what it gave."""
        body = f"const done = arguments[arguments.length - 1];\n{script}"
        return self._call(
            "POST", f"{self._session}/execute/async", {"script": body, "args": arguments}
        )

    def close(self) -> None:
        """End it in order."""
        self._call("DELETE", self._session)

    def _element(self, selector: str) -> str:
        found = self._call(
            "POST", f"{self._session}/element", {"using": "css selector", "value": selector}
        )
        return f"{self._session}/element/{found[ELEMENT]}"

    def _call(self, method: str, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            self._driver + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=DEADLINE_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise BrowserError(f"{method} {path}: {error.read().decode()[:2000]}") from error


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Start one with a profile of its own below `folder`; all of its processes end with it."""
    driver = subprocess.Popen(
        ["chromedriver", "--port=0"],
        env=os.environ | {"HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    watch = threading.Timer(DEADLINE_S, driver.kill)
    watch.start()
    try:
        assert driver.stdout is not None
        found = None
        while found is None and (line := driver.stdout.readline()):
            found = re.search(r"started successfully on port (\d+)", line)
        watch.cancel()
        if found is None:
            raise BrowserError("chromedriver does not start")
        window = Browser(f"http://127.0.0.1:{found[1]}", folder)
        yield window
        window.close()
    finally:
        watch.cancel()
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
