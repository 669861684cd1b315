# SPDX-License-Identifier: Apache-2.0
"""`tokenusage extract`, `count` and `dialects`, and `report --dialect`."""

import json

from harness import junit, oracle, program
from harness.testcase import EndToEndTest

DIALECT = "--dialect=openai.chat"


def response(number, tokens=9):
    usage = {"prompt_tokens": tokens - 2, "completion_tokens": 2, "total_tokens": tokens}
    return {"id": "chatcmpl-%d" % number, "model": "m-1", "choices": [], "usage": usage}


def extract(content, *flags, dialect=DIALECT):
    content = content if isinstance(content, bytes) else content.encode()
    return program.run("extract", dialect, *flags, stdin=content)


def counts_line(tokens=9, complete=True):
    return {
        "message": "tokenusage.openai.v1.ChatUsage",
        "model": "m-1",
        "complete": complete,
        "counts": {
            "total_tokens": str(tokens),
            "input_tokens": str(tokens - 2),
            "output_tokens": "2",
        },
        "inconsistencies": [],
    }


class ExtractTest(EndToEndTest):
    def lines(self, outcome):
        self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""))
        return [json.loads(line) for line in outcome.stdout.splitlines()]

    def test_takes_documents_lines_and_events(self):
        documents = [
            json.dumps(response(1)),
            "\n\n" + json.dumps(response(1), indent=2) + "\n",
            "event: x\ndata: %s\n\ndata: [DONE]\n\n" % json.dumps(response(1)),
            ": keep-alive\r\n\r\ndata: %s\r\n\r\n" % json.dumps(response(1)),
            "\ufeffdata: %s\r\rdata: [DONE]\r\r" % json.dumps(response(1)),
        ]
        for document in documents:
            found = self.lines(extract(document, "--counts"))
            self.assertEqual(found, [counts_line()], document)
        lines = "".join(json.dumps(response(i, 10 + i)) + "\n\n" for i in range(3))
        found = self.lines(extract(lines, "--counts"))
        self.assertEqual(found, [counts_line(10 + i) for i in range(3)])

    def test_takes_several_files(self):
        files = [self.write("%d" % i, json.dumps(response(i))) for i in range(2)]
        found = self.lines(program.run("extract", DIALECT, *files))
        self.assertEqual([record["record_id"] for record in found], ["chatcmpl-0", "chatcmpl-1"])

    def test_prints_records(self):
        (record,) = self.lines(extract(json.dumps(response(1))))
        self.assertEqual(record["openai_chat"], response(1)["usage"])
        self.assertEqual(
            [record[name] for name in ("record_id", "operation", "provider", "model")],
            ["chatcmpl-1", "chat", "openai", "m-1"],
        )

    def test_says_that_a_stream_ended_early(self):
        (line,) = self.lines(extract('data: {"id":"a","choices":[]}\n\n', "--counts"))
        self.assertEqual(line["message"], "tokenusage.v1.UnknownUsage")
        self.assertEqual(line["unknown_reason"], "UNKNOWN_USAGE_REASON_ABORTED")
        self.assertEqual((line["complete"], line["counts"]), (False, {}))

    def test_counts_each_stream_of_a_file(self):
        streams = "".join(
            "data: %s\n\ndata: [DONE]\n\n" % json.dumps(response(i, 10 + i)) for i in range(3)
        )
        found = self.lines(extract(streams, "--counts"))
        self.assertEqual(found, [counts_line(10 + i) for i in range(3)])
        lines = "".join('{"model":"q","done":true,"eval_count":%d}\n' % n for n in (2, 3))
        found = self.lines(extract(lines, "--counts", dialect="--dialect=ollama.chat"))
        self.assertEqual([line["counts"]["output_tokens"] for line in found], ["2", "3"])
        usage = '{"input_tokens":1,"output_tokens":%d,"total_tokens":9}'
        event = 'data: {"type":"speech.audio.done","usage":%s}\n\n' % usage
        events = event % 2 + event % 3
        found = self.lines(extract(events, "--counts", dialect="--dialect=openai.speech"))
        self.assertEqual([line["counts"]["output_tokens"] for line in found], ["2", "3"])

    def test_says_that_usage_is_not_all(self):
        start = '{"type":"message_start","message":{"usage":{"input_tokens":9,"output_tokens":1}}}'
        stream = "data: %s\n\n" % start
        outcome = extract(stream, dialect="--dialect=anthropic.messages")
        self.assertEqual(outcome.exit_code, 0)
        self.assertIn(b'"output_tokens":1', outcome.stdout)
        self.assertRegex(outcome.stderr, b"^tokenusage: standard input:1: partial: .*\n$")
        (line,) = self.lines(extract(stream, "--counts", dialect="--dialect=anthropic.messages"))
        self.assertFalse(line["complete"])

    def test_says_what_usage_lacks(self):
        lines = json.dumps(response(1)) + '\n{"id":"b","usage":{"prompt_tokens":7}}\n'
        outcome = extract(lines)
        self.assertEqual((outcome.exit_code, outcome.stdout.count(b"\n")), (0, 2))
        self.assertRegex(
            outcome.stderr.decode(),
            "^tokenusage: standard input:2: incomplete: usage.completion_tokens: expected .*\n$",
        )
        line = self.lines(extract(lines, "--counts"))[1]
        self.assertIn("usage.completion_tokens: expected", line["detail"])

    def test_goes_on_after_a_bad_first_line(self):
        bad = '{"id":"a","usage":{"prompt_tokens":NaN}}\n'
        good = "".join(json.dumps(response(i)) + "\n" for i in range(2))
        outcome = extract(bad + good, "--counts")
        self.assertEqual((outcome.exit_code, outcome.stdout.count(b"\n")), (2, 2))
        self.assertRegex(
            outcome.stderr.decode(),
            r"^tokenusage: standard input:1: usage.prompt_tokens: expected .* \(column 36\)\n$",
        )
        bad = '{"prompt_tokens":NaN}\n'
        usages = "".join(json.dumps(response(i)["usage"]) + "\n" for i in range(2))
        outcome = program.run(
            "count", "--message=openai.v1.ChatUsage", stdin=(bad + usages + bad).encode()
        )
        self.assertEqual((outcome.exit_code, outcome.stdout.count(b"\n")), (2, 2))
        first, last = outcome.stderr.decode().splitlines()
        self.assertRegex(first, r"input:1: prompt_tokens: .* \(column 18\)$")
        self.assertRegex(last, r"input:4: prompt_tokens: .* \(column 18\)$")

    def test_says_where_a_stream_is_bad(self):
        bad = response(1)
        bad["usage"]["prompt_tokens"] = "x"
        stream = "event: a\ndata: {}\n\nevent: b\ndata: %s\n\n" % json.dumps(bad)
        outcome = extract(stream)
        column = ("data: " + json.dumps(bad)).index('"x"') + 1
        self.assert_one_line_error(
            outcome, 2, "standard input:5: usage.prompt_tokens: ", "(column %d)" % column
        )

    def test_takes_the_log_of_a_session(self):
        live = '{"setupComplete":{}}\n' + '{"usageMetadata":{"promptTokenCount":5}}\n' * 2
        (line,) = self.lines(extract(live, "--counts", dialect="--dialect=google.live"))
        self.assertEqual(line["counts"], {"input_tokens": "10"})
        log = '{"type":"session.created","session":{}}\n' + "".join(
            '{"type":"response.done","response":{"id":"r-%d","usage":{"input_tokens":5}}}\n' % i
            for i in range(2)
        )
        found = self.lines(extract(log, dialect="--dialect=openai.realtime"))
        self.assertEqual([record["record_id"] for record in found], ["r-0", "r-1"])

    def test_goes_on_after_a_bad_line_of_a_log(self):
        line = '{"type":"response.done","response":{"id":"r-%d","usage":{"input_tokens":%s}}}\n'
        log = line % (1, 5) + line % (2, "NaN") + line % (3, -1) + line % (4, 5)
        outcome = extract(log, dialect="--dialect=openai.realtime")
        self.assertEqual(outcome.exit_code, 2)
        found = [json.loads(line)["record_id"] for line in outcome.stdout.splitlines()]
        self.assertEqual(found, ["r-1", "r-4"])
        first, second = outcome.stderr.decode().splitlines()
        self.assertRegex(first, r"input:2: response.usage.input_tokens: .* \(column \d+\)$")
        self.assertRegex(second, r"input:3: response.usage.input_tokens: .* found -1$")

    def test_reports_bad_lines_with_their_places(self):
        bad = response(2)
        bad["usage"]["prompt_tokens"] = -7
        content = "%s\n%s\n%s\n" % tuple(map(json.dumps, (response(1), bad, response(3))))
        outcome = extract(content, "--counts")
        self.assertEqual(outcome.stdout.count(b"\n"), 2)
        self.assertEqual(outcome.exit_code, 2)
        self.assertRegex(
            outcome.stderr.decode(),
            "^tokenusage: standard input:2: usage.prompt_tokens: expected a number from 0 .*\n$",
        )
        self.assert_one_line_error(extract("[]", "--counts"), 2, "standard input:1: expected")
        outcome = program.run("extract", DIALECT, self.path("absent"))
        self.assert_one_line_error(outcome, 2, "absent: cannot be read")
        outcome = extract("{}", dialect="--dialect=openai.chatt")
        self.assert_one_line_error(outcome, 2, "tokenusage dialects", '"openai.chatt"')

    def test_names_a_line_that_is_too_long(self):
        file = self.write("long.jsonl", json.dumps(response(1)) + "\n")
        with open(file, "ab") as long:
            long.truncate(long.tell() + (256 << 20) + 1)  # one line of zeros
        outcome = program.run("extract", DIALECT, file)
        self.assertEqual((outcome.exit_code, outcome.stdout.count(b"\n")), (2, 1))
        self.assertIn(b"long.jsonl:2: expected a line of at most 268435456 bytes", outcome.stderr)

    def test_streams_of_lines(self):
        lines = '{"model":"q","done":false}\n{"model":"q","done":true,"eval_count":3}\n'
        (line,) = self.lines(extract(lines, "--counts", dialect="--dialect=ollama.chat"))
        self.assertEqual(line["counts"], {"output_tokens": "3"})

    def test_lists_dialects(self):
        listed = program.run("dialects").stdout.decode().splitlines()
        self.assertIn(
            ["openai.chat", "tokenusage.openai.v1.ChatUsage"], [line.split() for line in listed]
        )


