// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/client/spool/spool.h"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/support/memory_file_system.h"
#include "tests/support/seed.h"
#include "tests/support/status_matchers.h"
#include "tokenusage/client/spool/checked_text.h"

namespace tokenusage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::MemoryFileSystem;
using testing::StatusIs;

constexpr char kFirstSegment[] = "spool/00000000000000000001.demo.spool";

class SpoolTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Spool>> Open(std::string project = "demo") {
    SpoolOptions options;
    options.folder = "spool";
    options.project = std::move(project);
    options.files = &files_;
    options.segment_bytes = segment_bytes_;
    return Spool::Open(std::move(options));
  }

  static absl::Status Append(Spool* spool, std::string_view record) {
    EncodedRecord encoded(record);
    spool->Prepare(&encoded);
    return spool->Append(&encoded);
  }

  static std::vector<std::string> ReadAll(Spool* spool) {
    std::vector<std::string> records;
    while (true) {
      const auto batch = spool->Read(BatchLimits());
      EXPECT_THAT(batch, IsOk());
      if (!batch.ok() || batch->count == 0) return records;
      for (const std::string_view record : RecordsOf(*batch)) {
        records.emplace_back(record);
      }
    }
  }

  MemoryFileSystem files_;
  std::int64_t segment_bytes_ = 8 << 20;
};

TEST_F(SpoolTest, KeepsRecordsUntilTheyAreDiscarded) {
  {
    ASSERT_OK_AND_ASSIGN(const auto spool, Open());
    ASSERT_THAT(Append(spool.get(), "a"), IsOk());
    ASSERT_THAT(Append(spool.get(), ""), IsOk());
    ASSERT_THAT(Append(spool.get(), "c"), IsOk());
    EXPECT_EQ(spool->last_appended(), 3u);
  }
  {
    ASSERT_OK_AND_ASSIGN(const auto spool, Open());
    BatchLimits limits;
    limits.max_records = 2;
    ASSERT_OK_AND_ASSIGN(const Batch batch, spool->Read(limits));
    EXPECT_THAT(RecordsOf(batch), ElementsAre("a", ""));
    EXPECT_EQ(batch.last, 2u);
    ASSERT_THAT(spool->Discard(batch.last), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const auto spool, Open());
  ASSERT_THAT(Append(spool.get(), "d"), IsOk());
  EXPECT_THAT(ReadAll(spool.get()), ElementsAre("c", "d"));
  EXPECT_EQ(spool->damage().lost_records, 0);
}

TEST_F(SpoolTest, DeletesSegmentsWhoseRecordsAreDiscarded) {
  segment_bytes_ = 100;
  ASSERT_OK_AND_ASSIGN(const auto spool, Open());
  for (int i = 0; i < 100; ++i) {
    ASSERT_THAT(Append(spool.get(), std::string(50, 'x')), IsOk());
    ASSERT_OK_AND_ASSIGN(const Batch batch, spool->Read(BatchLimits()));
    ASSERT_EQ(batch.count, 1);
    ASSERT_THAT(spool->Discard(batch.last), IsOk());
    ASSERT_LE(spool->bytes(), 300);
  }
  EXPECT_LE(files_.Paths().size(), 5u);  // lock, spool, cursor, two segments
}

TEST_F(SpoolTest, HasOneOwner) {
  ASSERT_OK_AND_ASSIGN(const auto spool, Open());
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("locked by another owner")));
}

TEST_F(SpoolTest, IsOfOneProject) {
  ASSERT_THAT(Open(), IsOk());
  EXPECT_THAT(
      Open("other"),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               HasSubstr("expected project \"other\", found \"demo\"")));
}

