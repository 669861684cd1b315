# SPDX-License-Identifier: Apache-2.0
"""Authentication and authorisation: TLS, tokens and certificates."""

import contextlib
import os
import queue
import re
import socket
import ssl
import threading
import time

import grpc

from harness import junit, oracle, program, records
from harness.certificates import Authority, read
from harness.client import UsageClient, failure_of
from harness.records import make_record
from harness.testcase import SERVING, EndToEndTest
from tokenusage.v1 import usage_reporting_service_pb2 as service_pb2

UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
DENIED = grpc.StatusCode.PERMISSION_DENIED
MISSING = (UNAUTHENTICATED, "CREDENTIALS_MISSING")
INVALID = (UNAUTHENTICATED, "CREDENTIALS_INVALID")
FORBIDDEN = (DENIED, "PROJECT_FORBIDDEN")
NO_ROLE = (DENIED, "ROLE_FORBIDDEN")
OK = (grpc.StatusCode.OK, None)
RELOADED = r"info \"?reloaded"
KEPT = r"error \"?reload failed; keeping the current configuration"


class IdentityTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.ca = Authority(self.folder)
        self.certificate, self.key = self.ca.sign_server()
        self.identities = self.write("identities", "# authorised callers\n")
        self.secrets = []

    def new_token(self, name, projects="demo", roles="report,query"):
        """Creates a token, and adds it to the file of identities."""
        path = self.path(name + ".token")
        made = program.run(
            "token", "new", "--name=" + name, "--projects=" + projects,
            "--roles=" + roles, "--token-file=" + path, "--identities=" + self.identities,
        )
        self.assert_output(made, "")
        token = read(path).decode().strip()
        self.assertNotIn(token, read(self.identities).decode())
        self.secrets.append(token)
        return token

    def add_identity(self, line):
        with open(self.identities, "a", encoding="utf-8") as file:
            file.write(line)

    def start_tls(self, *flags, **kwargs):
        return self.start_server(
            "usage.db",
            "--identities=" + self.identities,
            "--tls-certificate=" + self.certificate,
            "--tls-key=" + self.key,
            *flags,
            **kwargs
        )

    def connect_tls(self, server, token=None, certificate=None, authority=None):
        """Returns a client that trusts the CA; `certificate` has the paths of its own."""
        chain, key = map(read, certificate) if certificate else (None, None)
        ca = read((authority or self.ca).certificate)
        credentials = grpc.ssl_channel_credentials(ca, key, chain)
        client = UsageClient(server.address, credentials, token)
        self.addCleanup(client.close)
        return client

    def outcome(self, call, *args):
        """Returns the code and reason of a call."""
        try:
            call(*args)
        except grpc.RpcError as error:
            failure = failure_of(error)
            for secret in self.secrets:
                self.assertNotIn(secret, failure.message)
            return failure.code, failure.reason
        return OK

    def assert_outcomes(self, client, project, report, query):
        """Asserts the outcomes of reporting, and of each method that reads."""
        self.assertEqual(
            self.outcome(client.report, project, [make_record("a")]), report
        )
        window = oracle.ALL_TIME
        self.assertEqual(self.outcome(client.query, project, *window), query)
        self.assertEqual(self.outcome(client.list, project, *window), query)
        got = self.outcome(client.get, project, "a")
        self.assertIn(got, (query, (grpc.StatusCode.NOT_FOUND, "RECORD_NOT_FOUND")))

    def assert_no_secrets(self, server):
        log = server.log()
        for secret in [*self.secrets, "PRIVATE KEY", "BEGIN CERT"]:
            self.assertNotIn(secret, log)

    def test_tokens_over_tls(self):
        both = self.new_token("both", "demo,web")
        reporter = self.new_token("reporter", roles="report")
        reader = self.new_token("reader", "*", "query")
        server = self.start_tls()
        client = self.connect_tls(server)
        self.assert_outcomes(client, "demo", MISSING, MISSING)
        client.token = both
        self.assert_outcomes(client, "demo", OK, OK)
        self.assert_outcomes(client, "web", OK, OK)
        self.assert_outcomes(client, "other", FORBIDDEN, FORBIDDEN)
        client.token = reporter
        self.assert_outcomes(client, "demo", OK, NO_ROLE)
        self.assert_outcomes(client, "web", FORBIDDEN, FORBIDDEN)
        client.token = reader
        self.assert_outcomes(client, "demo", NO_ROLE, OK)
        self.assert_outcomes(client, "other", NO_ROLE, OK)
        for token in ("", both[:-1], both + "0", both.upper(), "x" * 4000):
            client.token = token
            self.assert_outcomes(client, "demo", INVALID, INVALID)
        self.assertEqual(server.stop(), 0)
        self.assert_no_secrets(server)

    def test_a_forbidden_project_looks_like_one_that_is_not_there(self):
        mine = self.new_token("mine", "mine")
        theirs = self.new_token("theirs", "theirs")
        server = self.start_tls()
        self.connect_tls(server, theirs).report("theirs", [make_record("a")])
        client = self.connect_tls(server, mine)
        failures = []
        for project in ("theirs", "nobody"):
            with self.assertRaises(grpc.RpcError) as caught:
                client.get(project, "a")
            failure = failure_of(caught.exception)
            failures.append(
                (failure.code, failure.reason, failure.message.replace(project, "?"))
            )
        self.assertEqual(failures[0], failures[1])

    def test_plain_text_on_loopback_with_tokens(self):
        token = self.new_token("both")
        server = self.start_server("usage.db", "--identities=" + self.identities)
        client = self.connect(server)
        self.assert_outcomes(client, "demo", MISSING, MISSING)
        client.token = token
        self.assert_outcomes(client, "demo", OK, OK)

    def test_a_call_with_two_tokens_is_refused(self):
        tokens = [self.new_token("one"), self.new_token("two")]
        server = self.start_server("usage.db", "--identities=" + self.identities)
        client = self.connect(server)
        headers = [("authorization", "Bearer " + token) for token in tokens]
        for metadata, outcome in ((headers[:1], OK), (headers[1:], OK), (headers, INVALID)):
            client.metadata = lambda: metadata
            self.assert_outcomes(client, "demo", outcome, outcome)

    def test_refusals_are_logged_but_no_secret(self):
        token = self.new_token("gateway", "mine", "report")
        server = self.start_tls()
        client = self.connect_tls(server)
        for _ in range(50):
            self.assert_outcomes(client, "mine", MISSING, MISSING)
        client.token = "tokenusage_wrong"
        self.assert_outcomes(client, "mine", INVALID, INVALID)
        # Each reason has its own limit.
        self.assertEqual(len(re.findall("call refused.*CREDENTIALS_MISSING", server.log())), 10)
        self.assertIn("reason=CREDENTIALS_INVALID", server.log())
        self.assertRegex(
            server.log(), "warn.* call refused peer=.?ipv4:127.0.0.1:.* caller=unknown"
            " reason=CREDENTIALS_MISSING"
        )
        self.assertEqual(server.stop(), 0)
        server = self.start_tls()
        client = self.connect_tls(server, token)
        self.assert_outcomes(client, "theirs", FORBIDDEN, FORBIDDEN)
        self.assert_outcomes(client, "mine", OK, NO_ROLE)
        self.assertIn("caller=gateway reason=PROJECT_FORBIDDEN", server.log())
        self.assertIn("caller=gateway reason=ROLE_FORBIDDEN", server.log())
        self.assertNotIn("handshake", server.log())
        host, port = server.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 10) as plain:
            with contextlib.suppress(OSError):
                plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
                plain.recv(1)
        server.await_log("handshake may have failed.* peer=")
        self.assert_no_secrets(server)

    def test_tokens_that_expire(self):
        short = self.new_token("short")
        long = self.new_token("long")
        lines = read(self.identities).decode().splitlines()
        now = time.time()
        stamp = lambda t: time.strftime(" expires:%Y-%m-%dT%H:%M:%SZ", time.gmtime(t))
        with open(self.identities, "w", encoding="utf-8") as file:
            for line in lines:
                ends = {"short": now + 3, "long": now + 3600}.get(line.split()[0])
                file.write(line + (stamp(ends) if ends else "") + "\n")
        server = self.start_server("usage.db", "--identities=" + self.identities)
        client = self.connect(server)
        client.token = short
        while True:
            try:
                client.report("demo", [make_record("a")])
            except grpc.RpcError as error:
                self.assertEqual(failure_of(error).reason, "CREDENTIALS_INVALID")
                break
            time.sleep(0.1)
        self.assertGreaterEqual(time.time(), now + 2)
        client.token = long
        self.assert_outcomes(client, "demo", OK, OK)

    def test_new_tokens_with_expiry_and_their_list(self):
        self.new_token("gateway", "web,demo", "report")
        made = program.run(
            "token", "new", "--name=batch", "--projects=*", "--roles=query,report",
            "--expires=2100-01-31", "--token-file=" + self.path("batch.token"),
        )
        self.assertTrue(made.stdout.endswith(b" expires:2100-01-31T00:00:00Z\n"), made)
        self.add_identity(made.stdout.decode() + "web * query dns:web.example.com\n")
        digests = [line.split()[3][:19] for line in read(self.identities).decode().splitlines()[1:3]]
        listed = program.run("token", "list", "--identities=" + self.identities)
        self.assertEqual(
            listed.stdout.decode().splitlines(),
            ["gateway\tdemo,web\treport\t%s\tnever" % digests[0],
             "batch\t*\treport,query\t%s\t2100-01-31T00:00:00Z" % digests[1],
             "web\t*\tquery\tdns:web.example.com\tnever"],
        )
        past = program.run(
            "token", "new", "--name=a", "--projects=a", "--roles=query",
            "--expires=2020-01-01", "--token-file=" + self.path("past.token"),
        )
        self.assertEqual(past.exit_code, 64, past)
        self.assertFalse(os.path.exists(self.path("past.token")))

    def test_a_configuration_is_checked_without_serving(self):
        self.new_token("gateway")
        flags = ["serve", "--check", "--store=sqlite://" + self.path("none.db"),
                 "--identities=" + self.identities, "--tls-certificate=" + self.certificate]
        good = program.run(*flags, "--tls-key=" + self.key)
        self.assertEqual((good.exit_code, good.stdout, good.stderr), (0, b"", b""))
        self.assertFalse(os.path.exists(self.path("none.db")))
        missing = program.run(*flags, "--tls-key=" + self.path("missing.key"))
        self.assertNotEqual(missing.exit_code, 0)
        self.assertIn(b"missing.key", missing.stderr)
        self.add_identity("nonsense\n")
        bad = program.run(*flags, "--tls-key=" + self.key)
        self.assertNotEqual(bad.exit_code, 0)
        self.assertIn(b"line 3", bad.stderr)

    def test_unknown_variables_are_named(self):
        known = {"TOKENUSAGE_LISTEN": "127.0.0.1:0", "TOKENUSAGE_PROJECT": "demo"}
        checked = program.run("serve", "--check", env={"TOKENUSAGE_IDENTITY": "x", **known})
        self.assertEqual(
            (checked.exit_code, checked.stderr),
            (0, b"tokenusage: no flag has the environment variable TOKENUSAGE_IDENTITY\n"),
        )

    def test_the_program_as_a_client(self):
        self.new_token("both")
        self.new_token("reader", roles="query")
        server = self.start_tls()
        flags = ["--server=" + server.address, "--project=demo"]
        tls = "--tls-ca=" + self.ca.certificate
        token = "--token-file=" + self.path("both.token")
        outcome = program.run("query", *flags, tls, token)
        self.assertEqual(outcome.exit_code, 0, outcome)
        self.assert_one_line_error(program.run("query", *flags, tls), 1, "token")
        self.assert_one_line_error(
            program.run("query", *flags, token), 69, server.address, "--tls-ca"
        )
        # A refusal is permanent, so report does not repeat the call.
        reader = "--token-file=" + self.path("reader.token")
        line = records.json_lines([records.record_object(make_record("r"))])
        for spool, code in (([], 1), (["--spool=" + self.path("spool")], 0)):
            outcome = program.run("report", *flags, tls, reader, *spool, stdin=line)
            self.assertEqual(outcome.exit_code, code, outcome)
            self.assertIn(b"stored 0,", outcome.stdout)
            self.assertIn(b"role", outcome.stderr)
        environment = {
            "TOKENUSAGE_TLS_CA": self.ca.certificate,
            "TOKENUSAGE_TOKEN_FILE": self.path("both.token"),
        }
        outcome = program.run("query", *flags, env=environment)
        self.assertEqual(outcome.exit_code, 0, outcome)
        self.assert_one_line_error(
            program.run("query", "--server=203.0.113.1:1", "--project=demo", token),
            1, "plain text",
        )

    def test_the_client_says_what_is_wrong_with_tls(self):
        other = Authority(self.folder, "other").certificate
        elsewhere = self.ca.sign("elsewhere", "DNS:example.com")
        expired = self.ca.sign_server("expired", days=0)
        time.sleep(1.1)  # until `expired` has expired
        self.new_token("both")
        server = self.start_tls()
        misnamed = self.start_server(
            "misnamed.db", "--tls-certificate=" + elsewhere[0], "--tls-key=" + elsewhere[1]
        )
        plain = self.start_server("plain.db")
        right = "--tls-ca=" + self.ca.certificate
        for address, flag, *words in (
            (server.address, "--tls-ca=" + other, "not from a CA in", "--tls-ca"),
            (server.address, "--tls", "does not trust", "--tls-ca"),
            (misnamed.address, right, "another name", "--tls-server-name"),
            (plain.address, right, "does not speak TLS"),
            (tls_listener(self, *expired), right, "has expired"),
        ):
            with self.subTest(words):
                outcome = program.run(
                    "query", "--server=" + address, "--project=demo", flag
                )
                self.assert_one_line_error(outcome, 69, address, *words)

    def test_the_client_checks_its_tls_flags(self):
        junk = self.write("junk", "-----BEGIN CERTIFICATE-----\njunk\n")
        query = ["query", "--server=127.0.0.1:1", "--project=demo"]
        outcome = program.run(*query, "--tls-ca=" + junk)
        self.assert_one_line_error(outcome, 1, "--tls-ca", "PEM", junk)
        outcome = program.run(
            *query, "--tls-client-certificate=" + junk, "--tls-client-key=" + self.key
        )
        self.assert_one_line_error(outcome, 1, "--tls-client-certificate", "PEM")
        outcome = program.run("query", "--server=https://127.0.0.1:1", "--project=demo")
        self.assert_one_line_error(outcome, 64, "--server", "host:port", "--tls")

    def test_certificates_of_clients(self):
        gateway = self.ca.sign("gateway", "URI:spiffe://example.com/gateway")
        batch = self.ca.sign("batch", "DNS:batch.example.com")
        old = self.ca.sign("old", "", common_name="old-client")
        unknown = self.ca.sign("unknown", "DNS:unknown.example.com")
        self.add_identity("gateway demo report uri:spiffe://example.com/gateway\n")
        self.add_identity("batch web report,query dns:batch.example.com\n")
        self.add_identity("old * query cn:old-client\n")
        token = self.new_token("both", "demo")
        server = self.start_tls("--tls-client-ca=" + self.ca.certificate)
        self.assert_outcomes(
            self.connect_tls(server, certificate=gateway), "demo", OK, NO_ROLE
        )
        client = self.connect_tls(server, certificate=batch)
        self.assert_outcomes(client, "web", OK, OK)
        self.assert_outcomes(client, "demo", FORBIDDEN, FORBIDDEN)
        self.assert_outcomes(
            self.connect_tls(server, certificate=old), "any", NO_ROLE, OK
        )
        self.assert_outcomes(
            self.connect_tls(server, certificate=unknown), "demo", INVALID, INVALID
        )
        # A token wins over the connection's certificate, and a wrong token does not
        # fall back to it.
        client = self.connect_tls(server, token, certificate=batch)
        self.assert_outcomes(client, "demo", OK, OK)
        self.assert_outcomes(client, "web", FORBIDDEN, FORBIDDEN)
        client.token = token[:-1]
        self.assert_outcomes(client, "web", INVALID, INVALID)
        # Without a certificate, or with one of another CA, there is no connection.
        other = Authority(self.folder, "other")
        foreign = other.sign("foreign", "URI:spiffe://example.com/gateway")
        unavailable = (grpc.StatusCode.UNAVAILABLE, None)
        for certificate in (None, foreign):
            client = self.connect_tls(server, token, certificate=certificate)
            self.assertEqual(
                self.outcome(client.query, "demo", *oracle.ALL_TIME), unavailable
            )

    def test_certificates_of_clients_may_be_optional(self):
        self.add_identity("gateway demo report,query uri:spiffe://example.com/g\n")
        token = self.new_token("both")
        server = self.start_tls(
            "--tls-client-ca=" + self.ca.certificate, "--tls-client-auth=optional"
        )
        certificate = self.ca.sign("gateway", "URI:spiffe://example.com/g")
        self.assert_outcomes(
            self.connect_tls(server, certificate=certificate), "demo", OK, OK
        )
        self.assert_outcomes(self.connect_tls(server, token), "demo", OK, OK)
        self.assert_outcomes(self.connect_tls(server), "demo", MISSING, MISSING)

    def test_callers_of_one_connection_are_told_apart(self):
        names = ["a", "b", "c", "d"]
        tokens = {name: self.new_token(name, name) for name in names}
        server = self.start_tls()
        client = self.connect_tls(server)
        wrong = []

        def call(name):
            query = client._methods["GetUsageRecord"]
            for number in range(150):
                project = names[number % len(names)]
                shown = tokens[name] if number % 5 else None
                metadata = shown and [("authorization", "Bearer " + shown)]
                request = query_of(project)
                try:
                    query(request, timeout=30, metadata=metadata)
                    found = OK
                except grpc.RpcError as error:
                    failure = failure_of(error)
                    found = failure.code, failure.reason
                expected = (
                    MISSING if shown is None
                    else (grpc.StatusCode.NOT_FOUND, "RECORD_NOT_FOUND")
                    if project == name else FORBIDDEN
                )
                if found != expected:
                    wrong.append((name, project, found))

        threads = [threading.Thread(target=call, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        self.assertEqual(wrong, [])

    def test_identities_are_reloaded(self):
        first = self.new_token("first")
        server = self.start_tls()
        client = self.connect_tls(server, first)
        self.assert_outcomes(client, "demo", OK, OK)
        second = self.new_token("second")
        client.token = second
        self.assert_outcomes(client, "demo", INVALID, INVALID)
        server.reload()
        server.await_log(RELOADED)
        self.assert_outcomes(client, "demo", OK, OK)

        good = read(self.identities)
        self.write("identities", good + b"secret-word demo\n")
        server.reload()
        server.await_log(KEPT)
        os.remove(self.identities)
        server.reload()
        server.await_log(KEPT, 2)
        for count, content in enumerate(("", "# authorised callers\n"), 3):
            self.write("identities", content)  # as if the rest were still to be written
            server.reload()
            server.await_log(KEPT, count)
        self.assertNotIn("secret-word", server.log())
        # At the start, and after the one reload that succeeded.
        self.assertEqual(server.log().count("identities in use"), 2)
        for token in (first, second):
            client.token = token
            self.assert_outcomes(client, "demo", OK, OK)

        # Without the first token, the next call with it is refused, on an open connection.
        self.write("identities", b"".join(l + b"\n" for l in good.splitlines()
                                          if b"first" not in l))
        server.reload()
        server.await_log(r"what=identities\n", 2)
        client.token = first
        self.assert_outcomes(client, "demo", INVALID, INVALID)
        server.await_log("identities in use.*credentials=1")
        client.token = second
        self.assert_outcomes(client, "demo", OK, OK)
        self.assert_no_secrets(server)

    def test_a_token_is_revoked_while_a_stream_is_open(self):
        token = self.new_token("both")
        server = self.start_tls()
        client = self.connect_tls(server)
        requests = queue.Queue()
        stream = client._channel.stream_stream(
            "/tokenusage.v1.UsageReportingService/StreamUsage",
            request_serializer=service_pb2.StreamUsageRequest.SerializeToString,
            response_deserializer=service_pb2.StreamUsageResponse.FromString,
        )(
            iter(requests.get, None),
            timeout=60,
            metadata=[("authorization", "Bearer " + token)],
        )
        for sequence in (1, 2):
            requests.put(stream_request(sequence))
            self.assertEqual(next(stream).sequence, sequence)
        os.remove(self.identities)
        self.new_token("another")
        server.reload()
        server.await_log(RELOADED + ".*identities")
        requests.put(stream_request(3))
        with self.assertRaises(grpc.RpcError) as caught:
            next(stream)
        requests.put(None)
        failure = failure_of(caught.exception)
        self.assertEqual((failure.code, failure.reason), INVALID)

    def test_invalid_certificates_are_rejected(self):
        token = self.new_token("both")
        server = self.start_tls()
        key, certificate = read(self.key), read(self.certificate)
        other_key = read(self.ca.sign_server("other")[1])
        expired = read(self.ca.sign_server("expired", days=0)[0])
        bad = [
            (certificate, other_key), (b"", key), (certificate, b""),
            (b"junk", key), (expired, key), (certificate[:-40], key),
        ]
        time.sleep(1.1)  # until `expired` has expired
        for number, (bad_certificate, bad_key) in enumerate(bad):
            self.write("server.crt", bad_certificate)
            self.write("server.key", bad_key)
            server.reload()
            server.await_log(KEPT, number + 1)
            self.assert_outcomes(self.connect_tls(server, token), "demo", OK, OK)
        os.remove(self.key)
        server.reload()
        server.await_log(KEPT, len(bad) + 1)
        self.assert_outcomes(self.connect_tls(server, token), "demo", OK, OK)
        self.assert_no_secrets(server)
        # A service does not start with one, either.
        self.write("server.key", other_key)
        outcome = program.run(
            "serve", "--store=sqlite://" + self.path("other.db"),
            "--listen=127.0.0.1:0", "--tls-certificate=" + self.certificate,
            "--tls-key=" + self.key,
        )
        self.assertIn(outcome.exit_code, (1, 64))
        self.assertIn(b"key", outcome.stderr)

    def test_certificates_change_under_load(self):
        token = self.new_token("both")
        server = self.start_tls()
        failures, calls, stop = [], [], threading.Event()

        def report(name, reconnect):
            client = self.connect_tls(server, token)
            while not stop.is_set():
                if reconnect:
                    client.close()
                    client = self.connect_tls(server, token)
                try:
                    client.report("demo", [make_record("%s-%d" % (name, len(calls)))])
                    calls.append(name)
                except grpc.RpcError as error:
                    failures.append(str(error))

        threads = [
            threading.Thread(target=report, args=(str(i), i % 2 == 0)) for i in range(4)
        ]
        for thread in threads:
            thread.start()
        seen = set()
        for number in range(8):
            self.ca.sign_server()
            server.reload()
            server.await_log(RELOADED + r".*certificates", number + 1)
            seen.add(peer_certificate(server.address, self.ca))
            time.sleep(0.2)
        for _ in range(20):  # faster than it can read
            server.reload()
        self.ca.sign_server()
        server.reload()
        newest = ssl.PEM_cert_to_DER_cert(read(self.certificate).decode())
        deadline = time.monotonic() + 30
        while peer_certificate(server.address, self.ca) != newest:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        time.sleep(0.2)
        stop.set()
        for thread in threads:
            thread.join(60)
        self.assertEqual(failures, [])
        self.assertGreater(len(calls), 100)
        self.assertEqual(len(seen), 8)  # each set was served

    def test_health_and_reflection_need_no_token(self):
        """They reveal nothing that is stored; but they need TLS like all calls."""
        self.new_token("somebody")
        server = self.start_tls("--reflection")
        client = self.connect_tls(server)
        self.assertEqual((client.health(), client.health("")), (SERVING, SERVING))
        self.assertEqual(next(client.watch_health()), b"\x08\x01")
        name = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
        list_services = b"\x3a\x01*"
        call = client._channel.stream_stream(name)(iter([list_services]), timeout=30)
        self.assertIn(b"tokenusage.v1.UsageReportingService", next(call))
        self.assert_outcomes(client, "demo", MISSING, MISSING)
        with self.assertRaises(grpc.RpcError) as caught:
            self.connect(server).health()
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)

    def test_metadata_that_is_too_large(self):
        """The call fails, and no other call is affected."""
        token = self.new_token("both")
        server = self.start_tls()
        large = self.connect_tls(server, "x" * 200000)
        code, _ = self.outcome(large.query, "demo", *oracle.ALL_TIME)
        self.assertIn(
            code,
            (
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                grpc.StatusCode.UNAVAILABLE,
                grpc.StatusCode.INTERNAL,
                grpc.StatusCode.UNKNOWN,
            ),
        )
        client = self.connect_tls(server, token)
        self.assert_outcomes(client, "demo", OK, OK)
        self.assertEqual(client.health(), 1)

    def test_addresses_without_tls(self):
        serve = ["serve", "--store=sqlite://" + self.path("a.db")]
        self.assert_one_line_error(
            program.run(*serve, "--listen=0.0.0.0:0"), 64, "--listen", "loopback", "--tls"
        )
        self.assert_one_line_error(
            program.run(
                *serve, "--listen=0.0.0.0:0", "--tls-certificate=" + self.certificate,
                "--tls-key=" + self.key,
            ),
            64, "--identities",
        )
        self.assert_one_line_error(
            program.run(*serve, "--listen=nonsense"), 64, "--listen", "nonsense"
        )
        self.assert_one_line_error(
            program.run(*serve, "--tls-key=" + self.key), 64, "--tls-certificate"
        )
        self.assertFalse(os.path.exists(self.path("a.db")))
        server = self.start_server(
            "b.db", "--insecure-plaintext-on-any-address", listen="0.0.0.0:0"
        )
        self.assertRegex(server.log(), r"warning \"?plain text on any address")

    def test_a_token_file_is_private_and_never_replaced(self):
        self.new_token("a")
        path = self.path("a.token")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        before = read(path)
        again = program.run(
            "token", "new", "--name=a", "--projects=demo", "--roles=query",
            "--token-file=" + path,
        )
        self.assert_one_line_error(again, 1, path)
        self.assertEqual(read(path), before)
        for bad in ("--roles=admin", "--projects=Red", "--name=a b"):
            flags = {"--name": "a", "--projects": "demo", "--roles": "query"}
            flag, flags[flag] = bad.split("=")
            outcome = program.run(
                "token", "new", *("%s=%s" % item for item in flags.items()),
                "--token-file=" + self.path("new.token"),
            )
            self.assert_one_line_error(outcome, 64, flag + ": expected")
            self.assertFalse(os.path.exists(self.path("new.token")))


def query_of(project):
    """Returns a request for a record that does not exist."""
    return service_pb2.GetUsageRecordRequest(project=project, record_id="a")


def stream_request(sequence):
    """Returns a message to StreamUsage with one record."""
    record = make_record("stream-%d" % sequence)
    return service_pb2.StreamUsageRequest(
        sequence=sequence, project="demo", records=[record]
    )


def tls_listener(test, certificate, key):
    """Returns the address of a TLS server that only shows its certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    listener = socket.create_server(("127.0.0.1", 0))
    test.addCleanup(listener.close)

    def shake_hands():
        with contextlib.suppress(OSError):  # the listener was closed
            while True:
                raw, _ = listener.accept()
                with contextlib.suppress(OSError):  # the client refuses
                    context.wrap_socket(raw, server_side=True).close()

    threading.Thread(target=shake_hands, daemon=True).start()
    return "127.0.0.1:%d" % listener.getsockname()[1]


def peer_certificate(address, authority):
    """Returns the certificate that a new connection is shown."""
    context = ssl.create_default_context(cafile=authority.certificate)
    context.set_alpn_protocols(["h2"])
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        with context.wrap_socket(raw, server_hostname="localhost") as connection:
            return connection.getpeercert(binary_form=True)


if __name__ == "__main__":
    junit.main()
