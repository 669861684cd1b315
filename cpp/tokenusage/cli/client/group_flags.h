// SPDX-License-Identifier: Apache-2.0

// --bucket and --group-by, for commands that query totals.

#ifndef TOKENUSAGE_CLI_CLIENT_GROUP_FLAGS_H_
#define TOKENUSAGE_CLI_CLIENT_GROUP_FLAGS_H_

#include <string>

#include "CLI/CLI.hpp"
#include "google/protobuf/repeated_field.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

struct GroupFlags {
  std::string bucket = "none";
  std::string group_by;

  CLI::Option* bucket_option = nullptr;  // set by AddGroupFlags, as the next
  CLI::Option* group_by_option = nullptr;
};
void AddGroupFlags(CLI::App* command, GroupFlags* flags);

v1::TimeBucket BucketOf(const GroupFlags& flags);
void ParseGroupBy(const GroupFlags& flags,
                  ::google::protobuf::RepeatedPtrField<std::string>* group_by);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_CLIENT_GROUP_FLAGS_H_
