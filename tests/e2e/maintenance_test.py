# SPDX-License-Identifier: Apache-2.0
"""Database maintenance: check, rebuild, backup, delete and retention."""

import collections
import concurrent.futures
import contextlib
import os
import sqlite3
import subprocess
import time

import grpc

from harness import junit, oracle, program
from harness.client import UsageClient, failure_of
from harness.durable import DurableTest
from harness.load import PROJECT, Load, SteadyLoad, flat
from harness.records import make_record, random_record
from harness.testcase import seeded_random
from tokenusage.v1 import usage_reporting_service_pb2 as service_pb2

# How often a process is killed while it works.
ROUNDS = int(os.environ.get("TOKENUSAGE_MAINTENANCE_ROUNDS", "6"))

SECOND = 10**9
HOUR = 3600 * SECOND
BEFORE_HORIZON = service_pb2.RECORD_ERROR_REASON_BEFORE_HORIZON


def now():
    return time.time_ns()


class RecentLoad(SteadyLoad):
    """A load of records of the last ten minutes."""

    corrects = False  # what they would correct may be removed

    @staticmethod
    def _random_batch(rng):
        size = rng.choice((1, 5, 40))
        return [
            random_record(rng, time=now() - rng.randrange(600 * SECOND))
            for _ in range(size)
        ]


def of_customer(rng, customer):
    record = random_record(rng)
    record.labels["customer"] = customer
    return record


class _OfCustomers:
    """Makes a load one of the customers "b" and "c"."""

    corrects = False  # what they would correct may be deleted
    slowest = 0.0  # the time of the slowest call, in seconds

    @staticmethod
    def _random_batch(rng):
        return [of_customer(rng, rng.choice("bc")) for _ in range(rng.choice((1, 5, 40)))]

    def _try(self, *args):
        start = time.monotonic()
        succeeded = super()._try(*args)
        self.slowest = max(self.slowest, time.monotonic() - start)
        return succeeded


class SteadyCustomerLoad(_OfCustomers, SteadyLoad):
    pass


class CustomerLoad(_OfCustomers, Load):
    pass


class MaintenanceTest(DurableTest):
    def db(self, command, *args, name="usage.db", **kwargs):
        """Runs `tokenusage db COMMAND` on a database of the test's folder."""
        store = "--store=sqlite://" + self.path(name)
        return program.run("db", command, store, *args, **kwargs)

    def assert_intact(self, name="usage.db"):
        """Asserts that `db check` finds no problem; returns how many records it checked."""
        outcome = self.db("check", name=name)
        self.assertEqual(outcome.exit_code, 0, outcome)
        self.assertRegex(outcome.stdout, rb"\Arecords \d+, rollups \d+, problems 0\n\Z")
        return int(outcome.stdout.split()[1].rstrip(b","))

    def deletions(self):
        """Returns the fields of each line of `db deletions`."""
        outcome = self.db("deletions")
        self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""), outcome)
        return [line.split("\t") for line in outcome.stdout.decode().splitlines()]

    def change(self, sql, name="usage.db"):
        with contextlib.closing(sqlite3.connect(self.path(name))) as database:
            database.execute(sql)
            database.commit()

    def rows(self, server, project=PROJECT, **fields):
        with contextlib.closing(UsageClient(server.address)) as client:
            rows = client.query_all(project, *oracle.ALL_TIME, **fields)
        return list(map(oracle.row_of, rows))

    def make_database(self, reported, project=PROJECT):
        server = self.start_server()
        with contextlib.closing(UsageClient(server.address)) as client:
            for first in range(0, len(reported), 1000):
                client.report(project, reported[first : first + 1000])
        self.assertEqual(server.stop(), 0)


