# SPDX-License-Identifier: Apache-2.0
"""The service as an independent client sees it: Debian's gRPC for Python."""

import base64
import time

import grpc

from harness import junit, oracle, records
from harness.client import failure_of, nanos_of, query_request
from harness.records import FRACTIONAL, WHOLE, at, make_record
from harness.testcase import EndToEndTest, seeded_random
from tokenusage.v1 import usage_record_pb2, usage_reporting_service_pb2 as service_pb2

MINUTE, HOUR, DAY = (
    service_pb2.TIME_BUCKET_MINUTE,
    service_pb2.TIME_BUCKET_HOUR,
    service_pb2.TIME_BUCKET_DAY,
)
INVALID = grpc.StatusCode.INVALID_ARGUMENT


def varint(number):
    """Encodes a varint."""
    data = b""
    while number > 0x7F:
        data += bytes([number & 0x7F | 0x80])
        number >>= 7
    return data + bytes([number])


def with_unknown_field(record, number, value=b"x"):
    """Returns the record with one more length-delimited field, like a newer reporter's."""
    field = varint(number << 3 | 2) + varint(len(value)) + value
    return usage_record_pb2.UsageRecord.FromString(record.SerializeToString() + field)


def without_usage(record):
    """Returns a copy of the record without its usage."""
    copy = usage_record_pb2.UsageRecord()
    copy.CopyFrom(record)
    copy.ClearField(copy.WhichOneof("usage"))
    return copy


class ClientTest(EndToEndTest):
    """A test with its own service and a client."""

    def setUp(self):
        super().setUp()
        self.server = self.start_server()
        self.client = self.connect(self.server)

    def assert_reported(self, response, stored=0, duplicate=0, errors=()):
        """Asserts the whole response; errors are (index, record_id, reason, field) tuples."""
        found = [
            (e.index, e.record_id, service_pb2.RecordErrorReason.Name(e.reason), e.field)
            for e in response.errors
        ]
        prefix = "RECORD_ERROR_REASON_"
        expected = [(i, name, prefix + reason, f) for i, name, reason, f in errors]
        self.assertEqual(
            (response.stored_count, response.duplicate_count, found),
            (stored, duplicate, expected),
        )
        for error in response.errors:
            self.assertRegex(error.message, r"\A[^\n]*expected [^\n]+, found [^\n]+\Z")

    def assert_fails(self, code, reason, call, *args, metadata=None, **kwargs):
        """Asserts that the call fails with this code and ErrorInfo."""
        with self.assertRaises(grpc.RpcError) as caught:
            call(*args, **kwargs)
        failure = failure_of(caught.exception)
        self.assertEqual(
            (failure.code, failure.reason, failure.domain), (code, reason, "tokenusage")
        )
        self.assertRegex(failure.message, r"\A[^\n]+\Z")
        for key, value in (metadata or {}).items():
            self.assertEqual(failure.metadata.get(key), value, failure)
        return failure

    def assert_holds(self, project, expected, **question):
        """Asserts that exactly these records are listed and counted."""
        window = oracle.ALL_TIME
        for bucket, name in ((MINUTE, "minute"), (HOUR, "hour"), (DAY, "day")):
            rows = self.client.query_all(project, *window, bucket=bucket, **question)
            self.assertEqual(
                list(map(oracle.row_of, rows)), oracle.expected_rows(expected, name)
            )
        listed = self.client.list_all(project, *window)
        order = sorted(expected, key=lambda r: (nanos_of(r.event_time), r.record_id))
        self.assertEqual(list(map(as_reported, listed)), order)


def as_reported(record):
    """Returns a stored record without what the service added."""
    if not record.HasField("receive_time"):
        raise AssertionError("no receive_time: %s" % record)
    return records.as_reported(record)


