// SPDX-License-Identifier: Apache-2.0

// One of the model's passes that make up a message, as returned by
// FindOtherPasses of anthropic.h and openrouter.h.

#ifndef TOKENUSAGE_USAGE_MESSAGE_PASS_H_
#define TOKENUSAGE_USAGE_MESSAGE_PASS_H_

#include <string>

namespace tokenusage {

// A pass that a message's own counts do not include. `Usage` is the type of the
// message's usage.
template <typename Usage>
struct MessagePass {
  std::string model;  // empty if not stated: then the message's own
  std::string type;   // MessagesIteration.type
  Usage usage;
};

}  // namespace tokenusage

#endif  // TOKENUSAGE_USAGE_MESSAGE_PASS_H_
