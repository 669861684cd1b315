# SPDX-License-Identifier: Apache-2.0
"""Callers and connections that misbehave, by accident or on purpose.

TOKENUSAGE_CUTS=5000 cuts the connection that often (default 200).
"""

import concurrent.futures
import contextlib
import math
import os
import resource
import socket
import struct
import threading
import time

import grpc

from harness import junit
from harness.client import UsageClient, failure_of
from harness.cut_proxy import CutProxy
from harness.durable import DurableTest
from harness.load import PROJECT, SteadyLoad, flat
from harness.records import make_record, random_record
from harness.testcase import resident_peak, seeded_random
from tokenusage.v1 import usage_reporting_service_pb2 as service_pb2

CUTS = int(os.environ.get("TOKENUSAGE_CUTS", "200"))
REPORT = "/tokenusage.v1.UsageReportingService/ReportUsage"
METHODS = ("ReportUsage", "QueryUsage", "GetUsageRecord", "ListUsageRecords")

# What a client sends first: RFC 9113, section 3.4, and an empty SETTINGS frame.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))


def tcp(server):
    """Opens a TCP connection to a server."""
    host, _, port = server.address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def frame(kind, flags, stream, payload):
    """Encodes an HTTP/2 frame."""
    head = struct.pack(">I", len(payload))[1:] + bytes((kind, flags))
    return head + struct.pack(">I", stream) + payload


def frames(data):
    """Decodes HTTP/2 frames as kind and payload."""
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 3], "big")
        yield data[at + 3], data[at + 9 : at + 9 + size]
        at += 9 + size


class CutTest(DurableTest):
    def test_cut_between_commit_and_answer(self):
        """The caller cannot know what was stored, and resends; the batch is counted once."""
        rng = seeded_random()
        server = self.start_server()
        proxy = CutProxy(server.address)
        self.addCleanup(proxy.close)
        direct = self.connect(server)
        known = {}
        for _ in range(CUTS):
            batch = [random_record(rng) for _ in range(rng.choice((1, 1, 5)))]
            with contextlib.closing(UsageClient(proxy.address)) as client:
                with self.assertRaises(grpc.RpcError) as raised:
                    client.report(PROJECT, batch)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)
            response = direct.report(PROJECT, batch)
            counts = response.stored_count, response.duplicate_count
            self.assertEqual(counts, (0, len(batch)))
            known.update(flat([batch]))
        self.assertGreaterEqual(proxy.cuts, CUTS)
        self.assert_sound(server, known)

    def test_callers_vanish_at_random_moments(self):
        """A batch that they left is stored completely or not at all."""
        rng = seeded_random()
        server = self.start_server()
        direct = self.connect(server)
        batches = []
        for _ in range(CUTS):
            batches.append([random_record(rng) for _ in range(20)])
            client = UsageClient(server.address)
            client.start("ReportUsage", service_pb2.ReportUsageRequest(
                project=PROJECT, records=batches[-1]))
            time.sleep(rng.uniform(0, 0.01))
            client.close()
        known = {}
        for batch in batches:
            response = direct.report(PROJECT, batch)
            counts = response.stored_count, response.duplicate_count
            self.assertIn(counts, ((20, 0), (0, 20)))
            known.update(flat([batch]))
        self.assert_sound(server, known)


class RaceTest(DurableTest):
    def test_64_callers_race_on_one_id(self):
        """One of them stores it; those with the same content are duplicates."""
        server = self.start_server()
        clients = [self.connect(server) for _ in range(64)]
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            for number in range(10):
                contents = [
                    make_record("id-%d" % number, model="m%d" % (i % 2)) for i in range(64)
                ]
                start = threading.Barrier(64)

                def report(client, record):
                    start.wait()
                    return client.report(PROJECT, [record])

                answers = list(pool.map(report, clients, contents))
                self.assertEqual(sum(a.stored_count for a in answers), 1)
                self.assertEqual(sum(a.duplicate_count for a in answers), 31)
                errors = [e for a in answers for e in a.errors]
                self.assertEqual(len(errors), 32)
                self.assertEqual(
                    {e.reason for e in errors},
                    {service_pb2.RECORD_ERROR_REASON_RECORD_ID_CONFLICT},
                )
                stored = clients[0].get(PROJECT, "id-%d" % number)
                self.assertEqual(stored.model, "m%d" % (
                    [a.stored_count for a in answers].index(1) % 2))

    def test_two_projects_with_one_id_on_one_connection(self):
        server = self.start_server()
        client = self.connect(server)
        ours = {"a": make_record("a")}
        theirs = make_record("a", model="another")
        calls = [
            client.start("ReportUsage", service_pb2.ReportUsageRequest(
                project=project, records=[record]))
            for _ in range(50)
            for project, record in ((PROJECT, ours["a"]), ("other", theirs))
        ]
        answers = [call.result(30) for call in calls]
        self.assertEqual(sum(a.stored_count for a in answers), 2)
        self.assertEqual(sum(a.duplicate_count for a in answers), 98)
        self.assertEqual(client.get("other", "a").model, "another")
        self.assert_sound(server, ours)


