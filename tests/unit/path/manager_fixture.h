// A client's and a server's PathManager, multipath negotiated and the handshake confirmed.
#pragma once

#include <gtest/gtest.h>

#include <array>

#include "tests/unit/path/path_fixture.h"

namespace mpquic::path_test {

inline constexpr std::uint32_t kLocalLimit = 12;
inline constexpr std::uint32_t kPeerLimit = 4;
inline constexpr std::uint32_t kMaxPaths = 5;

/// The frames whose admission depends on a path ID.
inline constexpr std::array kPathFrames{frame_type::kPathAck,
                                        frame_type::kPathAck + 1,
                                        frame_type::kPathAbandon,
                                        frame_type::kPathStatusBackup,
                                        frame_type::kPathStatusAvailable,
                                        frame_type::kPathNewConnectionId,
                                        frame_type::kPathRetireConnectionId,
                                        frame_type::kPathCidsBlocked};

template <class T>
std::uint64_t code_of(const Result<T>& result) {
  return result ? error::kNoError : result.error().code;
}

class ManagerFixture : public ::testing::Test {
 protected:
  ManagerFixture(Role role, const FourTuple& first) : manager_(settings_for(role), kMaxPaths, rng_) {
    manager_.start(first, kStart).on_address_validated();
    manager_.enable_multipath(kLocalLimit, kPeerLimit);
  }

  std::vector<PathEvent> events() {
    std::vector<PathEvent> seen;
    while (auto event = manager_.poll_event()) seen.push_back(*event);
    return seen;
  }
  std::vector<PathEvent::Kind> kinds() { return kinds_of(events()); }
  std::span<const PathView> views() {
    return manager_.views(kStart, [](Path&) { return true; });
  }
  Written write(PathId path = kInitialPath) {
    return write_with(path, [&](FrameWriter& writer) { manager_.write_frames(writer); });
  }
  /// Runs the timers; the tokens that came back as lost, by path.
  std::vector<std::pair<PathId, std::uint64_t>> fire(Instant now) {
    std::vector<std::pair<PathId, std::uint64_t>> lost;
    manager_.on_deadline(now, out_, [&](Path& path, AckOutcome& out) {
      for (const std::uint64_t label : labels_of(out.lost)) lost.emplace_back(path.id(), label);
    });
    return lost;
  }
  void validate(Path& path) { path.on_path_response(challenge_of(path, kStart), kStart); }

  CountingRng rng_;
  PathManager manager_;
  AckOutcome out_;
};

class ClientPaths : public ManagerFixture {
 protected:
  ClientPaths() : ManagerFixture(Role::client, tuple_of(1)) {}
  /// Opens a path from 10.0.0.`host`.
  Path& open(std::uint8_t host) {
    PathId granted;
    EXPECT_TRUE(manager_.request_open(tuple_of(host), kStart));
    manager_.open_pending(kStart, [&](PathId id) {
      granted = id;
      return true;
    });
    return *manager_.find(granted);
  }
};

class ServerPaths : public ManagerFixture {
 protected:
  ServerPaths() : ManagerFixture(Role::server, client_at(1)) {}
  Path& accept_validated(std::uint32_t id) {
    const FourTuple from = client_at(static_cast<std::uint8_t>(id + 1));
    Path& path = **manager_.accept(PathId{id}, from, kStart);
    EXPECT_FALSE(path.on_datagram(from, ByteCount{1200}));
    validate(path);
    return path;
  }
};

}  // namespace mpquic::path_test
