# SPDX-License-Identifier: Apache-2.0
"""`tokenusage convert`: good input survives byte for byte, errors name their place."""

import json
import os
import stat
import struct

from harness import junit, program, records
from harness.testcase import EndToEndTest, seeded_random
from tokenusage.orq.v2 import images_pb2

EDITS = "--message=PostV2ProxyImagesEditsUsage"
VARIATIONS = "--message=PostV2ProxyImagesVariationsUsage"
GOOD = records.WHOLE_JSON


def convert(document, *flags, message=EDITS, timeout=60):
    document = document if isinstance(document, bytes) else document.encode()
    return program.run("convert", message, *flags, stdin=document, timeout=timeout)


class GoodInputTest(EndToEndTest):
    def test_examples_survive_json_to_json_byte_for_byte(self):
        for message in (EDITS, VARIATIONS):
            for example in (records.FRACTIONAL_JSON, records.WHOLE_JSON):
                self.assert_output(convert(example, message=message), example + "\n")

    def test_examples_survive_binary_byte_for_byte(self):
        for example in (records.FRACTIONAL_JSON, records.WHOLE_JSON):
            binary = convert(example, "--to=binary")
            self.assertEqual((binary.exit_code, binary.stderr), (0, b""))
            usage = images_pb2.PostV2ProxyImagesEditsUsage.FromString(binary.stdout)
            self.assertEqual(binary.stdout, usage.SerializeToString(deterministic=True))
            self.assert_output(convert(binary.stdout, "--from=binary"), example + "\n")

    def test_examples_survive_text_byte_for_byte(self):
        text = (
            "total_tokens: 100 input_tokens: 50 output_tokens: 50 "
            "input_tokens_details { text_tokens: 10 image_tokens: 40 }\n"
        )
        self.assert_output(convert(records.WHOLE_JSON, "--to=text"), text)
        for example in (records.FRACTIONAL_JSON, records.WHOLE_JSON):
            text = convert(example, "--to=text")
            self.assertEqual((text.exit_code, text.stderr), (0, b""))
            self.assert_output(convert(text.stdout, "--from=text"), example + "\n")

    def test_reads_a_file_and_the_full_message_name(self):
        file = self.write("usage.json", GOOD + "\n")
        name = "--message=tokenusage.orq.v2.PostV2ProxyImagesEditsUsage"
        self.assert_output(program.run("convert", name, file), GOOD + "\n")

    def test_normalises_order_names_space_and_numbers(self):
        document = """ {
            "inputTokensDetails": {"image_tokens": 4.0e1, "text\\u0054okens": "10"},
            "output_tokens": 50.0, "ignored": [{"a": 1, "a": null}, "\\u00e9"],
            "totalTokens": 0.1e3, "input_tokens": 500e-1 }\r\n"""
        self.assert_output(convert(document), GOOD + "\n")

    def test_numbers_survive_bit_for_bit(self):
        """Random doubles, written by Python, come back as the same doubles."""
        rng = seeded_random()
        for _ in range(40):
            counts = []
            while len(counts) < 5:
                (count,) = struct.unpack("<d", rng.getrandbits(64).to_bytes(8, "little"))
                if count - count == 0:  # finite
                    counts.append(count)
            usage = images_pb2.PostV2ProxyImagesEditsUsage()
            usage.total_tokens, usage.input_tokens, usage.output_tokens = counts[:3]
            usage.input_tokens_details.text_tokens = counts[3]
            usage.input_tokens_details.image_tokens = counts[4]
            binary = usage.SerializeToString(deterministic=True)
            line = convert(binary, "--from=binary")
            self.assertEqual((line.exit_code, line.stderr), (0, b""), counts)
            read = json.loads(line.stdout)
            details = read.pop("input_tokens_details")
            found = [float(v) for v in (*read.values(), *details.values())]
            self.assertEqual(list(map(repr, found)), list(map(repr, counts)))
            self.assert_output(convert(line.stdout, "--to=binary"), binary)

    def test_numbers_are_printed_as_ecmascript_does(self):
        for written, printed in (
            ("-0", "-0"),
            ("0.0", "0"),
            ("1e21", "1e+21"),
            ("123456789012345680000", "123456789012345680000"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1e-7"),
            ("9007199254740993", "9007199254740992"),
            ("5e-324", "5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ):
            with self.subTest(written):
                self.assert_output(
                    convert(GOOD.replace("100", written)),
                    GOOD.replace("100", printed) + "\n",
                )


class BadInputTest(EndToEndTest):
    """Asserts exit code 2, nothing on stdout, and one line on stderr that names the place."""

    def assert_refused(self, document, *words, flags=()):
        with self.subTest(document):
            self.assert_one_line_error(
                convert(document, *flags), 2, "standard input: ", *words
            )

    def test_missing_field(self):
        self.assert_refused(
            GOOD.replace('"output_tokens":50,', ""),
            "output_tokens: ",
            "(line 1, column 98)",
        )
        self.assert_refused(
            GOOD.replace('"text_tokens":10,', ""),
            "input_tokens_details.text_tokens: ",
            "(line 1, column 99)",
        )
        self.assert_refused("{}", "total_tokens: ", "(line 1, column 2)")

    def test_null(self):
        self.assert_refused(
            GOOD.replace('"input_tokens":50', '\n"input_tokens":null'),
            "input_tokens: expected a number, found null (line 2, column 16)",
        )
        self.assert_refused("null", "found null", "(line 1, column 1)")

    def test_wrong_type(self):
        for value, found in (
            ('"abc"', 'string "abc"'),
            ("true", "true"),
            ("[10]", "an array"),
            ("{}", "an object"),
        ):
            self.assert_refused(
                GOOD.replace('"text_tokens":10', '\n "text_tokens": %s' % value),
                "input_tokens_details.text_tokens: expected a number, found " + found,
                "(line 2, column 17)",
            )
        self.assert_refused(
            GOOD[: GOOD.index("{", 1)] + "7}",
            "input_tokens_details: expected an object, found number 7",
        )
        self.assert_refused("[%s]" % GOOD, "expected an object, found an array")

    def test_not_a_number(self):
        for value, column in (
            ("NaN", 17),
            ("Infinity", 17),
            ("-Infinity", 18),
            ("+1", 17),
            (".5", 17),
            ("5.,", 19),
            ("1e", 19),
        ):
            self.assert_refused(
                GOOD.replace("100", value),
                "total_tokens: expected a",
                "(line 1, column %d)" % column,
            )
        for value in ("01", "0x10"):
            self.assert_refused(GOOD.replace("100", value), "(line 1, column 18)")
        for value in ('"NaN"', '"Infinity"', '""', '" 1"', '"0x1"', '"1e"'):
            self.assert_refused(
                GOOD.replace("100", value),
                "total_tokens: expected a number, found string %s" % value,
                "(line 1, column 17)",
            )

    def test_number_beyond_double(self):
        self.assert_refused(GOOD.replace("100", "1e309"), "total_tokens: ", "1e309")
        self.assert_refused(GOOD.replace("100", '"-1e309"'), "total_tokens: ", "-1e309")

    def test_duplicate_name(self):
        for name in ("total_tokens", "totalTokens", "total\\u005ftokens"):
            self.assert_refused(
                '{"total_tokens":1,\n"%s":1}' % name,
                "total_tokens: ",
                "again",
                "(line 2, column 1)",
            )
        self.assert_refused('{"new":1,"new":1}', 'again "new"', "(line 1, column 10)")

    def test_truncated(self):
        """Every proper prefix is refused at a place in the document."""
        for length in range(len(GOOD)):
            self.assert_refused(GOOD[:length], "expected ", "(line 1, column ")

    def test_broken_syntax(self):
        after = len(GOOD) + 1
        for document, column in (
            ("\ufeff" + GOOD, 1),
            (GOOD[:-1] + ",}", after),
            (GOOD + "}", after),
            (GOOD + GOOD, after),
            ("/* c */" + GOOD, 1),
            (GOOD.replace('"', "'"), 2),
            (GOOD.replace('"total_tokens"', "total_tokens"), 2),
            (GOOD[:-1] + ',"x":"\n"}', after + 5),
            (GOOD[:-1] + ',"x":"\\ud800"}', after + 5),
            (GOOD.encode()[:-1] + b',"x":"\xff"}', after + 5),
            ("", 1),
        ):
            self.assert_refused(document, "(line 1, column %d)" % column)

    def test_nesting_too_deep(self):
        for depth in (101, 100_000):
            self.assert_refused('{"x":' + "[" * depth, "100 levels", "(line 1, column ")

    def test_error_repeats_little_and_nothing_raw(self):
        """Hostile text cannot flood or control the terminal."""
        outcome = convert(GOOD.replace("100", '"\\u001b[31m%s"' % ("x" * 500)))
        self.assert_one_line_error(outcome, 2, "total_tokens: ", "\\u001b[31mxxx")
        self.assertNotIn(b"x" * 41, outcome.stderr)

    def test_unknown_member_in_strict_mode(self):
        document = GOOD[:-1] + ',\n "cached_tokens":1}'
        self.assert_output(convert(document), GOOD + "\n")
        self.assert_refused(
            document, "cached_tokens", "(line 2, column 2)", flags=["--strict"]
        )
        self.assert_output(convert(GOOD, "--strict"), GOOD + "\n")

    def test_binary(self):
        good = convert(GOOD, "--to=binary").stdout
        self.assert_refused(good[:-1], "PostV2ProxyImagesEditsUsage", flags=["--from=binary"])
        self.assert_refused(b"", "total_tokens: ", flags=["--from=binary"])
        nan = struct.pack("<d", float("nan"))
        self.assert_refused(
            good.replace(struct.pack("<d", 100), nan),
            "total_tokens: ",
            "NaN",
            flags=["--from=binary"],
        )

    def test_text(self):
        self.assert_refused(
            "total_tokens: 1\nno_such: 2",
            "no_such",
            "(line 2, column ",
            flags=["--from=text"],
        )
        self.assert_refused("total_tokens: 1", "input_tokens: ", flags=["--from=text"])

    def test_unknown_message_name(self):
        outcome = convert(GOOD, message="--message=NoSuchUsage")
        self.assert_one_line_error(outcome, 2, "--message", "NoSuchUsage", "tokenusage dialects")

    def test_unreadable_file(self):
        missing = self.path("missing.json")
        self.assert_one_line_error(
            program.run("convert", EDITS, missing), 2, missing, "No such file"
        )
        self.assert_one_line_error(
            program.run("convert", EDITS, self.folder), 2, self.folder, "directory"
        )

    def test_file_without_permission(self):
        file = self.write("secret.json", GOOD)
        os.chmod(file, stat.S_IWUSR)
        if os.access(file, os.R_OK):
            self.skipTest("this user may read every file")
        self.assert_one_line_error(
            program.run("convert", EDITS, file), 2, file, "Permission denied"
        )

    def test_bad_file_is_named(self):
        file = self.write("bad.json", "{")
        self.assert_one_line_error(
            program.run("convert", EDITS, file), 2, file + ": ", "(line 1, column 2)"
        )


class UsageErrorTest(EndToEndTest):
    def test_wrong_command_lines(self):
        """Exit code 64, and one line."""
        for args in (
            (),
            ("no-such-command",),
            ("convert",),
            ("convert", EDITS, "--to=xml"),
            ("convert", EDITS, "--no-such-flag"),
            ("convert", EDITS, "a.json", "b.json"),
        ):
            with self.subTest(args):
                self.assert_one_line_error(program.run(*args), 64)

    def test_help_is_data(self):
        for args in (("--help",), ("convert", "--help")):
            outcome = program.run(*args)
            self.assertEqual((outcome.exit_code, outcome.stderr), (0, b""))
            self.assertIn(b"Examples:", outcome.stdout)

    def test_full_standard_output_is_a_failure(self):
        """A disk that is full is not a success."""
        shell = ["sh", "-c", 'exec "$0" "$@" > /dev/full']
        outcome = program.run("convert", EDITS, stdin=GOOD.encode(), wrapper=shell)
        self.assert_one_line_error(outcome, 1, "standard output")


if __name__ == "__main__":
    junit.main()
