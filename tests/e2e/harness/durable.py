# SPDX-License-Identifier: Apache-2.0
"""Asserts durability: all that was acknowledged, once, with exact totals."""

import contextlib
import os
import shutil
import sqlite3
import uuid

from harness import oracle, records
from harness.client import UsageClient
from harness.load import PROJECT
from harness.testcase import MAX_RESIDENT, SERVING, EndToEndTest
from tokenusage.v1 import usage_record_pb2, usage_reporting_service_pb2 as service_pb2

def record_id_of(key):
    """Returns the record_id that SQLite stores as text, or as a UUID's bytes."""
    return key if isinstance(key, str) else str(uuid.UUID(bytes=key))


class DurableTest(EndToEndTest):
    """A test that can tell what is stored, inside and outside the service."""

    def stored_in_copy(self, database):
        """Returns the records in a copy of the database files, by id."""
        copy = os.path.join(self.folder, "copy.db")
        for suffix in ("", "-wal"):
            if os.path.exists(database + suffix):
                shutil.copyfile(database + suffix, copy + suffix)
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            checked = connection.execute("PRAGMA integrity_check").fetchall()
            self.assertEqual(checked, [("ok",)])
            rows = connection.execute(
                "SELECT record, corrected_by FROM usage_record"
            ).fetchall()
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(copy + suffix)
        stored = {}
        marks = {}
        for data, corrected_by in rows:
            record = usage_record_pb2.UsageRecord.FromString(data)
            records.as_reported(record)
            self.assertNotIn(record.record_id, stored)
            stored[record.record_id] = record
            if corrected_by is not None:
                marks[record.record_id] = record_id_of(corrected_by)
        # A correction and its mark are stored together.
        corrections = {r.corrects: r.record_id for r in stored.values() if r.corrects}
        self.assertEqual(marks, corrections)
        return stored

    def assert_totals(self, server, expected):
        """Asserts that totals from rollups and over records are the oracle's."""
        with contextlib.closing(UsageClient(server.address)) as client:
            for bucket, zone in (
                ("hour", "UTC"),
                ("minute", "UTC"),
                ("day", "Asia/Kathmandu"),
                ("none", "UTC"),
            ):
                rows = client.query_all(
                    PROJECT,
                    *oracle.ALL_TIME,
                    bucket=service_pb2.TimeBucket.Value("TIME_BUCKET_" + bucket.upper()),
                    time_zone=zone,
                )
                self.assertEqual(
                    list(map(oracle.row_of, rows)),
                    oracle.expected_rows(expected, bucket, zone),
                )

    def assert_listed(self, server, expected):
        """Asserts that the service lists exactly these records, by id."""
        with contextlib.closing(UsageClient(server.address)) as client:
            listed = client.list_all(PROJECT, *oracle.ALL_TIME)
        for record in listed:
            records.as_reported(record)
        self.assertEqual(len(listed), len(expected))
        self.assertEqual({record.record_id: record for record in listed}, expected)

    def assert_sound(self, server, expected, recovers_within=30):
        """Asserts that nothing is missing or counted twice, and memory is bounded.

        Health must be SERVING within `recovers_within` seconds; None skips this check.
        """
        self.assertIsNone(server.process.poll())
        if recovers_within is not None:
            with contextlib.closing(UsageClient(server.address)) as client:
                self.await_health(client, SERVING, recovers_within)
        self.assert_listed(server, expected)
        self.assert_totals(server, expected.values())
        self.assert_resident_below(server, MAX_RESIDENT)

    def resend(self, server, batches, stored):
        """Reports batches again; asserts that each counts once, stored before or not."""
        with contextlib.closing(UsageClient(server.address)) as client:
            for batch in batches:
                response = client.report(PROJECT, batch)
                was_stored = batch[0].record_id in stored
                counts = (0, len(batch)) if was_stored else (len(batch), 0)
                self.assertEqual(
                    (response.stored_count, response.duplicate_count), counts
                )
                self.assertEqual(list(response.errors), [])
