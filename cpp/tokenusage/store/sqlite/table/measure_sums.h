// SPDX-License-Identifier: Apache-2.0

// Encodes a rollup's sums for SQLite: for each measure that occurs, by rising
// number,
//
//   measure       1 byte, a value of tokenusage.v1.UsageMeasure
//   record_count  base 128, the least significant group first; all bytes but
//                 the last have their highest bit set
//   length        1 byte, 0 to 16
//   amount        `length` bytes, the least significant first: pico-units
//
// Equal sums have equal bytes: no number has zeros at its significant end.

#ifndef TOKENUSAGE_STORE_SQLITE_TABLE_MEASURE_SUMS_H_
#define TOKENUSAGE_STORE_SQLITE_TABLE_MEASURE_SUMS_H_

#include <string>
#include <string_view>

#include "tokenusage/record/usage_sum.h"

namespace tokenusage {

// Replaces `bytes` by the encoded sums of the measures.
void EncodeMeasureSums(const UsageSum& sum, std::string* bytes);

// Adds encoded sums to the measures of `sum`. Returns whether `bytes` could
// come from EncodeMeasureSums, with measures that this program knows; if not,
// some of the sums may have been added.
bool AddMeasureSums(std::string_view bytes, UsageSum* sum);

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_SQLITE_TABLE_MEASURE_SUMS_H_
