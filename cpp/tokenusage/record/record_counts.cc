// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/record/record_counts.h"

#include "tokenusage/usage/openai.h"
#include "tokenusage/usage/orq.h"
#include "tokenusage/usage/token_usage.h"

namespace tokenusage {

UsageCounts CountRecord(const v1::UsageRecord& record,
                        std::vector<v1::UsageInconsistency>* why) {
  switch (record.usage_case()) {
    case v1::UsageRecord::kTokenUsage:
      return CountUsage(record.token_usage(), why);
    case v1::UsageRecord::kUsageUnknown: {
      UsageCounts counts;
      counts.set_unknown();
      return counts;
    }
    case v1::UsageRecord::USAGE_NOT_SET:
      return UsageCounts();

    case v1::UsageRecord::kOrqImagesEdits:
      return CountUsage(record.orq_images_edits(), why);
    case v1::UsageRecord::kOrqImagesVariations:
      return CountUsage(record.orq_images_variations(), why);

    case v1::UsageRecord::kOpenaiChat:
      return CountUsage(record.openai_chat(), why);
  }
  return UsageCounts();
}

void SetInconsistencies(v1::UsageRecord* record) {
  std::vector<v1::UsageInconsistency> why;
  CountRecord(*record, &why);
  record->mutable_inconsistencies()->Assign(why.begin(), why.end());
}

}  // namespace tokenusage