class BackupTest(MaintenanceTest):
    def test_backup_under_load_is_one_moment(self):
        """It holds every record acknowledged before, only whole batches, and exact totals."""
        rng = seeded_random()
        server = self.start_server()
        load = SteadyLoad(server, rng.getrandbits(32))
        copies = []
        for number in range(3):
            time.sleep(rng.uniform(0.2, 0.5))
            before = flat(list(load.acknowledged))
            copies.append(("copy-%d.db" % number, before))
            outcome = self.db("backup", self.path(copies[-1][0]))
            self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""), outcome)
            self.assert_intact()  # the original, meanwhile
        load.stop()
        self.assertEqual((load.wrong, load.codes), ([], set()))
        everything = flat(load.acknowledged)
        self.assert_sound(server, everything)
        for name, before in copies:
            self.assertEqual(self.assert_intact(name), len(self.restored(name, everything)))
            self.assertLessEqual(before.keys(), self.restored(name, everything).keys())
            restored = self.restored(name, everything)
            for batch in load.acknowledged:
                part = [record.record_id in restored for record in batch]
                self.assertIn(part, ([True] * len(batch), [False] * len(batch)))
            self.assert_sound(self.start_server(name), restored)

    def restored(self, name, everything):
        stored = self.stored_in_copy(self.path(name))
        self.assertEqual(stored, {k: everything[k] for k in stored})
        return stored

    def test_a_backup_that_is_killed_leaves_no_copy(self):
        rng = seeded_random()
        self.make_database([random_record(rng) for _ in range(5000)])
        for number in range(ROUNDS):
            copy = "copy-%d.db" % number
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.db("backup", self.path(copy), timeout=rng.uniform(0.01, 0.1))
            if os.path.exists(self.path(copy)):
                self.assertEqual(self.assert_intact(copy), 5000)
        self.assertEqual(self.assert_intact(), 5000)

    def test_backups_to_one_name_at_once(self):
        self.make_database([make_record("a")])
        copy = self.path("copy.db")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(lambda _: self.db("backup", copy), range(8)))
        self.assertEqual(sum(o.exit_code == 0 for o in outcomes), 1, outcomes)
        for outcome in outcomes:
            if outcome.exit_code != 0:
                self.assert_one_line_error(outcome, 1, copy, "already exists")
        self.assertEqual(self.assert_intact("copy.db"), 1)

    def test_a_backup_never_replaces_a_file(self):
        self.make_database([make_record("a")])
        file = self.write("there", b"precious")
        outcome = self.db("backup", file)
        self.assert_one_line_error(outcome, 1, file, "already exists")
        with open(file, "rb") as there:
            self.assertEqual(there.read(), b"precious")
        # Nor the database itself.
        os.symlink(self.path("usage.db"), self.path("link.db"))
        for name in ("usage.db", "link.db"):
            outcome = self.db("backup", self.path(name))
            self.assert_one_line_error(outcome, 1, "usage.db", "already exists")
        self.assertEqual(self.assert_intact(), 1)
        missing = self.path("no-such-folder/copy.db")
        self.assert_one_line_error(self.db("backup", missing), 1, "no-such-folder")


