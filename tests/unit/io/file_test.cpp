// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <larmor/core/hash.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/leftovers.hpp>

#include "support.hpp"

using namespace larmor;
using namespace larmor::io;
using namespace larmor::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

std::string random_bytes(std::size_t n, unsigned seed, int alphabet = 256) {
  std::mt19937 rng(seed);
  std::string out(n, '\0');
  for (char& c : out) c = static_cast<char>(rng() % static_cast<unsigned>(alphabet));
  return out;
}

std::string as_string(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST(File, ReadsBackWhatWasWritten) {
  TempFolder dir;
  for (const std::size_t n : {0, 1, 4095, 3000001}) {
    const std::string data = random_bytes(n, 7);
    write_bytes(dir / "plain.bin", data.data(), data.size());
    EXPECT_EQ(slurp(dir / "plain.bin"), data);
    EXPECT_EQ(as_string(read_bytes(dir / "plain.bin")), data);
  }
  EXPECT_THAT(dir.names(), ElementsAre("plain.bin"));
}

TEST(File, HashIsThatOfTheFileAsItLies) {
  TempFolder dir;
  write_text(dir / "abc.txt", "abc");
  EXPECT_EQ(sha256_of(dir / "abc.txt"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-4
  const std::string long_text = random_bytes(3'000'001, 5);
  write_text(dir / "long", long_text);
  EXPECT_EQ(sha256_of(dir / "long"), Sha256().add(long_text.data(), long_text.size()).hex());
  write_gzip(dir / "abc.gz", "abc", 3);  // not unpacked
  EXPECT_NE(sha256_of(dir / "abc.gz"), sha256_of(dir / "abc.txt"));
  EXPECT_THAT(caught([&] { sha256_of(dir / "abd.txt"); }).what(), HasSubstr("did you mean abc.txt?"));
  EXPECT_EQ(caught([&] { sha256_of(dir / "."); }).code(), Errc::file);
}

TEST(File, GzipRoundTripAndTheGzipProgramAgree) {
  TempFolder dir;
  // Sizes on both sides of the pieces that are compressed apart; content that packs well, badly and not at all.
  for (const std::size_t n : {0, 1, 1 << 20, (1 << 20) + 1, 5 << 20})
    for (const int alphabet : {1, 4, 256}) {
      const std::string data = random_bytes(n, 11, alphabet);
      write_gzip(dir / "a.gz", data.data(), data.size());
      EXPECT_EQ(as_string(read_bytes(dir / "a.gz")), data) << n << " of " << alphabet;
      if (alphabet == 1 && n > 100000) {
        EXPECT_LT(fs::file_size(dir / "a.gz"), n / 50);
      }
      const std::string unpack = "gzip -dc " + (dir / "a.gz").string() + " > " + (dir / "a").string();
      ASSERT_EQ(std::system(unpack.c_str()), 0);
      EXPECT_EQ(slurp(dir / "a"), data);
    }
}

TEST(File, GzipMembersJoinAndPaddingIsPassedOver) {
  TempFolder dir;
  write_gzip(dir / "a.gz", "hello ", 6);
  write_gzip(dir / "b.gz", "world", 5);
  const std::string both = slurp(dir / "a.gz") + slurp(dir / "b.gz");
  spill(dir / "ab.gz", both);
  EXPECT_EQ(read_text(dir / "ab.gz"), "hello world");
  spill(dir / "ab.gz", both + std::string(512, '\0'));
  EXPECT_EQ(read_text(dir / "ab.gz"), "hello world");
  spill(dir / "ab.gz", both + "more");
  EXPECT_EQ(caught([&] { read_text(dir / "ab.gz"); }).code(), Errc::format);
}

TEST(File, TruncatedOrCorruptGzipIsAnError) {
  TempFolder dir;
  const std::string data = random_bytes(3000, 3, 9);
  write_gzip(dir / "a.gz", data.data(), data.size());
  const std::string packed = slurp(dir / "a.gz");
  for (std::size_t n = 2; n < packed.size(); ++n) {  // fewer than 2 bytes are not recognised as gzip
    spill(dir / "b.gz", packed.substr(0, n));
    const auto e = caught([&] { read_bytes(dir / "b.gz"); });
    EXPECT_EQ(e.code(), Errc::format) << n;
    EXPECT_THAT(e.what(), HasSubstr("truncated")) << n;
    EXPECT_THAT(e.what(), HasSubstr(std::to_string(n) + " bytes")) << n;
  }
  int unnoticed = 0;
  for (std::size_t at = 10; at < packed.size(); ++at) {
    std::string bad = packed;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    spill(dir / "b.gz", bad);
    // A few bits between blocks are padding that no reader looks at; then the data are whole.
    try {
      EXPECT_EQ(as_string(read_bytes(dir / "b.gz")), data) << "byte " << at;
      ++unnoticed;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::format) << "byte " << at;
    }
  }
  EXPECT_LE(unnoticed, 4);
}

TEST(File, ByteOrderMarkIsDropped) {
  TempFolder dir;
  spill(dir / "a.txt", "\xEF\xBB\xBFtext");
  EXPECT_EQ(read_text(dir / "a.txt"), "text");
}

TEST(File, NoneIsNotOneWithoutAName) {
  EXPECT_EQ(missing_file("").message(), "no file is given");
  EXPECT_EQ(missing_file("").advice(), "choose one");
}

TEST(File, MissingNamesTheNearest) {
  TempFolder dir;
  spill(dir / "dynamic.nii.gz", "x");
  spill(dir / "mask.nii.gz", "x");
  fs::create_directory(dir / "subject");
  const auto e = caught([&] { read_bytes(dir / "dynamc.nii.gz"); });
  EXPECT_EQ(e.code(), Errc::file);
  EXPECT_THAT(e.what(), HasSubstr("no file called 'dynamc.nii.gz'"));
  EXPECT_THAT(e.what(), HasSubstr("did you mean dynamic.nii.gz?"));
  EXPECT_THAT(caught([&] { read_bytes(dir.path / "subjcet" / "a" / "b.nii"); }).what(),
              HasSubstr("no folder called 'subjcet'"));
  EXPECT_THAT(caught([&] { read_bytes(dir / "zzzzzzzzzz"); }).what(), Not(HasSubstr("did you mean")));
  EXPECT_EQ(caught([&] { read_bytes(dir / "mask.nii.gz/inside"); }).code(), Errc::file);
}

TEST(File, FoldersAndPipesAreNotFiles) {
  TempFolder dir;
  EXPECT_THAT(caught([&] { read_bytes(dir.path); }).what(), HasSubstr("is a folder"));
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(caught([&] { read_bytes(dir / "pipe"); }).what(), HasSubstr("not a regular file"));
  EXPECT_EQ(caught([&] { read_bytes("/dev/zero"); }).code(), Errc::file);
  EXPECT_EQ(caught([&] { write_text(dir.path, "x"); }).code(), Errc::file);
  EXPECT_EQ(caught([&] { write_text(dir.path / "", "x"); }).code(), Errc::file);
}

TEST(File, UnreadableIsAnError) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  TempFolder dir;
  spill(dir / "a", "x");
  ::chmod((dir / "a").c_str(), 0);
  EXPECT_EQ(caught([&] { read_bytes(dir / "a"); }).code(), Errc::file);
}

TEST(File, WritingMakesFoldersAndKeepsLinks) {
  TempFolder dir;
  write_text(dir.path / "a" / "b" / "c.txt", "1");
  EXPECT_EQ(slurp(dir.path / "a" / "b" / "c.txt"), "1");
  fs::create_symlink("a/b/c.txt", dir / "link.txt");
  write_text(dir / "link.txt", "2");
  EXPECT_TRUE(fs::is_symlink(dir / "link.txt"));
  EXPECT_EQ(slurp(dir.path / "a" / "b" / "c.txt"), "2");
  EXPECT_EQ(caught([&] { write_text(dir.path / "link.txt" / "d.txt", "x"); }).code(), Errc::file);
}

TEST(File, FullDiskLeavesTheOldFileAndNothingElse) {
  TempFolder dir;
  write_text(dir / "a.bin", "old");
  const std::string data = random_bytes(200000, 5);
  {
    FileLimit limit(65536);
    for (const bool gzip : {false, true}) {
      const auto e = caught([&] {
        if (gzip)
          write_gzip(dir / "a.bin", data.data(), data.size());
        else
          write_bytes(dir / "a.bin", data.data(), data.size());
      });
      EXPECT_EQ(e.code(), Errc::file);
      EXPECT_THAT(e.what(), HasSubstr("a.bin"));
      EXPECT_THAT(e.what(), HasSubstr("after 65536 bytes"));
      EXPECT_THAT(e.advice(), HasSubstr("free some space"));
    }
  }
  EXPECT_EQ(slurp(dir / "a.bin"), "old");
  EXPECT_THAT(dir.names(), ElementsAre("a.bin"));
}

TEST(File, LongNamesCanBeWritten) {
  TempFolder dir;
  const std::string name(255, 'n');  // NAME_MAX
  write_text(dir / name, "x");
  EXPECT_EQ(slurp(dir / name), "x");
}

TEST(OutputFolder, AppearsWholeOnCommit) {
  TempFolder dir;
  {
    OutputFolder out(dir.path / "run" / "maps");
    write_text(out.path() / "Ktrans.txt", "1");
    EXPECT_FALSE(fs::exists(out.target()));
    out.commit();
  }
  EXPECT_EQ(slurp(dir.path / "run" / "maps" / "Ktrans.txt"), "1");
  EXPECT_THAT(dir.names(), ElementsAre("run"));
}

TEST(OutputFolder, LeavesNothingWithoutCommit) {
  TempFolder dir;
  {
    OutputFolder out(dir.path / "a" / "b" / "maps");
    write_text(out.path() / "Ktrans.txt", "1");
  }
  EXPECT_THAT(dir.names(), IsEmpty());
}

TEST(OutputFolder, TheNextRemovesWhatAKilledOneLeft) {
  TempFolder dir;
  // A process that is surely gone: a child that has been waited for.
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  const auto left = [&](const std::string& name, int pid) {
    const auto path = dir.path / ("." + name + "." + std::to_string(pid) + "-0.part");
    fs::create_directories(path);
    write_text(path / "half.bin", "half");
    return path;
  };
  const auto dead = left("maps", child), other = left("maps.old", child), alive = left("maps", ::getpid());
  {
    OutputFolder out(dir.path / "maps");
    EXPECT_FALSE(fs::exists(dead));
    EXPECT_TRUE(fs::exists(other));
    EXPECT_TRUE(fs::exists(alive));
  }
  remove_leftovers(dir.path);
  EXPECT_FALSE(fs::exists(other));
  EXPECT_TRUE(fs::exists(alive));
}

// In a container every run may have the same number: what a killed one left must not stop the next.
TEST(OutputFolder, LeftoversOfTheSameProcessIdAreNoObstacle) {
  TempFolder dir;
  for (int count = 0; count < 400; ++count) {
    fs::create_directories(dir.path / fmt::format(".maps.{}-{}.part", ::getpid(), count));
    write_text(dir.path / fmt::format(".a.txt.{}-{}.part", ::getpid(), count), "half");
  }
  OutputFolder out(dir.path / "maps");
  write_text(out.path() / "b.txt", "whole");
  out.commit();
  write_text(dir.path / "a.txt", "whole");
  EXPECT_EQ(fs::file_size(dir.path / "a.txt"), 5u);
  EXPECT_TRUE(fs::exists(dir.path / "maps" / "b.txt"));
}

TEST(OutputFolder, ReplacesItsOwnFilesAndKeepsOthers) {
  TempFolder dir;
  write_text(dir.path / "maps" / "sub" / "old.txt", "old");
  write_text(dir.path / "maps" / "sub" / "both.txt", "old");
  {
    OutputFolder out(dir.path / "maps" / "");
    write_text(out.path() / "sub" / "both.txt", "new");
    write_text(out.path() / "top.txt", "new");
    EXPECT_EQ(slurp(dir.path / "maps" / "sub" / "both.txt"), "old");
    out.commit();
  }
  EXPECT_EQ(slurp(dir.path / "maps" / "sub" / "old.txt"), "old");
  EXPECT_EQ(slurp(dir.path / "maps" / "sub" / "both.txt"), "new");
  EXPECT_EQ(slurp(dir.path / "maps" / "top.txt"), "new");
  EXPECT_THAT(dir.names(), ElementsAre("maps"));
}

// A volume that is mounted, as /out of a container: its files cannot be moved in from the folder it is mounted in.
TEST(OutputFolder, WritesToWhereADeviceIsMounted) {
  struct stat parent {
  }, mounted{};
  if (::stat("/dev", &parent) != 0 || ::stat("/dev/shm", &mounted) != 0 || parent.st_dev == mounted.st_dev ||
      ::access("/dev/shm", W_OK) != 0)
    GTEST_SKIP() << "nothing is mounted at /dev/shm";
  const std::string name = fmt::format("larmor_test_{}", ::getpid());
  {
    OutputFolder out("/dev/shm");
    write_text(out.path() / name, "whole");
    out.commit();
  }
  EXPECT_EQ(slurp(fs::path("/dev/shm") / name), "whole");
  fs::remove(fs::path("/dev/shm") / name);
  for (const auto& entry : fs::directory_iterator("/dev/shm"))
    EXPECT_FALSE(entry.path().filename().string().starts_with(fmt::format(".shm.{}-", ::getpid()))) << entry.path();
}

TEST(Writable, IsAskedWithoutATrace) {
  TempFolder dir;
  spill(dir / "file", "x");
  require_writable_file(dir / "new" / "deep" / "a.npy");
  require_writable_file(dir / "file");
  require_writable_folder(dir / "new" / "deep" / "maps");
  require_writable_folder(dir.path);
  EXPECT_THAT(dir.names(), ElementsAre("file"));
  EXPECT_EQ(slurp(dir / "file"), "x");
  for (const auto& bad : {dir / "file" / "a.npy", dir / "file" / "deep" / "a.npy"}) {
    EXPECT_EQ(caught([&] { require_writable_file(bad); }).code(), Errc::file);
    EXPECT_EQ(caught([&] { require_writable_folder(bad); }).code(), Errc::file);
  }
  EXPECT_THAT(caught([&] { require_writable_file(dir.path); }).what(), HasSubstr("it is a folder"));
  EXPECT_THAT(caught([&] { require_writable_file(dir / "new" / ""); }).what(), HasSubstr("it is a folder"));
  EXPECT_THAT(caught([&] { require_writable_folder(dir / "file"); }).what(), HasSubstr("a file of that name"));
  EXPECT_THAT(dir.names(), ElementsAre("file"));
}

// As root it would take the place of /dev/null.
TEST(File, ADeviceOrAPipeIsNotReplaced) {
  TempFolder dir;
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(caught([&] { write_text(dir / "pipe", "x"); }).what(), HasSubstr("it is a device or a pipe"));
  EXPECT_TRUE(fs::is_fifo(dir / "pipe"));
  EXPECT_THAT(dir.names(), ElementsAre("pipe"));
}

TEST(OutputFolder, Errors) {
  TempFolder dir;
  spill(dir / "file", "x");
  EXPECT_EQ(caught([&] { OutputFolder out(dir / "file"); }).code(), Errc::file);
  EXPECT_EQ(caught([&] { OutputFolder out(dir / "file/maps"); }).code(), Errc::file);
  EXPECT_EQ(caught([&] { OutputFolder out(""); }).code(), Errc::file);
  EXPECT_THAT(dir.names(), ElementsAre("file"));
}
