// SPDX-License-Identifier: Apache-2.0

// Token amounts as decimal text, which is how PostgreSQL takes and gives its
// NUMERIC: a sum of NUMERIC is exact, and text carries every digit.

#ifndef TOKENUSAGE_STORE_POSTGRES_AMOUNT_TEXT_H_
#define TOKENUSAGE_STORE_POSTGRES_AMOUNT_TEXT_H_

#include <optional>
#include <string_view>

#include "tokenusage/record/token_amount.h"

namespace tokenusage {

// The inverse of TokenAmount::ToDecimal. Zeros may follow the last decimal, as
// in "8205.750000000". Empty where `decimal` is anything else, is negative, has
// more than nine decimals that are not zeros, or is beyond TokenAmount's range.
std::optional<TokenAmount> AmountFromDecimal(std::string_view decimal);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_AMOUNT_TEXT_H_
