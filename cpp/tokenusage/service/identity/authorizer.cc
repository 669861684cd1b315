// SPDX-License-Identifier: Apache-2.0

#include "tokenusage/service/identity/authorizer.h"

namespace tokenusage {
namespace {

class OpenAuthorizer final : public Authorizer {
 public:
  absl::StatusOr<std::shared_ptr<const Caller>> Identify(
      const CallOrigin&) const override {
    return everybody_;
  }

 private:
  const std::shared_ptr<const Caller> everybody_ =
      std::make_shared<const Caller>(Caller{
          "everybody", {"*"}, {Role::kReport, Role::kQuery, Role::kMetrics}});
};

}  // namespace

std::shared_ptr<const Authorizer> NewOpenAuthorizer() {
  return std::make_shared<const OpenAuthorizer>();
}

}  // namespace tokenusage
