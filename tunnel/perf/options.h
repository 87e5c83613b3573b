// The command line of mpquic-perf.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "stack/base/time.h"
#include "stack/conn/config.h"

namespace mpquic::perf {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // the transfer failed
inline constexpr int kExitUsage = 2;   // command line, configuration, certificates, addresses

inline constexpr std::size_t kMaxPaths = 64;

/// What both sides understand.
struct CommonOptions {
  std::string engine = "mpquic";  // or "ngtcp2"
  ConnectionConfig connection;
  std::string certificate_file;
  std::string key_file;
  std::string qlog_directory;
  std::string keylog_file;
  std::string json_file;
  std::string log_level = "info";
  bool segmentation_offload = true;  // GSO and GRO
};

struct ServerOptions {
  CommonOptions common;
  std::vector<std::string> listen;  // ADDR:PORT, [ADDR]:PORT, if:NAME:PORT
  bool self_signed = false;
  std::string root;
  bool retry = false;
  std::string client_ca_file;
  bool once = false;
};

/// The first path moves to another local address (RFC 9000 §9) once the connection is that old.
struct Migration {
  std::string local;  // ADDR or if:NAME
  Duration after{};
};

struct ClientOptions {
  CommonOptions common;
  std::string host;
  std::uint16_t port = 0;
  std::vector<std::string> documents;  // hq: "/path"
  std::vector<std::string> paths;      // LOCAL[,server=HOST[:PORT]]; the first is the initial path if it can be
  std::optional<Migration> migration;
  std::string ca_file;
  std::vector<std::string> pins;  // hex SHA-256 of the server's SubjectPublicKeyInfo
  bool insecure = false;
  std::string alpn;
  std::string server_name;
  std::string output;
  std::uint64_t download = 0;  // each stream
  std::uint64_t upload = 0;    // each stream
  std::string upload_file;
  std::size_t streams = 0;       // 0: one, or one per document
  std::optional<bool> progress;  // nothing: on a terminal
  std::optional<Duration> duration;
  std::optional<Duration> timeout;
  bool key_update = false;
  bool digest = true;
  std::string ticket_file;
};

using Command = std::variant<ServerOptions, ClientOptions>;

/// What to print instead of running: help and versions (exit code 0, standard output) or what is wrong (2, error).
struct ParseExit {
  int code = kExitUsage;
  std::string text;
};

struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};

/// "host:port", "[v6]:port", "host" or "v6"; IPv6 addresses may have a zone. What is wrong, as the end of a sentence.
[[nodiscard]] std::expected<HostPort, std::string> parse_host_port(std::string_view text, std::uint16_t default_port);
[[nodiscard]] std::expected<Command, ParseExit> parse_command_line(int argc, const char* const* argv);

}  // namespace mpquic::perf
