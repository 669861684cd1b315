# SPDX-License-Identifier: Apache-2.0
"""`tokenusage report`, `query`, `list` and `get` against a real service."""

import concurrent.futures
import json
import re
import socket
import time

import grpc

from harness import junit, oracle, program, records
from harness.records import FRACTIONAL, FRACTIONAL_JSON, WHOLE, at, make_record
from harness.testcase import EndToEndTest, seeded_random

EDITS = "--message=PostV2ProxyImagesEditsUsage"
# The fields that `list` prints in addition to the reported ones.
_OUTPUT_ONLY = re.compile(rb'"receive_time":"[^"]+",|"inconsistencies":\[[^]]*\],')


def summary(stored=0, duplicate=0, refused=0, bad_lines=0):
    """Returns what `report` prints on stdout at the end."""
    text = "stored %d, duplicate %d, refused %d, bad lines %d\n"
    return (text % (stored, duplicate, refused, bad_lines)).encode()


def row_of_json(line):
    """Returns the oracle's Row for a line of `query --json`."""
    row = json.loads(line)
    totals = []
    for measure in oracle.MEASURES:
        total = row["totals"].get(measure)
        totals.append(total and total["exact"])
        if total and float(total["rounded"]) != float(total["exact"]):
            raise AssertionError("not the exact sum, rounded: %s" % line)
    return oracle.Row(
        at(row["bucket_start_time"]),
        at(row["bucket_end_time"]),
        tuple(row["group"].values()),
        int(row["totals"]["record_count"]),
        tuple(totals),
    )


class ServiceTest(EndToEndTest):
    """A test with its own service."""

    def setUp(self):
        super().setUp()
        self.server = self.start_server()

    def run_client(self, command, *args, stdin=b"", project="demo"):
        flags = ["--server=" + self.server.address, "--project=" + project]
        return program.run(command, *flags, *args, stdin=stdin)

    def report(self, content, *flags, project="demo"):
        content = content if isinstance(content, bytes) else content.encode()
        return self.run_client("report", *flags, stdin=content, project=project)

    def list(self, project="demo", *flags):
        outcome = self.run_client("list", *flags, project=project)
        self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""))
        return outcome.stdout

    def query_rows(self, *flags, project="demo", says=""):
        """Returns the rows, and asserts the message on stderr."""
        outcome = self.run_client("query", "--json", *flags, project=project)
        self.assertEqual((outcome.exit_code, outcome.stderr.decode()), (0, says))
        return [row_of_json(line) for line in outcome.stdout.splitlines()]

    def assert_totals(self, expected, project="demo"):
        """Asserts that the totals are those of exactly these records."""
        rows = self.query_rows(project=project)
        self.assertEqual(rows, oracle.expected_rows(expected))