TEST_F(SpoolTest, KeepsItsProjectWhenItsFileIsDamaged) {
  {
    ASSERT_OK_AND_ASSIGN(const auto spool, Open());
    ASSERT_THAT(Append(spool.get(), "first"), IsOk());
  }
  files_.SetContent("spool/spool", "tokenusage");
  ASSERT_OK_AND_ASSIGN(const auto summary,
                       InspectSpool("spool", &files_, [](std::string_view) {}));
  EXPECT_EQ(summary.project, "demo");
  EXPECT_EQ(summary.records, 1);
  EXPECT_EQ(summary.damage.lost_files, 1);
  EXPECT_THAT(
      Open("other"),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               HasSubstr("expected project \"other\", found \"demo\"")));
  ASSERT_OK_AND_ASSIGN(const auto spool, Open());
  EXPECT_THAT(ReadAll(spool.get()), ElementsAre("first"));
}

TEST_F(SpoolTest, RefusesTheSegmentOfAnotherProject) {
  ASSERT_THAT(Open(), IsOk());
  files_.SetContent("spool/00000000000000000001.other.spool", "");
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("found \"demo\" and \"other\"")));
}

TEST_F(SpoolTest, SyncedRecordsOfANewFolderSurviveAPowerFailure) {
  for (int round = 0; round < 20; ++round) {
    files_.RemoveAll();
    {
      ASSERT_OK_AND_ASSIGN(const auto spool, Open());
      ASSERT_THAT(Append(spool.get(), "first"), IsOk());
      ASSERT_THAT(spool->Sync(), IsOk());
      files_.LosePower();
    }
    ASSERT_OK_AND_ASSIGN(const auto spool, Open());
    ASSERT_THAT(ReadAll(spool.get()), ElementsAre("first")) << round;
  }
}

TEST_F(SpoolTest, RefusesANewerVersion) {
  ASSERT_THAT(Open(), IsOk());
  files_.SetContent("spool/spool",
                    AddChecksum("tokenusage spool 2\nanything\n"));
  EXPECT_THAT(Open(), StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("which a newer tokenusage wrote")));
}

TEST_F(SpoolTest, CutsATornTail) {
  {
    ASSERT_OK_AND_ASSIGN(const auto spool, Open());
    ASSERT_THAT(Append(spool.get(), "first"), IsOk());
    ASSERT_THAT(Append(spool.get(), "second"), IsOk());
  }
  std::string content = files_.Content(kFirstSegment);
  content.pop_back();
  files_.SetContent(kFirstSegment, content);
  ASSERT_OK_AND_ASSIGN(const auto spool, Open());
  EXPECT_EQ(spool->damage().torn_tails, 1);
  EXPECT_EQ(spool->damage().lost_records, 0);
  ASSERT_THAT(Append(spool.get(), "third"), IsOk());
  EXPECT_THAT(ReadAll(spool.get()), ElementsAre("first", "third"));
}

TEST_F(SpoolTest, SkipsADamagedMiddleAndCountsIt) {
  {
    ASSERT_OK_AND_ASSIGN(const auto spool, Open());
    for (const char* record : {"first", "second", "third", "fourth"}) {
      ASSERT_THAT(Append(spool.get(), record), IsOk());
    }
  }
  std::string content = files_.Content(kFirstSegment);
  content[content.find("second")] ^= 1;
  content[content.find("third")] ^= 1;
  files_.SetContent(kFirstSegment, content);
  ASSERT_OK_AND_ASSIGN(const auto summary,
                       InspectSpool("spool", &files_, [](std::string_view) {}));
  EXPECT_EQ(summary.damage.lost_records, 2);
  ASSERT_OK_AND_ASSIGN(const auto spool, Open());
  EXPECT_THAT(ReadAll(spool.get()), ElementsAre("first", "fourth"));
  EXPECT_EQ(spool->damage().lost_records, 2);
  EXPECT_EQ(spool->damage().torn_tails, 0);
}

