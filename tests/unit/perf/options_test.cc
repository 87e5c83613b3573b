#include "tunnel/perf/options.h"

#include <gtest/gtest.h>

#include <vector>

#include "tunnel/perf/credentials.h"
#include "tunnel/perf/jobs.h"
#include "tunnel/perf/routes.h"

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

// RFC 4007 §11; in a URL the percent sign is escaped (RFC 6874 §2). The zone is no part of the server's name.
TEST(Options, LinkLocalTargetsNameTheirInterface) {
  const ClientOptions plain = client({"[fe80::1%eth0]:4433", "/1"});
  EXPECT_EQ(plain.host, "fe80::1%eth0");
  EXPECT_EQ(plain.port, 4433);
  EXPECT_EQ(plain.server_name, "fe80::1");
  EXPECT_EQ(client({"fe80::1%eth0", "/1"}).host, "fe80::1%eth0");
  EXPECT_EQ(client({"https://[fe80::1%25eth0]:4433/1"}).host, "fe80::1%eth0");
  EXPECT_NE(usage_error({"client", "[nonsense%eth0]:1", "/1", "--insecure"}).find("nonsense"), std::string::npos);
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

TEST(Options, OneArgumentIsTakenPerPathAndPin) {
  const ClientOptions options = client({"--path", "127.0.0.1", "--pin", "aa", "h:1", "/1"});
  EXPECT_EQ(options.paths, (std::vector<std::string>{"127.0.0.1"}));
  EXPECT_EQ(options.host, "h");
  EXPECT_EQ(options.documents, (std::vector<std::string>{"/1"}));
}

TEST(Options, NoTimeIsBeyondItsRange) {
  for (const char* option : {"--timeout", "--duration", "--idle-timeout", "--handshake-timeout", "--keep-alive"}) {
    for (const char* value : {"nan", "-nan", "NaN", "inf", "-1", "1e300", "1s", "", "0x10", "1,5"})
      EXPECT_NE(usage_error({"client", "h:1", "/1", "--insecure", option, value}).find(option), std::string::npos)
          << option << value;
  }
  for (const char* option : {"--streams", "--max-datagram", "--max-paths", "--window", "--bytes"}) {
    for (const char* value : {"nan", "inf", "-1", "1e3", "1.5", "99999999999999999999"})
      EXPECT_NE(usage_error({"client", "h:1", "--bytes", "1", "--insecure", option, value}).find(option),
                std::string::npos)
          << option << value;
  }
}

TEST(Options, LifetimeAndMigrationAreSettings) {
  const ClientOptions options = client(
      {"h:1", "/1", "--keep-alive", "2", "--handshake-timeout", "0.5", "--migrate", "if:a@b@1.5", "--max-paths", "5"});
  EXPECT_EQ(options.common.connection.keep_alive, 2s);
  EXPECT_EQ(options.common.connection.handshake_timeout, 500ms);
  EXPECT_EQ(options.common.connection.max_paths, 5U);
  ASSERT_TRUE(options.migration);
  EXPECT_EQ(options.migration->local, "if:a@b");
  EXPECT_EQ(options.migration->after, 1500ms);
  for (const char* wrong : {"if:a", "@1", "if:a@", "if:a@nan", "if:a@-1"})
    EXPECT_NE(usage_error({"client", "h:1", "/1", "--insecure", "--migrate", wrong}).find("LOCAL@SECONDS"),
              std::string::npos);
  const auto server =
      parse({"server", "--listen", "0.0.0.0:1", "--self-signed", "--no-migration", "--max-paths", "40"});
  ASSERT_TRUE(server);
  EXPECT_FALSE(std::get<ServerOptions>(*server).common.connection.active_migration);
  EXPECT_EQ(std::get<ServerOptions>(*server).common.connection.max_paths, 40U);
}

TEST(Options, MorePathsThanAllowedAreRefused) {
  const std::vector<const char*> three{"client",    "h:1",    "/1",     "--insecure", "--path",
                                       "127.0.0.1", "--path", "if:one", "--path",     "if:two"};
  std::vector<const char*> two = three;
  two.insert(two.end(), {"--max-paths", "2"});
  EXPECT_NE(usage_error(two).find("--max-paths 2"), std::string::npos);
  std::vector<const char*> many{"client", "h:1", "/1", "--insecure"};
  for (std::size_t i = 0; i <= kMaxPaths; ++i) many.insert(many.end(), {"--path", "127.0.0.1"});
  EXPECT_NE(usage_error(many).find("64"), std::string::npos);
}

TEST(Routes, SayWhereAPathArrives) {
  const auto routes = find_routes(client({"127.0.0.1:4433", "/1", "--path", "127.0.0.5", "--path", "if:lo", "--path",
                                          "127.0.0.6,server=127.0.0.9", "--path", "127.0.0.6,server=127.0.0.9:5"}));
  ASSERT_TRUE(routes) << routes.error().message;
  std::vector<std::string> arrivals;
  for (const Route& route : *routes) arrivals.push_back(route.server.to_string());
  EXPECT_EQ(arrivals, (std::vector<std::string>{"127.0.0.1:4433", "127.0.0.1:4433", "127.0.0.9:4433", "127.0.0.9:5"}));
  EXPECT_EQ((*routes)[1].local.device, "lo");
}

TEST(Routes, SayWhatIsWrongWithAPath) {
  for (const char* path : {"127.0.0.1,", "127.0.0.1,port=5", "127.0.0.1,server=", "127.0.0.1,server=h:0",
                           "::1,server=127.0.0.1", "nonsense", "if:nosuchdev0", "fe80::1%nosuchdev0"}) {
    const auto routes = find_routes(client({"127.0.0.1:4433", "/1", "--path", path}));
    ASSERT_FALSE(routes) << path;
    EXPECT_NE(routes.error().message.find(path), std::string::npos) << routes.error().message;
  }
  EXPECT_FALSE(find_routes(client({"0.0.0.0:4433", "/1"})));
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
  for (const char* controller : {"olia", "lia", "nosuch"})
    EXPECT_NE(usage_error({"client", "h:1", "/1", "--insecure", "--engine", "ngtcp2", "--cc", controller})
                  .find("bbr, bbr2, cubic, new_reno"),
              std::string::npos);
  EXPECT_NE(usage_error({"client", "h:1", "/1", "--insecure", "--cc", "bbr2"}).find("mpquic engine"),
            std::string::npos);
  for (const std::vector<const char*>& lacking : {std::vector{"--scheduler", "min_rtt"}, std::vector{"--no-ecn"},
                                                  std::vector{"--no-pacing"}, std::vector{"--max-paths", "2"}}) {
    std::vector<const char*> line = {"client", "h:1", "/1", "--insecure", "--engine", "ngtcp2"};
    line.insert(line.end(), lacking.begin(), lacking.end());
    EXPECT_NE(usage_error(line).find(lacking.front()), std::string::npos);
  }
  EXPECT_NE(usage_error({}).find("server or client"), std::string::npos);
  EXPECT_NE(usage_error({"frob"}).find("'frob'"), std::string::npos);
  EXPECT_NE(usage_error({"server", "--listen", "0.0.0.0:1", "--self-signed", "frob"}).find("frob"), std::string::npos);
  EXPECT_NE(usage_error({"client", "ftp://h:1/1", "--insecure"}).find("https"), std::string::npos);
  const std::string name(256, 'a');
  for (const char* sni : {"", name.c_str()})
    EXPECT_NE(usage_error({"client", "h:1", "/1", "--insecure", "--sni", sni}).find("--sni"), std::string::npos);
  EXPECT_NE(usage_error({"client", "h:1", "/1", "--insecure", "--nosuch"}).find("--nosuch"), std::string::npos);
}

TEST(Options, HelpShowsExamples) {
  for (const std::vector<const char*>& arguments :
       {std::vector<const char*>{"--help"}, std::vector<const char*>{"server", "--help"},
        std::vector<const char*>{"client", "--help"}}) {
    const auto help = parse(arguments);
    ASSERT_FALSE(help);
    EXPECT_EQ(help.error().code, kExitOk);
    EXPECT_NE(help.error().text.find("Examples:"), std::string::npos);
    EXPECT_EQ(help.error().text.find("{false}"), std::string::npos);
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

TEST(Jobs, AnOutputNeedsItsDirectory) {
  const auto plan = plan_jobs(client({"h:1", "/1", "--out", "/nosuch/directory/file"}));
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().find("/nosuch/directory"), std::string::npos);
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
  const Resumption saved{{std::byte{1}, std::byte{2}}, {std::byte{3}}, "192.0.2.1"};
  ASSERT_TRUE(save_resumption(path, saved));
  const auto loaded = load_resumption(path);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->ticket, saved.ticket);
  EXPECT_EQ(loaded->token, saved.token);
  EXPECT_EQ(loaded->token_address, saved.token_address);
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