class ReportTest(ServiceTest):
    def test_bare_usage_from_standard_input_with_flags(self):
        outcome = self.report(
            FRACTIONAL_JSON,
            EDITS,
            "--record-id=req-1",
            "--event-time=2024-05-01T14:00:00.25+02:00",
            "--operation=images.edits",
            "--provider=openai",
            "--model=gpt-image-1",
            "--label=team=web",
            "--label=note=a=b",
        )
        self.assert_output(outcome, summary(stored=1))
        got = self.run_client("get", "req-1")
        line = (
            '{"record_id":"req-1","event_time":"2024-05-01T12:00:00.250Z",'
            '"operation":"images.edits","provider":"openai","model":"gpt-image-1",'
            '"labels":{"note":"a=b","team":"web"},"receive_time":...,"inconsistencies":['
            '{"reason":"USAGE_INCONSISTENCY_REASON_WHOLE_IS_NOT_SUM","field":"total_tokens",'
            '"message":"total_tokens (8105.75) is not input_tokens (7451.29) + '
            'output_tokens (1442.01)"}],'
            '"orq_images_edits":%s}\n' % FRACTIONAL_JSON
        )
        self.assertEqual((got.exit_code, got.stderr), (0, b""))
        found = re.sub('"receive_time":"[^"]+"', '"receive_time":...', got.stdout.decode())
        self.assertEqual(found, line)
        self.assertEqual(self.list(), got.stdout)

    def test_envelope_from_file_wins_over_flags(self):
        record = make_record(
            "a", counts=FRACTIONAL, provider="orq", model="m", labels={"team": ""}
        )
        file = self.write(
            "log.jsonl", records.json_lines([records.record_object(record, "usage")])
        )
        outcome = self.run_client(
            "report", EDITS, "--record-id=b", "--model=n", "--label=team=web", file
        )
        self.assert_output(outcome, summary(stored=1))
        (stored,) = [json.loads(_OUTPUT_ONLY.sub(b"", l)) for l in self.list().splitlines()]
        self.assertEqual(stored, records.record_object(record))

    def test_envelope_and_flags_fill_each_other(self):
        lines = '{"record_id":"x","labels":{"a":"1"},"usage":%s}\n\n \r\n%s\r\n' % (
            FRACTIONAL_JSON,
            records.WHOLE_JSON,
        )
        flags = ("--record-id=line-{line}", "--event-time=2024-05-01")
        flags += ("--operation=images.edits", "--label=a=2", "--label=b=3")
        self.assert_output(self.report(lines, EDITS, *flags), summary(stored=2))
        expected = [
            make_record("line-4", "2024-05-01T00:00:00Z", labels={"a": "2", "b": "3"}),
            make_record(
                "x", "2024-05-01T00:00:00Z", FRACTIONAL, labels={"a": "1", "b": "3"}
            ),
        ]
        stored = [json.loads(_OUTPUT_ONLY.sub(b"", l)) for l in self.list().splitlines()]
        self.assertEqual(stored, list(map(records.record_object, expected)))

    def test_misspelt_members_are_refused(self):
        """Their values would be lost, since a stored record cannot be changed."""
        good = records.record_object(make_record("a"), "usage")
        flat = dict(good["usage"], record_id="b")
        bad = [dict(good, modle="x"), flat]
        outcome = self.report(records.json_lines(bad), EDITS)
        self.assertEqual(
            (outcome.exit_code, outcome.stdout), (2, summary(bad_lines=2)), outcome
        )
        errors = outcome.stderr.decode().splitlines()
        self.assertIn('"modle"', errors[0])
        self.assertIn('"record_id" beside', errors[1])
        outcome = self.report(records.json_lines(bad[:1]), EDITS, "--ignore-unknown")
        self.assert_output(outcome, summary(stored=1))

    def test_a_forgotten_message_is_said_once(self):
        """No line after the first such line is sent."""
        record = make_record("a")
        good = records.json_lines([records.record_object(record)])
        for bad in (
            records.json_lines([records.record_object(make_record("b"), "usage")] * 5000),
            (FRACTIONAL_JSON + "\n").encode() * 5000,
        ):
            outcome = self.report(good + bad + good.replace(b'"a"', b'"c"'))
            self.assertEqual(outcome.exit_code, 2)
            self.assertRegex(
                outcome.stderr, rb"\Atokenusage: standard input:2: [^\n]*--message[^\n]*\n\Z"
            )
            self.assert_totals([record])

    def test_an_operation_that_contradicts_the_usage(self):
        record = make_record("a", usage="orq_images_variations", operation="images.edits")
        for usage_name, flags in (
            (None, ()),
            ("usage", ("--message=PostV2ProxyImagesVariationsUsage",)),
        ):
            line = records.json_lines([records.record_object(record, usage_name)])
            self.assert_one_line_error(
                self.report(line, *flags),
                2,
                ":1: operation: expected images.variations",
                "found images.edits",
                stdout=summary(bad_lines=1),
            )

    def test_one_id_for_several_lines(self):
        """Equal lines may be different calls: none may be lost as a duplicate."""
        lines = (records.WHOLE_JSON + "\n") * 2
        flags = ("--event-time=2024-05-01", "--operation=images.edits")
        outcome = self.report(lines, EDITS, "--record-id=fixed", *flags)
        self.assert_one_line_error(
            outcome, 2, ":2: --record-id", stdout=summary(stored=1, bad_lines=1)
        )

    def test_variations(self):
        record = make_record("v", usage="orq_images_variations")
        line = records.json_lines([records.record_object(record, "usage")])
        flag = "--message=PostV2ProxyImagesVariationsUsage"
        self.assert_output(self.report(line, flag), summary(stored=1))
        (stored,) = map(json.loads, self.list().splitlines())
        self.assertIn("orq_images_variations", stored)

    def test_bad_line_in_the_middle(self):
        """It is named, and the good lines around it are stored."""
        good = [make_record(str(i), counts=FRACTIONAL) for i in range(4)]
        lines = records.json_lines(map(records.record_object, good)).splitlines(True)
        bad = lines[0].replace(b"5727.82", b'"many"')
        file = self.write("mixed.jsonl", b"".join(lines[:2] + [bad] + lines[2:]))
        outcome = self.run_client("report", file)
        self.assert_one_line_error(
            outcome,
            2,
            file + ":3: ",
            'orq_images_edits.input_tokens_details.text_tokens: expected a number, found '
            'string "many"',
            "(column ",
            stdout=summary(stored=4, bad_lines=1),
        )
        self.assert_totals(good)

    def test_every_kind_of_bad_line_is_named(self):
        envelope = (
            '{"record_id":"%s","event_time":"2024-05-01T12:00:00Z",'
            '"operation":"images.edits","usage":' + FRACTIONAL_JSON + "}"
        )
        bad = [
            ('{"record_id":"b"', "expected "),
            (envelope.replace("8105.75", "NaN") % "b", "usage.total_tokens: "),
            (envelope.replace("8105.75", "null") % "b", "total_tokens"),
            (envelope.replace('"total_tokens":8105.75,', "") % "b", "total_tokens"),
            (envelope.replace("1442.01", "-1") % "b", "output_tokens"),
            (envelope.replace("1442.01", "9007199254740994") % "b", "output_tokens"),
            (envelope.replace("2024-05-01T", "2024-05-32T") % "b", "event_time"),
            (envelope.replace("2024-05-01T", "1999-05-01T") % "b", "event_time"),
            (envelope.replace("2024-05-01T", "2190-05-01T") % "b", "event_time"),
            (envelope % "b c", "record_id"),
            (envelope.replace('"record_id":"%s",', ""), "record_id"),
            (envelope.replace('"operation":"images.edits",', "") % "b", "operation"),
            (envelope.replace("images.edits", "x" * 129) % "b", "operation"),
            (envelope[:-1] % "b" + ',"labels":{"Team":"x"}}', "labels"),
            (envelope[:-1] % "b" + ',"labels":{"team":"\\u0007"}}', "labels.team"),
            (envelope[:-1] % "b" + ',"record_id":"c"}', "record_id"),
            (envelope % ("x" * (1 << 20)), "1048576 bytes"),
            ('{"usage":7}', "usage"),
            ("[]", "expected an object"),
        ]
        lines = []
        for number, (line, _) in enumerate(bad):
            lines += [envelope % ("good-%d" % number), line]
        outcome = self.report("\n".join(lines), EDITS)
        self.assertEqual(outcome.exit_code, 2)
        errors = outcome.stderr.decode().splitlines()
        self.assertEqual(len(errors), len(bad), errors)
        for number, ((line, words), error) in enumerate(zip(bad, errors)):
            with self.subTest(line[:200]):
                place = "tokenusage: standard input:%d: " % (2 * number + 2)
                self.assertEqual(error[: len(place)], place)
                self.assertIn(words, error)
        stored, duplicate, *not_stored = map(int, re.findall(rb"\d+", outcome.stdout))
        self.assertEqual((stored, duplicate, sum(not_stored)), (len(bad), 0, len(bad)))
        self.assert_totals(
            [make_record("good-%d" % i, counts=FRACTIONAL) for i in range(len(bad))]
        )

    def test_reporting_again_changes_nothing(self):
        rng = seeded_random()
        reported = [records.random_record(rng, "id-%d" % i) for i in range(50)]
        lines = records.json_lines(map(records.record_object, reported))
        self.assert_output(self.report(lines), summary(stored=50))
        before = self.list(), self.run_client("query", "--bucket=day")
        self.assert_output(self.report(lines), summary(duplicate=50))
        more = records.json_lines([records.record_object(make_record("one-more"))])
        self.assert_output(self.report(lines + more), summary(1, 50))
        self.assertNotEqual(self.list(), before[0])
        self.assert_output(self.report(lines + more), summary(duplicate=51))
        without = [l for l in self.list().splitlines(True) if b'"one-more"' not in l]
        self.assertEqual(b"".join(without), before[0])
        self.assert_totals(reported + [make_record("one-more")])

    def test_repeated_within_one_file(self):
        lines = records.json_lines([records.record_object(make_record("twice"))] * 2)
        self.assert_output(self.report(lines), summary(stored=1, duplicate=1))
        self.assert_totals([make_record("twice")])

    def test_conflict_is_refused(self):
        first = make_record("c", model="gpt-image-1")
        self.report(records.json_lines([records.record_object(first)]))
        before = self.list()
        others = [
            make_record("c", model="gpt-image-1", counts=FRACTIONAL),
            make_record("c", model="gpt-image-2"),
            make_record("c", model="gpt-image-1", time="2024-05-01T12:00:00.000000001Z"),
            make_record("c", model="gpt-image-1", labels={"team": ""}),
            make_record("c", model="gpt-image-1", usage="orq_images_variations"),
        ]
        for other in others:
            line = records.json_lines([records.record_object(other)])
            self.assert_one_line_error(
                self.report(line),
                2,
                "standard input:1: ",
                "record_id",
                stdout=summary(refused=1),
            )
        self.assertEqual(self.list(), before)
        self.assert_totals([first])

    def test_many_lines_go_in_batches(self):
        """More than a request takes; line numbers stay those of the file."""
        reported = [make_record("n-%d" % i, at("2024-05-01T00:00:00Z") + i) for i in range(2500)]
        objects = list(map(records.record_object, reported))
        objects[1700] = {**objects[1700], "operation": ""}
        objects[2100]["orq_images_edits"]["total_tokens"] = -1
        outcome = self.report(records.json_lines(objects))
        self.assertEqual(outcome.exit_code, 2)
        self.assertEqual(
            outcome.stdout, summary(stored=2498, bad_lines=2), outcome.stderr
        )
        places = re.findall(r"standard input:(\d+): ", outcome.stderr.decode())
        self.assertEqual(places, ["1701", "2101"])
        expected = [r for i, r in enumerate(reported) if i not in (1700, 2100)]
        self.assert_totals(expected)
        ids = [json.loads(line)["record_id"] for line in self.list().splitlines()]
        self.assertEqual(ids, [record.record_id for record in expected])

    def test_refused_lines_are_named(self):
        """Also far into a file, and if an id comes twice."""
        objects = [records.record_object(make_record("n-%d" % i)) for i in range(11000)]
        for number, earlier in ((3, 2), (10900, 10899)):
            objects[number] = {**objects[earlier], "model": "another"}
        outcome = self.report(records.json_lines(objects))
        self.assertEqual(outcome.stdout, summary(stored=10998, refused=2), outcome.stderr)
        places = re.findall(r"standard input:(\d+): record_id: ", outcome.stderr.decode())
        self.assertEqual(places, ["4", "10901"])

    def test_large_records_go_in_batches(self):
        """More than 1 MiB in fewer records than a request takes."""
        labels = {"label-%d" % i: "é" * 128 for i in range(16)}
        reported = [make_record("big-%d" % i, labels=labels) for i in range(400)]
        lines = records.json_lines(map(records.record_object, reported))
        self.assertGreater(len(lines), 1 << 20)
        self.assert_output(self.report(lines), summary(stored=400))
        self.assert_totals(reported)

    def test_unknown_message_and_unreadable_file(self):
        for args, code, words in (
            ([self.path("missing")], 2, (self.path("missing"), "No such file")),
            (["--message=NoSuchUsage"], 2, ("--message", "NoSuchUsage")),
            (
                ["--message=UsageRecord"],
                2,
                ("--message: expected a message such as ", 'found "UsageRecord"'),
            ),
            (["--event-time=yesterday"], 64, ("--event-time", "yesterday")),
            (["--label=team"], 64, ("--label", "team")),
        ):
            with self.subTest(args):
                outcome = self.run_client("report", *args)
                self.assert_one_line_error(outcome, code, *words)
        self.assert_one_line_error(
            self.run_client("report", self.folder),
            2,
            self.folder,
            "directory",
            stdout=summary(),
        )

    def test_wrong_project_name(self):
        line = records.json_lines([records.record_object(make_record("p"))])
        for project in ("Demo", "-x", "a" * 64, "a/b"):
            with self.subTest(project):
                outcome = self.report(line, project=project)
                self.assert_one_line_error(outcome, 2, "project")
                for command in (["query"], ["list"], ["get", "p"]):
                    outcome = self.run_client(*command, project=project)
                    self.assert_one_line_error(outcome, 2, "project")

    def test_settings_from_the_environment(self):
        env = {"TOKENUSAGE_SERVER": self.server.address, "TOKENUSAGE_PROJECT": "demo"}
        line = records.json_lines([records.record_object(make_record("e"))])
        self.assert_output(program.run("report", stdin=line, env=env), summary(1))
        self.assert_totals([make_record("e")])


