#include "tunnel/perf/routes.h"

#include <fmt/format.h>

namespace mpquic::perf {
namespace {

using Family = IpAddress::Family;

[[nodiscard]] Family other_family(Family family) { return family == Family::v6 ? Family::v4 : Family::v6; }

[[nodiscard]] std::unexpected<io::Error> nowhere(const IpAddress& ip) {
  return io::failure(ip.to_string() + " is where servers listen, not where one is");
}

struct PathOption {
  std::string local;
  HostPort server;
};

[[nodiscard]] io::Result<PathOption> parse_path(const std::string& text, const ClientOptions& options) {
  constexpr std::string_view kServer = "server=";
  PathOption path{.local = text.substr(0, text.find(',')), .server = {options.host, options.port}};
  if (path.local.size() == text.size()) return path;
  const std::string_view rest = std::string_view(text).substr(path.local.size() + 1);
  if (!rest.starts_with(kServer)) return io::failure("there is only ',server=' to add");
  auto server = parse_host_port(rest.substr(kServer.size()), options.port);
  if (!server) return io::failure(fmt::format("the server is not HOST[:PORT]{}", server.error()));
  path.server = std::move(*server);
  return path;
}

/// The path in one address family; any of the server's for none.
[[nodiscard]] io::Result<Route> find_route(const PathOption& path, Family family) {
  const auto ip = io::resolve_host(path.server.host, family);
  if (!ip) return std::unexpected(ip.error());
  if (ip->is_unspecified()) return nowhere(*ip);
  auto binding = io::resolve_binding(path.local, ip->family());
  if (!binding) return std::unexpected(std::move(binding).error());
  // A link-local server without a zone is the one on this path's link.
  const IpAddress server = ip->zone() == 0 ? ip->in_zone(binding->link) : *ip;
  return Route{{}, std::move(*binding), {server, path.server.port}};
}

[[nodiscard]] io::Result<Route> find_route(const std::string& text, const ClientOptions& options) {
  const auto path = parse_path(text, options);
  if (!path) return std::unexpected(path.error());
  const auto address = IpAddress::parse(path->local.substr(0, path->local.find('%')));
  auto route = find_route(*path, address ? address->family() : Family::none);
  if (route || address) return route;
  const auto ip = io::resolve_host(path->server.host, Family::none);
  if (!ip) return route;
  auto other = find_route(*path, other_family(ip->family()));
  return other ? other : route;  // the first attempt's error says more
}

[[nodiscard]] io::Result<Route> default_route(const ClientOptions& options) {
  const auto ip = io::resolve_host(options.host, Family::none);
  if (!ip) return std::unexpected(ip.error());
  if (ip->is_unspecified()) return nowhere(*ip);
  const SocketAddress server{*ip, options.port};
  const auto source = io::route_source(server);
  if (!source) return std::unexpected(source.error());
  return Route{source->to_string(), {*source}, server};
}

}  // namespace

io::Result<std::vector<Route>> find_routes(const ClientOptions& options) {
  std::vector<Route> routes;
  if (options.paths.empty()) {
    auto route = default_route(options);
    if (!route) return std::unexpected(std::move(route).error());
    routes.push_back(std::move(*route));
  }
  for (const std::string& text : options.paths) {
    auto route = find_route(text, options);
    if (!route) return io::failure(fmt::format("--path {}: {}", text, route.error().message));
    route->name = text;
    routes.push_back(std::move(*route));
  }
  return routes;
}

}  // namespace mpquic::perf
