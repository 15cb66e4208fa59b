# SPDX-License-Identifier: Apache-2.0
"""--json: standard output of every command is one JSON document."""
import json
import os
import pathlib
import signal
import subprocess

import harness
from dicom_test import labels, series
from harness import LARMOR, SOURCE, write_nifti
from seg_test import CONFIG, ball_case


def no_json(name):
  raise ValueError(f"{name} is no JSON")


class Cases(harness.CliCase):

  def inputs(self):
    """Small data for every command, made by the program where it can."""
    for kind, more in (("dce", ("--grid", "8,8,4", "--frames", "20")), ("dsc", ("--grid", "8,8,4", "--frames", "40")),
                       ("asl", ("--grid", "8,8,5", "--repeats", "4", "--snr", "300")), ("ivim", ("--grid", "8,8,2"))):
      self.ok("dro", kind, "-o", kind, *more, "-q")
    # A small artery in tissue that takes up slowly.
    n, frames = 8 * 8 * 4, 60
    artery = {v for v in range(n) if v % 8 in (3, 4) and v // 8 % 8 in (3, 4)}
    values = []
    for t in range(frames):
      blood = 0 if t < 10 else 6 * 0.8**(t - 10) + 1
      values += [blood if v in artery else (0 if t < 12 else 0.01 * (t - 12)) + 0.001 * ((7 * v + 3 * t) % 5) for v in range(n)]
    write_nifti(self.dir / "conc.nii.gz", values, (8, 8, 4, frames), dt=2)
    self.ok("run-op", "phantom.shepp_logan", "--set", "size=[32,32]", "--out", "out=object.cfl", "-q")
    self.ok("run-op", "phantom.coils", "--in", "like=object.cfl", "--set", "coils=4", "--out", "maps=maps.cfl", "-q")
    self.ok("run-op", "math.multiply", "--in", "a=object.cfl", "--in", "b=maps.cfl", "--out", "out=seen.cfl", "-q")
    self.ok("run-op", "fourier.fft", "--in", "in=seen.cfl", "--out", "out=k.cfl", "-q")
    self.ok("traj", "radial", "--fov", "320", "--resolution", "10", "-o", "traj.json", "-o", "traj.seq", "-q")
    self.ok("recon", "sample", "object.cfl", "--traj", "traj.json", "-o", "samples.npy", "-q")
    self.ok("graph", "example", "kspace_filter", "-o", "filter.json")
    series(self.dir / "study", slices=range(30))
    labels(self.dir / "labels.nii.gz")
    for i in range(1, 7):
      ball_case(self.dir / "balls", i)
    self.ok("seg", "curate", "balls", "-o", "curated", "--folds", "3", "-q")
    (self.dir / "balls.yaml").write_text(CONFIG % 1, encoding="utf-8")
    self.ok("op", "new", "mine", "--python", "--dir", "ops")
    (self.dir / "empty").mkdir()

  def calls(self):
    """Every command: calls of it, with what stands after its name."""
    trains = (pathlib.Path(LARMOR).parent / "liblarmor_torch.so").exists()
    shipped = SOURCE / "models" / "hippocampus.safetensors"
    ivim_train = ("--samples", "2000", "--epochs", "1")
    pipeline = lambda name: [("--defaults",), ("--graph",), ("--check", f"{name}/config.yaml"), ("--check", f"{name}/config.yaml", name),
                             ("--graph", f"{name}/config.yaml", name), (f"{name}/config.yaml", name, "-o", f"{name}_maps")]
    calls = {
        "aif sample": [("parker", "--duration", "20")],
        "aif detect": [("conc.nii.gz", "aif.csv", "--picture", "aif.png")],
        "completion": [("bash",), ("zsh",)],
        "conc": [("dce/dynamic.nii.gz", "c.nii.gz", "--T1", "1.4")],
        "dicom anonymize": [("study", "-o", "clean")],
        "dicom info": [("study",)],
        "dicom to-nifti": [("study", "-o", "nifti"), ("study", "-o", "one.nii.gz")],
        "docs": [("pages",)],
        "graph check": [("filter.json",)],
        "graph diff": [("filter.json", "filter.json"), ("kspace_filter", "dce")],
        "graph example": [(), ("kspace_filter",), ("kspace_filter", "-o", "f.json")],
        "graph from": [("dce_maps/Ktrans.nii.gz",), ("dce_maps/Ktrans.nii.gz", "-o", "from.json")],
        "graph show": [("filter.json",)],
        "graph stats": [("filter.json",), ("filter.json", "--run")],
        "hippocampus": [("--rules-default",), ("study", "-o", "volumes", "--labels", "labels.nii.gz")],
        "hippocampus batch": [("study", "-o", "batch")],
        "info": [(f,) for f in ("dce/dynamic.nii.gz", "k.cfl", "samples.npy", "aif.csv", "traj.seq")],
        "ivim train": [("w.safetensors", *ivim_train), ("self.safetensors", "--kind", "optim", *ivim_train)],
        "ivim infer": [("ivim/dwi.nii.gz", "w.safetensors", "-o", "inferred")],
        "ivim evaluate": [("w.safetensors", "--samples", "100", "-o", "compared")],
        "list": [(), ("commands",)],
        "op list": [("--ops", "ops")],
        "op new": [("another", "--cpp", "--dir", "more")],
        "op test": [("mine", "--ops", "ops")],
        "recon espirit": [("k.cfl", "e.npy", "--eigenvalues", "v.npy")],
        "recon grappa": [("k.cfl", "g.npy", "--undersample", "y=2", "--calibration", "16", "--kspace", "gk.npy", "--g", "gg.npy", "--error", "ge.npy")],
        "recon nufft": [("samples.npy", "--traj", "traj.json", "-o", "n.npy")],
        "recon sample": [("object.cfl", "--traj", "traj.json", "-o", "s.npy")],
        "recon pics": [("k.cfl", "p.npy", "--maps", "maps.cfl", "--undersample", "y=2", "--kspace", "pk.npy")],
        "recon sense": [("k.cfl", "i.npy", "--maps", "maps.cfl", "--undersample", "y=2", "--g", "ig.npy"), ("k.cfl", "i.nii.gz")],
        "run": [("filter.json", "--no-cache", "--out", "filtered", "--report", "report.json")],
        "run-op": [("recon.dcf", "--in", "trajectory=traj.json"), ("math.abs", "--in", "in=k.cfl", "--out", "out=abs.npy"),
                   ("stats.summary", "--in", "in=abs.npy")],
        "seg curate": [("balls", "-o", "curated2", "--folds", "3")],
        "seg evaluate": [("curated/clean.csv", "--predictions", "balls/labels", "-o", "evaluated")],
        "seg predict": [("balls/images/case_001.nii.gz", "l.nii.gz", "--model", shipped, "--no-mirror")],
        "seg train": [("--defaults",)] + [("balls.yaml", "--fold", f) for f in "01" if trains] + [("balls.yaml", "--time", "0.1")] * trains,
        "seg ensemble": [(*[f"training/fold_{f}/last.safetensors" for f in "01"], "-o", "both.safetensors")] if trains else [(shipped, "-o", "both.safetensors")],
        "sim bloch": [("--points", "5"), ("--thickness", "0", "--points", "5"), ("--seq", "traj.seq", "--points", "3")],
        "sim dce": [("--duration", "20")],
        "sim epg": [("--pulses", "4", "--T2", "50,100")],
        "studio": [("--port", "0", "--no-browser", "--cache", "cache")],
        "t1": [("vfa_linear", "dce/vfa.nii.gz", "-o", "t1")],
        "validate": [("dce_maps", "dce/truth", "--need", "0")],
        "wizard": [("dce", "--for", "dce", "-o", "asked.yaml")],
    }
    for name in ("dce", "dsc", "asl", "ivim"):
      calls[name] = pipeline(name)
      calls[f"dro {name}"] = [("-o", f"dro_{name}", "--grid", "5,5,5")]
    for name in ("spiral", "radial", "kooshball", "propeller", "floret", "distributed", "cartesian", "epi"):
      calls[f"traj {name}"] = [("-o", f"{name}.npy")]
    return calls

  def answer(self, name, words):
    """Exit code, standard output and standard error."""
    line = (*name.split(), *words, "--json")
    if name == "wizard":
      done = self.run_larmor(*line, stdin="\n" * 40)
    elif name == "studio":  # it answers and goes on until it is interrupted
      with subprocess.Popen([LARMOR, *line], cwd=self.dir, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as studio:
        first = studio.stdout.readline()
        studio.send_signal(signal.SIGINT)
        rest, talk = studio.communicate(timeout=60)
      return studio.returncode, first + rest, talk
    else:
      done = self.run_larmor(*line, env={"XDG_CACHE_HOME": str(self.dir / "cache"), "HOME": str(self.dir / "empty")})
    return done.returncode, done.stdout, done.stderr

  def test_every_command_answers_in_json(self):
    self.inputs()
    calls = self.calls()
    names = [c["name"] for c in json.loads(self.ok("list", "commands", "--json").stdout)]
    self.assertEqual(sorted(calls), sorted(names), "every command has calls in this test, and no other")
    # What others take comes first.
    for name in sorted(names, key=lambda n: (n not in ("dce", "aif detect", "ivim train", "seg train"), n)):
      for words in calls[name]:
        with self.subTest(f"larmor {name} {' '.join(map(str, words))}"):
          code, out, talk = self.answer(name, words)
          self.assertEqual(code, 0, out + talk)
          document = json.loads(out, parse_constant=no_json)
          self.assertTrue(document or name == "graph check" or name == "graph diff", out)
          if "-o" in words:  # where it is
            self.assertIn(words[words.index("-o") + 1], out)
          # What it says it wrote is there; run-op names its outputs as the operation does, and files apart.
          told = {} if isinstance(document, list) else document.get("files", {}) if name == "run-op" else document
          for key in ("out", "folder", "file", "weights", "list", "config", "picture", "g", "kspace", "error", "eigenvalues"):
            if isinstance(told, dict) and isinstance(told.get(key), str):
              self.assertTrue((self.dir / told[key]).exists(), f"{key}: {told[key]}")

  def test_names_of_any_bytes(self):
    self.ok("run-op", "phantom.shepp_logan", "--set", "size=[20,20]", "--out", "out=o.npy", "-q")
    name = os.fsdecode(b"caf\xe9")  # Latin-1: no UTF-8
    for words in (("traj", "radial", "--fov", "200", "--resolution", "10", "-o", f"{name}.json"), ("recon", "sample", "o.npy", "--traj", f"{name}.json", "-o", f"{name}.npy"),
                  ("run-op", "math.abs", "--in", f"in={name}.npy", "--out", f"out={name}.npy"), ("info", f"{name}.npy"), ("dro", "ivim", "--grid", "4,4,1", "-o", name)):
      done = subprocess.run([LARMOR, *words, "--json", "-q"], cwd=self.dir, capture_output=True, check=False)
      self.assertEqual(done.returncode, 0, done.stderr)
      self.assertTrue(json.loads(done.stdout.decode("utf-8")), words)  # bytes that are no UTF-8 are an error here

  def test_a_table_is_the_same_table(self):
    """Columns of --json are those of the CSV, digit by digit."""
    for words in (("aif", "sample", "parker", "--duration", "30"), ("sim", "dce", "--duration", "30"), ("sim", "epg", "--pulses", "5", "--T1", "500,900"),
                  ("sim", "bloch", "--points", "5", "-q")):
      head, *rows = [line.split(",") for line in self.ok(*words).stdout.splitlines()]
      document = json.loads(self.ok(*words, "--json").stdout, parse_float=str, parse_int=str)
      columns = [document["time_s" if name == "time" else name] for name in head]
      self.assertEqual([list(row) for row in zip(*columns)], rows, words)
    told = json.loads(self.ok("sim", "dce", "--param", "Ktrans=0.0025 1/s", "--json").stdout)
    self.assertAlmostEqual(told["parameters"]["Ktrans"]["value"], 0.15, places=9)
    self.assertEqual(told["parameters"]["Ktrans"]["unit"], "1/min")


if __name__ == "__main__":
  harness.main()
