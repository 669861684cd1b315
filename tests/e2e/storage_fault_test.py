# SPDX-License-Identifier: Apache-2.0
"""Disks that fail while usage is reported.

TOKENUSAGE_FAULT_ROUNDS=100 injects each fault that often (default 5).
"""

import contextlib
import errno
import os
import time

import grpc

from harness import junit, oracle
from harness.client import failure_of
from harness.durable import DurableTest
from harness.faults import CALLS, Faults
from harness.load import PROJECT, SteadyLoad, flat
from harness.records import as_reported, make_record, random_record
from harness.testcase import NOT_SERVING, seeded_random

ROUNDS = int(os.environ.get("TOKENUSAGE_FAULT_ROUNDS", "5"))
PAGE = 4096


class StorageFaultTest(DurableTest):
    def setUp(self):
        super().setUp()
        self.faults = Faults(self.path("orders"))
        self.server = self.start_server(wrapper=self.faults.wrapper)

    def await_failure(self, load):
        """Waits until another call fails."""
        before = load.failures
        deadline = time.monotonic() + 20
        while load.failures == before:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.005)

    def assert_recovers(self, load, known):
        """Asserts that without a restart everything is acknowledged in the end, and counted once.

        Health recovers more slowly after each relapse, so it is not checked here.
        """
        self.faults.stop_failing()
        load.stop()
        self.assertEqual(load.wrong, [])
        self.assertLessEqual(load.codes, {grpc.StatusCode.UNAVAILABLE})
        known.update(flat(load.acknowledged))
        self.assert_sound(self.server, known, recovers_within=None)

    def test_call_fails_once_or_for_a_while(self):
        rng = seeded_random()
        known = {}
        for call in ("sync", "write"):
            for error in (errno.EIO, errno.ENOSPC):
                for _ in range(ROUNDS):
                    load = SteadyLoad(self.server, rng.getrandbits(32))
                    nth = rng.randrange(1, 40)
                    times = rng.choice((1, 1, 3, 100))
                    self.faults.fail(call, nth, times, error)
                    time.sleep(rng.uniform(0.1, 0.3))
                    self.assert_recovers(load, known)
        for call in ("sync", "write"):
            self.assertGreater(self.faults.failed(call), 0, call)
        print({call: self.faults.failed(call) for call in CALLS}, len(known), "records")
        self.assertEqual(self.server.stop(), 0)
        self.assertEqual(self.stored_in_copy(self.server.database), known)

    def test_every_call_fails_until_the_disk_works(self):
        rng = seeded_random()
        known = {}
        for call in ("sync", "write"):
            for error in (errno.EIO, errno.ENOSPC, errno.EROFS):
                load = SteadyLoad(self.server, rng.getrandbits(32))
                time.sleep(0.1)
                self.faults.fail(call, error=error)
                self.await_failure(load)
                self.assert_recovers(load, known)
        # After six relapses: 64 s at most.
        self.assert_sound(self.server, known, recovers_within=90)

    def test_killed_while_the_disk_fails(self):
        """A commit whose sync failed may be durable or not, but never in part."""
        rng = seeded_random()
        known = {}
        for _ in range(ROUNDS):
            load = SteadyLoad(self.server, rng.getrandbits(32))
            self.faults.fail(rng.choice(("sync", "write")), rng.randrange(1, 30))
            self.await_failure(load)
            address = self.server.address
            self.server.kill()
            self.faults.stop_failing()
            self.server = self.start_server(wrapper=self.faults.wrapper, listen=address)
            load.stop()
            self.assertEqual(load.wrong, [])
            known.update(flat(load.acknowledged))
            self.assert_sound(self.server, known)

    def test_reads_work_while_writes_fail(self):
        rng = seeded_random()
        known = {r.record_id: r for r in (random_record(rng) for _ in range(200))}
        client = self.connect(self.server)
        client.report(PROJECT, known.values())
        self.faults.fail("write", error=errno.ENOSPC)
        with self.assertRaises(grpc.RpcError) as raised:
            client.report(PROJECT, [make_record("later")])
        failure = failure_of(raised.exception)
        self.assertEqual(
            (failure.code, failure.reason), (grpc.StatusCode.UNAVAILABLE, "STORE_FAILED")
        )
        self.assertNotIn(self.folder, failure.message)
        self.await_health(client, NOT_SERVING)
        self.assert_sound(self.server, known, recovers_within=None)

    def test_start_on_a_failing_disk(self):
        """It fails with one line, and changes nothing."""
        known = {"a": make_record("a")}
        self.connect(self.server).report(PROJECT, known.values())
        for call, error in (
            ("write", errno.EIO),
            ("write", errno.ENOSPC),
            ("truncate", errno.EIO),
            ("truncate", errno.ENOSPC),
        ):
            self.server.kill()
            before = self.faults.failed(call)
            self.faults.fail(call, error=error)
            with self.assertRaisesRegex(RuntimeError, r"tokenusage: [^\n]*usage.db"):
                self.start_server(wrapper=self.faults.wrapper)
            self.assertGreater(self.faults.failed(call), before)
            self.faults.stop_failing()
            self.server = self.start_server(wrapper=self.faults.wrapper)
            self.assert_sound(self.server, known)


class DamageAtRunTimeTest(DurableTest):
    def test_garbage_under_a_running_service(self):
        """Calls that meet the damage fail as STORE_DAMAGED; all answers are right."""
        rng = seeded_random()
        known = {r.record_id: r for r in (random_record(rng) for _ in range(2000))}
        server = self.start_server()
        client = self.connect(server)
        reported = list(known.values())
        for start in range(0, len(reported), 500):
            client.report(PROJECT, reported[start : start + 500])
        self.assertEqual(server.stop(), 0)
        client.close()

        server = self.start_server()
        client = self.connect(server)
        size = os.path.getsize(server.database)
        with open(server.database, "r+b") as file:
            for page in range(2, size // PAGE, 2):
                file.seek(page * PAGE)
                file.write(bytes(rng.getrandbits(8) for _ in range(200)))
        damaged = 0
        for record in reported[::50]:
            try:
                found = client.get(PROJECT, record.record_id)
            except grpc.RpcError as error:
                failure = failure_of(error)
                self.assertEqual(
                    (failure.code, failure.reason),
                    (grpc.StatusCode.DATA_LOSS, "STORE_DAMAGED"),
                )
                damaged += 1
                continue
            self.assertEqual(as_reported(found), record)
        self.assertGreater(damaged, 0)
        self.await_health(client, NOT_SERVING)
        with contextlib.suppress(grpc.RpcError):
            rows = client.query_all(PROJECT, *oracle.ALL_TIME)
            self.assertEqual(
                list(map(oracle.row_of, rows)), oracle.expected_rows(reported)
            )
        self.assertIn("the store failed", server.log())
        self.assertIsNone(server.process.poll())


if __name__ == "__main__":
    junit.main()
