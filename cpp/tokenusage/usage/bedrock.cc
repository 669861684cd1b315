// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/bedrock.h"

#include "tokenusage/usage/token_parts.h"

namespace tokenusage::usage_internal {
namespace {

constexpr char kDetail[] = "cache_details.input_tokens";

// Sets the cache writes by lifetime, which must add up to all cache writes.
void CountLifetimes(const bedrock::v1::ConverseUsage& usage,
                    const Stated& cache_write, Counter* counter) {
  if (usage.cache_details().empty()) return;
  Stated all, five_minutes, one_hour;
  all.field = kDetail;
  for (const auto& detail : usage.cache_details()) {
    const Stated tokens =
        MakeStated(detail.has_input_tokens(), detail.input_tokens(), kDetail);
    all += tokens;
    if (detail.ttl() == "5m") five_minutes += tokens;
    if (detail.ttl() == "1h") one_hour += tokens;
  }
  counter->Set(v1::USAGE_MEASURE_CACHE_WRITE_5M_TOKENS, five_minutes);
  counter->Set(v1::USAGE_MEASURE_CACHE_WRITE_1H_TOKENS, one_hour);
  counter->CheckSum(cache_write, {all});
}

}  // namespace

// Adds cache reads and writes to the input, which leaves them out. The total
// was seen with and without them.
void Count(const bedrock::v1::ConverseUsage& usage, Counter* counter) {
  const Stated uncached = STATED("", usage, input_tokens);
  TokenParts parts;
  parts.total = STATED("", usage, total_tokens);
  parts.output = STATED("", usage, output_tokens);
  parts.cache_read =
      counter->OneOf(STATED("", usage, cache_read_input_tokens),
                     STATED("", usage, cache_read_input_token_count));
  parts.cache_write =
      counter->OneOf(STATED("", usage, cache_write_input_tokens),
                     STATED("", usage, cache_write_input_token_count));
  parts.input = Counter::Sum("all input tokens",
                             {uncached, parts.cache_read, parts.cache_write});
  if (!IsSum(parts.total, {uncached, parts.output})) {
    counter->CheckSum(parts.total, {parts.input, parts.output});
  }
  SetTokens(parts, counter);
  CheckTokens(parts, counter);
  CountLifetimes(usage, parts.cache_write, counter);
}

// Adds cache reads and writes to the input, which leaves them out. No total is
// stated.
void Count(const bedrock::v1::InvokeModelUsage& usage, Counter* counter) {
  TokenParts parts;
  parts.output = STATED("", usage, output_token_count);
  parts.cache_read = STATED("", usage, cache_read_input_token_count);
  parts.cache_write = STATED("", usage, cache_write_input_token_count);
  const Stated uncached = STATED("", usage, input_token_count);
  if (uncached.is_set) {  // else the sum would lack a part
    parts.input = Counter::Sum("all input tokens",
                               {uncached, parts.cache_read, parts.cache_write});
  }
  CountTokens(parts, counter);
}

}  // namespace tokenusage::usage_internal
