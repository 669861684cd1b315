# SPDX-License-Identifier: Apache-2.0
"""Compares the totals of a mixed history of all dialects on SQLite with oracle.py's."""

from harness import junit
from harness.testcase import EndToEndTest, seeded_random
from history import History


class HistoryTest(EndToEndTest):
    def test_totals_of_all_dialects(self):
        history = History(seeded_random())
        server = self.start_server()
        history.report(server)
        history.check(self, server)


if __name__ == "__main__":
    junit.main()