class CheckTest(MaintenanceTest):
    def test_problems_are_named_and_repaired(self):
        rng = seeded_random()
        reported = [random_record(rng) for _ in range(3000)]
        self.make_database(reported)
        self.assertEqual(self.assert_intact(), 3000)
        for change, repaired in (
            (
                "UPDATE rollup_quarter SET unknown_usage_record_count="
                "1-unknown_usage_record_count WHERE series_id=1",
                True,
            ),
            (
                "UPDATE rollup_hour SET measure_sums="
                "(SELECT measure_sums FROM rollup_quarter WHERE series_id=3) "
                "WHERE series_id=2",
                True,
            ),
            ("DELETE FROM rollup_hour WHERE series_id=3", True),
            ("DELETE FROM usage_record WHERE row_id=7", False),
        ):
            with self.subTest(change):
                self.change(change)
                outcome = self.db("check", "--max-problems=5")
                self.assertEqual(outcome.exit_code, 2, outcome)
                lines = outcome.stdout.decode().splitlines()
                self.assertRegex(
                    lines[0],
                    r"\Aproject demo: rollup: operation \".*\", provider \".*\", model "
                    r"\".*\", \S+ to \S+, [a-z_.]+: expected \S+, found \S+\Z",
                )
                self.assertLessEqual(len(lines), 6)
                self.assertRegex(lines[-1], r"\Arecords \d+, rollups \d+, problems [1-9]")
                rebuilt = self.db("rebuild-rollups")
                self.assertEqual(rebuilt.exit_code, 0, rebuilt)
                self.assert_intact()
                if repaired:
                    server = self.start_server()
                    self.assert_totals(server, reported)
                    self.assertEqual(server.stop(), 0)

    def test_a_damaged_page_is_named(self):
        rng = seeded_random()
        self.make_database([random_record(rng) for _ in range(2000)])
        with contextlib.closing(sqlite3.connect(self.path("usage.db"))) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (page,) = database.execute(
                "SELECT rootpage FROM sqlite_master WHERE name='rollup_hour'"
            ).fetchone()
        with open(self.path("usage.db"), "r+b") as file:
            file.seek(4096 * (page - 1))
            file.write(b"\xff" * 16)
        outcome = self.db("check")
        self.assertEqual(outcome.exit_code, 2, outcome)
        *problems, counts = outcome.stdout.decode().splitlines()
        for problem in problems:  # each is one line
            self.assertRegex(problem, r"\A(project demo: )?(storage|record|rollup): \S")
        self.assertIn("storage: ", problems[0])
        self.assertRegex(counts, r"\Arecords \d+, rollups \d+, problems %d\Z" % len(problems))
        outcome = self.db("backup", self.path("copy.db"))
        self.assert_one_line_error(outcome, 2, "damaged")
        self.assertFalse(os.path.exists(self.path("copy.db")))

    def test_a_rebuild_is_refused_while_a_service_runs(self):
        server = self.start_server()
        with contextlib.closing(UsageClient(server.address)) as client:
            client.report(PROJECT, [make_record("a")])
        outcome = self.db("rebuild-rollups")
        holder = "process %d" % server.process.pid
        self.assert_one_line_error(outcome, 1, "usage.db.lock", holder)
        self.assertEqual(self.assert_intact(), 1)

    def test_a_rebuild_that_is_killed_has_changed_nothing(self):
        rng = seeded_random()
        self.make_database([random_record(rng) for _ in range(10000)])
        self.change("UPDATE rollup_hour SET record_count=record_count+1")
        wrong = self.db("check").stdout.splitlines()[-1]
        for _ in range(ROUNDS):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.db("rebuild-rollups", timeout=rng.uniform(0.01, 0.3))
            last = self.db("check").stdout.splitlines()[-1]
            if last.endswith(b"problems 0"):
                break  # it had finished
            self.assertEqual(last, wrong)
        self.assertEqual(self.db("rebuild-rollups").exit_code, 0)
        self.assertEqual(self.assert_intact(), 10000)


