// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/plan.hpp>

namespace larmor::flow {

/// A graph on the way into a plan: where its values and settings come from.
struct Scope {
  const Graph* graph;
  const Scope* parent;
  std::string prefix;                      // "denoise/"
  std::map<std::string, Bundle> fed;       // in-ports of nodes that inputs of the graph feed
  std::map<std::string, Bundle> settings;  // set from outside: "prep/t1\nHct"
  bool frozen;
};

struct NodeInputs {
  std::map<std::string, Bundle> inputs, settings;
  std::map<std::string, Bundle> deep;  // settings of nodes inside: "t1\nHct"
};

/// Flattens graphs: sub-graphs are put in place, sweeps become copies, zones get plans of their own.
class Planner {
 public:
  Planner(const NodeTypes& types, const PlanOptions& options, std::shared_ptr<Paths> paths)
      : types_(types), options_(options) {
    plan.paths = std::move(paths);
  }
  Plan plan;
  void graph(const Scope& scope);

 private:
  using Outputs = std::map<std::string, Bundle>;
  using TypesInUse = std::unordered_map<std::string, std::shared_ptr<const NodeType>>;
  void node(const Scope& scope, const std::string& id, const Node& node);
  Outputs emit(const Scope& scope, const std::string& id, const Node& node, NodeInputs in);
  Outputs bypass(const Scope& scope, const std::string& id, const Node& node, const Graph* inner, const NodeInputs& in);
  Outputs inline_graph(const Scope& scope, const std::string& id, const Node& node, const Graph& inner, NodeInputs in);
  Outputs operation(const Scope& scope, const std::string& id, const Node& node, NodeInputs in);
  Outputs zone(const Scope& scope, const std::string& id, const Node& node, const std::shared_ptr<const Graph>& inner,
               NodeInputs in);
  std::shared_ptr<const Zone> body(const Scope& scope, const std::string& id, const Node& node, const Graph* inner,
                                   NodeInputs in, std::vector<std::string>& outputs);
  void describe(Step& step, const Scope& scope);
  void refuse(const Scope& scope, const std::string& id, const std::string& op, Error error, const std::string& code);
  std::shared_ptr<const Graph> definition(const Scope& scope, const std::string& name) const;
  const NodeType* type(const std::string& op, std::shared_ptr<const NodeType>* shared = nullptr);

  const NodeTypes& types_;
  const PlanOptions& options_;
  std::shared_ptr<TypesInUse> types_in_use_ = std::make_shared<TypesInUse>();
};

}  // namespace larmor::flow
