// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/reporter.hpp>
#include <larmor/flow/scheduler.hpp>

namespace larmor::flow {

/// One run of a plan: the state of its steps, and of those of the bodies of its zones.
class Run {
 public:
  Run(Machine& machine, const RunOptions& options, std::shared_ptr<const Plan> plan, std::vector<bool> needed);

  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// A look at values, not a run: results of the last run count for operations that are never cached, and what the
  /// last run was stays as it is.
  bool looking = false;
  /// Nothing is computed that has not been computed before.
  bool only_known = false;
  std::function<std::string(const std::string& node)> provenance;  // JSON
  /// Paths of nodes inside zones whose values are wanted ("loop/blur"): their zones run, and they are kept.
  std::vector<std::string> captured;

  RunReport go();
  /// What a sink of the plan got.
  std::map<std::string, Value> sink(int step) const;
  /// What is known of a step; null when it failed.
  RecordPtr record(int step) const { return top_->states[static_cast<std::size_t>(step)].record; }

 private:
  // An input of a step, taken: pinned in the store until the step is done.
  struct Slot {
    Value value;
    Hash pinned;
    bool ready = false;
  };
  struct Waiter {
    int step = -1;
    std::size_t slot = 0;
    int port = 0;
  };
  struct StepState {
    RecordPtr record;  // once the step is resolved
    bool resolved = false, failed = false, cancelled = false;
    int missing = 0;        // producers that are not resolved
    std::vector<int> uses;  // by out-port: consumers that are not done
    std::vector<Slot> slots;
    std::vector<Waiter> waiters;  // steps that need a value made again
    int waits = 0;                // values that this step waits for
    bool making_again = false, resumes_again = false;
    std::shared_ptr<const Error> wait_error;
    RecordPtr made_again;
    Hash key;
  };
  struct Instance {
    std::shared_ptr<const Plan> plan;
    std::vector<Value> inputs;
    std::vector<bool> needed;
    std::vector<StepState> states;
    int left = 0;
    std::string where;                     // "round 3" in errors
    std::string prefix;                    // of paths inside, "loop/"
    bool keep = false;                     // values inside are kept
    std::size_t held = 0;                  // bytes of slices that are on their way
    std::map<std::string, Value> outputs;  // of the last sink
    std::shared_ptr<const Error> error;    // the first
    int errors = 0;
    bool cancelled = false;
    std::map<std::string, RecordPtr> records;  // of the nodes inside, relative to the zone
    std::function<void(Instance&)> done;
  };
  using InstancePtr = std::shared_ptr<Instance>;
  struct ZoneRun;
  enum class Mode { first, again };

  /// What was thrown, whatever it was, as an error at a node ("round 3" in `where`).
  static std::shared_ptr<const Error> error_of(const std::exception_ptr& thrown, const std::string& path,
                                               const std::string& where);

  void start(const InstancePtr& instance);
  void process(const InstancePtr& instance, int step, Mode mode);
  void advance(const InstancePtr& instance, int step, Mode mode);
  RecordPtr frozen_record(const Instance& instance, const Step& step);
  bool acquire(const InstancePtr& instance, int step, Mode mode);
  void execute(const InstancePtr& instance, int step, Mode mode);
  Hash key_of(const Instance& instance, const Step& step) const;
  RecordPtr lookup(const Instance& instance, const Step& step, const Hash& key);
  Value value_of(const Instance& instance, const Source& source, Hash& pinned);
  bool source_failed(const Instance& instance, const Step& step, bool& cancelled) const;

  struct Made {
    std::map<std::string, Value> outputs;
    double seconds = 0;
    std::vector<std::string> warnings;
    std::size_t in_bytes = 0, extra_bytes = 0;
    std::map<std::string, RecordPtr> inside;
    std::vector<std::pair<std::filesystem::path, Hash>> written;
    bool began = true;
    bool cacheable = true;
  };
  void finish_made(const InstancePtr& instance, int step, Mode mode, Made made);
  void resolve(const InstancePtr& instance, int step, RecordPtr record, State state);
  void fail(const InstancePtr& instance, int step, Mode mode, std::shared_ptr<const Error> error, State state,
            double seconds = 0, bool began = false);
  void settle(const InstancePtr& instance, int step, const std::function<void()>& change);
  void release(std::vector<Slot> slots);
  void serve_waiters(const InstancePtr& instance, int step, const std::shared_ptr<const Error>& error);
  Policy policy_of(const Instance& instance, const Step& step, std::size_t port) const;
  bool drops(Policy policy) const {
    return policy == Policy::free || policy == Policy::recompute || policy == Policy::spill;
  }
  void hits_inside(const Plan& plan);
  void wait_inside(const Plan& plan);
  bool captures_inside(const Step& step) const;

  void start_zone(const InstancePtr& instance, int step, Mode mode);
  void push_rounds(const std::shared_ptr<ZoneRun>& zone, bool one_ended);
  void start_round(const std::shared_ptr<ZoneRun>& zone, std::int64_t round);
  void end_round(const std::shared_ptr<ZoneRun>& zone, std::int64_t round, Instance& body);
  void count_whole(ZoneRun& zone, std::size_t bytes);
  void end_zone(const std::shared_ptr<ZoneRun>& zone);

  Machine& machine_;
  const RunOptions& options_;
  Scheduler scheduler_;
  std::mutex mutex_;  // of all states
  InstancePtr top_;
  Reporter reporter_;
};

}  // namespace larmor::flow
