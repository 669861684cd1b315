# SPDX-License-Identifier: Apache-2.0
"""Tests the intended differences between protobuf's own JSON and ours (docs/json.md).

Compares `tokenusage convert` with Python's json_format.
"""

import math
import unittest

from google.protobuf import json_format

from harness import junit, program
from tokenusage.orq.v2 import images_pb2
from tokenusage.v1 import usage_record_pb2, usage_reporting_service_pb2

GOOD = (
    '{"total_tokens":8105.75,"input_tokens":7451.29,"output_tokens":1442.01,'
    '"input_tokens_details":{"text_tokens":5727.82,"image_tokens":1501.66}}'
)


def ours(document):
    """Returns the exit code and the output of `convert`."""
    outcome = program.run(
        "convert", "--message=PostV2ProxyImagesEditsUsage", stdin=document.encode()
    )
    return outcome.exit_code, outcome.stdout.decode().strip() or outcome.stderr.decode()


def stock(document):
    """Returns the message that Python reads."""
    return json_format.Parse(document, images_pb2.PostV2ProxyImagesEditsUsage())


class DifferencesTest(unittest.TestCase):
    def refuse(self, document, words):
        code, said = ours(document)
        self.assertEqual(code, 2, said)
        self.assertIn(words, said)

    def test_both_read_the_same_document(self):
        self.assertEqual(ours(GOOD), (0, GOOD))
        self.assertEqual(json_format.MessageToDict(stock(GOOD))["total_tokens"], 8105.75)

    def test_required_members(self):
        for count in ("", '"total_tokens":null,'):
            document = GOOD.replace('"total_tokens":8105.75,', count)
            self.refuse(document, "total_tokens")
            self.assertEqual(stock(document).total_tokens, 0)

    def test_unknown_members(self):
        document = GOOD.replace("{", '{"new":1,', 1)
        self.assertEqual(ours(document), (0, GOOD))
        with self.assertRaises(json_format.ParseError):
            stock(document)

    def test_not_a_number(self):
        document = GOOD.replace("8105.75", '"NaN"')
        self.refuse(document, "expected a number")
        self.assertTrue(math.isnan(stock(document).total_tokens))

    def test_negative_zero(self):
        document = GOOD.replace("8105.75", "-0")
        self.assertEqual(ours(document), (0, document))
        self.assertEqual(math.copysign(1, stock(document).total_tokens), 1)
        self.assertEqual(math.copysign(1, stock(document.replace("-0", "-0.0")).total_tokens), -1)

    def test_whole_numbers(self):
        document = GOOD.replace("8105.75", "100")
        self.assertEqual(ours(document), (0, document))
        written = json_format.MessageToJson(stock(document), indent=None)
        self.assertIn('"total_tokens": 100.0', written)
        self.assertEqual(ours(written), (0, document))

    def test_zeros_without_presence_are_left_out(self):
        message = usage_reporting_service_pb2.ReportUsageResponse()
        self.assertEqual(json_format.MessageToJson(message, indent=None), "{}")

    def test_integers_of_64_bits_are_strings(self):
        message = usage_reporting_service_pb2.UsageTotals(record_count=1)
        text = json_format.MessageToJson(message, indent=None)
        self.assertEqual(text, '{"record_count": "1"}')
        number = json_format.Parse('{"record_count":1}', type(message)())
        self.assertEqual(number, message)

    def test_names_are_the_same(self):
        record = usage_record_pb2.UsageRecord(record_id="a")
        self.assertEqual(json_format.MessageToJson(record, indent=None), '{"record_id": "a"}')


if __name__ == "__main__":
    junit.main()
