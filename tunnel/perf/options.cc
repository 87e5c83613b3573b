#include "tunnel/perf/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <span>
#include <string_view>

#include "sim/peers/ngtcp2_options.h"
#include "stack/base/address.h"
#include "stack/cc/congestion_controller.h"
#include "stack/sched/scheduler.h"
#include "tunnel/perf/content.h"
#include "tunnel/perf/protocol.h"

namespace mpquic::perf {
namespace {

constexpr std::uint16_t kDefaultPort = 443;
constexpr std::uint64_t kForEver = 1ULL << 50;  // what a stream of a run that is limited by time transfers
constexpr std::string_view kDescription = "Measures QUIC and multipath QUIC over real sockets.";
constexpr std::string_view kExamples = R"(Examples:
  mpquic-perf server --listen 0.0.0.0:4433 --self-signed
  mpquic-perf client 192.0.2.1:4433 --bytes 1G --pin HEX
  mpquic-perf client https://example.net:4433/index.html --ca ca.pem --out index.html
  mpquic-perf client 192.0.2.1:4433 --upload 500M --insecure --path if:wan1 --path if:wan2
  mpquic-perf client example.net:4433 --bytes 1G --ca ca.pem --path 192.0.2.9 --path if:wan2,server=[2001:db8::1]
  mpquic-perf client [fe80::1%eth0]:4433 --duration 10 --insecure --keep-alive 5 --migrate if:wan2@3
  mpquic-perf client 127.0.0.1:4433 /10M /20M --streams 2 --insecure --json result.json

Exit codes: 0 done, 1 the transfer failed, 2 wrong usage or configuration.)";

/// The raw text of options that need more than CLI11 checks.
struct Raw {
  std::string window = "32M";
  double idle_timeout = 30;
  double handshake_timeout = 10;
  std::optional<std::string> scheduler;
  double keep_alive = 0;
  std::uint32_t max_paths = 0;
  bool no_multipath = false;
  bool no_migration = false;
  bool no_ecn = false;
  bool no_pacing = false;
  bool no_digest = false;
  bool no_offload = false;
  std::string target;
  std::string bytes;
  std::string upload;
  double duration = 0;
  double timeout = 0;
  std::string migrate;
  bool progress = false;
  bool no_progress = false;
};

constexpr std::size_t kMaxServerName = 255;  // RFC 1035 §2.3.4
const std::uint32_t kDefaultMaxPaths = ConnectionConfig{}.max_paths;
/// A 9000-byte frame less IPv6 and UDP headers.
constexpr std::size_t kJumboDatagram = 8952;

[[nodiscard]] std::unexpected<ParseExit> usage(std::string text) {
  return std::unexpected(ParseExit{kExitUsage, "mpquic-perf: " + std::move(text)});
}

[[nodiscard]] std::string one_of(std::span<const std::string_view> names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

constexpr double kShortestTime = 0.001;
constexpr double kLongestTime = 1e6;  // 11 days

[[nodiscard]] std::optional<double> parse_seconds(std::string_view text, double least, double most) {
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = code == std::errc{} && end == text.data() + text.size();
  if (!is_number || !(value >= least && value <= most)) return std::nullopt;  // a NaN is not in any range
  return value;
}

/// Unlike CLI11's ranges, refuses NaN.
[[nodiscard]] CLI::Validator seconds(double least, double most = kLongestTime) {
  return {[=](std::string& text) {
            if (parse_seconds(text, least, most)) return std::string();
            return fmt::format("'{}' is not a number of seconds from {} to {}", text, least, most);
          },
          ""};
}

void add_common(CLI::App& app, CommonOptions& common, Raw& raw) {
  ConnectionConfig& connection = common.connection;
  app.add_option("--engine", common.engine, "QUIC implementation: mpquic or ngtcp2")
      ->check(CLI::IsMember({"mpquic", "ngtcp2"}))
      ->capture_default_str();
  app.add_option("--cc", connection.congestion_control,
                 "congestion control: " + one_of(congestion_controller_names()) +
                     "; ngtcp2: " + one_of(peers::kNgtcp2Controllers))
      ->capture_default_str();
  app.add_option("--scheduler", raw.scheduler,
                 fmt::format("path scheduler: {}; default: {}", one_of(scheduler_names()), connection.scheduler));
  app.add_flag("--no-multipath", raw.no_multipath, "do not negotiate multipath");
  app.add_flag("--no-ecn", raw.no_ecn, "send without ECN marks");
  app.add_flag("--no-pacing", raw.no_pacing, "send bursts");
  app.add_flag("--no-offload", raw.no_offload, "neither UDP GSO nor GRO");
  app.add_option("--window", raw.window,
                 "receive window of a connection and of each stream, and send buffer of each stream")
      ->capture_default_str();
  // Jumbo frames where the path has them. Elsewhere the local interface refuses such probes before they cost anything.
  connection.max_datagram_size = kJumboDatagram;
  app.add_option("--max-datagram", connection.max_datagram_size, "largest UDP payload to probe for")
      ->check(CLI::Range(1200, 65527))
      ->capture_default_str();
  app.add_option("--idle-timeout", raw.idle_timeout, "close after so much silence; 0: never")
      ->check(seconds(0))
      ->type_name("SECONDS")
      ->capture_default_str();
  app.add_option("--handshake-timeout", raw.handshake_timeout, "give up a handshake that takes longer")
      ->check(seconds(kShortestTime))
      ->type_name("SECONDS")
      ->capture_default_str();
  app.add_option("--keep-alive", raw.keep_alive, "send something after so much silence; 0: never")
      ->check(seconds(0))
      ->type_name("SECONDS")
      ->capture_default_str();
  app.add_option("--max-paths", raw.max_paths,
                 fmt::format("paths at a time; default: {}, or more where --path wants them", kDefaultMaxPaths))
      ->check(CLI::Range(1, static_cast<int>(kMaxPaths)));
  app.add_option("--cert", common.certificate_file, "certificate chain, PEM, leaf first")->type_name("FILE");
  app.add_option("--key", common.key_file, "private key, PEM")->type_name("FILE");
  app.add_option("--qlog", common.qlog_directory, "write one qlog file per connection (not with ngtcp2)")
      ->type_name("DIR");
  app.add_option("--keylog", common.keylog_file, "append TLS secrets, NSS key log (not with ngtcp2)")
      ->type_name("FILE");
  app.add_option("--json", common.json_file, "write the report; - for standard output")->type_name("FILE");
  app.add_option("--log-level", common.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))
      ->capture_default_str();
}

void add_server(CLI::App& app, ServerOptions& server, Raw& raw) {
  app.add_option("--listen", server.listen, "ADDR:PORT, [ADDR]:PORT or if:NAME:PORT; may be repeated")
      ->required()
      ->allow_extra_args(false);
  app.add_flag("--self-signed", server.self_signed, "make a certificate and print its pin");
  app.add_option("--root", server.root, "directory to serve besides /SIZE documents")->type_name("DIR");
  app.add_flag("--retry", server.retry, "validate addresses by Retry");
  app.add_option("--require-client-ca", server.client_ca_file, "demand client certificates from this CA")
      ->type_name("FILE");
  app.add_flag("--no-migration", raw.no_migration, "forbid clients to move a path (disable_active_migration)");
  app.add_flag("--once", server.once, "exit after the first connection whose handshake succeeds");
  add_common(app, server.common, raw);
}

void add_client(CLI::App& app, ClientOptions& client, Raw& raw) {
  app.add_option("target", raw.target, "HOST:PORT or URL (https://HOST[:PORT][/PATH])")->required();
  app.add_option("documents", client.documents, "/PATH or /SIZE, for example /10M");
  app.add_option(
         "--path", client.paths,
         "where a path leaves: ADDR or if:NAME; the first is tried first. ,server=HOST[:PORT]: where it arrives")
      ->allow_extra_args(false);
  app.add_option("--migrate", raw.migrate, "move the first path to another ADDR or if:NAME after so many seconds")
      ->type_name("LOCAL@SECONDS");
  app.add_option("--ca", client.ca_file, "CA certificates that may vouch for the server, PEM")->type_name("FILE");
  app.add_option("--pin", client.pins, "SHA-256 of the server's public key (SubjectPublicKeyInfo), hex")
      ->allow_extra_args(false);
  app.add_flag("--insecure", client.insecure, "believe any server");
  app.add_option("--alpn", client.alpn, "hq-interop or perf; default: as the request needs")
      ->check(CLI::IsMember({std::string(kHqAlpn), std::string(kPerfAlpn)}));
  app.add_option("--sni", client.server_name, "server name to ask for and to verify; default: HOST")
      ->check([](const std::string& name) {
        const bool fits = !name.empty() && name.size() <= kMaxServerName;
        return fits ? std::string() : fmt::format("want 1 to {} characters", kMaxServerName);
      });
  app.add_option("--out", client.output, "file, or directory for several documents; a failed download leaves none")
      ->type_name("FILE|DIR");
  app.add_option("--bytes", raw.bytes, "bytes to download on each stream (K, M, G)");
  app.add_option("--upload", raw.upload, "bytes (K, M, G) or file to upload on each stream")->type_name("BYTES|FILE");
  app.add_option("--streams", client.streams, "streams at a time")->check(CLI::Range(1, 100000));
  app.add_flag("--progress", raw.progress, "show progress even if standard error is no terminal");
  app.add_flag("--no-progress", raw.no_progress, "never show progress")->excludes("--progress");
  app.add_option("--duration", raw.duration, "stop after so long")->check(seconds(kShortestTime))->type_name("SECONDS");
  app.add_option("--timeout", raw.timeout, "give up after so long")
      ->check(seconds(kShortestTime))
      ->type_name("SECONDS");
  app.add_flag("--no-digest", raw.no_digest, "no SHA-256 of what is transferred: measures the transport alone");
  app.add_flag("--key-update", client.key_update, "update keys once the handshake is confirmed");
  app.add_option("--ticket", client.ticket_file, "resume from this file and keep the new session ticket there")
      ->type_name("FILE");
  add_common(app, client.common, raw);
}

[[nodiscard]] Duration seconds_of(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

[[nodiscard]] std::expected<void, ParseExit> finish_common(CommonOptions& common, const Raw& raw) {
  ConnectionConfig& connection = common.connection;
  const auto known = [](std::span<const std::string_view> names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  };
  const bool ours = common.engine == "mpquic";
  const std::span<const std::string_view> controllers =
      ours ? congestion_controller_names() : peers::kNgtcp2Controllers;
  if (!known(controllers, connection.congestion_control))
    return usage(fmt::format("the {} engine has no congestion control '{}': use one of {}", common.engine,
                             connection.congestion_control, one_of(controllers)));
  if (!ours && (raw.scheduler || raw.no_pacing || raw.no_ecn || raw.max_paths > 1))
    return usage(
        "the ngtcp2 engine has one path, with ECN and pacing: no --scheduler, --max-paths, --no-ecn, --no-pacing");
  if (raw.scheduler) connection.scheduler = *raw.scheduler;
  if (!known(scheduler_names(), connection.scheduler))
    return usage(
        fmt::format("there is no scheduler '{}': use one of {}", connection.scheduler, one_of(scheduler_names())));
  if (!ours && !(common.qlog_directory.empty() && common.keylog_file.empty()))
    return usage("the ngtcp2 engine writes neither --qlog nor --keylog");
  const auto window = parse_size(raw.window);
  if (!window || *window < 16384) return usage(fmt::format("--window {}: want a size of at least 16K", raw.window));
  connection.max_data = *window;
  connection.max_stream_data = *window;
  connection.send_buffer = *window;
  connection.idle_timeout = seconds_of(raw.idle_timeout);
  connection.handshake_timeout = seconds_of(raw.handshake_timeout);
  connection.keep_alive = seconds_of(raw.keep_alive);
  if (raw.max_paths > 0) connection.max_paths = raw.max_paths;
  connection.active_migration = !raw.no_migration;
  connection.multipath = !raw.no_multipath;
  connection.ecn = !raw.no_ecn;
  connection.pacing = !raw.no_pacing;
  connection.discover_mtu = connection.max_datagram_size > connection.initial_datagram_size;
  common.segmentation_offload = !raw.no_offload;
  if (common.certificate_file.empty() != common.key_file.empty()) return usage("--cert and --key belong together");
  return {};
}

[[nodiscard]] std::expected<void, ParseExit> finish_server(ServerOptions& server, const Raw& raw) {
  if (auto common = finish_common(server.common, raw); !common) return common;
  if (server.self_signed == !server.common.certificate_file.empty())
    return usage("a server needs --cert FILE and --key FILE, or --self-signed");
  if (server.common.engine == "ngtcp2" && !server.client_ca_file.empty())
    return usage("the ngtcp2 engine cannot ask for client certificates");
  return {};
}

/// An address, perhaps with a zone: what is no name of a host.
[[nodiscard]] bool is_address(std::string_view text) {
  return IpAddress::parse(text.substr(0, text.find('%'))).has_value();
}

/// "https://host:port/path", "host:port", "[v6]:port", "host".
[[nodiscard]] std::expected<void, ParseExit> parse_target(ClientOptions& client, std::string_view text) {
  const std::string_view whole = text;
  const auto scheme = text.find("://");
  if (scheme != std::string_view::npos) {
    if (text.substr(0, scheme) != "https") return usage(fmt::format("'{}': the only scheme is https://", whole));
    text.remove_prefix(scheme + 3);
  }
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    if (slash + 1 < text.size()) client.documents.insert(client.documents.begin(), std::string(text.substr(slash)));
    text = text.substr(0, slash);
  }
  auto server = parse_host_port(text, kDefaultPort);
  if (!server) return usage(fmt::format("'{}' is neither HOST:PORT nor a URL{}", whole, server.error()));
  constexpr std::string_view kEscapedPercent = "%25";  // before a zone in a URL (RFC 6874 §2)
  if (const auto zone = server->host.find(kEscapedPercent);
      scheme != std::string_view::npos && zone != std::string::npos)
    server->host.replace(zone, kEscapedPercent.size(), "%");
  client.host = std::move(server->host);
  client.port = server->port;
  return {};
}

[[nodiscard]] std::expected<void, ParseExit> finish_transfer(ClientOptions& client, const Raw& raw) {
  if (!raw.bytes.empty()) {
    const auto size = parse_size(raw.bytes);
    if (!size) return usage(fmt::format("--bytes {}: not a size", raw.bytes));
    client.download = *size;
  }
  if (const auto size = parse_size(raw.upload)) {
    client.upload = *size;
  } else {
    client.upload_file = raw.upload;
  }
  const bool uploads = !raw.upload.empty();
  if (raw.duration == 0 && client.documents.empty() && raw.bytes.empty() && !uploads)
    return usage("nothing to transfer: give /PATH, --bytes, --upload or --duration");
  if (raw.duration > 0) {
    client.duration = seconds_of(raw.duration);
    if (client.documents.empty() && raw.bytes.empty() && !uploads) client.download = kForEver;
  }
  if (client.alpn.empty()) client.alpn = client.documents.empty() ? kPerfAlpn : kHqAlpn;
  const bool hq = client.alpn == kHqAlpn;
  if (hq && uploads) return usage("hq-interop cannot upload: use --alpn perf");
  if (!hq && !client.documents.empty()) return usage("perf has no documents: use --bytes, or --alpn hq-interop");
  for (const std::string& document : client.documents)
    if (!document.starts_with('/')) return usage(fmt::format("'{}' is no document: it must begin with /", document));
  return {};
}

[[nodiscard]] std::expected<void, ParseExit> finish_paths(ClientOptions& client, const Raw& raw) {
  if (client.paths.size() > kMaxPaths)
    return usage(fmt::format("{} times --path: there can be {} paths at most", client.paths.size(), kMaxPaths));
  if (raw.max_paths > 0 && client.paths.size() > raw.max_paths)
    return usage(fmt::format("--max-paths {} is less than the {} of --path", raw.max_paths, client.paths.size()));
  // Room for the extra paths, and for the one that replaces a broken one.
  const auto wanted = static_cast<std::uint32_t>(std::min(client.paths.size() + 1, kMaxPaths));
  std::uint32_t& max_paths = client.common.connection.max_paths;
  if (raw.max_paths == 0) max_paths = std::max(max_paths, wanted);
  if (raw.migrate.empty()) return {};
  const auto at = raw.migrate.rfind('@');
  const auto after = at == 0 || at == std::string::npos
                         ? std::nullopt
                         : parse_seconds(std::string_view(raw.migrate).substr(at + 1), 0, kLongestTime);
  if (!after) return usage(fmt::format("--migrate {}: want LOCAL@SECONDS, as in if:wan2@3", raw.migrate));
  client.migration = {raw.migrate.substr(0, at), seconds_of(*after)};
  return {};
}

[[nodiscard]] std::expected<void, ParseExit> finish_client(ClientOptions& client, const Raw& raw) {
  if (auto common = finish_common(client.common, raw); !common) return common;
  if (auto target = parse_target(client, raw.target); !target) return target;
  if (auto transfer = finish_transfer(client, raw); !transfer) return transfer;
  if (client.ca_file.empty() && client.pins.empty() && !client.insecure)
    return usage("whom to believe? give --ca FILE, --pin HEX or --insecure");
  if (client.common.engine == "ngtcp2") {
    if (client.paths.size() > 1) return usage("the ngtcp2 engine has one path");
    if (!raw.migrate.empty()) return usage("the ngtcp2 engine does not know --migrate");
    if (!client.pins.empty() || !client.ticket_file.empty())
      return usage("the ngtcp2 engine knows neither --pin nor --ticket");
  }
  if (client.server_name.empty()) client.server_name = client.host.substr(0, client.host.find('%'));  // no zone
  if (raw.progress || raw.no_progress) client.progress = raw.progress;
  client.digest = !raw.no_digest;
  if (raw.timeout > 0) client.timeout = seconds_of(raw.timeout);
  if (auto paths = finish_paths(client, raw); !paths) return paths;
  return {};
}

}  // namespace

