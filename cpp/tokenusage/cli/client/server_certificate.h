// SPDX-License-Identifier: Apache-2.0

// Explains why a client does not trust a server's certificate: gRPC says only
// that verification failed.

#ifndef TOKENUSAGE_CLI_CLIENT_SERVER_CERTIFICATE_H_
#define TOKENUSAGE_CLI_CLIENT_SERVER_CERTIFICATE_H_

#include <string>

#include "tokenusage/cli/client/client.h"

namespace tokenusage {

// Returns whether a text holds at least one certificate in PEM.
bool HasCertificate(const std::string& pem);

// Returns whether this is gRPC's error for an untrusted certificate.
bool IsRefusedCertificate(const std::string& grpc_error);

// Connects once more, and returns what is wrong with the server's certificate,
// worded for users. Takes at most a few seconds once it is connected.
std::string DescribeRefusedCertificate(const ConnectionOptions& connection);

}  // namespace tokenusage

#endif  // TOKENUSAGE_CLI_CLIENT_SERVER_CERTIFICATE_H_
