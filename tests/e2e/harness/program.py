# SPDX-License-Identifier: Apache-2.0
"""Runs the program in processes that do not outlive their test."""

import collections
import os
import re
import select
import signal
import subprocess
import time

PROGRAM = os.environ["TOKENUSAGE_PROGRAM"]

# How a process ended; stdout and stderr are bytes.
Outcome = collections.namedtuple("Outcome", "exit_code stdout stderr")

# The child dies with the thread that started it, so start servers from the main thread.
_DIES_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL"]


def environment(**changes):
    """Returns this process's environment without the settings that the program reads."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TOKENUSAGE_")}
    return {**kept, **changes}


def run(*args, stdin=b"", env=None, timeout=60, wrapper=()):
    """Runs the program until it exits."""
    done = subprocess.run(
        [*wrapper, PROGRAM, *args],
        input=stdin,
        capture_output=True,
        env=environment(**(env or {})),
        timeout=timeout,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


class Server:
    """A `tokenusage serve`, ready for calls at `address`; by default on a free port.

    With the flag --http-listen it serves HTTP at `http_address`.
    """

    def __init__(
        self,
        database,
        *flags,
        listen="127.0.0.1:0",
        wrapper=(),
        log_path=None,
        start_timeout=30
    ):
        self.database = database
        self._log_path = log_path or database + ".serve-log"
        with open(self._log_path, "ab") as log:
            self.process = subprocess.Popen(
                [
                    *wrapper,
                    *_DIES_WITH_PARENT,
                    PROGRAM,
                    "serve",
                    "--store=" + (database if "://" in database else "sqlite://" + database),
                    "--listen=" + listen,
                    *flags,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment(),
            )
        try:
            with_http = any(f.startswith("--http-listen=") for f in flags)
            addresses = self._read_lines(
                2 if with_http else 1, time.monotonic() + start_timeout
            )
            self.address = addresses[0]
            self.http_address = addresses[-1] if with_http else None
        except Exception:
            self.kill()
            raise

    def _read_lines(self, count, deadline):
        text = b""
        while text.count(b"\n") < count:
            left = max(0, deadline - time.monotonic())
            if not select.select([self.process.stdout], [], [], left)[0]:
                raise TimeoutError("serve printed no address: " + self.log())
            block = os.read(self.process.stdout.fileno(), 4096)
            if not block:
                raise RuntimeError("serve ended: " + self.log())
            text += block
        return text.decode().splitlines()

    def log(self):
        """Returns its stderr, and that of earlier servers of the same database."""
        with open(self._log_path, "rb") as log:
            return log.read().decode(errors="backslashreplace")

    def _wait(self, timeout):
        exit_code = self.process.wait(timeout)
        self.process.stdout.close()
        return exit_code

    def await_log(self, pattern, count=1, timeout=30):
        """Waits until the log holds `count` matches of a regular expression."""
        deadline = time.monotonic() + timeout
        while len(re.findall(pattern, self.log())) < count:
            if time.monotonic() > deadline:
                raise TimeoutError("no %r in the log: %s" % (pattern, self.log()))
            time.sleep(0.02)

    def reload(self):
        """Makes it reload its files, with SIGHUP."""
        self.process.send_signal(signal.SIGHUP)

    def kill(self):
        """Kills it with SIGKILL; does nothing if it has exited."""
        if self.process.returncode is None:
            self.process.kill()
            self._wait(30)

    def stop(self, timeout=30):
        """Stops it with SIGTERM and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._wait(timeout)
