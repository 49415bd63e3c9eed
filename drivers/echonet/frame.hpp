// ECHONET Lite frame, format 1 (EHD 0x10 0x81). Source: specification Ver.1.14 part 2, clause 3.2.
//
//   EHD1 EHD2 | TID 2 | SEOJ 3 | DEOJ 3 | ESV | OPC | OPC x (EPC, PDC, EDT of PDC bytes)
//   SetGet services carry a second OPC and list behind the first.
//
// Decoding copies nothing: a frame_view points into the datagram and lives no longer than it. A frame that ends inside
// its property list is given with the properties that are whole and `complete == false`; the reader decides what that
// is worth. Bytes behind the last property are ignored (some nodes pad).
#pragma once

#include "drivers/echonet/eoj.hpp"
#include "protocol/base/bytes.hpp"
#include "protocol/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>

namespace tomoshibi::drivers::echonet {

enum class esv : std::uint8_t {
  set_i = 0x60,  // no answer wanted
  set_c = 0x61,
  get = 0x62,
  inf_req = 0x63,
  set_get = 0x6e,
  set_res = 0x71,
  get_res = 0x72,
  inf = 0x73,
  infc = 0x74,  // announcement that wants an answer
  infc_res = 0x7a,
  set_get_res = 0x7e,
  set_i_sna = 0x50,
  set_c_sna = 0x51,
  get_sna = 0x52,  // "refused": the properties that could be read still carry their values
  inf_sna = 0x53,
  set_get_sna = 0x5e,
};
bool is_known(esv service);
bool has_two_lists(esv service);  // the three SetGet services

struct property_view {
  epc_code epc = 0;
  byte_view edt;  // empty: no value (in an answer: refused, in a request: asked)
};

// The whole properties of one list, parsed while walked.
class property_list {
public:
  class iterator {
  public:
    using value_type = property_view;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    iterator(const std::uint8_t* at, std::size_t left) : at_(at), left_(left) {}
    property_view operator*() const { return {at_[0], {at_ + 2, at_[1]}}; }
    iterator& operator++() {
      at_ += 2u + at_[1];
      --left_;
      return *this;
    }
    iterator operator++(int) {
      iterator old = *this;
      ++*this;
      return old;
    }
    friend bool operator==(iterator a, iterator b) { return a.left_ == b.left_; }

  private:
    const std::uint8_t* at_ = nullptr;
    std::size_t left_ = 0;
  };

  property_list() = default;
  property_list(const std::uint8_t* first, std::size_t count) : first_(first), count_(count) {}
  iterator begin() const { return {first_, count_}; }
  iterator end() const { return {nullptr, 0}; }
  std::size_t size() const { return count_; }
  std::optional<property_view> find(epc_code epc) const;  // the first one with this code

private:
  const std::uint8_t* first_ = nullptr;
  std::size_t count_ = 0;
};

struct frame_header {
  std::uint16_t tid = 0;
  eoj seoj;
  eoj deoj;
  esv service{};
};

struct frame_view : frame_header {
  property_list properties;
  property_list second;  // SetGet only: the Get list
  bool complete = true;  // false: the datagram ended before OPC properties were read
};

// Errors: too_long (over datagram_max), truncated (no whole header), unsupported (EHD or ESV), malformed (no property).
result<frame_view> decode_frame(byte_view datagram);

// Appends one frame to `out`, property by property.
class frame_writer {
public:
  frame_writer(bytes& out, const frame_header& header);
  // False, and nothing written, when the value is over 255 bytes, the list has 255 properties, or the datagram is full.
  bool add(epc_code epc, byte_view edt = {});
  void begin_second_list();
  std::size_t count() const { return out_[opc_at_]; }  // of the current list

private:
  bytes& out_;
  std::size_t start_;
  std::size_t opc_at_;
};

void encode_frame(const frame_view& frame, bytes& out);

}  // namespace tomoshibi::drivers::echonet
