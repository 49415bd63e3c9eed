// All nodes of the home, and the decision who is who when addresses and identities do not agree.
//
//   claim of an unused identity                    -> the node is known
//   claim of an identity whose node lost its address -> it moved here
//   claim of an identity that answers elsewhere    -> the other address is asked again:
//         it still answers so -> two nodes share the identity: both become "ip:<address>", for good
//         it does not         -> the node moved here
//   an address answers with another identity       -> its node has lost its address; a new one is known there
//   no usable identity                             -> "ip:<address>"
#pragma once

#include "drivers/echonet/remote_node.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tomoshibi::drivers::echonet {

class node_table {
public:
  node_table(node_context& context, byte_view own_identity);

  remote_node* at(std::string_view address);
  // A host that spoke; nothing if it is ourselves, or the table is full of nodes that matter more.
  remote_node* at_or_new(mono_time now, const std::string& address);

  // To be called after every event of that node. The node may be gone afterwards.
  void settle(mono_time now, remote_node& node, driver_output& out);

  const std::vector<std::unique_ptr<remote_node>>& nodes() const { return nodes_; }

private:
  struct contest {
    remote_node* newcomer;
    remote_node* defender;
  };

  void on_identified(mono_time now, remote_node& node, const remote_node::claim& claim, driver_output& out);
  void on_unanswered(mono_time now, remote_node& node, driver_output& out);
  void resolve_contest(mono_time now, remote_node& defender, bool still_there, driver_output& out);
  void move_to(mono_time now, remote_node& known, remote_node& newcomer, driver_output& out);
  remote_node* split_off(mono_time now, remote_node& known, driver_output& out);
  remote_node* with_identity(std::string_view identity);
  bool is_shared(std::string_view identity) const;
  void share(std::string identity);
  bool make_room();
  void erase(remote_node& node);
  std::unique_ptr<node_session> new_session(std::string address);

  node_context& context_;
  std::string own_identity_;
  std::vector<std::string> own_addresses_;  // where our own announcements come back from
  std::vector<std::string> shared_;         // identities that more than one address claims
  std::vector<std::unique_ptr<remote_node>> nodes_;
  std::vector<contest> contests_;
  mono_time full_told_again_ = mono_time::min();
};

}  // namespace tomoshibi::drivers::echonet
