// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/export/folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "openssl/sha.h"
#include "tokenusage/base/excerpt.h"
#include "tokenusage/base/file.h"
#include "tokenusage/base/status_macros.h"
#include "tokenusage/client/file_system.h"
#include "tokenusage/json/json.h"
#include "tokenusage/record/usage_totals.h"

namespace tokenusage {
namespace {

constexpr int kVersion = 1;
constexpr char kManifest[] = "manifest.json";
constexpr char kPartPrefix[] = "part-";
constexpr char kUnfinished[] = ".new";  // of ReplaceFile

std::string Sha256Of(std::string_view content) {
  std::uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const std::uint8_t*>(content.data()), content.size(),
         digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

// Returns the error with another code than UNAVAILABLE, which would say that
// the service did not answer.
absl::Status WriteError(const absl::Status& status) {
  return status.ok() ? status : absl::InternalError(status.message());
}

absl::StatusOr<internal::ExportManifest> ReadManifest(const std::string& path) {
  const std::string file = path + "/" + kManifest;
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::string json, ReadFile(file));
  internal::ExportManifest manifest;
  const absl::Status status = ParseJson(json, &manifest, {/*strict=*/true});
  if (!status.ok()) {
    return absl::DataLossError(absl::StrCat(file, ": ", status.message()));
  }
  if (manifest.version() != kVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        file, ": expected version ", kVersion, ", found ", manifest.version()));
  }
  return manifest;
}

std::string PartName(int number, const std::string& format) {
  return absl::StrFormat("%s%06d.%s", kPartPrefix, number, format);
}

// Returns the names of the files in a folder that an export did not write.
absl::StatusOr<std::vector<std::string>> OtherFiles(
    const std::string& path, const internal::ExportManifest& manifest) {
  TOKENUSAGE_ASSIGN_OR_RETURN(std::vector<std::string> names,
                              FileSystem::Real()->List(path));
  std::set<std::string> own = {".", "..", kManifest,
                               absl::StrCat(kManifest, kUnfinished)};
  for (const internal::ExportPart& part : manifest.parts()) {
    own.insert(part.name());
  }
  std::vector<std::string> others;
  for (std::string& name : names) {
    if (own.count(name) == 0) others.push_back(std::move(name));
  }
  std::sort(others.begin(), others.end());
  return others;
}

// Reads a part into `check`, and compares it with the manifest.
void CheckPart(const std::string& path, const ExportRows& rows,
               const internal::ExportPart& part, ExportCheck* check) {
  const auto expect = [&](const char* what, const auto& expected,
                          const auto& found) {
    if (expected == found) return;
    check->problems.push_back(absl::StrCat(
        part.name(), ": ", what, ": expected ", expected, ", found ", found));
  };
  const absl::StatusOr<std::string> content =
      ReadFile(path + "/" + part.name(), 2 * kMaxExportPartBytes);
  if (!content.ok()) {
    check->problems.emplace_back(content.status().message());
    return;
  }
  expect("bytes", part.byte_count(),
         static_cast<std::int64_t>(content->size()));
  expect("sha256", part.sha256(), Sha256Of(*content));
  std::int64_t row_count = 0;
  const absl::Status status = rows.Read(*content, [&](ExportRow row) {
    ++row_count;
    if (check->last && !(*check->last < row.position)) {
      check->problems.push_back(absl::StrCat(part.name(), ": row ", row_count,
                                             ": expected the order of time"));
    }
    check->last = std::move(row.position);
    check->sum.Add(row.sum);
  });
  if (!status.ok()) {
    check->problems.push_back(
        absl::StrCat(part.name(), ": ", status.message()));
  }
  expect("rows", part.row_count(), row_count);
  check->row_count += row_count;
}

