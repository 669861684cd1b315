// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/usage/orq.h"

#include "tokenusage/usage/stated.h"

namespace tokenusage {
namespace {

using usage_internal::Counter;
using usage_internal::Stated;

// The objects of all image endpoints have the same members. Orq does not say
// that the two details are all of the input, so they need not add up to it.
template <typename Usage>
UsageCounts CountImages(const Usage& usage,
                        std::vector<v1::UsageInconsistency>* why) {
  UsageCounts counts;
  Counter counter(&counts, why);
  const Stated input = counter.Set(v1::USAGE_MEASURE_INPUT_TOKENS,
                                   STATED("", usage, input_tokens));
  const Stated output = counter.Set(v1::USAGE_MEASURE_OUTPUT_TOKENS,
                                    STATED("", usage, output_tokens));
  const Stated total = counter.Set(v1::USAGE_MEASURE_TOTAL_TOKENS,
                                   STATED("", usage, total_tokens));
  counter.CheckSum(total, {input, output});

  const auto& in = usage.input_tokens_details();
  const Stated text =
      counter.Set(v1::USAGE_MEASURE_INPUT_TEXT_TOKENS,
                  STATED("input_tokens_details.", in, text_tokens));
  const Stated image =
      counter.Set(v1::USAGE_MEASURE_INPUT_IMAGE_TOKENS,
                  STATED("input_tokens_details.", in, image_tokens));
  counter.CheckParts({text, image}, input);
  return counts;
}

}  // namespace

UsageCounts CountUsage(const orq::v2::PostV2ProxyImagesEditsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  return CountImages(usage, why);
}

UsageCounts CountUsage(const orq::v2::PostV2ProxyImagesVariationsUsage& usage,
                       std::vector<v1::UsageInconsistency>* why) {
  return CountImages(usage, why);
}

}  // namespace tokenusage
