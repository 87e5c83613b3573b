// --qlog while strangers flood: files are for peers, and nobody else's are touched.
#include "tunnel/perf/trace_files.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <vector>

namespace mpquic::perf {
namespace {

namespace fs = std::filesystem;

ConnectionId id_of(std::uint32_t i) {
  const std::array<std::byte, 8> bytes{std::byte{1}, std::byte{2}, static_cast<std::byte>(i >> 8),
                                       static_cast<std::byte>(i)};
  return ConnectionId(bytes);
}

class TraceFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "mpquic-traces-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
    factory_ = make_qlog_files(directory_).value();
  }
  void TearDown() override { fs::remove_all(directory_); }

  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()));
  }
  [[nodiscard]] static std::size_t descriptors() {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
  }
  static void hear(trace::Sink& sink, EncryptionLevel level) {
    const trace::ConnectionStarted started;
    sink.on_event(&started, Instant{});
    const trace::PacketReceived received{.level = level, .path = {}, .number = {}, .size = 1200, .payload = {}};
    sink.on_event(&received, Instant{});
  }

  std::string directory_;
  std::unique_ptr<trace::SinkFactory> factory_;
};

TEST_F(TraceFilesTest, AStrangersInitialMakesNoFileAndAProvedAddressDoes) {
  std::vector<std::unique_ptr<trace::Sink>> sinks;
  for (std::uint32_t i = 0; i < 2000; ++i)
    if (auto sink = factory_->make_sink(Role::server, id_of(i))) {
      hear(*sink, EncryptionLevel::initial);
      sinks.push_back(std::move(sink));
    }
  EXPECT_EQ(files(), 0U);
  EXPECT_LT(sinks.size(), 2000U);  // those in memory are bounded too
  hear(*sinks[0], EncryptionLevel::handshake);
  EXPECT_EQ(files(), 1U);
  sinks.clear();
  EXPECT_EQ(files(), 1U);
  std::ifstream file(fs::directory_iterator(directory_)->path());
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  EXPECT_NE(text.find("\"packet_type\":\"initial\""), std::string::npos);  // what came before the file is in it
  EXPECT_NE(text.find("\"packet_type\":\"handshake\""), std::string::npos);
  EXPECT_NE(factory_->make_sink(Role::server, id_of(0)), nullptr);
}

TEST_F(TraceFilesTest, AnExistingFileIsNeverTouched) {
  const std::string name = directory_ + "/0102000000000000-server.sqlog";
  std::ofstream(name) << "precious";
  for (int i = 0; i < 3; ++i) hear(*factory_->make_sink(Role::server, id_of(0)), EncryptionLevel::handshake);
  EXPECT_EQ(files(), 4U);
  std::string text;
  std::ifstream(name) >> text;
  EXPECT_EQ(text, "precious");
}

TEST_F(TraceFilesTest, SoManyAreOpenAtOneTimeAndNoMore) {
  std::vector<std::unique_ptr<trace::Sink>> sinks;
  const std::size_t before = descriptors();
  for (std::uint32_t i = 0; i < 400; ++i) {
    auto sink = factory_->make_sink(Role::server, id_of(i));
    if (sink) hear(*sink, EncryptionLevel::one_rtt);
    sinks.push_back(std::move(sink));
  }
  EXPECT_EQ(descriptors() - before, kMaxOpenTraces);
  sinks.clear();
  EXPECT_EQ(descriptors(), before);
  EXPECT_EQ(files(), kMaxOpenTraces);
}

TEST_F(TraceFilesTest, AClientsFileIsThereFromTheBeginning) {
  const auto sink = factory_->make_sink(Role::client, id_of(0));
  EXPECT_EQ(files(), 1U);
}

}  // namespace
}  // namespace mpquic::perf
