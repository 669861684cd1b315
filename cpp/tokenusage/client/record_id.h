// SPDX-License-Identifier: Apache-2.0

// Makes ids for records.
//
//   record.set_record_id(NewRecordId(absl::Now()));

#ifndef TOKENUSAGE_CLIENT_RECORD_ID_H_
#define TOKENUSAGE_CLIENT_RECORD_ID_H_

#include <string>

#include "absl/time/time.h"

namespace tokenusage {

// Returns a new UUIDv7 in its canonical form. Ids rise with `time`, to a
// quarter of a microsecond; 62 random bits keep them apart, even if the clock
// is set back, and in forked processes. Thread-safe.
//
// Source: RFC 9562, section 5.7, and method 3 of section 6.2.
std::string NewRecordId(absl::Time time);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLIENT_RECORD_ID_H_
