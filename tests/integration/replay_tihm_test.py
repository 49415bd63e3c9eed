#!/usr/bin/env python3
"""Goal: a whole recorded TIHM home, all its weeks, through the real gateway and relay: every stored slot is what the
record demands, and the alerts are the record's silent stretches.

  replay_tihm_test.py HOME FIRST_DAY PAST_DAY

Devices are polled every 300 s (gap limit 900 s) instead of 60 s to save real time; they announce their changes.
"""
import sys

import harness
import oracle_slots
import replay

TIME_LIMIT_S = 1500  # about 90 s on an idle machine


def main():
    home, first_day, past_day = sys.argv[1:4]
    record = harness.shared_data("tihm/activity.csv.gz")
    with replay.stage("tihm") as (namespace, folder):
        lines = harness.unpacked_lines(record)
        plain = folder / "record.csv"
        plain.write_text("".join(line for i, line in enumerate(lines) if i == 0 or f",{home}," in line))
        events = oracle_slots.read_events(str(plain), home)
        appliances = replay.tihm_appliances(events)
        start = oracle_slots.to_text(oracle_slots.to_ms(first_day) - 15 * 60_000)
        play = replay.Replay(namespace, folder, str(plain), appliances, start, past_day + "T00:00:00Z", home)
        play.begin()
        play.until_paused(TIME_LIMIT_S)
        out = play.compare()
        stored = play.compare_alerts(out)
        play.finish()
        if not out.ok():
            harness.fail(out.report())
        print(f"home {home}: {out.compared} slots of {len(appliances)} channels as the record demands ({out.states}, "
              f"{out.missing} not received), {out.alerts} alerts of {len(stored)} stored, {play.took:.0f} s")


if __name__ == "__main__":
    main()
