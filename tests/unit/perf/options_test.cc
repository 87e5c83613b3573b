#include "tunnel/perf/options.h"

#include <gtest/gtest.h>

#include <vector>

#include "tunnel/perf/credentials.h"
#include "tunnel/perf/jobs.h"

namespace mpquic::perf {
namespace {

using namespace std::chrono_literals;

std::expected<Command, ParseExit> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "mpquic-perf");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

ClientOptions client(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), {"client", "--insecure"});
  const auto command = parse(arguments);
  EXPECT_TRUE(command) << command.error().text;
  return command ? std::get<ClientOptions>(*command) : ClientOptions{};
}

std::string usage_error(std::vector<const char*> arguments) {
  const auto command = parse(std::move(arguments));
  EXPECT_FALSE(command);
  if (command) return "";
  EXPECT_EQ(command.error().code, kExitUsage);
  EXPECT_EQ(command.error().text.find('\n'), std::string::npos) << command.error().text;
  return command.error().text;
}

TEST(Options, TargetsAreHostsOrUrls) {
  EXPECT_EQ(client({"127.0.0.1:4433", "/1"}).port, 4433);
  EXPECT_EQ(client({"[::1]:4433", "/1"}).host, "::1");
  EXPECT_EQ(client({"::1", "/1"}).host, "::1");
  EXPECT_EQ(client({"example.net", "/1"}).port, 443);
  const ClientOptions url = client({"https://example.net:4433/a/b", "/c"});
  EXPECT_EQ(url.host, "example.net");
  EXPECT_EQ(url.port, 4433);
  EXPECT_EQ(url.documents, (std::vector<std::string>{"/a/b", "/c"}));
  EXPECT_EQ(url.server_name, "example.net");
}

TEST(Options, TheProtocolFollowsFromTheRequest) {
  EXPECT_EQ(client({"h:1", "/1"}).alpn, "hq-interop");
  EXPECT_EQ(client({"h:1", "--bytes", "1M"}).alpn, "perf");
  EXPECT_EQ(client({"h:1", "--bytes", "1M", "--alpn", "hq-interop"}).alpn, "hq-interop");
  EXPECT_EQ(client({"h:1", "--upload", "1M"}).upload, 1U << 20);
  EXPECT_EQ(client({"h:1", "--upload", "file"}).upload_file, "file");
}

TEST(Options, NumbersBecomeSettings) {
  const ClientOptions options = client({"h:1", "--bytes", "1K", "--window", "1M", "--idle-timeout", "2.5", "--timeout",
                                        "3", "--no-multipath", "--no-ecn", "--duration", "4"});
  EXPECT_EQ(options.common.connection.max_data, 1U << 20);
  EXPECT_EQ(options.common.connection.idle_timeout, 2500ms);
  EXPECT_FALSE(options.common.connection.multipath);
  EXPECT_FALSE(options.common.connection.ecn);
  EXPECT_EQ(options.timeout, 3s);
  EXPECT_EQ(options.duration, 4s);
}

TEST(Options, ManyPathsRaiseThePathLimit) {
  std::vector<const char*> arguments{"h:1", "--bytes", "1"};
  for (int i = 0; i < 12; ++i) arguments.insert(arguments.end(), {"--path", "127.0.0.1"});
  EXPECT_GE(client(arguments).common.connection.max_paths, 12U);
}