TEST_F(SpoolTest, CountsTheRecordsOfAFileThatIsGone) {
  segment_bytes_ = 1;  // one record in each segment
  {
    ASSERT_OK_AND_ASSIGN(const auto spool, Open());
    for (const char* record : {"a", "b", "c", "d"}) {
      ASSERT_THAT(Append(spool.get(), record), IsOk());
    }
  }
  ASSERT_THAT(files_.Remove("spool/00000000000000000002.demo.spool"), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto spool, Open());
  EXPECT_THAT(ReadAll(spool.get()), ElementsAre("a", "c", "d"));
  EXPECT_EQ(spool->damage().lost_records, 1);
}

TEST_F(SpoolTest, TextInARecordIsNotTakenForAFrame) {
  EncodedRecord inner("not a record");
  BeginFrame(&inner);
  FinishFrame(2, &inner);
  const std::string& frame = inner.bytes;
  {
    ASSERT_OK_AND_ASSIGN(const auto spool, Open());
    ASSERT_THAT(Append(spool.get(), frame), IsOk());
    ASSERT_THAT(Append(spool.get(), "second"), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const auto spool, Open());
  EXPECT_THAT(ReadAll(spool.get()), ElementsAre(frame, "second"));
}

TEST_F(SpoolTest, WritesAgainInThePlaceOfAFailedWrite) {
  {
    ASSERT_OK_AND_ASSIGN(const auto spool, Open());
    ASSERT_THAT(Append(spool.get(), "first"), IsOk());
    files_.SetFailures(1);
    EXPECT_THAT(Append(spool.get(), std::string(1000, 'x')),
                StatusIs(absl::StatusCode::kUnavailable));
    files_.SetFailures(0);
    ASSERT_THAT(Append(spool.get(), "second"), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const auto spool, Open());
  EXPECT_EQ(spool->damage().torn_tails, 0);
  EXPECT_THAT(ReadAll(spool.get()), ElementsAre("first", "second"));
}

TEST_F(SpoolTest, DoesNotUseTheSequenceOfALostRecordAgain) {
  {
    ASSERT_OK_AND_ASSIGN(const auto spool, Open());
    ASSERT_THAT(Append(spool.get(), "first"), IsOk());
    ASSERT_THAT(Append(spool.get(), "second"), IsOk());
    ASSERT_OK_AND_ASSIGN(const Batch batch, spool->Read(BatchLimits()));
    ASSERT_THAT(spool->Discard(batch.last), IsOk());
  }
  files_.SetContent(kFirstSegment, "");  // as after a power failure
  {
    ASSERT_OK_AND_ASSIGN(const auto spool, Open());
    ASSERT_THAT(Append(spool.get(), "third"), IsOk());
    EXPECT_EQ(spool->last_appended(), 3u);
  }
  ASSERT_OK_AND_ASSIGN(const auto spool, Open());
  EXPECT_THAT(ReadAll(spool.get()), ElementsAre("third"));
  EXPECT_EQ(spool->damage().lost_records, 0);
}

TEST_F(SpoolTest, InspectNeedsASpool) {
  ASSERT_THAT(files_.CreateFolder("empty"), IsOk());
  EXPECT_THAT(InspectSpool("empty", &files_, [](std::string_view) {}),
              StatusIs(absl::StatusCode::kNotFound));
}

// Damages the files of a spool at random.
class RandomDamage {
 public:
  RandomDamage(MemoryFileSystem* files, std::mt19937_64* random)
      : files_(files), random_(*random) {}

  void DamageOne() {
    const std::vector<std::string> paths = files_->Paths();
    const std::string& path = paths[Below(paths.size())];
    if (path == "spool/lock") return;
    std::string content = files_->Content(path);
    if (content.empty()) return;
    const std::size_t start = Below(content.size());
    const std::size_t length =
        1 + Below(std::min<std::size_t>(1000, content.size() - start));
    switch (Below(5)) {
      case 0:
        content[start] ^= static_cast<char>(1 << Below(8));
        break;
      case 1:
        content.replace(start, length, length, '\0');
        break;
      case 2:
        for (std::size_t i = 0; i < length; ++i) {
          content[start + i] = static_cast<char>(Below(256));
        }
        break;
      case 3:
        content.resize(start);
        break;
      default:
        content.append(std::string(length, 'x'));
    }
    files_->SetContent(path, content);
  }

 private:
  std::size_t Below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }

  MemoryFileSystem* const files_;
  std::mt19937_64& random_;
};

// Returns the sequences of the records that are in `files` as they were in
// `before`, which maps paths to contents. Records are shorter than 256 bytes:
// the first byte of a frame's length is all of it.
std::vector<std::uint64_t> IntactRecords(
    const MemoryFileSystem& files,
    const std::map<std::string, std::string>& before) {
  std::vector<std::uint64_t> intact;
  for (const auto& [path, content] : before) {
    const auto name = ParseSegmentName(path.substr(path.find('/') + 1));
    if (!name.has_value()) continue;
    const std::string after = files.Content(path);
    std::uint64_t sequence = name->first;
    for (std::size_t start = 0; start < content.size(); ++sequence) {
      const std::size_t length =
          kFrameHeaderBytes + static_cast<unsigned char>(content[start + 4]);
      if (content.compare(start, length, after,
                          start < after.size() ? start : 0, length) == 0 &&
          start + length <= after.size()) {
        intact.push_back(sequence);
      }
      start += length;
    }
  }
  return intact;
}

TEST_F(SpoolTest, ReadsAllThatIsIntactOfAThousandDamagedSpools) {
  segment_bytes_ = 2000;
  std::mt19937_64 random(testing::TestSeed());
  constexpr std::uint64_t kRecords = 200, kDiscarded = 30;
  for (int variant = 0; variant < 1000; ++variant) {
    files_.RemoveAll();
    {
      ASSERT_OK_AND_ASSIGN(const auto spool, Open());
      for (std::uint64_t i = 1; i <= kRecords; ++i) {
        ASSERT_THAT(Append(spool.get(), std::to_string(i) + "." +
                                            std::string(random() % 100, 'y')),
                    IsOk());
      }
      BatchLimits limits;
      limits.max_records = kDiscarded;
      ASSERT_OK_AND_ASSIGN(const Batch batch, spool->Read(limits));
      ASSERT_THAT(spool->Discard(batch.last), IsOk());
    }
    std::map<std::string, std::string> before;
    for (const auto& path : files_.Paths()) before[path] = files_.Content(path);
    RandomDamage damage(&files_, &random);
    for (std::size_t i = 1 + random() % 5; i > 0; --i) damage.DamageOne();

    std::vector<std::uint64_t> expected = IntactRecords(files_, before);
    const bool has_cursor =
        files_.Content("spool/cursor") == before["spool/cursor"];
    if (has_cursor) {
      expected.erase(
          expected.begin(),
          std::upper_bound(expected.begin(), expected.end(), kDiscarded));
    }
    ASSERT_OK_AND_ASSIGN(const auto spool, Open());
    std::vector<std::uint64_t> found;
    for (const std::string& record : ReadAll(spool.get())) {
      found.push_back(std::stoull(record));
    }
    ASSERT_EQ(found, expected) << "variant " << variant;
    // Lost records are counted, except those of the torn tail.
    const auto counted =
        static_cast<std::uint64_t>(spool->damage().lost_records) + found.size();
    const std::uint64_t all = kRecords - (has_cursor ? kDiscarded : 0);
    ASSERT_LE(counted, all) << "variant " << variant;
    if (spool->damage().torn_tails == 0 && has_cursor && !found.empty() &&
        found.back() == kRecords) {
      ASSERT_EQ(counted, all) << "variant " << variant;
    }
    ASSERT_THAT(Append(spool.get(), "new"), IsOk());
    ASSERT_THAT(ReadAll(spool.get()), ElementsAre("new"));
  }
}

}  // namespace
}  // namespace tokenusage