class ReadOnlyTest(MaintenanceTest):
    """Databases on a file system that is mounted read-only."""

    NAME = "usage %41?#.db"  # has to be escaped for SQLite

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("rw"))
        os.mkdir(self.path("ro"))
        self.wrapper = [
            *("unshare", "--mount", "sh", "-c"),
            'mount --bind "$0" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"',
            *(self.path("rw"), self.path("ro")),
        ]
        if os.geteuid() != 0:
            self.wrapper.insert(1, "--map-root-user")
        tried = subprocess.run([*self.wrapper, "true"], capture_output=True)
        if tried.returncode != 0:
            self.skipTest("no mounts: " + tried.stderr.decode(errors="replace"))

    def report(self, server, count):
        with contextlib.closing(UsageClient(server.address)) as client:
            for i in range(count):
                client.report(PROJECT, [make_record("r%d" % i)])

    def assert_read(self, count):
        """Asserts that `db check` and `db backup` find `count` records, and change nothing."""
        before = {
            entry.name: (entry.stat().st_size, entry.stat().st_mtime_ns)
            for entry in os.scandir(self.path("rw"))
        }
        read_only = "--store=sqlite://" + self.path("ro/" + self.NAME)
        outcome = program.run("db", "check", read_only, wrapper=self.wrapper)
        self.assertEqual(outcome.exit_code, 0, outcome)
        self.assertTrue(outcome.stdout.startswith(b"records %d," % count), outcome)
        copy = "copy-%d.db" % len(os.listdir(self.folder))
        outcome = program.run("db", "backup", read_only, self.path(copy), wrapper=self.wrapper)
        self.assertEqual(outcome.exit_code, 0, outcome)
        self.assertEqual(self.assert_intact(copy), count)
        after = {
            entry.name: (entry.stat().st_size, entry.stat().st_mtime_ns)
            for entry in os.scandir(self.path("rw"))
        }
        self.assertEqual(after, before)

    def test_while_it_is_served_and_after(self):
        database = "rw/" + self.NAME
        server = self.start_server(database, log_path=self.path("log"))
        self.report(server, 5)
        with self.subTest("a service writes to it"):
            self.assert_read(5)
        server.kill()
        with self.subTest("after a crash"):
            self.assertGreater(os.path.getsize(self.path(database + "-wal")), 0)
            self.assert_read(5)
        with self.subTest("a copy of the database and its log"):
            os.remove(self.path(database + "-shm"))
            self.assert_read(5)
        self.assertEqual(self.start_server(database, log_path=self.path("log")).stop(), 0)
        self.assertFalse(os.path.exists(self.path(database + "-wal")))
        with self.subTest("after a clean shutdown"):
            self.assert_read(5)

    def test_what_writes_says_why_it_cannot(self):
        server = self.start_server("rw/" + self.NAME, log_path=self.path("log"))
        self.report(server, 1)
        self.assertEqual(server.stop(), 0)
        read_only = "--store=sqlite://" + self.path("ro/" + self.NAME)
        for command in (["retain", read_only, PROJECT, "30d"], ["rebuild-rollups", read_only]):
            with self.subTest(command):
                outcome = program.run("db", *command, wrapper=self.wrapper)
                self.assertRegex(outcome.stderr, b"(?i)read-?only")
                self.assertEqual(outcome.exit_code, 1, outcome)


class MigrateTest(MaintenanceTest):
    def test_a_sqlite_database_needs_no_migration(self):
        outcome = self.db("migrate")
        self.assert_one_line_error(outcome, 64, "--store", "needs no migration")


class DeleteProjectTest(MaintenanceTest):
    def test_only_the_named_project_is_removed(self):
        rng = seeded_random()
        mine = [random_record(rng) for _ in range(500)]
        self.make_database(mine)
        self.make_database(mine, "other")
        for typed, exit_code in ((b"", 64), (b"dem\n", 64), (b"demo\n", 0)):
            outcome = self.db("delete-project", "--project=demo", stdin=typed)
            self.assertEqual(outcome.exit_code, exit_code, outcome)
        self.assertEqual(outcome.stdout, b"removed records 500\n")
        again = self.db("delete-project", "--project=demo", "--yes")
        self.assert_one_line_error(again, 1, "no project demo")
        self.assertEqual(
            [fields[1:] for fields in self.deletions()], [["demo", "500", "the whole project"]]
        )
        self.assertEqual(self.assert_intact(), 500)
        server = self.start_server()
        self.assertEqual(self.rows(server), [])
        self.assertEqual(self.rows(server, "other"), oracle.expected_rows(mine))
        with contextlib.closing(UsageClient(server.address)) as client:
            self.assertEqual(client.report(PROJECT, mine).stored_count, 500)

    def test_a_deletion_that_is_killed_can_be_finished(self):
        rng = seeded_random()
        mine = [random_record(rng) for _ in range(4000)]
        for _ in range(ROUNDS):
            self.make_database(mine)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.db(
                    "delete-project",
                    "--project=demo",
                    "--yes",
                    timeout=rng.uniform(0.02, 0.2),
                )
            self.assertEqual(self.db("check").exit_code, 0)
            server = self.start_server()
            rows = self.rows(server)
            self.assertIn(rows, ([], oracle.expected_rows(mine)))
            self.assertEqual(server.stop(), 0)
            self.db("delete-project", "--project=demo", "--yes")
            self.assertEqual(self.assert_intact(), 0)
            with contextlib.closing(sqlite3.connect(self.path("usage.db"))) as database:
                for table in ("project", "series", "usage_record", "rollup_hour"):
                    found = database.execute("SELECT count(*) FROM " + table).fetchone()
                    self.assertEqual(found, (0,), table)


