#include "stack/wire/transport_params.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>

#include "stack/wire/cursor.h"

namespace mpquic {
namespace {

namespace tp = transport_parameter;

/// A parameter that is one varint: where it lives, and which values it may have.
struct IntegerParameter {
  std::uint64_t id = 0;
  std::uint64_t TransportParameters::*field = nullptr;
  std::uint64_t minimum = 0;
  std::uint64_t maximum = kMaxVarint;
};

constexpr auto kIntegers = std::to_array<IntegerParameter>({
    {tp::kMaxIdleTimeout, &TransportParameters::max_idle_timeout},
    {tp::kMaxUdpPayloadSize, &TransportParameters::max_udp_payload_size, kMinMaxUdpPayloadSize},
    {tp::kInitialMaxData, &TransportParameters::initial_max_data},
    {tp::kInitialMaxStreamDataBidiLocal, &TransportParameters::initial_max_stream_data_bidi_local},
    {tp::kInitialMaxStreamDataBidiRemote, &TransportParameters::initial_max_stream_data_bidi_remote},
    {tp::kInitialMaxStreamDataUni, &TransportParameters::initial_max_stream_data_uni},
    {tp::kInitialMaxStreamsBidi, &TransportParameters::initial_max_streams_bidi, 0, kMaxStreamCount},
    {tp::kInitialMaxStreamsUni, &TransportParameters::initial_max_streams_uni, 0, kMaxStreamCount},
    {tp::kAckDelayExponent, &TransportParameters::ack_delay_exponent, 0, kMaxAckDelayExponent},
    {tp::kMaxAckDelay, &TransportParameters::max_ack_delay, 0, kMaxMaxAckDelay},
    {tp::kActiveConnectionIdLimit, &TransportParameters::active_connection_id_limit, kMinActiveConnectionIdLimit},
    {tp::kMaxDatagramFrameSize, &TransportParameters::max_datagram_frame_size},
});

/// A parameter whose presence is its value.
struct FlagParameter {
  std::uint64_t id = 0;
  bool TransportParameters::*field = nullptr;
};

constexpr auto kFlags = std::to_array<FlagParameter>({
    {tp::kDisableActiveMigration, &TransportParameters::disable_active_migration},
    {tp::kGreaseQuicBit, &TransportParameters::grease_quic_bit},
    {tp::kAddressAdvertisement, &TransportParameters::address_advertisement},
    {tp::kNumberedDatagrams, &TransportParameters::numbered_datagrams},
});

struct ConnectionIdParameter {
  std::uint64_t id = 0;
  std::optional<ConnectionId> TransportParameters::*field = nullptr;
};

constexpr auto kConnectionIds = std::to_array<ConnectionIdParameter>({
    {tp::kOriginalDestinationConnectionId, &TransportParameters::original_destination_connection_id},
    {tp::kInitialSourceConnectionId, &TransportParameters::initial_source_connection_id},
    {tp::kRetrySourceConnectionId, &TransportParameters::retry_source_connection_id},
});

/// RFC 9000 §18.2: a client MUST NOT include any of these.
constexpr bool server_only(std::uint64_t id) {
  return id == tp::kOriginalDestinationConnectionId || id == tp::kStatelessResetToken || id == tp::kPreferredAddress ||
         id == tp::kRetrySourceConnectionId;
}

[[nodiscard]] std::unexpected<TransportError> refuse(std::string_view reason) {
  return fail(error::kTransportParameterError, reason);
}

// --- Encoding

class ParameterWriter {
 public:
  explicit ParameterWriter(std::vector<std::byte>& out) : out_(out) {}

  void integer(std::uint64_t id, std::uint64_t value) {
    varint(id);
    varint(varint_size(value));
    varint(value);
  }
  void bytes(std::uint64_t id, Bytes value) {
    varint(id);
    varint(value.size());
    append(value);
  }

 private:
  void varint(std::uint64_t value) {
    std::array<std::byte, kMaxVarintSize> encoded;
    const std::size_t size = varint_size(value);
    write_varint_sized(encoded.data(), value, size);
    append(Bytes(encoded).first(size));
  }
  void append(Bytes value) { out_.insert(out_.end(), value.begin(), value.end()); }

