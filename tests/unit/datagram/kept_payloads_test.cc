#include "stack/datagram/kept_payloads.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mpquic {
namespace {

using Fate = KeptPayloads::Fate;

std::string payload_of(const KeptPayloads& kept, std::uint64_t sequence) {
  const KeptPayloads::Entry* entry = kept.awaited(sequence);
  if (entry == nullptr) return "none";
  std::vector<std::byte> out(entry->length);
  kept.copy_payload(*entry, out);
  return std::string(as_text(out));
}

TEST(KeptPayloads, KeepAPayloadUntilItsLastCopyHasLeft) {
  KeptPayloads kept(1000);
  kept.add(3, as_bytes("three"), 2);
  kept.add(9, as_bytes("nine"), 1);
  EXPECT_EQ(payload_of(kept, 3), "three");
  EXPECT_EQ(payload_of(kept, 9), "nine");
  EXPECT_EQ(payload_of(kept, 5), "none");
  kept.on_copy_sent(9);
  EXPECT_EQ(payload_of(kept, 9), "none");
  EXPECT_EQ(kept.bytes(), 9U) << "behind one that is still needed";
  kept.on_copy_sent(3);
  EXPECT_EQ(payload_of(kept, 3), "three");
  kept.on_copy_sent(3);
  EXPECT_EQ(kept.bytes(), 0U);
  EXPECT_EQ(kept.count(), 2U) << "until their fate is known";
}

TEST(KeptPayloads, TheFirstAcknowledgementSettles) {
  KeptPayloads kept(1000);
  kept.add(1, as_bytes("x"), 1);
  kept.on_copy_sent(1);
  EXPECT_EQ(kept.on_acked(1), Fate::settled);
  EXPECT_EQ(kept.on_lost(1), Fate::open) << "it did arrive";
  EXPECT_EQ(kept.count(), 0U);
  EXPECT_EQ(kept.on_acked(1), Fate::unknown);
}

TEST(KeptPayloads, LostIsWhatLostEveryCopy) {
  KeptPayloads kept(1000);
  kept.add(1, as_bytes("x"), 2);
  EXPECT_EQ(kept.on_lost(1), Fate::open) << "two copies wait";
  kept.on_copy_sent(1);
  EXPECT_EQ(kept.on_copy_dropped(1), Fate::open) << "one is on its way";
  EXPECT_EQ(kept.on_lost(1), Fate::settled);
  EXPECT_EQ(kept.count(), 0U);

  kept.add(2, as_bytes("y"), 1);
  EXPECT_EQ(kept.on_lost(2), Fate::open);
  EXPECT_EQ(kept.on_copy_dropped(2), Fate::settled) << "the copy was its last chance";
}

TEST(KeptPayloads, WhatIsAcknowledgedNeedsNoCopy) {
  KeptPayloads kept(1000);
  kept.add(1, as_bytes("x"), 1);
  EXPECT_EQ(kept.on_acked(1), Fate::settled);
  EXPECT_EQ(kept.awaited(1), nullptr);
  EXPECT_EQ(kept.on_copy_dropped(1), Fate::open);
  EXPECT_EQ(kept.count(), 0U);
}

TEST(KeptPayloads, AreBoundedInBytesAndNumber) {
  KeptPayloads few(10);
  few.add(1, as_bytes("12345678"), 1);
  EXPECT_TRUE(few.has_room(2));
  EXPECT_FALSE(few.has_room(3));
  KeptPayloads many(1000);
  std::uint64_t sequence = 0;
  while (many.has_room(0)) many.add(sequence++, {}, 1);
  EXPECT_EQ(sequence, KeptPayloads::kMaxEntries);
  many.on_copy_sent(0);
  ASSERT_TRUE(many.has_room(0)) << "what is only waited for may be forgotten";
  many.add(sequence, {}, 1);
  EXPECT_EQ(many.count(), KeptPayloads::kMaxEntries);
  EXPECT_EQ(many.on_acked(0), Fate::unknown);
  EXPECT_FALSE(many.has_room(0));
}

}  // namespace
}  // namespace mpquic
