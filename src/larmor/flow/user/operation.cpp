// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <larmor/flow/node_type_json.hpp>
#include <larmor/flow/user/build.hpp>
#include <larmor/flow/user/companions.hpp>
#include <larmor/flow/user/cpp_worker.hpp>
#include <larmor/flow/user/operation.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

namespace larmor::flow::user {

extern const char* const worker_py;  // generated from worker.py

namespace {

// "my_filter.py" is "My filter".
std::string title_of(const std::filesystem::path& file) {
  std::string title = file.stem().string();
  std::replace(title.begin(), title.end(), '_', ' ');
  if (!title.empty()) title[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(title[0])));
  return title;
}

namespace fs = std::filesystem;

int count_lines(const std::string& text, bool python) {
  std::istringstream lines(text);
  int n = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find_first_not_of(" \t\r");
    if (at == std::string::npos) continue;
    const std::string_view rest = std::string_view(line).substr(at);
    n += !rest.starts_with(python ? "#" : "//");
  }
  return n;
}

int line_of(const std::string& text, const std::string& what) {
  const auto at = text.find(what);
  return at == std::string::npos
             ? 1
             : static_cast<int>(std::count(text.begin(), text.begin() + std::ptrdiff_t(at), '\n')) + 1;
}

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) throw Error(Errc::file, file.string() + " cannot be read");
  return text.str();
}

void write_text(const fs::path& file, const std::string& text) {
  const fs::path part = file.string() + fmt::format(".{}.part", ::getpid());
  std::ofstream(part, std::ios::binary) << text;
  std::error_code failed;  // a cache that cannot be written is only slower
  fs::rename(part, file, failed);
  if (failed) fs::remove(part, failed);
}

/// A value as the port says it: an image goes to a port of arrays as its data.
Value as_said(const Port& port, const Value& value) {
  if (port.type == "array") return ValueTraits<Array>::from(value);
  if (port.type == "number") return ValueTraits<double>::from(value);
  if (port.type == "numbers")
    return ValueTraits<std::vector<double>>::to(ValueTraits<std::vector<double>>::from(value));
  if (port.type == "boolean") return ValueTraits<bool>::from(value);
  if (port.type == "list") return ValueTraits<Value::List>::from(value);
  return value;
}

/// The record that an array was the data of, with other data; none when the array lies on another grid.
Value with_data(const Value& record, const Array& data) {
  const Value old = record.field("data");
  if (old.kind() != Value::Kind::array || old.array().shape() != data.shape() || old.array().axes() != data.axes())
    return {};
  Value::Fields fields = record.fields();
  for (auto& [name, value] : fields)
    if (name == "data") value = data;
  return Value::record(record.type(), std::move(fields));
}

bool good_id(const std::string& id) {
  return id.find('.') != std::string::npos && id.front() != '.' && id.back() != '.' &&
         std::all_of(id.begin(), id.end(), [](unsigned char c) {
           return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_' || c == '.';
         });
}

std::string id_of(const fs::path& file) {
  std::string id = "user." + file.stem().string();
  std::transform(id.begin(), id.end(), id.begin(),
                 [](unsigned char c) { return c == '-' || c == ' ' ? '_' : static_cast<char>(std::tolower(c)); });
  return id;
}

}  // namespace

Operation::Operation(fs::path file, const UserOptions& options)
    : file_(std::move(file)), options_(options), python_(file_.extension() == ".py") {}

