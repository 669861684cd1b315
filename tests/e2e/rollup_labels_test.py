# SPDX-License-Identifier: Apache-2.0
"""Rollups by label: totals by customer that outlive their records."""

import contextlib
import sqlite3
import time

import grpc

from harness import junit, oracle, program
from harness.client import failure_of
from harness.records import make_record, random_record
from harness.testcase import EndToEndTest, seeded_random
from tokenusage.v1 import usage_reporting_service_pb2 as service_pb2

PROJECT = "p"
LABELS = ("--rollup-labels=team,customer_id", "--max-series=100000")
# Group and filters; the windows are of all time.
QUERIES = [
    (["labels.team"], {}),
    (["labels.customer_id", "model"], {}),
    (["labels.team", "labels.customer_id", "operation"], {"labels.team": ["web", None]}),
    (["provider"], {"labels.customer_id": ["1", "3"]}),
    (["model"], {}),
]


def filter_of(item):
    field, values = item
    return service_pb2.UsageFilter(
        field=field,
        values=[value for value in values if value is not None],
        match_missing=None in values,
    )


class RollupLabelsTest(EndToEndTest):
    def db(self, command, *args):
        return program.run("db", command, "--store=sqlite://" + self.path("usage.db"), *args)

    def assert_intact(self):
        outcome = self.db("check")
        self.assertEqual(outcome.exit_code, 0, outcome)
        self.assertTrue(outcome.stdout.endswith(b"problems 0\n"), outcome)

    def assert_totals(self, client, reported):
        """Compares queries with sums over all records that were ever reported."""
        for group_by, filters in QUERIES:
            for bucket, zone in (
                ("none", "UTC"),
                ("month", "UTC"),
                ("month", "Asia/Kolkata"),
                ("day", "Europe/Berlin"),
            ):
                rows = client.query_all(
                    PROJECT,
                    *oracle.ALL_TIME,
                    group_by=group_by,
                    bucket="TIME_BUCKET_" + bucket.upper(),
                    time_zone=zone,
                    filters=list(map(filter_of, filters.items()))
                )
                self.assertEqual(
                    list(map(oracle.row_of, rows)),
                    oracle.expected_rows(
                        reported, bucket, zone, group_by=group_by, filters=filters
                    ),
                    (group_by, filters, bucket, zone),
                )

    def report(self, client, records):
        for first in range(0, len(records), 500):
            client.report(PROJECT, records[first : first + 500])

    def test_totals_by_label_outlive_their_records(self):
        rng = seeded_random()
        reported = [random_record(rng) for _ in range(3000)]
        corrections = []
        for record in rng.sample(reported, 200):
            correction = random_record(rng)
            correction.corrects = record.record_id
            if rng.random() < 0.5:
                correction.ClearField(correction.WhichOneof("usage"))
            corrections.append(correction)
        server = self.start_server("usage.db", *LABELS)
        client = self.connect(server)
        self.report(client, reported)
        self.report(client, corrections)
        reported += corrections
        self.assert_totals(client, reported)
        self.assert_intact()
        self.assertEqual(server.stop(), 0)

        # The newest record is long ago, so retention counts from it.
        last = make_record("last", "2026-01-01T00:00:00Z", labels={"team": "web"})
        reported.append(last)
        server = self.start_server("usage.db", "--retain=1h")
        client = self.connect(server)
        client.report(PROJECT, [last])
        self.assertEqual(server.stop(), 0)
        server = self.start_server("usage.db", "--retain=1h")
        client = self.connect(server)
        self.await_removal()
        self.assert_totals(client, reported)
        with self.assertRaises(grpc.RpcError) as caught:
            client.query(PROJECT, *oracle.ALL_TIME, group_by=["labels.other"])
        self.assertEqual(failure_of(caught.exception).reason, "WINDOW_BEFORE_HORIZON")
        self.assertEqual(server.stop(), 0)

        self.assertEqual(self.db("rebuild-rollups").exit_code, 0)
        self.assert_intact()
        outcome = self.db("rebuild-rollups", "--labels=team")
        self.assertEqual(outcome.exit_code, 1, outcome)
        self.assertIn(b"project p has totals by customer_id,team", outcome.stderr)
        server = self.start_server("usage.db")
        self.assert_totals(self.connect(server), reported)

    def await_removal(self):
        """Waits until one record is left."""
        with contextlib.closing(sqlite3.connect(self.path("usage.db"))) as database:
            deadline = time.monotonic() + 60
            while database.execute("SELECT count(*) FROM usage_record").fetchone() != (1,):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)

    def test_an_existing_database_keeps_its_labels(self):
        server = self.start_server("usage.db")
        client = self.connect(server)
        reported = [
            make_record("a", labels={"team": "x"}),
            make_record("b", labels={"customer_id": "1"}),
        ]
        client.report(PROJECT, reported)
        self.assertEqual(server.stop(), 0)
        store = "--store=sqlite://" + self.path("usage.db")
        refused = program.run("serve", store, "--listen=127.0.0.1:0", "--rollup-labels=team")
        self.assertEqual(refused.exit_code, 1, refused)
        self.assertIn(b"keeps rollups by these labels: none; to change that to team", refused.stderr)
        self.assertIn(b"db rebuild-rollups --labels=team", refused.stderr)
        self.assertEqual(self.db("rebuild-rollups", "--labels=team,Team").exit_code, 64)
        self.assertEqual(self.db("rebuild-rollups", "--labels=customer_id,team").exit_code, 0)
        server = self.start_server("usage.db", "--rollup-labels=team,customer_id")
        self.assert_totals(self.connect(server), reported)
        self.assert_intact()
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.db("rebuild-rollups", "--labels", "").exit_code, 0)
        server = self.start_server("usage.db")
        self.assert_totals(self.connect(server), reported)


if __name__ == "__main__":
    junit.main()
