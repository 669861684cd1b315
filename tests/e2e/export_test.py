# SPDX-License-Identifier: Apache-2.0
"""`tokenusage export` against a real service."""

import csv
import decimal
import io
import json
import os
import shutil
import signal
import subprocess
import time

from harness import junit, oracle, program, records
from harness.records import at, make_record
from harness.testcase import EndToEndTest, seeded_random

DAY = at("2024-05-01T00:00:00Z")
WINDOW = ("--start=2024-05-01", "--end=2024-06-01")
COUNT = 6000
# A part holds about 100 records, so COUNT records make about 60 parts.
PART = "--part-bytes=40000"


def records_of_a_day(count=COUNT):
    """Returns records, three at each instant, so that ids decide their order."""
    return [make_record("r%06d" % i, DAY + i // 3, model="m%d" % (i % 7)) for i in range(count)]


class ExportTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_server()
        self.reported = []

    def report(self, reported):
        client = self.connect(self.server)
        for first in range(0, len(reported), 1000):
            response = client.report("demo", reported[first : first + 1000])
            self.assertEqual(list(response.errors), [])
        self.reported += reported

    def command(self, folder, *flags):
        """Returns the command line; a flag takes the place of its default."""
        defaults = ("--server=" + self.server.address, "--project=demo", *WINDOW)
        names = {flag.partition("=")[0] for flag in flags}
        kept = [flag for flag in defaults if flag.partition("=")[0] not in names]
        return ["export", *kept, *flags, self.path(folder)]

    def export(self, folder, *flags, **kwargs):
        return program.run(*self.command(folder, *flags), **kwargs)

    def assert_exported(self, folder, *flags):
        outcome = self.export(folder, *flags)
        self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""), outcome)
        self.assert_verified(folder)

    def verify(self, folder):
        return program.run("export", "--verify", self.path(folder))

    def assert_verified(self, folder):
        outcome = self.verify(folder)
        self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""), outcome)
        self.assertIn(b", problems 0\n", outcome.stdout)

    def assert_problem(self, folder, *words):
        outcome = self.verify(folder)
        self.assertEqual(outcome.exit_code, 2, outcome)
        for word in words:
            self.assertIn(word.encode(), outcome.stdout)

    def manifest(self, folder):
        try:
            with open(os.path.join(self.path(folder), "manifest.json"), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {}

    def files(self, folder):
        """Returns the contents of a folder's files, by name."""
        contents = {}
        for name in os.listdir(self.path(folder)):
            with open(os.path.join(self.path(folder), name), "rb") as file:
                contents[name] = file.read()
        return contents

    def lines(self, folder):
        """Returns the lines of all parts, in order."""
        contents = self.files(folder)
        return b"".join(
            contents[part["name"]] for part in self.manifest(folder)["parts"]
        ).splitlines(keepends=True)

    def csv_rows(self, folder):
        """Returns the rows of all parts, each of which starts with the header."""
        contents = self.files(folder)
        rows = []
        for part in self.manifest(folder)["parts"]:
            rows += csv.DictReader(io.StringIO(contents[part["name"]].decode(), newline=""))
        return rows

    def assert_sums(self, folder, expected):
        """Asserts that the manifest's sums are the oracle's over these records."""
        sums = self.manifest(folder)["sums"]
        (row,) = oracle.expected_rows(expected)
        self.assertEqual(sums["record_count"], row.record_count)
        found = tuple(sums[m]["exact"] if m in sums else None for m in oracle.MEASURES)
        self.assertEqual(found, row.totals)

    def kill_after_parts(self, folder, parts, *flags):
        """Kills an export once `parts` parts are listed. Returns whether it was still running."""
        process = subprocess.Popen(
            [program.PROGRAM, *self.command(folder, *flags)],
            stdout=subprocess.DEVNULL,
            env=program.environment(),
        )
        deadline = time.monotonic() + 60
        while len(self.manifest(folder).get("parts", ())) < parts and process.poll() is None:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)
        process.kill()
        return process.wait(60) == -signal.SIGKILL

    def interrupt(self, folder, parts, *flags):
        """Starts an export and kills it at `parts` parts; starts over if it ended first."""
        for _ in range(20):
            if self.kill_after_parts(folder, parts, *flags):
                return
            shutil.rmtree(self.path(folder))
        self.fail("each export ended before it could be killed")


