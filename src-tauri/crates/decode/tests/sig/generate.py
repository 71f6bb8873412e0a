#!/usr/bin/env python3
"""Writes vectors.txt: values of SIG characteristics, and what the specification says they mean.

How to run it, from this folder:

    python3 -m venv oracle && oracle/bin/pip install bluetooth-sig==0.6.0
    oracle/bin/python generate.py

Two sources, neither of which knows our code:

1. The GATT Specification Supplement in the machine-readable form that the package bluetooth-sig carries.
   This script reads types, sizes, multipliers, units, presence flags and bit numbers out of it, makes bytes by
   them from a fixed seed, and writes down what each field must say. Only those facts are written, none of
   its text.
2. The decoders of bluetooth-sig (MIT), which were written by hand. They read the same bytes; how many of
   the numbers they find as well stands beside each vector. Version 0.6.0 takes the exponents of IEEE 11073
   floats for unsigned ones less 8 (or 128), where they are two's complement, so it does not find those; the
   specification's own examples of them are in src/medical.rs. Other differences are of form: a date in a
   type of its own, a set of flags as one number.

What the Supplement contradicts itself about, or leaves to a service's specification, is in CORRECTIONS.
"""

import datetime
import importlib.metadata
import json
import math
import pathlib
import random
import re
import struct
import sys

import bluetooth_sig
import yaml

VERSION = "0.6.0"
ROOT = pathlib.Path(bluetooth_sig.__file__).parent / "bluetooth_sig"
PREFIX = "org.bluetooth.characteristic."
OUT = pathlib.Path(__file__).resolve().parent / "vectors.txt"

# Their operands are defined by prose, op code by op code; the tests beside the tables cover them.
BY_HAND = {
    "record_access_control_point",
    "sc_control_point",
    "cycling_power_control_point",
    "ln_control_point",
    "cgm_specific_ops_control_point",
}

# Unit of the specification: what we show, and how many of the shown are one of the specified.
UNITS = {
    "absolute": ("", 1),
    "unitless": ("", 1),
    "percentage": ("%", 1),
    "time.second": ("s", 1),
    "time.minute": ("min", 1),
    "time.hour": ("h", 1),
    "time.day": ("d", 1),
    "time.year": ("years", 1),
    "length.metre": ("m", 1),
    "length.meter": ("m", 1),
    "length.inch": ("in", 1),
    "mass.kilogram": ("kg", 1),
    "mass.pound": ("lb", 1),
    "kilogram_per_square_metre": ("kg/m²", 1),
    "energy.joule": ("kJ", 1e-3),
    "energy.kilogram_calorie": ("kcal", 1),
    "energy.kilowatt_hour": ("kWh", 1),
    "electrical_apparent_energy.kilovolt_ampere_hour": ("kVAh", 1),
    "electrical_apparent_power.volt_ampere": ("VA", 1),
    "power.watt": ("W", 1),
    "force.newton": ("N", 1),
    "moment_of_force.newton_metre": ("Nm", 1),
    "pressure.pascal": ("Pa", 1),
    "pressure.millimetre_of_mercury": ("mmHg", 1),
    "thermodynamic_temperature.degree_celsius": ("°C", 1),
    "thermodynamic_temperature.degree_fahrenheit": ("°F", 1),
    "thermodynamic_temperature.kelvin": ("K", 1),
    "kelvin_per_second": ("K/s", 1),
    "velocity.metres_per_second": ("m/s", 1),
    "velocity.kilometre_per_hour": ("km/h", 1),
    "acceleration.metres_per_seconds_squared": ("m/s²", 1),
    "standard_acceleration_due_to_gravity": ("g", 1),
    "plane_angle.degree": ("°", 1),
    "angular_velocity.revolution_per_minute": ("1/min", 1),
    "rotational_speed.revolutions_per_minute": ("1/min", 1),
    "step_per_minute": ("1/min", 1),
    "stroke_per_minute": ("1/min", 1),
    "period.beats_per_minute": ("bpm", 1),
    "metabolic_equivalent": ("MET", 1),
    "transfer_rate.milliliter_per_kilogram_per_minute": ("mL/kg/min", 1),
    "mass_density.kilogram_per_liter": ("mg/dL", 1e5),
    "mass_density.mole_per_litre": ("mmol/L", 1e3),
    "mass_density.milligram_per_decilitre": ("mg/dL", 1),
    "milligram_per_decilitre_per_minute": ("mg/dL/min", 1),
    "density.kilogram_per_cubic_meter": ("µg/m³", 1e9),
    "concentration.parts_per_billion": ("ppb", 1),
    "concentration.count_per_cubic_metre": ("1/m³", 1),
    "ppm": ("ppm", 1),
    "ppb": ("ppb", 1),
    "electric_current.ampere": ("A", 1),
    "electric_potential_difference.volt": ("V", 1),
    "electric_resistance.ohm": ("Ω", 1),
    "hertz": ("Hz", 1),
    "magnetic_flux_density.tesla": ("µT", 1e6),
    "irradiance.watt_per_square_metre": ("W/m²", 1),
    "illuminance.lux": ("lx", 1),
    "illuminance.lumen": ("lm", 1),
    "luminous_flux.lumen": ("lm", 1),
    "luminous_intensity.candela": ("cd", 1),
    "luminous_efficacy.lumen_per_watt": ("lm/W", 1),
    "luminous_energy.lumen_per_hour": ("klm h", 1e-3),
    "luminous_exposure.lux_hour": ("klx h", 1e-3),
    "mass_flow.gram_per_second": ("g/s", 1),
    "volume_flow.litre_per_second": ("L/s", 1),
    "flow.cubic_metre_per_second": ("m³/s", 1),
    "sound_pressure.decibel_spl": ("dB SPL", 1),
    "logarithmic_radio_quantity.decibel": ("dBm", 1),
}

