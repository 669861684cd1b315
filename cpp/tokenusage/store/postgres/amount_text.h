// SPDX-License-Identifier: Apache-2.0

// Token amounts as decimal text, the representation of NUMERIC that is used
// with PostgreSQL: sums of NUMERIC are exact, and text carries every digit.

#ifndef TOKENUSAGE_STORE_POSTGRES_AMOUNT_TEXT_H_
#define TOKENUSAGE_STORE_POSTGRES_AMOUNT_TEXT_H_

#include <optional>
#include <string_view>

#include "tokenusage/record/token_amount.h"

namespace tokenusage {

// Parses the output of TokenAmount::ToDecimal. Zeros may follow the last
// decimal, such as in "8205.750000000". Returns nullopt for any other text,
// negative numbers, more than nine decimals, and numbers beyond TokenAmount's
// range.
std::optional<TokenAmount> AmountFromDecimal(std::string_view decimal);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_AMOUNT_TEXT_H_
