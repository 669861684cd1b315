# SPDX-License-Identifier: Apache-2.0
"""Files that the service must refuse, and disks that fill up."""

import contextlib
import hashlib
import os
import random
import socket
import sqlite3
import subprocess

import grpc

from harness import junit, oracle, program, records
from harness.client import UsageClient, failure_of
from harness.durable import DurableTest
from harness.load import PROJECT
from harness.records import make_record
from harness.testcase import MAX_RESIDENT, SERVING, EndToEndTest, seeded_random
from tokenusage.v1 import usage_reporting_service_pb2 as service_pb2

PAGE = 4096


def serve(database, *flags, **kwargs):
    """Runs a `serve` that is expected to fail."""
    store = "--store=sqlite://" + database
    return program.run("serve", store, "--listen=127.0.0.1:0", *flags, **kwargs)


def content(path):
    """Returns a file's bytes; None if it does not exist."""
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
        return file.read()
    return None


class FileTest(EndToEndTest):
    def files(self):
        """Returns the files of the test's folder with their hashes.

        Leaves out the servers' logs and the lock files.
        """
        return {
            name: hashlib.sha256(content(self.path(name))).hexdigest()
            for name in os.listdir(self.folder)
            if not name.endswith((".serve-log", ".lock"))
        }

    def make_database(self, count=200, name="usage.db"):
        """Creates a sound database; returns its records."""
        rng = random.Random(1)
        reported = [records.random_record(rng, "r%03d" % i) for i in range(count)]
        server = self.start_server(name)
        with contextlib.closing(UsageClient(server.address)) as client:
            client.report("demo", reported)
        self.assertEqual(server.stop(), 0)
        return reported

    def assert_left_alone(self, database, *words, is_ours=True):
        """Asserts that `serve` refuses a database in one line that names it, and changes no file.

        Beside a database of ours SQLite may leave its work files; the log must be empty.
        """
        before = self.files()
        outcome = serve(database)
        self.assertIn(outcome.exit_code, (1, 2))  # no database of ours, or damaged
        self.assert_one_line_error(outcome, outcome.exit_code, database, *words)
        after = self.files()
        self.assertEqual({k: v for k, v in after.items() if k in before}, before)
        added = set(after) - set(before)
        base = os.path.basename(database)
        self.assertLessEqual(added, {base + "-wal", base + "-shm"} if is_ours else set())
        self.assertFalse(content(database + "-wal"))


