# SPDX-License-Identifier: Apache-2.0
"""Callers that want to exhaust the service, and a good caller at the same time.

The service stays below 256 MiB of resident memory, except in the cases that state a higher
limit, and the good caller loses no call: at most it is told to try again later.
"""

import contextlib
import http.client
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request

import grpc

from harness import http2, junit, oracle, program
from harness.certificates import Authority, read
from harness.client import UsageClient, failure_of, query_request, set_time
from harness.records import make_record
from harness.testcase import (
    MAX_RESIDENT,
    NOT_SERVING,
    SERVING,
    EndToEndTest,
    resident_peak,
)
from tokenusage.v1 import usage_reporting_service_pb2 as service_pb2

MIB = 1 << 20
STREAMS = 100  # that one connection may have
PUSHBACK = "grpc-retry-pushback-ms"
HEALTH_WATCH = "/grpc.health.v1.Health/Watch"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


def metric(server, name, tls_ca=None):
    """Returns the value of a metric without labels."""
    url = "%s://%s/metrics" % ("https" if tls_ca else "http", server.http_address)
    context = ssl.create_default_context(cafile=tls_ca) if tls_ca else None
    with urllib.request.urlopen(url, context=context) as page:
        return float(re.search(r"(?m)^%s (.*)$" % name, page.read().decode()).group(1))


class GoodCaller:
    """Reports one record after the other, each until it is acknowledged.

    A newcomer reports each over a new connection, which is not identified yet.
    """

    def __init__(self, server, token, credentials, is_newcomer=False):
        self.reported = 0
        self.slowest = 0.0
        self.lost = []
        self._is_newcomer = is_newcomer
        self._connect = lambda: UsageClient(server.address, credentials, token)
        self._client = self._connect()
        # Until its first call, a connection is like an attacker's.
        self._report(make_record("first"))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self):
        """Ends it after its current record."""
        self._stopping.set()
        self._thread.join()
        self._client.close()

    def _run(self):
        while not self._stopping.wait(0.02):
            if self._is_newcomer:
                self._client.close()
                self._client = self._connect()
            self._report(make_record("good-%d" % self.reported))

    def _report(self, record):
        while True:
            started = time.monotonic()
            try:
                self._client.report("good", [record], timeout=60)
                self.reported += 1
                self.slowest = max(self.slowest, time.monotonic() - started)
                return
            except grpc.RpcError as error:
                pushback = failure_of(error).trailers.get(PUSHBACK)
                if pushback is None:
                    self.lost.append(error)
                    print(
                        "%s lost a call after %.3f s: %s"
                        % (
                            "the newcomer" if self._is_newcomer else "the good caller",
                            time.monotonic() - started,
                            error.details(),
                        ),
                        flush=True,
                    )
                    return
                time.sleep(int(pushback) / 1000)


