# SPDX-License-Identifier: Apache-2.0
"""Compares the totals of a mixed history of all dialects with oracle.py's: on SQLite, and
in memory."""

import os
import subprocess
import types

from harness import junit
from harness.testcase import EndToEndTest, seeded_random
from history import History


class HistoryTest(EndToEndTest):
    def check_totals(self, server):
        history = History(seeded_random())
        history.report(server)
        history.check(self, server)

    def test_totals_of_all_dialects(self):
        self.check_totals(self.start_server())

    def test_totals_of_all_dialects_in_memory(self):
        with subprocess.Popen(
            os.environ["TOKENUSAGE_MEMORY_SERVER"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as server:
            self.check_totals(types.SimpleNamespace(address=server.stdout.readline().strip()))
            server.stdin.close()
            self.assertEqual(server.wait(30), 0)


if __name__ == "__main__":
    junit.main()
