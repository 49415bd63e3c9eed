#include "tests/support/schema_shape.hpp"

#include <catch2/catch_test_macros.hpp>

namespace tomoshibi::testing {
namespace {

std::string without_comments(const std::string& sql) {
  std::string out;
  bool comment = false, space = false;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    if (sql.compare(i, 2, "--") == 0) comment = true;
    if (sql[i] == '\n') comment = false;
    if (comment) continue;
    const bool blank = sql[i] == ' ' || sql[i] == '\n';
    if (!blank) out += (space ? " " : "") + std::string(1, sql[i]);
    space = blank;
  }
  return out;
}

}  // namespace

std::string shape_of(sqlite_db& db) {
  auto rows = db.prepare("SELECT type, name, sql FROM sqlite_master ORDER BY type, name");
  REQUIRE(rows);
  std::string out;
  while (*rows->step()) out += rows->text(0) + " " + rows->text(1) + ": " + without_comments(rows->text(2)) + "\n";
  for (const char* number : {"user_version", "application_id"}) {
    const auto value = db.query_int("PRAGMA " + std::string(number));
    REQUIRE(value);
    out += std::string(number) + ": " + std::to_string(*value) + "\n";
  }
  return out;
}

}  // namespace tomoshibi::testing