class GetAndListTest(ServiceTest):
    def setUp(self):
        super().setUp()
        self.reported = [
            make_record(record_id, time)
            for record_id, time in (
                ("b", "2024-05-01T00:00:00Z"),
                ("B", "2024-05-01T00:00:00Z"),
                ("a", "2024-05-01T00:00:00.000000001Z"),
                ("z", "2024-04-30T23:59:59.999999999Z"),
            )
        ]
        self.report(records.json_lines(map(records.record_object, self.reported)))

    def listed_ids(self, *flags):
        return [json.loads(l)["record_id"] for l in self.list("demo", *flags).splitlines()]

    def test_get_what_is_not_there(self):
        self.assert_one_line_error(self.run_client("get", "c"), 1, '"c"', '"demo"')
        self.assert_one_line_error(
            self.run_client("get", "a", project="other"), 1, '"a"', '"other"'
        )
        self.assert_one_line_error(self.run_client("get", "a b"), 2, "record_id")

    def test_list_is_in_order_and_half_open(self):
        self.assertEqual(self.listed_ids(), ["z", "B", "b", "a"])
        self.assertEqual(self.listed_ids("--limit=2"), ["z", "B"])
        self.assertEqual(self.listed_ids("--start=2024-05-01"), ["B", "b", "a"])
        self.assertEqual(self.listed_ids("--end=2024-05-01"), ["z"])
        self.assertEqual(
            self.listed_ids("--start=2024-05-01", "--time-zone=Europe/Berlin"),
            ["z", "B", "b", "a"],
        )
        self.assertEqual(self.list("empty"), b"")

    def test_listed_records_report_into_another_project(self):
        rng = seeded_random()
        reported = [records.random_record(rng, "id-%d" % i) for i in range(120)]
        self.report(records.json_lines(map(records.record_object, reported)))
        listed = self.list()
        outcome = self.report(listed, project="copy")
        self.assert_output(outcome, summary(stored=len(self.reported) + 120))
        self.assertEqual(
            _OUTPUT_ONLY.sub(b"", self.list("copy")), _OUTPUT_ONLY.sub(b"", listed)
        )
        flags = ("--bucket=hour", "--group-by=model,labels.team", "--json")
        original = self.run_client("query", *flags)
        self.assertEqual(self.run_client("query", *flags, project="copy"), original)
        self.assert_totals(self.reported + reported, project="copy")