class ReportTest(ClientTest):
    def test_batch_repeated_conflicting_and_queried(self):
        """A typical reporter, from end to end."""
        batch = [
            make_record("a", "2024-05-01T10:00:00Z", FRACTIONAL, model="gpt-image-1"),
            make_record("b", "2024-05-01T11:00:00Z", WHOLE, usage="orq_images_variations"),
            make_record("c", "2024-05-02T11:00:00Z", WHOLE, labels={"team": "web"}),
        ]
        self.assert_reported(self.client.report("demo", batch), stored=3)
        self.assert_reported(self.client.report("demo", batch), duplicate=3)
        conflict = make_record("b", "2024-05-01T11:00:00Z", FRACTIONAL)
        new = make_record("d", "2024-05-02T12:00:00Z", FRACTIONAL)
        self.assert_reported(
            self.client.report("demo", [batch[0], conflict, new]),
            stored=1,
            duplicate=1,
            errors=[(1, "b", "RECORD_ID_CONFLICT", "record_id")],
        )
        self.assert_holds("demo", batch + [new])
        self.assert_holds("other", [])
        row = self.client.query("demo", at("2024-05-01T00:00:00Z"), at("2024-05-02T00:00:00Z"))
        self.assertEqual(row.rows[0].totals.total_tokens.exact, "8205.75")
        self.assertEqual(row.rows[0].totals.total_tokens.rounded, 8205.75)

    def test_every_refusal_of_a_record(self):
        """Each is named by index, id, reason and field; the others are stored."""

        def counts(position, value):
            return [*FRACTIONAL[:position], value, *FRACTIONAL[position + 1 :]]

        nan, inf = float("nan"), float("inf")
        edits, details = "orq_images_edits.", "orq_images_edits.input_tokens_details."
        ahead = time.time_ns() + 400 * 10**9
        out_of_range, invalid = "COUNT_OUT_OF_RANGE", "FIELD_INVALID"
        bad = [
            (make_record("x", counts=counts(0, nan)), out_of_range, edits + "total_tokens"),
            (make_record("x", counts=counts(1, inf)), out_of_range, edits + "input_tokens"),
            (make_record("x", counts=counts(2, -inf)), out_of_range, edits + "output_tokens"),
            (make_record("x", counts=counts(3, -1)), out_of_range, details + "text_tokens"),
            (
                make_record("x", counts=counts(4, 2.0**53 + 2)),
                out_of_range,
                details + "image_tokens",
            ),
            (
                make_record("x", counts=counts(0, nan), usage="orq_images_variations"),
                out_of_range,
                "orq_images_variations.total_tokens",
            ),
            (without_usage(make_record("x")), "FIELD_MISSING", "usage"),
            (make_record(""), "FIELD_MISSING", "record_id"),
            (make_record("x", operation=""), "FIELD_MISSING", "operation"),
            (make_record("not an id"), invalid, "record_id"),
            (make_record("x" * 256), invalid, "record_id"),
            (make_record("x", operation="o" * 129), invalid, "operation"),
            (make_record("x", provider="a\nb"), invalid, "provider"),
            (make_record("x", model="\x7f"), invalid, "model"),
            (make_record("x", labels={"Team": "a"}), invalid, "labels"),
            (make_record("x", labels={"team": "\x00"}), invalid, "labels.team"),
            (make_record("x", labels={"team": "é" * 129}), invalid, "labels.team"),
            (make_record("x", labels={"l%d" % i: "" for i in range(17)}), invalid, "labels"),
            (make_record("x", "1999-12-31T23:59:59Z"), "TIME_OUT_OF_RANGE", "event_time"),
            (make_record("x", ahead), "TIME_OUT_OF_RANGE", "event_time"),
        ]
        for field in ("total_tokens", "input_tokens", "output_tokens", "input_tokens_details"):
            record = make_record("x")
            record.orq_images_edits.ClearField(field)
            bad.append((record, "FIELD_MISSING", edits + field))
        record = make_record("x")
        record.orq_images_edits.input_tokens_details.ClearField("image_tokens")
        bad.append((record, "FIELD_MISSING", details + "image_tokens"))
        record = make_record("x")
        record.ClearField("event_time")
        bad.append((record, "FIELD_MISSING", "event_time"))
        record = make_record("x")
        record.event_time.nanos = 10**9
        bad.append((record, invalid, "event_time"))

        batch, errors = [], []
        good = [make_record("good-%d" % i) for i in range(len(bad))]
        for index, (record, reason, field) in enumerate(bad):
            batch += [good[index], record]
            record_id = record.record_id if record.record_id == "x" else ""
            errors.append((2 * index + 1, record_id, reason, field))
        self.assert_reported(
            self.client.report("demo", batch), stored=len(good), errors=errors
        )
        self.assert_holds("demo", good)

    def test_usage_and_corrections_of_a_newer_schema(self):
        """They are refused as unknown, not as missing, and never counted."""
        base = make_record("n")
        batch = [with_unknown_field(without_usage(base), n) for n in (18, 900, 999)]
        batch += [with_unknown_field(base, n) for n in (18, 10, 15)]
        reasons = ["USAGE_TYPE_UNSUPPORTED"] * 4 + ["CORRECTION_UNSUPPORTED"] * 2
        response = self.client.report("demo", batch)
        self.assertEqual([e.index for e in response.errors], list(range(6)))
        names = [
            service_pb2.RecordErrorReason.Name(e.reason)[len("RECORD_ERROR_REASON_") :]
            for e in response.errors
        ]
        self.assertEqual(names, reasons)
        self.assert_holds("demo", [])

    def test_unknown_fields_are_kept_and_compared(self):
        newer = with_unknown_field(make_record("n"), 1000, b"one")
        self.assert_reported(self.client.report("demo", [newer]), stored=1)
        self.assert_reported(self.client.report("demo", [newer]), duplicate=1)
        for other in (make_record("n"), with_unknown_field(make_record("n"), 1000, b"two")):
            self.assert_reported(
                self.client.report("demo", [other]),
                errors=[(0, "n", "RECORD_ID_CONFLICT", "record_id")],
            )
        self.assertEqual(as_reported(self.client.get("demo", "n")), newer)

    def test_edge_values_are_accepted(self):
        batch = [
            make_record("0", counts=(0.0, -0.0, 2.0**53, 5e-324, 1e-9)),
            make_record("~" * 255, "2000-01-01T00:00:00Z"),
            make_record("A:b._-", time.time_ns() + 200 * 10**9),
            make_record("1", operation="o" * 128, provider="é" * 64, model=" "),
            make_record("2", labels={"a" + "_.-9" * 15 + "xy": "v" * 256}),
            make_record("3", labels={"l%d" % i: "" for i in range(16)}),
        ]
        self.assert_reported(self.client.report("demo", batch), stored=6)
        self.assert_reported(self.client.report("demo", batch), duplicate=6)
        self.assert_holds("demo", batch)

    def test_content_is_compared_to_the_bit(self):
        self.client.report("demo", [make_record("z", counts=(0.0, 1.0, 1.0, 1.0, 1.0))])
        self.assert_reported(
            self.client.report("demo", [make_record("z", counts=(-0.0, 1.0, 1.0, 1.0, 1.0))]),
            errors=[(0, "z", "RECORD_ID_CONFLICT", "record_id")],
        )
        same = make_record("z", counts=(0.0, 1.0, 1.0, 1.0, 1.0))
        same.receive_time.seconds = 7  # output only: ignored
        self.assert_reported(self.client.report("demo", [same]), duplicate=1)
        self.assertNotEqual(self.client.get("demo", "z").receive_time.seconds, 7)

    def test_ids_are_compared_byte_for_byte(self):
        upper = "0190A3F5-7C1B-7D2A-9E4F-0123456789AB"
        batch = [make_record(i) for i in (upper, upper.lower(), upper.replace("-", ""))]
        self.assert_reported(self.client.report("demo", batch), stored=3)
        self.assertEqual(self.client.get("demo", upper).record_id, upper)
        self.assert_holds("demo", batch)

    def test_the_earlier_record_of_a_batch_wins(self):
        batch = [make_record("w"), make_record("w", counts=FRACTIONAL), make_record("w")]
        self.assert_reported(
            self.client.report("demo", batch),
            stored=1,
            duplicate=1,
            errors=[(1, "w", "RECORD_ID_CONFLICT", "record_id")],
        )
        self.assert_holds("demo", batch[:1])

    def test_projects_are_separate(self):
        self.client.report("one", [make_record("same")])
        self.assert_reported(
            self.client.report("two", [make_record("same", counts=FRACTIONAL)]), stored=1
        )
        self.assert_holds("one", [make_record("same")])
        self.assert_holds("two", [make_record("same", counts=FRACTIONAL)])

    def test_limits_of_a_request(self):
        batch = [make_record("n-%d" % i) for i in range(1001)]
        self.assert_fails(
            INVALID,
            "TOO_MANY_RECORDS",
            self.client.report,
            "demo",
            batch,
            metadata={"field": "records", "limit": "1000", "actual": "1001"},
        )
        self.assert_holds("demo", [])
        self.assert_reported(self.client.report("demo", batch[:1000]), stored=1000)
        self.assert_reported(self.client.report("demo", []))

    def test_bytes_of_a_request(self):
        """1 MiB is accepted, one byte more is not, and 4 MiB is the transport's limit."""

        def request_of(size):
            """Returns a request of exactly this size."""

            def padded(length):
                record = with_unknown_field(make_record("r"), 1000, b"\0" * length)
                return service_pb2.ReportUsageRequest(project="demo", records=[record])

            request = padded(size - (padded(size - 200).ByteSize() - (size - 200)))
            self.assertEqual(request.ByteSize(), size)
            return request

        self.assert_fails(
            INVALID,
            "REQUEST_TOO_LARGE",
            self.client.call,
            "ReportUsage",
            request_of((1 << 20) + 1),
            metadata={"limit": str(1 << 20), "actual": str((1 << 20) + 1)},
        )
        with self.assertRaises(grpc.RpcError) as caught:
            self.client.call("ReportUsage", request_of((4 << 20) + 1))
        failure = failure_of(caught.exception)
        self.assertEqual(failure.code, grpc.StatusCode.RESOURCE_EXHAUSTED)
        self.assertNotIn("grpc-retry-pushback-ms", failure.trailers)
        self.assert_holds("demo", [])
        response = self.client.call("ReportUsage", request_of(1 << 20))
        self.assert_reported(response, stored=1)

    def test_distinct_combinations(self):
        """10,000 combinations of operation, provider and model are accepted, and no more."""
        batches = [
            [make_record("%d-%d" % (i, j), model="m-%d-%d" % (i, j)) for j in range(1000)]
            for i in range(10)
        ]
        for batch in batches:
            self.assert_reported(self.client.report("demo", batch), stored=1000)
        mixed = [
            make_record("one-more", model="one-more"),
            make_record("known", model="m-3-7"),
            batches[9][999],
            make_record("provider", model="m-3-7", provider="new"),
        ]
        self.assert_reported(
            self.client.report("demo", mixed),
            stored=1,
            duplicate=1,
            errors=[
                (0, "one-more", "CARDINALITY_LIMIT", ""),
                (3, "provider", "CARDINALITY_LIMIT", ""),
            ],
        )
        self.assert_reported(self.client.report("other", mixed[:1]), stored=1)
        stored = [record for batch in batches for record in batch] + [mixed[1]]
        rows = self.client.query_all("demo", *oracle.ALL_TIME, group_by=["model"])
        self.assertEqual(
            list(map(oracle.row_of, rows)),
            oracle.expected_rows(stored, group_by=["model"]),
        )

    def test_wrong_project(self):
        for project in ("", "Demo", "-a", "a" * 64, "a b", "é"):
            with self.subTest(project):
                for call, args in (
                    (self.client.report, [[make_record("p")]]),
                    (self.client.query, oracle.ALL_TIME),
                    (self.client.list, oracle.ALL_TIME),
                    (self.client.get, ["p"]),
                ):
                    self.assert_fails(
                        INVALID,
                        "PROJECT_INVALID",
                        call,
                        project,
                        *args,
                        metadata={"field": "project"},
                    )
        self.assert_reported(self.client.report("0" + "a._-" * 15 + "ab", []))