class RecordsTest(ExportTest):
    def test_json_lines_are_those_of_list(self):
        self.report(records_of_a_day(2500))
        self.assert_exported("out", PART)
        flags = ["--server=" + self.server.address, "--project=demo", *WINDOW]
        self.assertEqual(b"".join(self.lines("out")), program.run("list", *flags).stdout)
        self.assert_sums("out", self.reported)
        manifest = self.manifest("out")
        self.assertEqual((manifest["version"], manifest["complete"]), (1, True))
        self.assertEqual(manifest["row_count"], 2500)
        self.assertGreater(len(manifest["parts"]), 10)
        for part in manifest["parts"]:
            self.assertLessEqual(part["byte_count"], 40000)

    def test_random_records_as_csv(self):
        """Reads the CSV with Python's reader, and sums each measure in decimals."""
        rng = seeded_random()
        reported = [
            records.random_record(rng, "r%d" % i, DAY + rng.randrange(10**15)) for i in range(600)
        ]
        self.report(reported)
        self.assert_exported("out", "--format=csv", "--time-zone=Europe/Berlin", PART)
        self.assert_sums("out", reported)
        rows = self.csv_rows("out")
        self.assertEqual(len(rows), 600)
        by_id = {record.record_id: record for record in reported}
        for row in rows:
            record = by_id[row["record_id"]]
            self.assertEqual(
                (row["operation"], row["provider"], row["model"], row["counted"]),
                (record.operation, record.provider, record.model, "true"),
            )
            self.assertEqual(json.loads(row["labels"]), dict(record.labels))
            self.assertRegex(row["event_time"], r"^2024-05-\d\dT[0-9:.]+\+02:00$")
        sums = self.manifest("out")["sums"]
        with decimal.localcontext() as context:
            context.prec = 60
            for measure in oracle.MEASURES:
                total = sum(decimal.Decimal(row[measure]) for row in rows if row[measure])
                self.assertEqual(total, decimal.Decimal(sums[measure]["exact"]))

    def test_text_that_spreadsheets_could_run(self):
        hostile = ('=HYPERLINK("http://x","y")', "+1", "-1,2", "@a", "'a", 'a"b,c')
        self.report([
            make_record("r%d" % i, DAY, provider=text, model=text, labels={"customer": text})
            for i, text in enumerate(hostile)
        ])
        self.assert_exported("out", "--format=csv")
        for row, text in zip(self.csv_rows("out"), hostile):
            guarded = text if text.startswith("a") else "'" + text
            self.assertEqual((row["provider"], row["model"]), (guarded, guarded))
            self.assertEqual(json.loads(row["labels"]), {"customer": text})

    def test_killed_again_and_again_while_the_service_restarts(self):
        """In the end the files are those of an uninterrupted export."""
        self.report(records_of_a_day())
        for name in ("csv", "jsonl"):
            flags = ("--format=" + name, PART)
            self.interrupt(name, 1, *flags)
            for parts in (5, 20, 21, 40):
                self.kill_after_parts(name, parts, *flags)
                if not self.manifest(name)["complete"]:
                    self.assert_problem(name, "the export is not complete")
                self.server.kill()
                self.server = self.start_server()
            self.assert_exported(name, *flags)
            self.assert_exported(name + "2", *flags)
            self.assertEqual(self.files(name), self.files(name + "2"))
            self.assert_sums(name, self.reported)

    def test_usage_that_is_reported_late(self):
        """An export is complete only if its sums are the service's."""
        self.report(records_of_a_day())
        self.interrupt("out", 3, PART)
        self.report([make_record("late-but-ahead", DAY + 10**12)])
        self.report([make_record("late", DAY)])
        self.assert_one_line_error(
            self.export("out", PART),
            1,
            "record_count: expected %d, found %d" % (COUNT + 2, COUNT + 1),
            "export to another folder",
        )
        self.assert_problem("out", "the export is not complete")
        self.assertIn(b'"late-but-ahead"', self.lines("out")[-1])
        self.assert_exported("again", PART)
        self.assert_sums("again", self.reported)

    def test_corrected_records_are_exported_and_not_summed(self):
        reported = records_of_a_day(4)
        self.report(reported)
        flags = ["--server=" + self.server.address, "--project=demo"]
        self.assertEqual(program.run("void", *flags, "r000001").exit_code, 0)
        correction = records.record_object(
            make_record("c", DAY + 10**9, records.FRACTIONAL)
        )
        correction["corrects"] = "r000002"
        line = records.json_lines([correction])
        self.assertEqual(program.run("correct", *flags, stdin=line).exit_code, 0)
        counted = [reported[0], reported[3], make_record("c", DAY + 10**9, records.FRACTIONAL)]
        for name in ("csv", "jsonl"):
            self.assert_exported(name, "--format=" + name)
            self.assertEqual(self.manifest(name)["row_count"], 6)
            self.assert_sums(name, counted)
        marks = {row["record_id"]: row["counted"] for row in self.csv_rows("csv")}
        self.assertEqual(
            [marks[record_id] for record_id in ("r000000", "r000001", "r000002", "r000003", "c")],
            ["true", "false", "false", "true", "true"],
        )
        self.assertEqual(marks["r000001~void"], "false")

    def test_a_correction_of_an_exported_record_is_noticed(self):
        self.report(records_of_a_day())
        self.interrupt("out", 3, PART)
        flags = ["--server=" + self.server.address, "--project=demo"]
        self.assertEqual(program.run("void", *flags, "r000000").exit_code, 0)
        self.assert_one_line_error(self.export("out", PART), 1, "record_count: expected ")
        self.assert_exported("again", PART)

    def test_exporting_again_changes_nothing(self):
        self.report(records_of_a_day(10))
        self.assert_exported("out")
        before = self.files("out")
        self.assert_exported("out")
        self.assertEqual(self.files("out"), before)

    def test_one_changed_byte_is_found(self):
        rng = seeded_random()
        self.report(records_of_a_day(500))
        for flags in (("--format=csv",), ("--format=jsonl",), ("--totals", "--group-by=model")):
            self.assert_exported("out", PART, *flags)
            name = rng.choice(self.manifest("out")["parts"])["name"]
            path = os.path.join(self.path("out"), name)
            with open(path, "r+b") as file:
                content = bytearray(file.read())
                content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
                file.seek(0)
                file.write(content)
            self.assert_problem("out", name + ": sha256: expected ")
            os.rename(self.path("out"), self.path(flags[-1]))

    def test_an_empty_window(self):
        self.assert_exported("out", "--format=csv")
        self.assertEqual(self.manifest("out")["row_count"], 0)