# (characteristic, field): what is taken instead of what the Supplement says there, and why.
CORRECTIONS = {
    # The multiplier says ten, the sentence beside it one, which is taken. Of 8 bits, too, the
    # Supplement stands alone: machines send 16, see ../fitness.rs.
    ("indoor_bike_data", "Resistance Level"): {"d": 0},
    ("rower_data", "Resistance Level"): {"d": 0},
    ("cross_trainer_data", "Resistance Level"): {"d": 0},
    ("supported_resistance_level_range", "Minimum Resistance Level"): {"d": 0},
    ("supported_resistance_level_range", "Maximum Resistance Level"): {"d": 0},
    ("supported_resistance_level_range", "Minimum Increment"): {"d": 0},
    ("activity_goal", "Distance"): {"d": 0},
    # The multiplier says 1/100, the sentence and the Body Composition Service 1/10.
    ("body_composition_measurement", "Impedance"): {"d": -1},
    # 64 V steps would not fit its range; 1/64 V is the sentence beside it.
    ("high_voltage", "Voltage"): {"b": -6},
    ("high_voltage", "High Voltage"): {"b": -6},
    # Its range is -12.8 to 12.7.
    ("recipe_parameters", "Temperature Gradient"): {"type": "sint8"},
    # Fitness Machine Service: a tenth, as in the other machines.
    ("treadmill_data", "Metabolic Equivalent"): {"d": -1},
    # Heart Rate Service 3.1.1.3: kilojoules.
    ("heart_rate_measurement", "Energy Expended"): {"d": 3},
    # Units that stand in prose.
    ("heart_rate_measurement", "RR-interval"): {"unit": ("ms", 1000 / 1024)},
    ("treadmill_data", "Instantaneous Pace (Time per 500 meters)"): {"unit": ("s/500 m", 1)},
    ("treadmill_data", "Average Pace (Time per 500 meters)"): {"unit": ("s/500 m", 1)},
    ("rower_data", "Instantaneous Pace (Time per 500 meters)"): {"unit": ("s/500 m", 1)},
    ("rower_data", "Average Pace (Time per 500 meters)"): {"unit": ("s/500 m", 1)},
    ("rsc_measurement", "Instantaneous Cadence"): {"unit": ("1/min", 1)},
    ("measurement_interval", "Measurement Interval"): {"unit": ("s", 1)},
    ("time_zone", "Time Zone"): {"unit": ("h", 0.25)},
    ("elapsed_time", "TZ/DST Offset"): {"unit": ("h", 0.25)},
    ("reference_time_information", "Days Since Update"): {"unit": ("d", 1)},
    ("reference_time_information", "Hours Since Update"): {"unit": ("h", 1)},
    ("exact_time_256", "Fractions256"): {"unit": ("s", 1 / 256)},
    ("cgm_status", "Time Offset"): {"unit": ("min", 1)},
    ("cgm_measurement", "Size"): {"unit": ("B", 1)},
    ("recipe_parameters", "Duration"): {"unit": ("s", 1)},
    ("cooking_step_status", "Remaining Time"): {"unit": ("s", 1)},
    ("enhanced_blood_pressure_measurement", "Time Stamp"): {"unit": ("", 1)},
    ("enhanced_blood_pressure_measurement", "User Facing Time"): {"unit": ("", 1)},
    ("enhanced_intermediate_cuff_pressure", "Time Stamp"): {"unit": ("", 1)},
    ("enhanced_intermediate_cuff_pressure", "User Facing Time"): {"unit": ("", 1)},
    ("rainfall", "Rainfall"): {"unit": ("mm", 1e3)},
    ("weight_measurement", "BMI"): {"unit": ("kg/m²", 1)},
    ("glucose_measurement_context", "Carbohydrate"): {"unit": ("g", 1e3)},
    ("percentage_8_steps", "Percentage 8 Steps"): {"unit": ("", 1)},
    # Kilopascal is the unit of the field's name.
    **{
        (c, f"{p}{n} (kPa)"): {"unit": ("kPa", 1), "d": 0}
        for c, p, names in [
            (
                "blood_pressure_measurement",
                "Blood Pressure Measurement Compound Value - ",
                ["Systolic", "Diastolic", "Mean Arterial Pressure"],
            ),
            (
                "intermediate_cuff_pressure",
                "Intermediate Cuff Pressure Compound Value - ",
                ["Current Cuff Pressure"],
            ),
            (
                "enhanced_blood_pressure_measurement",
                "",
                ["Systolic", "Diastolic", "Mean Arterial Pressure"],
            ),
        ]
        for n in names
    },
}

