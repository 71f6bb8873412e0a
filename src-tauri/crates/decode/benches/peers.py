"""What somebody would use instead of `decode`: bluetooth-sig, and struct by hand. See peers.rs.

First line of the input: the values of each case, in hex. First line of the output: what each way makes of them; then, as
JSON, how many values a second each way decodes on one core, the best of some rounds.
"""

import json
import struct
import sys
import time

ROUNDS = 5
SECONDS = 0.4

cases = json.loads(sys.stdin.readline())
cases = {name: [bytes.fromhex(value) for value in values] for name, values in cases.items()}


def heart_by_hand(value):
    flags = value[0]
    at = 1
    if flags & 1:
        rate = struct.unpack_from("<H", value, at)[0]
        at += 2
    else:
        rate = value[at]
        at += 1
    contact = bool(flags & 2) if flags & 4 else None
    energy = None
    if flags & 8:
        energy = struct.unpack_from("<H", value, at)[0]
        at += 2
    intervals = ()
    if flags & 16:
        intervals = tuple(rr[0] * 1000 / 1024 for rr in struct.iter_unpack("<H", value[at:]))
    return rate, contact, energy, intervals


motion = struct.Struct("<H9h")


def motion_by_hand(value):
    seq, ax, ay, az, gx, gy, gz, mx, my, mz = motion.unpack(value)
    return seq, ax * 0.001, ay * 0.001, az * 0.001, gx * 0.1, gy * 0.1, gz * 0.1, mx * 0.15, my * 0.15, mz * 0.15


beacon = struct.Struct(">16sHHb")


def advertisement_by_hand(value):
    at, said, structures = 0, None, 0
    while at < len(value) and value[at]:
        end = at + 1 + value[at]
        structures += 1
        if value[at + 1] == 0xFF and value[at + 2 : at + 6] == b"\x4c\x00\x02\x15":
            uuid, major, minor, power = beacon.unpack_from(value, at + 6)
            said = f"iBeacon {uuid.hex()} {major} / {minor}"
        at = end
    return structures, said


def heart_numbers(decode):
    for value in cases["heart"]:
        rate, _, energy, intervals = decode(value)
        yield [rate, *([] if energy is None else [energy]), *intervals]


def speed(decode, values):
    best = 0.0
    for _ in range(ROUNDS):
        count, begin = 0, time.perf_counter()
        while (took := time.perf_counter() - begin) < SECONDS:
            for value in values:
                decode(value)
            count += len(values)
        best = max(best, count / took)
    return best


results = {
    "heart_by_hand": list(heart_numbers(heart_by_hand)),
    "motion_by_hand": [list(motion_by_hand(value)) for value in cases["motion"]],
    "advertisement_by_hand": [
        [structures, *map(int, said.split(" ")[2::2])] for structures, said in map(advertisement_by_hand, cases["advertisement"])
    ],
}
ways = {
    "heart_by_hand": (heart_by_hand, cases["heart"]),
    "motion_by_hand": (motion_by_hand, cases["motion"]),
    "advertisement_by_hand": (advertisement_by_hand, cases["advertisement"]),
}
try:
    from bluetooth_sig.gatt.characteristics.heart_rate_measurement import HeartRateMeasurementCharacteristic
except ImportError:
    pass
else:
    heart = HeartRateMeasurementCharacteristic()

    def heart_by_sig(value):
        read = heart.parse_value(value)
        return read.heart_rate, read.sensor_contact, read.energy_expended, [rr * 1000 for rr in read.rr_intervals]

    results["heart_by_sig"] = list(heart_numbers(heart_by_sig))
    ways["heart_by_sig"] = (heart.parse_value, cases["heart"])

print(json.dumps(results))
print(json.dumps({name: speed(*way) for name, way in ways.items()}))
