"""Makes seed inputs for the fuzzers from what the tests already hold: golden frames and golden letters.

    python3 tools/lib/fuzz_seeds.py OUT

writes OUT/<harness>/<name>; safe to run again. Kept as a program so that no copies of the vectors lie in the tree.
"""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def write(out, harness, name, data):
    folder = out / harness
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def golden_frames():
    for file in sorted((ROOT / "tests/protocol/golden/v1").glob("*.hex")):
        yield file.stem, bytes.fromhex("".join(file.read_text().split()))


def fields(data):
    """Top-level length-delimited fields of a protobuf message: (tag, content)."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            varint()
        elif key & 7 == 2:
            size = varint()
            yield key >> 3, data[at:at + size]
            at += size
        else:
            return


def main():
    out = pathlib.Path(sys.argv[1])
    frames = dict(golden_frames())
    for name, frame in frames.items():
        write(out, "fuzz_wire", name, frame)
        # Dial, link up, then this frame as raw bytes (actions 0, 1, 8 of tests/fuzz/gateway_session.cpp).
        if len(frame) <= 64:
            write(out, "fuzz_gateway_session", name, bytes([0, 12, 1, 8, len(frame)]) + frame)
    session = frames["hello"] + frames["records"] + frames["ping"]
    for cut in (0x00, 0x3F, 0x7F):
        write(out, "fuzz_relay_session", f"golden_{cut:02x}", bytes([cut]) + session)
        lane = frames["lane_hello"] + frames["press"] + frames["press_report"] + frames["box_state"] + frames["press"]
        for centre in (0, 1, 2, 64):
            write(out, "fuzz_relay_lane", f"golden_{cut:02x}_{centre}", bytes([cut, centre]) + lane)
    for tag, body in fields(frames["records"][2:]):
        if tag != 3:
            continue
        for number, (inner, record) in enumerate(fields(body)):
            if inner == 2:
                write(out, "fuzz_wire_values", f"record_{number}", b"\0" + record)
    for file in sorted((ROOT / "tests/relay/golden").glob("*.txt")):
        write(out, "fuzz_texts", file.stem, file.read_bytes())


if __name__ == "__main__":
    main()