// Reads the parts, and compares them with the manifest.
ExportCheck CheckParts(const std::string& path,
                       internal::ExportManifest manifest) {
  ExportCheck check;
  check.manifest = std::move(manifest);
  const ExportRows rows(check.manifest.request());
  for (int i = 0; i < check.manifest.parts_size(); ++i) {
    const internal::ExportPart& part = check.manifest.parts(i);
    const std::string name = PartName(i + 1, check.manifest.request().format());
    if (part.name() == name) {
      CheckPart(path, rows, part, &check);
    } else {  // the name may lead out of the folder
      check.problems.push_back(absl::StrCat(kManifest, ": parts: expected ",
                                            name, ", found ", part.name()));
    }
  }
  if (check.row_count != check.manifest.row_count()) {
    check.problems.push_back(absl::StrCat(kManifest, ": row_count: expected ",
                                          check.manifest.row_count(),
                                          ", found ", check.row_count));
  }
  const auto sums = FromUsageTotals(check.manifest.sums());
  if (!sums) {
    check.problems.push_back(
        absl::StrCat(kManifest, ": sums: expected exact decimals"));
    return check;
  }
  for (const std::string& difference : Differences(*sums, check.sum)) {
    check.problems.push_back(absl::StrCat(kManifest, ": sums: ", difference));
  }
  return check;
}

// Returns the first difference, such as `modified: project: "a" -> "b"`.
std::string FirstDifference(const internal::ExportRequest& found,
                            const internal::ExportRequest& expected) {
  std::string differences;
  ::google::protobuf::util::MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&differences);
  differencer.Compare(found, expected);
  return differences.substr(0, differences.find('\n'));
}

}  // namespace

// Holds the lock of a folder. A lock file would be in the way of those who
// receive the export.
struct ExportFolder::Lock {
  explicit Lock(const std::string& path)
      : descriptor(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}
  ~Lock() {
    if (descriptor >= 0) close(descriptor);
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  const int descriptor;
};

ExportFolder::ExportFolder(std::string path,
                           const internal::ExportRequest& request,
                           std::int64_t part_bytes)
    : path_(std::move(path)), rows_(request), part_bytes_(part_bytes) {
  manifest_.set_version(kVersion);
  *manifest_.mutable_request() = request;
}

ExportFolder::~ExportFolder() {
  if (is_new_) rmdir(path_.c_str());
}

absl::StatusOr<std::unique_ptr<ExportFolder>> ExportFolder::Open(
    const std::string& path, const internal::ExportRequest& request,
    std::int64_t part_bytes) {
  std::unique_ptr<ExportFolder> folder(
      new ExportFolder(path, request, part_bytes));
  folder->is_new_ = mkdir(path.c_str(), S_IRWXU) == 0;
  if (!folder->is_new_ && errno != EEXIST) {
    return FileError("folder " + path, errno);
  }
  folder->lock_ = std::make_unique<Lock>(path);
  if (folder->lock_->descriptor < 0) return FileError("folder " + path, errno);
  if (flock(folder->lock_->descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return FileError("folder " + path, errno);
    return absl::FailedPreconditionError(
        "folder " + path + ": another process is exporting to it");
  }
  if (folder->is_new_) {
    TOKENUSAGE_RETURN_IF_ERROR(FileSystem::Real()->SyncFolder(path + "/.."));
  }
  absl::StatusOr<internal::ExportManifest> manifest = ReadManifest(path);
  if (manifest.ok()) {
    TOKENUSAGE_RETURN_IF_ERROR(folder->Resume(*std::move(manifest)));
    return folder;
  }
  if (!absl::IsNotFound(manifest.status())) return manifest.status();
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<std::string> others,
                              OtherFiles(path, folder->manifest_));
  if (others.empty()) return folder;
  return absl::FailedPreconditionError(
      absl::StrCat("folder ", path, ": expected an export or no files, found ",
                   Excerpt(others.front())));
}

// Takes up an export that was interrupted, or is complete.
absl::Status ExportFolder::Resume(internal::ExportManifest manifest) {
  const std::string difference =
      FirstDifference(manifest.request(), manifest_.request());
  if (!difference.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("folder ", path_, " holds another export: ", difference));
  }
  ExportCheck check = CheckParts(path_, std::move(manifest));
  if (!check.problems.empty()) {
    return absl::DataLossError(absl::StrCat("folder ", path_, ": ",
                                            check.problems.front(),
                                            ": export to another folder"));
  }
  manifest_ = std::move(check.manifest);
  last_ = std::move(check.last);
  sum_ = std::move(check.sum);
  // A part that was written, but not listed when the process ended, is written
  // again.
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<std::string> others,
                              OtherFiles(path_, manifest_));
  for (const std::string& name : others) {
    if (!absl::StartsWith(name, kPartPrefix)) continue;
    TOKENUSAGE_RETURN_IF_ERROR(
        WriteError(FileSystem::Real()->Remove(path_ + "/" + name)));
  }
  return absl::OkStatus();
}