class OutputTest(ServiceTest):
    def setUp(self):
        super().setUp()
        many = [make_record("r%d" % i) for i in range(3000)]
        self.report(records.json_lines(map(records.record_object, many)))

    def run_shell(self, script, *args):
        flags = ["--server=" + self.server.address, "--project=demo"]
        wrapper = ["bash", "-o", "pipefail", "-c", script, "bash"]
        return program.run(*args, *flags, wrapper=wrapper)

    def test_a_full_disk_is_said_once(self):
        for command in (["list"], ["query", "--json"], ["query"]):
            with self.subTest(command):
                outcome = self.run_shell('"$@" > /dev/full', *command)
                self.assert_one_line_error(
                    outcome, 1, "standard output", "No space left on device"
                )

    def test_a_reader_that_leaves_is_no_error(self):
        first, _ = self.list("demo", "--limit=1").split(b"\n")
        outcome = self.run_shell('"$@" | head -n 1', "list")
        self.assert_output(outcome, first + b"\n")
        for command in (["list"], ["query"], ["query", "--json"]):
            with self.subTest(command):
                self.assert_output(self.run_shell('"$@" | true', *command), b"")


class QueryTest(ServiceTest):
    def test_tables(self):
        """The whole table, for every bucket."""
        reported = [
            make_record(
                "1",
                "2024-03-30T23:30:00Z",
                FRACTIONAL,
                model="gpt-image-1",
                labels={"team": "web"},
            ),
            make_record("2", "2024-03-31T00:59:59Z", model="Ünïcode", labels={"team": ""}),
            make_record("3", "2024-03-31T22:00:00Z", model="gpt-image-1"),
            make_record("4", "2024-04-01T12:00:30Z", (0.5, 0.0, 1e-9, 2.0**53, 0.0)),
        ]
        self.report(records.json_lines(map(records.record_object, reported)))
        for flags, table in (
            (
                [],
                """\
from 2000-01-01 to 2200-01-01, UTC
records  inconsistent  total_tokens  input_tokens   output_tokens    input_text_tokens  input_image_tokens
      4             2       8306.25       7551.29  1542.010000001  9007199254746739.82             1581.66
""",
            ),
            (
                ["--bucket=day", "--time-zone=Europe/Berlin"],
                """\
from 2000-01-01T01:00:00+01:00 to 2200-01-01T01:00:00+01:00, Europe/Berlin
day         records  inconsistent  total_tokens  input_tokens   output_tokens    input_text_tokens  input_image_tokens
2024-03-31        2             1       8205.75       7501.29  1492.01                     5737.82             1541.66
2024-04-01        2             1        100.5          50       50.000000001  9007199254741002                  40
total             4             2       8306.25       7551.29  1542.010000001  9007199254746739.82             1581.66
""",
            ),
            (
                ["--bucket=hour", "--group-by=model", "--end=2024-04-01"],
                """\
from 2000-01-01 to 2024-04-01, UTC
hour               model        records  inconsistent  total_tokens  input_tokens  output_tokens  input_text_tokens  input_image_tokens
2024-03-30T23:00Z  gpt-image-1        1             1       8105.75       7451.29        1442.01            5727.82             1501.66
2024-03-31T00:00Z  Ünïcode            1             -        100            50             50                 10                  40
2024-03-31T22:00Z  gpt-image-1        1             -        100            50             50                 10                  40
total                                 3             1       8305.75       7551.29        1542.01            5747.82             1581.66
""",
            ),
            (
                ["--bucket=minute", "--filter=model=gpt-image-1"],
                """\
from 2000-01-01 to 2200-01-01, UTC
minute             records  inconsistent  total_tokens  input_tokens  output_tokens  input_text_tokens  input_image_tokens
2024-03-30T23:30Z        1             1       8105.75       7451.29        1442.01            5727.82             1501.66
2024-03-31T22:00Z        1             -        100            50             50                 10                  40
total                    2             1       8205.75       7501.29        1492.01            5737.82             1541.66
""",
            ),
            (
                ["--bucket=week", "--group-by=labels.team"],
                """\
from 2000-01-01 to 2200-01-01, UTC
week      labels.team  records  inconsistent  total_tokens  input_tokens   output_tokens    input_text_tokens  input_image_tokens
2024-W13  <none>             1             -        100            50       50                          10                  40
2024-W13                     1             -        100            50       50                          10                  40
2024-W13  web                1             1       8105.75       7451.29  1442.01                     5727.82             1501.66
2024-W14  <none>             1             1          0.5           0        0.000000001  9007199254740992                   0
total                        4             2       8306.25       7551.29  1542.010000001  9007199254746739.82             1581.66
""",
            ),
            (
                ["--bucket=month", "--filter-missing=labels.team", "--filter=labels.team=web"],
                """\
from 2000-01-01 to 2200-01-01, UTC
month    records  inconsistent  total_tokens  input_tokens   output_tokens    input_text_tokens  input_image_tokens
2024-03        2             1       8205.75       7501.29  1492.01                     5737.82             1541.66
2024-04        1             1          0.5           0        0.000000001  9007199254740992                   0
total          3             2       8206.25       7501.29  1492.010000001  9007199254746729.82             1541.66
""",
            ),
        ):
            with self.subTest(flags):
                self.assert_output(self.run_client("query", *flags), table)

    def test_json_row(self):
        """One whole line, byte for byte."""
        first = make_record("1", counts=FRACTIONAL, labels={"team": ""})
        self.report(records.json_lines(map(records.record_object, [first, make_record("2")])))
        flags = ("--bucket=day", "--group-by=operation,labels.team", "--json")
        whole = """{"rounded":%s,"exact":"%s","record_count":1}"""
        line = (
            '{"bucket_start_time":"2024-05-01T00:00:00Z",'
            '"bucket_end_time":"2024-05-02T00:00:00Z",'
            '"bucket_start_local":"2024-05-01T00:00:00Z",'
            '"bucket_end_local":"2024-05-02T00:00:00Z","time_zone":"UTC",'
            '"group":{"operation":"images.edits","labels.team":%s},'
            '"totals":{"record_count":1,"inconsistent_record_count":%d,'
            '"unknown_usage_record_count":0,"total_tokens":%s,"input_tokens":%s,'
            '"output_tokens":%s,"input_text_tokens":%s,"input_image_tokens":%s}}\n'
        )
        lines = ""
        for value, counts in (("null", WHOLE), ('""', FRACTIONAL)):
            texts = [oracle.sum_texts([count]) for count in counts]
            inconsistent = counts is FRACTIONAL
            totals = (whole % (text, text) for text in texts)
            lines += line % (value, inconsistent, *totals)
        self.assert_output(self.run_client("query", *flags), lines)

    def test_nothing_to_count(self):
        outcome = self.run_client("query", "--month=2024-05", "--time-zone=Asia/Tokyo")
        table = b"from 2024-05-01 to 2024-06-01, Asia/Tokyo\nrecords\n"
        self.assert_one_line_error(outcome, 0, "no records match", stdout=table)
        self.assert_output(self.run_client("query", "--json"), b"")

    def test_invalid_queries(self):
        """One line names the field that the service refuses, or the flag (64)."""
        for args, words in (
            (["--group-by=color"], ("group_by", "color")),
            (["--group-by=model,model"], ("group_by", "model")),
            (["--group-by=model,operation,provider,labels.a,labels.b"], ("group_by",)),
            (["--filter=color=red"], ("filters", "color")),
            (["--filter=model"], ("--filter", "model")),
            (["--filter-missing=model"], ("filters", "model")),
            (["--time-zone=Mars/Olympus"], ("--time-zone", "Mars/Olympus")),
            (["--time-zone=../../etc/passwd"], ("--time-zone",)),
            (["--start=1999-01-01"], ("start",)),
            (["--start=2024-01-01", "--end=2024-01-01"], ("end_time",)),
            (["--start=tomorrow"], ("--start", "tomorrow")),
            (["--month=May"], ("--month", "May")),
            (["--month=2024-05", "--end=today"], ("--month", "--end")),
            (["--by=cost"], ("order_by", "total_tokens", "cost_usd", '"cost"')),
            (["--top=3"], ("--top", "--by")),
            (["--compare", "--by=images"], ("--compare", "--month")),
            (
                ["--compare", "--by=images", "--since=today", "--bucket=day"],
                ("--compare", "--bucket"),
            ),
            (["--json", "--csv"], ("--csv", "--json")),
        ):
            with self.subTest(args):
                code = 64 if words[0].startswith("--") else 2
                self.assert_one_line_error(self.run_client("query", *args), code, *words)


