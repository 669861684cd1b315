// SPDX-License-Identifier: Apache-2.0

// The three counts that nearly every usage states: all input, all output, and
// both together. Only for the files of this folder.

#ifndef TOKENUSAGE_USAGE_WHOLES_H_
#define TOKENUSAGE_USAGE_WHOLES_H_

#include "tokenusage/usage/stated.h"

namespace tokenusage::usage_internal {

// All input and all output, of which other counts are parts.
struct Wholes {
  Stated input;
  Stated output;
};

// Counts the wholes. The total is the sum of the other two if the provider
// states none; if it does, it must be.
inline Wholes CountWholes(Counter* counter, const Stated& input,
                          const Stated& output, const Stated& total) {
  counter->Set(v1::USAGE_MEASURE_INPUT_TOKENS, input);
  counter->Set(v1::USAGE_MEASURE_OUTPUT_TOKENS, output);
  if (!total.is_set && !total.out_of_range && input.is_set && output.is_set) {
    counter->Set(v1::USAGE_MEASURE_TOTAL_TOKENS,
                 Counter::Sum("total_tokens", {input, output}));
  } else {
    counter->Set(v1::USAGE_MEASURE_TOTAL_TOKENS, total);
    counter->CheckSum(total, {input, output});
  }
  return {input, output};
}

// Counts the wholes of a usage that calls them input_tokens, output_tokens and
// total_tokens.
template <typename Usage>
Wholes CountInputOutput(Counter* counter, const Usage& usage) {
  return CountWholes(counter, STATED("", usage, input_tokens),
                     STATED("", usage, output_tokens),
                     STATED("", usage, total_tokens));
}

// Counts the wholes of a usage that calls them prompt_tokens, completion_tokens
// and total_tokens.
template <typename Usage>
Wholes CountPromptCompletion(Counter* counter, const Usage& usage) {
  return CountWholes(counter, STATED("", usage, prompt_tokens),
                     STATED("", usage, completion_tokens),
                     STATED("", usage, total_tokens));
}

// Counts a usage of embeddings: prompt_tokens, which total_tokens must equal.
template <typename Usage>
Stated CountEmbeddings(Counter* counter, const Usage& usage) {
  const Stated input = counter->Set(v1::USAGE_MEASURE_INPUT_TOKENS,
                                    STATED("", usage, prompt_tokens));
  const Stated total = counter->Set(v1::USAGE_MEASURE_TOTAL_TOKENS,
                                    STATED("", usage, total_tokens));
  counter->CheckSum(total, {input});
  return input;
}

}  // namespace tokenusage::usage_internal

#endif  // TOKENUSAGE_USAGE_WHOLES_H_