class AttackTest(EndToEndTest):
    @contextlib.contextmanager
    def attacked(
        self,
        *flags,
        token=None,
        credentials=None,
        with_newcomer=False,
        limit=MAX_RESIDENT,
        may_lose=(),
        **kwargs,
    ):
        """Starts a server with good callers, and checks them once the attack is over.

        They may lose calls with the codes in `may_lose`, but only a few.
        """
        server = self.start_server("usage.db", "--http-listen=127.0.0.1:0", *flags, **kwargs)
        callers = [
            GoodCaller(server, token, credentials, is_newcomer)
            for is_newcomer in ([False, True] if with_newcomer else [False])
        ]
        try:
            yield server
        finally:
            for caller in callers:
                caller.stop()
        slowest = max(caller.slowest for caller in callers)
        print(
            "%s: %d MiB; a good call took %.2f s at most"
            % (self.id(), resident_peak(server) // MIB, slowest),
            flush=True,
        )
        self.assert_resident_below(server, limit)
        for caller in callers:
            self.assertEqual([lost for lost in caller.lost if lost.code() not in may_lose], [])
            self.assertGreater(caller.reported, max(1, 3 * len(caller.lost)))
        server.kill()

    def connect_raw(self, server, **kwargs):
        """Opens a connection of an attacker."""
        connection = http2.Connection(server.address, **kwargs)
        self.addCleanup(connection.close)
        return connection

    def test_more_connections_than_descriptors(self):
        with self.attacked(wrapper=["prlimit", "--nofile=300:300"]) as server:
            connections = []
            for _ in range(600):
                connections.append(socket.create_connection(self.host_and_port(server.address), 10))
            # Identified connections stay, and new ones find room.
            for _ in range(3):
                self.assertEqual(self.connect(server).health(), 1)
                time.sleep(0.3)
            self.assertLess(metric(server, "tokenusage_connections"), 90)
            self.assertGreater(metric(server, "tokenusage_connections_closed_total"), 400)
            for connection in connections:
                connection.close()
            self.assertEqual(self.connect(server).health(), 1)

    def test_descriptors_that_run_out(self):
        """With an odd number of them free and an even one, on both listeners."""
        for free in (4, 5):
            for has_http in (False, True):
                with self.subTest(free=free, has_http=has_http):
                    self.run_out_of_descriptors(free, has_http)

    def run_out_of_descriptors(self, free, has_http):
        server = self.start_server("%d-%d.db" % (free, has_http), "--http-listen=127.0.0.1:0")
        client = self.connect(server)
        self.assertEqual(client.health(), SERVING)
        watch = http.client.HTTPConnection(server.http_address, timeout=60)
        self.addCleanup(watch.close)

        def get(path):
            watch.request("GET", path)
            response = watch.getresponse()
            return response.status, response.read().decode()

        def accepting():
            return re.search(r"(?m)^tokenusage_accepting_connections (\d)$", get("/metrics")[1])[1]

        def await_accepting(value):
            deadline = time.monotonic() + 60
            while accepting() != value:
                self.assertLess(time.monotonic(), deadline, server.log())
                time.sleep(0.02)

        self.assertEqual((get("/healthz")[0], accepting()), (200, "1"))
        pid = server.process.pid
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = set(map(int, os.listdir("/proc/%d/fd" % pid)))
        last = [number for number in range(1000) if number not in used][free - 1]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (last + 1, limits[1]))
        address = self.host_and_port(server.http_address if has_http else server.address)
        waiting = []
        for _ in range(8):
            waiting.append(socket.create_connection(address, 60))
            self.addCleanup(waiting[-1].close)
        await_accepting("0")
        self.assertEqual((get("/healthz")[0], client.health()), (503, NOT_SERVING))
        self.assertEqual(server.log().count("cannot accept connections"), 1)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        await_accepting("1")
        self.assertEqual((get("/healthz")[0], client.health()), (200, SERVING))
        server.await_log("accepting connections again")
        for connection in waiting:  # none was closed
            if has_http:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertTrue(connection.recv(1))
        server.kill()

    @staticmethod
    def host_and_port(address):
        """Splits an address into the pair that socket.create_connection takes."""
        host, port = address.rsplit(":", 1)
        return host, int(port)

    def keep_attacking(self, attack, seconds=3):
        """Calls `attack` repeatedly, so that closed connections come back."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                attack(deadline)

    def send_without_end(self, attackers, deadline):
        """Sends messages of 4 MiB over all streams of each connection, and ends none."""
        methods = ("ReportUsage", "StreamUsage", "/grpc.health.v1.Health/Check")
        head = http2.message(b"", length=4 * MIB - 5)
        block = b"\0" * 32768
        left = {}
        for attacker in attackers:
            for i in range(STREAMS - 1):
                stream = attacker.start_call(methods[i % 3])
                left[attacker, stream] = 4 * MIB - 65536
                attacker.send_data(stream, head)
        while left and time.monotonic() < deadline:
            for (attacker, stream), size in list(left.items()):
                if attacker.is_closed or size <= 0 or stream in attacker.reset_streams:
                    del left[attacker, stream]
                    continue
                rest = attacker.send_data(stream, block)
                left[attacker, stream] -= len(block) - len(rest)
            time.sleep(0.001)

    def new_identity(self):
        """Returns a file of identities, and the token of the only one."""
        made = program.run("token", "new", "--name=good", "--projects=good", "--roles=report",
                           "--token-file=" + self.path("token"))
        identities = self.write("identities", made.stdout)
        with open(self.path("token"), encoding="utf-8") as file:
            return identities, file.read().strip()

    # Rarely, a call of a good caller ends with "Socket closed". Why is not known: see
    # limits.md.
    def test_messages_that_never_end(self):
        identities, token = self.new_identity()
        with self.attacked(
            "--identities=" + identities,
            token=token,
            with_newcomer=True,
            may_lose=(grpc.StatusCode.UNAVAILABLE,),
        ) as server:
            self.keep_attacking(
                lambda end: self.send_without_end(
                    [self.connect_raw(server) for _ in range(4)], end
                )
            )

    def test_messages_that_never_end_over_tls(self):
        identities, token = self.new_identity()
        ca = Authority(self.folder)
        certificate, key = ca.sign_server()
        with self.attacked(
            "--identities=" + identities,
            "--tls-certificate=" + certificate,
            "--tls-key=" + key,
            token=token,
            credentials=grpc.ssl_channel_credentials(read(ca.certificate)),
        ) as server:
            self.keep_attacking(
                lambda end: self.send_without_end(
                    [self.connect_raw(server, tls_ca=ca.certificate) for _ in range(4)], end
                )
            )
            closed = metric(server, "tokenusage_connections_closed_total", ca.certificate)
            self.assertGreater(closed, 0)

    def test_messages_that_never_end_of_callers_with_credentials(self):
        with self.attacked() as server:
            request = service_pb2.ReportUsageRequest(project="evil").SerializeToString()

            def attack(deadline):
                attackers = [self.connect_raw(server) for _ in range(4)]
                for attacker in attackers:
                    attacker.start_call("ReportUsage", request)
                self.send_without_end(attackers, deadline)

            self.keep_attacking(attack)

    def test_answers_that_are_not_read(self):
        with self.attacked() as server:
            client = self.connect(server)
            labels = {"label-%d" % i: "x" * 250 for i in range(12)}
            for batch in range(4):
                records = [make_record("%d-%d" % (batch, i), labels=labels) for i in range(250)]
                client.report("evil", records)
            request = service_pb2.ListUsageRecordsRequest(project="evil")
            set_time(request.start_time, oracle.ALL_TIME[0])
            set_time(request.end_time, oracle.ALL_TIME[1])
            self.assertGreater(client.call("ListUsageRecords", request).ByteSize(), 2 * MIB)
            attackers = [
                self.connect_raw(server, settings={http2.INITIAL_WINDOW_SIZE: 0})
                for _ in range(4)
            ]
            for _ in range(60):
                for attacker in attackers:
                    attacker.start_call("ListUsageRecords", request.SerializeToString())
                time.sleep(0.05)
            # What is full is the project's share: another project can be read.
            self.assertEqual(len(client.list("good", *oracle.ALL_TIME, page_size=1).records), 1)

    def test_requests_of_millions_of_fields(self):
        with self.attacked() as server:
            query = query_request("evil", *oracle.ALL_TIME).SerializeToString()
            fields = service_pb2.QueryUsageRequest.DESCRIPTOR.fields_by_name
            attacker = self.connect_raw(server)
            for name in ("filters", "group_by"):
                tag = bytes([fields[name].number << 3 | 2, 0])
                message = http2.message(query + tag * (2 * MIB - 100))
                for _ in range(12):
                    stream = attacker.start_call("QueryUsage")
                    self.assertEqual(attacker.send_data(stream, message, timeout=10), b"")
                    attacker.send(http2.frame(http2.DATA, http2.END_STREAM, stream))

    def reset_rapidly(self, server):
        query = query_request("evil", *oracle.ALL_TIME).SerializeToString()
        for method, data in (("QueryUsage", query), ("StreamUsage", None)):

            def attack(deadline):
                attacker = self.connect_raw(server)
                while time.monotonic() < deadline and not attacker.is_closed:
                    stream = attacker.start_call(method, data)
                    attacker.send(http2.reset(stream))

            self.keep_attacking(attack)

    def test_rapid_resets(self):
        identities, token = self.new_identity()
        with self.attacked("--identities=" + identities, token=token, with_newcomer=True) as server:
            self.reset_rapidly(server)

    def test_rapid_resets_of_callers_with_credentials(self):
        with self.attacked(with_newcomer=True) as server:
            self.reset_rapidly(server)

    def flood(self, server, *blocks, **kwargs):
        """Sends each block over a connection, and again whenever that is closed."""

        def attack(block, deadline):
            attacker = self.connect_raw(server, **kwargs)
            attacker.send(block)
            while not attacker.is_closed and time.monotonic() < deadline:
                time.sleep(0.01)
            attacker.close()

        threads = [
            threading.Thread(
                target=self.keep_attacking, args=(lambda end, block=block: attack(block, end),)
            )
            for block in blocks
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def test_floods(self):
        """100,000 calls at once over each of 8 connections, with and without resets."""
        identities, token = self.new_identity()
        for resets in (True, False):
            blocks = [
                http2.flood(method, 100000, data, resets)
                for method in ("StreamUsage", "QueryUsage", HEALTH_WATCH, "Unknown")
                for data in (None, b"")
            ]
            for flags in ((), ("--identities=" + identities,)):
                with self.subTest(resets=resets, flags=flags), self.attacked(
                    *flags, token=token, with_newcomer=True
                ) as server:
                    self.flood(server, *blocks)

    def test_floods_over_tls(self):
        ca = Authority(self.folder)
        certificate, key = ca.sign_server()
        with self.attacked(
            "--tls-certificate=" + certificate,
            "--tls-key=" + key,
            credentials=grpc.ssl_channel_credentials(read(ca.certificate)),
            with_newcomer=True,
        ) as server:
            blocks = [http2.flood("QueryUsage", 100000, b"", resets) for resets in (True, False)]
            self.flood(server, *blocks, *blocks, tls_ca=ca.certificate)

    # The server takes 183 to 246 MiB, most of it for pings.
    def test_floods_of_other_frames(self):
        """Each must be answered, or is part of headers that never end."""
        blocks = [
            http2.frame(http2.PING, 0, 0, b"12345678") * 200000,
            http2.frame(http2.SETTINGS, 0, 0) * 200000,
            http2.frame(http2.HEADERS, 0, 1, http2.headers("QueryUsage"))
            + http2.frame(http2.CONTINUATION, 0, 1, http2.literal("a", "b" * 126)) * 20000,
        ]
        with self.attacked(with_newcomer=True, limit=384 * MIB) as server:
            self.flood(server, *blocks, *blocks)

    def test_slow_queries(self):
        """A query of another project does not wait for the forty that came before it."""
        server = self.start_server("usage.db")
        client = self.connect(server)
        for batch in range(100):
            names = ["%d-%d" % (batch, i) for i in range(1000)]
            client.report("slow", [make_record(name, labels={"x": "y"}) for name in names])
        client.report("quick", [make_record("a")])
        slow = query_request("slow", *oracle.ALL_TIME, group_by=["labels.x"])
        calls = [client.start("QueryUsage", slow) for _ in range(40)]
        started = time.monotonic()
        (row,) = client.query("quick", *oracle.ALL_TIME).rows
        seconds = time.monotonic() - started
        waiting = sum(not call.done() for call in calls)
        print("%.3f s, before %d of 40 slow queries" % (seconds, waiting), flush=True)
        self.assertEqual(row.totals.record_count, 1)
        self.assertGreater(waiting, 20)
        self.assertLess(seconds, 10)
        for call in calls:
            call.cancel()

    def test_calls_that_wait(self):
        """25,000 of them over 250 connections; health watches need no token."""
        for method in (HEALTH_WATCH, "StreamUsage"):
            with self.subTest(method), self.attacked(with_newcomer=True) as server:
                for _ in range(250):
                    attacker = self.connect_raw(server)
                    with contextlib.suppress(OSError):
                        for _ in range(STREAMS):
                            attacker.start_call(method, b"" if "/" in method else None)
                self.await_closed_connection(server)

    def test_calls_that_wait_and_come_at_once(self):
        """50,000 of them over 500 connections, which are open already."""
        watches = http2.flood(HEALTH_WATCH, STREAMS, b"")
        with self.attacked("--reflection", with_newcomer=True, limit=200 * MIB) as server:
            # gRPC's own service is synchronous, and must not spoil the count.
            for _ in range(250):
                attacker = self.connect_raw(server)
                for _ in range(STREAMS):
                    attacker.start_call(REFLECTION, b"")
                attacker.close()
                time.sleep(0.02)
            attackers = [self.connect_raw(server) for _ in range(500)]
            for attacker in attackers:
                with contextlib.suppress(OSError):
                    attacker.send(watches)
            self.await_closed_connection(server)

    # The server takes 216 to 319 MiB: gRPC reads up to 100 connections before it ends a
    # call of a closed one. gRPC 1.83 takes less, but may reset calls of others: see
    # limits.md.
    def test_calls_of_callers_with_credentials_that_come_at_once(self):
        request = service_pb2.ReportUsageRequest(project="evil").SerializeToString()
        with self.attacked(
            with_newcomer=True,
            limit=512 * MIB,
            may_lose=(grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE),
        ) as server:
            attackers = [self.connect_raw(server) for _ in range(500)]
            for attacker in attackers:
                attacker.send(http2.flood("ReportUsage", 1, request))
            time.sleep(1)  # all are identified
            for attacker in attackers:
                with contextlib.suppress(OSError):
                    attacker.send(http2.flood("StreamUsage", STREAMS - 1, first=3))
            self.await_closed_connection(server)

    def await_closed_connection(self, server):
        """Waits until the service has closed a connection."""
        deadline = time.monotonic() + 60
        while not metric(server, "tokenusage_connections_closed_total"):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.1)

    def test_no_caller_is_taken_for_an_attacker(self):
        """Reports more than all requests under way may hold, over one connection."""
        records = [make_record("r%d" % i, labels={"x": "y" * 250}) for i in range(1000)]
        for listen in ("127.0.0.1:0", "[::1]:0"):
            with self.subTest(listen):
                server = self.start_server(
                    "%d.db" % len(listen), "--http-listen=127.0.0.1:0", listen=listen
                )
                client = self.connect(server)
                for _ in range(300):
                    client.report("good", records)
                self.assertGreater(metric(server, "tokenusage_records_duplicate_total"), 1e5)
                self.assertEqual(metric(server, "tokenusage_connections"), 1)
                self.assertEqual(metric(server, "tokenusage_connections_closed_total"), 0)

    def test_idle_connections_do_not_delay_the_end(self):
        server = self.start_server("usage.db", "--drain-seconds=20")
        silent = socket.create_connection(self.host_and_port(server.address), 10)
        self.addCleanup(silent.close)
        self.connect_raw(server)
        deaf = self.connect_raw(server, reads=False)
        deaf.start_call("/grpc.health.v1.Health/Check", b"")
        self.assertEqual(self.connect(server).health(), 1)
        started = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - started, 3)

    @staticmethod
    def blocks_sigterm(pid):
        with open("/proc/%d/status" % pid, encoding="utf-8") as status:
            blocked = int(re.search(r"SigBlk:\s+(\w+)", status.read()).group(1), 16)
        return blocked >> (signal.SIGTERM - 1) & 1

    def test_a_signal_ends_a_start_that_blocks(self):
        os.mkfifo(self.path("identities"))
        process = subprocess.Popen(
            [program.PROGRAM, "serve", "--store=sqlite://" + self.path("usage.db"),
             "--listen=127.0.0.1:0", "--identities=" + self.path("identities")],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=program.environment(),
        )
        self.addCleanup(process.kill)
        # Before the program has blocked the signal, the signal would end it in the usual
        # way.
        while not self.blocks_sigterm(process.pid):
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        errors = process.communicate(timeout=10)[1]
        self.assertEqual(process.returncode, 0)
        self.assertIn(b"stopped before the service was ready", errors)

    def test_a_signal_ends_a_reload_that_blocks(self):
        identities, token = self.new_identity()
        server = self.start_server("usage.db", "--identities=" + identities)
        os.remove(identities)
        os.mkfifo(identities)
        writer = os.open(identities, os.O_RDWR)  # a reader can open it, and then waits
        self.addCleanup(os.close, writer)
        server.reload()
        folder = "/proc/%d/fd/" % server.process.pid

        def opened():
            for name in os.listdir(folder):
                with contextlib.suppress(FileNotFoundError):
                    yield os.readlink(folder + name)

        deadline = time.monotonic() + 60
        while os.path.realpath(identities) not in opened():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        client = self.connect(server)
        client.token = token
        client.report("good", [make_record("a")])  # with the identities from before
        self.assertEqual(server.stop(), 0)
        self.assertIn(" stopped", server.log())


if __name__ == "__main__":
    junit.main()
