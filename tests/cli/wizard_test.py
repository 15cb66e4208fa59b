# SPDX-License-Identifier: Apache-2.0
"""The wizard on a pseudo-terminal, as a person meets it."""
import os
import pty
import re
import select
import signal
import time

import harness
from harness import LARMOR


class Cases(harness.CliCase):

  def setUp(self):
    super().setUp()
    self.ok("dro", "dce", "-o", "in", "--grid", "10,10,6", "--frames", "40", "-q")
    (self.dir / "in" / "config.yaml").unlink()

  def talk(self, answers, *words):
    """Waits for each question (a regular expression) and types its answer. Returns exit code and all that was shown."""
    child, terminal = pty.fork()
    if child == 0:
      os.chdir(self.dir)
      signal.signal(signal.SIGINT, signal.SIG_DFL)  # who runs tests in the background may have it ignored
      os.execv(LARMOR, [LARMOR, "wizard", *words])
    shown, at = "", 0
    def read(until, seconds=20):
      nonlocal shown, at
      end = time.time() + seconds
      while time.time() < end:
        found = re.compile(until).search(shown, at) if until else None
        if found:
          at = found.end()
          return
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if ready:
          try:
            data = os.read(terminal, 65536)
          except OSError:
            data = b""
          if not data:
            return
          shown += data.decode(errors="replace")
      self.assertFalse(until, f"no question like {until!r} in\n{shown}")
    for question, answer in answers:
      read(question + r".*\]: ")
      os.write(terminal, (answer + "\n").encode() if answer != "^C" else b"\x03")
    read("", 60)
    os.close(terminal)  # one that has not ended is hung up on
    _, status = os.waitpid(child, 0)
    return status, shown

  everything = [("Dynamic series", ""), ("signal or concentration", ""), ("Mask", ""), ("Relaxivity", ""), ("T1 before", ""),
                ("Method", ""), ("Arterial input", ""), ("Population curve", ""), ("Arrival", "20"), ("Haematocrit", ""),
                ("Model;", ""), ("delay", ""), ("Units", "")]

  def test_defaults_give_a_configuration_that_runs(self):
    status, shown = self.talk(self.everything, "in")
    self.assertEqual(status, 0, shown)
    self.assertIn("15 deg, from the sidecar", shown)
    self.assertIn("Run it with: larmor dce in/dce.yaml in -o OUT", shown)
    text = (self.dir / "in" / "dce.yaml").read_text(encoding="utf-8")
    self.assertIn("  arrival: 20\n", text)
    self.assertGreater(text.count("# "), 10)
    self.ok("dce", "in/dce.yaml", "in", "-o", "out", "-q")
    self.ok("validate", "out", "in/truth")

  def test_wrong_answers_are_explained_and_asked_again(self):
    answers = [("Dynamic series", "nothing.nii"), ("there is no file.*nothing.nii(.|\n)*Dynamic series", ""),
               ("signal or concentration", "signl"), ("did you mean signal(.|\n)*signal or concentration", ""), ("Mask", "none"),
               ("Relaxivity", "-3"), ("allowed: 0.01 to 200(.|\n)*Relaxivity", "?"), ("relaxivity of the contrast agent(.|\n)*Relaxivity", "3.7"),
               ("T1 before", "fixed"), ("T1 of every voxel", "1200 ms"), ("Arterial input", ""), ("Population curve", "parkr"),
               ("did you mean aif.parker(.|\n)*Population curve", "georgiou"), ("Arrival", ""), ("Haematocrit", "42"),
               ("allowed: 0 to 0.9(.|\n)*Haematocrit", "0.45"), ("Model;", "tofts, patlk"), ("did you mean dce.patlak(.|\n)*Model;", "tofts, patlak"),
               ("delay", "perhaps"), ("yes or no(.|\n)*delay", "y"), ("Units", "")]
    status, shown = self.talk(answers, "in", "-o", "mine.yaml")
    self.assertEqual(status, 0, shown)
    text = (self.dir / "mine.yaml").read_text(encoding="utf-8")
    for line in ("mask: none", "r1: 3.7", "fixed: 1200 ms", "model: aif.georgiou", "Hct: 0.45", "model: [tofts, patlak]", "fit_delay: true"):
      self.assertIn("  " + line + "\n", text)
    self.ok("dce", "--check", "mine.yaml", "in")

  def test_interrupt_writes_nothing(self):
    status, _ = self.talk(self.everything[:4] + [("T1 before", "^C")], "in")
    self.assertNotEqual(status, 0)
    self.assertFalse((self.dir / "in" / "dce.yaml").exists())

  def test_existing_file_is_kept_unless_told(self):
    (self.dir / "in" / "dce.yaml").write_text("mine", encoding="utf-8")
    status, _ = self.talk(self.everything + [("Replace it", "no")], "in")
    self.assertNotEqual(status, 0)
    self.assertEqual((self.dir / "in" / "dce.yaml").read_text(encoding="utf-8"), "mine")
    status, _ = self.talk(self.everything + [("Replace it", "yes")], "in")
    self.assertEqual(status, 0)
    self.assertIn("fit:", (self.dir / "in" / "dce.yaml").read_text(encoding="utf-8"))

  def test_ivim_is_asked_for_where_its_data_lie(self):
    self.ok("dro", "ivim", "-o", "b", "--grid", "6,5,2", "-q")
    answers = [("Diffusion series", ""), ("Mask", ""), ("Volumes of one b-value", "mean"), ("Method", "segmentd"),
               ("did you mean(.|\n)*Method", "lm"), ("Model", "")]
    status, shown = self.talk(answers, "b")
    self.assertEqual(status, 0, shown)
    self.assertIn("b-values from dwi.bval", shown)
    text = (self.dir / "b" / "ivim.yaml").read_text(encoding="utf-8")
    self.assertIn("  average: mean\n", text)
    self.ok("ivim", "b/ivim.yaml", "b", "-o", "out", "-q")
    self.ok("dro", "ivim", "-o", "in", "--grid", "10,10,6", "-q")  # both kinds in one folder: asked which
    status, shown = self.talk([("What shall be quantified", "dce")] + self.everything, "in")
    self.assertEqual(status, 0, shown)

  def test_asl_is_asked_for_where_its_data_lie(self):
    self.ok("dro", "asl", "-o", "b", "--grid", "12,10,6", "--PLD", "0.5,1,1.5", "--repeats", "2", "-q")
    answers = [("ASL series", ""), ("Mask", ""), ("Subtraction", "suround"), ("did you mean(.|\n)*Subtraction", "surround"),
               ("M0 of blood", ""), ("Kinetic model", ""), ("Model", "")]
    status, shown = self.talk(answers, "b")
    self.assertEqual(status, 0, shown)
    self.assertIn("labelling: PCASL, from the sidecar", shown)
    text = (self.dir / "b" / "asl.yaml").read_text(encoding="utf-8")
    self.assertIn("  method: difference.surround\n", text)
    self.ok("asl", "b/asl.yaml", "b", "-o", "out", "-q")

  def test_dsc_is_asked_for_where_its_data_lie(self):
    self.ok("dro", "dsc", "-o", "b", "--grid", "12,10,6", "-q")
    answers = [("Dynamic series", ""), ("Mask of the voxels", ""), ("Arterial input", ""), ("Mask of the artery", ""),
               ("Relation of dR2", "blood_1.5T"), ("Leakage correction", ""), ("Method", "cvsd"),
               ("did you mean(.|\n)*Method", "csvd"), ("Reference region", ""), ("Units", "")]
    status, shown = self.talk(answers, "b")
    self.assertEqual(status, 0, shown)
    self.assertIn("60 frames", shown)
    text = (self.dir / "b" / "dsc.yaml").read_text(encoding="utf-8")
    self.assertIn("  method: dsc.csvd\n", text)
    self.ok("dsc", "b/dsc.yaml", "b", "-o", "out", "-q")

  def test_input_that_ends_early(self):
    self.fails(1, ["wizard", "in"], "input ended", "nothing was written", stdin="\n\n")
    self.fails(1, ["wizard", "nowhere"], "nowhere", stdin="")


if __name__ == "__main__":
  harness.main()
