// What the qvis viewer is given, of every frame that a trace can hold.
#include "sim/trace/qvis.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "stack/trace/qlog.h"
#include "tests/unit/wire/frame_samples.h"

namespace mpquic::sim {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class QvisTest : public ::testing::Test {
 protected:
  QvisTest() { fs::create_directories(directory_); }
  ~QvisTest() override { fs::remove_all(directory_); }

  [[nodiscard]] std::string file(const std::string& name) const { return (directory_ / name).string(); }
  [[nodiscard]] json converted(const std::string& name) const {
    std::ifstream in(file(name), std::ios::binary);
    return json::parse(in, nullptr, false);
  }
  /// A trace of one record behind the header.
  [[nodiscard]] std::string error_of(const std::string& header, const std::string& event) const {
    std::ofstream(file("odd.sqlog"), std::ios::trunc) << "\x1e" << header << "\n\x1e" << event << "\n";
    const auto files = convert_for_qvis(file("odd.sqlog"), directory_.string());
    return files ? "" : files.error();
  }

  fs::path directory_ =
      fs::path(::testing::TempDir()) / ::testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(QvisTest, TakesEveryFrameThatATraceCanHold) {
  const auto samples = mpquic::testing::frame_samples();
  {
    std::ofstream out(file("all.sqlog"), std::ios::binary);
    trace::QlogSink sink(
        Role::client, ConnectionId(as_bytes("abcd")), [&out](std::string_view record) { out << record; }, Instant{});
    std::uint64_t number = 0;
    for (const auto& sample : samples) {
      const trace::PacketSent sent{.path = PathId{0}, .number = PacketNumber{number++}, .payload = Bytes(sample.bytes)};
      sink.on_event(&sent, Instant{});
    }
  }
  const auto files = convert_for_qvis(file("all.sqlog"), directory_.string());
  ASSERT_TRUE(files) << files.error();
  const json log = converted("all-path0.qlog");
  ASSERT_FALSE(log.is_discarded());
  const json& events = log["traces"][0]["events"];
  ASSERT_EQ(events.size(), samples.size()) << "every sample's packet";
  for (std::size_t i = 0; i < samples.size(); ++i)
    for (const json& frame : events[i]["data"]["frames"]) {
      const std::string& type = frame["frame_type"].get_ref<const std::string&>();
      EXPECT_FALSE(frame.contains("raw")) << samples[i].name;
      const bool has_data = type == "datagram" || type == "numbered_datagram" || type == "stream" || type == "crypto";
      EXPECT_TRUE(!has_data || frame["length"].is_number_unsigned()) << samples[i].name;
    }
}

TEST_F(QvisTest, SaysWhichRecordHasMembersOfAnotherKind) {
  const std::string header = R"({"trace":{"common_fields":{"group_id":"ab"}}})";
  const std::string sent = R"({"time":0,"name":"quic:packet_sent","data":{"header":{"path_id":0},"frames":)";
  EXPECT_EQ(error_of(header, sent + R"([{"frame_type":"ping"}]}})"), "");
  for (const char* frames : {"[1]", R"(["ping"])", R"([{"frame_type":7}])", "[null]"})
    EXPECT_THAT(error_of(header, sent + frames + "}}"), HasSubstr("odd.sqlog: record 1: ")) << frames;
  EXPECT_THAT(error_of(R"({"trace":{"common_fields":5}})", sent + "[]}}"), HasSubstr("odd.sqlog: record 0: "));
  EXPECT_THAT(error_of(R"({"trace":{"common_fields":{"group_id":5}}})", sent + "[]}}"), HasSubstr("record 0: "));
}

}  // namespace
}  // namespace mpquic::sim
