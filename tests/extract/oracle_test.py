# SPDX-License-Identifier: Apache-2.0
"""Compares the program's counts of all golden usages with those of oracle.py."""

import json
from decimal import Decimal

import goldens
import oracle
from harness import junit, program
from harness.testcase import EndToEndTest


class OracleTest(EndToEndTest):
    def test_counts_of_all_golden_usages(self):
        checked = 0
        for member, message in goldens.members().items():
            # One document a line: a refused one would be missing.
            cases = goldens.goldens(member)
            lines = "".join(case.json + "\n" for case in cases)
            done = program.run("count", "--message=" + message, stdin=lines.encode())
            self.assertEqual((done.exit_code, done.stderr), (0, b""), member)
            answers = done.stdout.decode().splitlines()
            self.assertEqual(len(answers), len(cases), member)
            for case, answer in zip(cases, answers):
                with self.subTest(member=member, case=case.name):
                    counts = json.loads(answer)["counts"]
                    counts = {measure: Decimal(amount) for measure, amount in counts.items()}
                    self.assertEqual(counts, oracle.count(member, case.json), case.json)
                    checked += 1
        self.assertGreater(checked, 100)


if __name__ == "__main__":
    junit.main()