class RefusedFileTest(FileTest):
    def test_file_of_another_kind(self):
        for name, data in (
            ("notes.txt", b"Remember the milk.\n"),
            ("long.txt", b"Remember the milk.\n" * 1000),
            ("one-byte", b"\0"),
            ("zeros", bytes(8192)),
            ("header-only", b"SQLite format 3\0"),
        ):
            with self.subTest(name):
                self.assert_left_alone(self.write(name, data), is_ours=False)

    def test_database_of_another_program(self):
        path = self.path("other.db")
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("CREATE TABLE usage_record (record BLOB)")
            other.commit()
        self.assert_left_alone(path, "not a database of tokenusage", is_ours=False)
        with contextlib.closing(sqlite3.connect(path)) as other:
            self.assertEqual(other.execute("PRAGMA journal_mode=WAL").fetchone(), ("wal",))
        self.assert_left_alone(path, "not a database of tokenusage", is_ours=False)

    def test_empty_sqlite_database_of_another_program(self):
        """It has a header, but neither tables nor our application id."""
        path = self.path("empty.db")
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA application_id=7")
            other.commit()
        self.assert_left_alone(path, "not a database of tokenusage", is_ours=False)

    def test_newer_and_older_version(self):
        self.make_database()
        path = self.path("usage.db")
        with contextlib.closing(sqlite3.connect(path)) as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
        self.assertGreater(version, 0)
        for other in (version + 1, 2**31 - 1, 0):
            with self.subTest(other):
                with contextlib.closing(sqlite3.connect(path)) as database:
                    database.execute("PRAGMA user_version=%d" % other)
                    database.commit()
                self.assert_left_alone(path, "version %d" % other)

    def test_tables_that_something_else_changed(self):
        for name, change in (
            ("column.db", "ALTER TABLE usage_record ADD COLUMN note TEXT"),
            (
                "trigger.db",
                "CREATE TRIGGER t AFTER INSERT ON usage_record BEGIN SELECT 1; END",
            ),
            ("table.db", "DROP TABLE rollup_hour"),
        ):
            with self.subTest(change):
                self.make_database(5, name)
                with contextlib.closing(sqlite3.connect(self.path(name))) as database:
                    database.execute(change)
                    database.commit()
                self.assert_left_alone(self.path(name))

    def test_truncated(self):
        self.make_database()
        whole = content(self.path("usage.db"))
        pages = len(whole) // PAGE
        self.assertGreater(pages, 10)
        for size in (10, 99, 100, PAGE - 1, PAGE, PAGE * (pages // 2), len(whole) - PAGE):
            with self.subTest(size):
                self.assert_left_alone(self.write("cut-%d.db" % size, whole[:size]))

    def test_write_ahead_log_without_its_database(self):
        server = self.start_server()
        self.connect(server).report("demo", [make_record("a")])
        server.kill()
        self.assertGreater(os.path.getsize(self.path("usage.db-wal")), 0)
        os.remove(self.path("usage.db"))
        before = self.files()
        path = self.path("usage.db")
        self.assert_one_line_error(serve(path), 2, path, "write-ahead log")
        self.assertEqual(self.files(), before)

    def test_no_such_folder_and_no_file(self):
        missing = self.path("no-such-folder/usage.db")
        self.assert_one_line_error(serve(missing), 1, missing, "No such file")
        self.assert_one_line_error(serve(self.folder), 1, self.folder, "directory")
        self.assertEqual(os.listdir(self.folder), [])

    def test_second_hard_link(self):
        """Each name would have its own lock and its own log."""
        self.make_database()
        os.link(self.path("usage.db"), self.path("other.db"))
        for name in ("usage.db", "other.db"):
            self.assert_left_alone(self.path(name), "hard link", is_ours=False)

    def test_loop_of_links(self):
        os.symlink("b", self.path("a"))
        os.symlink("a", self.path("b"))
        self.assert_one_line_error(serve(self.path("a")), 1, self.path("a"))

    def test_folder_that_cannot_be_written(self):
        folder = Mount(self, "ro")
        outcome = serve(folder.path + "/usage.db", wrapper=folder.wrapper)
        self.assert_one_line_error(outcome, 1, folder.path, "Read-only")

    def test_folder_without_permission(self):
        if os.geteuid() == 0:
            self.skipTest("root may write everywhere")
        os.chmod(self.folder, 0o500)
        self.addCleanup(os.chmod, self.folder, 0o700)
        path = self.path("usage.db")
        self.assert_one_line_error(serve(path), 1, path, "Permission denied")

    def test_database_that_may_only_be_read(self):
        """SQLite opens it, and would refuse the first report."""
        wrapper = []
        if os.geteuid() == 0:  # who may write everywhere
            wrapper = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
            if subprocess.run([*wrapper, "true"], capture_output=True).returncode != 0:
                self.skipTest("root keeps its right to write everywhere")
        self.make_database()
        server = self.start_server()
        with contextlib.closing(UsageClient(server.address)) as client:
            client.report("demo", [make_record("a")])
        server.kill()  # so that there is a log
        for suffix in ("", "-wal", "-shm"):
            with self.subTest(suffix):
                path = self.path("usage.db" + suffix)
                os.chmod(path, 0o444)
                outcome = serve(self.path("usage.db"), wrapper=wrapper)
                self.assert_one_line_error(
                    outcome, 1, path + " belongs to uid", "cannot be written"
                )
                os.chmod(path, 0o644)


class DamagedFileTest(FileTest):
    def damaged_copies(self, damages):
        """Yields copies of a sound database, each with bytes overwritten at an offset."""
        self.make_database(60)
        whole = content(self.path("usage.db"))
        for number, (start, data) in enumerate(damages(len(whole))):
            copy = bytearray(whole)
            copy[start : start + len(data)] = data
            yield self.write("damaged-%d.db" % number, bytes(copy))

    def test_garbage_in_any_page(self):
        """It is refused at startup, whichever page it is in."""
        rng = seeded_random()

        def damages(size):
            for start in range(0, size, PAGE):
                yield start, rng.getrandbits(8 * PAGE).to_bytes(PAGE, "big")

        for path in self.damaged_copies(damages):
            with self.subTest(path):
                self.assert_left_alone(path)

    def test_garbage_in_the_tables_definitions(self):
        """SQLite's message contains the garbage; the error must not."""
        self.make_database(5)
        whole = content(self.path("usage.db"))
        for number, garbage in enumerate((b"\x0f", b"\x1b[31m", b"\xb0\xff", b"[\xb0\n")):
            definition = b"CREATE TABLE series("
            self.assertEqual(whole.count(definition), 1)
            damaged = b"CREATE TABLE " + garbage + definition[13 + len(garbage) :]
            path = self.write(
                "damaged-%d.db" % number, whole.replace(definition, damaged)
            )
            with self.subTest(garbage):
                self.assert_left_alone(path)

    def test_garbage_in_a_few_bytes(self):
        """SQLite cannot detect all of it: it is refused, or every call is answered."""
        rng = seeded_random()

        def damages(size):
            for _ in range(20):
                yield rng.randrange(100, size - 8), rng.getrandbits(64).to_bytes(8, "big")

        served = 0
        for path in self.damaged_copies(damages):
            with self.subTest(path):
                try:
                    server = program.Server(path)
                except RuntimeError:
                    self.assert_left_alone(path)
                    continue
                self.addCleanup(server.kill)
                served += 1
                with contextlib.closing(UsageClient(server.address)) as client:
                    self.assert_answers(client)
                self.assertIsNone(server.process.poll())
                server.kill()
        print("served: %d of 20" % served)

    def assert_answers(self, client):
        """Asserts that each call succeeds, or says that the store is damaged."""
        window = ["demo", *oracle.ALL_TIME]
        for call, args, fields in (
            (client.query_all, window, {"bucket": service_pb2.TIME_BUCKET_HOUR}),
            (client.query_all, window, {"bucket": service_pb2.TIME_BUCKET_MINUTE}),
            (client.list_all, window, {}),
            (client.report, ["demo", [make_record("r001"), make_record("new")]], {}),
        ):
            try:
                call(*args, **fields)
            except grpc.RpcError as error:
                failure = failure_of(error)
                self.assertEqual(
                    (failure.code, failure.reason),
                    (grpc.StatusCode.DATA_LOSS, "STORE_DAMAGED"),
                )


class DamagedLogTest(DurableTest):
    """A write-ahead log that was truncated or overwritten."""

    def test_what_remains_is_sound(self):
        """The first batches remain, with their totals: no batch in part."""
        rng = seeded_random()
        batches = [[records.random_record(rng) for _ in range(5)] for _ in range(40)]
        server = self.start_server()
        client = self.connect(server)
        for batch in batches:
            client.report(PROJECT, batch)
        server.kill()
        whole, log = content(server.database), content(server.database + "-wal")
        self.assertGreater(len(log), 40 * PAGE)
        damaged = [log[:size] for size in (0, 31, 32, len(log) - 1)]
        damaged += [log[: rng.randrange(len(log))] for _ in range(5)]
        for _ in range(5):
            start = rng.randrange(len(log) - 8)
            damaged.append(log[:start] + rng.randbytes(8) + log[start + 8 :])
        kept = []
        for number, remains in enumerate(damaged):
            path = self.write("%d.db" % number, whole)
            self.write("%d.db-wal" % number, remains)
            kept.append(self.batches_kept(path, batches))
        print("of %d batches: %s" % (len(batches), kept))
        self.assertEqual(kept[0], 0)
        self.assertLess(0, sum(kept))

    def batches_kept(self, path, batches):
        """Returns how many batches the service finds; asserts that it is sound."""
        server = self.start_server(os.path.basename(path))
        client = self.connect(server)
        found = len(client.list_all(PROJECT, *oracle.ALL_TIME))
        self.assertEqual(found % 5, 0)
        first = [record for batch in batches[: found // 5] for record in batch]
        self.assert_sound(server, {record.record_id: record for record in first})
        client.close()
        self.assertEqual(server.stop(), 0)
        checked = program.run("db", "check", "--store=sqlite://" + path)
        self.assertEqual(checked.exit_code, 0, checked)
        return found // 5


class OneServerTest(FileTest):
    def test_second_server_of_the_same_file(self):
        server = self.start_server()
        client = self.connect(server)
        client.report("demo", [make_record("a")])
        os.symlink(self.path("usage.db"), self.path("link.db"))
        os.symlink(self.folder, self.path("folder"))
        self.addCleanup(os.remove, self.path("folder"))
        for path in ("usage.db", "link.db", "folder/usage.db", "./usage.db"):
            with self.subTest(path):
                outcome = serve(self.path(path))
                self.assert_one_line_error(
                    outcome, 1, "usage.db", str(server.process.pid)
                )
        client.report("demo", [make_record("b")])
        server.kill()
        again = self.start_server("link.db")  # the lock went with its holder
        rows = self.connect(again).query_all("demo", *oracle.ALL_TIME)
        self.assertEqual(
            list(map(oracle.row_of, rows)),
            oracle.expected_rows([make_record("a"), make_record("b")]),
        )

    def test_busy_port(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            store = "--store=sqlite://" + self.path("usage.db")
            outcome = program.run("serve", store, "--listen=" + address)
            self.assert_one_line_error(outcome, 1, address)
        self.make_database(5)

    def test_port_of_another_server(self):
        """Two servers never share a port."""
        server = self.start_server()
        store = "--store=sqlite://" + self.path("other.db")
        outcome = program.run("serve", store, "--listen=" + server.address)
        self.assert_one_line_error(outcome, 1, server.address)


class Mount:
    """A small file system, visible only under `wrapper`."""

    def __init__(self, test, options):
        self.path = test.path("mount")
        script = 'mount -t tmpfs -o "$0" none "$1" && shift && exec "$@"'
        mount = ["unshare", "--mount", "sh", "-c", script, options, self.path]
        if os.geteuid() != 0:
            mount.insert(1, "--map-root-user")
        self.wrapper = mount
        os.mkdir(self.path)
        tried = subprocess.run([*mount, "true"], capture_output=True)
        if tried.returncode != 0:
            test.skipTest("no mounts: " + tried.stderr.decode(errors="replace"))


class FullDiskTest(FileTest):
    """The service on a file system of 4 MiB."""

    def setUp(self):
        super().setUp()
        self.mount = Mount(self, "size=4m")
        self.server = program.Server(
            self.mount.path + "/usage.db",
            wrapper=self.mount.wrapper,
            log_path=self.path("serve-log"),
        )
        self.addCleanup(self.server.kill)
        # The mount as the server sees it.
        root = "/proc/%d/root" % self.server.process.pid
        self.ballast = root + self.mount.path + "/ballast"
        self.client = self.connect(self.server)

    def fill_disk(self):
        try:
            ballast = open(self.ballast, "wb", buffering=0)
        except OSError as error:
            self.skipTest("cannot write in the mount: %s" % error)
        with ballast, contextlib.suppress(OSError):
            while ballast.write(bytes(PAGE)):
                pass

    @staticmethod
    def batch(number):
        labels = {"l%d" % i: "v" * 256 for i in range(16)}
        return [make_record("%d-%d" % (number, i), labels=labels) for i in range(20)]

    def assert_stored(self, batches):
        """Asserts that exactly these batches are counted."""
        stored = [record for number in range(batches) for record in self.batch(number)]
        for bucket, name in (
            (service_pb2.TIME_BUCKET_HOUR, "hour"),
            (service_pb2.TIME_BUCKET_MINUTE, "minute"),
        ):
            rows = self.client.query_all("demo", *oracle.ALL_TIME, bucket=bucket)
            self.assertEqual(
                list(map(oracle.row_of, rows)), oracle.expected_rows(stored, name)
            )

    def report_until_it_fails(self, number):
        """Reports batches until one fails; returns its number and the failure."""
        for number in range(number, number + 1000):
            try:
                self.client.report("demo", self.batch(number))
            except grpc.RpcError as error:
                return number, failure_of(error)
        self.fail("the disk never got full")

    def test_full_disk(self):
        """Reports fail as unavailable and store nothing, until there is space again."""
        self.client.report("demo", self.batch(0))
        self.fill_disk()
        number = 1
        for _ in range(3):
            number, failure = self.report_until_it_fails(number)
            self.assertEqual(
                (failure.code, failure.reason),
                (grpc.StatusCode.UNAVAILABLE, "STORE_FAILED"),
            )
            self.assertNotIn(self.mount.path, failure.message)
            self.assert_stored(number)
        self.assertRegex(self.server.log(), r"error the store failed error=[^\n]*full")

        os.remove(self.ballast)
        response = self.client.report("demo", self.batch(number))
        self.assertEqual(response.stored_count, 20)
        self.assert_stored(number + 1)
        self.await_health(self.client, SERVING)
        self.assert_resident_below(self.server, MAX_RESIDENT)
        self.client.close()
        self.assertEqual(self.server.stop(), 0)


if __name__ == "__main__":
    junit.main()