# Words before and after a number that say that it is no ordinary one.
SPECIAL = re.compile(
    r"(?:value of |^|[.:] ?|\s)(0x[0-9A-F]+|\d+|-\d+)\s+"
    r"(?:represents?:?|means that|means|is used when|= Year is not|= Day of Month is not)"
)


def load():
    uuids = yaml.safe_load((ROOT / "assigned_numbers/uuids/characteristic_uuids.yaml").read_text())
    by_id, by_name = {}, {}
    for entry in uuids["uuids"]:
        by_id[entry["id"].removeprefix(PREFIX)] = entry["uuid"]
        by_name[entry["name"]] = entry["uuid"]
    all_ = {}
    for path in sorted((ROOT / "gss").glob("*.yaml")):
        c = yaml.safe_load(path.read_text())["characteristic"]
        key = c["identifier"].removeprefix(PREFIX)
        uuid = by_id.get(key) or by_name.get(c["name"])
        all_[key] = (uuid, c)
    return all_


ALL = load()
# The 3D ones are called otherwise in references.
ALIASES = {k.lower().replace("-", "_"): k for k in ALL}


def flat(text):
    return re.sub(r"\s+", " ", str(text or "")).strip()


class Value:
    """Bytes in the making, and what they mean."""

    def __init__(self, rng, mode):
        self.rng, self.mode = rng, mode
        self.bytes, self.fields, self.words = bytearray(), [], {}
        self.base = 0

    def say(self, size, kind, what, unit="", bits="-"):
        start = len(self.bytes) - size
        self.fields.append((start, start + size, bits, kind, what, unit))


def condition(text, value, key):
    """Whether the field that `text` describes is there; None where only the service knows."""
    m = re.search(r"Present if bit (\d+) of (?:the )?(?:Presence )?Flags field is set to (\d)", text)
    if m:
        return (value.words["Flags"] >> int(m[1]) & 1) == int(m[2])
    m = re.search(r"Present if bits (\d+) and (\d+) of Flags field are set to 1", text)
    if m:
        word = value.words["Flags"]
        return bool(word >> int(m[1]) & word >> int(m[2]) & 1)
    m = re.search(r"Present if value of Field Selector field is (\d+)", text)
    if m:
        return value.words["Field Selector"] == int(m[1])
    if "Present if Cooking Process Type field is not 0" in text:
        return value.words["Cooking Process Type"] != 0
    if "Present if E2E-CRC" in text or "is defined by the service using this" in text:
        return None
    assert "Present if" not in text, (key, text)
    return True


def scale(key, field, text, value):
    """What the raw number is multiplied with, and the unit shown."""
    fix = CORRECTIONS.get((key, field), {})
    m = re.search(r"M ?= ?(-?\d+), ?d ?= ?(-? ?\d+),(?: and)? ?b ?= ?(-?\d+)", text)
    mul, d, b = (int(g.replace(" ", "")) for g in m.groups()) if m else (1, 0, 0)
    d, b = fix.get("d", d), fix.get("b", b)
    factor = mul * 10.0**d * 2.0**b
    if "unit" in fix:
        symbol, shown = fix["unit"]
        return factor * shown, symbol
    m = re.search(
        r"in (\w+) with (?:a )?resolution (?:of )?([\d.]+) if the bit 0 .* in (\w+) with a resolution of ([\d.]+)", text
    )
    if m:
        imperial = value.words["Flags"] & 1
        symbol = {"kilograms": "kg", "pounds": "lb", "meters": "m", "inches": "in"}[m[3] if imperial else m[1]]
        return float(m[4] if imperial else m[2]), symbol
    m = re.search(r"If bit 0 of the Flags field is set to 0, units are mmHG, else units are kPa", text)
    if m:
        return 1, "kPa" if value.words["Flags"] & 1 else "mmHg"
    choices = re.findall(
        r"If bit (\d+) of Flags field is set to (\d), [uU]nit: org\.bluetooth\.unit\.([\w.]+)", text
    )
    units = [u for bit, want, u in choices if value.words["Flags"] >> int(bit) & 1 == int(want)]
    if not units:
        units = re.findall(r"[uU]nit[:;]? ?(?:is )?(?:org\.bluetooth\.unit\. ?|U\. ?)([\w.]+?)\.?(?:[ ;]|$)", text)
    unit = units[0].rstrip(".") if units else "unitless"
    if key == "glucose_measurement_context" and field == "Medication":
        return (1e6, "mg") if unit == "mass.kilogram" else (1e3, "mL")
    symbol, shown = UNITS[unit]
    return factor * shown, symbol


