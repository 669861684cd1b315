# SPDX-License-Identifier: Apache-2.0
"""The base class of the end-to-end tests."""

import os
import random
import shutil
import tempfile
import time
import unittest

from harness import program
from harness.client import UsageClient

# grpc.health.v1.HealthCheckResponse.ServingStatus
SERVING, NOT_SERVING = 1, 2


def seeded_random():
    """Returns a random source; prints its seed, or takes it from TOKENUSAGE_TEST_SEED."""
    given = os.environ.get("TOKENUSAGE_TEST_SEED")
    seed = int(given) if given else int.from_bytes(os.urandom(4), "big")
    print("TOKENUSAGE_TEST_SEED=%d" % seed, flush=True)
    return random.Random(seed)


# The memory that the service may take under any fault, in bytes: 256 MiB.
MAX_RESIDENT = 256 << 20


def resident_peak(server):
    """Returns the peak resident memory of a server's process, in bytes."""
    with open("/proc/%d/status" % server.process.pid, encoding="ascii") as status:
        (line,) = [line for line in status if line.startswith("VmHWM:")]
    return int(line.split()[1]) << 10


class EndToEndTest(unittest.TestCase):
    """A test with its own folder, whose servers stop with it."""

    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        """Returns a path in the test's folder."""
        return os.path.join(self.folder, name)

    def write(self, name, content):
        """Writes a file in the test's folder and returns its path."""
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def start_server(self, name="usage.db", *flags, **kwargs):
        """Starts a server on a database in the test's folder."""
        server = program.Server(self.path(name), *flags, **kwargs)
        self.addCleanup(server.kill)
        return server

    def connect(self, server):
        """Returns a client of that server, closed with the test."""
        client = UsageClient(server.address)
        self.addCleanup(client.close)
        return client

    def await_health(self, client, state, timeout=30):
        """Waits until gRPC's health service answers `state`."""
        deadline = time.monotonic() + timeout
        while client.health() != state:
            self.assertLess(time.monotonic(), deadline, "health is %d" % client.health())
            time.sleep(0.02)

    def assert_resident_below(self, server, limit):
        """Asserts that a server's resident memory always stayed below `limit` bytes.

        Asserts nothing under AddressSanitizer, which shadows memory and holds back what is freed.
        """
        with open("/proc/%d/maps" % server.process.pid, encoding="ascii") as maps:
            if "/libasan.so" not in maps.read():
                self.assertLess(resident_peak(server), limit)

    def assert_output(self, outcome, stdout):
        """Asserts success, exactly this stdout, and an empty stderr."""
        self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""), outcome)
        if isinstance(stdout, bytes):
            self.assertEqual(outcome.stdout, stdout)
        else:
            self.assertEqual(outcome.stdout.decode(), stdout)

    def assert_one_line_error(self, outcome, exit_code, *words, stdout=b""):
        """Asserts the exit code and one line on stderr that contains these texts."""
        self.assertEqual((outcome.exit_code, outcome.stdout), (exit_code, stdout), outcome)
        line = outcome.stderr.decode("utf-8")
        self.assertRegex(line, r"\Atokenusage: [^\n]+\n\Z")
        self.assertNotRegex(line[:-1], r"[\x00-\x1f\x7f]")
        for word in words:
            self.assertIn(word, line)
