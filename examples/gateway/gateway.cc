// SPDX-License-Identifier: Apache-2.0

#include "gateway.h"

#include <iostream>
#include <utility>

void Gateway::Report(absl::StatusOr<tokenusage::Extraction> extraction,
                     const std::string& customer) const {
  if (!extraction.ok()) {
    std::cerr << "no usage: " << extraction.status() << "\n";
    return;
  }
  // There is one record for each model that worked on the call.
  for (tokenusage::v1::UsageRecord& record : extraction->records) {
    (*record.mutable_labels())["customer"] = customer;
    const absl::Status status = reporter_->Report(std::move(record));
    if (!status.ok()) std::cerr << "usage is lost: " << status << "\n";
  }
}

void Gateway::OnResponse(std::string_view body,
                         const std::string& customer) const {
  Report(extractor_.Extract(body), customer);
}

void Gateway::Stream::OnChunk(std::string_view chunk) {
  // Finish returns the error, too.
  extractor_.Feed(chunk).IgnoreError();
}

void Gateway::Stream::OnEnd() {
  gateway_->Report(extractor_.Finish(), customer_);
}