def integer(type_):
    m = re.fullmatch(r"([us]?)int(\d+)", type_)
    return m and (m[1] == "u", int(m[2]))


def specials(text, bits):
    found = set()
    for number in SPECIAL.findall(text):
        found.add(int(number, 0) & ((1 << bits) - 1))
    return found


def later_use(what):
    return what.lower().startswith("reserved for future use") or what in ("RFU", "Prohibited", "-")


def reserved(values):
    """Of an enumeration, the numbers that are named and those that are kept for later."""
    named, kept = set(), set()
    for entry in values:
        span = str(entry.get("value", ""))
        m = re.fullmatch(r"(0x[0-9A-Fa-f]+|\d+)(?:[–-](0x[0-9A-Fa-f]+|\d+))?", span)
        if not m:
            continue
        low, high = int(m[1], 0), int(m[2] or m[1], 0)
        later = later_use(flat(entry.get("description")))
        (kept if later else named).update(range(low, min(high, low + 300) + 1))
    return named, kept


def inline(text):
    """An enumeration that is written in the field's sentence."""
    entries = []
    parts = re.split(r"(?:(?<=\s)|^)(0x[0-9A-Fa-f]{2}(?:–0x[0-9A-Fa-f]+)?|\d+(?:[–-]\d+)?): ", text)
    for span, what in zip(parts[1::2], parts[2::2]):
        entries.append({"value": span.replace("–", "-"), "description": what.strip()})
    return entries if len(entries) > 1 else []


def structure_of(text):
    m = re.search(
        r"(?:Refer to|matches the|is the same as)[^{]*autoref\{sec:org\.bluetooth\.characteristic\.([\w.+-]+?)\}", text
    )
    name = m and m[1]
    return name and (name if name in ALL else ALIASES.get(name.lower().replace("-", "_")))


def separate(values):
    """Bits that the Supplement has in one row and names one by one, and the other way round."""
    rows = []
    for entry in values:
        what = flat(entry.get("description"))
        if what.startswith("Charging Fault Reason"):
            rows += [{"bit": str(bit), "description": what} for bit in (12, 13, 14)]
        elif what == "Sensor Contact detected":
            rows.append({"bit": "1-2", "description": what})
        elif what != "Sensor Contact Supported":
            rows.append(entry)
    return rows


def values_of(key, name, fields_of, text):
    """The rows that explain a field: under its name, or where the text points to."""
    for title, field in fields_of.items():
        if title in (name, f"{name} values"):
            return field.get("values", [])
    m = re.search(r"autoref\{sec:org\.bluetooth\.characteristic\.([\w.-]+)/field/([\w/-]+)\}", text)
    if m and m[1] in ALL:
        for field in ALL[m[1]][1].get("fields") or []:
            if field["name"].lower().replace(" ", "_") == m[2]:
                return field.get("values", [])
    return []


def put_bits(value, values, size, shift=0):
    """A word of single bits and small numbers; what is reserved stays zero."""
    word, said = 0, []
    for entry in separate(values):
        m = re.fullmatch(r"(\d+)(?:[–-](\d+))?", str(entry.get("bit", entry.get("value", ""))))
        if not m:
            continue
        low, high = int(m[1]) - shift, int(m[2] or m[1]) - shift
        what = flat(entry.get("description"))
        if later_use(what):
            continue
        width = high - low + 1
        if value.mode == "none":
            number = 0
        elif value.mode == "all":
            number = 1
        else:
            number = value.rng.randrange(1 << width)
        later = re.findall(r"(0b[01]+|\d+)(?:–\d+)? = Reserved", what)
        if "All other values = Reserved" in what or number in [int(n, 0) for n in later] or width > 2:
            number = min(number, 1)
        word |= number << low
        said.append((low, high, number))
    value.bytes += word.to_bytes(size, "little")
    for low, high, number in said:
        value.say(size, "bits", number, bits=f"{low}-{high}")
    return word


