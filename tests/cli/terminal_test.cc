// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/terminal.h"

#include "gtest/gtest.h"

namespace tokenusage {
namespace {

TEST(TerminalTest, AlignsColumns) {
  EXPECT_EQ(FormatTable({{"day", "model", "records"},
                         {"2025-06-02", "gpt-image-1", "12"},
                         {"2025-06-03", "", "3"}},
                        2),
            "day         model        records\n"
            "2025-06-02  gpt-image-1       12\n"
            "2025-06-03                     3\n");
}

TEST(TerminalTest, AlignsDecimalsAtThePoint) {
  EXPECT_EQ(FormatTable({{"total"}, {"8105.75"}, {"100"}, {"0.5"}, {"-"}}, 0),
            "  total\n"
            "8105.75\n"
            " 100\n"
            "   0.5\n"
            "   -\n");
}

TEST(TerminalTest, CountsCharactersNotBytes) {
  EXPECT_EQ(FormatTable({{"a", "n"}, {"\xC3\xA4\xC3\xA4", "1"}}, 1),
            "a   n\n"
            "\xC3\xA4\xC3\xA4  1\n");
}

TEST(TerminalTest, LeavesNoBlanksAtTheEnd) {
  EXPECT_EQ(FormatTable({{"a", "long"}, {"b", "x"}}, 2), "a  long\nb  x\n");
}

}  // namespace
}  // namespace tokenusage