  std::vector<std::byte>& out_;
};

constexpr std::size_t kV4Size = 4 + 2;
constexpr std::size_t kV6Size = 16 + 2;
constexpr std::size_t kMaxPreferredAddressSize =
    kV4Size + kV6Size + 1 + ConnectionId::kMaxLength + sizeof(StatelessResetToken);

void write_preferred_address(ParameterWriter& out, const PreferredAddress& address) {
  std::array<std::byte, kMaxPreferredAddressSize> encoded;
  ByteWriter writer(encoded);
  const auto v4 = std::as_bytes(std::span(address.v4.ip.octets())).first(4);
  const auto v6 = std::as_bytes(std::span(address.v6.ip.octets()));
  const bool complete = writer.write_bytes(v4) && writer.write_u16(address.v4.port) && writer.write_bytes(v6) &&
                        writer.write_u16(address.v6.port) &&
                        writer.write_u8(static_cast<std::uint8_t>(address.id.size())) &&
                        writer.write_bytes(address.id.bytes()) && writer.write_bytes(address.reset_token);
  MPQUIC_CHECK(complete);
  out.bytes(tp::kPreferredAddress, writer.written());
}

// --- Decoding

[[nodiscard]] Result<std::uint64_t> read_integer(Bytes value) {
  const auto integer = read_varint(value);
  if (!integer || integer->size != value.size()) return refuse("not a single integer");
  return integer->value;
}

[[nodiscard]] Result<ConnectionId> read_connection_id(Bytes value) {
  if (value.size() > ConnectionId::kMaxLength) return refuse("connection ID above 20 bytes");
  return ConnectionId(value);
}

[[nodiscard]] Result<PreferredAddress> read_preferred_address(Bytes value) {
  ByteReader reader(value);
  const auto v4 = reader.read_array<4>();
  const auto v4_port = reader.read_u16();
  const auto v6 = reader.read_array<16>();
  const auto v6_port = reader.read_u16();
  const auto id_length = reader.read_u8();
  if (!v4 || !v4_port || !v6 || !v6_port || !id_length) return refuse("preferred_address cut short");
  // An endpoint without connection IDs has no preferred address (RFC 9000 §18.2).
  if (*id_length < 1 || *id_length > ConnectionId::kMaxLength) return refuse("preferred_address connection ID length");
  const auto id = reader.read_bytes(*id_length);
  const auto token = reader.read_array<sizeof(StatelessResetToken)>();
  if (!id || !token || !reader.empty()) return refuse("preferred_address of the wrong length");
  PreferredAddress address;
  address.v4 = {IpAddress::v4(std::bit_cast<std::array<std::uint8_t, 4>>(*v4)), *v4_port};
  address.v6 = {IpAddress::v6(std::bit_cast<std::array<std::uint8_t, 16>>(*v6)), *v6_port};
  address.id = ConnectionId(*id);
  address.reset_token = *token;
  return address;
}

[[nodiscard]] Result<void> read_singular(TransportParameters& parameters, std::uint64_t id, Bytes value) {
  switch (id) {
    case tp::kStatelessResetToken: {
      StatelessResetToken token;
      if (value.size() != token.size()) return refuse("stateless_reset_token is not 16 bytes");
      std::copy(value.begin(), value.end(), token.begin());
      parameters.stateless_reset_token = token;
      return {};
    }
    case tp::kPreferredAddress: {
      MPQUIC_TRY_ASSIGN(address, read_preferred_address(value));
      parameters.preferred_address = address;
      return {};
    }
    case tp::kInitialMaxPathId: {
      MPQUIC_TRY_ASSIGN(maximum, read_integer(value));
      if (maximum > kMaxPathIdValue) return refuse("initial_max_path_id above 2^32-1");
      parameters.initial_max_path_id = maximum;
      return {};
    }
    default: return {};  // unknown: ignored (RFC 9000 §7.4.2)
  }
}

[[nodiscard]] Result<void> read_parameter(TransportParameters& parameters, std::uint64_t id, Bytes value) {
  for (const IntegerParameter& integer : kIntegers) {
    if (integer.id != id) continue;
    MPQUIC_TRY_ASSIGN(number, read_integer(value));
    if (number < integer.minimum || number > integer.maximum) return refuse("value out of range");
    parameters.*integer.field = number;
    return {};
  }
  for (const FlagParameter& flag : kFlags) {
    if (flag.id != id) continue;
    if (!value.empty()) return refuse("flag with a value");
    parameters.*flag.field = true;
    return {};
  }
  for (const ConnectionIdParameter& connection_id : kConnectionIds) {
    if (connection_id.id != id) continue;
    MPQUIC_TRY_ASSIGN(read, read_connection_id(value));
    parameters.*connection_id.field = read;
    return {};
  }
  return read_singular(parameters, id, value);
}

}  // namespace

void encode(const TransportParameters& parameters, Role sender, std::vector<std::byte>& out) {
  static constexpr TransportParameters kDefaults;
  ParameterWriter writer(out);
  const auto allowed = [sender](std::uint64_t id) { return sender == Role::server || !server_only(id); };
  for (const IntegerParameter& integer : kIntegers) {
    const std::uint64_t value = parameters.*integer.field;
    MPQUIC_DCHECK(value >= integer.minimum && value <= integer.maximum);
    if (value != kDefaults.*integer.field) writer.integer(integer.id, value);
  }
  for (const FlagParameter& flag : kFlags) {
    if (parameters.*flag.field) writer.bytes(flag.id, {});
  }
  for (const ConnectionIdParameter& connection_id : kConnectionIds) {
    const auto& value = parameters.*connection_id.field;
    if (value && allowed(connection_id.id)) writer.bytes(connection_id.id, value->bytes());
  }
  if (parameters.stateless_reset_token && allowed(tp::kStatelessResetToken)) {
    writer.bytes(tp::kStatelessResetToken, *parameters.stateless_reset_token);
  }
  if (parameters.preferred_address && allowed(tp::kPreferredAddress)) {
    write_preferred_address(writer, *parameters.preferred_address);
  }
  if (parameters.initial_max_path_id) writer.integer(tp::kInitialMaxPathId, *parameters.initial_max_path_id);
  if (parameters.reserved_number) writer.bytes(tp::reserved(*parameters.reserved_number), {});
}

Result<TransportParameters> decode(Bytes encoded, Role sender) {
  TransportParameters parameters;
  std::vector<std::uint64_t> seen;
  ByteReader reader(encoded);
  while (!reader.empty()) {
    const auto id = reader.read_varint();
    if (!id) return refuse("parameters cut short");
    const auto value = reader.read_prefixed_bytes();
    if (!value) return refuse("parameters cut short");
    if (sender == Role::client && server_only(*id)) return refuse("server-only parameter from a client");
    MPQUIC_TRY(read_parameter(parameters, *id, *value));
    seen.push_back(*id);
  }
  // Unknown parameters count too (RFC 9000 §7.4). Sorting keeps hostile input from costing its square.
  std::sort(seen.begin(), seen.end());
  if (std::adjacent_find(seen.begin(), seen.end()) != seen.end()) return refuse("duplicate parameter");
  return parameters;
}

}  // namespace mpquic
