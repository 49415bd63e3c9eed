#include "protocol/adapters/pki.hpp"
#include "protocol/adapters/stderr_log.hpp"
#include "protocol/adapters/tls_engine.hpp"
#include "relay/ctl/certificate_dates.hpp"
#include "relay/ctl/folder_owner.hpp"
#include "relay/ctl/parse.hpp"
#include "relay/ctl/registry.hpp"
#include "relay/ctl/server_names.hpp"
#include "relay/ctl/verbs/verb_lists.hpp"

namespace tomoshibi::ctl {
namespace {

using enum argument_kind;

struct relay_files {
  relay::device_config at;
  tls_identity identity;
  certificate_facts own;
  certificate_facts ca;
};

result<relay_files> read_files(const context& c) {
  auto config = configuration(c);
  if (!config) return std::unexpected(config.error());
  relay_files out;
  out.at = config->device;
  if (out.at.certificate.empty()) out.at = relay::default_relay_config(c.folder).device;
  // Whatever they are: a certificate that does not fit its key is what `renew` is for.
  auto identity = read_tls_identity({.certificate = out.at.certificate, .key = out.at.key, .ca = out.at.ca});
  if (!identity) return std::unexpected(identity.error());
  auto own = read_certificate(identity->certificate_pem);
  auto ca = read_certificate(identity->ca_pem);
  if (!own) return std::unexpected(own.error());
  if (!ca) return std::unexpected(ca.error());
  out.identity = std::move(*identity);
  out.own = std::move(*own);
  out.ca = std::move(*ca);
  return out;
}

status show(context& c) {
  const auto files = read_files(c);
  if (!files) return std::unexpected(files.error());
  c.say("relay  " + files->at.certificate);
  c.say("       for " + names_of(files->own));
  c.say("       until " + format_utc(files->own.valid.until));
  c.say("CA     " + files->at.ca);
  c.say("       " + files->ca.common_name);
  c.say("       until " + format_utc(files->ca.valid.until));
  return {};
}

status renew(context& c) {
  const auto files = read_files(c);
  if (!files) return std::unexpected(files.error());
  const auto days = read_days(c);
  if (!days) return std::unexpected(days.error());
  server_certificate_request request;
  if (c.has("--name")) {
    auto named = read_server_names(c.list("--name"));
    if (!named) return std::unexpected(named.error());
    request = std::move(*named);
  } else {
    request.name = files->own.common_name;
    request.dns_names = files->own.dns_names;
    request.ip_addresses = files->own.ip_addresses;
  }
  const auto ca = load_ca(files->at.ca, c.folder.ca_key());
  if (!ca) return std::unexpected(ca.error());
  request.valid = validity_within(files->ca.valid, c.now, *days);
  request.key_pem = files->identity.key_pem;
  const auto issued = issue_server(*ca, request);
  if (!issued) return std::unexpected(issued.error());
  // In one step, and the key stays: a machine that fails in between is left with a pair that fits.
  if (auto ok = replace_public_file(files->at.certificate, issued->certificate_pem); !ok) return ok;
  if (auto ok = give_to_owner(c.folder.path, {files->at.certificate}); !ok) return ok;
  const auto facts = read_certificate(issued->certificate_pem);
  if (!facts) return std::unexpected(facts.error());
  c.say(files->at.certificate + " is for " + names_of(*facts) + ", until " + format_utc(facts->valid.until));
  c.say("the running relay takes it with: systemctl reload tomoshibi-relay   (or SIGHUP); connections that stand go on");
  return {};
}

}  // namespace

verb_list certificate_verbs() {
  return {{"certificate", "show", "What the relay's certificate and its CA are for, and until when", {}, "  certificate show", show},
          {"certificate", "renew", "Another certificate for the relay: same CA, same key, same names unless told otherwise",
           {{"--name", repeatable_option, "Host name or IP address that gateways dial; may be repeated (those it has)"},
            {"--days", option, "How long it is valid, 1 to 7300 (3650)"}},
           "  certificate renew\n  certificate renew --name relay.example.org --name 203.0.113.7", renew}};
}

}  // namespace tomoshibi::ctl
