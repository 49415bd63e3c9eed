// Goal: the conversation with one address follows its states; matching is by TID and object; late answers serve.
#include "drivers/echonet/node_session.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace tomoshibi;
using namespace tomoshibi::drivers;
using namespace tomoshibi::drivers::echonet;

namespace {

constexpr eoj tv{0x060201};

struct fixture {
  node_session session{"192.0.2.10", 0xfffe};
  mono_time now = mono_from_ms(10'000);
  std::vector<datagram> out;

  void start(std::initializer_list<epc_code> codes, std::uint8_t tries = tries_max) {
    job what;
    what.object = tv;
    what.tries = tries;
    for (const epc_code c : codes) what.add(c);
    session.start(now, what, out);
  }
  frame_view last_request() {
    REQUIRE_FALSE(out.empty());
    return *decode_frame(out.back().payload);
  }
  node_session::taken answer(std::uint16_t tid, std::initializer_list<epc_code> codes, eoj from = tv) {
    bytes raw;
    frame_writer writer{raw, {tid, from, controller, esv::get_res}};
    const std::uint8_t value = 1;
    for (const epc_code c : codes) writer.add(c, {&value, 1});
    return session.on_answer(now, *decode_frame(raw));
  }
  bool wake() {
    now = session.next_wake();
    return session.on_wake(now, out);
  }
};

using taken = node_session::taken;

}  // namespace

TEST_CASE("a request goes to port 3610 and never has TID 0") {
  fixture f;
  f.start({0x80});
  CHECK(*f.out[0].to == endpoint{"192.0.2.10", 3610});
  CHECK(f.last_request().tid == 0xffff);
  CHECK(f.answer(0xffff, {0x80}) == taken::job_ended);
  CHECK(f.session.ready_at() == f.now + request_gap);
  f.now += request_gap;
  f.start({0x80});
  CHECK(f.last_request().tid == 1);
}

TEST_CASE("only TID and object match, the rest is not ours") {
  fixture f;
  f.start({0x80});
  CHECK(f.answer(0x1234, {0x80}) == taken::unmatched);
  CHECK(f.answer(0xffff, {0x80}, eoj{0x060202}) == taken::unmatched);
  CHECK(f.session.statistics().unmatched == 2);
  CHECK(f.answer(0xffff, {0x80}) == taken::job_ended);
  CHECK(f.answer(0xffff, {0x80}) == taken::unmatched);  // the second answer to one request
}

TEST_CASE("silence: three tries, each with its own TID and a longer patience") {
  fixture f;
  const mono_time begin = f.now;
  f.start({0x80, 0x84});
  CHECK_FALSE(f.wake());
  CHECK(f.now - begin == 3s);
  CHECK_FALSE(f.wake());
  CHECK(f.now - begin == 7'500ms);
  CHECK(f.last_request().properties.size() == 1);  // the last try is smaller
  CHECK(f.wake());
  CHECK(f.now - begin == 14'250ms);
  CHECK(f.session.end() == job_end::silent);
  CHECK(f.out.size() == 3);
  CHECK(f.session.statistics().timeouts == 3);
  CHECK(decode_frame(f.out[0].payload)->tid != decode_frame(f.out[1].payload)->tid);
}

TEST_CASE("an answer to an earlier try ends the job; the answer to the later one is then nothing") {
  fixture f;
  f.start({0x80});
  const auto first = f.last_request().tid;
  f.wake();
  const auto second = f.last_request().tid;
  f.now += 1s;
  CHECK(f.answer(first, {0x80}) == taken::job_ended);
  CHECK(f.session.values().find(0x80).has_value());
  CHECK(f.session.statistics().late == 1);
  CHECK(f.answer(second, {0x80}) == taken::late);  // in flight still; its values are as good as any
  CHECK(f.answer(second, {0x80}) == taken::unmatched);
}

// A late answer read before the one that served must not be taken after it: a counter would seem to go back.
TEST_CASE("an answer overtaken by the answer to a later try counts for nothing") {
  fixture f;
  f.start({0x80});
  const auto first = f.last_request().tid;
  f.wake();
  f.now += 1s;
  CHECK(f.answer(f.last_request().tid, {0x80}) == taken::job_ended);
  CHECK(f.answer(first, {0x80}) == taken::overtaken);
  CHECK(f.session.statistics().late == 1);
  CHECK(f.answer(first, {0x80}) == taken::unmatched);
}

TEST_CASE("an answer after the job ended is late, and makes the next timeout longer") {
  fixture f;
  f.start({0x80}, 1);
  const auto tid = f.last_request().tid;
  CHECK(f.wake());
  f.now += 2s;
  CHECK(f.answer(tid, {0x80}) == taken::late);
  f.start({0x80}, 1);
  CHECK(f.session.next_wake() - f.now == 10s);  // twice what it took
}

TEST_CASE("an answer older than the limit is not believed") {
  fixture f;
  f.start({0x80}, 1);
  const auto tid = f.last_request().tid;
  f.wake();
  f.now += late_answer_max;
  CHECK(f.answer(tid, {0x80}) == taken::unmatched);
}

TEST_CASE("more properties than fit one request are asked one request after the other") {
  fixture f;
  f.start({0x80, 0x81, 0x82, 0x84, 0x85, 0x88});
  CHECK(f.last_request().properties.size() == properties_start);
  CHECK(f.answer(f.last_request().tid, {0x80, 0x81, 0x82, 0x84}) == taken::in_progress);
  const mono_time answered = f.now;
  CHECK_FALSE(f.wake());
  CHECK(f.now - answered == request_gap);
  CHECK(f.last_request().properties.size() == 2);
  CHECK(f.answer(f.last_request().tid, {0x85, 0x88}) == taken::job_ended);
  CHECK(f.session.values().find(0x88).has_value());
}

TEST_CASE("a short answer waits a moment for its second half, then is learned from") {
  fixture f;
  f.start({0x80, 0x84, 0x85, 0x88});
  const auto tid = f.last_request().tid;
  SECTION("the second half comes") {
    CHECK(f.answer(tid, {0x80, 0x84}) == taken::in_progress);
    f.now += 10ms;
    CHECK(f.answer(tid, {0x85, 0x88}) == taken::job_ended);
    CHECK(f.session.properties_per_request() == properties_start);
  }
  SECTION("it does not come") {
    CHECK(f.answer(tid, {0x80, 0x84}) == taken::in_progress);
    CHECK_FALSE(f.wake());
    CHECK(f.session.properties_per_request() == 2);
    CHECK(f.last_request().properties.size() == 2);
    CHECK(f.answer(f.last_request().tid, {0x85, 0x88}) == taken::job_ended);
  }
  SECTION("an answer with nothing that was asked is a failed try") {
    CHECK(f.answer(tid, {0xf0}) == taken::in_progress);
    CHECK_FALSE(f.wake());
    CHECK(f.answer(f.last_request().tid, {0xf0}) == taken::in_progress);
    CHECK_FALSE(f.wake());
    CHECK(f.answer(f.last_request().tid, {0xf0}) == taken::in_progress);
    CHECK(f.wake());
    CHECK(f.session.end() == job_end::silent);
  }
}

TEST_CASE("a larger request is tried after a run of full answers") {
  fixture f;
  for (std::uint32_t i = 0; i < growth_after_min; ++i) {
    CHECK(f.session.properties_per_request() == properties_start);
    f.start({0x80, 0x81, 0x82, 0x84, 0x85});
    f.answer(f.last_request().tid, {0x80, 0x81, 0x82, 0x84});
    f.wake();
    f.answer(f.last_request().tid, {0x85});
    f.now += request_gap;
  }
  CHECK(f.session.properties_per_request() == properties_max);
}

TEST_CASE("round trips are measured") {
  fixture f;
  for (const auto rtt : {20ms, 40ms, 60ms}) {
    f.start({0x80});
    f.now += rtt;
    f.answer(f.last_request().tid, {0x80});
    f.now += request_gap;
  }
  const node_statistics& s = f.session.statistics();
  CHECK(s.sent == 3);
  CHECK(s.answered == 3);
  CHECK(s.rtt_min == 20ms);
  CHECK(s.rtt_mean() == 40ms);
  CHECK(s.rtt_max == 60ms);
}
