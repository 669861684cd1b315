// SPDX-License-Identifier: Apache-2.0

// Serves a store in memory, which `tokenusage serve` does not offer. Prints the
// server's address, and runs until its input ends.

#include <cstdlib>
#include <iostream>
#include <limits>

#include "tokenusage/testing/in_process_server.h"

int main() {
  const auto server = tokenusage::InProcessServer::Start();
  if (!server.ok()) {
    std::cerr << server.status() << "\n";
    return EXIT_FAILURE;
  }
  std::cout << (*server)->address() << std::endl;
  std::cin.ignore(std::numeric_limits<std::streamsize>::max());
  return EXIT_SUCCESS;
}
