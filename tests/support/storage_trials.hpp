// Trials of a durable store on a disk that fails (tools/fault_disk): an error at every call, a power cut at every change.
//
// A subject is one program with its store. The trial commits a fixed series of batches through it and knows from a model
// what has to be there after each; a picture is everything that can be read back, as text.
#pragma once

#include "tools/fault_disk/disk.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tomoshibi::testing {

class storage_subject {
public:
  virtual ~storage_subject() = default;
  virtual status start() = 0;                     // the program begins: the store is opened and read
  virtual status commit(std::size_t number) = 0;  // the batch of this number
  virtual result<std::string> picture() = 0;
  virtual void end() = 0;                         // the program ends in order, or what is left of it goes
};

struct storage_trial {
  std::function<std::unique_ptr<storage_subject>(fault_disk::disk&)> make;
  std::vector<std::string> pictures;              // [n]: after n batches, by the model
  std::size_t restart_every = 9;                  // so many batches a program's life
  std::uint64_t cut_every = 1;                    // try each so manieth boundary (1: all)
};

// An error at the n-th call for n = 1, 2, 3 ... until the series passes untouched. A commit or a start that fails is tried
// again; after each failure the picture is the one before. Returns how many n there were.
std::uint64_t fail_at_every_call(const storage_trial& trial, fault_disk::trouble how, std::uint64_t times);

// The power goes before the n-th change of the medium, for every n, with `tears` seeds each; sometimes again while the
// program that comes back is recovering. What was acknowledged is there, the batch that was out wholly or not at all.
std::uint64_t cut_at_every_change(const storage_trial& trial, std::uint64_t tears);

}  // namespace tomoshibi::testing
