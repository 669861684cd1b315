# SPDX-License-Identifier: Apache-2.0
"""`tokenusage report --spool` and `tokenusage spool` against a real service."""

import json
import os

from harness import junit, program
from harness.records import WHOLE_JSON
from harness.testcase import EndToEndTest

# Nobody listens there.
_NO_SERVER = "127.0.0.1:1"


def lines(first, count):
    """Returns JSON Lines for `report`, with the ids call-FIRST and so on."""
    return "".join(
        json.dumps({
            "record_id": "call-%d" % number,
            "event_time": "2026-11-01T09:30:00Z",
            "operation": "images.edits",
            "orq_images_edits": json.loads(WHOLE_JSON),
        }) + "\n"
        for number in range(first, first + count)
    ).encode()


class SpoolTest(EndToEndTest):
    def setUp(self):
        super().setUp()
        self.spool = self.path("spool")

    def report(self, address, content):
        return program.run(
            "report", "--server=" + address, "--project=demo", "--spool=" + self.spool,
            stdin=content,
        )

    def run_spool(self, command, *flags):
        return program.run("spool", command, *flags, self.spool)

    def damage(self, name, content):
        with open(os.path.join(self.spool, name), "wb") as file:
            file.write(content)

    def test_sends_at_once_what_can_be_sent(self):
        server = self.start_server()
        outcome = self.report(server.address, lines(0, 2500))
        self.assertEqual(outcome.stderr, b"")
        self.assertEqual(
            outcome.stdout, b"stored 2500, duplicate 0, refused 0, waiting 0, bad lines 0\n"
        )
        self.assertEqual(outcome.exit_code, 0)
        self.assertEqual(self.run_spool("list").stdout, b"")

    def test_keeps_what_cannot_be_sent_until_it_is_drained(self):
        outcome = self.report(_NO_SERVER, lines(0, 3))
        self.assertEqual(outcome.exit_code, 0, outcome.stderr)
        self.assertIn(b"waiting 3", outcome.stdout)
        self.assertIn(b"3 records, which stay in the spool", outcome.stderr)

        listed = self.run_spool("list")
        self.assertEqual(
            [json.loads(line)["record_id"] for line in listed.stdout.splitlines()],
            ["call-0", "call-1", "call-2"],
        )
        checked = self.run_spool("check")
        self.assertEqual(checked.exit_code, 0, checked.stderr)
        self.assertIn(b"project demo, waiting 3,", checked.stdout)

        server = self.start_server()
        drained = self.run_spool("drain", "--server=" + server.address)
        self.assertEqual(drained.stdout, b"stored 3, duplicate 0, refused 0, waiting 0\n")
        self.assertEqual((drained.exit_code, drained.stderr), (0, b""))
        again = self.run_spool("drain", "--server=" + server.address)
        self.assertEqual(again.stdout, b"stored 0, duplicate 0, refused 0, waiting 0\n")

    def test_refused_records_can_be_reported_again(self):
        server = self.start_server()
        self.report(server.address, lines(0, 2))
        changed = lines(0, 2).replace(b"images.edits", b"images.retouch", 1)
        outcome = self.report(server.address, changed)
        self.assertEqual(outcome.exit_code, 2)
        self.assertIn(b"stored 0, duplicate 1, refused 1", outcome.stdout)
        self.assertIn(b"record call-0: ", outcome.stderr)
        with open(os.path.join(self.spool, "refused.jsonl"), encoding="utf-8") as file:
            refused = json.loads(file.read())
        self.assertEqual(refused["error"]["reason"], "RECORD_ERROR_REASON_RECORD_ID_CONFLICT")
        record = {**refused["record"], "record_id": "call-2"}
        outcome = self.report(server.address, json.dumps(record).encode())
        self.assertIn(b"stored 1", outcome.stdout)

    def test_bad_lines_are_not_kept(self):
        server = self.start_server()
        outcome = self.report(server.address, b"{}\n" + lines(0, 1))
        self.assertEqual(outcome.exit_code, 2)
        self.assertIn(b"stored 1, duplicate 0, refused 0, waiting 0, bad lines 1", outcome.stdout)
        self.assertIn(b"standard input:1: ", outcome.stderr)

    def test_check_tells_damage(self):
        self.report(_NO_SERVER, lines(0, 3))
        name = "00000000000000000001.demo.spool"
        with open(os.path.join(self.spool, name), "rb") as file:
            content = file.read()
        self.damage(name, content.replace(b"call-1", b"call-x") + b"tail")
        checked = self.run_spool("check")
        self.assertEqual(checked.exit_code, 2)
        self.assertIn(b"waiting 2,", checked.stdout)
        self.assertIn(b"lost records 1, torn tails 1, damaged files 0", checked.stdout)

    def test_drains_into_its_own_project_when_its_file_is_damaged(self):
        self.report(_NO_SERVER, lines(0, 3))
        self.damage("spool", b"tokenusage")
        server = self.start_server()
        other = program.run(
            "report", "--server=" + server.address, "--project=other", "--spool=" + self.spool,
            stdin=lines(3, 1),
        )
        self.assertEqual(other.exit_code, 1)
        self.assertIn(b'expected project "other", found "demo"', other.stderr)
        checked = self.run_spool("check")
        self.assertIn(b"project demo, waiting 3,", checked.stdout)
        drained = self.run_spool("drain", "--server=" + server.address)
        self.assertEqual(drained.stdout, b"stored 3, duplicate 0, refused 0, waiting 0\n")

    def test_refuses_folders_that_it_cannot_use(self):
        nothing = program.run("spool", "list", self.path("absent"))
        self.assertEqual(nothing.exit_code, 1)
        self.assertIn(b"No such file or directory", nothing.stderr)
        os.mkdir(self.path("empty"))
        empty = program.run("spool", "drain", self.path("empty"))
        self.assertEqual(empty.exit_code, 1)
        self.assertIn(b"has no spool", empty.stderr)
        self.report(_NO_SERVER, lines(0, 1))
        other = program.run(
            "report", "--project=other", "--spool=" + self.spool, stdin=lines(1, 1)
        )
        self.assertEqual(other.exit_code, 1)
        self.assertIn(b'expected project "other", found "demo"', other.stderr)


if __name__ == "__main__":
    junit.main()
