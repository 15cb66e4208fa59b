// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <initializer_list>
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/core/registry.hpp>
#include <larmor/flow/types.hpp>
#include <larmor/flow/value_traits.hpp>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

namespace larmor::flow {

inline constexpr double unbounded = std::numeric_limits<double>::infinity();

/// What a port takes or gives beyond its type. Checked against the value before the operation runs.
struct Limits {
  bool required = true;                          // in-ports
  bool repeated = false;                         // in-ports: name.1, name.2, ... each with its own wire
  std::vector<DType> dtypes = {};                // empty: all
  int min_rank = 0, max_rank = 99;               // of the array (or of the array in an image)
  Axes axes = {};                                // that must be there, in any order
  double lower = -unbounded, upper = unbounded;  // of every finite element
};

struct Port {
  std::string name;  // "signal"
  std::string what;  // "signal (x, y, z, t) [a.u.]": meaning, axes, unit
  std::string type;
  Limits limits = {};
};

enum class SettingKind : std::uint8_t {
  number,
  integer,
  boolean,
  choice,
  text,
  file_open,
  file_save,
  folder,
  colour,
  numbers
};
std::string_view to_string(SettingKind kind);

/// One setting. The kind follows from the default's type: {"iterations", "repeats of ...", 20, 1, 200} is an integer,
/// 0.42 a number, true a boolean, "text" a text; the named makers give the others.
struct Setting {
  std::string name, what;
  SettingKind kind = SettingKind::text;
  Value value;                                             // default; none: not set, allowed for `optional_` ones
  double lower = -unbounded, upper = unbounded, step = 0;  // step 0: free
  std::string unit = {};
  std::vector<std::string> choices = {};  // also the endings of files: "nii", "nii.gz"
  bool optional = false;
  bool multiline = false;  // texts

  Setting() = default;
  Setting(std::string name, std::string what, int value, double lower = -unbounded, double upper = unbounded);
  Setting(std::string name, std::string what, double value, double lower = -unbounded, double upper = unbounded);
  Setting(std::string name, std::string what, bool value);
  Setting(std::string name, std::string what, const char* value);
  static Setting choice(std::string name, std::string what, std::string value, std::vector<std::string> choices);
  static Setting open(std::string name, std::string what, std::vector<std::string> endings = {});
  static Setting save(std::string name, std::string what, std::string value, std::vector<std::string> endings = {});
  static Setting folder(std::string name, std::string what);
  static Setting colour(std::string name, std::string what, std::string value);
  static Setting numbers(std::string name, std::string what, std::vector<double> value);
  Setting in(std::string unit_) && { return unit = std::move(unit_), std::move(*this); }
  Setting by(double step_) && { return step = step_, std::move(*this); }
  Setting or_none() && { return optional = true, std::move(*this); }
  Setting lines() && { return multiline = true, std::move(*this); }

  /// The value as this setting holds it (numbers from texts are refused, integers rounded when whole).
  /// Errors   Errc::type, Errc::range with value, bounds and unit; Errc::unknown_name for a choice, with the nearest
  Value checked(const Value& given) const;
};

/// A setting as compute reads it: converts to what it is.
class SettingValue {
 public:
  SettingValue(const Setting& setting, Value value) : setting_(&setting), value_(std::move(value)) {}
  bool given() const { return !value_.none(); }
  operator double() const { return value_.number(); }
  explicit operator int() const { return static_cast<int>(value_.number()); }
  operator std::int64_t() const { return static_cast<std::int64_t>(value_.number()); }
  operator bool() const { return value_.boolean(); }
  operator std::string() const { return value_.text(); }
  std::string str() const { return value_.text(); }
  std::vector<double> numbers() const { return ValueTraits<std::vector<double>>::from(value_); }
  const Value& value() const { return value_; }

 private:
  const Setting* setting_;
  Value value_;
};

struct NodeType;

/// What an operation sees while it runs.
class Ports {
 public:
  /// Services that the engine gives; the defaults do nothing.
  struct Services {
    Cancel cancel = {};
    Progress progress = {};
    std::function<void(const std::string&)> warn = {}, log = {};
    std::function<std::string()> provenance = {};  // JSON: graph, settings, versions, input hashes
    std::string node = {};                         // path in the graph
    Device device = {};
  };
  /// Reads missing settings from the type's defaults. Errors   those of Setting::checked; Errc::unknown_name for a
  /// setting that the type does not have
  Ports(const NodeType& type, std::map<std::string, Value> inputs, std::map<std::string, Value> settings,
        Services services);

  bool has(std::string_view port) const;
  const Value& value(std::string_view port) const;  // none when not wired
  /// Errors   Errc::usage when not wired, Errc::type, with an `at:` line naming the port
  template <class T>
  T in(std::string_view port) const {
    try {
      return ValueTraits<T>::from(value(required(port)));
    } catch (Error& e) {
      e.at("port '" + std::string(port) + "'");
      throw;
    }
  }
  /// All wires of a repeated port, in order.
  std::vector<Value> all(std::string_view port) const;

  class Out {
   public:
    explicit Out(Value& value) : value_(value) {}
    template <class T>
    void operator=(const T& v) {
      value_ = ValueTraits<T>::to(v);
    }

   private:
    Value& value_;
  };
  /// Errors   Errc::internal for a port that the type does not have
  Out out(std::string_view port);