class BadInputTest(DurableTest):
    """After each test the service is sound, small and serving."""

    def setUp(self):
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # servers inherit it
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.server = self.start_server()
        self.client = self.connect(self.server)
        self.known = {"first": make_record("first")}
        self.client.report(PROJECT, self.known.values())
        self.channel = grpc.insecure_channel(
            self.server.address, options=[("grpc.max_send_message_length", -1)]
        )
        self.addCleanup(self.channel.close)

    def assert_unharmed(self):
        """Asserts that the service serves as before.

        Uses a new connection: gRPC closes idle ones if its memory runs short.
        """
        record = make_record("last-%d" % len(self.known))
        client = self.connect(self.server)
        self.assertEqual(client.report(PROJECT, [record]).stored_count, 1)
        self.known[record.record_id] = record
        self.assert_sound(self.server, self.known)

    def raw(self, method, data, **kwargs):
        """Calls a method with these bytes; returns its failure, or None."""
        call = self.channel.unary_unary("/tokenusage.v1.UsageReportingService/" + method)
        try:
            call(data, timeout=30, **kwargs)
        except grpc.RpcError as error:
            return failure_of(error)
        return None

    def test_requests_that_are_not_protobuf(self):
        rng = seeded_random()
        for method in METHODS:
            for size in (1, 10, 1000, 100_000):
                failure = self.raw(method, b"\xff" + rng.randbytes(size))
                self.assertEqual(
                    (failure.code, failure.reason),
                    (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_MALFORMED"),
                )
        self.assert_unharmed()

    def test_truncated_request(self):
        """Cut anywhere, a request is refused completely: no part is counted."""
        request = service_pb2.ReportUsageRequest(
            project=PROJECT, records=[make_record("cut-%d" % i) for i in range(3)]
        )
        whole = request.SerializeToString()
        records_start = len(PROJECT) + 2
        size = (len(whole) - records_start) // 3
        for end in range(records_start + 1, len(whole)):
            if (end - records_start) % size == 0:
                continue  # a whole request with fewer records
            failure = self.raw("ReportUsage", whole[:end])
            self.assertEqual(failure.reason, "REQUEST_MALFORMED", end)
        self.assert_unharmed()

    def test_deeply_nested_unknown_fields(self):
        """Groups within groups, in a field that the schema does not know."""
        for depth in (50, 1000, 300_000):
            data = b"\x9b\x06" * depth + b"\x9c\x06" * depth
            for method in METHODS:
                failure = self.raw(method, data)
                self.assertEqual(failure.code, grpc.StatusCode.INVALID_ARGUMENT)
        self.assert_unharmed()

    def test_oversize_requests(self):
        padding = [make_record("p", labels={"l": "x" * 256})] * 1000
        request = service_pb2.ReportUsageRequest(project=PROJECT, records=padding)
        failure = self.raw("ReportUsage", request.SerializeToString() * 4)
        self.assertEqual(failure.code, grpc.StatusCode.INVALID_ARGUMENT)
        for size in (5 << 20, 64 << 20):
            failure = self.raw("ReportUsage", bytes(size))
            self.assertEqual(failure.code, grpc.StatusCode.RESOURCE_EXHAUSTED)
            self.assertNotIn("grpc-retry-pushback-ms", failure.trailers)
        self.assert_unharmed()

    def test_counts_that_would_poison_a_sum(self):
        for count in (math.nan, math.inf, -math.inf, -1.0, -5e-324, 2.0**53 + 2):
            record = make_record("bad", counts=(100.0, count, 50.0, 10.0, 40.0))
            (error,) = self.client.report(PROJECT, [record]).errors
            self.assertEqual(
                (error.reason, error.field),
                (
                    service_pb2.RECORD_ERROR_REASON_COUNT_OUT_OF_RANGE,
                    "orq_images_edits.input_tokens",
                ),
            )
        record = make_record("bad")
        record.ClearField("usage")
        (error,) = self.client.report(PROJECT, [record]).errors
        self.assertEqual(error.reason, service_pb2.RECORD_ERROR_REASON_FIELD_MISSING)
        record = make_record("bad")
        record.orq_images_edits.ClearField("output_tokens")
        (error,) = self.client.report(PROJECT, [record]).errors
        self.assertEqual(error.reason, service_pb2.RECORD_ERROR_REASON_FIELD_MISSING)
        self.assert_unharmed()

    def test_metadata_that_is_too_large(self):
        request = service_pb2.GetUsageRecordRequest(project=PROJECT, record_id="first")
        for size in (20_000, 1 << 20, 8 << 20):
            failure = self.raw(
                "GetUsageRecord",
                request.SerializeToString(),
                metadata=[("x-large", "x" * size)],
            )
            self.assertIsNotNone(failure, size)
        self.assert_unharmed()

    def test_gzip_bomb(self):
        """A small message that unpacks to 256 MiB is refused, and not unpacked completely."""
        before = resident_peak(self.server)
        failure = self.raw(
            "ReportUsage", bytes(256 << 20), compression=grpc.Compression.Gzip
        )
        self.assertEqual(
            (failure.code, failure.reason),
            (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_TOO_LARGE"),
        )
        self.assert_resident_below(self.server, before + (32 << 20))
        self.assert_unharmed()

    @staticmethod
    def headers(*extra):
        """Encodes the header block of a call, in HPACK's literals without indexing."""
        fields = (
            b":method", b"POST", b":scheme", b"http", b":path", REPORT.encode(),
            b":authority", b"localhost", b"content-type", b"application/grpc",
            b"te", b"trailers", *extra,
        )
        return b"".join(
            (b"\0" if i % 2 == 0 else b"") + bytes((len(field),)) + field
            for i, field in enumerate(fields)
        )

    def test_bytes_that_are_not_http2(self):
        rng = seeded_random()
        openings = (
            b"",
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            bytes((22, 3, 1)),  # TLS
            PREFACE,
            PREFACE + SETTINGS,
            PREFACE + SETTINGS + frame(1, 4, 1, self.headers()),
        )
        for number in range(60):
            with tcp(self.server) as connection, contextlib.suppress(OSError):
                connection.sendall(openings[number % 6] + rng.randbytes(rng.randrange(5000)))
                connection.settimeout(0.05)
                connection.recv(1000)
        self.assert_unharmed()

    def test_too_many_pings(self):
        """A client that pings too often is told so, and disconnected."""
        go_away, enhance_your_calm = 7, 11
        with tcp(self.server) as connection:
            pings = b"".join(frame(6, 0, 0, bytes(8)) for _ in range(10))
            connection.sendall(PREFACE + SETTINGS + pings)
            received = b""
            while True:
                part = connection.recv(1000)
                if not part:
                    break
                received += part
        errors = [
            int.from_bytes(payload[4:8], "big")
            for kind, payload in frames(received)
            if kind == go_away
        ]
        self.assertIn(enhance_your_calm, errors)
        self.assert_unharmed()

    def test_1000_idle_connections(self):
        connections = []
        self.addCleanup(lambda: [connection.close() for connection in connections])
        for number in range(1000):
            connections.append(tcp(self.server))
            if number % 2:
                connections[-1].sendall(PREFACE + SETTINGS)
        started = time.monotonic()
        self.assert_unharmed()
        self.assertLess(time.monotonic() - started, 10)
        load = SteadyLoad(self.server, 1)
        time.sleep(0.3)
        load.stop()
        self.assertEqual((load.wrong, load.codes), ([], set()))
        self.known.update(flat(load.acknowledged))
        self.assert_sound(self.server, self.known)


if __name__ == "__main__":
    junit.main()
