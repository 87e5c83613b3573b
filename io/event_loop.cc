#include "io/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "io/system_clock.h"

namespace mpquic::io {
namespace {

constexpr int kEventsPerTurn = 64;
constexpr std::size_t kTrainsPerRound = 16;      // then the application looks at its events
constexpr std::size_t kRoundsPerTurn = 4;        // then the sockets are read again
constexpr std::size_t kErrorsPerTurn = 16;       // of one socket
constexpr std::size_t kMaxHeldBytes = 4U << 20;  // for a full socket; the core stops long before, once it is told
constexpr Duration kLongestWait = std::chrono::hours(1);

}  // namespace

struct EventLoop::Socket {
  struct Held {
    Transmit transmit;
    std::size_t offset = 0;  // in `bytes`
    std::size_t size = 0;
  };

  explicit Socket(std::unique_ptr<DatagramSocket> datagrams) : io(std::move(datagrams)) {}
  [[nodiscard]] bool full() const { return !held.empty(); }

  std::unique_ptr<DatagramSocket> io;
  std::vector<Held> held;  // waits for room, oldest first
  std::vector<std::byte> bytes;
  std::vector<SocketAddress> blocked;  // the local addresses that the core was told about
};

struct EventLoop::Watch {
  int fd = -1;  // -1: to be forgotten
  Handler on_readable;
};

Result<std::unique_ptr<EventLoop>> EventLoop::create(PacketIo& io) {
  Descriptor epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return system_error("cannot create an epoll instance", errno);
  Descriptor wakeup(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wakeup) return system_error("cannot create an eventfd", errno);
  std::unique_ptr<EventLoop> loop(new EventLoop(io, std::move(epoll), std::move(wakeup)));
  auto watched = loop->watch(loop->wakeup_.get(), [raw = loop.get()](Instant) {
    std::uint64_t count = 0;
    raw->stop_requested_ = read(raw->wakeup_.get(), &count, sizeof count) == sizeof count;
  });
  if (!watched) return std::unexpected(std::move(watched).error());
  return loop;
}

EventLoop::EventLoop(PacketIo& io, Descriptor epoll, Descriptor wakeup)
    : io_(io),
      epoll_(std::move(epoll)),
      wakeup_(std::move(wakeup)),
      send_buffer_(std::make_unique<std::byte[]>(kMaxDatagram)) {}

EventLoop::~EventLoop() = default;

Result<SocketAddress> EventLoop::add_socket(const UdpSocketOptions& options) {
  auto socket = UdpSocket::open(options);
  if (!socket) return std::unexpected(std::move(socket).error());
  const SocketAddress local = (*socket)->local_address();
  if (!options.device.empty() || local.ip.zone() != 0)
    if (auto watched = watch_interfaces(); !watched) return std::unexpected(std::move(watched).error());
  if (auto added = add_socket(std::move(*socket)); !added) return std::unexpected(std::move(added).error());
  return local;
}

Result<void> EventLoop::add_socket(std::unique_ptr<DatagramSocket> socket) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = socket->fd();
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket->fd(), &event) != 0)
    return system_error("cannot poll a socket", errno);
  sockets_.push_back(std::make_unique<Socket>(std::move(socket)));
  return {};
}

Result<void> EventLoop::watch_interfaces() {
  if (interfaces_) return {};
  auto created = InterfaceWatch::create();
  if (!created) return std::unexpected(std::move(created).error());
  interfaces_ = std::move(*created);
  return watch(interfaces_->fd(), [this](Instant) {
    interfaces_->clear();
    reopen_sockets();
  });
}

void EventLoop::reopen_sockets() {
  for (const auto& socket : sockets_) {
    if (!socket->io->reopen()) continue;  // closing the old descriptor took it out of the epoll set
    epoll_event event{};
    event.events = socket->full() ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.fd = socket->io->fd();
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket->io->fd(), &event);
  }
}