class DeleteRecordsTest(MaintenanceTest):
    CUSTOMER_A = ("delete-records", "--project=" + PROJECT, "--filter=labels.customer=a")

    def deleted_count(self):
        return sum(int(fields[2]) for fields in self.deletions() if fields[1] == PROJECT)

    def test_one_customer_under_load_and_kills(self):
        """Totals are those of the others, and no call waits for long or fails."""
        rng = seeded_random()
        old = [of_customer(rng, rng.choice("abc")) for _ in range(6000)]
        self.make_database(old)
        self.make_database(old, "other")
        server = self.start_server()
        load = SteadyCustomerLoad(server, rng.getrandbits(32))
        for _ in range(ROUNDS):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.db(*self.CUSTOMER_A, "--yes", timeout=rng.uniform(0.03, 0.3))
        outcome = self.db(*self.CUSTOMER_A, "--yes")
        self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""), outcome)
        outcome = self.db("delete-project", "--project=other", "--yes")
        self.assertEqual(outcome.exit_code, 0, outcome)
        load.stop()
        self.assertEqual((load.wrong, load.codes), ([], set()))
        print("the slowest of %d batches took %.3f s" % (len(load.acknowledged), load.slowest))
        self.assertLess(load.slowest, 20)
        kept = flat([[r for r in old if r.labels["customer"] != "a"], *load.acknowledged])
        self.assert_sound(server, kept)
        self.assertEqual(self.rows(server, "other"), [])
        customers = collections.Counter(r.labels["customer"] for r in old)
        self.assertEqual(self.deleted_count(), customers["a"])
        self.assertEqual(self.assert_intact(), len(kept))
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.assert_intact(), len(kept))

    def test_a_service_that_is_killed_meanwhile(self):
        """Nothing that it acknowledged is lost, and its totals are those of its records."""
        rng = seeded_random()
        batches = []
        for _ in range(ROUNDS):
            server = self.start_server()
            with contextlib.closing(UsageClient(server.address)) as client:
                for _ in range(2):
                    client.report(PROJECT, [of_customer(rng, "a") for _ in range(800)])
            load = CustomerLoad(server, rng.getrandbits(32))
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                deletion = pool.submit(self.db, *self.CUSTOMER_A, "--yes")
                time.sleep(rng.uniform(0, 0.3))
                server.kill()
                load.join()
                outcome = deletion.result()
            self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""), outcome)
            self.assertEqual(outcome.stdout, b"deleted records 1600\n")
            self.assertEqual(load.wrong, [])
            batches += load.acknowledged
            server = self.start_server()
            with contextlib.closing(UsageClient(server.address)) as client:
                listed = client.list_all(PROJECT, *oracle.ALL_TIME)
            self.assertEqual({r.labels["customer"] for r in listed} - {"b", "c"}, set())
            missing = flat(batches).keys() - {record.record_id for record in listed}
            self.assertEqual(missing, set())
            self.assert_totals(server, listed)
            self.assertEqual(self.assert_intact(), len(listed))
            self.assertEqual(server.stop(), 0)

    def test_what_is_deleted_and_what_is_said(self):
        rng = seeded_random()
        mine = [of_customer(rng, "abc"[i % 3]) for i in range(30)]
        self.make_database(mine)
        self.assert_output(self.db(*self.CUSTOMER_A, "--dry-run"), "would delete records 10\n")
        outcome = self.db(*self.CUSTOMER_A, stdin=b"dem\n")
        self.assertEqual(outcome.exit_code, 64, outcome)
        self.assertIn(b'labels.customer="a"', outcome.stderr)
        self.assertEqual(self.assert_intact(), 30)
        self.assertEqual(self.deletions(), [])
        outcome = self.db(*self.CUSTOMER_A, stdin=b"demo\n")
        self.assertEqual(outcome.stdout, b"deleted records 10\n")
        one = "--filter=record_id=" + mine[1].record_id
        command = ("delete-records", "--project=" + PROJECT, "--yes")
        for count in (1, 0):
            self.assert_output(self.db(*command, one), "deleted records %d\n" % count)
        self.assertEqual(
            [fields[1:] for fields in self.deletions()],
            [
                [PROJECT, "10", 'labels.customer="a"'],
                [PROJECT, "1", 'record_id="%s"' % mine[1].record_id],
            ],
        )
        for flags in (
            (),
            ("--start=2026-01-01",),
            ("--filter=labels.Customer=a",),
            ("--filter=project=demo",),
            ("--filter=record_id=",),
            ("--filter=customer",),
            ("--filter=model=m", "--start=2026-01-02", "--end=2026-01-01"),
        ):
            with self.subTest(flags):
                self.assert_one_line_error(self.db(*command, *flags), 64, "expected")
        for flags in ("--dry-run", "--yes"):
            outcome = self.db("delete-records", "--project=demp", "--filter=model=m", flags)
            self.assert_one_line_error(outcome, 1, "no project demp")
        self.assertEqual(self.assert_intact(), 19)
        # An id that was deleted is free: a repeat is stored as new.
        server = self.start_server()
        with contextlib.closing(UsageClient(server.address)) as client:
            response = client.report(PROJECT, mine)
        self.assertEqual((response.stored_count, response.duplicate_count), (11, 19))
        self.assert_totals(server, mine)