class RandomQueryTest(ServiceTest):
    """Several hundred random records, every bucket, and the oracle."""

    def setUp(self):
        super().setUp()
        self.rng = seeded_random()
        self.records = [records.random_record(self.rng, "r%d" % i) for i in range(600)]
        lines = records.json_lines(map(records.record_object, self.records))
        self.assert_output(self.report(lines), summary(stored=600))

    def assert_query(self, *flags, says="", **question):
        with self.subTest(flags):
            expected = oracle.expected_rows(self.records, **question)
            self.assertEqual(self.query_rows(*flags, says=says), expected)
            return expected

    def test_every_bucket_in_every_kind_of_zone(self):
        for bucket in ("none", "minute", "hour", "day", "week", "month"):
            for zone in (
                "UTC",
                "Europe/Berlin",
                "Asia/Kathmandu",
                "America/Sao_Paulo",
                "America/St_Johns",
                "Australia/Lord_Howe",
                "Pacific/Apia",
            ):
                flags = ["--bucket=" + bucket, "--time-zone=" + zone]
                rows = self.assert_query(*flags, bucket=bucket, zone=zone)
                self.assertEqual(sum(row.record_count for row in rows), 600)

    def test_days_of_23_and_25_hours(self):
        hours = {}
        for row in self.query_rows("--bucket=day", "--time-zone=Europe/Berlin"):
            hours[records.rfc3339(row.start)] = (row.end - row.start) / 3600e9
        self.assertEqual(hours["2024-03-30T23:00:00Z"], 23)
        self.assertEqual(hours["2024-10-26T22:00:00Z"], 25)
        for row in self.query_rows("--bucket=day", "--time-zone=Pacific/Apia"):
            self.assertNotEqual(row.start, row.end)

    def test_windows_cut_buckets(self):
        """Windows that start and end anywhere, to the nanosecond."""
        times = [r.event_time.seconds * 10**9 + r.event_time.nanos for r in self.records]
        for _ in range(20):
            window = sorted(self.rng.sample(times, 2))
            if window[0] == window[1]:
                continue
            zone = self.rng.choice(("UTC", "Europe/Berlin", "Asia/Kathmandu"))
            bucket = self.rng.choice(("none", "hour", "day", "week", "month"))
            self.assert_query(
                "--bucket=" + bucket,
                "--time-zone=" + zone,
                "--start=" + records.rfc3339(window[0]),
                "--end=" + records.rfc3339(window[1]),
                bucket=bucket,
                zone=zone,
                window=tuple(window),
            )

    def test_groups(self):
        for fields, says in (
            (("model",), ""),
            (("provider", "operation"), ""),
            (("labels.team",), ""),
            (("labels.customer_id", "model", "labels.team", "provider"), ""),
            (
                ("labels.nobody_has_it",),
                "tokenusage: --group-by: no record of the answer has labels.nobody_has_it\n",
            ),
        ):
            flag = "--group-by=" + ",".join(fields)
            self.assert_query(flag, group_by=fields, says=says)
            month = {"group_by": fields, "bucket": "month"}
            self.assert_query(flag, "--bucket=month", says=says, **month)

    def test_filters(self):
        for flags, filters in (
            (["--filter=model=gpt-image-1"], {"model": ["gpt-image-1"]}),
            (["--filter=model="], {"model": [""]}),
            (
                ["--filter=model=modèle-é", "--filter=model=😀", "--filter=provider=orq"],
                {"model": ["modèle-é", "😀"], "provider": ["orq"]},
            ),
            (["--filter=labels.team="], {"labels.team": [""]}),
            (["--filter-missing=labels.team"], {"labels.team": [None]}),
            (
                ["--filter-missing=labels.team", "--filter=labels.team=Zürich"],
                {"labels.team": [None, "Zürich"]},
            ),
            (["--filter=operation=no.such"], {"operation": ["no.such"]}),
            (
                ["--filter=model=😀", "--filter=model=no such"],
                {"model": ["😀", "no such"]},
            ),
        ):
            says = "".join(
                'tokenusage: --filter: no record of the window has %s "%s"\n' % (field, value)
                for field, values in filters.items()
                for value in values
                if value and value.startswith("no")
            )
            self.assert_query(*flags, filters=filters, says=says)
            question = {"bucket": "day", "group_by": ["labels.team"], "filters": filters}
            rows = oracle.expected_rows(self.records, **question)
            if rows and all(row.group == (None,) for row in rows):
                says = "tokenusage: --group-by: no record of the answer has labels.team\n" + says
            self.assert_query(
                "--bucket=day", "--group-by=labels.team", *flags, says=says, **question
            )


