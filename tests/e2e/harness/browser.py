# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, driven by the DevTools protocol over a pipe."""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import time

PATH = shutil.which("chromium-headless-shell") or shutil.which("chromium")
DEADLINE_SECONDS = 60


class Browser:
    """A browser that dies with the test; its profile is in `folder`."""

    def __init__(self, folder):
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        # Chromium reads commands from descriptor 3 and answers on 4.
        script = 'exec setpriv --pdeathsig KILL "$@" 3<&%d 4>&%d' % (commands, answers)
        self._process = subprocess.Popen(
            [
                "bash",
                "-c",
                script,
                "bash",
                PATH,
                "--headless",
                "--remote-debugging-pipe",
                "--user-data-dir=" + os.path.join(folder, "profile"),
                # The tests may run as root and in containers. They open our own pages only.
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
            ],
            pass_fds=(commands, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": folder, "LANG": "C.UTF-8"},
            start_new_session=True,
        )
        os.close(commands)
        os.close(answers)
        self._buffer = b""
        self._last_id = 0
        self.events = []

    def close(self):
        """Kills it and its children, which would continue to write to the profile."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)

    def call(self, method, session=None, **params):
        """Calls a method of the protocol and returns its result."""
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._commands, data) :]
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            answer = self._read(deadline)
            if answer.get("id") == self._last_id:
                if "error" in answer:
                    raise RuntimeError("%s: %s" % (method, answer["error"]))
                return answer["result"]
            self.events.append(answer)

    def _read(self, deadline):
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._answers], [], [], left)[0]:
                raise TimeoutError("no answer of the browser")
            block = os.read(self._answers, 1 << 20)
            if not block:
                raise RuntimeError("the browser ended")
            self._buffer += block
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def open(self, url, width=1280, height=900, scripts=True, scheme="light"):
        """Returns a new tab at an address."""
        return Tab(self, url, width, height, scripts, scheme)


class Tab:
    """A tab, and what it has requested and logged."""

    def __init__(self, browser, url, width, height, scripts, scheme):
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(domain + ".enable")
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.resize(width, height)
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        self.call("Page.navigate", url=url)
        if scripts:
            self.wait("document.readyState === 'complete'")

    def call(self, method, **params):
        """Calls a method of the protocol in this tab."""
        return self._browser.call(method, session=self._session, **params)

    def resize(self, width, height):
        """Changes the size of the window."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def run(self, expression):
        """Returns the value of a JavaScript expression."""
        result = self.call(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
            userGesture=True,
        )
        if "exceptionDetails" in result:
            raise RuntimeError("%s: %s" % (expression, result["exceptionDetails"]))
        return result["result"].get("value")

    def wait(self, expression, seconds=DEADLINE_SECONDS):
        """Waits until an expression is true, and returns its value."""
        deadline = time.monotonic() + seconds
        while True:
            value = self.run(expression)
            if value:
                return value
            if time.monotonic() > deadline:
                raise TimeoutError("%s\n%s" % (expression, self.text("body")))
            time.sleep(0.02)

    def text(self, selector):
        """Returns the visible text of an element."""
        return self.run("document.querySelector(%s)?.innerText" % json.dumps(selector))

    def texts(self, selector):
        """Returns the visible texts of all elements that match."""
        return self.run(
            "[...document.querySelectorAll(%s)].map((e) => e.innerText)" % json.dumps(selector)
        )

    def click(self, selector):
        """Clicks an element."""
        self.run("document.querySelector(%s).click()" % json.dumps(selector))

    def set(self, selector, value):
        """Sets the value of a control, as a person would."""
        self.run(
            "((e) => { e.value = %s; e.dispatchEvent(new Event('change', {bubbles: true})); })"
            "(document.querySelector(%s))" % (json.dumps(value), json.dumps(selector))
        )

    def set_and_go(self, selector, value):
        """Sets a control that changes the address, and waits until the page has seen that."""
        self.run(
            "((e) => new Promise((done) => {"
            " addEventListener('hashchange', () => done(true), {once: true}); e.value = %s;"
            " e.dispatchEvent(new Event('change', {bubbles: true})); }))"
            "(document.querySelector(%s))" % (json.dumps(value), json.dumps(selector))
        )

    def press(self, key):
        """Presses a key in the focused element."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def _events(self, method):
        self.run("0")  # Reads what has arrived.
        return [
            event["params"]
            for event in self._browser.events
            if event.get("sessionId") == self._session and event["method"] == method
        ]

    def requests(self):
        """Returns the addresses of all requests."""
        return [e["request"]["url"] for e in self._events("Network.requestWillBeSent")]

    def complaints(self):
        """Returns what a developer would see in the console."""
        return (
            [e["entry"]["text"] for e in self._events("Log.entryAdded")]
            + [str(e["args"]) for e in self._events("Runtime.consoleAPICalled")]
            + [str(e["exceptionDetails"]) for e in self._events("Runtime.exceptionThrown")]
        )

    def screenshot(self, path, whole=False):
        """Writes a PNG."""
        result = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        with open(path, "wb") as file:
            file.write(base64.b64decode(result["data"]))

    def pdf(self):
        """Returns what is printed, as a PDF."""
        return base64.b64decode(self.call("Page.printToPDF")["data"])
