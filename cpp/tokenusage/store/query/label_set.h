// SPDX-License-Identifier: Apache-2.0

// Encodes a label set, the values of a database's rollup labels in one record,
// as one text.
//
//   const std::string labels = LabelSetOf({"customer", "team"}, record);
//   for (std::optional<std::string_view> value : LabelValues(labels)) { ... }

#ifndef TOKENUSAGE_STORE_QUERY_LABEL_SET_H_
#define TOKENUSAGE_STORE_QUERY_LABEL_SET_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenusage/store/rollup_options.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// Returns the values in the order of the keys: 0x01 for a label that the record
// does not have, otherwise 0x02 and the value. Values hold no control
// characters, so the text differs for each combination. Empty if there are no
// keys.
std::string LabelSetOf(const RollupLabels& keys, const v1::UsageRecord& record);

// Returns the values in a label set. The views live as long as `label_set`.
std::vector<std::optional<std::string_view>> LabelValues(
    std::string_view label_set);

// Returns the values as people read them, such as `"acme", none`.
std::string DescribeLabelSet(std::string_view label_set);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_QUERY_LABEL_SET_H_
