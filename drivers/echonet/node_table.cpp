#include "drivers/echonet/node_table.hpp"

#include <algorithm>

namespace tomoshibi::drivers::echonet {

namespace {

constexpr std::size_t own_addresses_max = 4;
constexpr std::string_view by_address = "ip:";

std::string address_identity(const remote_node& node) { return std::string{by_address} + node.address(); }

}  // namespace

node_table::node_table(node_context& context, byte_view own_identity)
    : context_(context), own_identity_(to_hex(own_identity)) {}

remote_node* node_table::at(std::string_view address) {
  const auto found = std::find_if(nodes_.begin(), nodes_.end(), [address](const auto& n) {
    return n->has_session() && n->address() == address;
  });
  return found != nodes_.end() ? found->get() : nullptr;
}

std::unique_ptr<node_session> node_table::new_session(std::string address) {
  return std::make_unique<node_session>(std::move(address), static_cast<std::uint16_t>(context_.random.next()));
}

remote_node* node_table::at_or_new(mono_time now, const std::string& address) {
  if (remote_node* const known = at(address)) return known;
  if (std::find(own_addresses_.begin(), own_addresses_.end(), address) != own_addresses_.end()) return nullptr;
  if (nodes_.size() >= nodes_max && !make_room()) {
    if (now >= full_told_again_) {  // hosts that nobody watches must not be able to fill the log
      context_.log.warning("nodes_full", {{"max", nodes_max}});
      full_told_again_ = now + nodes_full_told_every;
    }
    return nullptr;
  }
  remote_node& node = *nodes_.emplace_back(std::make_unique<remote_node>(context_));
  node.set_session(new_session(address));
  node.identify_soon(now);
  return &node;
}

// What can be given up: a host that never said who it is, then a node nobody watches, the longest unheard first.
bool node_table::make_room() {
  remote_node* victim = nullptr;
  const auto rank = [](const remote_node& n) { return n.identity().empty() ? 0 : n.wanted() ? 2 : 1; };
  for (const auto& n : nodes_) {
    const bool fresh = n->identity().empty() && n->identify_failures() == 0;
    if (fresh || rank(*n) == 2) continue;
    if (victim == nullptr || rank(*n) < rank(*victim) ||
        (rank(*n) == rank(*victim) && n->heard_at() < victim->heard_at())) {
      victim = n.get();
    }
  }
  if (victim == nullptr) return false;
  erase(*victim);
  return true;
}

void node_table::erase(remote_node& node) {
  std::erase_if(contests_, [&node](const contest& c) { return c.newcomer == &node || c.defender == &node; });
  std::erase_if(nodes_, [&node](const auto& n) { return n.get() == &node; });
}

remote_node* node_table::with_identity(std::string_view identity) {
  const auto found =
      std::find_if(nodes_.begin(), nodes_.end(), [identity](const auto& n) { return n->identity() == identity; });
  return found != nodes_.end() ? found->get() : nullptr;
}

bool node_table::is_shared(std::string_view identity) const {
  return std::find(shared_.begin(), shared_.end(), identity) != shared_.end();
}

void node_table::share(std::string identity) {
  context_.log.warning("identity_shared", {});
  if (shared_.size() >= shared_identities_max) shared_.erase(shared_.begin());
  shared_.push_back(std::move(identity));
}

void node_table::settle(mono_time now, remote_node& node, driver_output& out) {
  const auto claim = node.take_claim();
  if (!claim) return;
  if (claim->answered) {
    on_identified(now, node, *claim, out);
  } else {
    on_unanswered(now, node, out);
  }
}

void node_table::on_unanswered(mono_time now, remote_node& node, driver_output& out) {
  if (!node.identity().empty()) {
    resolve_contest(now, node, false, out);
  } else if (node.identify_failures() >= identify_failures_max) {
    erase(node);  // it comes back with its next announcement or search answer
  }
}

void node_table::on_identified(mono_time now, remote_node& node, const remote_node::claim& claim,
                               driver_output& out) {
  if (claim.identity == own_identity_) {
    if (own_addresses_.size() < own_addresses_max) own_addresses_.push_back(node.address());
    if (node.identity().empty()) erase(node);
    return;
  }
  const std::string name = claim.identity && !is_shared(*claim.identity) ? *claim.identity : address_identity(node);
  if (node.identity() == name) {
    node.merge_instances(now, claim.instances, out);
    resolve_contest(now, node, true, out);
    return;
  }
  if (!node.identity().empty()) {
    // This address is somebody else now.
    remote_node* const fresh = split_off(now, node, out);
    if (fresh != nullptr) on_identified(now, *fresh, claim, out);
    return;
  }
  node.merge_instances(now, claim.instances, out);
  remote_node* const holder = with_identity(name);
  if (holder == nullptr) {
    context_.log.info("node_known", {{"objects", node.objects().size()}, {"by_address", name.starts_with(by_address)}});
    node.become(now, name, out);
  } else if (!holder->has_session()) {
    move_to(now, *holder, node, out);
  } else {
    const bool waiting = std::any_of(contests_.begin(), contests_.end(),
                                     [&node](const contest& c) { return c.newcomer == &node; });
    if (!waiting) contests_.push_back({&node, holder});
    holder->identify_soon(now);
  }
}

// The session goes to a new node; the old one waits, without an address, to be seen elsewhere.
remote_node* node_table::split_off(mono_time now, remote_node& known, driver_output& out) {
  if (nodes_.size() >= nodes_max) {
    const std::string address = known.address();
    erase(known);
    at_or_new(now, address);
    return nullptr;
  }
  remote_node& fresh = *nodes_.emplace_back(std::make_unique<remote_node>(context_));
  known.give_session_to(now, fresh);
  resolve_contest(now, known, false, out);
  return &fresh;
}

void node_table::move_to(mono_time now, remote_node& known, remote_node& newcomer, driver_output& out) {
  context_.log.info("node_moved", {{"objects", known.objects().size()}});
  newcomer.give_session_to(now, known);
  known.merge_instances(now, newcomer.instance_list(), out);
  erase(newcomer);
  known.announce_move(now, out);
}

void node_table::resolve_contest(mono_time now, remote_node& defender, bool still_there, driver_output& out) {
  const auto found = std::find_if(contests_.begin(), contests_.end(),
                                  [&defender](const contest& c) { return c.defender == &defender; });
  if (found == contests_.end()) return;
  remote_node& newcomer = *found->newcomer;
  if (!still_there) {
    contests_.erase(found);
    move_to(now, defender, newcomer, out);
    return;
  }
  share(defender.identity());
  std::vector<remote_node*> newcomers;
  for (const contest& c : contests_) {
    if (c.defender == &defender) newcomers.push_back(c.newcomer);
  }
  std::erase_if(contests_, [&defender](const contest& c) { return c.defender == &defender; });
  defender.rename(now, address_identity(defender), out);
  for (remote_node* const n : newcomers) n->become(now, address_identity(*n), out);
}

}  // namespace tomoshibi::drivers::echonet
