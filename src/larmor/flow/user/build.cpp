// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <larmor/core/error.hpp>
#include <larmor/flow/user/build.hpp>
#include <larmor/flow/user/process.hpp>
#include <sstream>

namespace larmor::flow::user {
namespace fs = std::filesystem;

fs::path header_folder(const fs::path& program) {
  std::string looked;
  for (const char* place : {"../include", "../../src", "../../../src"}) {  // installed; build/bin, build/<preset>/bin
    const fs::path folder = (program.parent_path() / place).lexically_normal();
    std::error_code failed;
    if (fs::exists(folder / "larmor" / "flow" / "user" / "op.hpp", failed)) return folder;
    looked += (looked.empty() ? "" : ", ") + folder.string();
  }
  throw Error(Errc::file, "the headers of larmor are not there (looked in " + looked + ")",
              "operations in C++ need them beside the program, in include/larmor");
}

namespace {

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// The compiler's first error: "file.cpp:12:5: error: 'x' was not declared".
Error compile_error(const fs::path& file, const std::string& output, const std::string& how) {
  std::istringstream lines(output);
  const std::string name = file.string() + ":";
  for (std::string line; std::getline(lines, line);) {
    const auto error = line.find("error: ");
    if (error == std::string::npos || !line.starts_with(name)) continue;
    const std::string number = line.substr(name.size(), line.find(':', name.size()) - name.size());
    Error e(Errc::format, fmt::format("{} does not compile: {}", file.filename().string(), line.substr(error + 7)),
            "the compiler said:\n" + output.substr(0, 4000));
    return e.at(file.filename().string() + ":" + number);
  }
  return {Errc::format, fmt::format("{} does not compile: the compiler {}", file.filename().string(), how),
          "the compiler said:\n" + output.substr(0, 4000)};
}

}  // namespace

fs::path build_operation(const fs::path& file, const std::string& hash, const fs::path& headers, const fs::path& cache,
                         double seconds) {
  const fs::path target = cache / (file.stem().string() + "-" + hash + ".so");
  std::error_code failed;
  if (fs::exists(target, failed)) return target;
  const auto compiler = find_program({environment("CXX"), "g++", "c++", "clang++"});
  if (compiler.empty())
    throw Error(Errc::file, "there is no C++ compiler",
                "install g++ (Debian: apt-get install g++), or name one in CXX");
  fs::create_directories(cache, failed);
  const fs::path made = target.string() + fmt::format(".{}.part", ::getpid());
  Process process({compiler.string(), "-std=c++20", "-O2", "-g1", "-fPIC", "-shared", "-Wall",
                   "-fdiagnostics-color=never", fmt::format("-DLARMOR_VERSION=\"{}\"", LARMOR_VERSION),
                   "-I" + headers.string(), "-o", made.string(), fs::absolute(file).string()},
                  false);
  std::string output;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (process.running()) {
    pollfd watched{process.output(), POLLIN, 0};
    ::poll(&watched, 1, 20);
    output += process.printed();
    if (std::chrono::steady_clock::now() < deadline) continue;
    fs::remove(made, failed);
    throw Error(Errc::numeric,
                fmt::format("{}: the compiler took longer than {:g} s", file.filename().string(), seconds));
  }
  output += process.printed();
  if (process.exit_code() != 0) {
    fs::remove(made, failed);
    throw compile_error(fs::absolute(file), output, process.why_ended());
  }
  fs::rename(made, target);
  return target;
}

}  // namespace larmor::flow::user
