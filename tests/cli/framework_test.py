# SPDX-License-Identifier: Apache-2.0
"""The command line itself: help, names, ranges, exit codes, completion."""
import json
import shutil
import subprocess

import harness
from harness import LARMOR


class Cases(harness.CliCase):

  def test_version_and_help_go_to_stdout(self):
    self.assertRegex(self.ok("--version").stdout, r"^larmor \d+\.\d+\.\d+\n$")
    text = self.ok("--help").stdout
    commands = json.loads(self.ok("list", "commands", "--json").stdout)
    self.assertGreaterEqual(len(commands), 2)
    for command in commands:
      self.assertIn("  " + command["name"], text)

  def test_every_command_explains_itself(self):
    for command in json.loads(self.ok("list", "commands", "--json").stdout):
      name = command["name"].split()
      text = self.ok(*name, "--help").stdout
      self.assertEqual(self.ok("help", *name).stdout, text)
      self.assertIn("usage: larmor " + command["name"], text)
      for option in command["options"]:
        self.assertIn(option["name"], text)
        if "unit" in option:
          self.assertIn(f"[{option['unit']}]", " ".join(text.split()))
        if "upper" in option:
          digits = 10 if option["kind"] == "integer" else 6
          self.assertIn(f"{option['lower']:.{digits}g} to {option['upper']:.{digits}g}", " ".join(text.split()), option)

  def test_no_command_is_a_wrong_call(self):
    done = self.run_larmor()
    self.assertEqual(done.returncode, 2)
    self.assertIn("usage: larmor COMMAND", done.stdout)

  def test_wrong_names_are_corrected(self):
    self.fails(2, ["lst"], "no command called 'lst'; did you mean list?")
    self.fails(2, ["list", "modles"], "did you mean models?")
    self.fails(2, ["list", "--jsn"], "did you mean --json?", "see larmor list --help")
    self.fails(2, ["completion", "fish"], "bash, zsh")

  def test_wrong_values_say_both_numbers(self):
    self.fails(2, ["list", "--threads", "0"], "--threads is 0", "1 to 4096")
    self.fails(2, ["list", "--threads", "2.5"], "2.5, not a whole number")
    self.fails(2, ["list", "--threads", "many"], "'many' is no number")
    self.fails(2, ["list", "--threads"], "--threads needs a value")
    self.fails(2, ["list", "--threads", "1", "--threads", "2"], "--threads is given twice")
    self.fails(2, ["list", "--json=yes"], "--json takes no value")
    self.fails(2, ["list", "models", "aifs"], "'aifs' is one argument too many")
    self.fails(2, ["completion"], "SHELL is missing", "usage: larmor completion SHELL")

  def test_global_options_may_stand_first(self):
    self.assertEqual(self.ok("--json", "--threads", "1", "list", "aifs").stdout, self.ok("list", "aifs", "--json").stdout)

  def test_device_that_is_not_there(self):
    here = [d["id"] for d in json.loads(self.ok("list", "devices", "--json").stdout) if "not here" not in d["what"]]
    self.assertIn("cpu", here)
    self.fails(2, ["list", "--device", "gpu"], "gpu")
    if not any(d.startswith("cuda") for d in here):
      self.fails(1, ["list", "--device", "cuda"], "cuda")

  def test_list_all_is_complete(self):
    everything = json.loads(self.ok("list", "all", "--json").stdout)
    for kind in ("models", "aifs", "fitters", "convolutions", "t1", "units", "devices", "commands"):
      self.assertTrue(everything[kind], kind)
      self.assertEqual(json.loads(self.ok("list", kind, "--json").stdout), everything[kind])
      text = self.ok("list", kind).stdout
      for item in everything[kind]:
        self.assertIn(item.get("id", item.get("name")), text)
    for kind in ("models", "aifs", "fitters", "convolutions", "t1"):
      for item in everything[kind]:
        self.assertTrue(item["title"] and item["source"], item)
    for model in everything["models"]:
      for p in model["params"]:
        self.assertTrue({"name", "unit", "lower", "upper", "start", "title"} <= set(p), p)
        self.assertLessEqual(p["lower"], p["start"])
        self.assertLessEqual(p["start"], p["upper"])

  def complete(self, *words):
    """What bash offers for the last of `words`."""
    if not hasattr(self, "script"):
      self.script = self.ok("completion", "bash").stdout
    line = " ".join(f"'{w}'" for w in words)
    program = f"{self.script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _larmor; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "-c", program], cwd=self.dir, text=True, capture_output=True, check=True)
    self.assertEqual(done.stderr, "")
    return done.stdout.split()

  def test_bash_completes_commands_options_and_choices(self):
    self.assertEqual(self.complete("larmor", "li"), ["list"])
    self.assertIn("models", self.complete("larmor", "list", "m"))
    self.assertEqual(self.complete("larmor", "list", "--js"), ["--json"])
    self.assertEqual(self.complete("larmor", "list", "--device", "cu"), ["cuda"])
    for command in json.loads(self.ok("list", "commands", "--json").stdout):
      words = command["name"].split()
      self.assertIn(words[-1], self.complete("larmor", *words[:-1], words[-1][:2]))
      for option in command["options"]:
        self.assertIn(option["name"], self.complete("larmor", *words, option["name"]))
        if "choices" in option:
          self.assertEqual(self.complete("larmor", *words, option["name"], ""), option["choices"])

  def test_zsh_accepts_its_script_and_completes(self):
    zsh = shutil.which("zsh")
    if not zsh:
      harness.skip("zsh is not installed")
    (self.dir / "_larmor").write_text(self.ok("completion", "zsh").stdout, encoding="utf-8")
    subprocess.run([zsh, "-n", "_larmor"], cwd=self.dir, check=True)
    program = """
      fpath=($PWD $fpath); autoload -U compinit; compinit -u -d $PWD/dump
      _describe() { print -l -- "${(@P)2}" >> offered }
      _arguments() { print -l -- "$@" >> offered }
      offer() { rm -f offered; words=("$@"); CURRENT=$#words; _larmor; cat offered }
      offer larmor l; echo '==='; offer larmor list --js
    """
    done = subprocess.run([zsh, "-f", "-c", program], cwd=self.dir, text=True, capture_output=True, check=False)
    self.assertEqual(done.returncode, 0, done.stderr)
    first, second = done.stdout.split("===")
    self.assertIn("list:", first)
    self.assertIn("--json[", second)
    self.assertIn("models aifs", second)

  def test_output_that_cannot_be_written(self):
    with open("/dev/full", "w", encoding="utf-8") as full:
      done = subprocess.run([LARMOR, "list", "all"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    self.assertEqual(done.returncode, 1)
    self.assertIn("stdout", done.stderr)


if __name__ == "__main__":
  harness.main()
