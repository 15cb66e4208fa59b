# SPDX-License-Identifier: Apache-2.0
"""Runs a user operation for the engine: started with a socket as descriptor 3, one request after another.

Arrays come and go in shared memory. They are numpy arrays with the first axis fastest (order "F") and the names of their
axes in `.axes`; those that come in are read-only.
"""
import faulthandler
import fcntl
import importlib
import inspect
import json
import math
import mmap
import os
import select
import socket
import struct
import sys
import threading
import traceback
import types

sys.path = [p for p in sys.path if p]
# Compiled modules are told apart by seconds and size, and an edit may change neither.
sys.dont_write_bytecode = True
sock = socket.socket(fileno=3)
lock = threading.Lock()


def send(message, fds=()):
  text = json.dumps(message).encode()
  data = struct.pack("<4sII", b"LRMR", len(text), len(fds))
  with lock:
    if fds:
      sent = socket.send_fds(sock, [data], list(fds))
      data = data[sent:]
    sock.sendall(data + text)


def receive_exactly(size):
  out = bytearray()
  while len(out) < size:
    part = sock.recv(min(size - len(out), 1 << 20))
    if not part:
      os._exit(0)
    out += part
  return bytes(out)


def receive():
  head, fds, _, _ = socket.recv_fds(sock, 12, 256)
  if not head:
    os._exit(0)
  head += receive_exactly(12 - len(head))
  magic, size, _ = struct.unpack("<4sII", head)
  if magic != b"LRMR":
    os._exit(3)
  return json.loads(receive_exactly(size)), fds


try:
  import numpy as np
except ImportError as error:
  message, _ = receive()
  send({"error": {"message": f"{sys.executable} has no numpy ({error})", "code": "file",
                  "advice": "install it (Debian: apt-get install python3-numpy), or name another Python in LARMOR_PYTHON"}})
  os._exit(0)

DTYPES = {"bool": "?", "u8": "u1", "i16": "i2", "i32": "i4", "f32": "f4", "f64": "f8", "c64": "c8", "c128": "c16"}
NAMES = {np.dtype(v): k for k, v in DTYPES.items()}
# Types that numpy makes and wires do not carry, and what holds every value of theirs.
WIDER = {"int8": "i2", "uint16": "i4", "uint32": "f8", "int64": "f8", "uint64": "f8", "float16": "f4",
         "longdouble": "f8", "float128": "f8", "complex256": "c16"}


class Shared(mmap.mmap):
  """Memory that the engine sees too."""
  fd = -1

  def __del__(self):
    if self.fd >= 0:
      os.close(self.fd)
      self.fd = -1


def shared(fd, size, writable):
  prot = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
  memory = Shared(fd, size, mmap.MAP_SHARED, prot)
  memory.fd = fd
  return memory