class LargestTest(ServiceTest):
    """Orders, shares, comparisons, CSV, and all projects."""

    def setUp(self):
        super().setUp()
        # The last day of April and two days of May in Berlin.
        costs = (
            ("demo", "2024-04-30T12:00:00Z", "a", 4),
            ("demo", "2024-05-01T12:00:00Z", "a", 1),
            ("demo", "2024-05-01T12:00:00Z", "b", 2.5),
            ("demo", "2024-05-02T12:00:00Z", "b", None),
            ("demo", "2024-05-02T12:00:00Z", "c,\"=", 0.25),
            ("web", "2024-05-02T21:59:59Z", "c,\"=", 6),
        )
        for number, (project, time_text, model, cost) in enumerate(costs):
            record = {
                "record_id": "id-%d" % number,
                "event_time": time_text,
                "operation": "chat",
                "model": model,
                "token_usage": {"images": 1} if cost is None else {"cost_usd": cost},
                "labels": {"team": ""} if number == 2 else {},
            }
            line = (json.dumps(record) + "\n").encode()
            self.assert_output(self.report(line, project=project), summary(stored=1))

    def query(self, *flags, project="demo"):
        outcome = self.run_client(
            "query", "--time-zone=Europe/Berlin", *flags, project=project
        )
        self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""))
        return outcome.stdout.decode()

    def test_the_largest_with_their_shares(self):
        """The total is that of all rows."""
        self.assertEqual(
            self.query("--month=2024-05", "--group-by=model", "--top=2", "--by=cost_usd"),
            """\
from 2024-05-01 to 2024-06-01, Europe/Berlin; by cost_usd
model  records      images       cost_usd   share
b            2  1 (1 of 2)  2.5 (1 of 2)    66.7%
a            1  -           1               26.7%
total        4  1 (1 of 4)  3.75 (3 of 4)  100.0%
""",
        )

    def test_all_projects(self):
        rows = self.query(
            "--month=2024-05", "--group-by=project", "--by=cost_usd", project="-"
        )
        self.assertEqual(
            [line.split()[0] for line in rows.splitlines()[2:]], ["web", "demo", "total"]
        )
        rows = self.query("--filter=project=web", "--group-by=project,model", project="-")
        self.assertIn("web", rows)
        self.assertNotIn("demo", rows)
        outcome = program.run("projects", "--server=" + self.server.address)
        self.assert_output(outcome, "project  horizon (UTC)\ndemo     -\nweb      -\n")
        outcome = program.run("projects", "--server=" + self.server.address, "--json")
        self.assert_output(outcome, '{"name":"demo"}\n{"name":"web"}\n')

    def test_comparison_with_the_window_before(self):
        """Two days with the two before."""
        self.assertEqual(
            self.query(
                "--start=2024-05-01",
                "--end=2024-05-03",
                "--group-by=model",
                "--by=cost_usd",
                "--compare",
            ).splitlines()[0],
            "from 2024-05-01 to 2024-05-03, Europe/Berlin; by cost_usd; "
            "before: from 2024-04-29 to 2024-05-01",
        )
        rows = self.query(
            "--month=2024-05", "--group-by=model", "--by=cost_usd", "--compare", "--json"
        )
        rows = [json.loads(line) for line in rows.splitlines()]
        self.assertEqual(
            [(row["group"]["model"], row["cost_usd_before"]) for row in rows],
            [("b", None), ("a", "4"), ('c,"=', None)],
        )
        table = self.query("--month=2024-05", "--group-by=model", "--by=cost_usd", "--compare")
        self.assertIn("-75.0%", table.splitlines()[3])
        self.assertEqual(table.splitlines()[-1].split()[-3:], ["100.0%", "4", "-6.2%"])

    def test_csv(self):
        """Local dates stand beside instants; text is quoted where it must be."""
        self.assertEqual(
            self.query(
                "--month=2024-05",
                "--group-by=model,labels.team",
                "--csv",
                "--bucket=day",
                "--filter=model=b",
                '--filter=model=c,"=',
            ),
            """\
bucket_start_time,bucket_end_time,bucket_start_local,bucket_end_local,time_zone,model,\
labels.team,record_count,inconsistent_record_count,unknown_usage_record_count,\
images,images_record_count,cost_usd,cost_usd_record_count
2024-04-30T22:00:00Z,2024-05-01T22:00:00Z,2024-05-01T00:00:00+02:00,\
2024-05-02T00:00:00+02:00,Europe/Berlin,b,"",1,0,0,,0,2.5,1
2024-05-01T22:00:00Z,2024-05-02T22:00:00Z,2024-05-02T00:00:00+02:00,\
2024-05-03T00:00:00+02:00,Europe/Berlin,b,,1,0,0,1,1,,0
2024-05-01T22:00:00Z,2024-05-02T22:00:00Z,2024-05-02T00:00:00+02:00,\
2024-05-03T00:00:00+02:00,Europe/Berlin,"c,""=",,1,0,0,,0,0.25,1
""",
        )

    def test_lists_have_the_filters_of_queries(self):
        ids = [
            json.loads(line)["record_id"]
            for line in self.list("demo", "--filter=model=b", "--since=2024-05-02").splitlines()
        ]
        self.assertEqual(ids, ["id-3"])
        self.assert_one_line_error(
            self.run_client("list", "--filter=model=d"), 0, '--filter: ', 'model "d"'
        )


