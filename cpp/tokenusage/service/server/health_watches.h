// SPDX-License-Identifier: Apache-2.0

// Tracks the calls that watch the server's health. They never end by
// themselves, and would delay the shutdown.
//
//   auto watches = std::make_shared<HealthWatches>();
//   interceptors.push_back(watches->NewFactory());
//   ...
//   watches->CancelAll();

#ifndef TOKENUSAGE_SERVICE_SERVER_HEALTH_WATCHES_H_
#define TOKENUSAGE_SERVICE_SERVER_HEALTH_WATCHES_H_

#include <memory>
#include <mutex>
#include <set>

#include "grpcpp/server_context.h"
#include "grpcpp/support/server_interceptor.h"

namespace tokenusage {

// gRPC's health service cannot end its watches. Thread-safe.
class HealthWatches : public std::enable_shared_from_this<HealthWatches> {
 public:
  // Returns an interceptor that tracks the watches of one server.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
  NewFactory();

  bool empty() const;

  // Ends the open watches with CANCELLED.
  void CancelAll();

 private:
  class Factory;
  class Watch;

  mutable std::mutex mutex_;
  std::set<grpc::ServerContextBase*> contexts_;  // guarded by mutex_
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_SERVER_HEALTH_WATCHES_H_