/// A worker for one call; waits while as many as may be are busy. One that died is not used again.
class Operation::Lease {
 public:
  Lease(Operation& op, const Cancel& cancel) : op_(op) {
    std::unique_lock lock(op.mutex_);
    while (op.idle_.empty() && op.busy_ >= op.most_) {
      op.free_.wait_for(lock, std::chrono::milliseconds(20));
      cancel.check();
    }
    ++op.busy_;
    if (!op.idle_.empty()) {
      worker_ = std::move(op.idle_.back());
      op.idle_.pop_back();
    }
    lock.unlock();
    try {
      if (!worker_ || !worker_->alive()) worker_ = std::make_unique<Worker>(op.words());
    } catch (...) {
      give_back();
      throw;
    }
    lock.lock();
    op.busy_ids_.push_back(static_cast<int>(worker_->id()));
  }
  ~Lease() { give_back(); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Worker& operator*() { return *worker_; }

 private:
  void give_back() {
    const bool alive = worker_ && worker_->alive();
    const std::lock_guard lock(op_.mutex_);
    --op_.busy_;
    if (worker_) std::erase(op_.busy_ids_, static_cast<int>(worker_->id()));
    if (alive) op_.idle_.push_back(std::move(worker_));
    op_.free_.notify_one();
  }
  Operation& op_;
  std::unique_ptr<Worker> worker_;
};

std::vector<std::string> Operation::words() const {
  if (!python_) return {options_.program.string(), op_worker_word};
  const char* named = std::getenv("LARMOR_PYTHON");
  const auto python = find_program({options_.python.string(), named ? named : "", "/usr/bin/python3", "python3"});
  if (python.empty())
    throw Error(Errc::file, "there is no Python to run " + file_.filename().string(),
                "install python3 and python3-numpy, or name one in LARMOR_PYTHON");
  return {python.string(), "-u", "-c", worker_py};
}

int Operation::process() const {
  const std::lock_guard lock(mutex_);
  if (!busy_ids_.empty()) return busy_ids_.back();
  return idle_.empty() ? 0 : static_cast<int>(idle_.back()->id());
}

std::vector<fs::path> Operation::looked_for() const {
  const std::lock_guard lock(mutex_);
  return looked_for_;
}

Source Operation::read() {
  Source source{.path = fs::absolute(file_), .hash = {}, .text = read_text(file_), .binary = {}};
  Hasher hasher;
  hasher.add(source.text).add(LARMOR_VERSION).add(source.path.string());
  Companions others = companions(source.path, source.text, python_);
  for (const auto& other : others.found) hasher.add(other.string()).add(read_text(other));
  source.hash = hasher.done().str();
  const std::lock_guard lock(mutex_);
  looked_for_ = std::move(others.looked_for);
  return source;
}

std::shared_ptr<Operation::Described> Operation::describe(Source& source) {
  auto out = std::make_shared<Described>();
  out->lines = count_lines(source.text, python_);
  if (!python_)
    source.binary = build_operation(source.path, source.hash, header_folder(options_.program), options_.cache);
  const fs::path kept = options_.cache / (file_.stem().string() + "-" + source.hash + ".json");
  std::error_code failed;
  std::string json;
  if (fs::exists(kept, failed)) {
    json = read_text(kept);
  } else {
    // The worker that has the state tries the new version; while it is busy, one for this look only.
    bool busy = false;
    {
      const std::lock_guard lock(mutex_);
      busy = busy_ > 0;
    }
    if (busy)
      json = Worker(words()).load(source, options_.describe_seconds);
    else
      json = (*Lease(*this, {})).load(source, options_.describe_seconds);
  }
  try {
    auto described = nlohmann::json::parse(json);
    // How many may run side by side is for us, not for the description.
    if (described.is_object() && described.contains("workers")) {
      const auto& n = described["workers"];
      if (!n.is_number_integer() || n.get<int>() < 1 || n.get<int>() > 64)
        throw Error(Errc::format, "'workers' is " + n.dump(), "give a whole number from 1 to 64");
      const std::lock_guard lock(mutex_);
      most_ = n.get<int>();
      described.erase("workers");
    }
    std::tie(out->id, out->type) = parse_node_type(described.dump());
    if (out->id.empty()) out->id = id_of(file_);
    if (!good_id(out->id))
      throw Error(Errc::format, "'" + out->id + "' is no id", "write user.name, in small letters, digits and _");
    if (out->type.inputs.empty() && out->type.outputs.empty())
      throw Error(Errc::format, "it takes nothing and gives nothing", "describe its 'inputs' and 'outputs'");
  } catch (Error& e) {
    const int line = line_of(source.text, python_ ? "def describe" : "LARMOR_OPERATION");
    throw e.at(fmt::format("{}:{}", file_.filename().string(), line));
  } catch (const nlohmann::json::exception& e) {
    throw Error(Errc::format, file_.filename().string() + ": its description: " + e.what());
  }
  fs::create_directories(options_.cache, failed);
  write_text(kept, json);
  if (out->type.title.empty()) out->type.title = title_of(file_);
  return out;
}

std::shared_ptr<const Operation::Described> Operation::refresh(const std::shared_ptr<Operation>& self) {
  std::shared_ptr<Described> now;
  Source source;
  try {
    source = read();
    if (source.hash == described_) return nullptr;
    now = describe(source);
    last_ = std::make_shared<const Described>(*now);  // without the function, which holds this operation
    // The registered function outlives this look: it holds the version it belongs to.
    now->type.compute = [self, type = now->type, source](Ports& io) { self->run(io, type, source); };
  } catch (const Error& e) {
    now = std::make_shared<Described>();
    if (last_) now->id = last_->id, now->type = last_->type;
    if (now->id.empty()) now->id = id_of(file_);
    if (now->type.title.empty()) now->type.title = title_of(file_);
    now->error = std::make_shared<const Error>(e);
    now->lines = count_lines(source.text, python_);
    now->type.compute = [error = now->error](Ports&) { throw *error; };
    now->type.does = e.message();
  }
  described_ = source.hash;
  now->type.user = true;
  // Results of one version of the file are none of another.
  now->type.version = source.hash.empty() ? 1 : static_cast<int>(std::stoul(source.hash.substr(0, 7), nullptr, 16)) + 1;
  return now;
}

void Operation::run(Ports& io, const NodeType& type, const Source& source) {
  Value::Fields inputs, settings;
  std::vector<Value> carriers;  // records whose data went in
  for (const auto& [name, value] : io.inputs()) {
    const Port* port = type.input(name);
    if (!port || value.none()) continue;
    inputs.emplace_back(name, as_said(*port, value));
    if (port->type == "array" && value.kind() == Value::Kind::record) carriers.push_back(value);
  }
  for (const auto& [name, value] : io.settings()) settings.emplace_back(name, value);
  Lease worker(*this, io.cancel());
  if ((*worker).loaded() != source.hash) (*worker).load(source, options_.describe_seconds, io.cancel());
  const Value result =
      (*worker).compute(io, Value::record("", std::move(inputs)), Value::record("", std::move(settings)));
  for (const auto& [name, value] : result.fields()) {
    const Port* port = type.output(name);
    if (!port) throw Error(Errc::internal, fmt::format("'{}' is no out-port of {}", name, file_.filename().string()));
    if (value.none()) continue;
    static const Types basic;
    Value out = value;
    if (value.kind() != Value::Kind::record && basic.has(port->type)) {
      check(*port, value, basic);
      out = as_said(*port, value);
    }
    if (port->type == "array" && out.kind() == Value::Kind::array)
      for (const auto& carrier : carriers)
        if (Value same = with_data(carrier, out.array()); !same.none()) {
          out = std::move(same);
          break;
        }
    io.out(name) = out;
  }
}

}  // namespace larmor::flow::user
