#!/usr/bin/env python3
"""Writes the tables of names. `cargo xtask names` calls it with the two wheels and the folder for the tables.

    generate.py BLUETOOTH_NUMBERS.whl BUMBLE.whl FOLDER

The wheels are read as data (zip, then Python's own syntax tree); nothing in them is executed. `added.txt` has what
they lack or have wrong, `vendors.txt` the UUIDs of vendors. A name that changes is seen by every user: review the
difference.
"""

import ast
import pathlib
import re
import sys
import uuid
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
BASE = 0x0000_0000_0000_1000_8000_00805F9B34FB

TABLES = {
    "service": ("services", "_services.py"),
    "characteristic": ("characteristics", "_characteristics.py"),
    "descriptor": ("descriptors", "_descriptors.py"),
    "company": ("companies", "_companies.py"),
}

# Words of appearances that are not spelled as `str.capitalize` spells them.
SPELLED = {
    "Hvac": "HVAC", "Led": "LED", "Hid": "HID", "Iot": "IoT", "Pc": "PC", "Cd": "CD", "Dvd": "DVD", "Av": "AV",
    "And": "and", "Or": "or", "With": "with",
}


class Wheel:
    """A Python package as it is published."""

    def __init__(self, path):
        self.archive = zipfile.ZipFile(path)
        meta = next(n for n in self.archive.namelist() if n.endswith(".dist-info/METADATA"))
        self.version = re.search(r"^Version: (.*)$", self.archive.read(meta).decode(), re.M)[1]

    def tree(self, member):
        return ast.parse(self.archive.read(member).decode()).body

    def date(self, member):
        return "{:04}-{:02}-{:02}".format(*self.archive.getinfo(member).date_time[:3])


def entries(tree, name):
    """The key-value pairs of `name = SomeDict({...})`; keys are int (short) or UUID."""
    for node in tree:
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


def appearances(tree):
    """Value and name of each appearance: a class of categories, and one of subcategories for each of them."""
    outer = next(n for n in tree if isinstance(n, ast.ClassDef) and n.name == "Appearance")
    members, link = {}, None
    for node in outer.body:
        if isinstance(node, ast.ClassDef):
            members[node.name] = [
                (line.targets[0].id, line.value.value)
                for line in node.body
                if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant)
            ]
        value = getattr(node, "value", None)
        if isinstance(value, ast.Dict):
            link = {key.attr: name.id for key, name in zip(value.keys, value.values)}
    for category, number in members["Category"]:
        yield number << 6, titled(category)
        for name, sub in members[link[category]]:
            # The first of each is the category itself, "generic".
            if sub:
                yield number << 6 | sub, titled(name)


def titled(name):
    words = (word.capitalize() for word in name.split("_"))
    return " ".join(SPELLED.get(word, word) for word in words)


def lines(file):
    for line in (HERE / file).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


def vendors():
    """Each vendor with the pattern of its names in `bluetooth-numbers` and its own (kind, UUID, name)."""
    found = []
    for line in lines("vendors.txt"):
        mark, rest = line.split(" ", 1)
        if mark == "@":
            found.append((rest, None, []))
        elif mark == "~":
            name, _, own = found.pop()
            found.append((name, re.compile(rest), own))
        elif mark != "<":
            number, name = rest.split(" ", 1)
            key = BASE | int(number, 16) << 96 if len(number) == 4 else uuid.UUID(number).int
            found[-1][2].append((mark, key, name))
    return found


def literal(name):
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main(numbers, bumble, out):
    numbers, bumble, out = Wheel(numbers), Wheel(bumble), pathlib.Path(out)
    added = {}
    for line in lines("added.txt"):
        kind, number, name = line.split(" ", 2)
        added.setdefault(kind, {})[int(number, 16)] = name
    owners = vendors()
    for kind, (table, file) in TABLES.items():
        member = f"bluetooth_numbers/{file}"
        short, long = {}, {}
        for key, value in entries(numbers.tree(member), kind):
            value = repaired(value)
            owner = next((i for i, (_, names, _) in enumerate(owners) if names and names.match(value)), None)
            if isinstance(key, uuid.UUID):
                if owner is None:
                    raise SystemExit(f"vendors.txt says of no vendor that {value} is its own")
                long[key.int] = (owner, value)
                continue
            # 1.1.2 writes member services' decimal numbers as if they were hexadecimal:
            # 0x65279 stands for 65279, which is 0xFEFF.
            if key > 0xFFFF:
                key = int(f"{key:x}", 10)
            if kind == "characteristic" and not 0x2A00 <= key <= 0x2FFF:
                # A vendor's own use of a number that nobody was given.
                long[BASE | key << 96] = (owner, value)
                continue
            # What a service is comes first in the source (Eddystone); the member whose number it is
            # (Google LLC) comes later.
            short.setdefault(key, value)
        short.update(added.get(kind, {}))
        for index, (_, _, own) in enumerate(owners):
            for which, key, name in own:
                if which == kind and long.setdefault(key, (index, name)) != (index, name):
                    raise SystemExit(f"{uuid.UUID(int=key)} is given twice")
        source = [
            f"Source: bluetooth-numbers {numbers.version} (Python package), its data of {numbers.date(member)}, which it takes from the",
            "Bluetooth Numbers Database of Nordic Semiconductor and the Assigned Numbers document; what it",
            "lacks from `names/added.txt` and `names/vendors.txt`.",
            "Licence: MIT, Copyright (c) 2022 Koen Vervloesem; database: BSD-3-Clause,",
            "Copyright (c) 2019 - 2020, Nordic Semiconductor ASA. Both texts are in `names/`.",
        ]
        write(out / f"{table}.rs", f"Names of {table}", source, short, long)

    member = "bumble/core.py"
    short = dict(appearances(bumble.tree(member)))
    short.update(added["appearance"])
    source = [
        f"Source: bumble {bumble.version} (Python package) of {bumble.date(member)}; what it lacks from `names/added.txt`.",
        "Licence: Apache-2.0, Copyright 2021-2022 Google LLC; the text is LICENSE-APACHE in the top folder.",
    ]
    write(out / "appearances.rs", "Names of appearances", source, {k: v for k, v in short.items() if v != "-"}, {})

    text = header("Whose the 128-bit UUIDs are, by their place here", ["Source: `names/vendors.txt`, which says in which public code they stand."])
    text += [f"/// Vendors ({len(owners)}).", "pub(super) static OWNERS: &[&str] = &["]
    text += [f"    {literal(name)}," for name, _, _ in owners]
    (out / "owners.rs").write_text("\n".join(text + ["];"]) + "\n", encoding="utf-8")


def header(what, source):
    return [f"//! {what}: generated by `cargo xtask names`, change what is in `names/` instead.", "//!", *(f"//! {line}" for line in source), ""]


def write(file, what, source, short, long):
    text = header(what, source)
    text += [
        f"/// By 16-bit number, ascending ({len(short)}).",
        "#[rustfmt::skip]",
        "pub(super) static SHORT: &[(u16, &str)] = &[",
    ]
    text += [f"    (0x{k:04X}, {literal(v)})," for k, v in sorted(short.items())]
    text.append("];")
    if long:
        text += [
            "",
            f"/// By 128-bit UUID, ascending ({len(long)}), with the place of the vendor among its like.",
            "#[rustfmt::skip]",
            "pub(super) static LONG: &[(u128, u8, &str)] = &[",
        ]
        for key, (owner, value) in sorted(long.items()):
            digits = f"{key:032x}"
            grouped = "_".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
            text.append(f"    (0x{grouped}, {owner}, {literal(value)}),")
        text.append("];")
    file.write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
