# SPDX-License-Identifier: Apache-2.0
"""`tokenusage correct` and `tokenusage void` against a real service."""

import json

from harness import junit, oracle, program, records
from harness.load import PROJECT
from harness.records import make_record
from harness.testcase import EndToEndTest


def summary(stored=0, duplicate=0, refused=0, would=False):
    return "%s %d, duplicate %d, refused %d\n" % (
        "would store" if would else "stored",
        stored,
        duplicate,
        refused,
    )


class CorrectTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_server()
        self.client = self.connect(self.server)
        self.records = [
            make_record("a", model="m", labels={"team": "web"}),
            make_record("b", "2024-05-02T12:00:00Z", records.FRACTIONAL),
            make_record("c"),
        ]
        self.client.report(PROJECT, self.records)

    def run_client(self, command, *args, stdin=""):
        flags = ["--server=" + self.server.address, "--project=" + PROJECT]
        return program.run(command, *flags, *args, stdin=stdin.encode())

    def assert_done(self, outcome, stdout, exit_code=0):
        self.assertEqual(
            (outcome.exit_code, outcome.stdout.decode()), (exit_code, stdout), outcome
        )
        self.assertEqual(outcome.stderr.count(b"\n") == 0, exit_code == 0)

    def assert_counted(self, *expected):
        """Asserts that the totals are those of exactly these records."""
        rows = self.client.query_all(PROJECT, *oracle.ALL_TIME)
        self.assertEqual(list(map(oracle.row_of, rows)), oracle.expected_rows(expected))

    def test_void_takes_back_once(self):
        a, b, c = self.records
        self.assert_done(self.run_client("void", "a"), summary(stored=1))
        self.assert_counted(b, c)
        void = self.client.get(PROJECT, "a~void")
        self.assertEqual((void.corrects, void.WhichOneof("usage")), ("a", None))
        self.assertEqual(void.event_time, a.event_time)
        self.assertEqual((void.operation, void.model), ("images.edits", "m"))
        self.assertEqual(self.client.get(PROJECT, "a").corrected_by, "a~void")
        self.assert_done(self.run_client("void", "a"), summary(duplicate=1))
        self.assert_counted(b, c)

    def test_void_from_a_file_names_what_it_cannot_find(self):
        ids = self.write("ids.txt", b"b\n\n  a \r\nmissing\nnot an id\n")
        outcome = self.run_client("void", "c", "--ids=" + ids)
        self.assert_done(outcome, summary(stored=3, refused=2), exit_code=2)
        self.assertIn(b"ids.txt:4: ", outcome.stderr)
        self.assertIn(b"ids.txt:5: record_id: expected", outcome.stderr)
        self.assert_counted()
        outcome = self.run_client("void", "--ids=-", stdin="a\nb~void\n")
        self.assert_done(outcome, summary(stored=1, duplicate=1))
        self.assert_one_line_error(self.run_client("void"), 64, "RECORD_ID")

    def test_correct_takes_the_rest_from_what_it_corrects(self):
        _, b, c = self.records
        lines = '{"corrects":"a","token_usage":{"total_tokens":7.5}}\n'
        self.assert_done(self.run_client("correct", stdin=lines), summary(stored=1))
        correction = self.client.get(PROJECT, "a~corrected")
        self.assertEqual(dict(correction.labels), {"team": "web"})
        self.assertEqual(correction.model, "m")
        rows = self.client.query_all(PROJECT, *oracle.ALL_TIME, group_by=["model"])
        totals = {r.group[0].value: r.totals.total_tokens.exact for r in rows}
        self.assertEqual(totals, {"": "8205.75", "m": "7.5"})
        self.assert_done(self.run_client("correct", stdin=lines), summary(duplicate=1))

        other = lines.replace("7.5", "8")
        outcome = self.run_client("correct", stdin=other)
        self.assert_done(outcome, summary(refused=1), exit_code=2)
        self.assertIn(b"standard input:1: record_id: ", outcome.stderr)
        # A void of the corrected record must name the correction instead.
        outcome = self.run_client("void", "a")
        self.assert_done(outcome, summary(refused=1), exit_code=2)
        self.assertIn(b'"a~corrected"', outcome.stderr)
        self.assert_done(self.run_client("void", "a~corrected"), summary(stored=1))
        self.assert_counted(b, c)

    def test_one_input_may_correct_its_own_corrections(self):
        _, b, c = self.records
        lines = "".join(
            json.dumps({"corrects": corrects, "token_usage": {"total_tokens": n}}) + "\n"
            for n, corrects in enumerate(("a", "a~corrected", "b"), 1)
        )
        self.assert_done(self.run_client("correct", stdin=lines), summary(stored=3))
        (row,) = self.client.query_all(PROJECT, *oracle.ALL_TIME)
        self.assertEqual(row.totals.total_tokens.exact, "105")  # 2 + 3 + that of c

    def test_refused_lines_do_not_stop_the_others(self):
        lines = (
            '{"corrects":"a"}\n'
            '{"token_usage":{}}\n'
            '{"corrects":"a","token_usage":{"total_tokens":-1}}\n'
            '{"corrects":"a","tokens":1}\n'
            '{"corrects":"b","token_usage":{"total_tokens":1}}\n'
        )
        for flags in (["--dry-run"], []):
            outcome = self.run_client("correct", *flags, stdin=lines)
            self.assertEqual(outcome.exit_code, 2)
            end = summary(stored=1, refused=4, would=bool(flags))
            self.assertTrue(outcome.stdout.decode().endswith(end), outcome)
            for number, words in enumerate(
                (b"tokenusage void", b"corrects", b"token_usage.total_tokens", b"tokens"), 1
            ):
                (line,) = [
                    line
                    for line in outcome.stderr.splitlines()
                    if b"standard input:%d: " % number in line
                ]
                self.assertIn(words, line)

    def test_dry_run_shows_what_would_change_and_changes_nothing(self):
        outcome = self.run_client("void", "--dry-run", "a", "b")
        self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""))
        table = [line.split() for line in outcome.stdout.decode().splitlines()]
        self.assertEqual(
            table,
            [
                "day operation provider model records total_tokens input_tokens "
                "output_tokens input_text_tokens input_image_tokens".split(),
                "2024-05-01 images.edits m -1 -100 -50 -50 -10 -40".split(),
                "2024-05-02 images.edits -1 -8105.75 -7451.29 -1442.01 -5727.82 "
                "-1501.66".split(),
                summary(stored=2, would=True).split(),
            ],
        )
        self.assert_counted(*self.records)

        lines = '{"corrects":"c","model":"m","token_usage":{"total_tokens":100}}\n'
        outcome = self.run_client("correct", "--dry-run", stdin=lines)
        table = [line.split() for line in outcome.stdout.decode().splitlines()]
        self.assertEqual(
            table[1:],
            [
                "2024-05-01 images.edits -1 -100 -50 -50 -10 -40".split(),
                "2024-05-01 images.edits m 1 100 - - - -".split(),
                summary(stored=1, would=True).split(),
            ],
        )
        self.run_client("void", "a")
        outcome = self.run_client("void", "--dry-run", "a")
        self.assert_done(outcome, summary(duplicate=1, would=True))
        outcome = self.run_client(
            "correct", "--dry-run", stdin=lines.replace('"c"', '"a"')
        )
        self.assert_done(outcome, summary(refused=1, would=True), exit_code=2)
        self.assertIn(b'corrected by "a~void" already', outcome.stderr)

    def test_dry_run_counts_what_the_same_input_corrects(self):
        lines = "".join(
            json.dumps({**fields, "token_usage": {"total_tokens": total}}) + "\n"
            for fields, total in (
                ({"corrects": "a", "corrected_by": "ignored"}, 1),
                ({"corrects": "a"}, 1),
                ({"corrects": "a"}, 2),
                ({"corrects": "a", "record_id": "x"}, 2),
                ({"corrects": "a", "record_id": "b"}, 2),
                ({"corrects": "a~corrected"}, 3),
            )
        )
        outcome = self.run_client("correct", "--dry-run", stdin=lines)
        header, change, end = outcome.stdout.decode().splitlines(True)
        self.assertEqual(change.split(), "2024-05-01 images.edits m 0 -97 -50 -50 -10 -40".split())
        self.assertEqual(end, summary(stored=2, duplicate=1, refused=3, would=True))
        self.assertEqual(outcome.exit_code, 2)
        for number, words in (
            (3, b"differs in token_usage.total_tokens"),
            (4, b'corrected by "a~corrected" already'),
            (5, b"record_id: expected a new id"),
        ):
            self.assertRegex(outcome.stderr, b"input:%d: .*%s" % (number, words))
        self.assert_counted(*self.records)
        real = self.run_client("correct", stdin=lines)
        self.assert_done(real, summary(stored=2, duplicate=1, refused=3), exit_code=2)
        # Now all of it is stored or refused already.
        outcome = self.run_client("correct", "--dry-run", stdin=lines)
        self.assert_done(outcome, summary(duplicate=3, refused=3, would=True), exit_code=2)

        outcome = self.run_client("void", "--dry-run", "c", "c", "c~void")
        *_, change, end = outcome.stdout.decode().splitlines(True)
        self.assertEqual(change.split(), "2024-05-01 images.edits -1 -100 -50 -50 -10 -40".split())
        self.assertEqual(end, summary(stored=2, duplicate=1, would=True))

    def test_a_line_that_is_too_long_is_refused(self):
        ids = self.write("ids.txt", "x" * ((1 << 20) + 1) + "\na\n")
        outcome = self.run_client("void", "--ids=" + ids)
        self.assert_done(outcome, summary(stored=1, refused=1), exit_code=2)
        self.assertIn(b"ids.txt:1: expected a line of at most 1048576 bytes", outcome.stderr)

    def test_a_service_that_is_away_is_said(self):
        self.server.stop()
        outcome = self.run_client("void", "a")
        self.assertEqual(outcome.exit_code, 69)

    def test_report_takes_corrections_as_list_prints_them(self):
        self.run_client("void", "a")
        listed = self.run_client("list").stdout.decode()
        self.assertIn('"corrects":"a"', listed)
        self.assertIn('"corrected_by":"a~void"', listed)
        flags = ["--server=" + self.server.address, "--project=other"]
        outcome = program.run("report", *flags, stdin=listed.encode())
        self.assertEqual(outcome.exit_code, 0, outcome)
        rows = self.client.query_all("other", *oracle.ALL_TIME)
        self.assertEqual(rows[0].totals.record_count, 2)


if __name__ == "__main__":
    junit.main()
