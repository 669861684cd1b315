// SPDX-License-Identifier: Apache-2.0

// Prints the page's policy in one line, and then the page, as a server sends
// them.

#include <iostream>

#include "tokenusage/page/page.h"

int main() {
  std::cout << tokenusage::PageContentSecurityPolicy() << "\n"
            << tokenusage::PageHtml();
}
