#include "io/files.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace mpquic::io {
namespace {

constexpr mode_t kPublicMode = 0644;
constexpr mode_t kSecretMode = 0600;

[[nodiscard]] Result<void> write_all(int fd, Bytes data, const std::string& name) {
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot write " + name, errno);
    data = data.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

Result<File> File::from(Descriptor fd, std::string name) {
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return system_error("cannot read " + name, errno);
  if (!S_ISREG(info.st_mode)) return failure("cannot read " + name + ": not a regular file");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  return File(std::move(fd), std::move(name), size);
}

Result<File> File::open(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // a FIFO must not hang us
  if (!fd) return system_error("cannot read " + path, errno);
  return from(std::move(fd), path);
}

Result<File> File::create(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kPublicMode));
  if (!fd) return system_error("cannot write " + path, errno);
  return File(std::move(fd), path, 0);
}

Result<File> File::create_new(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kPublicMode));
  if (!fd) return system_error("cannot write " + path, errno);
  return File(std::move(fd), path, 0);
}

Result<File> File::open_secret_log(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, kSecretMode));
  if (!fd) return system_error("cannot write " + path, errno);
  return File(std::move(fd), path, 0);
}

Result<void> File::read_at(std::uint64_t offset, MutableBytes out) const {
  while (!out.empty()) {
    const ssize_t n = pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot read " + name_, errno);
    if (n == 0) return failure("cannot read " + name_ + ": it has become shorter");
    offset += static_cast<std::uint64_t>(n);
    out = out.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> File::append(Bytes data) {
  auto written = write_all(fd_.get(), data, name_);
  if (written) size_ += data.size();
  return written;
}

Result<NewFile> NewFile::create(const std::string& path, bool secret) {
  struct stat info {};
  if (!secret && lstat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kPublicMode));
    if (!fd) return system_error("cannot write " + path, errno);
    return NewFile(std::move(fd), path, {});
  }
  std::string temporary = path + ".XXXXXX";
  Descriptor fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return system_error("cannot write " + path, errno);
  NewFile file(std::move(fd), path, std::move(temporary));
  if (fchmod(file.fd_.get(), secret ? kSecretMode : kPublicMode) != 0)
    return system_error("cannot write " + path, errno);
  return file;
}

NewFile::NewFile(NewFile&& other) noexcept
    : fd_(std::move(other.fd_)), path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})) {}

NewFile& NewFile::operator=(NewFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(temporary_, other.temporary_);
  return *this;
}

Result<void> NewFile::append(Bytes data) { return write_all(fd_.get(), data, path_); }

Result<void> NewFile::commit() {
  if (temporary_.empty()) return {};
  if (rename(temporary_.c_str(), path_.c_str()) != 0) return system_error("cannot write " + path_, errno);
  temporary_.clear();
  return {};
}

void NewFile::discard() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

Result<Directory> Directory::open(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return system_error("cannot open directory " + path, errno);
  return Directory(std::move(fd));
}

Result<File> Directory::open_file(std::string_view relative) const {
  const std::string name(relative);
  if (name.empty() || name.find('\0') != std::string::npos) return failure("not a file name");
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  Descriptor fd(static_cast<int>(syscall(SYS_openat2, fd_.get(), name.c_str(), &how, sizeof how)));
  if (!fd) return system_error("cannot read " + name, errno);
  return File::from(std::move(fd), name);
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  auto file = File::open(path);
  if (!file) return std::unexpected(std::move(file).error());
  if (file->size() > limit) return failure("cannot read " + path + ": larger than " + std::to_string(limit) + " bytes");
  std::string contents(static_cast<std::size_t>(file->size()), '\0');
  auto read = file->read_at(0, std::as_writable_bytes(std::span(contents)));
  if (!read) return std::unexpected(std::move(read).error());
  return contents;
}

Result<void> write_file_atomically(const std::string& path, std::string_view contents, bool secret) {
  auto file = NewFile::create(path, secret);
  if (!file) return std::unexpected(std::move(file).error());
  if (auto written = file->append(as_bytes(contents)); !written) return written;
  return file->commit();
}

Result<void> make_directories(const std::string& path) {
  std::error_code code;
  std::filesystem::create_directories(path, code);
  if (code) return system_error("cannot create directory " + path, code.value());
  return {};
}

bool is_directory(const std::string& path) {
  std::error_code code;
  return std::filesystem::is_directory(path, code);
}

bool is_terminal(int fd) { return isatty(fd) == 1; }

}  // namespace mpquic::io
