// client SERVER CA.PEM PATH LOCAL...: one download by hq-interop over all these local addresses at once.
// The server's certificate names "localhost".
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/event_loop.h"
#include "io/system_clock.h"
#include "io/system_rng.h"
#include "stack/crypto/tls_provider.h"
#include "stack/endpoint/endpoint.h"

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  std::ifstream ca(argv[2]);
  mpquic::TlsConfig tls{.alpn = {"hq-interop"}};
  tls.trust.ca_pem.assign(std::istreambuf_iterator<char>(ca), {});
  const auto provider = mpquic::make_tls_provider(tls);
  const auto server = mpquic::SocketAddress::parse(argv[1]);
  if (!provider || !server) return 2;

  mpquic::io::SystemRng rng;
  mpquic::Endpoint endpoint({}, rng);                    // the core: no sockets, no clock
  auto loop = *mpquic::io::EventLoop::create(endpoint);  // its host
  std::vector<mpquic::FourTuple> paths;
  for (int i = 4; i < argc; ++i) {
    const auto local = loop->add_socket({.local = {*mpquic::IpAddress::parse(argv[i]), 0}});
    if (local) paths.push_back({*local, *server});
  }
  const auto now = mpquic::io::SystemClock::now();
  const auto connection = *endpoint.connect({.tuple = paths.at(0), .server_name = "localhost", .tls = *provider}, now);
  for (std::size_t i = 1; i < paths.size(); ++i) (void)endpoint.open_path(connection, paths[i], now);
  const std::string request = std::string("GET ") + argv[3] + "\r\n";

  std::optional<mpquic::StreamId> stream;
  bool done = false;
  loop->set_handler([&](mpquic::Instant at) {
    while (const auto event = endpoint.poll_event()) {  // edge-triggered: take everything that there is
      if (std::holds_alternative<mpquic::HandshakeCompleted>(event->what)) {
        stream = *endpoint.open_stream(connection, mpquic::Directionality::bidirectional);
        (void)endpoint.write(connection, *stream, std::as_bytes(std::span(request)), true);
      }
      if (std::holds_alternative<mpquic::ConnectionClosed>(event->what)) loop->stop();
    }
    while (stream && !done) {
      const auto piece = endpoint.peek(connection, *stream);
      if (!piece || (piece->data.empty() && !piece->fin)) break;
      done = piece->fin;
      std::fwrite(piece->data.data(), 1, piece->data.size(), stdout);
      endpoint.consume(connection, *stream, piece->data.size());
    }
    if (done) endpoint.close(connection, 0, "done", at);
  });
  (void)loop->run();
  return done ? 0 : 1;
}
