# SPDX-License-Identifier: Apache-2.0
"""The program on a real PostgreSQL: several services on one database."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import unittest

import grpc

from harness import program, records
from harness.client import UsageClient, failure_of
from harness.testcase import NOT_SERVING, SERVING, EndToEndTest, seeded_random

sys.path += ["tests/docs", "tests/extract"]
import blocks  # noqa: E402
import history  # noqa: E402

_SCRIPT = os.path.abspath("tests/store/postgres/postgres_server.sh")
_DAY = (records.at("2024-05-01T00:00:00Z"), records.at("2024-05-02T00:00:00Z"))


def make(number):
    """Returns a record whose id is made of the number."""
    return records.make_record("id-%d" % number)


class PostgresServer:
    """A separate server, with a database whose owner has a password."""

    def __init__(self):
        folder_and_port = self._run("create").split()
        self.folder, self.port = folder_and_port[0], int(folder_and_port[1])
        self.start()
        with open(self.folder + "/data/pg_hba.conf", "w", encoding="ascii") as hba:
            hba.write("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        self.sql("CREATE ROLE service LOGIN PASSWORD 'S3cret-word'", "postgres")
        self.sql("CREATE DATABASE usage OWNER service", "postgres")
        self.sql("SELECT pg_reload_conf()", "postgres")

    @staticmethod
    def _run(*args):
        return subprocess.run(
            [_SCRIPT, *args], check=True, stdout=subprocess.PIPE, timeout=120
        ).stdout.decode()

    def start(self):
        """Starts it, and returns once it accepts connections."""
        self._run("start", self.folder)

    def stop(self):
        """Shuts it down, as an operator would."""
        self._run("stop", self.folder)

    def remove(self):
        """Stops it and removes its folder."""
        self._run("remove", self.folder)

    def sql(self, text, database="usage"):
        """Runs SQL as the superuser and returns the first value."""
        return subprocess.run(
            ["psql", "-h", self.folder, "-p", str(self.port), "-U", "tokenusage"]
            + ["-XAtqc", text, database],
            check=True,
            stdout=subprocess.PIPE,
            timeout=60,
        ).stdout.decode().strip()

    def url(self):
        """Returns the URL of the database, with the password."""
        return "postgresql://service:S3cret-word@127.0.0.1:%d/usage" % self.port


class ServeTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.postgres = PostgresServer()
        self.addCleanup(self.postgres.remove)

    def migrate(self, *flags):
        """Runs `db migrate`."""
        return program.run("db", "migrate", *flags, env={"TOKENUSAGE_STORE": self.postgres.url()})

    def start(self, name):
        """Starts a service on the database; returns it and a client."""
        server = program.Server(self.postgres.url(), log_path=self.path(name))
        self.addCleanup(server.kill)
        return server, self.connect(server)

    def test_an_empty_database_is_left_alone(self):
        outcome = program.run(
            "serve", "--listen=127.0.0.1:0", env={"TOKENUSAGE_STORE": self.postgres.url()}
        )
        self.assertEqual(outcome.exit_code, 1, outcome)
        self.assertIn(b"tokenusage db migrate", outcome.stderr)
        self.assertNotIn(b"S3cret", outcome.stderr)
        self.assertEqual(
            self.postgres.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'tokenusage'"),
            "0",
        )

    def test_migrates_once(self):
        first, again = self.migrate(), self.migrate()
        self.assertEqual((first.exit_code, again.exit_code), (0, 0), (first, again))
        self.assertIn(b"from version 0 to version 1", first.stdout)
        self.assertRegex(again.stdout, rb"from version (\d+) to version \1\n")
        refused = self.migrate("--distribute=citus")
        self.assertEqual(refused.exit_code, 1, refused)
        self.assertIn(b"CREATE EXTENSION citus", refused.stderr)

    def test_two_services_store_once_and_outlive_the_database(self):
        self.assertEqual(self.migrate().exit_code, 0)
        servers = [self.start(name) for name in ("one.log", "two.log")]
        batch = [make(i) for i in range(500)]
        answers = []

        def report(client):
            answers.append(client.report("p", batch))

        threads = [
            threading.Thread(target=report, args=(client,))
            for _, client in servers
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sum(answer.stored_count for answer in answers), 500)
        self.assertEqual(sum(answer.duplicate_count for answer in answers), 7 * 500)
        totals = [client.query_all("p", *_DAY) for _, client in servers]
        self.assertEqual(totals[0][0].totals.record_count, 500)
        self.assertEqual(totals[0], totals[1])
        # Each service accepts the other's page tokens.
        first = servers[0][1].list("p", *_DAY, page_size=300)
        rest = servers[1][1].list("p", *_DAY, page_token=first.next_page_token)
        ids = {record.record_id for page in (first, rest) for record in page.records}
        self.assertEqual((len(ids), rest.next_page_token), (500, ""))

        self.postgres.stop()
        for server, client in servers:
            with self.assertRaises(grpc.RpcError) as raised:
                client.report("p", [make(1000)])
            failure = failure_of(raised.exception)
            self.assertEqual(
                (failure.code, failure.reason), (grpc.StatusCode.UNAVAILABLE, "STORE_FAILED")
            )
            self.assertIn("grpc-retry-pushback-ms", failure.trailers)
            self.assertNotIn("127.0.0.1", failure.message)
            self.await_health(client, NOT_SERVING)
        self.postgres.start()
        for server, client in servers:
            self.await_health(client, SERVING)
            client.report("p", [make(1000)])
            self.assertEqual(client.query_all("p", *_DAY)[0].totals.record_count, 501)
            self.assertEqual(server.stop(), 0)
            self.assertNotIn("S3cret", server.log())
            self.assertIn("postgresql://service:***@127.0.0.1", server.log())

    def test_totals_of_all_dialects(self):
        self.assertEqual(self.migrate().exit_code, 0)
        calls = history.History(seeded_random())
        server, _ = self.start("history.log")
        calls.report(server)
        calls.check(self, server)

    def test_copies_a_history_from_sqlite(self):
        self.assertEqual(self.migrate().exit_code, 0)
        source = self.start_server("source.db")
        with contextlib.closing(UsageClient(source.address)) as client:
            client.report("p", [make(i) for i in range(700)])
            # While the service runs, and once more after it has stored more.
            copied = [self.copy(), None]
            client.report("p", [make(i) for i in range(650, 800)])
            copied[1] = self.copy()
            wanted = client.query_all("p", *_DAY)
        self.assertIn(b"700 records copied", copied[0].stdout)
        self.assertIn(b"100 records copied", copied[1].stdout)
        _, client = self.start("copy.log")
        self.assertEqual(client.query_all("p", *_DAY), wanted)

    def copy(self):
        """Runs `db copy`."""
        outcome = program.run(
            "db",
            "copy",
            "--from=sqlite://" + self.path("source.db"),
            env={"TOKENUSAGE_STORE": self.postgres.url()},
        )
        self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""), outcome)
        return outcome


class DocumentTest(EndToEndTest):
    """Runs what docs/postgresql.md shows, with this test's server instead of db.example."""

    def setUp(self):
        super().setUp()
        self.postgres = PostgresServer()
        self.addCleanup(self.postgres.remove)
        with open(self.postgres.folder + "/data/pg_hba.conf", "w", encoding="ascii") as hba:
            hba.write("local all all trust\nhost all usage 127.0.0.1/32 trust\n")
        self.postgres.sql("DROP DATABASE usage", "postgres")
        self.postgres.sql("SELECT pg_reload_conf()", "postgres")
        programs = self.path("bin")
        os.mkdir(programs)
        os.symlink(program.PROGRAM, programs + "/tokenusage")
        self.environment = {
            **os.environ,
            "PATH": programs + ":" + os.environ["PATH"],
            "PGHOST": self.postgres.folder,
            "PGPORT": str(self.postgres.port),
            "PGUSER": "tokenusage",
            "TOKENUSAGE_LISTEN": "127.0.0.1:0",
        }

    def run_block(self, code):
        """Runs a block to its end, or until a service prints its address."""
        here = "127.0.0.1:%d" % self.postgres.port
        with subprocess.Popen(
            ["bash", "-ec", code.replace("db.example", here)],
            cwd=self.path("."),
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as shell:
            for line in shell.stdout:
                if re.fullmatch(r"127\.0\.0\.1:\d+\n", line):
                    os.killpg(shell.pid, signal.SIGTERM)
                    return
            self.assertNotIn("tokenusage serve", code)
            self.assertEqual(shell.wait(60), 0, code)

    def test_its_commands(self):
        source = self.start_server("usage.db")
        self.connect(source).report("p", [make(i) for i in range(3)])
        self.assertEqual(source.stop(), 0)
        ran = 0
        for block in blocks.read_blocks("docs/postgresql.md"):
            if "by" in block.directives:
                self.run_block(block.code)
                ran += 1
        self.assertEqual(ran, 3)
        self.assertEqual(self.postgres.sql("SELECT count(*) FROM tokenusage.usage_record"), "3")


if __name__ == "__main__":
    unittest.main()
