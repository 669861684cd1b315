// SPDX-License-Identifier: Apache-2.0

// Reads the decimals that amounts are written as.
//
//   std::optional<Amount> amount = AmountFromDecimal("8205.75");

#ifndef TOKENUSAGE_USAGE_AMOUNT_FROM_DECIMAL_H_
#define TOKENUSAGE_USAGE_AMOUNT_FROM_DECIMAL_H_

#include <optional>
#include <string_view>

#include "tokenusage/usage/amount.h"

namespace tokenusage {

// Returns the amount, not negative, for which Amount::ToDecimal returns
// `decimal`, with or without zeros at the ends; nothing for other texts.
// Thread-safe.
std::optional<Amount> AmountFromDecimal(std::string_view decimal);

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_AMOUNT_FROM_DECIMAL_H_