class CountTest(EndToEndTest):
    def test_counts_objects(self):
        usage = response(1)["usage"]
        usage["prompt_tokens_details"] = {"cached_tokens": 8}
        content = json.dumps(usage) + "\n" + json.dumps({**usage, "total_tokens": True}) + "\n"
        outcome = program.run("count", "--message=openai.v1.ChatUsage", stdin=content.encode())
        self.assertEqual(outcome.exit_code, 2)
        self.assertIn(b"standard input:2: total_tokens: expected ", outcome.stderr)
        line = json.loads(outcome.stdout)
        self.assertEqual(line["counts"]["cache_read_tokens"], "8")
        (inconsistency,) = line["inconsistencies"]
        self.assertEqual(inconsistency["field"], "prompt_tokens_details.cached_tokens")
        self.assertEqual(sorted(inconsistency), ["field", "message", "reason"])


class ReportingTest(EndToEndTest):
    def report(self, server, content, *flags):
        return program.run(
            "report",
            "--server=" + server.address,
            "--project=demo",
            *flags,
            stdin=content.encode(),
        )


class ReportTest(ReportingTest):
    def test_reports_responses_once(self):
        server = self.start_server()
        flags = [DIALECT, "--event-time=2026-11-01T09:30:00Z"]
        content = json.dumps(response(1)) + "\n" + json.dumps(response(2)) + "\n"
        for stored, duplicate in ((2, 0), (0, 2)):
            outcome = self.report(server, content, *flags)
            expected = b"stored %d, duplicate %d, refused 0, bad lines 0\n" % (stored, duplicate)
            self.assert_output(outcome, expected)
        # `extract` and then `report` do the same.
        records = extract(content).stdout.decode()
        outcome = self.report(server, records, flags[1])
        self.assert_output(outcome, b"stored 0, duplicate 2, refused 0, bad lines 0\n")

    def test_asks_for_what_responses_do_not_state(self):
        server = self.start_server()
        outcome = self.report(server, json.dumps(response(1)), DIALECT)
        self.assertEqual(outcome.exit_code, 2)
        self.assertIn(b"--event-time", outcome.stderr)


    def test_flags_win_over_the_dialect(self):
        server = self.start_server()
        self.report(
            server,
            json.dumps(response(1)),
            "--dialect=openai_compatible.chat",
            "--event-time=2026-11-01T09:30:00Z",
            "--provider=acme",
            "--operation=chat.test",
        )
        (record,) = self.connect(server).list_all("demo", *oracle.ALL_TIME)
        self.assertEqual((record.provider, record.operation), ("acme", "chat.test"))

    def test_says_that_usage_is_not_all(self):
        server = self.start_server()
        start = '{"type":"message_start","message":{"usage":{"input_tokens":9,"output_tokens":1}}}'
        outcome = self.report(
            server,
            "data: %s\n\n" % start,
            "--dialect=anthropic.messages",
            "--record-id=a",
            "--event-time=2026-11-01T09:30:00Z",
        )
        self.assertEqual(outcome.exit_code, 0)
        self.assertIn(b"stored 1", outcome.stdout)
        self.assertRegex(outcome.stderr, b"^tokenusage: standard input:1: partial: .*\n$")


