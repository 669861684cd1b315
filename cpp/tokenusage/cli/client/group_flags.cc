// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/cli/client/group_flags.h"

#include <map>

#include "absl/strings/str_split.h"

namespace tokenusage {
namespace {

const std::map<std::string, v1::TimeBucket>& BucketNames() {
  static const auto* const kNames = new std::map<std::string, v1::TimeBucket>{
      {"none", v1::TIME_BUCKET_NONE}, {"minute", v1::TIME_BUCKET_MINUTE},
      {"hour", v1::TIME_BUCKET_HOUR}, {"day", v1::TIME_BUCKET_DAY},
      {"week", v1::TIME_BUCKET_WEEK}, {"month", v1::TIME_BUCKET_MONTH}};
  return *kNames;
}

}  // namespace

void AddGroupFlags(CLI::App* command, GroupFlags* flags) {
  command->add_option("--bucket", flags->bucket, "The time buckets of the rows")
      ->check(CLI::IsMember(BucketNames()))
      ->type_name("BUCKET")
      ->capture_default_str();
  command->add_option("--group-by", flags->group_by,
                      "The fields to group by: at most 4, separated by commas");
}

GroupValues GroupOf(const v1::UsageRow& row) {
  GroupValues key;
  for (const v1::GroupValue& value : row.group()) {
    key.push_back(value.has_value() ? std::optional(value.value())
                                    : std::nullopt);
  }
  return key;
}

v1::TimeBucket BucketOf(const GroupFlags& flags) {
  return BucketNames().at(flags.bucket);
}

void ParseGroupBy(const GroupFlags& flags,
                  ::google::protobuf::RepeatedPtrField<std::string>* group_by) {
  if (flags.group_by.empty()) return;
  for (const auto field : absl::StrSplit(flags.group_by, ',')) {
    *group_by->Add() = std::string(field);
  }
}

}  // namespace tokenusage
