//! Names of descriptors: generated, change `names/generate.py` instead.
//!
//! Source: bluetooth-numbers 1.1.2 (PyPI), its data of 2024-08-14, which it takes from the
//! Bluetooth Numbers Database of Nordic Semiconductor and the Assigned Numbers document.
//! Licence: MIT, Copyright (c) 2022 Koen Vervloesem; database: BSD-3-Clause,
//! Copyright (c) 2019 - 2020, Nordic Semiconductor ASA. Both texts are in `names/`.

/// By 16-bit number, ascending (16).
#[rustfmt::skip]
pub(super) static SHORT: &[(u16, &str)] = &[
    (0x2900, "Characteristic Extended Properties"),
    (0x2901, "Characteristic User Description"),
    (0x2902, "Client Characteristic Configuration"),
    (0x2903, "Server Characteristic Configuration"),
    (0x2904, "Characteristic Presentation Format"),
    (0x2905, "Characteristic Aggregate Format"),
    (0x2906, "Valid Range"),
    (0x2907, "External Report Reference"),
    (0x2908, "Report Reference"),
    (0x2909, "Number of Digitals"),
    (0x290A, "Value Trigger Setting"),
    (0x290B, "Environmental Sensing Configuration"),
    (0x290C, "Environmental Sensing Measurement"),
    (0x290D, "Environmental Sensing Trigger Setting"),
    (0x290E, "Time Trigger Setting"),
    (0x290F, "Complete BR-EDR Transport Block Data"),
];