class PushingBack(grpc.GenericRpcHandler):
    """A service that refuses every call, and says when to repeat it."""

    def service(self, handler_call_details):
        return grpc.unary_unary_rpc_method_handler(self._refuse)

    def _refuse(self, request, context):
        context.set_trailing_metadata([("grpc-retry-pushback-ms", "100")])
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "not now")


class NoServiceTest(EndToEndTest):
    def test_gives_up_if_every_call_is_repeated(self):
        server = grpc.server(
            concurrent.futures.ThreadPoolExecutor(), handlers=[PushingBack()]
        )
        address = "127.0.0.1:%d" % server.add_insecure_port("127.0.0.1:0")
        server.start()
        self.addCleanup(server.stop, None)
        line = records.json_lines([records.record_object(make_record("u"))])
        outcome = program.run(
            "report", "--server=" + address, "--project=demo", stdin=line, timeout=30
        )
        self.assert_one_line_error(outcome, 2, address, "not now", stdout=summary())

    def test_unreachable_service(self):
        """Exit code 69 and one line that names the address, within program.run's time."""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            flags = ["--server=" + address, "--project=demo"]
            line = records.json_lines([records.record_object(make_record("u"))])
            self.assert_one_line_error(
                program.run("report", *flags, stdin=line),
                69,
                address,
                "standard input lines 1 to 1",
                stdout=summary(),
            )
            for command in (["query"], ["list"], ["get", "u"]):
                with self.subTest(command):
                    outcome = program.run(*command, *flags)
                    self.assert_one_line_error(outcome, 69, address)

    def test_waits_for_a_service_that_is_starting(self):
        """As in a script that starts `serve` in the background."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = "127.0.0.1:%d" % free.getsockname()[1]
        line = records.json_lines([records.record_object(make_record("u"))])
        flags = ["--server=" + address, "--project=demo"]
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            report = pool.submit(program.run, "report", *flags, stdin=line)
            time.sleep(0.3)
            self.start_server(listen=address)
            outcome = report.result(60)
        self.assert_output(outcome, summary(stored=1))

    def test_usage_errors(self):
        """Exit code 64, and one line."""
        for args in (
            ["report"],
            ["query"],
            ["query", "--project="],
            ["list", "--project=demo", "--limit=-1"],
            ["get", "--project=demo"],
            ["query", "--project=demo", "--bucket=decade"],
            ["query", "--project=demo", "--no-such-flag"],
            ["serve", "--store=mysql://x"],
            ["serve", "--store=sqlite://"],
            ["serve", "--listen=0.0.0.0:8105"],
            ["serve", "--listen=127.0.0.1"],
            ["serve", "--drain-seconds=-1"],
        ):
            with self.subTest(args):
                self.assert_one_line_error(program.run(*args), 64)


if __name__ == "__main__":
    junit.main()
