// SPDX-License-Identifier: Apache-2.0

// Tests what is extracted from responses and streams of all dialects.

#include <glob.h>

#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/extract/extraction_cases.h"

namespace tokenusage {
namespace {

using ::tokenusage::testing::CheckCase;
using ::tokenusage::testing::ExtractionCase;
using ::tokenusage::testing::ExtractionCases;
using ::tokenusage::testing::ReadText;

std::vector<std::string> Files(const std::string& pattern) {
  glob_t found;
  EXPECT_EQ(glob(pattern.c_str(), 0, nullptr, &found), 0) << pattern;
  std::vector<std::string> files(found.gl_pathv,
                                 found.gl_pathv + found.gl_pathc);
  globfree(&found);
  return files;
}

void CheckFiles(const std::string& pattern) {
  for (const std::string& file : Files(pattern)) {
    SCOPED_TRACE(file);
    std::set<std::string> names;
    const auto cases = ReadText<ExtractionCases>(file);
    for (const ExtractionCase& c : cases.cases()) {
      EXPECT_TRUE(names.insert(c.dialect() + c.name()).second) << c.name();
      CheckCase(c);
    }
    EXPECT_FALSE(names.empty());
  }
}

TEST(CasesTest, FindsWhatResponsesState) {
  CheckFiles("tests/extract/testdata/responses/*.txtpb");
}

// The cases are bugs that other products had.
TEST(CasesTest, FindsWhatOthersGotWrong) {
  CheckFiles("tests/extract/testdata/faults/*.txtpb");
}

}  // namespace
}  // namespace tokenusage
