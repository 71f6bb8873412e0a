#!/usr/bin/env python3
"""Writes src/names/{services,characteristics,descriptors,companies}.rs.

How to run it, from this folder:

    pip download --no-deps --dest /tmp/numbers bluetooth-numbers==1.1.2
    python3 generate.py /tmp/numbers/bluetooth_numbers-1.1.2-py3-none-any.whl

The wheel is read as data (zip, then Python's own syntax tree); nothing in it is executed. To follow a
newer release, name its file and review the difference: names that changed are seen by every user.
"""

import ast
import pathlib
import re
import sys
import uuid
import zipfile

OUT = pathlib.Path(__file__).resolve().parent.parent / "src" / "names"

# Where the source differs from the Assigned Numbers document.
CORRECTIONS = {
    ("characteristics", 0x2B02): "Mass Flow",
    ("characteristics", 0x2B44): "Physical Activity Current Session",
    ("characteristics", 0x2A5F): "PLX Continuous Measurement",
    ("characteristics", 0x2A67): "Location and Speed",
    ("descriptors", 0x2901): "Characteristic User Description",
}

TABLES = [
    ("services", "_services.py", "service"),
    ("characteristics", "_characteristics.py", "characteristic"),
    ("descriptors", "_descriptors.py", "descriptor"),
    ("companies", "_companies.py", "company"),
]


def entries(source, name):
    """The key-value pairs of `name = SomeDict({...})`; keys are int (short) or UUID."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            table = node.value.args[0]
            for key, value in zip(table.keys, table.values):
                if isinstance(key, ast.Call):
                    yield uuid.UUID(key.args[0].value), value.value
                else:
                    yield key.value, value.value
            return
    raise SystemExit(f"no table {name} in the source")


def repaired(name):
    """The name without doubly encoded letters (GerÃ¤te) and stray spaces."""
    if "Ã" in name:
        name = name.encode("cp1252").decode("utf-8")
    return re.sub(r"\s+", " ", name).strip()


def literal(name):
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main(wheel):
    with zipfile.ZipFile(wheel) as archive:
        meta = next(n for n in archive.namelist() if n.endswith("METADATA"))
        version = re.search(r"^Version: (.*)$", archive.read(meta).decode(), re.M)[1]
        licence = next(n for n in archive.namelist() if n.endswith("LICENSE.txt"))
        rights = re.search(r"^Copyright .*$", archive.read(licence).decode(), re.M)[0]
        for table, file, name in TABLES:
            member = archive.getinfo(f"bluetooth_numbers/{file}")
            date = "{:04}-{:02}-{:02}".format(*member.date_time[:3])
            short, long = {}, {}
            for key, value in entries(archive.read(member).decode(), name):
                value = repaired(value)
                if isinstance(key, uuid.UUID):
                    long[key.int] = value
                    continue
                # 1.1.2 writes member services' decimal numbers as if they were hexadecimal:
                # 0x65279 stands for 65279, which is 0xFEFF.
                if key > 0xFFFF:
                    key = int(f"{key:x}", 10)
                # What a service is comes first in the source (Eddystone); the member whose number
                # it is (Google LLC) comes later.
                short.setdefault(key, CORRECTIONS.get((table, key), value))
            write(table, version, date, rights, short, long)


def write(table, version, date, rights, short, long):
    lines = [
        f"//! Names of {table}: generated, change `names/generate.py` instead.",
        "//!",
        f"//! Source: bluetooth-numbers {version} (PyPI), its data of {date}, which it takes from the",
        "//! Bluetooth Numbers Database of Nordic Semiconductor and the Assigned Numbers document.",
        f"//! Licence: MIT, {rights}; database: BSD-3-Clause,",
        "//! Copyright (c) 2019 - 2020, Nordic Semiconductor ASA. Both texts are in `names/`.",
        "",
        f"/// By 16-bit number, ascending ({len(short)}).",
        "#[rustfmt::skip]",
        "pub(super) static SHORT: &[(u16, &str)] = &[",
    ]
    lines += [f"    (0x{k:04X}, {literal(v)})," for k, v in sorted(short.items())]
    lines.append("];")
    if long:
        lines += [
            "",
            f"/// By 128-bit UUID, ascending ({len(long)}).",
            "#[rustfmt::skip]",
            "pub(super) static LONG: &[(u128, &str)] = &[",
        ]
        for key, value in sorted(long.items()):
            digits = f"{key:032x}"
            grouped = "_".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
            lines.append(f"    (0x{grouped}, {literal(value)}),")
        lines.append("];")
    (OUT / f"{table}.rs").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
