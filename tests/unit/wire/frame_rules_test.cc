#include "stack/wire/frame_rules.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "stack/wire/frame_encode.h"
#include "tests/unit/wire/frame_samples.h"

namespace mpquic {
namespace {

namespace t = frame_type;

/// RFC 9000 table 3's column "Pkts": I, H, 0, 1.
std::string packets(const FrameRule& rule) {
  std::string out;
  if (rule.allows(EncryptionLevel::initial)) out += 'I';
  if (rule.allows(EncryptionLevel::handshake)) out += 'H';
  if (rule.allows(EncryptionLevel::zero_rtt)) out += '0';
  if (rule.allows(EncryptionLevel::one_rtt)) out += '1';
  return out;
}

TEST(FrameRules, FollowTable3) {
  const std::map<std::uint64_t, std::string> expected = {
      {t::kPadding, "IH01"},
      {t::kPing, "IH01"},
      {t::kAck, "IH1"},
      {t::kResetStream, "01"},
      {t::kStopSending, "01"},
      {t::kCrypto, "IH1"},
      {t::kNewToken, "1"},
      {t::kStream, "01"},
      {t::kMaxData, "01"},
      {t::kMaxStreamData, "01"},
      {t::kMaxStreamsBidi, "01"},
      {t::kMaxStreamsUni, "01"},
      {t::kDataBlocked, "01"},
      {t::kStreamDataBlocked, "01"},
      {t::kStreamsBlockedBidi, "01"},
      {t::kStreamsBlockedUni, "01"},
      {t::kNewConnectionId, "01"},
      {t::kRetireConnectionId, "1"},  // §12.5
      {t::kPathChallenge, "01"},
      {t::kPathResponse, "1"},
      {t::kConnectionClose, "IH01"},
      {t::kApplicationClose, "01"},
      {t::kHandshakeDone, "1"},
      {t::kDatagram, "01"},
  };
  for (const FrameRule& rule : kFrameRules) {
    const auto row = expected.find(rule.first);
    EXPECT_EQ(packets(rule), row != expected.end() ? row->second : "1") << rule.first;
  }
}

TEST(FrameRules, OnlyAckPaddingAndCloseDoNotElicitAcks) {  // RFC 9002 §2, draft-21 §4
  std::set<std::uint64_t> passive;
  for (const FrameRule& rule : kFrameRules) {
    if (!rule.ack_eliciting) passive.insert(rule.first);
  }
  EXPECT_EQ(passive, (std::set{t::kPadding, t::kAck, t::kConnectionClose, t::kApplicationClose, t::kPathAck}));
}

TEST(FrameRules, PaddingCountsInFlightButAcksAndClosesDoNot) {  // RFC 9002 §2
  std::set<std::uint64_t> free;
  for (const FrameRule& rule : kFrameRules) {
    if (!rule.in_flight) free.insert(rule.first);
  }
  EXPECT_EQ(free, (std::set{t::kAck, t::kConnectionClose, t::kApplicationClose, t::kPathAck}));
}

TEST(FrameRules, ProbingFramesAreTheFourOfTheRfc) {  // RFC 9000 §9.1; draft-21 adds none
  std::set<std::uint64_t> probing;
  for (const FrameRule& rule : kFrameRules) {
    if (rule.probing) probing.insert(rule.first);
  }
  EXPECT_EQ(probing, (std::set{t::kPadding, t::kNewConnectionId, t::kPathChallenge, t::kPathResponse}));
}

TEST(FrameRules, FindRangesAndGaps) {
  EXPECT_EQ(find_frame_rule(0x0f)->first, t::kStream);
  EXPECT_EQ(find_frame_rule(0x03)->first, t::kAck);
  EXPECT_EQ(find_frame_rule(0x3f)->first, t::kPathAck);
  EXPECT_EQ(find_frame_rule(0x31)->first, t::kDatagram);
  for (const std::uint64_t unknown :
       std::initializer_list<std::uint64_t>{0x1f, 0x2f, 0x32, 0x3d, 0x44, 0x3e74, 0x3e7d, kMaxVarint}) {
    EXPECT_EQ(find_frame_rule(unknown), nullptr) << unknown;
  }
}

TEST(FrameRules, BoundTheSizeOfTheBiggestFrames) {
  const auto bound = [](std::uint64_t type) { return find_frame_rule(type)->max_size; };
  NewConnectionIdFrame new_id{.path = PathId{UINT32_MAX},
                              .sequence = kMaxVarint,
                              .retire_prior_to = kMaxVarint,
                              .id = testing::cid("000102030405060708090a0b0c0d0e0f10111213"),
                              .reset_token = {}};
  EXPECT_EQ(encoded_size(new_id), bound(t::kPathNewConnectionId));
  new_id.path.reset();
  EXPECT_EQ(encoded_size(new_id), bound(t::kNewConnectionId));
  EXPECT_EQ(encoded_size(ResetStreamFrame{StreamId{kMaxVarint}, kMaxVarint, kMaxVarint}), bound(t::kResetStream));
  EXPECT_EQ(encoded_size(PathChallengeFrame{}), bound(t::kPathChallenge));
  EXPECT_EQ(encoded_size(HandshakeDoneFrame{}), bound(t::kHandshakeDone));
  EXPECT_EQ(encoded_size(PathCidsBlockedFrame{kMaxVarint, kMaxVarint}), bound(t::kPathCidsBlocked));
  const SocketAddress v6{IpAddress::v6({1}), 1};
  EXPECT_EQ(encoded_size(AddAddressFrame{kMaxVarint, kMaxVarint, v6}), bound(t::kAddAddress));
}

TEST(FrameRules, BoundEverySample) {
  for (const auto& sample : testing::frame_samples()) {
    const FrameRule* const rule = find_frame_rule(type_of(sample.frame));
    ASSERT_NE(rule, nullptr) << sample.name;
    std::size_t variable = 0;
    if (const auto* f = std::get_if<PaddingFrame>(&sample.frame)) variable = f->length - 1;
    if (const auto* f = std::get_if<AckFrame>(&sample.frame)) variable = f->ranges.size();
    if (const auto* f = std::get_if<StreamFrame>(&sample.frame)) variable = f->data.size();
    if (const auto* f = std::get_if<CryptoFrame>(&sample.frame)) variable = f->data.size();
    if (const auto* f = std::get_if<DatagramFrame>(&sample.frame)) variable = f->data.size();
    if (const auto* f = std::get_if<NewTokenFrame>(&sample.frame)) variable = f->token.size();
    if (const auto* f = std::get_if<ConnectionCloseFrame>(&sample.frame)) variable = f->reason.size();
    if (const auto* f = std::get_if<ClosePathFrame>(&sample.frame)) variable = f->reason.size();
    EXPECT_LE(encoded_size(sample.frame), rule->max_size + variable) << sample.name;
  }
}

}  // namespace
}  // namespace mpquic
