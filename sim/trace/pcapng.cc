#include "sim/trace/pcapng.h"

#include <bit>
#include <cstring>
#include <span>

#include "sim/network/world.h"

namespace mpquic::sim {
namespace {

static_assert(std::endian::native == std::endian::little, "blocks are written in the byte order of the machine");

// draft-ietf-opsawg-pcapng §4
constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::uint32_t kDecryptionSecrets = 10;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint32_t kTlsKeyLog = 0x544c534b;
constexpr std::uint16_t kLinkTypeRaw = 101;  // IPv4 or IPv6 headers come first
constexpr std::uint16_t kOptionEnd = 0;
constexpr std::uint16_t kOptionInterfaceName = 2;
constexpr std::uint16_t kOptionTimeResolution = 9;
constexpr std::byte kNanoseconds{9};  // 10^-9 s
constexpr std::uint16_t kOptionFlags = 2;

constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kHopLimit = 64;
constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kIpv4Header = 20;

template <class T>
void put(std::vector<std::byte>& out, T value) {
  const std::size_t at = out.size();
  out.resize(at + sizeof(value));
  std::memcpy(out.data() + at, &value, sizeof(value));
}
/// In network byte order.
void put16(std::vector<std::byte>& out, std::size_t value) {
  out.push_back(static_cast<std::byte>(value >> 8));
  out.push_back(static_cast<std::byte>(value));
}
void put8(std::vector<std::byte>& out, std::uint8_t value) { out.push_back(static_cast<std::byte>(value)); }
void pad(std::vector<std::byte>& out) {
  while (out.size() % 4 != 0) out.push_back({});
}
[[nodiscard]] std::size_t address_size(const SocketAddress& address) {
  return address.ip.family() == IpAddress::Family::v6 ? 16 : 4;
}
[[nodiscard]] Bytes address_of(const SocketAddress& address) {
  return std::as_bytes(std::span(address.ip.octets())).first(address_size(address));
}
void put(std::vector<std::byte>& out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

/// The Internet checksum (RFC 1071), not yet folded.
[[nodiscard]] std::uint64_t sum_of(Bytes bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    sum += std::to_integer<std::uint64_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  return sum;
}
[[nodiscard]] std::uint16_t folded(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}
void put_checksum(std::vector<std::byte>& out, std::size_t at, std::uint16_t checksum) {
  out[at] = static_cast<std::byte>(checksum >> 8);
  out[at + 1] = static_cast<std::byte>(checksum);
}

}  // namespace

PcapngWriter::PcapngWriter(OutputFile file) : file_(std::move(file)) {
  begin_block(kSectionHeader);
  put(block_, kByteOrderMagic);
  put(block_, std::uint16_t{1});  // version 1.0
  put(block_, std::uint16_t{0});
  put(block_, std::int64_t{-1});  // length of the section: to be found by reading
  end_block();
}

void PcapngWriter::begin_block(std::uint32_t type) {
  block_.clear();
  put(block_, type);
  put(block_, std::uint32_t{0});  // length: end_block()
}

void PcapngWriter::end_block() {
  pad(block_);
  const auto length = static_cast<std::uint32_t>(block_.size() + sizeof(std::uint32_t));
  std::memcpy(block_.data() + sizeof(std::uint32_t), &length, sizeof(length));
  put(block_, length);
  file_.write(Bytes(block_));
}

void PcapngWriter::option(std::uint16_t code, Bytes value) {
  put(block_, code);
  put(block_, static_cast<std::uint16_t>(value.size()));
  put(block_, value);
  pad(block_);
}

void PcapngWriter::end_options() {
  put(block_, kOptionEnd);
  put(block_, std::uint16_t{0});
}

void PcapngWriter::add_interface(std::string_view name) {
  begin_block(kInterfaceDescription);
  put(block_, kLinkTypeRaw);
  put(block_, std::uint16_t{0});
  put(block_, std::uint32_t{0});  // no limit on the length of packets
  option(kOptionInterfaceName, as_bytes(name));
  option(kOptionTimeResolution, std::span(&kNanoseconds, 1));
  end_options();
  end_block();
}

void PcapngWriter::add_secrets(std::string_view lines) {
  begin_block(kDecryptionSecrets);
  put(block_, kTlsKeyLog);
  put(block_, static_cast<std::uint32_t>(lines.size()));
  put(block_, as_bytes(lines));
  end_block();
}

void PcapngWriter::add(const Datagram& datagram) {
  begin_block(kEnhancedPacket);
  put(block_, datagram.interface);
  const auto time = static_cast<std::uint64_t>(datagram.at.time_since_epoch().count());
  put(block_, static_cast<std::uint32_t>(time >> 32));
  put(block_, static_cast<std::uint32_t>(time));
  const bool v6 = address_size(datagram.source) == 16;
  const auto size = static_cast<std::uint32_t>((v6 ? 40 : kIpv4Header) + kUdpHeader + datagram.payload.size());
  put(block_, size);
  put(block_, size);
  write_ip_udp(datagram);
  pad(block_);
  const auto flags = static_cast<std::uint32_t>(datagram.travel);
  option(kOptionFlags, std::as_bytes(std::span(&flags, 1)));
  end_options();
  end_block();
}

void PcapngWriter::write_ip_udp(const Datagram& datagram) {
  const Bytes source = address_of(datagram.source);
  const Bytes destination = address_of(datagram.destination);
  const std::size_t udp_size = kUdpHeader + datagram.payload.size();
  const auto ecn = static_cast<std::uint8_t>(datagram.ecn);
  const std::size_t start = block_.size();
  if (source.size() == 4) {  // RFC 791 §3.1
    put8(block_, 0x45);
    put8(block_, ecn);
    put16(block_, kIpv4Header + udp_size);
    put16(block_, 0);
    put16(block_, 0x4000);  // Don't Fragment (RFC 9000 §14)
    put8(block_, kHopLimit);
    put8(block_, kUdp);
    put16(block_, 0);
    put(block_, source);
    put(block_, destination);
    put_checksum(block_, start + 10, folded(sum_of(Bytes(block_).subspan(start, kIpv4Header))));
  } else {  // RFC 8200 §3
    put8(block_, 0x60);
    put8(block_, static_cast<std::uint8_t>(ecn << 4));
    put16(block_, 0);
    put16(block_, udp_size);
    put8(block_, kUdp);
    put8(block_, kHopLimit);
    put(block_, source);
    put(block_, destination);
  }
  const std::size_t udp = block_.size();
  put16(block_, datagram.source.port);
  put16(block_, datagram.destination.port);
  put16(block_, udp_size);
  put16(block_, 0);
  put(block_, datagram.payload);
  // RFC 768, RFC 8200 §8.1: over a pseudo-header too; 0 is sent as all ones.
  const std::uint16_t checksum =
      folded(sum_of(source) + sum_of(destination) + kUdp + udp_size + sum_of(Bytes(block_).subspan(udp)));
  put_checksum(block_, udp + 6, checksum == 0 ? 0xffff : checksum);
}

void PcapngTap::on_key(std::string_view line) {
  keys_ += line;
  keys_ += '\n';
}

void PcapngTap::write_keys() {
  if (keys_.empty()) return;
  writer_.add_secrets(keys_);
  keys_.clear();
}

void PcapngTap::on_start(const World& world) {
  for (std::size_t path = 0; path < world.path_count(); ++path) writer_.add_interface(world.path_name(path));
}

void PcapngTap::on_sent(const Sighting& seen, const FourTuple& sender) {
  if (LinkEnd::of(seen.link).sender() != vantage_) return;
  write_keys();
  writer_.add({.at = seen.at,
               .interface = static_cast<std::uint32_t>(LinkEnd::of(seen.link).path),
               .travel = PcapngWriter::Travel::outbound,
               .source = sender.local,
               .destination = sender.remote,
               .ecn = seen.packet.ecn,
               .payload = seen.bytes});
}

void PcapngTap::on_delivered(const Sighting& seen) {
  if (LinkEnd::of(seen.link).receiver() != vantage_) return;
  write_keys();
  writer_.add({.at = seen.at,
               .interface = static_cast<std::uint32_t>(LinkEnd::of(seen.link).path),
               .travel = PcapngWriter::Travel::inbound,
               .source = seen.packet.tuple.remote,
               .destination = seen.packet.tuple.local,
               .ecn = seen.packet.ecn,
               .payload = seen.bytes});
}

}  // namespace mpquic::sim