absl::Status ExportFolder::Add(const ExportRow& row) {
  if (last_ && !(*last_ < row.position)) return absl::OkStatus();
  if (static_cast<std::int64_t>(part_.size() + row.text.size()) > part_bytes_) {
    TOKENUSAGE_RETURN_IF_ERROR(WritePart());
  }
  if (part_.empty()) part_ = rows_.Heading();
  part_ += row.text;
  ++part_rows_;
  last_ = row.position;
  sum_.Add(row.sum);
  return absl::OkStatus();
}

absl::Status ExportFolder::WritePart() {
  if (part_rows_ == 0) return absl::OkStatus();
  // Without a manifest, a part would not be known to belong to an export.
  if (manifest_.parts().empty()) TOKENUSAGE_RETURN_IF_ERROR(WriteManifest());
  internal::ExportPart part;
  part.set_name(
      PartName(manifest_.parts_size() + 1, manifest_.request().format()));
  part.set_row_count(part_rows_);
  part.set_byte_count(static_cast<std::int64_t>(part_.size()));
  part.set_sha256(Sha256Of(part_));
  TOKENUSAGE_RETURN_IF_ERROR(
      WriteError(ReplaceFile(path_ + "/" + part.name(), part_)));
  manifest_.set_row_count(manifest_.row_count() + part_rows_);
  *manifest_.mutable_sums() = ToUsageTotals(sum_);
  *manifest_.add_parts() = std::move(part);
  part_.clear();
  part_rows_ = 0;
  return WriteManifest();
}

absl::Status ExportFolder::Complete() {
  *manifest_.mutable_sums() = ToUsageTotals(sum_);
  manifest_.set_complete(true);
  return WriteManifest();
}

absl::Status ExportFolder::WriteManifest() {
  std::string json;
  TOKENUSAGE_RETURN_IF_ERROR(AppendJsonLine(manifest_, &json));
  return WriteError(ReplaceFile(path_ + "/" + kManifest, json));
}

absl::StatusOr<ExportCheck> CheckExport(const std::string& path) {
  TOKENUSAGE_ASSIGN_OR_RETURN(internal::ExportManifest manifest,
                              ReadManifest(path));
  ExportCheck check = CheckParts(path, std::move(manifest));
  TOKENUSAGE_ASSIGN_OR_RETURN(const std::vector<std::string> others,
                              OtherFiles(path, check.manifest));
  for (const std::string& name : others) {
    check.problems.push_back(
        absl::StrCat(name, ": expected in ", kManifest, ", found only here"));
  }
  if (!check.manifest.complete()) {
    check.problems.push_back(absl::StrCat(
        kManifest, ": the export is not complete: repeat its command"));
  }
  return check;
}

std::vector<std::string> Differences(const UsageSum& expected,
                                     const UsageSum& found) {
  std::vector<std::string> differences;
  const auto compare = [&](const std::string& what, const auto& a,
                           const auto& b) {
    if (a == b) return;
    differences.push_back(absl::StrCat(what, ": expected ", a, ", found ", b));
  };
  compare("record_count", expected.record_count, found.record_count);
  compare("inconsistent_record_count", expected.inconsistent_record_count,
          found.inconsistent_record_count);
  compare("unknown_usage_record_count", expected.unknown_usage_record_count,
          found.unknown_usage_record_count);
  const auto text_of = [](const MeasureSum* sum) {
    if (sum == nullptr) return std::string("nothing");
    return absl::StrCat(sum->amount.ToDecimal(), " in ", sum->record_count,
                        " records");
  };
  for (int number = 1; number <= kMaxUsageMeasure; ++number) {
    const auto measure = static_cast<v1::UsageMeasure>(number);
    compare(NameOf(measure), text_of(expected.Find(measure)),
            text_of(found.Find(measure)));
  }
  return differences;
}

}  // namespace tokenusage