class TotalsTest(ExportTest):
    FLAGS = (
        "--totals",
        "--bucket=day",
        "--group-by=labels.customer,model",
        "--time-zone=Asia/Tokyo",
    )

    def setUp(self):
        super().setUp()
        rng = seeded_random()
        customers = [{}] + [{"customer": "%sc%d" % (rng.choice("=a"), i)} for i in range(300)]
        self.report([
            make_record(
                "r%d" % i,
                DAY + rng.randrange(5 * 10**14),
                [rng.randrange(1000) / 4 for _ in range(5)],
                labels=rng.choice(customers),
                model=rng.choice("xyz"),
            )
            for i in range(5000)
        ])
        self.expected = oracle.expected_rows(
            self.reported, "day", "Asia/Tokyo", group_by=("labels.customer", "model")
        )

    def test_json_lines(self):
        self.assert_exported("out", *self.FLAGS, PART)
        self.assert_sums("out", self.reported)
        rows = [json.loads(line) for line in self.lines("out")]
        self.assertEqual(
            [
                (at(row["bucket_start_time"]), tuple(g.get("value") for g in row["group"]))
                for row in rows
            ],
            [(row.start, row.group) for row in self.expected],
        )
        self.assertEqual(
            [row["totals"]["total_tokens"]["exact"] for row in rows],
            [row.totals[0] for row in self.expected],
        )

    def test_csv_that_is_killed_and_continued(self):
        flags = (*self.FLAGS, "--format=csv", "--part-bytes=20000")
        self.interrupt("out", 1, *flags)
        self.kill_after_parts("out", 9, *flags)
        self.assert_exported("out", *flags)
        self.assert_sums("out", self.reported)
        found = []
        for row in self.csv_rows("out"):
            self.assertRegex(row["bucket_start_time"], r"^2024-05-0\dT00:00:00\+09:00$")
            customer = row["labels.customer"]
            customer = customer[1:] if customer.startswith("'") else customer or None
            found.append(((customer, row["model"]), row["total_tokens"]))
        self.assertEqual(found, [(row.group, row.totals[0]) for row in self.expected])

    def test_filters(self):
        self.assert_exported("out", "--totals", "--group-by=model", "--filter=model=x")
        self.assert_sums("out", [record for record in self.reported if record.model == "x"])


