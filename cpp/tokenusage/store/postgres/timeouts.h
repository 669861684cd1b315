// SPDX-License-Identifier: Apache-2.0

// How long PostgreSQL may take for each kind of work before the connection is
// given up.

#ifndef TOKENUSAGE_STORE_POSTGRES_TIMEOUTS_H_
#define TOKENUSAGE_STORE_POSTGRES_TIMEOUTS_H_

#include "absl/time/time.h"

namespace tokenusage {

struct PostgresTimeouts {
  // Setting up a session, cancelling a statement, rolling back: no work in the
  // server, so a slow answer means that the connection is dead.
  static constexpr absl::Duration kSession = absl::Seconds(5);

  // Probing whether the database can be written: a slow database is not
  // healthy.
  static constexpr absl::Duration kProbe = absl::Seconds(10);

  // One step of an append, or a read of a few rows by their key: longer than
  // the lock_timeout of 15 s.
  static constexpr absl::Duration kStep = absl::Seconds(30);

  // One step of maintenance or copying, which may delete or write many rows.
  static constexpr absl::Duration kMaintenanceStep = absl::Minutes(10);
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_STORE_POSTGRES_TIMEOUTS_H_
