// SPDX-License-Identifier: Apache-2.0

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/base/file.h"
#include "tokenusage/cli/export/folder.h"

namespace tokenusage {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

class ExportFolderTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "/exportXXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    path_ = name + "/folder";
    request_.set_project("demo");
    request_.set_content(kExportRecords);
    request_.set_format(GetParam());
    request_.set_time_zone("UTC");
  }
  void TearDown() override { fs::remove_all(fs::path(path_).parent_path()); }

  // Opens the folder. A part takes two rows below its heading.
  absl::StatusOr<std::unique_ptr<ExportFolder>> Open() const {
    const std::size_t row = RowOf(10).text.size();
    return ExportFolder::Open(
        path_, request_,
        static_cast<std::int64_t>(2 * row +
                                  ExportRows(request_).Heading().size()));
  }

  ExportRow RowOf(int number) const {
    v1::UsageRecord record;
    record.set_record_id(absl::StrCat("r", number));
    record.mutable_event_time()->set_seconds(1790812800 + number);
    record.mutable_token_usage()->set_input_tokens(0.1);
    return *ExportRows(request_).Write(record);
  }

  // Adds rows until there are `count`, and ends as a kill would: rows that are
  // in no part yet are lost.
  void AddUntil(int count) const {
    ASSERT_OK_AND_ASSIGN(const auto folder, Open());
    for (int number = 10; number < 10 + count; ++number) {
      ASSERT_THAT(folder->Add(RowOf(number)), IsOk());
    }
  }

  void Export(int count) const {
    ASSERT_OK_AND_ASSIGN(const auto folder, Open());
    for (int number = 10; number < 10 + count; ++number) {
      ASSERT_THAT(folder->Add(RowOf(number)), IsOk());
    }
    ASSERT_THAT(folder->WritePart(), IsOk());
    ASSERT_THAT(folder->Complete(), IsOk());
  }

  std::vector<std::string> Problems() const {
    const auto check = CheckExport(path_);
    EXPECT_THAT(check, IsOk());
    return check.ok() ? check->problems : std::vector<std::string>();
  }

  std::string PathOf(const std::string& name) const {
    return path_ + "/" + name;
  }
  std::string PartOf(int number) const {
    return PathOf(absl::StrCat("part-00000", number, ".", GetParam()));
  }

  // Replaces the last digit of a file with another.
  static void Damage(const std::string& path) {
    std::string content = *ReadFile(path);
    char& digit = content[content.find_last_of("0123456789")];
    digit = digit == '7' ? '8' : '7';
    std::ofstream(path, std::ios::binary) << content;
  }

  std::string path_;
  internal::ExportRequest request_;
};

INSTANTIATE_TEST_SUITE_P(Formats, ExportFolderTest,
                         ::testing::Values(kExportCsv, kExportJsonLines),
                         [](const auto& info) { return info.param; });

TEST_P(ExportFolderTest, ContinuesWhatWasInterrupted) {
  Export(7);
  const std::string manifest = *ReadFile(PathOf("manifest.json"));
  const std::string last_part = *ReadFile(PartOf(4));
  fs::remove_all(path_);
  for (const int count : {0, 1, 2, 3, 5, 6, 7}) {
    AddUntil(count);
    if (count > 2) {
      EXPECT_THAT(Problems(), ElementsAre(HasSubstr("is not complete")));
    }
  }
  Export(7);
  EXPECT_THAT(Problems(), IsEmpty());
  EXPECT_EQ(*ReadFile(PathOf("manifest.json")), manifest);
  EXPECT_EQ(*ReadFile(PartOf(4)), last_part);
  EXPECT_THAT(manifest, AllOf(HasSubstr(R"("complete":true,"row_count":7)"),
                              HasSubstr(R"("exact":"0.7","record_count":7)")));
}

TEST_P(ExportFolderTest, WritesAPartAgainThatTheManifestLacks) {
  AddUntil(3);
  std::ofstream(PartOf(2)) << "of a killed process";
  std::ofstream(PartOf(3) + ".new") << "of a killed process";
  std::ofstream(PathOf("manifest.json.new")) << "of a killed process";
  Export(3);
  EXPECT_THAT(Problems(), IsEmpty());
  EXPECT_FALSE(fs::exists(PartOf(3) + ".new"));
}

TEST_P(ExportFolderTest, ARowLargerThanAPartHasItsOwn) {
  ASSERT_OK_AND_ASSIGN(const auto folder,
                       ExportFolder::Open(path_, request_, 1));
  for (const int number : {1, 2}) {
    ASSERT_THAT(folder->Add(RowOf(number)), IsOk());
  }
  ASSERT_THAT(folder->WritePart(), IsOk());
  EXPECT_EQ(folder->manifest().parts_size(), 2);
  EXPECT_EQ(folder->manifest().parts(0).row_count(), 1);
}

TEST_P(ExportFolderTest, TakesNoRowTwiceOrOutOfOrder) {
  ASSERT_OK_AND_ASSIGN(const auto folder, Open());
  for (const int number : {12, 12, 11, 13}) {
    ASSERT_THAT(folder->Add(RowOf(number)), IsOk());
  }
  EXPECT_EQ(folder->sum().record_count, 2);
}

