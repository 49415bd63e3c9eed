// The rival's sink, as a provider would write it: subscribes to every home's messages at an MQTT broker, commits them in groups
// into SQLite (WAL, synchronous=FULL), and publishes an acknowledgement for each after the commit.
//
//   bench-sink PORT DATABASE
//
// libmosquitto's thread reads, this one commits: while a group is being committed the next one collects. To the rival's
// advantage the link to the broker is plain, the payload is stored as it comes, and the acknowledgements are of quality 0.
#include <mosquitto.h>
#include <sqlite3.h>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t number_bytes = 8;
constexpr std::size_t group_max = 20'000;
constexpr int autocheckpoint_pages = 16 * 1024;

struct message {
  std::string home;
  std::string payload;
};

struct inbox {
  std::mutex guard;
  std::condition_variable filled;
  std::vector<message> waiting;
};

[[noreturn]] void die(const char* doing, const char* why) {
  std::fprintf(stderr, "bench-sink: %s: %s\n", doing, why);
  std::exit(1);
}

void on_message(mosquitto*, void* self, const mosquitto_message* m) {
  const char* slash = std::strchr(m->topic, '/');
  if (slash == nullptr || m->payloadlen < static_cast<int>(number_bytes)) return;
  auto& in = *static_cast<inbox*>(self);
  const std::lock_guard lock{in.guard};
  in.waiting.push_back({slash + 1, {static_cast<const char*>(m->payload), static_cast<std::size_t>(m->payloadlen)}});
  in.filled.notify_one();
}

void on_connect(mosquitto* broker, void*, int rc) {
  if (rc != 0) die("connect", mosquitto_connack_string(rc));
  mosquitto_subscribe(broker, nullptr, "slots/#", 1);
}
void on_subscribe(mosquitto*, void*, int, int, const int*) {
  std::puts("ready");
  std::fflush(stdout);
}

class database {
public:
  explicit database(const char* path) {
    if (sqlite3_open(path, &db_) != SQLITE_OK) die("open", sqlite3_errmsg(db_));
    sqlite3_wal_autocheckpoint(db_, autocheckpoint_pages);
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=FULL");
    run("CREATE TABLE IF NOT EXISTS day (home TEXT NOT NULL, number INTEGER NOT NULL, cells BLOB NOT NULL, UNIQUE (home, number))");
    const char* insert = "INSERT OR REPLACE INTO day (home, number, cells) VALUES (?, ?, ?)";
    if (sqlite3_prepare_v2(db_, insert, -1, &insert_, nullptr) != SQLITE_OK) die("prepare", sqlite3_errmsg(db_));
  }
  void commit(const std::vector<message>& group) {
    run("BEGIN IMMEDIATE");
    for (const message& m : group) {
      std::int64_t number = 0;
      for (std::size_t i = 0; i < number_bytes; ++i) number = number << 8 | static_cast<unsigned char>(m.payload[i]);
      sqlite3_bind_text(insert_, 1, m.home.data(), static_cast<int>(m.home.size()), SQLITE_STATIC);
      sqlite3_bind_int64(insert_, 2, number);
      sqlite3_bind_blob(insert_, 3, m.payload.data(), static_cast<int>(m.payload.size()), SQLITE_STATIC);
      if (sqlite3_step(insert_) != SQLITE_DONE) die("insert", sqlite3_errmsg(db_));
      sqlite3_reset(insert_);
    }
    run("COMMIT");
  }

private:
  void run(const char* sql) {
    if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) die(sql, sqlite3_errmsg(db_));
  }
  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

[[noreturn]] void serve(mosquitto* broker, inbox& in, database& memory) {
  for (;;) {
    std::vector<message> group;
    {
      std::unique_lock lock{in.guard};
      in.filled.wait(lock, [&in] { return !in.waiting.empty(); });
      if (in.waiting.size() <= group_max) {
        group.swap(in.waiting);
      } else {
        const auto end = in.waiting.begin() + static_cast<std::ptrdiff_t>(group_max);
        group.assign(std::make_move_iterator(in.waiting.begin()), std::make_move_iterator(end));
        in.waiting.erase(in.waiting.begin(), end);
      }
    }
    memory.commit(group);
    for (const message& m : group)
      mosquitto_publish(broker, nullptr, ("ack/" + m.home).c_str(), number_bytes, m.payload.data(), 0, false);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) die("usage", "bench-sink PORT DATABASE");
  inbox in;
  database memory{argv[2]};
  mosquitto_lib_init();
  mosquitto* broker = mosquitto_new("sink", true, &in);
  mosquitto_connect_callback_set(broker, on_connect);
  mosquitto_subscribe_callback_set(broker, on_subscribe);
  mosquitto_message_callback_set(broker, on_message);
  mosquitto_int_option(broker, MOSQ_OPT_RECEIVE_MAXIMUM, 65'535);
  mosquitto_int_option(broker, MOSQ_OPT_TCP_NODELAY, 1);
  if (const int rc = mosquitto_connect(broker, "127.0.0.1", std::atoi(argv[1]), 60); rc != MOSQ_ERR_SUCCESS)
    die("connect", mosquitto_strerror(rc));
  if (const int rc = mosquitto_loop_start(broker); rc != MOSQ_ERR_SUCCESS) die("thread", mosquitto_strerror(rc));
  serve(broker, in, memory);
}
