// SPDX-License-Identifier: Apache-2.0

// Counts calls, their time and the size of their messages, under the names of
// gRPC's own metrics (grpc.server.call.*; gRFC A66), which gRPC 1.51 lacks.
//
//   interceptors.push_back(NewCallCounterFactory(&registry));

#ifndef TOKENUSAGE_SERVICE_METRICS_CALL_COUNTER_H_
#define TOKENUSAGE_SERVICE_METRICS_CALL_COUNTER_H_

#include <memory>

#include "grpcpp/support/server_interceptor.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace tokenusage {

// Returns the bounds, in seconds, of histograms of the durations of calls.
const prometheus::Histogram::BucketBoundaries& SecondsBuckets();

// Returns a factory of interceptors that count each method that a server may
// have, and all others together as `other`: callers may invent names, and each
// would take memory permanently. `registry` must outlive the factory, and the
// factory every call. The factory is thread-safe.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
NewCallCounterFactory(prometheus::Registry* registry);

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_METRICS_CALL_COUNTER_H_
