# SPDX-License-Identifier: Apache-2.0
"""Acknowledged records are kept, once, whenever the service dies.

TOKENUSAGE_KILL_CYCLES=1000 kills it that often (default 50).
"""

import concurrent.futures
import contextlib
import os
import signal
import sqlite3
import subprocess
import time

import grpc

from harness import junit, oracle, program, records
from harness.client import UsageClient
from harness.durable import DurableTest
from harness.load import PROJECT, Load, flat
from harness.records import make_record
from harness.testcase import seeded_random
from tokenusage.v1 import usage_reporting_service_pb2 as service_pb2

CYCLES = int(os.environ.get("TOKENUSAGE_KILL_CYCLES", "50"))
CYCLES_PER_DATABASE = 5


class DurabilityTest(DurableTest):
    def test_killed_at_random_moments_under_load(self):
        rng = seeded_random()
        recovered = 0
        for number in range(0, CYCLES, CYCLES_PER_DATABASE):
            name = "usage-%d.db" % number
            known = {}  # everything that must be there
            server = self.start_server(name)
            for _ in range(min(CYCLES_PER_DATABASE, CYCLES - number)):
                load = Load(server, rng.getrandbits(32))
                time.sleep(rng.uniform(0.02, 0.3))
                server.kill()
                load.join()
                self.assertEqual(load.wrong, [])
                self.assertLessEqual(load.codes, {grpc.StatusCode.UNAVAILABLE})
                known.update(flat(load.acknowledged))

                stored = self.stored_in_copy(self.path(name))
                self.assertEqual({k: v for k, v in stored.items() if k in known}, known)
                rest = {k: v for k, v in stored.items() if k not in known}
                for batch in load.unknown:  # all of a batch, or nothing
                    part = [rest.pop(r.record_id, None) for r in batch]
                    self.assertIn(part, (batch, [None] * len(batch)))
                    recovered += part[0] is not None
                self.assertEqual(rest, {})

                server = self.start_server(name)
                self.assert_totals(server, stored.values())
                self.resend(server, load.unknown, stored)
                known.update(flat(load.unknown))
            self.assert_listed(server, known)
            self.assert_totals(server, known.values())
            self.assertEqual(server.stop(), 0)
            self.assertEqual(self.stored_in_copy(self.path(name)), known)
            print(
                "%d records; %d batches were durable but not acknowledged"
                % (len(known), recovered)
            )

    def test_killed_while_it_starts(self):
        rng = seeded_random()
        server = self.start_server()
        load = Load(server, rng.getrandbits(32))
        time.sleep(0.2)
        server.kill()
        load.join()
        stored = self.stored_in_copy(server.database)
        serve = ["serve", "--store=sqlite://" + server.database, "--listen=127.0.0.1:0"]
        for _ in range(10):
            with self.assertRaises(subprocess.TimeoutExpired):  # killed with SIGKILL
                program.run(*serve, timeout=rng.uniform(0, 0.1))
        server = self.start_server()
        self.assert_listed(server, stored)
        self.assert_totals(server, stored.values())

    def test_killed_while_it_creates_its_database(self):
        """The next start works, whatever the killed one left."""
        rng = seeded_random()
        for number in range(10):
            name = "new-%d.db" % number
            serve = ["serve", "--store=sqlite://" + self.path(name)]
            with self.assertRaises(subprocess.TimeoutExpired):
                timeout = rng.uniform(0.005, 0.08)
                program.run(*serve, "--listen=127.0.0.1:0", timeout=timeout)
            server = self.start_server(name)
            with contextlib.closing(UsageClient(server.address)) as client:
                client.report(PROJECT, [make_record("a")])
            server.kill()
            self.assertEqual(list(self.stored_in_copy(self.path(name))), ["a"])

    def test_file_is_reported_over_a_restart(self):
        """`report` retries, or says what to do; then every line is counted once."""
        rng = seeded_random()
        lines = 20000
        file = self.path("usage.jsonl")
        with open(file, "w", encoding="utf-8") as output:
            output.write((records.FRACTIONAL_JSON + "\n") * lines)
        for number, end in enumerate(("kill", "stop", "stop")):
            name = "%d.db" % number
            server = self.start_server(name)
            command = [
                "report",
                "--server=" + server.address,
                "--project=" + PROJECT,
                "--message=PostV2ProxyImagesEditsUsage",
                "--record-id=line-{line}",
                "--event-time=2024-05-01T12:00:00Z",
                "--operation=images.edits",
                file,
            ]
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                report = pool.submit(program.run, *command)
                time.sleep(rng.uniform(0.05, 0.4))
                getattr(server, end)()
                server = self.start_server(name, listen=server.address)
                outcome = report.result(60)
            print(end, outcome)
            self.assertIn(outcome.exit_code, (0, 69))
            self.assertEqual(outcome.stderr.count(b"\n"), outcome.exit_code != 0)
            again = program.run(*command)
            self.assertEqual((again.exit_code, again.stderr), (0, b""))
            with contextlib.closing(UsageClient(server.address)) as client:
                (row,) = client.query_all(PROJECT, *oracle.ALL_TIME)
            self.assertEqual(row.totals.record_count, lines)
            self.assertEqual(
                list(oracle.row_of(row).totals),
                [oracle.sum_texts([c] * lines) for c in records.FRACTIONAL],
            )

    def test_terminated_under_load(self):
        """At SIGTERM a call is acknowledged, or nothing of it is stored."""
        rng = seeded_random()
        server = self.start_server()
        known = {}
        for _ in range(3):
            load = Load(server, rng.getrandbits(32))
            time.sleep(rng.uniform(0.1, 0.3))
            started = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - started, 10)
            load.join()
            self.assertEqual(load.wrong, [])
            # gRPC cancels calls that arrive just when it shuts down.
            ended = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
            self.assertLessEqual(load.codes, ended)
            known.update(flat(load.acknowledged))
            self.assertEqual(self.stored_in_copy(server.database), known)
            server = self.start_server()
            self.resend(server, load.unknown, known)
            known.update(flat(load.unknown))
            self.assert_totals(server, known.values())

    def test_termination_waits_for_active_calls(self):
        """Calls that wait for the disk when SIGTERM comes are answered."""
        server = self.start_server()
        client = self.connect(server)
        batches = [[make_record("%d-%d" % (i, j)) for j in range(50)] for i in range(8)]
        client.report(PROJECT, batches[0])
        other = sqlite3.connect(server.database, isolation_level=None)
        with contextlib.closing(other), concurrent.futures.ThreadPoolExecutor(8) as pool:
            other.execute("BEGIN IMMEDIATE")  # now the service cannot commit
            calls = [pool.submit(client.report, PROJECT, batch) for batch in batches]
            time.sleep(0.5)
            self.assertFalse(any(call.done() for call in calls))
            server.process.terminate()
            time.sleep(0.5)
            self.assertIsNone(server.process.poll())
            other.execute("ROLLBACK")
            answers = [call.result(30) for call in calls]
            client.close()
        self.assertEqual(server.process.wait(30), 0)
        self.assertEqual(sum(a.stored_count for a in answers), 350)
        self.assertEqual(sum(a.duplicate_count for a in answers), 50)
        self.assertEqual(self.stored_in_copy(server.database), flat(batches))

    def test_a_second_signal_stops_it_at_once(self):
        """It does not wait, and what it had not stored is lost."""
        server = self.start_server("usage.db", "--drain-seconds=60")
        client = self.connect(server)
        client.report(PROJECT, [make_record("stored")])
        other = sqlite3.connect(server.database, isolation_level=None)
        with contextlib.closing(other):
            # Now the service cannot commit, for the 5 s that it waits for a lock.
            other.execute("BEGIN IMMEDIATE")
            call = client.start(
                "ReportUsage",
                service_pb2.ReportUsageRequest(
                    project=PROJECT, records=[make_record("unknown")]
                ),
            )
            time.sleep(0.5)
            self.assertFalse(call.done())
            server.process.terminate()
            server.await_log("finishing active calls")
            server.process.terminate()
            self.assertEqual(server.process.wait(30), 1)
            self.assertEqual(call.code(), grpc.StatusCode.UNAVAILABLE)
        server.await_log("received a second signal: stopping at once")
        self.assertEqual(list(self.stored_in_copy(server.database)), ["stored"])

    def test_interrupt_is_like_termination(self):
        server = self.start_server()
        with contextlib.closing(UsageClient(server.address)) as client:
            client.report(PROJECT, [make_record("a")])
        server.process.send_signal(signal.SIGINT)
        self.assertEqual(server.process.wait(30), 0)
        self.assertEqual(list(self.stored_in_copy(server.database)), ["a"])


if __name__ == "__main__":
    junit.main()