def make_shared(size):
  fd = os.memfd_create("larmor", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
  os.ftruncate(fd, max(size, 1))
  fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
  return shared(fd, max(size, 1), True)


class Array(np.ndarray):
  """numpy array with names of axes; results of arithmetic keep them while the number of axes stays."""

  def __array_finalize__(self, other):
    axes = getattr(other, "axes", None)
    self.axes = list(axes) if axes is not None and len(axes) == self.ndim else None

  def axis(self, name):
    """Index of the axis called `name`."""
    if self.axes is None or name not in self.axes:
      raise ValueError(f"no axis '{name}' among {self.axes}")
    return self.axes.index(name)


def named(array, axes):
  """The array with these names of axes: named(a, ["x", "y"])."""
  out = np.asarray(array).view(Array)
  if len(axes) != out.ndim:
    raise ValueError(f"{len(axes)} names of axes for an array of {out.ndim}")
  out.axes = [str(a) for a in axes]
  return out


def empty(shape, dtype="f4", axes=None):
  """An array to be filled and returned: it lies where the engine sees it, so that returning it copies nothing."""
  shape = (shape,) if isinstance(shape, int) else tuple(int(n) for n in shape)
  dtype = np.dtype(DTYPES.get(dtype, dtype))
  memory = make_shared(math.prod(shape) * dtype.itemsize)
  out = np.ndarray(shape, dtype, buffer=memory, order="F").view(Array)
  if axes is not None:
    out = named(out, axes)
  return out


class Record(dict):
  """Named fields with the name of a type: an image has data, affine, ..."""
  type = ""


def memory_of(array):
  base = array
  while base is not None and not isinstance(base, Shared):
    base = base.base if isinstance(base, np.ndarray) else base.obj if isinstance(base, memoryview) else None
  return base


def start_of(memory):
  return np.frombuffer(memory, dtype=np.uint8).ctypes.data if len(memory) else 0


class Packer:
  """Values to JSON, and arrays to shared memory."""
  LARGE, MOST = 1 << 20, 190

  def __init__(self):
    self.buffers, self.fds, self.held, self.small = [], [], [], []
    self.common = 0

  def array(self, a):
    a = np.asanyarray(a)
    axes = getattr(a, "axes", None)
    a = a.astype(a.dtype.newbyteorder("="), copy=False)
    if a.dtype not in NAMES:
      wider = WIDER.get(a.dtype.name)
      if a.dtype.name == "int64" and (a.size == 0 or (a.min() >= -2**31 and a.max() < 2**31)):
        wider = "i4"
      if wider is None:
        raise TypeError(f"an array of {a.dtype} cannot be returned; convert it to one of {', '.join(DTYPES)}")
      a = a.astype(wider)
    if a.ndim and not a.flags.f_contiguous:
      a = np.asfortranarray(a)
    if axes is None or len(axes) != a.ndim:
      axes = [("x", "y", "z", "t")[i] if i < 4 else f"a{i}" for i in range(a.ndim)]
    b = {"dtype": NAMES[a.dtype], "shape": list(a.shape)}
    if a.nbytes >= self.LARGE and len(self.fds) < self.MOST:
      memory = memory_of(a)
      if memory is None:
        memory = make_shared(a.nbytes)
        np.ndarray(a.shape, a.dtype, buffer=memory, order="F")[...] = a
        b["offset"] = 0
      else:
        b["offset"] = a.ctypes.data - start_of(memory)
        # It is the engine's from here on, and values there do not change.
        while isinstance(a, np.ndarray):
          a.flags.writeable = False
          a = a.base
      self.held.append(memory)
      b["fd"], b["size"] = len(self.fds), len(memory)
      self.fds.append(memory.fd)
    else:
      b["offset"] = self.common
      self.small.append((b, a))
      self.common += (a.nbytes + 63) // 64 * 64
    self.buffers.append(b)
    return {"$array": len(self.buffers) - 1, "dtype": b["dtype"], "shape": b["shape"], "axes": list(axes)}

  def value(self, v, depth=0):
    if depth > 60:
      raise TypeError("a value nested more than 60 deep")
    if v is None or isinstance(v, (bool, str)):
      return v
    if isinstance(v, np.bool_):
      return bool(v)
    if isinstance(v, (int, float, np.integer, np.floating)):
      v = float(v)
      if math.isfinite(v):
        return v
      return {"$number": "nan" if math.isnan(v) else "inf" if v > 0 else "-inf"}
    if isinstance(v, (np.ndarray, complex, np.complexfloating)):
      return self.array(v)
    if isinstance(v, dict):
      return {"$type": getattr(v, "type", ""), "$fields": [[str(k), self.value(x, depth + 1)] for k, x in v.items()]}
    if isinstance(v, (list, tuple)):
      return [self.value(x, depth + 1) for x in v]
    raise TypeError(f"a {type(v).__name__} cannot be returned: give arrays, numbers, texts, lists or dicts of them")

  def finish(self, head):
    if self.small:
      memory = make_shared(self.common)
      for b, a in self.small:
        np.ndarray(a.shape, a.dtype, buffer=memory, offset=b["offset"], order="F")[...] = a
        b["fd"], b["size"] = len(self.fds), len(memory)
      self.held.append(memory)
      self.fds.append(memory.fd)
    return {"head": head, "buffers": self.buffers}, self.fds


def unpack(values, fds):
  maps = {}

  def array(j):
    b = values["buffers"][j["$array"]]
    k = b["fd"]
    if k not in maps:
      maps[k] = shared(fds[k], b["size"], False)
    a = np.ndarray(tuple(j["shape"]), np.dtype(DTYPES[j["dtype"]]), buffer=maps[k], offset=b["offset"], order="F")
    return named(a, j["axes"])

  def value(j):
    if isinstance(j, list):
      return [value(x) for x in j]
    if not isinstance(j, dict):
      return float(j) if isinstance(j, int) and not isinstance(j, bool) else j
    if "$array" in j:
      return array(j)
    if "$number" in j:
      return float(j["$number"])
    out = Record((name, value(x)) for name, x in j["$fields"])
    out.type = j["$type"]
    return out

  out = value(values["head"])
  for k, fd in enumerate(fds):
    if k not in maps:
      os.close(fd)
  return out


class Io:
  """What compute(io) is given."""

  def __init__(self, inputs, settings, state, node):
    self.inputs, self.settings, self.state, self.node = inputs, settings, state, node
    self.outputs = {}

  def __getitem__(self, name):
    if name in self.inputs:
      return self.inputs[name]
    if name in self.settings:
      return self.settings[name]
    known = sorted([*self.inputs, *self.settings])
    raise KeyError(f"no in-port or setting '{name}' (there are: {', '.join(known) or 'none'})")

  def __setitem__(self, name, value):
    self.outputs[name] = value

  def all(self, name):
    """The values of a repeated in-port, in order."""
    numbered = [(int(k[len(name) + 1:]) if k != name else 0, v) for k, v in self.inputs.items()
                if k == name or k.startswith(name + ".")]
    return [v for _, v in sorted(numbered, key=lambda pair: pair[0]) if v is not None]

  def get(self, name, default=None):
    """An in-port or a setting; `default` when nothing is wired."""
    value = self.inputs.get(name, self.settings.get(name))
    return default if value is None else value

  def progress(self, part, what=""):
    """How much is done, 0 to 1."""
    send({"progress": {"part": float(part), "what": str(what)}})

  def warn(self, text):
    """Shown at the node, which ends in the warning state."""
    send({"warn": str(text)})

  empty = staticmethod(empty)
  named = staticmethod(named)


larmor = types.ModuleType("larmor")
larmor.__doc__ = "What operations in Python can use: larmor.empty, larmor.named, larmor.Array, larmor.Record."
for item in (empty, named, Array, Record):
  setattr(larmor, item.__name__, item)
sys.modules.setdefault("larmor", larmor)

state, module, description, path = {}, None, None, ""


def load(request):
  global module, description, path
  path = request["path"]
  folder = os.path.dirname(path)
  if folder not in sys.path:
    sys.path.insert(0, folder)
  for name, other in list(sys.modules.items()):  # modules beside the file and below are read again, too
    places = [getattr(other, "__file__", None), *(getattr(other, "__path__", None) or [])]  # a package may have no file
    if any((place or "").startswith(folder + os.sep) for place in places) and not name.startswith("__"):
      del sys.modules[name]
  importlib.invalidate_caches()
  fresh = types.ModuleType(os.path.splitext(os.path.basename(path))[0])
  fresh.__file__ = path
  fresh.state = state
  exec(compile(request["text"], path, "exec"), fresh.__dict__)
  for name in ("describe", "compute"):
    if not callable(getattr(fresh, name, None)):
      raise TypeError(f"there is no function {name}()")
  described = fresh.describe()
  if not isinstance(described, dict):
    raise TypeError(f"describe() gives a {type(described).__name__}, not a dict")
  text = json.loads(json.dumps(described))  # raises for what is no JSON
  module, description = fresh, described
  send({"describe": text})


def outputs_of(io, result):
  names = [port["name"] for port in description.get("outputs", [])]
  outputs = dict(io.outputs)
  if isinstance(result, dict) and (not names or not isinstance(result, Record)) and set(result) <= set(names):
    outputs.update(result)
  elif result is not None:
    if isinstance(result, tuple) and len(result) == len(names) > 1:
      outputs.update(zip(names, result))
    elif len(names) == 1:
      outputs[names[0]] = result
    elif isinstance(result, dict):
      raise ValueError(f"compute() gives {sorted(set(result) - set(names))}, which are no out-ports ({', '.join(names)})")
    else:
      raise TypeError(f"compute() gives one {type(result).__name__} for the out-ports {', '.join(names)}: give a dict")
  for name in outputs:
    if name not in names:
      raise ValueError(f"compute() gives '{name}', which is no out-port ({', '.join(names)})")
  return outputs


def compute(request, fds):
  values = unpack(request["values"], fds)
  inputs, settings = dict(values["inputs"]), dict(values["settings"])
  for port in description.get("settings", []):  # whole numbers are ints, as their settings say
    value = settings.get(port["name"])
    default = port.get("default")
    whole = port.get("kind") == "integer" or (not port.get("kind") and isinstance(default, int)
                                              and not isinstance(default, bool))
    if whole and isinstance(value, float):
      settings[port["name"]] = int(value)
  for port in description.get("inputs", []):
    if not port.get("repeated"):
      inputs.setdefault(port["name"], None)
  io = Io(inputs, settings, state, request["node"])
  count = len(inspect.signature(module.compute).parameters)
  arguments = (io,) if count == 1 else (inputs, settings, state)[:count]
  result = outputs_of(io, module.compute(*arguments))
  packer = Packer()
  head = packer.value(result)
  packed, out = packer.finish(head)
  send({"values": packed}, out)


def failure(error):
  if isinstance(error, SyntaxError) and error.filename == path:
    at = f"{os.path.basename(path)}:{error.lineno}"
  else:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if f.filename == path]
    beside = [f for f in frames if os.path.dirname(f.filename) == os.path.dirname(path)]
    last = (ours or beside or [None])[-1]
    at = f"{os.path.basename(last.filename)}:{last.lineno}" if last else ""
  # Our own frames say nothing to the one who wrote the operation.
  theirs = traceback.format_list([f for f in traceback.extract_tb(error.__traceback__) if f.filename != "<string>"])
  trace = "".join(["Traceback (most recent call last):\n", *theirs, *traceback.format_exception_only(type(error), error)])
  text = f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"
  if isinstance(error, KeyError) and error.args:
    text = f"KeyError: {error.args[0]}"
  code = "format" if isinstance(error, SyntaxError) else "numeric"
  return {"message": text, "at": at, "traceback": trace, "code": code}


def watch():
  """Ends the process when the engine is gone, also while the operation computes."""
  poll = select.poll()
  poll.register(3, select.POLLRDHUP)
  poll.poll()
  os._exit(0)


def main():
  faulthandler.enable()
  # The socket belongs to this process alone; programs that an operation starts do not get it.
  os.set_inheritable(3, False)
  threading.Thread(target=watch, daemon=True).start()
  while True:
    request, fds = receive()
    try:
      if request["do"] == "load":
        load(request)
      else:
        compute(request, fds)
    except SystemExit as error:
      sys.stdout.flush()
      os._exit(error.code if isinstance(error.code, int) else 1)
    except BaseException as error:  # also KeyboardInterrupt: the engine decides when this process ends
      sys.stdout.flush()
      send({"error": failure(error)})
    finally:
      sys.stdout.flush()
      sys.stderr.flush()


main()
