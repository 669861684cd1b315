# SPDX-License-Identifier: Apache-2.0
"""The operator's view of the service: health, metrics, logs, configuration, shutdown."""

import contextlib
import errno
import json
import os
import re
import shutil
import socket
import tempfile
import threading
import time
import urllib.request

import grpc

from harness import junit, oracle, program
from harness.client import UsageClient, failure_of
from harness.faults import Faults
from harness.records import FRACTIONAL, make_record
from harness.testcase import NOT_SERVING, SERVING, EndToEndTest
from tokenusage.v1 import usage_record_pb2, usage_reporting_service_pb2 as service_pb2


def metrics_of(server):
    """Returns the samples by name and labels."""
    url = "http://%s/metrics" % server.http_address
    with urllib.request.urlopen(url, timeout=60) as page:
        lines = page.read().decode().splitlines()
    samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


class OperationTest(EndToEndTest):
    def test_a_token_file_is_on_disk_or_there_is_none(self):
        os.mkdir(self.path("usage"))
        faults = Faults(self.path("orders"))

        def new_token():
            return program.run(
                "token", "new", "--name=a", "--projects=demo", "--roles=query",
                "--token-file=" + self.path("usage/usage.token"), wrapper=faults.wrapper,
            )

        # The write of the file fails, then its sync, and then the sync of its folder.
        for call, nth in (("write", 1), ("sync", 1), ("sync", 2)):
            with self.subTest((call, nth)):
                faults.fail(call, nth, error=errno.ENOSPC)
                self.assert_one_line_error(new_token(), 1, self.path("usage"), "No space left")
                self.assertEqual(os.listdir(self.path("usage")), [])
                faults.stop_failing()
        self.assertEqual(new_token().exit_code, 0)
        self.assertEqual(os.listdir(self.path("usage")), ["usage.token"])
        self.assertGreater(os.path.getsize(self.path("usage/usage.token")), 20)

    def test_there_is_no_token_without_its_line(self):
        os.mkdir(self.path("usage"))
        token, identities = self.path("usage/usage.token"), self.path("usage/usage.ids")
        new_token = ["token", "new", "--name=a", "--projects=demo", "--roles=query",
                     "--token-file=" + token]
        with self.subTest("standard output is full"):
            full = ["sh", "-c", 'exec "$0" "$@" >/dev/full']
            outcome = program.run(*new_token, wrapper=full)
            self.assert_one_line_error(outcome, 1, "No space left")
            self.assertEqual(os.listdir(self.path("usage")), [])
        with self.subTest("the file of identities cannot be written"):
            self.write("usage/usage.ids", "# callers\nold * query cn:old")
            os.chmod(identities, 0o640)
            faults = Faults(self.path("orders"))
            faults.fail("sync", 3, error=errno.ENOSPC)  # after the token and its folder
            outcome = program.run(
                *new_token, "--identities=" + identities, wrapper=faults.wrapper
            )
            self.assert_one_line_error(outcome, 1, identities, "No space left")
            self.assertEqual(os.listdir(self.path("usage")), ["usage.ids"])
        self.assert_output(program.run(*new_token, "--identities=" + identities), "")
        with open(identities, encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual(lines[:2], ["# callers", "old * query cn:old"])
        self.assertRegex("\n".join(lines[2:]), r"\Aa demo query sha256:[0-9a-f]{64}\Z")
        self.assertEqual(os.stat(identities).st_mode & 0o777, 0o640)

    def test_health_follows_the_store(self):
        """Health is bad from the first failure until the store accepts writes again."""
        faults = Faults(self.path("orders"))
        server = self.start_server(
            "usage.db", "--http-listen=127.0.0.1:0", wrapper=faults.wrapper
        )
        client = self.connect(server)
        self.assertEqual((client.health(), client.health("")), (SERVING, SERVING))
        client.report("demo", [make_record("a")])
        for round_number, (call, error) in enumerate(
            (("sync", errno.EIO), ("write", errno.ENOSPC), ("write", errno.EROFS))
        ):
            faults.fail(call, error=error)
            for _ in range(3):
                with self.assertRaises(grpc.RpcError) as caught:
                    client.report("demo", [make_record("b%d" % round_number)])
                self.assertEqual(failure_of(caught.exception).reason, "STORE_FAILED")
            self.await_health(client, NOT_SERVING)
            self.await_health_for_all(client, NOT_SERVING)
            self.assertEqual(metrics_of(server)["tokenusage_store_healthy"], 0)
            time.sleep(1.5)  # the service polls the store meanwhile, which still fails
            self.assertEqual(client.health(), NOT_SERVING)
            faults.stop_failing()
            self.await_health(client, SERVING)
            client.report("demo", [make_record("b%d" % round_number)])
            self.assertEqual(metrics_of(server)["tokenusage_store_healthy"], 1)
        rows = client.query_all("demo", *oracle.ALL_TIME)
        self.assertEqual(rows[0].totals.record_count, 4)
        log = server.log()
        self.assertEqual(len(re.findall(r"error \"?the store failed", log)), 3)
        self.assertEqual(len(re.findall(r"info \"?the store has recovered", log)), 3)

    def await_health_for_all(self, client, state):
        self.assertEqual((client.health(), client.health("")), (state, state))

    def test_metrics(self):
        server = self.start_server("usage.db", "--http-listen=127.0.0.1:0")
        client = self.connect(server)
        conflict = make_record("a", counts=(1.0, 1.0, 1.0, 1.0, 1.0))
        unknown = make_record("u")
        unknown.usage_unknown.reason = usage_record_pb2.UNKNOWN_USAGE_REASON_ABORTED
        sent = received = 0  # bytes, as the service sees it
        for records in (
            [make_record("a"), make_record("b")],
            [make_record("a"), make_record("c"), make_record("")],
            [conflict, conflict],
            [make_record("i", counts=FRACTIONAL), unknown],
            [make_record("i", counts=FRACTIONAL), unknown],
        ):
            request = service_pb2.ReportUsageRequest(project="demo", records=records)
            received += request.ByteSize()
            sent += client.call("ReportUsage", request).ByteSize()
        with self.assertRaises(grpc.RpcError):
            client.get("demo", "nobody")
        for name in ("/Zq7/a", "/Zq7/b"):  # no method of ours, and no label
            with self.assertRaises(grpc.RpcError):
                client._channel.unary_unary(name)(b"", timeout=30)
        service = "tokenusage.v1.UsageReportingService"
        reported = '{grpc_method="%s/ReportUsage",grpc_status="OK"}' % service
        size = "grpc_server_call_%s_total_compressed_message_size_bytes_"
        refused = 'tokenusage_records_refused_total{reason="%s"}'
        expected = {
            "tokenusage_records_stored_total": 5,
            "tokenusage_records_duplicate_total": 3,
            "tokenusage_records_inconsistent_total": 1,
            'tokenusage_records_unknown_usage_total{reason="ABORTED"}': 1,
            refused % "FIELD_MISSING": 1,
            refused % "RECORD_ID_CONFLICT": 2,
            "tokenusage_commit_duration_seconds_count": 5,
            "tokenusage_queue_batches": 0,
            "tokenusage_queue_bytes": 0,
            "tokenusage_store_healthy": 1,
            'grpc_server_call_started_total{grpc_method="%s/ReportUsage"}' % service: 5,
            "grpc_server_call_duration_seconds_count" + reported: 5,
            size % "rcvd" + "count" + reported: 5,
            size % "rcvd" + "sum" + reported: received,
            size % "sent" + "sum" + reported: sent,
            'grpc_server_call_duration_seconds_count{grpc_method="%s/GetUsageRecord",'
            'grpc_status="NOT_FOUND"}' % service: 1,
            'grpc_server_call_started_total{grpc_method="other"}': 2,
            'grpc_server_call_duration_seconds_count{grpc_method="other",'
            'grpc_status="UNIMPLEMENTED"}': 2,
        }
        # For the service, a call ends a moment after its caller has the answer.
        deadline = time.monotonic() + 10
        found = None
        while found != expected and time.monotonic() < deadline:
            metrics = metrics_of(server)
            found = {name: metrics.get(name) for name in expected}
        self.assertEqual(found, expected)
        self.assertNotIn("Zq7", str(metrics))
        stored = sum(
            os.path.getsize(server.database + suffix) for suffix in ("", "-wal")
        )
        self.assertEqual(metrics["tokenusage_store_size_bytes"], stored)

    def test_sizes_of_messages_of_every_method(self):
        server = self.start_server("usage.db", "--http-listen=127.0.0.1:0")
        channel = self.connect(server)._channel
        service = service_pb2.DESCRIPTOR.services_by_name["UsageReportingService"]
        expected = {}
        for method in service.methods:
            path = "/%s/%s" % (service.full_name, method.name)
            requests, answers = [b"\x0a\x04demo"], []
            if method.name == "StreamUsage":
                requests = [
                    service_pb2.StreamUsageRequest(
                        sequence=i, project="demo", records=[make_record("a%d" % i)]
                    ).SerializeToString()
                    for i in (1, 2, 3)
                ]
                answers = list(channel.stream_stream(path)(iter(requests), timeout=30))
            else:
                with contextlib.suppress(grpc.RpcError):
                    answers = [channel.unary_unary(path)(requests[0], timeout=30)]
            sizes = [sum(map(len, messages)) for messages in (requests, answers)]
            expected[method.name] = [1, *sizes]
        self.assertEqual(len(expected), 6)
        deadline = time.monotonic() + 10
        found = None
        while found != expected and time.monotonic() < deadline:
            found = {}
            for sample, value in metrics_of(server).items():
                parts = re.fullmatch(
                    r"grpc_server_call_(rcvd|sent)_total_compressed_message_size_bytes_"
                    r'(count|sum)\{grpc_method="tokenusage[.\w]*/(\w+)",.*', sample
                )
                if parts is None:
                    continue
                sizes = found.setdefault(parts[3], [0, 0, 0])
                if parts[2] == "sum":
                    sizes[1 if parts[1] == "rcvd" else 2] += value
                elif parts[1] == "rcvd":
                    sizes[0] += value
        self.assertEqual(found, expected)

    def test_metrics_beside_idle_connections(self):
        server = self.start_server("usage.db", "--http-listen=127.0.0.1:0")
        host, port = server.http_address.split(":")
        with contextlib.ExitStack() as idle:
            for _ in range(40):
                idle.enter_context(socket.create_connection((host, int(port))))
            # Idle connections must not delay a scrape.
            self.assertEqual(metrics_of(server)["tokenusage_store_healthy"], 1)

    def test_http_without_tls_is_served_on_loopback_only(self):
        serve = ["serve", "--store=sqlite://" + self.path("a.db"), "--listen=127.0.0.1:0"]
        outcome = program.run(*serve, "--http-listen=0.0.0.0:0")
        self.assert_one_line_error(outcome, 64, "loopback")
        with contextlib.closing(socket.socket()) as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            outcome = program.run(*serve, "--http-listen=127.0.0.1:%d" % port)
            self.assertEqual(outcome.exit_code, 1, outcome)
            self.assertIn(b"another process", outcome.stderr)

    def test_an_address_that_cannot_be_served(self):
        """An error blames another process only if the port is in use."""
        serve = ["serve", "--store=sqlite://" + self.path("a.db")]
        unprivileged = ["setpriv", "--bounding-set=-net_bind_service"]
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
            for address, wrapper, words in (
                ("127.0.0.1:%d" % taken.getsockname()[1], [], "another process"),
                ("127.0.0.1:443", unprivileged, "may not use the port"),
                ("203.0.113.1:0", [], "does not have that address"),
            ):
                for flag in ("--listen=", "--http-listen="):
                    with self.subTest(flag + address):
                        listen = ["--listen=127.0.0.1:0"] if flag != "--listen=" else []
                        outcome = program.run(
                            *serve,
                            *listen,
                            flag + address,
                            "--insecure-plaintext-on-any-address",
                            wrapper=wrapper,
                        )
                        self.assert_one_line_error(outcome, 1, address, words)

    def test_reflection_needs_its_flag(self):
        name = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
        list_services = b"\x3a\x01*"
        for number, flags in enumerate(((), ("--reflection",))):
            server = self.start_server("%d.db" % number, *flags)
            client = self.connect(server)
            call = client._channel.stream_stream(name)(iter([list_services]), timeout=30)
            if flags:
                self.assertIn(b"tokenusage.v1.UsageReportingService", next(call))
            else:
                with self.assertRaises(grpc.RpcError) as caught:
                    next(call)
                self.assertEqual(
                    caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED
                )

    def test_log_as_json(self):
        server = self.start_server("usage.db", "--log-format=json")
        self.assertEqual(server.stop(), 0)
        events = [json.loads(line) for line in server.log().splitlines()]
        self.assertEqual(
            [e["message"] for e in events],
            ["serving", "finishing active calls", "stopped"],
        )
        for event in events:
            self.assertRegex(event["time"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
            self.assertEqual(event["level"], "info")
        self.assertEqual(events[0]["address"], server.address)
        self.assertEqual(events[0]["transport"], "plain text")

    def test_log_level(self):
        server = self.start_server("usage.db", "--log-level=warn")
        self.assertEqual(server.stop(), 0)
        self.assertEqual(server.log(), "")

    def test_no_payload_is_logged(self):
        server = self.start_server("usage.db", "--log-level=debug")
        client = self.connect(server)
        marker = "Zq7payload"
        record = make_record(marker, model=marker, labels={"team": marker})
        client.report(marker.lower(), [record, make_record("\n" + marker)])
        with self.assertRaises(grpc.RpcError):
            client.get("demo", marker)
        with self.assertRaises(grpc.RpcError):
            client.report(marker, [record])
        self.assertEqual(server.stop(), 0)
        self.assertNotIn(marker.lower(), server.log().lower())

    def print_config(self, *flags, env=None):
        outcome = program.run("serve", *flags, "--print-config", env=env)
        self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""), outcome)
        lines = outcome.stdout.decode().splitlines()
        return dict(l.split(" = ", 1) for l in lines if not l.startswith("#"))

    def test_configuration(self):
        """The command line wins over the environment, and the environment over the file."""
        file = self.write(
            "serve.conf",
            '# a comment\nlisten = "127.0.0.1:1"\nstore = "sqlite:///file.db"\n'
            'log-format = "json"\ndrain-seconds = 3\nreflection = true\n',
        )
        config = self.print_config(
            "--config=" + file,
            "--listen=127.0.0.1:3",
            env={
                "TOKENUSAGE_LISTEN": "127.0.0.1:2",
                "TOKENUSAGE_STORE": "sqlite:///environment.db",
            },
        )
        self.assertEqual(config["listen"], '"127.0.0.1:3"')
        self.assertEqual(config["store"], '"sqlite:///environment.db"')
        self.assertEqual(config["log-format"], '"json"')
        self.assertEqual(config["log-level"], '"info"')
        self.assertEqual(config["drain-seconds"], '"3"')
        self.assertEqual(config["reflection"], '"true"')
        self.assertEqual(config["insecure-plaintext-on-any-address"], '"false"')
        self.assertNotIn("identities", config)  # not set
        # The output is a valid configuration file.
        printed = program.run("serve", "--config=" + file, "--print-config").stdout
        self.assertEqual(
            self.print_config("--config=" + self.write("again.conf", printed)),
            self.print_config("--config=" + file),
        )

    def test_configuration_shows_no_password(self):
        config = self.print_config(
            "--store=postgresql://usage:hunter2@db.example/usage?sslpassword=hunter2"
        )
        self.assertNotIn("hunter2", str(config))
        self.assertIn("***", config["store"])

    def test_values_of_the_configuration(self):
        """Values are read as in TOML."""
        for text, url in (
            ('store = "sqlite://a b, c"', "sqlite://a b, c"),
            ("  store='sqlite://a'  # end\r\n", "sqlite://a"),
            ("store = sqlite://a", "sqlite://a"),
            ("store = \"sqlite://\u00fcml\u00e4ut\"", "sqlite://\u00fcml\u00e4ut"),
        ):
            config = self.print_config("--config=" + self.write("serve.conf", text))
            self.assertEqual(config["store"], '"%s"' % url)

    def test_empty_value_is_not_the_default(self):
        for flag in ("identities", "store", "listen", "http-listen", "tls-key"):
            outcome = program.run("serve", "--print-config", "--" + flag, "")
            self.assert_one_line_error(outcome, 64, "--" + flag, "empty")

    def test_client_certificates_without_a_ca(self):
        outcome = program.run("serve", "--tls-client-auth=required")
        self.assert_one_line_error(outcome, 64, "--tls-client-ca")

    def test_a_wrong_configuration_shows_no_password(self):
        url = "postgresql://usage:hunter2@db/usage"
        for text in ("store = '%s", 'store = "%s', "store %s", 'store = "x" %s'):
            path = self.write("serve.conf", text % url)
            outcome = program.run("serve", "--config=" + path, "--print-config")
            self.assert_one_line_error(outcome, 64, "line 1")
            self.assertNotIn(b"hunter2", outcome.stderr)

    def test_configuration_that_is_wrong(self):
        for text, word in (
            ('\n\nlisten = "127.0.0.1:1\n', "line 3"),
            ("listen = '127.0.0.1:1\n", "quotes"),
            ('listen = ["127.0.0.1:1", "127.0.0.1:2"]\n', "FLAG = VALUE"),
            ('listen = "127.0.0.1:1" "127.0.0.1:2"\n', "FLAG = VALUE"),
            ("listen\n", "FLAG = VALUE"),
            ("= 3\n", "flag"),
            ("drain-seconds =\n", "drain-seconds"),
            ("reflection = maybe\n", "reflection"),
            ('identities = ""\n', "identities"),
            ('lissten = "127.0.0.1:1"\n', "lissten"),
            ('drain-seconds = "many"\n', "drain-seconds"),
            ("drain-seconds = 100000\n", "drain-seconds"),
            ('log-format = "xml"\n', "log-format"),
            ("[serve]\nreflection = true\n", "FLAG = VALUE"),
            ("print-config = true\n", "print-config"),
            ('identities = "a"\nretain = "9d"\nidentities = "who"\n', "twice"),
        ):
            path = self.write("serve.conf", text)
            outcome = program.run("serve", "--config=" + path, "--print-config")
            self.assert_one_line_error(outcome, 64, path + ": line", word)
        for path in (self.path("none"), os.path.dirname(self.path("none"))):
            outcome = program.run("serve", "--config=" + path, "--print-config")
            self.assert_one_line_error(outcome, 64, path)

    def test_idle_clients_do_not_delay_the_shutdown(self):
        server = self.start_server("usage.db", "--drain-seconds=20")
        clients = [self.connect(server) for _ in range(20)]
        for client in clients:
            self.assertEqual(client.health(), SERVING)
        watch = clients[0].watch_health()
        self.assertEqual(next(watch), b"\x08\x01")
        started = time.monotonic()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - started, 10)

    def test_draining_is_not_serving(self):
        """Health watchers are told that the service stops."""
        server = self.start_server("usage.db")
        client, watcher = self.connect(server), self.connect(server)
        watch = watcher.watch_health()
        self.assertEqual(next(watch), b"\x08\x01")
        states = []

        def collect():
            with contextlib.suppress(grpc.RpcError):
                states.extend(watch)

        thread = threading.Thread(target=collect)
        thread.start()
        client.report("demo", [make_record("a")])
        self.assertEqual(server.stop(), 0)
        thread.join(30)
        self.assertEqual(states, [b"\x08\x02"])

    def test_the_service_manager_is_told(self):
        folder = tempfile.mkdtemp(dir="/tmp")  # a socket's path is short
        self.addCleanup(shutil.rmtree, folder)
        path = folder + "/notify"
        with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as told:
            told.bind(path)
            told.settimeout(30)
            server = self.start_server(wrapper=["env", "NOTIFY_SOCKET=" + path])
            self.assertEqual(told.recv(100), b"READY=1")
            server.reload()
            self.assertRegex(told.recv(100), rb"\ARELOADING=1\nMONOTONIC_USEC=\d+\Z")
            self.assertEqual(told.recv(100), b"READY=1")
            self.assertEqual(server.stop(), 0)
            self.assertEqual(told.recv(100), b"STOPPING=1")

    def test_terminated_under_load_with_http(self):
        """No active call fails: calls that fail were never started."""
        server = self.start_server("usage.db", "--http-listen=127.0.0.1:0")
        acknowledged, codes = [], set()

        def report(number):
            with contextlib.closing(UsageClient(server.address)) as client:
                for i in range(100000):
                    name = "%d-%d" % (number, i)
                    try:
                        client.report("demo", [make_record(name)])
                    except grpc.RpcError as error:
                        codes.add(error.code())
                        return
                    acknowledged.append(name)

        threads = [threading.Thread(target=report, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        self.assertEqual(server.stop(), 0)
        for thread in threads:
            thread.join(30)
        self.assertLessEqual(codes, {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})
        server = self.start_server("usage.db")
        (row,) = self.connect(server).query_all("demo", *oracle.ALL_TIME)
        self.assertEqual(row.totals.record_count, len(acknowledged))


if __name__ == "__main__":
    junit.main()
