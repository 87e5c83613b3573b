// mpquic-perf from end to end, in one process: server and client over real sockets on 127.0.0.0/8.
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "io/files.h"
#include "io/system_rng.h"
#include "io/udp_socket.h"
#include "stack/crypto/certificate.h"
#include "tunnel/perf/credentials.h"
#include "tunnel/perf/run.h"

namespace mpquic::perf {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr std::uint64_t kSize = 2'000'000;

struct Outcome {
  int server = -1;
  int client = -1;
  int second_client = -1;
  json server_report;
  json report;
};

class Program : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "mpquic-program-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    io::SystemRng rng;
    const auto identity = make_self_signed({}, rng);
    ASSERT_TRUE(identity) << identity.error();
    ASSERT_TRUE(io::write_file_atomically(path("cert.pem"), identity->certificate_pem));
    ASSERT_TRUE(io::write_file_atomically(path("key.pem"), identity->private_key_pem, true));
    server_.once = true;
    server_.common.certificate_file = path("cert.pem");
    server_.common.key_file = path("key.pem");
    server_.common.json_file = path("server.json");
    client_.host = "127.0.0.1";
    client_.server_name = "localhost";
    client_.ca_file = path("cert.pem");
    client_.alpn = "perf";
    client_.progress = false;
    client_.timeout = 60s;
    client_.common.json_file = path("client.json");
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  void use_paths(int count) {
    for (int i = 1; i <= count; ++i) client_.paths.push_back("127.0.0." + std::to_string(i));
  }

  Outcome run() {
    server_.listen.insert(server_.listen.begin(), "127.0.0.1:0");
    Outcome outcome;
    std::promise<std::uint16_t> listening;
    auto port = listening.get_future();  // throws if the server ends without one
    std::jthread server([&, listening = std::move(listening)] mutable {
      outcome.server = run_server(server_, [&, first = true](const SocketAddress& local) mutable {
        if (std::exchange(first, false)) listening.set_value(local.port);
      });
      server_.listen.erase(server_.listen.begin());
    });
    client_.port = port.get();
    outcome.client = run_client(client_);
    if (second_client_) {
      second_client_->port = client_.port;
      outcome.second_client = run_client(*second_client_);
    }
    server.join();
    outcome.server_report = report("server.json");
    outcome.report = report("client.json");
    return outcome;
  }

  json report(const std::string& name) const {
    const auto text = io::read_file(path(name));
    return text ? json::parse(*text) : json();
  }

  ServerOptions server_;
  ClientOptions client_;
  std::optional<ClientOptions> second_client_;  // after the first one

 private:
  std::string directory_;
};

void expect_done(const Outcome& outcome, std::uint64_t bytes) {
  EXPECT_EQ(outcome.client, kExitOk) << outcome.report.dump(2);
  EXPECT_EQ(outcome.server, kExitOk) << outcome.server_report.dump(2);
  EXPECT_EQ(outcome.report.value("bytes", 0U), bytes);
}

TEST_F(Program, DownloadsOverOnePath) {
  client_.alpn = "hq-interop";
  client_.documents = {"/2000000"};
  const Outcome outcome = run();
  expect_done(outcome, kSize);
  ASSERT_EQ(outcome.report["paths"].size(), 1U);
  EXPECT_GE(outcome.report["paths"][0].value("bytes_received", 0U), kSize);
  EXPECT_EQ(outcome.report["documents"].size(), 1U);
}

TEST_F(Program, UsesSixPathsDown) {
  use_paths(6);
  client_.download = 10 * kSize;
  const Outcome outcome = run();
  expect_done(outcome, 10 * kSize);
  EXPECT_TRUE(outcome.report.value("multipath", false));
  ASSERT_EQ(outcome.report["paths"].size(), 6U);
  for (const json& path : outcome.report["paths"]) {
    EXPECT_TRUE(path.value("validated", false)) << path.dump(2);
    EXPECT_GT(path.value("bytes_received", 0U), 0U) << path.dump(2);
  }
}

TEST_F(Program, UsesSixPathsUpAndProvesWhatArrived) {
  use_paths(6);
  client_.upload = 10 * kSize;
  const Outcome outcome = run();
  expect_done(outcome, 10 * kSize);
  EXPECT_EQ(outcome.server_report["connections"][0].value("sha256", "server"),
            outcome.report.value("sha256", "client"));
}

TEST_F(Program, WorksWithoutOffloadsAndThroughRetry) {
  server_.retry = true;
  server_.common.segmentation_offload = client_.common.segmentation_offload = false;
  client_.download = client_.upload = kSize;
  expect_done(run(), 2 * kSize);
}

