#include "protocol/adapters/tls_engine.hpp"
#include "tools/bench.d/load/client_tls.hpp"

namespace tomoshibi::load {
namespace {

class connection final : public client_tls {
public:
  explicit connection(tls_engine engine) : engine_(std::move(engine)) {}
  status feed(byte_view cipher) override { return engine_.feed(cipher); }
  status write(byte_view plain) override { return engine_.write(plain); }
  bytes take_output() override { return engine_.take_output(); }
  bytes take_plain() override { return engine_.take_plain(); }
  bool open() const override { return engine_.open(); }
  bool resumed() const override { return engine_.peer().resumed; }

private:
  tls_engine engine_;
};

// A context for each member: certificate, and later its session.
class maker final : public client_tls_maker {
public:
  status set_up(const client_tls_options& options, const std::vector<member>& fleet) {
    name_ = options.server_name;
    contexts_.reserve(fleet.size());
    for (const member& m : fleet) {
      auto made = make_tls_client({m.certificate_pem, m.key_pem, options.ca_pem}, {});
      if (!made) return std::unexpected(made.error());
      contexts_.push_back(std::move(*made));
    }
    return {};
  }
  result<std::unique_ptr<client_tls>> start(std::size_t index) override {
    auto engine = tls_engine::start(contexts_[index], name_);
    if (!engine) return std::unexpected(engine.error());
    return std::make_unique<connection>(std::move(*engine));
  }

private:
  std::string name_;
  std::vector<tls_context_ptr> contexts_;
};

}  // namespace

result<std::unique_ptr<client_tls_maker>> make_tomoshibi_tls(const client_tls_options& options, const std::vector<member>& fleet) {
  auto made = std::make_unique<maker>();
  if (auto ready = made->set_up(options, fleet); !ready) return std::unexpected(ready.error());
  return made;
}

result<std::unique_ptr<client_tls_maker>> make_client_tls(const client_tls_options& options, const std::vector<member>& fleet) {
  if (options.kind == "tomoshibi") return make_tomoshibi_tls(options, fleet);
#ifdef TOMOSHIBI_BENCH_OPENSSL
  if (options.kind == "openssl12" || options.kind == "openssl13") return make_openssl_tls(options, fleet);
#endif
  return fail(errc::config_invalid, "--tls " + options.kind + ": unknown, or built without OpenSSL (tools/setup bench)");
}

}  // namespace tomoshibi::load
