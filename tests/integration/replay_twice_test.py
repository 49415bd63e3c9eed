#!/usr/bin/env python3
"""Goal: the same replay of the same record stores the same, to the second and to the reading, though the processes' real
timing differs."""
import harness
import replay

RECORD = str(harness.ROOT / "tools/demo.d/record/tihm-393cb.csv")
CHANNELS = ["fridge-door", "kitchen", "lounge", "bedroom", "bathroom", "front-door", "back-door"]


def play_once(label):
    with replay.stage(label) as (namespace, folder):
        play = replay.Replay(namespace, folder, RECORD, replay.tihm_appliances(CHANNELS), "2019-05-28T23:45:00Z",
                             "2019-06-02T00:00:00Z", poll_s=60, gap_s=180)
        play.begin()
        play.until_paused(200)
        digest, out = play.stored_hash(), play.compare()
        play.finish()
        if not out.ok():
            harness.fail(out.report())
        return digest, out.compared


def main():
    first, second = play_once("twice-a"), play_once("twice-b")
    if first != second:
        harness.fail(f"two replays of one record differ: {first} and {second}")
    print(f"two replays, {first[1]} slots each, stored the same: {first[0][:16]}")


if __name__ == "__main__":
    main()
