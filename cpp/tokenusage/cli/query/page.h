// SPDX-License-Identifier: Apache-2.0

// The page that `tokenusage query --html` writes.

#ifndef TOKENUSAGE_CLI_QUERY_PAGE_H_
#define TOKENUSAGE_CLI_QUERY_PAGE_H_

#include <string>

#include "absl/status/statusor.h"
#include "tokenusage/cli/query/answer.h"
#include "tokenusage/v1/usage_reporting_service.pb.h"

namespace tokenusage {

// Returns the page with the request and the rows of its answer.
absl::StatusOr<std::string> FormatQueryPage(
    const v1::QueryUsageRequest& request, const QueryAnswer& answer);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_QUERY_PAGE_H_
