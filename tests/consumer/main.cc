#include <cstdio>

#include "stack/endpoint/endpoint.h"

int main() {
  mpquic::SeededRng rng(1);
  const mpquic::Endpoint endpoint({}, rng);
  std::printf("%zu connections\n", endpoint.connection_count());
  return endpoint.connection_count() == 0 ? 0 : 1;
}
