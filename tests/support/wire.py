"""Frames of the device channel and of the emergency lane, by hand: as much of Protocol Buffers as protocol/schema/tomoshibi.proto
needs. A frame is 2 bytes of length and one Frame message, whose single field is the message."""

import struct

HELLO, WELCOME, RECORDS, ACK, CONFIG, CONFIG_APPLIED, PING, PONG, BYE = range(1, 10)
PRESS, PRESS_NEWS = 16, 17
LANE_HELLO, LANE_WELCOME, PRESS_REPORT, BOX_STATE, DRILL_REQUEST = range(23, 28)
BYE_REASONS = {1: "shutdown", 2: "version", 3: "identity", 4: "revoked", 5: "malformed", 6: "replaced", 7: "overload",
               8: "timeout", 9: "unknown_gateway"}
RECEIVED, ACCEPTED, CLOSED = 2, 3, 4           # stages of a press
BUTTON, FIRST_AID, BOX, DRILL = 1, 2, 3, 4     # its sources


def varint(n):
    out = b""
    while n > 0x7F:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def zigzag(n):
    return varint((n << 1) ^ (n >> 63))


def number(field, n):
    return varint(field << 3) + varint(n)


def signed(field, n):
    return varint(field << 3) + zigzag(n)


def fixed64(field, n):
    return varint(field << 3 | 1) + struct.pack("<Q", n)


def nested(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def frame(field, body=b""):
    message = nested(field, body)
    return struct.pack(">H", len(message)) + message


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """Field number -> last value (int or bytes) of one message."""
    out, at = {}, 0
    while at < len(data):
        key, at = read_varint(data, at)
        if key & 7 == 0:
            out[key >> 3], at = read_varint(data, at)
        elif key & 7 == 1:
            out[key >> 3], at = struct.unpack("<Q", data[at:at + 8])[0], at + 8
        else:
            size, at = read_varint(data, at)
            out[key >> 3], at = data[at:at + size], at + size
    return out