TEST(Options, MistakesAreExplainedInOneLine) {
  EXPECT_NE(usage_error({"client", "h:1", "/1"}).find("--insecure"), std::string::npos);
  EXPECT_NE(usage_error({"client", "h:1", "--insecure"}).find("nothing to transfer"), std::string::npos);
  EXPECT_NE(usage_error({"client", "h:port", "/1", "--insecure"}).find("port"), std::string::npos);
  EXPECT_NE(usage_error({"client", "h:1", "1", "--insecure"}).find("begin with /"), std::string::npos);
  EXPECT_NE(usage_error({"client", "h:1", "--bytes", "many", "--insecure"}).find("many"), std::string::npos);
  EXPECT_NE(usage_error({"client", "h:1", "/1", "--cc", "nosuch", "--insecure"}).find("cubic"), std::string::npos);
  EXPECT_NE(usage_error({"client", "h:1", "/1", "--scheduler", "nosuch", "--insecure"}).find("min_rtt"),
            std::string::npos);
  EXPECT_NE(usage_error({"client", "h:1", "/1", "--upload", "5", "--insecure"}).find("hq-interop"), std::string::npos);
  EXPECT_NE(usage_error({"server", "--listen", "0.0.0.0:1"}).find("--self-signed"), std::string::npos);
  EXPECT_NE(usage_error({"server", "--self-signed"}).find("--listen"), std::string::npos);
  EXPECT_NE(
      usage_error({"server", "--listen", "a:1", "--cert", "x", "--key", "y", "--self-signed"}).find("--self-signed"),
      std::string::npos);
  for (const char* trace : {"--qlog", "--keylog"}) {
    EXPECT_NE(usage_error({"client", "h:1", "/1", "--insecure", "--engine", "ngtcp2", trace, "x"}).find(trace),
              std::string::npos);
    EXPECT_NE(
        usage_error({"server", "--listen", "0.0.0.0:1", "--self-signed", "--engine", "ngtcp2", trace, "x"}).find(trace),
        std::string::npos);
  }
  usage_error({});
  usage_error({"client", "h:1", "/1", "--insecure", "--nosuch"});
}

TEST(Options, HelpShowsExamples) {
  for (const std::vector<const char*>& arguments :
       {std::vector<const char*>{"--help"}, std::vector<const char*>{"server", "--help"},
        std::vector<const char*>{"client", "--help"}}) {
    const auto help = parse(arguments);
    ASSERT_FALSE(help);
    EXPECT_EQ(help.error().code, kExitOk);
    EXPECT_NE(help.error().text.find("Examples:"), std::string::npos);
  }
}

TEST(Jobs, OnePerStreamOrPerDocument) {
  const auto streams = plan_jobs(client({"h:1", "--bytes", "1K", "--streams", "4"}));
  ASSERT_TRUE(streams);
  EXPECT_EQ(streams->jobs.size(), 4U);
  EXPECT_EQ(streams->concurrency, 4U);
  EXPECT_EQ(streams->jobs[3].download, 1024U);
  const auto documents = plan_jobs(client({"h:1", "/1", "/2", "/3", "--streams", "2"}));
  ASSERT_TRUE(documents);
  EXPECT_EQ(documents->jobs.size(), 3U);
  EXPECT_EQ(documents->concurrency, 2U);
}

TEST(Jobs, HashUnlessToldNotTo) {
  EXPECT_TRUE(plan_jobs(client({"h:1", "/1"}))->digest);
  EXPECT_FALSE(plan_jobs(client({"h:1", "/1", "--no-digest"}))->digest);
}

TEST(Jobs, OutputsOfSeveralDocumentsStayInTheirDirectory) {
  const std::string directory = testing::TempDir() + "mpquic-jobs";
  const auto plan = plan_jobs(client({"h:1", "/a/..", "/x/y?z", "/q/y", "--out", directory.c_str()}));
  ASSERT_TRUE(plan) << plan.error();
  EXPECT_EQ(plan->jobs[0].output, directory + "/index");
  EXPECT_EQ(plan->jobs[1].output, directory + "/y");
  EXPECT_EQ(plan->jobs[2].output, directory + "/y.1");
}

TEST(Resumptions, SurviveTheirFile) {
  const std::string path = testing::TempDir() + "mpquic-ticket";
  const Resumption saved{{std::byte{1}, std::byte{2}}, {std::byte{3}}};
  ASSERT_TRUE(save_resumption(path, saved));
  const auto loaded = load_resumption(path);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->ticket, saved.ticket);
  EXPECT_EQ(loaded->token, saved.token);
  EXPECT_TRUE(load_resumption(path + ".missing")->ticket.empty());
}

TEST(Resumptions, OfForeignFilesAreRefused) {
  const std::string path = testing::TempDir() + "mpquic-no-ticket";
  for (const std::string& text :
       {std::string(""), std::string("hello"), std::string("mpquic-resumption-1\n\xff\xff\xff\xff")}) {
    ASSERT_TRUE(io::write_file_atomically(path, text));
    EXPECT_FALSE(load_resumption(path)) << text;
  }
}

}  // namespace
}  // namespace mpquic::perf
