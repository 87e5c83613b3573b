#include "stack/endpoint/reset_index.h"

#include <gtest/gtest.h>

namespace mpquic {
namespace {

StatelessResetToken token(std::uint8_t n) {
  StatelessResetToken out{};
  out.fill(std::byte{n});
  return out;
}

TEST(ResetIndex, FindsTheConnectionOfAToken) {
  const StaticKeys keys({});
  ResetIndex index(keys);
  EXPECT_FALSE(index.find(token(1)));
  index.add(token(1), 7);
  index.add(token(2), 8);
  EXPECT_EQ(index.find(token(1)), 7U);
  EXPECT_EQ(index.find(token(2)), 8U);
  EXPECT_FALSE(index.find(token(3)));
  index.remove(token(1), 7);
  EXPECT_FALSE(index.find(token(1)));
  EXPECT_EQ(index.size(), 1U);
}

TEST(ResetIndex, ATokenThatTwoConnectionsHaveStaysWithTheFirst) {
  const StaticKeys keys({});
  ResetIndex index(keys);
  index.add(token(1), 7);
  index.add(token(1), 8);
  EXPECT_EQ(index.find(token(1)), 7U);
  index.remove(token(1), 8);  // not its entry
  EXPECT_EQ(index.find(token(1)), 7U);
}

}  // namespace
}  // namespace mpquic