def medical(value, text, factor, symbol, size):
    rng = value.rng
    special = {"special": [0x07FF, 0x0800, 0x07FE, 0x0802]}.get(value.mode, [])
    if special or "special value NaN" in text and "not used" in text:
        raw = rng.choice(special or [0x07FF])
        if size == 4:
            raw = {0x07FF: 0x7FFFFF, 0x0800: 0x800000, 0x07FE: 0x7FFFFE, 0x0802: 0x800002}[raw]
        value.bytes += raw.to_bytes(size, "little")
        value.say(size, "special", "-")
        return
    exponent = rng.randrange(-6, 3)
    mantissa = rng.randrange(1, 2000)
    whole = 12 if size == 2 else 24
    raw = (exponent & (0xF if size == 2 else 0xFF)) << whole | mantissa
    value.bytes += raw.to_bytes(size, "little")
    value.say(size, "number", mantissa * 10.0**exponent * factor, symbol)


def put(key, field, value, fields_of, siblings):
    name, text = field["field"], flat(field.get("description"))
    type_ = str(field.get("type") or field.get("data_type"))
    type_ = CORRECTIONS.get((key, name), {}).get("type", type_)
    type_ = "sint16" if type_ == "int16" else type_
    detail = fields_of.get(name, {})
    there = condition(text, value, key)
    if there is None:
        # Only at the very end, where what is left says whether it is there.
        there = siblings[-1] is field and value.mode in ("all", "some", "outside") and key != "blood_pressure_record"
    if key == "recipe_control" and name == "Cooking Step Index" and value.mode == "none":
        there = False
    if not there:
        return
    rng = value.rng
    text_all = text + " " + flat(detail.get("description"))

    if m := re.fullmatch(r"boolean\[(\d+)\](\[\d+\])?", type_):
        if not m[2] and key != "cgm_status":
            values = values_of(key, name, fields_of, text) or bits_in(text)
            if key == "cycling_power_vector":
                # A vector has forces or torques: both to the end would leave nothing for the second.
                values = [v for v in values if str(v.get("bit")) != ("2" if value.mode == "all" else "3")]
            word = put_bits(value, values, int(m[1]) // 8)
            if key == "cycling_power_vector":
                bit = 2 if value.mode == "all" else 3
                value.fields.insert(bit, (0, 1, f"{bit}-{bit}", "bits", 0, ""))
            if "Flags" in name and "Extended" not in name:
                value.words["Flags"] = word
            return
        # CGM Status is the three octets of a measurement; there, each is present by a flag.
        octets = {f["name"]: f for f in ALL["cgm_measurement"][1]["fields"]}["Sensor Status Annunciation"]
        for at, (octet, sub) in enumerate(zip(octets["values"], octets["subfields"])):
            if key == "cgm_status" or condition(flat(octet["description"]), value, key):
                put_bits(value, sub["values"], 1, 8 * at)
        return

    if type_ == "struct" or (structure_of(text) and re.search(r"Refer to|matches the", text) and key != name):
        other = structure_of(text) if re.search(r"Refer to|matches the|format of this field", text) else None
        subs = [v for v in detail.get("values", []) if "field" in v]
        if other == "date_time" or (other and other in ("date_time",)):
            put_time(value, True)
        elif other and other in ALL and other != key:
            put_all(other, value)
        elif subs and detail.get("size_in_bits") or all("uint12" == s.get("data_type") for s in subs) and subs:
            put_small(value, subs, detail)
        elif subs:
            for sub in subs:
                put(key, {"field": sub["field"], "type": sub["data_type"], **sub}, value, fields_of, subs)
        else:
            raw = bytes(rng.randrange(256) for _ in range(rng.randrange(1, 9)))
            value.bytes += raw
            value.say(len(raw), "bytes", raw.hex())
        return

    if type_ == "Determined by UUID":
        raw = bytes(rng.randrange(256) for _ in range(5))
        value.bytes += raw
        value.say(len(raw), "bytes", raw.hex())
        return

    if type_ == "gatt_uuid":
        raw = bytes(rng.randrange(256) for _ in range(2 if value.mode == "none" else 16))
        value.bytes += raw
        value.say(len(raw), "bytes", raw.hex())
        return

    if m := re.fullmatch(r"utf8s(?:\\\{(\d+)\\\})?", type_):
        said = rng.choice(["Grün", "plain", "ΔT", "72 °F"])
        if m[1]:
            said = (said * 40).encode()[: int(m[1])].decode(errors="ignore")
            said += "x" * (int(m[1]) - len(said.encode()))
        raw = said.encode() + (b"\0" if "Zero-terminated" in text else b"")
        value.bytes += raw
        value.say(len(raw), "text", said)
        return

    if type_.startswith("medfloat"):
        factor, symbol = scale(key, name, text_all, value)
        medical(value, text, factor, symbol, int(type_[8:]) // 8)
        return

    if type_ == "float32":
        raw = struct.pack("<f", rng.uniform(-1e3, 1e3))
        value.bytes += raw
        value.say(4, "number", struct.unpack("<f", raw)[0])
        return

    if m := re.fullmatch(r"([us]int\d+) ?\[.*\]", type_):
        factor, symbol = scale(key, name, text_all, value)
        for _ in range(rng.randrange(1, 4)):
            put_integer(value, m[1], "", factor, symbol, [], set())
        return

    assert integer(type_), (key, name, type_)
    if (key, name) == ("elapsed_time", "Time Sync Source Type"):
        put_all("time_source", value)
        return
    if "The format of this field is the same as" in text:
        put_all(structure_of(text), value)
        return
    rows = values_of(key, name, fields_of, text)
    enumeration = [v for v in rows if "value" in v] or inline(text)
    if key == "time_exponential_8":
        put_exponential(value)
        return
    if key == "elapsed_time" and name == "Time Value":
        factor, symbol = [1, 0.1, 1e-3, 1e-4][value.words["Flags"] >> 2 & 3], "s"
    elif key in ("date_utc",) or "Refer to the Date UTC" in text:
        # Shown as a date.
        factor, symbol = 1, ""
    else:
        factor, symbol = scale(key, name, text_all, value)
    text_all = text if not enumeration else ""
    word = put_integer(value, type_, text_all, factor, symbol, enumeration, limits(key, name, text))
    value.words[name] = word


def bits_in(text):
    parts = re.split(r"(?:(?<=\s)|^)(?:Bit )?(\d+(?:[–-]\d+)?): ", text)
    return [{"bit": b, "description": d} for b, d in zip(parts[1::2], parts[2::2])]


def limits(key, name, text):
    """The smallest and the largest raw number, where the text has them in raw numbers or in units."""
    if (key, name) == ("cosine_of_the_angle", "Cosine of the Angle"):
        # The limits are those of the number times 100, though its multiplier is 1/100.
        return -100, 100
    if "1000 corresponds to 100%" in text:
        # A thousand of them are 100 %, so the limits are those of the raw number.
        return 0, 3550
    if {"d", "b"} & CORRECTIONS.get((key, name), {}).keys():
        return None
    m = re.search(r"M ?= ?(-?\d+), ?d ?= ?(-? ?\d+),(?: and)? ?b ?= ?(-?\d+)", text)
    mul, d, b = (int(g.replace(" ", "")) for g in m.groups()) if m else (1, 0, 0)
    one = mul * 10.0**d * 2.0**b
    m = re.search(r"(?:Allowed range is:?|Valid range(?: is)?(?: from)?|range from|ranging from) (-?[\d.]+)(?: \([^)]*\))? ?(?:to|–) \+?(-?[\d.]+)", text)
    if not m:
        m = re.search(r"Minimum(?: value)?: (-?[\d.]+).*?Maximum(?: value)?: (-?[\d.]+)", text)
    if not m:
        m = re.search(r"to (0x[0-9A-F]+): Number of seconds()", text)
        return (0, int(m[1], 0)) if m else None
    low, high = float(m[1].rstrip(".")), float(m[2].rstrip("."))
    return math.ceil(low / one - 1e-6), math.floor(high / one + 1e-6)


def put_integer(value, type_, text, factor, symbol, enumeration, limit):
    unsigned, bits = integer(type_)
    rng, size = value.rng, bits // 8
    # A boost of 0 or 100 % is explained, not special.
    odd = set() if "no boost capability" in text else specials(text, bits)
    named, kept = reserved(enumeration)
    if value.mode == "special" and odd:
        raw = rng.choice(sorted(odd))
    elif value.mode == "reserved" and kept:
        raw = rng.choice(sorted(k for k in kept if k < 1 << bits))
    elif named:
        raw = rng.choice(sorted(n for n in named if n < 1 << bits))
    else:
        low, high = (0, (1 << bits) - 1) if unsigned else (-(1 << bits - 1), (1 << bits - 1) - 1)
        if limit:
            low, high = max(low, limit[0]), min(high, limit[1])
        if "Resistance" in text or high <= low:
            low, high = 0, 200
        while True:
            raw = rng.randrange(low, high + 1) & ((1 << bits) - 1)
            if raw not in odd:
                break
    if value.mode == "outside" and limit and not named and not kept:
        low, high = (0, (1 << bits) - 1) if unsigned else (-(1 << bits - 1), (1 << bits - 1) - 1)
        outside = [n for n in (limit[0] - 1, limit[1] + 1, low, high - 1, high) if low <= n <= high]
        outside = [n & ((1 << bits) - 1) for n in outside if not limit[0] <= n <= limit[1]]
        outside = [n for n in outside if n not in odd]
        if outside:
            raw = rng.choice(outside)
            value.bytes += raw.to_bytes(size, "little")
            value.say(size, "outside", "-")
            return raw
    value.bytes += raw.to_bytes(size, "little")
    number = raw if unsigned or raw < 1 << bits - 1 else raw - (1 << bits)
    if raw in odd:
        value.say(size, "special", "-")
    elif raw in kept:
        value.say(size, "reserved", number)
    else:
        value.say(size, "number", number * factor, symbol)
    return raw


def put_exponential(value):
    raw = {"special": value.rng.choice([0xFE, 0xFF]), "none": 0}.get(value.mode, value.rng.randrange(1, 0xFE))
    value.bytes.append(raw)
    if raw >= 0xFE:
        value.say(1, "special", "-")
    else:
        value.say(1, "number", 1.1 ** (raw - 64) if raw else 0.0, "s")


def put_time(value, clock):
    rng = value.rng
    day = datetime.datetime(rng.randrange(1990, 2060), rng.randrange(1, 13), rng.randrange(1, 29))
    day += datetime.timedelta(seconds=rng.randrange(86400))
    value.bytes += struct.pack("<HBB", day.year, day.month, day.day)
    said = day.strftime("%Y-%m-%d")
    if clock:
        value.bytes += bytes([day.hour, day.minute, day.second])
        said = day.strftime("%Y-%m-%d %H:%M:%S")
    value.say(7 if clock else 4, "time", said)


def put_small(value, subs, detail):
    """Numbers of a few bits each, the first in the lowest."""
    word, low, said = 0, 0, []
    tables = {s["name"]: s.get("values", []) for s in detail.get("subfields", [])}
    for sub in subs:
        width = int(sub["size"])
        named, _ = reserved(tables.get(sub["field"], []))
        number = value.rng.choice(sorted(named)) if named else value.rng.randrange(min(1 << width, 360))
        word |= number << low
        said.append((low, low + width - 1, number))
        low += width
    value.bytes += word.to_bytes(low // 8, "little")
    for first, last, number in said:
        value.say(low // 8, "bits", number, bits=f"{first}-{last}")


def put_all(key, value):
    _, c = ALL[key]
    if key == "date_time":
        return put_time(value, True)
    if key in ("date_of_birth", "date_of_threshold_assessment"):
        return put_time(value, False)
    fields_of = {f["name"]: f for f in c.get("fields") or []}
    if key == "cgm_measurement":
        return put_records(value, fields_of)
    if key in ("pushbutton_status_8", "contact_status_8"):
        subs = [{"field": f["field"], "size": f["size"]} for f in c["structure"]]
        return put_small(value, subs, {})
    if key == "alert_category_id_bit_mask":
        # One byte each: the second may be left out.
        values = next(iter(fields_of.values()))["values"]
        put_bits(value, [v for v in values if re.fullmatch(r"[0-7]", str(v["bit"]))], 1)
        if value.mode != "none":
            put_bits(value, [v for v in values if re.fullmatch(r"[89]", str(v["bit"]))], 1, 8)
        return None
    structure = c["structure"]
    for field in structure:
        put(key, field, value, fields_of, structure)
    return None


def put_records(value, fields_of):
    record = fields_of["CGM Measurement Record"]["values"]
    for _ in range(1 if value.mode == "none" else 2):
        start, said = len(value.bytes), len(value.fields)
        value.bytes.append(0)
        value.say(1, "number", 0, "B")
        for sub in record[1:]:
            put("cgm_measurement", {**sub, "type": sub["data_type"] if "data_type" in sub else sub["type"]}, value, fields_of, record)
        size = len(value.bytes) - start
        value.bytes[start] = size
        first = value.fields[said]
        value.fields[said] = (*first[:4], size, first[5])


def numbers(thing, into):
    if isinstance(thing, bool) or thing is None:
        return
    if isinstance(thing, (int, float)):
        into.append(float(thing))
    elif isinstance(thing, datetime.datetime):
        into.append(thing.strftime("%Y-%m-%d %H:%M:%S"))
    elif isinstance(thing, datetime.date):
        into.append(thing.strftime("%Y-%m-%d"))
    elif isinstance(thing, datetime.timedelta):
        into.append(thing.total_seconds())
    elif isinstance(thing, str):
        into.append(thing)
    elif isinstance(thing, dict):
        for part in thing.values():
            numbers(part, into)
    elif isinstance(thing, (list, tuple, set)):
        for part in thing:
            numbers(part, into)
    elif hasattr(thing, "__struct_fields__"):
        for part in thing.__struct_fields__:
            numbers(getattr(thing, part), into)
    elif hasattr(thing, "__dataclass_fields__"):
        for part in thing.__dataclass_fields__:
            numbers(getattr(thing, part), into)
    elif hasattr(thing, "value"):
        numbers(thing.value, into)


# The library gives some units as they are transmitted or as people say them.
SAME = (1.0, 1e-3, 1e3, 1e-5, 1e5, 1e-6, 1e6, 1e-9, 1e9, 2.0, 0.5, 60.0, 1 / 256, 0.25, 1 / 3600)


def second_opinion(translator, uuid, raw, fields):
    """How many of the numbers, times and texts the library finds as well; None if it does not read this."""
    try:
        parsed = translator.parse_characteristic(f"{uuid:04X}", bytes(raw))
    except Exception:
        return None
    found = []
    numbers(parsed, found)
    agree = 0
    wanted = [f for f in fields if f[3] in ("number", "time", "text")]
    for _, _, _, kind, what, _ in wanted:
        if kind == "number":
            agree += any(
                isinstance(f, float) and math.isclose(f * same, what, rel_tol=1e-4, abs_tol=1e-12)
                for f in found
                for same in SAME
            )
        else:
            agree += any(f == what for f in found)
    return agree, len(wanted)


def main():
    installed = importlib.metadata.version("bluetooth-sig")
    if installed != VERSION:
        raise SystemExit(f"bluetooth-sig {VERSION} is needed, not {installed}")
    translator = bluetooth_sig.BluetoothSIGTranslator()
    lines, formats, vectors, agree, asked, unread = [], 0, 0, 0, 0, 0
    twice = {"cooking_conditions": [0x2C2A, 0x2C2B]}
    rows = []
    for key, (uuid, c) in ALL.items():
        rows += [(u, key) for u in twice.get(key, [uuid])]
    for uuid, key in sorted(rows):
        if key in BY_HAND:
            continue
        rng = random.Random(uuid)
        formats += 1
        seen = set()
        for mode in ("all", "none", "some", "some", "special", "reserved", "outside"):
            value = Value(rng, mode)
            put_all(key, value)
            if bytes(value.bytes) in seen:
                continue
            seen.add(bytes(value.bytes))
            opinion = second_opinion(translator, uuid, value.bytes, value.fields)
            vectors += 1
            if opinion is None:
                unread += 1
            else:
                agree, asked = agree + opinion[0], asked + opinion[1]
            beside = "-" if opinion is None else f"{opinion[0]}/{opinion[1]}"
            lines.append(f"{uuid:04X} {bytes(value.bytes).hex() or '-'} gss:{key} {beside}")
            for start, end, bits, kind, what, unit in value.fields:
                what = repr(float(what)) if kind == "number" else what
                lines.append(f"  {start} {end} {bits} {kind} {json.dumps(unit, ensure_ascii=False)} {what}")
    head = f"""\
# Values of SIG characteristics and what they mean: generated, change generate.py instead.
#
# Made on {datetime.date.today()} with bluetooth-sig {VERSION} (Python package): the facts of the GATT Specification
# Supplement that it carries, and its own decoders as the second opinion.
# Licence of bluetooth-sig: MIT, Copyright (c) 2025, Ronan Byrne. The Supplement is the Bluetooth SIG's;
# none of its text is here.
#
# {formats} formats, {vectors} vectors. bluetooth-sig refuses {unread} of them (special or reserved values, mostly),
# and finds {agree} of the {asked} numbers, times and texts of the others as well; generate.py says why not all.
#
# Sources. A vector's own is gss:NAME, the Supplement's file of that name: types, sizes, multipliers,
# limits, special and reserved numbers, flags and bits are read out of it, never out of our tables.
# Where the Supplement contradicts itself or leaves a fact out, the CORRECTIONS of generate.py say what is
# taken instead and from where. The control points whose operands it leaves to their services
# (2A52, 2A55, 2A66, 2A6B, 2AAC), the descriptors and the characteristics that it does not have stand with
# vectors by hand in src/sig/tests.rs, each with its specification; SFLOAT and FLOAT in src/medical.rs with
# the examples and the special values of IEEE 11073-20601.
#
# UUID, bytes, source, second opinion; then each field: first byte, byte after the last, bits, kind, unit,
# value. Kinds: number, special (there is no number), reserved, outside (of the limits), bits, text, time,
# bytes.
"""
    OUT.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    print(head)


if __name__ == "__main__":
    sys.exit(main())