TEST_P(ExportFolderTest, AnEmptyExportIsComplete) {
  Export(0);
  EXPECT_THAT(Problems(), IsEmpty());
  Export(0);
}

TEST_P(ExportFolderTest, FindsEachKindOfDamage) {
  const auto problems_after = [this](const auto& damage) {
    fs::remove_all(path_);
    Export(5);
    damage();
    return Problems();
  };
  EXPECT_THAT(problems_after([&] { Damage(PartOf(2)); }),
              Contains(HasSubstr("sha256: expected ")));
  EXPECT_THAT(problems_after([&] { fs::resize_file(PartOf(2), 20); }),
              AllOf(Contains(HasSubstr("bytes: expected ")),
                    Contains(HasSubstr("rows: expected 2, found ")),
                    Contains(HasSubstr("sums: record_count: expected 5"))));
  EXPECT_THAT(problems_after([&] { fs::remove(PartOf(2)); }),
              Contains(HasSubstr("No such file")));
  EXPECT_THAT(problems_after([&] {
                fs::remove(PartOf(2));
                fs::create_directory(PartOf(2));
              }),
              Contains(HasSubstr("Is a directory")));
  EXPECT_THAT(problems_after([&] { fs::copy_file(PartOf(1), PartOf(4)); }),
              ElementsAre(HasSubstr("found only here")));
  EXPECT_THAT(problems_after([&] {
                fs::copy_file(PartOf(1), PartOf(2),
                              fs::copy_options::overwrite_existing);
              }),
              Contains(HasSubstr("row 1: expected the order of time")));
  EXPECT_THAT(problems_after([&] { Damage(PathOf("manifest.json")); }),
              Contains(HasSubstr("sha256: expected ")));
}

TEST_P(ExportFolderTest, ComparesTheSumsToTheLastDigit) {
  Export(5);
  std::string manifest = *ReadFile(PathOf("manifest.json"));
  manifest.replace(manifest.find(R"("exact":"0.5")"), 13,
                   R"("exact":"0.500000000001")");
  std::ofstream(PathOf("manifest.json")) << manifest;
  EXPECT_THAT(Problems(),
              Contains("manifest.json: sums: input_tokens: expected "
                       "0.500000000001 in 5 records, found 0.5 in 5 records"));
}

TEST_P(ExportFolderTest, ReadsOnlyItsOwnFiles) {
  Export(1);
  std::string manifest = *ReadFile(PathOf("manifest.json"));
  manifest.replace(manifest.find("part-000001"), 11, "../../secret");
  std::ofstream(PathOf("manifest.json")) << manifest;
  EXPECT_THAT(Problems(), Contains(HasSubstr("expected part-000001")));
}

TEST_P(ExportFolderTest, NeedsAManifestThatItKnows) {
  EXPECT_THAT(CheckExport(path_), StatusIs(absl::StatusCode::kNotFound));
  Export(1);
  std::ofstream(PathOf("manifest.json")) << "{\"version\":2}";
  EXPECT_THAT(CheckExport(path_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("expected version 1")));
  std::ofstream(PathOf("manifest.json")) << "{\"version\":";
  EXPECT_THAT(CheckExport(path_), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_P(ExportFolderTest, RefusesOtherFolders) {
  const auto is_refused = [](const char* words) {
    return StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(words));
  };
  AddUntil(3);
  request_.set_project("web");
  EXPECT_THAT(Open(), is_refused("holds another export: modified: project: "
                                 "\"demo\" -> \"web\""));
  request_.set_project("demo");
  Damage(PartOf(1));
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kDataLoss,
                               HasSubstr("export to another folder")));
  fs::remove(PathOf("manifest.json"));
  EXPECT_THAT(Open(),
              is_refused("expected an export or no files, found part-"));
  fs::remove_all(path_);
  std::ofstream(path_) << "a file";
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kNotFound,
                               HasSubstr("Not a directory")));
}

TEST_P(ExportFolderTest, IsForOneProcess) {
  ASSERT_OK_AND_ASSIGN(const auto folder, Open());
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("another process")));
}

TEST_P(ExportFolderTest, LeavesNoFolderBehindIfNothingWasWritten) {
  AddUntil(1);
  EXPECT_FALSE(fs::exists(path_));
  fs::create_directory(path_);
  AddUntil(1);
  EXPECT_TRUE(fs::exists(path_));
}

TEST_P(ExportFolderTest, AFolderThatCannotBeWrittenIsNoDamage) {
  AddUntil(3);
  ASSERT_OK_AND_ASSIGN(const auto folder, Open());
  ASSERT_THAT(folder->Add(RowOf(12)), IsOk());
  // A read-only folder would not stop root.
  fs::create_directories(PartOf(2) + ".new");
  EXPECT_THAT(folder->WritePart(), StatusIs(absl::StatusCode::kInternal,
                                            HasSubstr("Is a directory")));
  fs::remove(PartOf(2) + ".new");
  EXPECT_THAT(Problems(), ElementsAre(HasSubstr("is not complete")));
}

}  // namespace
}  // namespace tokenusage
