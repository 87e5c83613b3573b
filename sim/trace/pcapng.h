// Datagrams as a packet capture (draft-ietf-opsawg-pcapng) that tshark decrypts: IP and UDP headers made from the
// 4-tuples, one interface for each path, nanosecond timestamps (time 0 is the start of the run), TLS secrets inside.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/network/tap.h"
#include "sim/trace/output_file.h"

namespace mpquic::sim {

class PcapngWriter {
 public:
  enum class Travel : std::uint8_t { inbound = 1, outbound = 2 };  // as epb_flags has it
  struct Datagram {
    Instant at;
    std::uint32_t interface = 0;
    Travel travel = Travel::outbound;
    SocketAddress source;
    SocketAddress destination;
    Ecn ecn = Ecn::not_ect;
    Bytes payload;
  };

  explicit PcapngWriter(OutputFile file);
  /// Numbers them from 0. All before the first datagram.
  void add_interface(std::string_view name);
  /// Lines of an NSS key log, for the datagrams that follow.
  void add_secrets(std::string_view lines);
  void add(const Datagram& datagram);
  [[nodiscard]] std::expected<void, std::string> close() { return file_.close(); }

 private:
  void begin_block(std::uint32_t type);
  void end_block();
  void option(std::uint16_t code, Bytes value);
  void end_options();
  void write_ip_udp(const Datagram& datagram);

  OutputFile file_;
  std::vector<std::byte> block_;
};

/// What one of the hosts would capture on its interfaces: what it sent, what reached it.
class PcapngTap final : public Tap {
 public:
  PcapngTap(OutputFile file, Role vantage) : writer_(std::move(file)), vantage_(vantage) {}

  /// One line of the key log, known from now on.
  void on_key(std::string_view line);

  void on_start(const World& world) override;
  void on_sent(const Sighting& seen, const FourTuple& sender) override;
  void on_delivered(const Sighting& seen) override;
  [[nodiscard]] std::expected<void, std::string> close() { return writer_.close(); }

 private:
  void write_keys();
  PcapngWriter writer_;
  Role vantage_;
  std::string keys_;  // not yet in the file
};

}  // namespace mpquic::sim
