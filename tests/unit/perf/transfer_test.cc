// Client and server applications over a Transport that is only memory.
#include <gtest/gtest.h>

#include <filesystem>

#include "io/files.h"
#include "tests/unit/perf/fake_transport.h"
#include "tunnel/perf/client_app.h"
#include "tunnel/perf/server_app.h"

namespace mpquic::perf {
namespace {

using fakes::FakeTransport;
using fakes::kConnection;
using namespace std::chrono_literals;

std::string content(std::uint64_t size) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  fill_content(0, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

std::string sha256(std::string_view text) {
  Sha256 hash;
  hash.update(as_bytes(text));
  return hash.finish();
}

class Transfer : public testing::Test {
 protected:
  void SetUp() override {
    FakeTransport::join(client_side_, server_side_);
    std::string name = testing::TempDir() + "mpquic-perf-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void connect(std::string_view alpn) {
    server_side_.push(Accepted{});
    for (FakeTransport* side : {&server_side_, &client_side_})
      side->push(HandshakeCompleted{std::string(alpn), false, true});
  }
  void pump() {
    while (const auto event = server_side_.poll_event()) server().on_event(*event, now_);
    while (const auto event = client_side_.poll_event())
      if (client_) client_->on_event(*event, now_);
    if (client_) client_->on_turn(now_);
  }
  /// Runs until nothing happens any more.
  void run(std::size_t per_stream = 10000) {
    for (int turn = 0; turn < 100000; ++turn) {
      now_ += 1ms;
      pump();
      const bool up = client_side_.deliver(per_stream);
      const bool down = server_side_.deliver(per_stream);
      if (!up && !down) break;
    }
    pump();
  }
  void start(std::string_view alpn, ClientAppOptions options) {
    client_.emplace(client_side_, std::move(options));
    client_->set_connection(kConnection);
    connect(alpn);
  }
  /// Sends raw bytes on a new stream as a foreign client would.
  StreamId send(std::string_view bytes, bool fin) {
    const StreamId id = *client_side_.open_stream(kConnection, Directionality::bidirectional);
    EXPECT_EQ(client_side_.write(kConnection, id, as_bytes(bytes), fin), bytes.size());
    return id;
  }
  std::string answer(StreamId id) {
    const auto piece = client_side_.peek(kConnection, id);
    EXPECT_TRUE(piece && piece->fin);
    return piece ? std::string(as_text(piece->data)) : "";
  }
  ServerApp& server() {
    if (!server_) server_.emplace(server_side_, std::move(server_options_));
    return *server_;
  }

  Instant now_{};
  FakeTransport client_side_{Role::client};
  FakeTransport server_side_{Role::server};
  ServerAppOptions server_options_;
  std::optional<ServerApp> server_;
  std::optional<ClientApp> client_;
  std::string directory_;
};

TEST_F(Transfer, DownloadsASyntheticDocument) {
  start(kHqAlpn, {.jobs = {{.path = "/1M"}}});
  run();
  ASSERT_TRUE(client_->done());
  EXPECT_FALSE(client_->failure());
  EXPECT_EQ(client_->bytes_downloaded(), 1U << 20);
  ASSERT_EQ(client_->results().size(), 1U);
  EXPECT_EQ(client_->results()[0].sha256, sha256(content(1 << 20)));
  EXPECT_TRUE(client_->handshake()->multipath);
}

TEST_F(Transfer, DownloadsManyDocumentsAFewAtATime) {
  ClientAppOptions options{.jobs = {}, .concurrency = 3};
  for (int i = 0; i < 20; ++i) options.jobs.push_back({.path = "/" + std::to_string(i * 1000)});
  start(kHqAlpn, std::move(options));
  run();
  ASSERT_TRUE(client_->done());
  ASSERT_EQ(client_->results().size(), 20U);
  for (const JobResult& result : client_->results()) EXPECT_EQ(result.sha256, sha256(content(result.downloaded)));
}

TEST_F(Transfer, HashesNothingWhereNobodyWantsIt) {
  start(kPerfAlpn, {.jobs = {{.download = 5000, .upload = 7000}}, .digest = false});
  run();
  ASSERT_TRUE(client_->done());
  ASSERT_EQ(client_->results().size(), 1U);
  EXPECT_EQ(client_->bytes_downloaded(), 5000U);
  EXPECT_EQ(client_->results()[0].sha256, "");
  EXPECT_EQ(client_->results()[0].upload_sha256, "");
}

TEST_F(Transfer, WaitsForStreamCredit) {
  client_side_.max_streams = 1;
  start(kHqAlpn, {.jobs = {{.path = "/10"}, {.path = "/20"}}, .concurrency = 2});
  run();
  EXPECT_FALSE(client_->done());
  client_side_.max_streams = 2;
  client_side_.push(StreamsAvailable{});
  run();
  EXPECT_TRUE(client_->done());
  EXPECT_EQ(client_->bytes_downloaded(), 30U);
}

TEST_F(Transfer, ServesFilesAndWritesThem) {
  ASSERT_TRUE(io::make_directories(directory_ + "/root/sub"));
  const std::string text = content(300000);
  ASSERT_TRUE(io::write_file_atomically(directory_ + "/root/sub/file", text));
  auto root = io::Directory::open(directory_ + "/root");
  ASSERT_TRUE(root);
  server_options_.root = std::move(*root);
  const std::string output = directory_ + "/out";
  start(kHqAlpn, {.jobs = {{.path = "/sub/file", .output = output}}});
  run();
  EXPECT_FALSE(client_->failure()) << *client_->failure();
  EXPECT_EQ(io::read_file(output).value_or(""), text);
}

TEST_F(Transfer, NamesTheDocumentThatDoesNotExist) {
  ASSERT_TRUE(io::make_directories(directory_ + "/root"));
  ASSERT_TRUE(io::write_file_atomically(directory_ + "/secret", "secret"));
  auto root = io::Directory::open(directory_ + "/root");
  server_options_.root = std::move(*root);
  start(kHqAlpn, {.jobs = {{.path = "/../secret"}}});
  run();
  ASSERT_TRUE(client_->failure());
  EXPECT_NE(client_->failure()->find("/../secret"), std::string::npos);
  EXPECT_NE(client_->failure()->find("not found"), std::string::npos);
}

TEST_F(Transfer, PerfCarriesBytesBothWays) {
  start(kPerfAlpn, {.jobs = {{.download = 500000, .upload = 700000}}});
  run();
  ASSERT_TRUE(client_->done());
  EXPECT_FALSE(client_->failure());
  EXPECT_EQ(client_->bytes_downloaded(), 500000U);
  EXPECT_EQ(client_->bytes_uploaded(), 700000U);
  EXPECT_EQ(client_->results()[0].upload_sha256, sha256(content(700000)));
  client_side_.close(kConnection, kNoError, "", now_);
  run();
  const auto records = server().take_finished();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].last_upload_sha256, client_->results()[0].upload_sha256);
  EXPECT_EQ(records[0].bytes_sent, 500000U);
  EXPECT_EQ(records[0].bytes_received, 700000U + kPerfHeader);
}

// The FIN of the response proves that the upload has arrived.
TEST_F(Transfer, PerfEndsItsResponseAfterTheUpload) {
  connect(kPerfAlpn);
  const auto header = perf_request(5);
  const StreamId id = send(as_text(header), false);
  run();
  const auto piece = client_side_.peek(kConnection, id);
  ASSERT_TRUE(piece);
  EXPECT_EQ(piece->data.size(), 5U);
  EXPECT_FALSE(piece->fin);
  ASSERT_TRUE(client_side_.write(kConnection, id, {}, true));
  run();
  EXPECT_TRUE(client_side_.peek(kConnection, id)->fin);
}

TEST_F(Transfer, PerfUploadsFiles) {
  const std::string text = content(123456);
  ASSERT_TRUE(io::write_file_atomically(directory_ + "/in", text));
  start(kPerfAlpn, {.jobs = {{.upload_file = directory_ + "/in"}}});
  run();
  EXPECT_FALSE(client_->failure());
  EXPECT_EQ(client_->results()[0].upload_sha256, sha256(text));
}

TEST_F(Transfer, StopsWhenTheTimeIsUp) {
  start(kPerfAlpn, {.jobs = {{.download = 1ULL << 50}}, .duration = 50ms});
  run(1000);
  ASSERT_TRUE(client_->done());
  EXPECT_FALSE(client_->failure());
  EXPECT_GT(client_->bytes_downloaded(), 10000U);
  EXPECT_EQ(client_->results()[0].downloaded, client_->bytes_downloaded());
  EXPECT_EQ(client_->ended() - client_->established(), 50ms);
}

TEST_F(Transfer, RepeatsShortJobsUntilTheTimeIsUp) {
  start(kHqAlpn, {.jobs = {{.path = "/100"}}, .duration = 50ms});
  run();
  ASSERT_TRUE(client_->done());
  EXPECT_GT(client_->results().size(), 5U);
}

TEST_F(Transfer, FailsWithTheQuicErrorInOneLine) {
  start(kHqAlpn, {.jobs = {{.path = "/1G"}}});
  client_side_.push(ConnectionClosed{CloseSource::peer, false, 0x130, "no\ncommon alpn"});
  pump();
  ASSERT_TRUE(client_->failure());
  EXPECT_EQ(*client_->failure(),
            "the peer closed the connection: CRYPTO_ERROR 0x130 (TLS alert unknown_ca): no?common alpn");
}

TEST_F(Transfer, FailsOnAnUnknownProtocol) {
  start("h3", {.jobs = {{.path = "/1"}}});
  run();
  EXPECT_TRUE(client_->failure());
  EXPECT_EQ(server_side_.closed, kInternalError);
}

// Clients of the interop runner end requests in different ways.
TEST_F(Transfer, AnswersRequestLinesOfEveryDialect) {
  connect(kHqAlpn);
  const std::pair<std::string, bool> dialects[] = {
      {"GET /9\r\n", true}, {"GET /9\n", true}, {"GET /9", true}, {"GET /9\r\n", false}};
  for (const auto& [request, fin] : dialects) {
    const StreamId id = send(request, fin);
    run(3);  // in pieces
    EXPECT_EQ(answer(id), content(9)) << request;
  }
}

TEST_F(Transfer, ResetsMalformedRequests) {
  connect(kHqAlpn);
  const std::string long_line = "GET /" + std::string(kMaxRequestLine, 'a');
  for (const std::string& request :
       {std::string("POST /9\r\n"), std::string("GET 9\r\n"), std::string("GET /9 HTTP/1.1\r\n"),
        std::string("GET /9\r\nGET /9\r\n"), std::string("\r\n"), std::string(""), long_line}) {
    const StreamId id = send(request, request != long_line);
    run();
    EXPECT_EQ(server_side_.resets[id], kMalformedRequest) << request.substr(0, 20);
  }
  EXPECT_EQ(server_side_.stops.size(), 1U);  // only where the request had not ended
}

TEST_F(Transfer, ResetsPerfRequestsWithoutAWholeHeader) {
  connect(kPerfAlpn);
  const StreamId short_header = send("1234567", true);
  const StreamId huge = send(std::string(8, '\xff'), true);
  run();
  EXPECT_EQ(server_side_.resets[short_header], kMalformedRequest);
  EXPECT_EQ(server_side_.resets[huge], kMalformedRequest);
}

TEST_F(Transfer, RefusesStreamsThatTheProtocolsDoNotHave) {
  connect(kHqAlpn);
  const StreamId id = *client_side_.open_stream(kConnection, Directionality::unidirectional);
  EXPECT_TRUE(client_side_.write(kConnection, id, as_bytes("GET /9\r\n"), false));
  run();
  EXPECT_EQ(server_side_.stops[id], kMalformedRequest);
}

TEST_F(Transfer, ForgetsRequestsThatTheClientCancels) {
  connect(kPerfAlpn);
  const StreamId id = send(as_text(perf_request(1 << 30)), false);
  pump();
  EXPECT_TRUE(client_side_.deliver(100));
  pump();
  client_side_.reset_stream(kConnection, id, kCancelled);
  pump();
  EXPECT_EQ(server_side_.resets[id], kCancelled);
}

// However many large responses are asked for: what waits in send buffers stays within the budget.
TEST_F(Transfer, KeepsToTheSendBudgetOfAConnection) {
  server_side_.send_buffer = 10000;
  server_options_.stream_send_buffer = 10000;
  server_options_.connection_send_budget = 45000;
  ClientAppOptions options{.jobs = {}, .concurrency = 50};
  for (int i = 0; i < 50; ++i) options.jobs.push_back({.path = "/50000"});
  start(kHqAlpn, std::move(options));
  run(1000);
  ASSERT_TRUE(client_->done());
  EXPECT_FALSE(client_->failure());
  EXPECT_EQ(client_->bytes_downloaded(), 50U * 50000);
  EXPECT_LE(server_side_.most_buffered, 45000U);
  EXPECT_GT(server_side_.most_buffered, 30000U);
}

// Who waits for the send budget holds no descriptor, nor who is done but not acknowledged.
TEST_F(Transfer, OnlyResponsesThatGoOutHoldTheirFileOpen) {
  namespace fs = std::filesystem;
  const auto descriptors = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  const std::string text = content(50000);
  ASSERT_TRUE(io::write_file_atomically(directory_ + "/file", text));
  server_side_.send_buffer = 10000;
  server_options_.root = io::Directory::open(directory_).value();
  server_options_.stream_send_buffer = 10000;
  server_options_.connection_send_budget = 45000;
  ClientAppOptions options{.jobs = {}, .concurrency = 50};
  for (int i = 0; i < 50; ++i) options.jobs.push_back({.path = "/file"});
  start(kHqAlpn, std::move(options));
  const auto before = descriptors();
  auto most = before;
  for (int turn = 0; turn < 100'000 && !client_->done(); ++turn) {
    now_ += 1ms;
    pump();
    most = std::max(most, descriptors());
    const bool up = client_side_.deliver(1000);
    const bool down = server_side_.deliver(1000);
    if (!up && !down) break;
  }
  pump();
  ASSERT_TRUE(client_->done());
  EXPECT_FALSE(client_->failure());
  EXPECT_EQ(client_->bytes_downloaded(), 50U * 50000);
  EXPECT_LE(most - before, 5);
}

TEST_F(Transfer, AFileThatGoesWhileItsRequestWaitsIsNotFound) {
  ASSERT_TRUE(io::write_file_atomically(directory_ + "/file", content(50000)));
  server_side_.send_buffer = 10000;
  server_options_.root = io::Directory::open(directory_).value();
  server_options_.connection_send_budget = 1;
  start(kHqAlpn, {.jobs = {{.path = "/50000"}, {.path = "/file"}, {.path = "/20000"}}, .concurrency = 3});
  pump();
  client_side_.deliver(1000);
  pump();
  std::filesystem::remove(directory_ + "/file");
  run(1000);
  EXPECT_EQ(server_side_.resets.size(), 1U);
  EXPECT_EQ(server_side_.resets.begin()->second, kNotFound);
}

TEST_F(Transfer, ShutsDownWithoutError) {
  start(kHqAlpn, {.jobs = {{.path = "/1G"}}});
  pump();
  server().shut_down(now_);
  pump();
  EXPECT_EQ(server().open_connections(), 0U);
  EXPECT_TRUE(client_->failure());
}

}  // namespace
}  // namespace mpquic::perf
