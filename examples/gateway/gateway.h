// SPDX-License-Identifier: Apache-2.0

// A gateway in miniature: what a proxy in front of an AI provider does to
// report the usage of the calls that it passes on.
//
//   Gateway gateway(*tokenusage::FindDialect("openai.chat"), reporter.get());
//   gateway.OnResponse(body, "acme");
//
// or, for a response that is a stream of events:
//
//   Gateway::Stream stream(&gateway, "acme");
//   while (ReadFromProvider(&chunk)) {
//     SendToCaller(chunk);
//     stream.OnChunk(chunk);
//   }
//   stream.OnEnd();
//
// Errors of reporting are only logged: they never fail the caller's call.

#ifndef GATEWAY_GATEWAY_H_
#define GATEWAY_GATEWAY_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tokenusage/client/usage_reporter.h"
#include "tokenusage/extract/usage_extractor.h"

// Reports the usage in the responses of one dialect. Thread-safe.
class Gateway {
 public:
  // `dialect` and `reporter` must outlive the gateway.
  Gateway(const tokenusage::Dialect& dialect,
          tokenusage::UsageReporter* reporter)
      : dialect_(dialect), extractor_(dialect), reporter_(reporter) {}

  // Reports the usage of a whole response.
  void OnResponse(std::string_view body, const std::string& customer) const;

  // A response that arrives in chunks. Not thread-safe.
  class Stream {
   public:
    // `gateway` must outlive the stream.
    Stream(const Gateway* gateway, std::string customer)
        : gateway_(gateway),
          customer_(std::move(customer)),
          extractor_(gateway->dialect_) {}

    void OnChunk(std::string_view chunk);
    // Reports the usage. Call it also if the stream was interrupted: the usage
    // that was stated until then is reported.
    void OnEnd();

   private:
    const Gateway* const gateway_;
    const std::string customer_;
    tokenusage::UsageExtractor extractor_;
  };

 private:
  void Report(absl::StatusOr<tokenusage::Extraction> extraction,
              const std::string& customer) const;

  const tokenusage::Dialect& dialect_;
  const tokenusage::UsageExtractor extractor_;
  tokenusage::UsageReporter* const reporter_;
};

#endif  // GATEWAY_GATEWAY_H_