class RetentionTest(MaintenanceTest):
    def setUp(self):
        super().setUp()
        self.rng = seeded_random()
        # Of the last three days, so that --retain=1d removes about two thirds.
        self.old = [
            random_record(self.rng, time=now() - self.rng.randrange(72 * HOUR))
            for _ in range(6000)
        ] + [make_record("newest", now())]
        self.make_database(self.old)

    def await_removal(self, server):
        """Waits until the records before the horizon are removed; returns the horizon."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.closing(
                sqlite3.connect("file:%s?mode=ro" % self.path("usage.db"), uri=True)
            ) as database:
                row = database.execute("SELECT horizon FROM retention").fetchone()
            outcome = self.db("check")
            self.assertEqual(outcome.exit_code, 0, outcome)
            # A check says how many records before the horizon are left.
            if row and row[0] and not outcome.stderr:
                return row[0] * SECOND
            time.sleep(0.1)
        raise TimeoutError("nothing was removed: " + server.log())

    def assert_totals_are_kept(self, server, everything):
        for bucket, zone in (("hour", "UTC"), ("day", "Asia/Kathmandu"), ("none", "UTC")):
            rows = self.rows(
                server,
                bucket=service_pb2.TimeBucket.Value("TIME_BUCKET_" + bucket.upper()),
                time_zone=zone,
                group_by=["model"],
            )
            self.assertEqual(
                rows, oracle.expected_rows(everything, bucket, zone, group_by=["model"])
            )

    def test_under_load_totals_are_kept_and_records_removed(self):
        started = now()
        server = self.start_server("usage.db", "--retain=1d")
        load = RecentLoad(server, self.rng.getrandbits(32))
        horizon = self.await_removal(server)
        load.stop()
        self.assertEqual((load.wrong, load.codes), ([], set()))
        everything = self.old + list(flat(load.acknowledged).values())
        self.assertEqual(horizon % HOUR, 0)
        self.assertLessEqual(started - 25 * HOUR - 600 * SECOND, horizon)
        self.assertLessEqual(horizon, now() - 24 * HOUR)
        self.assert_totals_are_kept(server, everything)

        kept = [r for r in everything if r.event_time.seconds * SECOND >= horizon]
        client = self.connect(server)
        listed = client.list_all(PROJECT, horizon, oracle.ALL_TIME[1])
        self.assertEqual({r.record_id for r in listed}, {r.record_id for r in kept})
        self.assertEqual(self.assert_intact(), len(kept))
        for call in (
            lambda: client.list(PROJECT, horizon - 1, oracle.ALL_TIME[1]),
            lambda: client.query(PROJECT, horizon - 1, oracle.ALL_TIME[1]),
            lambda: client.query(PROJECT, *oracle.ALL_TIME, group_by=["labels.team"]),
        ):
            with self.assertRaises(grpc.RpcError) as raised:
                call()
            failure = failure_of(raised.exception)
            self.assertEqual(failure.code, grpc.StatusCode.FAILED_PRECONDITION)
            self.assertEqual(failure.reason, "WINDOW_BEFORE_HORIZON")
            text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(horizon // SECOND))
            self.assertEqual(failure.metadata["horizon"], text)
        response = client.report(PROJECT, [make_record("late", horizon - 1), kept[0]])
        self.assertEqual((response.stored_count, response.duplicate_count), (0, 1))
        (error,) = response.errors
        self.assertEqual((error.reason, error.field), (BEFORE_HORIZON, "event_time"))

    def test_a_retention_of_its_own_and_the_default_window(self):
        """`db retain` works while a service runs; `list` and `query` need no --start."""
        server = self.start_server()
        self.assert_output(self.db("retain", PROJECT, "24h"), "")
        self.assert_one_line_error(self.db("retain", "none", "1d"), 1, "no project none")
        self.assert_one_line_error(self.db("retain", PROJECT, "1w"), 64, "TIME")
        self.assertEqual(server.stop(), 0)
        server = self.start_server()  # without --retain
        horizon = self.await_removal(server)
        text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(horizon // SECOND))
        kept = [r for r in self.old if r.event_time.seconds * SECOND >= horizon]
        flags = ("--server=" + server.address, "--project=" + PROJECT)
        outcome = program.run("list", *flags)
        self.assertEqual(outcome.exit_code, 0, outcome)
        self.assertEqual(len(outcome.stdout.splitlines()), len(kept))
        self.assertIn(text.encode() + b" were removed", outcome.stderr)
        outcome = program.run("query", "--group-by=labels.team", *flags)
        self.assertEqual(outcome.exit_code, 0, outcome)
        outcome = program.run("list", *flags, "--start=2001-01-01")
        self.assertEqual(outcome.exit_code, 1, outcome)
        self.assertEqual(self.db("retain", PROJECT, "default").exit_code, 0)

    def test_killed_while_it_removes_records(self):
        for _ in range(ROUNDS):
            server = self.start_server("usage.db", "--retain=1d")
            time.sleep(self.rng.uniform(0, 0.1))
            server.kill()
            self.assertEqual(self.db("check").exit_code, 0)
            server = self.start_server()
            self.assert_totals_are_kept(server, self.old)
            self.assertEqual(server.stop(), 0)
        server = self.start_server("usage.db", "--retain=1d")
        self.await_removal(server)
        self.assert_totals_are_kept(server, self.old)
        self.assertEqual(server.stop(), 0)

    def test_retain_refuses_other_values(self):
        for value in ("0d", "90", "d", "1.5d", "-1d", "36501d", "90 d", "1w"):
            store = "--store=sqlite://" + self.path("usage.db")
            outcome = program.run("serve", store, "--retain=" + value)
            self.assert_one_line_error(outcome, 64, "--retain", value)


if __name__ == "__main__":
    junit.main()
