// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <larmor/io/file.hpp>
#include <larmor/io/hdf5.hpp>
#include <larmor/io/mrd_readouts.hpp>

namespace larmor::io {
namespace {

// What the child tells: 'h' header, 'r' readout, 'e' error, 'd' done.
class Telling {
 public:
  explicit Telling(int to) : to_(to) {}
  void bytes(const void* data, std::size_t n) {
    const char* at = static_cast<const char*>(data);
    while (n > 0) {
      const ssize_t done = write(to_, at, n);
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) _exit(3);  // nobody listens any more
      at += done, n -= static_cast<std::size_t>(done);
    }
  }
  template <class T>
  void value(const T& v) {
    bytes(&v, sizeof v);
  }
  void text(const std::string& s) {
    value(static_cast<std::uint64_t>(s.size()));
    bytes(s.data(), s.size());
  }
  void readout(const MrdReadout& r) {
    value('r');
    value(r.flags), value(r.samples), value(r.coils), value(r.discard_pre), value(r.discard_post), value(r.centre);
    value(r.space), value(r.dimensions), value(r.dwell), value(r.counter);
    bytes(r.traj.data(), r.traj.size() * sizeof(float));
    bytes(r.data.data(), r.data.size() * sizeof(std::complex<float>));
  }

 private:
  int to_;
};

// A process that reads the file, and what it tells. Ended and waited for when this goes.
class Child {
 public:
  Child(const std::filesystem::path& path, const Cancel* cancel) : cancel_(cancel) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw Error(Errc::file, fmt::format("no pipe: {}", std::strerror(errno)));
    const h5::Use use;  // no other thread is inside the library while memory is copied
    child_ = fork();
    if (child_ < 0) {
      close(ends[0]), close(ends[1]);
      throw Error(Errc::file, fmt::format("no process to read in: {}", std::strerror(errno)), "end other programs");
    }
    if (child_ == 0) {
      close(ends[0]);
      h5::after_fork();
      tell(path, ends[1]);
    }
    close(ends[1]);
    from_ = ends[0];
  }
  ~Child() {
    close(from_);
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void bytes(void* to, std::size_t n) {
    char* at = static_cast<char*>(to);
    while (n > 0) {
      if (cancel_) cancel_->check();
      pollfd ready{from_, POLLIN, 0};
      if (poll(&ready, 1, 100) <= 0) continue;  // a look at cancel ten times a second
      const ssize_t done = read(from_, at, n);
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) crashed();
      at += done, n -= static_cast<std::size_t>(done);
    }
  }
  template <class T>
  T value() {
    T v;
    bytes(&v, sizeof v);
    return v;
  }
  std::string text() {
    std::string s(value<std::uint64_t>(), '\0');
    bytes(s.data(), s.size());
    return s;
  }
  MrdReadout readout() {
    MrdReadout r;
    r.flags = value<std::uint64_t>();
    for (auto* v : {&r.samples, &r.coils, &r.discard_pre, &r.discard_post, &r.centre, &r.space, &r.dimensions})
      *v = value<std::int64_t>();
    r.dwell = value<double>(), r.counter = value<decltype(r.counter)>();
    r.traj.resize(static_cast<std::size_t>(r.samples * r.dimensions));
    r.data.resize(static_cast<std::size_t>(r.samples * r.coils));
    bytes(r.traj.data(), r.traj.size() * sizeof(float));
    bytes(r.data.data(), r.data.size() * sizeof(std::complex<float>));
    return r;
  }

 private:
  [[noreturn]] static void tell(const std::filesystem::path& path, int to) {
    for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) std::signal(signal, SIG_DFL);
    // What the library prints while it falls is of no use to anybody; nor is a memory image.
    if (const int nowhere = open("/dev/null", O_WRONLY); nowhere >= 0) dup2(nowhere, 2);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    // A damaged file can lead in circles: a minute of computing, and a second for each 10 MB, is more than enough.
    std::error_code ignored;
    const auto size = std::filesystem::file_size(path, ignored);
    const rlim_t seconds = 60 + (ignored ? 0 : size / 10'000'000);
    const rlimit cpu{seconds, seconds};
    setrlimit(RLIMIT_CPU, &cpu);
    Telling telling(to);
    try {
      scan_mrd_readouts(
          path, [&](const std::string& header) { telling.value('h'), telling.text(header); },
          [&](const MrdReadout& r) { telling.readout(r); });
      telling.value('d');
    } catch (const Error& e) {
      telling.value('e'), telling.value(e.code()), telling.text(e.message()), telling.text(e.advice());
    } catch (const std::exception& e) {
      telling.value('e'), telling.value(Errc::format), telling.text(fmt::format("HDF5: {}", e.what())),
          telling.text("");
    }
    _exit(0);
  }
  [[noreturn]] void crashed() {
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    const std::string how = WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "it ended early";
    throw Error(Errc::format, "the HDF5 library could not stand the file (" + how + ")", "the file is damaged");
  }
  const Cancel* cancel_;
  pid_t child_ = -1;
  int from_ = -1;
};

}  // namespace

MrdFile read_mrd_readouts(const std::filesystem::path& path, const Cancel* cancel) {
  require_file(path);
  Child child(path, cancel);
  MrdFile out;
  for (;;) switch (child.value<char>()) {
      case 'h':
        out.header = child.text();
        break;
      case 'r':
        out.readouts.push_back(child.readout());
        break;
      case 'e': {
        const auto code = child.value<Errc>();
        std::string what = child.text(), advice = child.text();
        throw Error(code, std::move(what), std::move(advice));
      }
      case 'd':
        return out;
      default:
        throw Error(Errc::internal, "reading in a process of its own said what nobody knows");
    }
}

}  // namespace larmor::io