class ReadTest(ClientTest):
    def test_random_records_in_any_batches(self):
        """Totals and records are exact whatever the order and the batches."""
        rng = seeded_random()
        reported = [records.random_record(rng, "r%d" % i) for i in range(400)]
        left = reported * 2
        rng.shuffle(left)
        stored = duplicate = 0
        while left:
            size = rng.choice((1, 2, 50))
            response = self.client.report("demo", left[:size])
            self.assertEqual(list(response.errors), [])
            stored += response.stored_count
            duplicate += response.duplicate_count
            left = left[size:]
        self.assertEqual((stored, duplicate), (400, 400))
        self.assert_holds("demo", reported)
        for zone in ("Europe/Berlin", "Asia/Kathmandu"):
            rows = self.client.query_all(
                "demo", *oracle.ALL_TIME, bucket=DAY, time_zone=zone, group_by=["model"]
            )
            self.assertEqual(
                list(map(oracle.row_of, rows)),
                oracle.expected_rows(reported, "day", zone, group_by=["model"]),
            )

    def test_pages_of_one(self):
        rng = seeded_random()
        reported = [records.random_record(rng, "r%d" % i) for i in range(40)]
        self.client.report("demo", reported)
        question = {"bucket": DAY, "group_by": ["labels.team", "model"]}
        rows = self.client.query_all("demo", *oracle.ALL_TIME, page_size=1, **question)
        self.assertEqual(rows, self.client.query_all("demo", *oracle.ALL_TIME, **question))
        self.assertEqual(
            list(map(oracle.row_of, rows)),
            oracle.expected_rows(reported, "day", group_by=question["group_by"]),
        )
        listed = self.client.list_all("demo", *oracle.ALL_TIME, page_size=1)
        self.assertEqual(listed, self.client.list_all("demo", *oracle.ALL_TIME))
        self.assertEqual(len(listed), 40)

    def test_page_size_can_change_between_pages(self):
        self.client.report("demo", [make_record("r%02d" % i) for i in range(10)])
        first = self.client.list("demo", *oracle.ALL_TIME, page_size=3)
        rest = self.client.list(
            "demo", *oracle.ALL_TIME, page_size=5000, page_token=first.next_page_token
        )
        ids = [r.record_id for page in (first, rest) for r in page.records]
        self.assertEqual(ids, ["r%02d" % i for i in range(10)])
        self.assertEqual((len(first.records), rest.next_page_token), (3, ""))

    def test_pages_of_large_records_stay_below_the_transport_limit(self):
        labels = {"l%d" % i: "v" * 256 for i in range(16)}
        batch = [make_record("r%04d" % i, labels=labels) for i in range(1000)]
        for start in range(0, 1000, 200):
            self.client.report("demo", batch[start : start + 200])
        page = self.client.list("demo", *oracle.ALL_TIME)
        self.assertLess(page.ByteSize(), 4 << 20)
        self.assertLess(len(page.records), 1000)
        listed = self.client.list_all("demo", *oracle.ALL_TIME)
        self.assertEqual(list(map(as_reported, listed)), batch)

    def test_page_tokens_belong_to_their_request(self):
        hours = ["2024-05-01T%02d:00:00Z" % i for i in range(3)]
        self.client.report("demo", [make_record(str(i), t) for i, t in enumerate(hours)])
        window = oracle.ALL_TIME
        query = self.client.query("demo", *window, bucket=HOUR, page_size=1).next_page_token
        listing = self.client.list("demo", *window, page_size=1).next_page_token
        self.assertTrue(query and listing)
        later = (window[0] + 10**9, window[1])
        for call, args, fields in (
            (self.client.query, ["demo", *window], {"bucket": DAY, "page_token": query}),
            (self.client.query, ["demo", *later], {"bucket": HOUR, "page_token": query}),
            (self.client.query, ["other", *window], {"bucket": HOUR, "page_token": query}),
            (
                self.client.query,
                ["demo", *window],
                {"bucket": HOUR, "group_by": ["model"], "page_token": query},
            ),
            (self.client.query, ["demo", *window], {"bucket": HOUR, "page_token": listing}),
            (self.client.list, ["demo", *later], {"page_token": listing}),
            (self.client.list, ["other", *window], {"page_token": listing}),
            (self.client.list, ["demo", *window], {"page_token": query}),
            (self.client.list, ["demo", *window], {"page_token": "no such token"}),
            (self.client.list, ["demo", *window], {"page_token": "AAAA"}),
            (self.client.list, ["demo", *window], {"page_token": listing[:-8]}),
        ):
            with self.subTest(fields):
                self.assert_fails(
                    INVALID,
                    "PAGE_TOKEN_INVALID",
                    call,
                    *args,
                    metadata={"field": "page_token"},
                    **fields,
                )

    def test_changed_page_tokens_are_refused(self):
        """None of them skips records silently."""
        self.client.report("demo", [make_record(str(i)) for i in range(3)])
        token = self.client.list("demo", *oracle.ALL_TIME, page_size=1).next_page_token
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        body = 16 + 18  # the MAC, the request's hash and the time are before the key
        changed = [
            data[:body] + b"\x1a" + varint(len(key)) + key for key in (b"", b"\0", b"\xff" * 300)
        ]
        changed += [
            data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :] for at in range(len(data))
        ]
        for one in changed:
            with self.subTest(one):
                self.assert_fails(
                    INVALID,
                    "PAGE_TOKEN_INVALID",
                    self.client.list,
                    "demo",
                    *oracle.ALL_TIME,
                    metadata={"field": "page_token"},
                    page_token=base64.urlsafe_b64encode(one).decode(),
                )
        self.assertEqual(len(self.client.list_all("demo", *oracle.ALL_TIME)), 3)

    def test_page_tokens_belong_to_their_database(self):
        """They outlive the service, and another database's are refused."""
        reported = [make_record(str(i)) for i in range(3)]
        self.client.report("demo", reported)
        first = self.client.list("demo", *oracle.ALL_TIME, page_size=1)
        self.assertEqual(self.server.stop(), 0)
        self.client = self.connect(self.start_server())
        page = {"page_token": first.next_page_token}
        rest = self.client.list("demo", *oracle.ALL_TIME, **page)
        ids = [record.record_id for record in (*first.records, *rest.records)]
        self.assertEqual(ids, ["0", "1", "2"])
        other = self.connect(self.start_server("other.db"))
        other.report("demo", reported)
        self.assert_fails(
            INVALID, "PAGE_TOKEN_INVALID", other.list, "demo", *oracle.ALL_TIME, **page
        )

    def test_invalid_queries(self):
        window = oracle.ALL_TIME
        model = {"field": "model", "values": ["x"]}
        cases = [
            ("TIME_ZONE_UNKNOWN", "time_zone", {"time_zone": zone})
            for zone in (
                "Mars/Olympus",
                "../../etc/passwd",
                "/etc/passwd",
                "/usr/share/zoneinfo/UTC",
                "europe/berlin",
                "Europe/Berlin\0",
                "posix/UTC",
                "right/UTC",
                "localtime",
                "zone.tab",
                "Europe",
                "./UTC",
                "x" * 100_000,
            )
        ]
        cases += [
            ("BUCKET_INVALID", "bucket", {"bucket": 7}),
            ("BUCKET_INVALID", "bucket", {"bucket": -1}),
            ("GROUP_BY_INVALID", None, {"group_by": ["color"]}),
            ("GROUP_BY_INVALID", None, {"group_by": ["labels."]}),
            ("GROUP_BY_INVALID", None, {"group_by": ["labels.A"]}),
            ("GROUP_BY_INVALID", None, {"group_by": ["model", "model"]}),
            (
                "GROUP_BY_INVALID",
                "group_by",
                {"group_by": ["model", "operation", "provider", "labels.a", "labels.b"]},
            ),
            ("FILTER_INVALID", None, {"filters": [{"field": "color", "values": ["x"]}]}),
            ("FILTER_INVALID", None, {"filters": [{"field": "model"}]}),
            ("FILTER_INVALID", None, {"filters": [model, model]}),
            (
                "FILTER_INVALID",
                None,
                {"filters": [{"field": "model", "match_missing": True}]},
            ),
            (
                "FILTER_INVALID",
                None,
                {"filters": [{"field": "model", "values": ["x"] * 101}]},
            ),
            (
                "FILTER_INVALID",
                "filters",
                {
                    "filters": [
                        {"field": "labels.l%d" % i, "values": [""]} for i in range(17)
                    ]
                },
            ),
            ("PAGE_SIZE_INVALID", "page_size", {"page_size": -1}),
        ]
        for reason, field, fields in cases:
            with self.subTest(str(fields)[:100]):
                self.assert_fails(
                    INVALID,
                    reason,
                    self.client.query,
                    "demo",
                    *window,
                    metadata=field and {"field": field},
                    **fields,
                )
        for start, end, field in (
            (window[0] - 1, window[1], "start_time"),
            (window[0], window[1] + 1, "end_time"),
            (window[0], window[0], "end_time"),
            (window[1], window[0], "end_time"),
            (-(10**9), window[1], "start_time"),
            (window[0], 253402300800 * 10**9, "end_time"),
        ):
            for call in (self.client.query, self.client.list):
                with self.subTest((start, end)):
                    metadata = {"field": field}
                    self.assert_fails(
                        INVALID,
                        "TIME_WINDOW_INVALID",
                        call,
                        "demo",
                        start,
                        end,
                        metadata=metadata,
                    )

    def test_window_without_ends(self):
        request = service_pb2.QueryUsageRequest(project="demo")
        self.assert_fails(
            INVALID,
            "TIME_WINDOW_INVALID",
            self.client.call,
            "QueryUsage",
            request,
            metadata={"field": "start_time", "actual": "none"},
        )

    def test_get(self):
        record = make_record("g", counts=FRACTIONAL, labels={"team": ""})
        before = time.time_ns()
        self.client.report("demo", [record])
        got = self.client.get("demo", "g")
        self.assertTrue(before <= nanos_of(got.receive_time) <= time.time_ns())
        self.assertEqual(as_reported(got), record)
        self.assert_fails(
            grpc.StatusCode.NOT_FOUND, "RECORD_NOT_FOUND", self.client.get, "demo", "G"
        )
        self.assert_fails(INVALID, "RECORD_ID_INVALID", self.client.get, "demo", "a/b")
        self.assert_fails(INVALID, "RECORD_ID_INVALID", self.client.get, "demo", "")

    def test_deadline(self):
        """A deadline that has passed ends the call; the service continues."""
        batch = [make_record("d%d" % i, at("2024-05-01T00:00:00Z") + i) for i in range(1000)]
        self.client.report("demo", batch)
        ended = 0
        for tries in range(1, 21):
            timeout = tries * 0.0002
            try:
                self.client.query(
                    "demo", *oracle.ALL_TIME, timeout=timeout, group_by=["labels.a"]
                )
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
                ended += 1
        self.assertGreater(ended, 0)
        self.assert_holds("demo", batch)

    def test_too_many_reads_at_once(self):
        """Excess calls are refused with a time to retry; the others are answered.

        One connection has too few streams for that.
        """
        start = at("2024-05-01T00:00:00Z")
        batch = [make_record("b%d" % i, start + i) for i in range(1000)]
        self.client.report("demo", batch)
        question = query_request("demo", *oracle.ALL_TIME, group_by=["labels.a"])
        clients = [self.connect(self.server) for _ in range(8)]
        calls = [c.start("QueryUsage", question) for _ in range(250) for c in clients]
        answers, refused = [], 0
        for call in calls:
            try:
                answers.append(oracle.row_of(*call.result().rows))
            except grpc.RpcError as error:
                failure = failure_of(error)
                self.assertEqual(
                    (failure.code, failure.reason),
                    (grpc.StatusCode.RESOURCE_EXHAUSTED, "SERVER_BUSY"),
                )
                self.assertGreater(int(failure.trailers["grpc-retry-pushback-ms"]), 0)
                refused += 1
        print("%d answered, %d refused" % (len(answers), refused))
        self.assertGreater(refused, 0)
        expected = oracle.expected_rows(batch, group_by=["labels.a"])
        self.assertEqual(answers, expected * len(answers))

    def test_unknown_method(self):
        with self.assertRaises(grpc.RpcError) as caught:
            method = "/tokenusage.v1.UsageReportingService/NoSuchMethod"
            self.client._channel.unary_unary(method)(b"", timeout=30)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)


if __name__ == "__main__":
    junit.main()