TEST_F(Program, UpdatesKeysInTheMiddle) {
  client_.key_update = true;
  client_.download = kSize;
  const Outcome outcome = run();
  expect_done(outcome, kSize);
  EXPECT_GE(outcome.report.value("key_updates", 0U), 1U);
}

TEST_F(Program, FallsBackToOnePathWhereThePeerHasNoMultipath) {
  server_.common.connection.multipath = false;
  use_paths(3);
  client_.download = kSize;
  const Outcome outcome = run();
  expect_done(outcome, kSize);
  EXPECT_FALSE(outcome.report.value("multipath", true));
}

TEST_F(Program, KeepsTheSessionTicket) {
  client_.ticket_file = path("ticket");
  client_.download = 1000;
  expect_done(run(), 1000);
  const auto resumption = load_resumption(client_.ticket_file);
  ASSERT_TRUE(resumption) << resumption.error();
  EXPECT_FALSE(resumption->ticket.empty());
}

TEST_F(Program, WritesTracesAndKeys) {
  client_.common.qlog_directory = path("qlog");
  client_.common.keylog_file = path("keys");
  client_.download = kSize;
  expect_done(run(), kSize);
  const auto keys = io::read_file(path("keys"));
  ASSERT_TRUE(keys);
  EXPECT_NE(keys->find("CLIENT_TRAFFIC_SECRET_0"), std::string::npos);
  std::size_t traces = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path("qlog"))) {
    ++traces;
    EXPECT_GT(entry.file_size(), 1000U);
  }
  EXPECT_EQ(traces, 1U);
}

TEST_F(Program, BelievesOnlyThePinnedKeyAndAFailedHandshakeIsNotTheOnlyConnection) {
  client_.download = 1000;
  second_client_ = client_;  // what --once waits for
  second_client_->common.json_file = path("second.json");
  client_.ca_file.clear();
  client_.pins = {std::string(64, '0')};
  const Outcome outcome = run();
  EXPECT_EQ(outcome.client, kExitFailed);
  EXPECT_NE(outcome.report.value("error", "").find("CRYPTO_ERROR"), std::string::npos);
  EXPECT_EQ(outcome.second_client, kExitOk);
  EXPECT_EQ(outcome.server, kExitOk) << outcome.server_report.dump(2);
  EXPECT_EQ(outcome.server_report["connections"].size(), 2U);
}

TEST_F(Program, SaysWhichDocumentIsMissingAndLeavesNoFile) {
  client_.alpn = "hq-interop";
  client_.documents = {"/nosuch"};
  ASSERT_TRUE(io::make_directories(path("out")));
  client_.output = path("out") + "/document";
  const Outcome outcome = run();
  EXPECT_EQ(outcome.client, kExitFailed);
  EXPECT_NE(outcome.report.value("error", "").find("/nosuch"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(path("out")));
}

TEST_F(Program, ReplacesTheOutputOnlyByAWholeDocument) {
  client_.alpn = "hq-interop";
  ASSERT_TRUE(io::make_directories(path("out")));
  client_.output = path("out") + "/document";
  ASSERT_TRUE(io::write_file_atomically(client_.output, "old"));
  client_.documents = {"/nosuch"};
  EXPECT_EQ(run().client, kExitFailed);
  EXPECT_EQ(io::read_file(client_.output).value_or(""), "old");
  client_.documents = {"/2000000"};
  expect_done(run(), kSize);
  EXPECT_EQ(std::filesystem::file_size(client_.output), kSize);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path("out")), {}), 1);
}

TEST_F(Program, NoticesAtOnceThatNobodyListensOnAnyPath) {
  client_.port = 9;  // discard: not on loopback
  client_.download = 1000;
  for (const int paths : {0, 2}) {
    use_paths(paths);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(run_client(client_), kExitFailed);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
    EXPECT_NE(report("client.json").value("error", "").find("connection refused"), std::string::npos);
  }
}

/// Where datagrams vanish: a socket that nobody reads.
class BlackHole {
 public:
  BlackHole() : socket_(std::move(*io::UdpSocket::open({.local = {IpAddress::v4({127, 0, 0, 1}), 0}}))) {}
  [[nodiscard]] std::string address() const { return socket_->local_address().to_string(); }

 private:
  std::unique_ptr<io::UdpSocket> socket_;
};

TEST_F(Program, ADeadFirstPathIsReplacedByTheNext) {
  const BlackHole silent;
  for (const std::string& dead : {silent.address(), std::string("127.0.0.1:9")}) {
    client_.paths = {"127.0.0.1,server=" + dead, "127.0.0.2"};
    client_.download = kSize;
    const Outcome outcome = run();
    expect_done(outcome, kSize);
    EXPECT_LT(outcome.report.value("handshake_seconds", 9.0), 3.0);
    EXPECT_EQ(outcome.report["paths"][0].value("local", "").rfind("127.0.0.2:", 0), 0U) << outcome.report.dump(2);
  }
}