void EventLoop::remove_socket(const SocketAddress& local) {
  const auto it = std::ranges::find_if(sockets_, [&](const auto& s) { return s->io->local_address() == local; });
  if (it == sockets_.end()) return;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, (*it)->io->fd(), nullptr);
  for (const SocketAddress& blocked : (*it)->blocked)
    io_.set_writable(blocked, true);  // what it sends will fail instead
  sockets_.erase(it);
}

Result<void> EventLoop::watch(int fd, Handler on_readable) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return system_error("cannot poll a descriptor", errno);
  watches_.push_back(std::make_unique<Watch>(fd, std::move(on_readable)));
  return {};
}

void EventLoop::unwatch(int fd) {
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  for (const auto& watch : watches_)
    if (watch->fd == fd) watch->fd = -1;  // its handler may be running: forgotten at the end of the turn
}

Result<void> EventLoop::run() { return loop(Until::stopped, std::nullopt); }

Result<void> EventLoop::run_until(Instant end) { return loop(Until::stopped, end); }

Result<void> EventLoop::drain(Duration limit) { return loop(Until::idle, SystemClock::now() + limit); }

void EventLoop::stop() {
  const std::uint64_t one = 1;
  static_cast<void>(!write(wakeup_.get(), &one, sizeof one));  // fails only where a stop is pending already
}

Result<void> EventLoop::loop(Until until, Deadline end) {
  more_to_send_ = true;  // the core may have been called before
  for (;;) {
    if (auto turned = turn(end); !turned) return turned;
    if (std::exchange(stop_requested_, false) || expired(end, SystemClock::now())) return {};
    if (until == Until::idle && !more_to_send_ && !io_.next_deadline()) return {};
  }
}

Result<void> EventLoop::turn(Deadline end) {
  std::array<epoll_event, kEventsPerTurn> events;
  const int ready = wait(end, events);
  if (ready < 0 && errno != EINTR) return system_error("cannot wait for events", errno);
  ++counters_.turns;
  for (int i = 0; i < ready; ++i) dispatch(events[static_cast<std::size_t>(i)]);
  std::erase_if(watches_, [](const auto& watch) { return watch->fd < 0; });

  const Instant now = SystemClock::now();
  if (expired(io_.next_deadline(), now)) io_.on_deadline(now);
  if (expired(application_deadline_, now)) application_deadline_.reset();

  more_to_send_ = true;
  for (std::size_t round = 0; round < kRoundsPerTurn && more_to_send_; ++round) {
    if (handler_) handler_(SystemClock::now());
    more_to_send_ = transmit();
  }
  return {};
}

int EventLoop::wait(Deadline end, std::span<epoll_event> events) {
  const int capacity = static_cast<int>(events.size());
  const Deadline deadline = earlier(earlier(io_.next_deadline(), application_deadline_), end);
  Duration timeout = kLongestWait;
  if (more_to_send_)
    timeout = Duration::zero();
  else if (deadline)
    timeout = std::clamp(*deadline - SystemClock::now(), Duration::zero(), kLongestWait);

  if (has_pwait2_) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
    const timespec ts{seconds.count(), (timeout - seconds).count()};
    const int ready = epoll_pwait2(epoll_.get(), events.data(), capacity, &ts, nullptr);
    if (ready >= 0 || errno != ENOSYS) return ready;
    has_pwait2_ = false;  // Linux before 5.11: milliseconds must do
  }
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(timeout);
  return epoll_wait(epoll_.get(), events.data(), capacity, static_cast<int>(milliseconds.count()));
}

void EventLoop::dispatch(const epoll_event& event) {
  const int fd = event.data.fd;
  const auto socket = std::ranges::find_if(sockets_, [fd](const auto& s) { return s->io->fd() == fd; });
  if (socket != sockets_.end()) {
    if ((event.events & EPOLLERR) != 0) report_errors(**socket);
    if ((event.events & EPOLLIN) != 0) receive(**socket);
    if ((event.events & EPOLLOUT) != 0) flush(**socket);
    return;
  }
  for (std::size_t i = 0; i < watches_.size(); ++i)  // a handler may add watches
    if (watches_[i]->fd == fd) return watches_[i]->on_readable(SystemClock::now());
}

