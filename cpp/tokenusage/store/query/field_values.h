// SPDX-License-Identifier: Apache-2.0

// Returns the values by which records are grouped and filtered.

#ifndef TOKENUSAGE_STORE_QUERY_FIELD_VALUES_H_
#define TOKENUSAGE_STORE_QUERY_FIELD_VALUES_H_

#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "tokenusage/store/rollup_options.h"
#include "tokenusage/store/usage_query.h"
#include "tokenusage/v1/usage_record.pb.h"

namespace tokenusage {

// The names and labels that many records share. A series is a distinct
// (operation, provider, model) of a project; with rollups by label, the values
// of these labels are part of it.
struct SeriesNames {
  std::string operation;
  std::string provider;
  std::string model;
  // The values of the rollup labels (label_set.h); empty if rollups are not by
  // label.
  std::string labels = {};

  friend bool operator==(const SeriesNames& a, const SeriesNames& b) {
    return a.AsTuple() == b.AsTuple();
  }
  friend bool operator<(const SeriesNames& a, const SeriesNames& b) {
    return a.AsTuple() < b.AsTuple();
  }
  template <typename H>
  friend H AbslHashValue(H state, const SeriesNames& names) {
    return H::combine(std::move(state), names.operation, names.provider,
                      names.model, names.labels);
  }

 private:
  std::tuple<const std::string&, const std::string&, const std::string&,
             const std::string&>
  AsTuple() const {
    return std::tie(operation, provider, model, labels);
  }
};

// Returns the names without labels.
SeriesNames SeriesNamesOf(const v1::UsageRecord& record);

// Returns a text that is unique for each combination of operation, provider and
// model, since names hold no control characters.
std::string SeriesKey(const v1::UsageRecord& record);
std::string SeriesKey(const SeriesNames& names);

// Returns the encoded key of the group in which a project's record or series is
// counted. `labels` are the keys of names.labels; a series has no others.
std::string EncodedGroupOf(const std::vector<UsageField>& group_by,
                           std::string_view project,
                           const v1::UsageRecord& record);
std::string EncodedGroupOf(const std::vector<UsageField>& group_by,
                           std::string_view project, const SeriesNames& names,
                           const RollupLabels& labels = {});

// Returns whether a record passes all the filters, a series those on operation,
// provider and model, or a label set those on labels.
bool PassesAll(const std::vector<UsageFieldFilter>& filters,
               const v1::UsageRecord& record);
bool PassesAll(const std::vector<UsageFieldFilter>& filters,
               const SeriesNames& names);
bool LabelsPassAll(const std::vector<UsageFieldFilter>& filters,
                   std::string_view label_set, const RollupLabels& labels);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_QUERY_FIELD_VALUES_H_
