# SPDX-License-Identifier: Apache-2.0
"""Runs the program in a fresh folder and reads and writes the files that its tests need (standard library only)."""
import gzip
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ.get("LARMOR_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
LARMOR = os.environ.get("LARMOR", str(SOURCE / "build" / "bin" / "larmor"))


class CliCase(unittest.TestCase):
  """A test with its own folder, self.dir, in which the program runs."""
  maxDiff = None

  def setUp(self):
    self.dir = pathlib.Path(tempfile.mkdtemp(prefix="larmor_cli_"))
    self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

  def run_larmor(self, *words, stdin=None, env=None, timeout=200, preexec=None):
    return subprocess.run([LARMOR, *map(str, words)], cwd=self.dir, input=stdin, text=True, capture_output=True,
                          timeout=timeout, env={**os.environ, **(env or {})}, preexec_fn=preexec, check=False)

  def ok(self, *words, **more):
    done = self.run_larmor(*words, **more)
    self.assertEqual(done.returncode, 0, f"larmor {' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}")
    return done

  def fails(self, code, words, *says, **more):
    """The call ends with `code`, says every text of `says` on stderr, and prints nothing on stdout."""
    done = self.run_larmor(*words, **more)
    told = f"larmor {' '.join(map(str, words))}\nstdout: {done.stdout}\nstderr: {done.stderr}"
    self.assertEqual(done.returncode, code, told)
    for text in says:
      self.assertIn(text, done.stderr, told)
    self.assertNotIn("internal error", done.stderr, told)
    self.assertEqual(done.stdout, "", told)
    return done


TYPES = {2: ("B", 1), 4: ("h", 2), 8: ("i", 4), 16: ("f", 4), 64: ("d", 8)}


def write_nifti(path, values, shape, code=16, spacing=(1, 1, 1), dt=0.0, origin=(0, 0, 0)):
  """NIfTI-1 with values in file order (first axis fastest)."""
  n = 1
  for s in shape:
    n *= s
  assert len(values) == n, (len(values), shape)
  head = bytearray(348)
  struct.pack_into("<i", head, 0, 348)
  struct.pack_into("<8h", head, 40, len(shape), *(list(shape) + [1] * (7 - len(shape))))
  letter, size = TYPES[code]
  struct.pack_into("<hh", head, 70, code, size * 8)
  struct.pack_into("<8f", head, 76, 1, *spacing, dt, 0, 0, 0)
  struct.pack_into("<fff", head, 108, 352, 1, 0)
  head[123] = 10  # mm, s
  struct.pack_into("<hh", head, 252, 0, 1)
  for row in range(3):
    affine = [0.0] * 4
    affine[row], affine[3] = spacing[row], origin[row]
    struct.pack_into("<4f", head, 280 + 16 * row, *affine)
  head[344:348] = b"n+1\0"
  data = bytes(head) + b"\0\0\0\0" + struct.pack(f"<{n}{letter}", *values)
  path = pathlib.Path(path)
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_bytes(gzip.compress(data, 1) if path.name.endswith(".gz") else data)


def read_nifti(path):
  """(values in file order, shape, spacing, header bytes, comment extensions)."""
  data = pathlib.Path(path).read_bytes()
  if data[:2] == b"\x1f\x8b":
    data = gzip.decompress(data)
  dim = struct.unpack_from("<8h", data, 40)
  shape = dim[1:1 + dim[0]]
  code = struct.unpack_from("<h", data, 70)[0]
  spacing = struct.unpack_from("<8f", data, 76)[1:4]
  offset = int(struct.unpack_from("<f", data, 108)[0])
  letter, _ = TYPES[code]
  n = 1
  for s in shape:
    n *= s
  values = struct.unpack_from(f"<{n}{letter}", data, offset)
  extensions, at = [], 352
  while data[348] and at + 8 <= offset:
    size, kind = struct.unpack_from("<ii", data, at)
    extensions.append((kind, data[at + 8:at + size].rstrip(b"\0").decode()))
    at += size
  return values, shape, spacing, data[:348], extensions


def load_json(path):
  return json.loads(pathlib.Path(path).read_text(encoding="utf-8"))


def skip(why):
  """Leaves a test whose program or data is not here; CTest reports it as skipped."""
  print("skipped:", why)
  raise unittest.SkipTest(why)


def main():
  result = unittest.main(verbosity=2, exit=False).result
  if not result.wasSuccessful():
    sys.exit(1)
  sys.exit(77 if result.skipped and len(result.skipped) == result.testsRun else 0)