class BadInputTest(ExportTest):
    def test_unusable_folders(self):
        self.report(records_of_a_day(300))
        self.assert_exported("out", PART)
        before = self.files("out")
        for flags, words in (
            (["--format=csv"], 'format: "jsonl" -> "csv"'),
            (["--project=web"], 'project: "demo" -> "web"'),
            (["--end=2024-05-31"], "end_time.seconds"),
            (["--totals"], 'content: "records" -> "totals"'),
            (["--filter=model=x"], "filters"),
        ):
            with self.subTest(flags):
                outcome = self.export("out", *flags)
                self.assert_one_line_error(outcome, 1, "holds another export", words)
        self.assertEqual(self.files("out"), before)
        os.mkdir(self.path("other"))
        self.write("other/notes.txt", "")
        self.assert_one_line_error(self.export("other"), 1, "expected an export", "notes.txt")
        self.write("file", "")
        self.assert_one_line_error(self.export("file"), 1, self.path("file"), "Not a directory")
        self.assert_one_line_error(self.export("no/parent"), 1, "No such file or directory")
        self.assert_one_line_error(self.verify("nothing"), 1, "manifest.json", "No such file")

    def test_damage_is_not_continued(self):
        self.report(records_of_a_day(300))
        self.assert_exported("out", PART)
        os.truncate(os.path.join(self.path("out"), "part-000002.jsonl"), 100)
        self.assert_one_line_error(
            self.export("out", PART), 2, "part-000002.jsonl: bytes: expected ", "another folder"
        )
        os.remove(os.path.join(self.path("out"), "part-000002.jsonl"))
        self.assert_problem("out", "part-000002.jsonl: No such file")

    def test_what_fails_at_once_leaves_no_folder(self):
        address = self.server.address
        for flags, code, words in (
            (["--project=Demo"], 2, "project"),
            (["--totals", "--group-by=color"], 2, "color"),
            (["--start=2024-07-01"], 2, "end_time"),
            (["--server=127.0.0.1:1"], 69, "127.0.0.1:1"),
            (["--time-zone=Mars/Olympus"], 64, "--time-zone"),
            (["--filter=model"], 64, "--filter"),
            (["--bucket=day"], 64, "--totals"),
            (["--format=xml"], 64, "--format"),
            (["--part-bytes=0"], 64, "--part-bytes"),
        ):
            with self.subTest(flags):
                self.assert_one_line_error(self.export("out", *flags), code, words)
                self.assertFalse(os.path.exists(self.path("out")))
        outcome = program.run("export", "--server=" + address, self.path("out"))
        self.assert_one_line_error(outcome, 64, "--project")
        self.assert_one_line_error(program.run("export", "--verify"), 64, "FOLDER")

    def test_a_full_disk(self):
        """Limits the size of files instead, which makes writes fail too."""
        self.report(records_of_a_day(300))
        limit = ["bash", "-c", "trap '' XFSZ; ulimit -f 20; exec \"$@\"", "bash"]
        self.assert_one_line_error(
            self.export("out", wrapper=limit), 1, "part-000001.jsonl", "File too large"
        )
        self.assertEqual(list(self.files("out")), ["manifest.json"])
        self.assert_problem("out", "the export is not complete")
        self.assert_exported("out")
        self.assert_sums("out", self.reported)


if __name__ == "__main__":
    junit.main()