std::expected<HostPort, std::string> parse_host_port(std::string_view text, std::uint16_t default_port) {
  HostPort result{.port = default_port};
  const auto colon = text.rfind(':');
  const auto bracket = text.find(']');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (has_port && !is_address(text)) {  // an IPv6 address without brackets has no port
    const std::string_view port = text.substr(colon + 1);
    const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), result.port);
    if (code != std::errc{} || end != port.data() + port.size() || result.port == 0)
      return std::unexpected(fmt::format(": '{}' is not a port", port));
    text = text.substr(0, colon);
  }
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
    if (!is_address(text)) return std::unexpected(fmt::format(": '{}' is not an IPv6 address", text));
  }
  if (text.empty() || (text.find_first_of("[]: @") != std::string_view::npos && !is_address(text)))
    return std::unexpected("");
  result.host = text;
  return result;
}

std::expected<Command, ParseExit> parse_command_line(int argc, const char* const* argv) {
  CLI::App app{std::string(kDescription), "mpquic-perf"};
  app.footer(std::string(kExamples));
  app.set_version_flag("--version", "mpquic-perf " MPQUIC_VERSION);
  app.require_subcommand(0, 1);  // one is missed below, where the message can name what stands in its place
  ServerOptions server;
  ClientOptions client;
  Raw raw;
  CLI::App& server_app = *app.add_subcommand("server", "answer hq-interop and perf requests");
  CLI::App& client_app = *app.add_subcommand("client", "transfer and measure");
  server_app.footer(std::string(kExamples));
  client_app.footer(std::string(kExamples));
  add_server(server_app, server, raw);
  add_client(client_app, client, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const CLI::App& asked = server_app.parsed() ? server_app : client_app.parsed() ? client_app : app;
    return std::unexpected(ParseExit{kExitOk, asked.help(&asked == &app ? "" : app.get_name())});
  } catch (const CLI::CallForVersion& version) {
    return std::unexpected(ParseExit{kExitOk, version.what()});
  } catch (const CLI::ExtrasError& error) {
    if (server_app.parsed() || client_app.parsed()) return usage(fmt::format("{} (see --help)", error.what()));
    return usage(fmt::format("there is no command '{}': use server or client (see --help)", argv[1]));
  } catch (const CLI::ParseError& error) {
    return usage(fmt::format("{} (see --help)", error.what()));
  }
  if (!server_app.parsed() && !client_app.parsed()) return usage("want a command: server or client (see --help)");
  if (server_app.parsed()) {
    if (auto finished = finish_server(server, raw); !finished) return std::unexpected(finished.error());
    return server;
  }
  if (auto finished = finish_client(client, raw); !finished) return std::unexpected(finished.error());
  return client;
}

}  // namespace mpquic::perf
