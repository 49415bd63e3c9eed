#!/usr/bin/env python3
"""Goal: the recorded televisions of a woman living alone (MIT, subject 2), switched on and off as recorded: the stored
slots and the three-day alerts are what the record demands, in a zone that is not UTC, and the meters' energy is that of
the recorded hours."""
import harness
import oracle_slots
import product
import replay

WATTS_ON = 90  # what the simulated television draws
ZONE = "-05:00"


def hours_on(events, start_ms, end_ms):
    return sum(max(0, min(past, end_ms) - max(begin, start_ms)) for begin, past in oracle_slots.uses(events, "on_off")) / 3_600_000


def main():
    record = harness.shared_data("onoff_homes/mit_s2_events.csv")
    appliances = [product.Appliance("Living_room/TV#141", "テレビ", "060201", 1, "on_off", 3, on="operation"),
                  product.Appliance("Bedroom/TV#101", "Bedroom TV", "060201", 2, "on_off", 3, on="operation"),
                  product.Appliance("Den/Stereo#122", "Stereo", "05fd01", 2, "on_off", 3, on="operation"),
                  product.Appliance("Kitchen/Microwave#115", "Microwave", "05fd01", 1, "on_off", 3, on="operation")]
    with replay.stage("tv") as (namespace, folder):
        play = replay.Replay(namespace, folder, record, appliances, "2003-04-19T04:45:00Z", "2003-05-06T05:00:00Z", zone=ZONE)
        play.begin()
        play.until_paused(300)
        out = play.compare()
        play.compare_alerts(out)
        play.finish()
        if not out.ok():
            harness.fail(out.report())
        events = oracle_slots.read_events(record, None, play.zone_min())
        expected_wh = sum(hours_on(events[a.channel], play.start_ms, play.end_ms) * (WATTS_ON if a.eoj == "060201" else 60)
                          for a in appliances)
        # Each counter shows whole Wh, so each appliance may be off by one at either end.
        if abs(out.energy_wh - expected_wh) > 2 * len(appliances):
            harness.fail(f"{out.energy_wh} Wh stored, the record's hours make {expected_wh:.1f} Wh")
        print(f"{out.compared} slots as the record demands ({out.states}), {out.alerts} alerts, {out.energy_wh} Wh of "
              f"{expected_wh:.1f} Wh, {play.took:.0f} s")


if __name__ == "__main__":
    main()
