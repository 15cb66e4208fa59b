// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <larmor/core/error.hpp>
#include <larmor/flow/user/process.hpp>
#include <sstream>

namespace larmor::flow::user {

Process::Process(const std::vector<std::string>& words, bool with_socket) {
  int sockets[2] = {-1, -1}, pipe[2] = {-1, -1};
  if ((with_socket && ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) ||
      ::pipe2(pipe, O_CLOEXEC) != 0)
    throw Error(Errc::file, std::string("no process can be started: ") + std::strerror(errno));
  socket_ = Fd(sockets[0]);
  output_ = Fd(pipe[0]);
  // Descriptors 0 to 3 are set below: the originals must not be among them, or one would overwrite another.
  const auto above = [](int fd) {
    const Fd old(fd);
    return Fd(fd < 0 ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, 10));
  };
  const Fd theirs = above(sockets[1]), print = above(pipe[1]);
  ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, print.get(), 1);
  posix_spawn_file_actions_adddup2(&files, print.get(), 2);
  if (with_socket) posix_spawn_file_actions_adddup2(&files, theirs.get(), 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // Ctrl-C at the terminal is for us; we tell the worker. Signals that we ignore or block are normal there.
  sigset_t none, all;
  sigemptyset(&none), sigfillset(&all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const int failed = ::posix_spawn(&id_, argv[0], &files, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (failed) {
    id_ = -1;
    throw Error(Errc::file, fmt::format("{} cannot be started: {}", words[0], std::strerror(failed)));
  }
}

Process::~Process() {
  kill();
  wait();
}

std::string Process::printed() {
  std::string out;
  char part[4096];
  for (;;) {
    const ssize_t n = ::read(output_.get(), part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return out;
    out.append(part, static_cast<std::size_t>(n));
  }
}

bool Process::running() {
  if (ended_ || id_ < 0) return false;
  const pid_t done = ::waitpid(id_, &status_, WNOHANG);
  ended_ = done == id_ || (done < 0 && errno == ECHILD);
  return !ended_;
}

std::string Process::why_ended() const {
  if (WIFSIGNALED(status_))
    return fmt::format("was killed by signal {} ({})", WTERMSIG(status_), ::strsignal(WTERMSIG(status_)));
  return fmt::format("ended with code {}", WEXITSTATUS(status_));
}
int Process::exit_code() const { return ended_ && WIFEXITED(status_) ? WEXITSTATUS(status_) : -1; }

void Process::kill() {
  if (id_ < 0 || ended_) return;
  ::kill(-id_, SIGKILL);
  ::kill(id_, SIGKILL);  // when it is not the leader of its group yet
}

void Process::wait() {
  if (id_ < 0 || ended_) return;
  while (::waitpid(id_, &status_, 0) < 0 && errno == EINTR) {
  }
  ended_ = true;
}

std::filesystem::path find_program(const std::vector<std::string>& names) {
  std::error_code failed;
  for (const auto& name : names) {
    if (name.empty()) continue;
    if (name.find('/') != std::string::npos) {
      if (::access(name.c_str(), X_OK) == 0) return name;
      continue;
    }
    const char* path = std::getenv("PATH");
    std::istringstream folders(path ? path : "/usr/local/bin:/usr/bin:/bin");
    for (std::string folder; std::getline(folders, folder, ':');) {
      const auto file = std::filesystem::path(folder.empty() ? "." : folder) / name;
      if (::access(file.c_str(), X_OK) == 0 && std::filesystem::is_regular_file(file, failed)) return file;
    }
  }
  return {};
}

}  // namespace larmor::flow::user
