# SPDX-License-Identifier: Apache-2.0
"""The configuration of larmor dce: what is wrong is said with its line, both numbers and the nearest name."""
import harness


class Cases(harness.CliCase):

  def check(self, yaml):
    (self.dir / "c.yaml").write_text(yaml, encoding="utf-8")
    return self.ok("dce", "--check", "c.yaml")

  def wrong(self, yaml, *says):
    (self.dir / "c.yaml").write_text(yaml, encoding="utf-8")
    return self.fails(2, ["dce", "--check", "c.yaml"], *says)

  def test_defaults_are_complete_and_correct(self):
    text = self.ok("dce", "--defaults").stdout
    self.check(text)
    page = (harness.SOURCE / "docs" / "reference" / "config.md").read_text(encoding="utf-8")
    keys = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    self.assertGreater(len(keys), 40)
    for key in keys:
      self.assertIn(f"\n  {key}:", text)

  def test_empty_configuration_is_all_defaults(self):
    self.check("")
    self.check("fit:\n")
    self.check("signal: {TR: , FA: }\n")

  def test_unknown_names(self):
    self.wrong("fit:\n  modle: tofts\n", "no key of section 'fit' called 'modle'", "did you mean model?", "c.yaml line 2")
    self.wrong("\nfitt: {}\n", "no section called 'fitt'; did you mean fit?", "c.yaml line 2")
    self.wrong("fit:\n  FA: 5\n", "no key called 'FA' in section 'fit'", "it belongs to section 't1:'")
    self.wrong("model: tofts\n", "'model' stands outside its section", "'aif:'")
    self.wrong("fit:\n  model: tofs\n", "did you mean dce.tofts?", "c.yaml line 2")
    self.wrong("fit:\n  model: [tofts, extended_tofs]\n", "did you mean dce.extended_tofts?")
    self.wrong("aif: {model: parkr}\n", "did you mean aif.parker?")
    self.wrong("aif: {source: modell}\n", "did you mean model?", "model, file, mask, auto")
    self.wrong("fit:\n  params:\n    Ktran: {lower: 0}\n", "no model parameter called 'Ktran'; did you mean Ktrans?", "line 3")
    self.wrong("fit:\n  params:\n    Ktrans: {lowr: 0}\n", "did you mean lower?")

  def test_wrong_types(self):
    self.wrong("signal: {FA: fifteen}\n", "signal.FA is 'fifteen', not a number [deg]", "line 1")
    self.wrong("signal: {FA: [1, 2]}\n", "signal.FA is a list, not a number")
    self.wrong("fit: {max_iterations: 2.5}\n", "2.5, not a whole number")
    self.wrong("fit: {fit_delay: maybe}\n", "'maybe', not true or false")
    self.wrong("t1: {FA: {a: 1}}\n", "t1.FA is a map, not a list of numbers")
    self.wrong("t1: {FA: []}\n", "t1.FA is an empty list")
    self.wrong("fit: 3\n", "section 'fit' is not a map")
    self.wrong("- 1\n", "not a map of sections")
    self.wrong("fit: {params: 3}\n", "fit.params is not a map")
    self.wrong("fit: {params: {ve: 3}}\n", "fit.params.ve is not a map")
    self.wrong("aif: {arrival: soon}\n", "not a number [s]", "or auto")

  def test_ranges_say_both_numbers_and_the_unit(self):
    self.wrong("signal:\n  FA: 400\n", "signal.FA is 400 deg; allowed: 0.01 to 180 deg", "c.yaml line 2")
    self.wrong("signal:\n  TR: -5\n", "signal.TR is -5 ms; allowed: 0.1 to 2e+04 ms")
    self.wrong("signal:\n  TR: 0.005\n", "signal.TR is 0.005 ms", "TR: 1 s")
    self.wrong("aif: {Hct: 1.2}\n", "aif.Hct is 1.2; allowed: 0 to 0.9")
    self.wrong("fit: {params: {ve: {lower: 0.5, upper: 0.2}}}\n", "lower 0.5 is not below upper 0.2")
    self.wrong("fit: {params: {ve: {prior_sd: 0}}}\n", "must be above 0")

  def test_units_may_be_written(self):
    self.check("signal: {TR: 0.005 s, FA: 0.26 rad, r1: 4.5 1/(s mM)}\n")
    self.check("fit: {params: {Ktrans: {upper: 2 1/min, start: 0.002 1/s}, delay: {start: 2 s}}}\n")
    self.wrong("signal: {TR: 5 mm}\n", "'mm' does not convert to 'ms'", "line 1")
    self.wrong("signal: {TR: 5 mss}\n", "did you mean ms?")

  def test_yaml_that_is_none(self):
    self.wrong("fit: {model: tofts\n", "not YAML", "c.yaml line")
    self.wrong("fit:\n  model: tofts\n  model: patlak\n", "'model' is written twice", "line 3")

  def test_calls_that_are_incomplete(self):
    self.fails(2, ["dce"], "CONFIG is missing")
    self.check("")
    self.fails(2, ["dce", "c.yaml"], "DATA is missing")
    self.fails(2, ["dce", "c.yaml", "."], "--out is missing")
    self.fails(1, ["dce", "--check", "d.yaml"], "d.yaml")


if __name__ == "__main__":
  harness.main()