class FaultsOfOthersTest(ReportingTest):
    """Mistakes of other products that do not concern extraction.

    The other faults are in tests/extract/testdata/faults.
    """

    def record(self, record_id, time, tokens):
        record = {"record_id": record_id, "event_time": time, "operation": "chat"}
        return json.dumps({**record, "token_usage": {"input_tokens": tokens}}) + "\n"

    def query(self, server, command, *flags):
        flags = ["--server=" + server.address, "--project=demo", *flags]
        outcome = program.run(command, *flags)
        self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""))
        return [json.loads(line) for line in outcome.stdout.splitlines()]

    def test_other_content_under_a_known_id_is_refused(self):
        """NOFireAI/ravel#1653: it was acknowledged and thrown away."""
        server = self.start_server()
        self.report(server, self.record("r-1", "2026-05-01T00:00:00Z", 100))
        outcome = self.report(server, self.record("r-1", "2026-05-01T00:00:00Z", 7))
        self.assertEqual(outcome.exit_code, 2)
        self.assertIn(b"refused 1", outcome.stdout)
        (row,) = self.query(server, "query", "--json")
        self.assertEqual(row["totals"]["input_tokens"]["exact"], "100")

    def test_days_follow_the_time_zone(self):
        """TencentCloud/Octop#974: the window was in the zone, and its days in UTC."""
        server = self.start_server()
        times = ("2026-09-10T16:30:00Z", "2026-09-11T15:59:59Z", "2026-09-11T16:00:00Z")
        for i, (time, tokens) in enumerate(zip(times, (70, 5, 1))):
            self.report(server, self.record("r-%d" % i, time, tokens))
        flags = ["--json", "--bucket=day", "--time-zone=Asia/Shanghai"]
        rows = self.query(server, "query", *flags, "--start=2026-09-11", "--end=2026-09-12")
        self.assertEqual([row["totals"]["input_tokens"]["exact"] for row in rows], ["75"])

    def test_pages_have_each_record_once(self):
        """getlago/lago-api#5587: records of the same time had no order between pages."""
        server = self.start_server()
        lines = [self.record("r-%d" % i, "2026-05-01T00:00:00Z", i) for i in range(1, 8)]
        self.report(server, "".join(lines))
        records = self.connect(server).list_all("demo", *oracle.ALL_TIME, page_size=3)
        self.assertEqual([record.record_id for record in records], ["r-%d" % i for i in range(1, 8)])
        self.assertEqual(sum(record.token_usage.input_tokens for record in records), 28)


if __name__ == "__main__":
    junit.main()