void EventLoop::receive(Socket& socket) {
  for (const ReceivedTrain& train : socket.io->receive(batch_)) {
    ++counters_.trains_received;
    counters_.bytes_received += train.bytes.size();
    io_.receive(train, SystemClock::now());
  }
}

void EventLoop::report_errors(Socket& socket) {
  for (std::size_t i = 0; i < kErrorsPerTurn; ++i) {
    const auto error = socket.io->next_error();
    if (!error) return;
    fail({.tuple = error->tuple}, error->failure);
  }
}

bool EventLoop::transmit() {
  const MutableBytes out(send_buffer_.get(), kMaxDatagram);
  for (std::size_t i = 0; i < kTrainsPerRound; ++i) {
    const auto train = io_.poll_transmit(out, SystemClock::now());
    if (!train) return i > 0;
    if (Socket* socket = socket_for(train->tuple.local); socket == nullptr) {
      ++counters_.trains_dropped;
      fail(*train, TransmitFailure::unreachable);
    } else if (socket->full()) {
      hold(*socket, *train, out.first(train->size));
    } else {
      send(*socket, *train, out.first(train->size));
    }
  }
  return true;
}

void EventLoop::send(Socket& socket, const Transmit& transmit, Bytes bytes) {
  const SendResult result = socket.io->send(transmit, bytes);
  account(transmit, result);
  if (result.status != SendStatus::blocked) return;
  ++counters_.sends_blocked;
  hold(socket, transmit, bytes.subspan(result.taken));
  poll_writable(socket, true);
}

void EventLoop::account(const Transmit& transmit, const SendResult& result) {
  if (result.taken > 0) ++counters_.trains_sent;
  counters_.bytes_sent += result.taken;
  if (result.status != SendStatus::failed) return;
  ++counters_.sends_failed;
  fail(transmit, result.failure);
}

void EventLoop::fail(const Transmit& transmit, TransmitFailure failure) {
  io_.on_transmit_failed(transmit, failure, SystemClock::now());
  if (on_failure_) on_failure_({transmit.tuple, failure});
}

void EventLoop::hold(Socket& socket, const Transmit& transmit, Bytes rest) {
  if (socket.bytes.size() + rest.size() > kMaxHeldBytes) {
    ++counters_.trains_dropped;
    return;
  }
  socket.held.push_back({transmit, socket.bytes.size(), rest.size()});
  socket.bytes.insert(socket.bytes.end(), rest.begin(), rest.end());
  const SocketAddress& local = transmit.tuple.local;
  if (std::ranges::find(socket.blocked, local) != socket.blocked.end()) return;
  socket.blocked.push_back(local);
  io_.set_writable(local, false);
}

void EventLoop::flush(Socket& socket) {
  std::size_t done = 0;
  for (Socket::Held& held : socket.held) {
    const SendResult result = socket.io->send(held.transmit, Bytes(socket.bytes).subspan(held.offset, held.size));
    account(held.transmit, result);
    held.offset += result.taken;
    held.size -= result.taken;
    if (result.status == SendStatus::blocked) break;
    ++done;
  }
  socket.held.erase(socket.held.begin(), socket.held.begin() + static_cast<std::ptrdiff_t>(done));
  if (socket.full()) return;
  socket.bytes.clear();
  poll_writable(socket, false);
  for (const SocketAddress& local : socket.blocked) io_.set_writable(local, true);
  socket.blocked.clear();
}

/// The socket bound to exactly that address, else the wildcard on its port.
EventLoop::Socket* EventLoop::socket_for(const SocketAddress& local) {
  Socket* wildcard = nullptr;
  for (const auto& socket : sockets_) {
    const SocketAddress& bound = socket->io->local_address();
    if (bound == local) return socket.get();
    if (bound.port == local.port && bound.ip.family() == local.ip.family() && bound.ip.is_unspecified())
      wildcard = socket.get();
  }
  return wildcard;
}

void EventLoop::poll_writable(Socket& socket, bool wanted) {
  epoll_event event{};
  event.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.fd = socket.io->fd();
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, socket.io->fd(), &event);
}

}  // namespace mpquic::io