  /// Errors   Errc::internal for a setting that the type does not have
  SettingValue setting(std::string_view name) const;

  const Cancel& cancel() const { return services_.cancel; }
  const Progress& progress() const { return services_.progress; }
  Device device() const { return services_.device; }
  const std::string& node() const { return services_.node; }
  std::string provenance() const { return services_.provenance ? services_.provenance() : std::string(); }
  /// Shown at the node, which ends in the warning state.
  void warn(const std::string& text) const;
  void log(const std::string& text) const;

  const NodeType& type() const { return *type_; }
  std::map<std::string, Value>& outputs() { return outputs_; }
  const std::map<std::string, Value>& settings() const { return settings_; }
  const std::map<std::string, Value>& inputs() const { return inputs_; }

 private:
  std::string_view required(std::string_view port) const;
  const NodeType* type_;
  std::map<std::string, Value> inputs_, settings_, outputs_;
  Services services_;
};

/// Settings as they are for the data that is there: `validate` narrows ranges, replaces choices, hides settings.
/// It is called when inputs or settings change, with the last values of the inputs (none before the first run).
class Form {
 public:
  Form(const NodeType& type, std::map<std::string, Value> inputs, std::map<std::string, Value> settings);
  const Value& in(std::string_view port) const;  // none: not known yet
  SettingValue setting(std::string_view name) const;
  Setting& change(std::string_view name);  // the description, to adapt
  void hide(std::string_view name);
  void warn(std::string text);

  const std::vector<Setting>& all() const { return all_; }
  const std::vector<std::string>& hidden() const { return hidden_; }
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  std::map<std::string, Value> inputs_, values_;
  std::vector<Setting> all_;
  std::vector<std::string> hidden_, warnings_;
};

struct Example {
  std::string title, graph;  // JSON of a small graph, or the name of a shipped one
};

/// An operation: what it is called, takes, gives, can be told, and the function that does it. A pure function of inputs
/// and settings, unless it says otherwise.
struct NodeType {
  std::string title;
  std::string does = {};  // one sentence
  std::string from = {};  // the paper or standard
  std::string help = {};  // Markdown with TeX, the equation too
  /// Counts up when results change: cached ones of an older version are not used.
  int version = 1;
  /// Writes files or talks to the outside: runs again when its key changed or what it wrote is gone.
  bool effect = false;
  /// Reads something that its inputs and settings do not say (a clock, a device): never cached.
  bool impure = false;
  /// Comes from a user's file: runs in a worker process.
  bool user = false;
  std::vector<std::string> tags = {};  // for the search of the palette
  std::vector<Example> examples = {};
  std::vector<Port> inputs = {}, outputs = {};
  std::vector<Setting> settings = {};
  std::function<void(Ports&)> compute = {};
  std::function<void(Form&)> adapt = {};

  template <class T>
  NodeType&& in(std::string name, std::string what, Limits limits = {}) && {
    inputs.push_back({std::move(name), std::move(what), ValueTraits<T>::type, std::move(limits)});
    return std::move(*this);
  }
  template <class T>
  NodeType&& maybe(std::string name, std::string what, Limits limits = {}) && {
    limits.required = false;
    return std::move(*this).template in<T>(std::move(name), std::move(what), std::move(limits));
  }
  template <class T>
  NodeType&& out(std::string name, std::string what, Limits limits = {}) && {
    outputs.push_back({std::move(name), std::move(what), ValueTraits<T>::type, std::move(limits)});
    return std::move(*this);
  }
  NodeType&& set(Setting setting) && {
    settings.push_back(std::move(setting));
    return std::move(*this);
  }
  NodeType&& run(std::function<void(Ports&)> function) && {
    compute = std::move(function);
    return std::move(*this);
  }
  NodeType&& validate(std::function<void(Form&)> function) && {
    adapt = std::move(function);
    return std::move(*this);
  }

  /// nullptr when there is none; "name.2" finds the repeated port "name".
  const Port* input(std::string_view name) const;
  const Port* output(std::string_view name) const;
  const Setting* setting(std::string_view name) const;
};

/// Operations by id: "<category>.<name>", "math.add". The types that they use come along.
class NodeTypes : public Registry<NodeType> {
 public:
  NodeTypes() : Registry<NodeType>("operation", "larmor list ops") {}
  Types types;
  /// Takes the place of an operation of the same id, for user operations that were edited.
  void replace(std::string id, NodeType type);

  /// Operations of users change while the program runs: who changes the registry locks it, and so does who reads it
  /// while others may change it. The types that were read are copied before the lock is let go.
  std::unique_lock<std::shared_mutex> writing() const { return std::unique_lock(*mutex_); }
  std::shared_lock<std::shared_mutex> reading() const { return std::shared_lock(*mutex_); }

 private:
  std::shared_ptr<std::shared_mutex> mutex_ = std::make_shared<std::shared_mutex>();
};

/// Checks a value against a port. Errors   Errc::type, Errc::shape, Errc::range with what is needed and what is there
void check(const Port& port, const Value& value, const Types& types);

/// Runs one operation outside any graph: checks inputs and settings, computes, checks that every output is there.
std::map<std::string, Value> run_operation(const NodeType& type, const Types& types,
                                           std::map<std::string, Value> inputs, std::map<std::string, Value> settings,
                                           Ports::Services services = {});

}  // namespace larmor::flow