TEST_F(Program, EveryPathIsNamedWhereNoneReachesTheServer) {
  const BlackHole silent;
  client_.paths = {"127.0.0.1,server=" + silent.address(), "127.0.0.2,server=127.0.0.1:9"};
  client_.port = 9;
  client_.download = 1000;
  client_.common.connection.handshake_timeout = 1s;
  EXPECT_EQ(run_client(client_), kExitFailed);
  const std::string error = report("client.json").value("error", "");
  EXPECT_NE(error.find("over 127.0.0.1,server=" + silent.address()), std::string::npos) << error;
  EXPECT_NE(error.find("over 127.0.0.2,server=127.0.0.1:9: 127.0.0.1:9: connection refused"), std::string::npos)
      << error;
}

TEST_F(Program, PathsOfBothFamiliesCarryOneConnection) {
  const auto v6 = io::UdpSocket::open({.local = {IpAddress::parse("::1").value_or(IpAddress{}), 0}});
  if (!v6) GTEST_SKIP() << "no IPv6 on this machine";
  const std::string second = (*v6)->local_address().to_string();  // a port that is free once the socket is closed
  const_cast<std::unique_ptr<io::UdpSocket>&>(*v6).reset();
  server_.listen = {second};
  client_.paths = {"127.0.0.1", "::1,server=" + second};
  client_.download = 10 * kSize;
  const Outcome outcome = run();
  expect_done(outcome, 10 * kSize);
  ASSERT_EQ(outcome.report["paths"].size(), 2U);
  std::size_t over_v6 = 0;
  for (const json& path : outcome.report["paths"]) over_v6 += path.value("remote", "") == second ? 1 : 0;
  EXPECT_EQ(over_v6, 1U);
  for (const json& path : outcome.report["paths"]) EXPECT_GT(path.value("bytes_received", 0U), 0U) << path.dump(2);
}

TEST_F(Program, LearnsHowManyPathsTheServerAllows) {
  server_.common.connection.max_paths = 2;
  use_paths(4);
  client_.download = kSize;
  const Outcome outcome = run();
  expect_done(outcome, kSize);
  EXPECT_EQ(outcome.report.value("path_limit", 0U), 2U);
  EXPECT_EQ(outcome.report["paths"].size(), 2U);
}

TEST_F(Program, MovesItsFirstPath) {
  client_.migration = {"127.0.0.9", 100ms};
  client_.duration = 1s;
  client_.download = 1U << 30;
  const Outcome outcome = run();
  EXPECT_EQ(outcome.client, kExitOk);
  EXPECT_EQ(outcome.report["paths"][0].value("local", "").rfind("127.0.0.9:", 0), 0U) << outcome.report.dump(2);
}

TEST_F(Program, RefusesAReportThatCannotBeWrittenBeforeItBegins) {
  client_.port = 9;
  client_.common.json_file = path("missing") + "/client.json";
  client_.download = 1000;
  EXPECT_EQ(run_client(client_), kExitUsage);
  server_.listen = {"127.0.0.1:0"};
  server_.common.json_file = path("missing") + "/server.json";
  EXPECT_EQ(run_server(server_), kExitUsage);
}

TEST_F(Program, ComplainsAboutConfigurationWithExitCodeTwo) {
  client_.port = 9;
  client_.paths = {"if:nosuchdev0"};
  EXPECT_EQ(run_client(client_), kExitUsage);
  client_.paths.clear();
  client_.ca_file = path("missing");
  EXPECT_EQ(run_client(client_), kExitUsage);
  server_.listen = {"nonsense"};
  EXPECT_EQ(run_server(server_), kExitUsage);
}

#ifdef MPQUIC_HAVE_NGTCP2
// RFC 9000 in other hands, over real UDP, in both directions.
TEST_F(Program, ClientTalksToNgtcp2) {
  server_.common.engine = "ngtcp2";
  client_.alpn = "hq-interop";
  client_.documents = {"/2000000", "/1000"};
  expect_done(run(), kSize + 1000);
}

TEST_F(Program, ServerTalksToNgtcp2) {
  client_.common.engine = "ngtcp2";
  client_.download = kSize;
  expect_done(run(), kSize);
}

TEST_F(Program, Ngtcp2ClientUploads) {  // the answer is a bare FIN
  client_.common.engine = "ngtcp2";
  client_.alpn = "perf";
  client_.upload = kSize;
  expect_done(run(), kSize);
}
#endif

}  // namespace
}  // namespace mpquic::perf
