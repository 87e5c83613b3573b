// Files: configuration in, documents and reports out. Errors name the file and say why.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/descriptor.h"
#include "io/error.h"
#include "stack/base/bytes.h"

namespace mpquic::io {

inline constexpr std::size_t kMaxConfigFile = 16U << 20;

/// A whole regular file (certificates, keys, tickets, configuration) of at most `limit` bytes.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t limit = kMaxConfigFile);
/// Readers see the old contents or the new, never a part: a temporary file in the same directory, renamed.
/// `secret` keeps others from reading it (mode 0600).
[[nodiscard]] Result<void> write_file_atomically(const std::string& path, std::string_view contents,
                                                 bool secret = false);
/// Creates a directory and its parents.
[[nodiscard]] Result<void> make_directories(const std::string& path);
[[nodiscard]] bool is_directory(const std::string& path);
[[nodiscard]] bool is_terminal(int fd);

/// A regular file that is read or written at offsets.
class File {
 public:
  /// Creates or empties `path` for writing.
  [[nodiscard]] static Result<File> create(const std::string& path);
  /// The same, but an error (EEXIST) where there is anything of that name.
  [[nodiscard]] static Result<File> create_new(const std::string& path);
  [[nodiscard]] static Result<File> open(const std::string& path);
  /// Adds to the end of `path`, created for its owner only: logs of secrets.
  [[nodiscard]] static Result<File> open_secret_log(const std::string& path);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// Reads exactly `out.size()` bytes at `offset`; an error if the file has become shorter.
  [[nodiscard]] Result<void> read_at(std::uint64_t offset, MutableBytes out) const;
  [[nodiscard]] Result<void> append(Bytes data);

 private:
  friend class Directory;
  File(Descriptor fd, std::string name, std::uint64_t size) : fd_(std::move(fd)), name_(std::move(name)), size_(size) {}
  [[nodiscard]] static Result<File> from(Descriptor fd, std::string name);
  Descriptor fd_;
  std::string name_;
  std::uint64_t size_ = 0;
};

/// A file that takes its name only once it is complete: until commit() it is a temporary one in the same directory, and
/// without commit() it is gone. What exists and is no regular file (a device, a pipe, a link) is written in place, but
/// for secrets.
class NewFile {
 public:
  /// `secret` keeps others from reading it (mode 0600).
  [[nodiscard]] static Result<NewFile> create(const std::string& path, bool secret = false);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&& other) noexcept;
  ~NewFile() { discard(); }
  [[nodiscard]] Result<void> append(Bytes data);
  [[nodiscard]] Result<void> commit();

 private:
  NewFile(Descriptor fd, std::string path, std::string temporary)
      : fd_(std::move(fd)), path_(std::move(path)), temporary_(std::move(temporary)) {}
  void discard();
  Descriptor fd_;
  std::string path_;
  std::string temporary_;  // empty: nothing to rename or to remove
};

/// A directory whose files may be read by names that strangers choose.
class Directory {
 public:
  [[nodiscard]] static Result<Directory> open(const std::string& path);
  /// Regular files only, and only beneath this directory: neither "..", absolute names nor symbolic links lead out of
  /// it (openat2, RESOLVE_BENEATH).
  [[nodiscard]] Result<File> open_file(std::string_view relative) const;

 private:
  explicit Directory(Descriptor fd) : fd_(std::move(fd)) {}
  Descriptor fd_;
};

}  // namespace mpquic::io
