#include "io/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>

#include "io/system_clock.h"
#include "io/system_rng.h"

namespace mpquic::io {
namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "mpquic-files-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::string path(const std::string& name) const { return root_ + "/" + name; }
  std::string root_;
};

TEST_F(Files, AreReadWhole) {
  ASSERT_TRUE(write_file_atomically(path("a"), "hello"));
  const auto text = read_file(path("a"));
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "hello");
}

TEST_F(Files, ErrorsNameTheFileAndTheReason) {
  const auto missing = read_file(path("missing"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "cannot read " + path("missing") + ": No such file or directory");
  EXPECT_FALSE(read_file(root_));
  ASSERT_TRUE(write_file_atomically(path("a"), "hello"));
  EXPECT_FALSE(read_file(path("a"), 4));
  EXPECT_FALSE(write_file_atomically(path("no/such/directory"), "x"));
  EXPECT_FALSE(make_directories(path("a/b")));
}

TEST_F(Files, ReplacedAtomicallyLeaveNothingElseBehind) {
  ASSERT_TRUE(write_file_atomically(path("a"), "one"));
  ASSERT_TRUE(write_file_atomically(path("a"), "two"));
  EXPECT_EQ(read_file(path("a")).value_or(""), "two");
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(root_)) ++entries;
  EXPECT_EQ(entries, 1U);
}

TEST_F(Files, NewOnesTakeTheirNameOnceComplete) {
  ASSERT_TRUE(write_file_atomically(path("a"), "old"));
  {
    auto file = NewFile::create(path("a"));
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->append(as_bytes("half")));
    NewFile moved = std::move(*file);
    EXPECT_EQ(read_file(path("a")).value_or(""), "old");
  }
  EXPECT_EQ(read_file(path("a")).value_or(""), "old");
  auto file = NewFile::create(path("a"));
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->append(as_bytes("ne")));
  ASSERT_TRUE(file->append(as_bytes("w")));
  ASSERT_TRUE(file->commit());
  EXPECT_EQ(read_file(path("a")).value_or(""), "new");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(root_), {}), 1);
}

TEST_F(Files, LinksAndDevicesAreWrittenInPlace) {
  ASSERT_TRUE(write_file_atomically(path("a"), "one"));
  std::filesystem::create_symlink(path("a"), path("link"));
  ASSERT_TRUE(write_file_atomically(path("link"), "two"));
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  EXPECT_EQ(read_file(path("a")).value_or(""), "two");
  std::filesystem::create_symlink("/dev/null", path("null"));
  ASSERT_TRUE(write_file_atomically(path("null"), "three"));
  EXPECT_TRUE(std::filesystem::is_character_file(path("null")));
  EXPECT_FALSE(NewFile::create(root_));  // a directory
}

TEST_F(Files, SecretsAreForTheirOwnerOnly) {
  ASSERT_TRUE(write_file_atomically(path("ticket"), "secret", true));
  struct stat info {};
  ASSERT_EQ(stat(path("ticket").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
}

TEST_F(Files, AreReadAtOffsets) {
  auto out = File::create(path("data"));
  ASSERT_TRUE(out);
  ASSERT_TRUE(out->append(as_bytes("0123")));
  ASSERT_TRUE(out->append(as_bytes("456789")));
  EXPECT_EQ(out->size(), 10U);
  const auto in = File::open(path("data"));
  ASSERT_TRUE(in);
  EXPECT_EQ(in->size(), 10U);
  std::array<std::byte, 4> part{};
  ASSERT_TRUE(in->read_at(3, part));
  EXPECT_EQ(as_text(part), "3456");
  EXPECT_FALSE(in->read_at(8, part));  // two bytes left
}

TEST_F(Files, OfADirectoryCannotBeEscaped) {
  ASSERT_TRUE(make_directories(path("root/sub")));
  ASSERT_TRUE(write_file_atomically(path("secret"), "secret"));
  ASSERT_TRUE(write_file_atomically(path("root/sub/file"), "public"));
  std::filesystem::create_symlink("../secret", path("root/up"));
  std::filesystem::create_symlink(path("secret"), path("root/absolute"));
  std::filesystem::create_symlink("sub/file", path("root/inside"));
  ASSERT_EQ(mkfifo(path("root/fifo").c_str(), 0600), 0);

  const auto root = Directory::open(path("root"));
  ASSERT_TRUE(root);
  EXPECT_TRUE(root->open_file("sub/file"));
  EXPECT_TRUE(root->open_file("inside"));
  const std::string absolute = path("secret");
  const std::string zero("sub/file\0.txt", 13);
  for (const std::string& name :
       {std::string("../secret"), std::string("sub/../../secret"), std::string("up"), std::string("absolute"), absolute,
        std::string("sub"), std::string("."), std::string("fifo"), std::string(""), std::string("missing"), zero})
    EXPECT_FALSE(root->open_file(name)) << name;
  EXPECT_FALSE(Directory::open(path("root/sub/file")));
  EXPECT_FALSE(Directory::open(path("nowhere")));
}

TEST(SystemClockTest, DoesNotGoBack) {
  Instant last = SystemClock::now();
  for (int i = 0; i < 1000; ++i) {
    const Instant now = SystemClock::now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(SystemRngTest, FillsSmallAndLargeBuffersDifferentlyEachTime) {
  SystemRng rng;
  for (const std::size_t size : {8U, 100U, 511U, 512U, 513U, 5000U}) {
    std::vector<std::byte> a(size);
    std::vector<std::byte> b(size);
    rng.fill(a);
    rng.fill(b);
    EXPECT_NE(a, b) << size;
    EXPECT_NE(a, std::vector<std::byte>(size)) << size;
  }
}

}  // namespace
}  // namespace mpquic::io
