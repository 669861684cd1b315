// SPDX-License-Identifier: Apache-2.0

// Merges the usages of a stream's events. Only for the files of this folder.

#ifndef TOKENUSAGE_EXTRACT_MERGE_H_
#define TOKENUSAGE_EXTRACT_MERGE_H_

#include "google/protobuf/message.h"
#include "tokenusage/extract/layout.h"

namespace tokenusage::extract_internal {

// Merges `later` into `usage`, which has the same type and is empty before the
// first merge. Leaves `later` in an unspecified state.
void MergeUsage(Merge merge, ::google::protobuf::Message* later,
                ::google::protobuf::Message* usage);

}  // namespace tokenusage::extract_internal

#endif  // TOKENUSAGE_EXTRACT_MERGE_H_
