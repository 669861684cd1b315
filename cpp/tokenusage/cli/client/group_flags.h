// SPDX-License-Identifier: Apache-2.0

// --bucket and --group-by, for commands that query totals, and their groups.

#ifndef TOKENUSAGE_CLI_CLIENT_GROUP_FLAGS_H_
#define TOKENUSAGE_CLI_CLIENT_GROUP_FLAGS_H_

#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "google/protobuf/repeated_field.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

struct GroupFlags {
  std::string bucket = "none";
  std::string group_by;
};
void AddGroupFlags(CLI::App* command, GroupFlags* flags);

// A row's group: for each field its value, or nullopt if the records have none.
using GroupValues = std::vector<std::optional<std::string>>;
GroupValues GroupOf(const v1::UsageRow& row);

v1::TimeBucket BucketOf(const GroupFlags& flags);
void ParseGroupBy(const GroupFlags& flags,
                  ::google::protobuf::RepeatedPtrField<std::string>* group_by);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_CLIENT_GROUP_FLAGS_H_
