# SPDX-License-Identifier: Apache-2.0
"""An output that cannot be written is found before the work. Root may write everywhere, so it lies below a regular file."""
import json
import os

import harness
from harness import write_nifti

BELOW = "file/below/out"


class Cases(harness.CliCase):

  def setUp(self):
    super().setUp()
    (self.dir / "file").write_text("kept", encoding="utf-8")

  def refused(self, words, *says):
    before = sorted(p.name for p in self.dir.iterdir())
    done = self.fails(1, words, *says)
    self.assertEqual(sorted(p.name for p in self.dir.iterdir()), before, "nothing stays behind")
    self.assertEqual((self.dir / "file").read_text(encoding="utf-8"), "kept")
    return done

  def test_every_command_tries_its_outputs_first(self):
    # Inputs are names of nothing: an error that speaks of the output came before they were looked at.
    tried = 0
    for command in json.loads(self.ok("list", "commands", "--json").stdout):
      outputs = [a for a in command["arguments"] + command["options"] if a.get("output")]
      for output in outputs:
        words = command["name"].split()
        for a in command["arguments"]:
          words.append(BELOW if a is output else f"new/{a['name']}" if a.get("output") else a.get("choices", ["nothing"])[0])
        for o in command["options"]:
          if o is output or o.get("required"):
            words += [o["name"], BELOW if o is output else f"new/{o['name']}"]
        with self.subTest(" ".join(words)):
          self.refused(words, "file", f"larmor {command['name']}: {output['name']}")
          tried += 1
    self.assertGreater(tried, 40)

  def test_outputs_that_are_no_option_of_their_own(self):
    self.refused(["run-op", "math.abs", "--in", "in=nothing.npy", "--out", f"out={BELOW}.npy"], "file")
    self.refused(["dicom", "to-nifti", "nothing", "-o", BELOW], "file")
    self.refused(["dicom", "to-nifti", "nothing", "-o", f"{BELOW}.nii.gz"], "file")

  def test_the_folder_of_a_training(self):
    write_nifti(self.dir / "i.nii.gz", [1] * 8, (2, 2, 2))
    (self.dir / "clean.csv").write_text("name,person,fold,image,label\na,p,0,nothing.nii.gz,nothing.nii.gz\n", encoding="utf-8")
    (self.dir / "c.yaml").write_text(f"data: clean.csv\nout: {BELOW}\n", encoding="utf-8")
    self.refused(["seg", "train", "c.yaml"], "file")

  def test_a_kind_of_file_that_holds_no_image(self):
    for command, out in (("sense", ["i.png"]), ("grappa", ["i.txt"]), ("pics", ["i.npy", "--error", "e.csv"]), ("espirit", ["m.npy", "--eigenvalues", "v.png"])):
      self.fails(2, ["recon", command, "nothing.cfl", *out], "holds no array", "write .npy, .cfl or .nii.gz")
    self.fails(2, ["recon", "nufft", "nothing.npy", "--traj", "nothing.json", "-o", "i.png"], "holds no array")
    self.fails(2, ["recon", "sense", "nothing.cfl", "i.npz"], "did you mean npy?")

  def test_a_device_is_no_file(self):
    os.mkfifo(self.dir / "pipe")
    self.refused(["graph", "example", "dce", "-o", "pipe"], "it is a device or a pipe")
    self.assertTrue((self.dir / "pipe").is_fifo())


if __name__ == "__main__":
  harness.main()
