// SPDX-License-Identifier: Apache-2.0

// Unpacks requests to gRPC's health service that are compressed with gzip.
//
//   interceptors.push_back(NewHealthRequestUnpacker());

#ifndef TOKENUSAGE_SERVICE_RPC_HEALTH_REQUESTS_H_
#define TOKENUSAGE_SERVICE_RPC_HEALTH_REQUESTS_H_

#include <memory>

#include "grpcpp/support/server_interceptor.h"

namespace tokenusage {

// Returns an interceptor for servers with ApplyTransportLimits, which leaves
// unpacking to the services: gRPC's health service does not unpack. Requests
// that unpack to more than 4 KiB stay as they are, which it refuses.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
NewHealthRequestUnpacker();

}  // namespace tokenusage

#endif  // TOKENUSAGE_SERVICE_RPC_HEALTH_REQUESTS_H_
