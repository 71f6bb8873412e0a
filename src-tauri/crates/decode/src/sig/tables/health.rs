//! Thermometers, glucose, blood pressure, hearts, oxygen.

use super::super::Definition;
use super::super::part::{
    Kind, Part, U8, U16, U24, U32, bits, choice, choice_bits, flags, float, hex, number, of,
    quantity, reserved, set, sfloat, sfloat_moved,
};
use super::time::{DATE_TIME, DST_OFFSET, MINUTES_OFFSET, TIME_ZONE};
use super::{UNKNOWN_USER, Words, one};
use crate::field::Shown;
use crate::names::Names;

pub(super) static ALL: &[Definition] = &[
    one(0x2A18, GLUCOSE_MEASUREMENT),
    one(0x2A1C, TEMPERATURE_MEASUREMENT),
    one(0x2A1D, &[TEMPERATURE_TYPE]),
    one(0x2A1E, TEMPERATURE_MEASUREMENT),
    one(
        0x2A21,
        &[quantity("Measurement interval", U16, "s").meaning(&[(0, "no periodic measurement")])],
    ),
    one(0x2A34, GLUCOSE_CONTEXT),
    one(
        0x2A35,
        &[
            PRESSURE_FLAGS[0],
            PRESSURE_FLAGS[1],
            reserved(U8, 5, 7),
            sfloat("Systolic", "mmHg").off(0).value(),
            sfloat("Diastolic", "mmHg").off(0).as_named("/"),
            sfloat("Mean arterial pressure", "mmHg").off(0),
            sfloat("Systolic", "kPa").on(0).value(),
            sfloat("Diastolic", "kPa").on(0).as_named("/"),
            sfloat("Mean arterial pressure", "kPa").on(0),
            DATE_TIME.named("Time stamp").on(1),
            PULSE_RATE,
            USER_ID.on(3),
            PRESSURE_STATUS[0],
            PRESSURE_STATUS[1],
            PRESSURE_STATUS[2],
            PRESSURE_STATUS[3],
        ],
    ),
    one(
        0x2A36,
        &[
            PRESSURE_FLAGS[0],
            PRESSURE_FLAGS[1],
            reserved(U8, 5, 7),
            sfloat("Cuff pressure", "mmHg").off(0).value(),
            sfloat("Cuff pressure", "kPa").on(0).value(),
            of("Diastolic (unused)", Kind::Sfloat(0)),
            of("Mean arterial pressure (unused)", Kind::Sfloat(0)),
            DATE_TIME.named("Time stamp").on(1),
            PULSE_RATE,
            USER_ID.on(3),
            PRESSURE_STATUS[0],
            PRESSURE_STATUS[1],
            PRESSURE_STATUS[2],
            PRESSURE_STATUS[3],
        ],
    ),
    one(0x2A37, HEART_RATE_MEASUREMENT),
    one(
        0x2A38,
        &[choice(
            "Body sensor location",
            U8,
            &[
                (0, "Other"),
                (1, "Chest"),
                (2, "Wrist"),
                (3, "Finger"),
                (4, "Hand"),
                (5, "Ear lobe"),
                (6, "Foot"),
            ],
        )],
    ),
    one(
        0x2A39,
        &[choice(
            "Heart rate control",
            U8,
            &[(1, "reset energy expended")],
        )],
    ),
    one(
        0x2A49,
        &[
            set(
                "Blood pressure feature",
                U16,
                0,
                &[
                    "Body movement detection",
                    "Cuff fit detection",
                    "Irregular pulse detection",
                    "Pulse rate range detection",
                    "Measurement position detection",
                    "Multiple bonds",
                    "E2E-CRC",
                    "User data service",
                    "User facing time",
                ],
            )
            .if_set(),
            reserved(U16, 9, 15),
        ],
    ),
    one(
        0x2A51,
        &[
            set(
                "Glucose feature",
                U16,
                0,
                &[
                    "Low battery detection",
                    "Sensor malfunction detection",
                    "Sample size detection",
                    "Strip insertion error detection",
                    "Strip type error detection",
                    "Result high-low detection",
                    "Temperature high-low detection",
                    "Read interrupt detection",
                    "General device fault",
                    "Time fault",
                    "Multiple bonds",
                ],
            )
            .if_set(),
            reserved(U16, 11, 15),
        ],
    ),
    one(0x2A52, RECORD_ACCESS),
    // Pulse Oximeter Service 1.0.1, 3.
    one(
        0x2A5E,
        &[
            flags(
                U8,
                0,
                &[
                    "Time stamp",
                    "Measurement status",
                    "Device and sensor status",
                    "Pulse amplitude index",
                ],
            ),
            set("Flags", U8, 4, &["Device clock is not set"]),
            reserved(U8, 5, 7),
            sfloat("SpO2", "%").as_named("SpO2"),
            sfloat("Pulse rate", "bpm").value(),
            DATE_TIME.named("Time stamp").on(0),
            PLX_STATUS.on(1),
            DEVICE_STATUS.on(2),
            DEVICE_RESERVED.on(2),
            sfloat("Pulse amplitude index", "%").on(3),
        ],
    ),
    one(
        0x2A5F,
        &[
            flags(
                U8,
                0,
                &[
                    "SpO2 and pulse rate, fast",
                    "SpO2 and pulse rate, slow",
                    "Measurement status",
                    "Device and sensor status",
                    "Pulse amplitude index",
                ],
            ),
            reserved(U8, 5, 7),
            sfloat("SpO2", "%").as_named("SpO2"),
            sfloat("Pulse rate", "bpm").value(),
            sfloat("SpO2, fast", "%").on(0),
            sfloat("Pulse rate, fast", "bpm").on(0),
            sfloat("SpO2, slow", "%").on(1),
            sfloat("Pulse rate, slow", "bpm").on(1),
            PLX_STATUS.on(2),
            DEVICE_STATUS.on(3),
            DEVICE_RESERVED.on(3),
            sfloat("Pulse amplitude index", "%").on(4),
        ],
    ),
    one(
        0x2A60,
        &[
            set(
                "Supported features",
                U16,
                0,
                &[
                    "Measurement status",
                    "Device and sensor status",
                    "Storage of spot-check measurements",
                    "Time stamps of spot-check measurements",
                    "SpO2 and pulse rate, fast",
                    "SpO2 and pulse rate, slow",
                    "Pulse amplitude index",
                    "Multiple bonds",
                ],
            )
            .if_set(),
            reserved(U16, 8, 15),
            PLX_STATUS.on(0),
            DEVICE_STATUS.on(1),
            DEVICE_RESERVED.on(1),
        ],
    ),
    Definition {
        uuid: 0x2AA7,
        parts: CGM_RECORD,
        records: true,
    },
    one(
        0x2AA8,
        &[
            set(
                "CGM feature",
                U24,
                0,
                &[
                    "Calibration",
                    "Patient high and low alerts",
                    "Hypo alerts",
                    "Hyper alerts",
                    "Rate of increase and decrease alerts",
                    "Device specific alert",
                    "Sensor malfunction detection",
                    "Sensor temperature high-low detection",
                    "Sensor result high-low detection",
                    "Low battery detection",
                    "Sensor type error detection",
                    "General device fault",
                    "E2E-CRC",
                    "Multiple bonds",
                    "Multiple sessions",
                    "Trend information",
                    "Quality",
                ],
            ),
            reserved(U24, 17, 23),
            SAMPLE_TYPE.value(),
            CGM_LOCATION.value(),
            hex("E2E-CRC", U16),
        ],
    ),
    one(
        0x2AA9,
        &[
            MINUTES_OFFSET.named("Time offset").value(),
            CGM_STATUS.if_set(),
            CGM_CALIBRATION.if_set(),
            CGM_WARNING.if_set(),
            E2E_CRC,
        ],
    ),
    one(
        0x2AAA,
        &[
            DATE_TIME.named("Session start time").value(),
            TIME_ZONE.as_named("UTC"),
            DST_OFFSET.value(),
            E2E_CRC,
        ],
    ),
    one(
        0x2AAB,
        &[quantity("Session run time", U16, "h").value(), E2E_CRC],
    ),
    one(0x2AAC, CGM_OPERATIONS),
    one(
        0x2B34,
        &[
            PRESSURE_FLAGS[0],
            PRESSURE_FLAGS[1],
            ENHANCED_FLAGS[0],
            ENHANCED_FLAGS[1],
            reserved(U8, 7, 7),
            sfloat("Systolic", "mmHg").off(0).value(),
            sfloat("Diastolic", "mmHg").off(0).as_named("/"),
            sfloat("Mean arterial pressure", "mmHg").off(0),
            sfloat("Systolic", "kPa").on(0).value(),
            sfloat("Diastolic", "kPa").on(0).as_named("/"),
            sfloat("Mean arterial pressure", "kPa").on(0),
            seconds("Time stamp", SINCE_1900).on_off(1, 6),
            seconds("Time stamp", SINCE_2000).on_on(1, 6),
            PULSE_RATE,
            USER_ID.on(3),
            PRESSURE_STATUS[0],
            PRESSURE_STATUS[1],
            PRESSURE_STATUS[2],
            PRESSURE_STATUS[3],
            seconds("User facing time", SINCE_1900).on_off(5, 6),
            seconds("User facing time", SINCE_2000).on_on(5, 6),
        ],
    ),
    one(
        0x2B35,
        &[
            PRESSURE_FLAGS[0],
            PRESSURE_FLAGS[1],
            ENHANCED_FLAGS[0],
            ENHANCED_FLAGS[1],
            reserved(U8, 7, 7),
            sfloat("Cuff pressure", "mmHg").off(0).value(),
            sfloat("Cuff pressure", "kPa").on(0).value(),
            seconds("Time stamp", SINCE_1900).on_off(1, 6),
            seconds("Time stamp", SINCE_2000).on_on(1, 6),
            PULSE_RATE,
            USER_ID.on(3),
            PRESSURE_STATUS[0],
            PRESSURE_STATUS[1],
            PRESSURE_STATUS[2],
            PRESSURE_STATUS[3],
            seconds("User facing time", SINCE_1900).on_off(5, 6),
            seconds("User facing time", SINCE_2000).on_on(5, 6),
        ],
    ),
    one(
        0x2B36,
        &[
            set("Segment", U8, 0, &["First segment", "Last segment"]),
            bits("Segment counter", U8, 2, 7),
            number("Sequence number", U16).as_named("record"),
            hex("UUID", U16).names(Names::Characteristics).value(),
            // Whether a CRC ends it, the service says.
            of("Recorded characteristic", Kind::Rest),
        ],
    ),
];

const ABSENT_PRESENT: Words = &[(0, "absent"), (1, "present")];

/// IEEE 11073-20601, 8.12 names the kinds of sample.
const SAMPLE_TYPE: Part = choice_bits(
    "Sample type",
    U8,
    0,
    3,
    &[
        (1, "capillary whole blood"),
        (2, "capillary plasma"),
        (3, "venous whole blood"),
        (4, "venous plasma"),
        (5, "arterial whole blood"),
        (6, "arterial plasma"),
        (7, "undetermined whole blood"),
        (8, "undetermined plasma"),
        (9, "interstitial fluid"),
        (10, "control solution"),
    ],
);

const SAMPLE_LOCATION: Part = choice_bits(
    "Sample location",
    U8,
    4,
    7,
    &[
        (1, "finger"),
        (2, "alternate site"),
        (3, "earlobe"),
        (4, "control solution"),
        (15, "location not available"),
    ],
);

const CGM_LOCATION: Part = choice_bits(
    "Sample location",
    U8,
    4,
    7,
    &[
        (1, "finger"),
        (2, "alternate site"),
        (3, "earlobe"),
        (4, "control solution"),
        (5, "subcutaneous tissue"),
        (15, "location not available"),
    ],
);

/// Concentrations are transmitted in kg/L and mol/L.
const GLUCOSE_MEASUREMENT: &[Part] = &[
    flags(U8, 0, &["Time offset", "Concentration, type and location"]),
    choice_bits(
        "Concentration unit",
        U8,
        2,
        2,
        &[(0, "mg/dL (kg/L)"), (1, "mmol/L (mol/L)")],
    ),
    flags(U8, 3, &["Sensor status annunciation"]),
    bits("Context information", U8, 4, 4).meaning(&[(0, "none"), (1, "follows")]),
    reserved(U8, 5, 7),
    number("Sequence number", U16),
    DATE_TIME.named("Base time"),
    number("Time offset", super::super::part::I16)
        .unit("min")
        .on(0),
    sfloat_moved("Glucose concentration", "mg/dL", 5)
        .on_off(1, 2)
        .value(),
    sfloat_moved("Glucose concentration", "mmol/L", 3)
        .on_on(1, 2)
        .value(),
    SAMPLE_TYPE.on(1).value(),
    SAMPLE_LOCATION.on(1).value(),
    set(
        "Sensor status annunciation",
        U16,
        0,
        &[
            "Device battery low",
            "Sensor malfunction",
            "Sample size insufficient",
            "Strip insertion error",
            "Strip type incorrect",
            "Sensor result too high",
            "Sensor result too low",
            "Sensor temperature too high",
            "Sensor temperature too low",
            "Sensor read interrupted",
            "General device fault",
            "Time fault",
            "",
            "",
            "",
            "",
        ],
    )
    .on(3)
    .if_set(),
];

/// Masses are transmitted in kg, volumes in L.
const GLUCOSE_CONTEXT: &[Part] = &[
    flags(
        U8,
        0,
        &[
            "Carbohydrate",
            "Meal",
            "Tester and health",
            "Exercise",
            "Medication",
        ],
    ),
    choice_bits(
        "Medication unit",
        U8,
        5,
        5,
        &[(0, "mg (kg)"), (1, "mL (L)")],
    ),
    flags(U8, 6, &["HbA1c", "Extended flags"]),
    number("Sequence number", U16),
    set("Extended flags", U8, 0, &["", "", "", "", "", "", "", ""]).on(7),
    choice(
        "Carbohydrate kind",
        U8,
        &[
            (1, "breakfast"),
            (2, "lunch"),
            (3, "dinner"),
            (4, "snack"),
            (5, "drink"),
            (6, "supper"),
            (7, "brunch"),
        ],
    )
    .on(0)
    .value(),
    sfloat_moved("Carbohydrate", "g", 3).on(0).value(),
    choice(
        "Meal",
        U8,
        &[
            (1, "preprandial (before meal)"),
            (2, "postprandial (after meal)"),
            (3, "fasting"),
            (4, "casual"),
            (5, "bedtime"),
        ],
    )
    .on(1)
    .value(),
    choice_bits(
        "Tester",
        U8,
        0,
        3,
        &[
            (1, "self"),
            (2, "health care professional"),
            (3, "lab test"),
            (15, "tester not available"),
        ],
    )
    .on(2),
    choice_bits(
        "Health",
        U8,
        4,
        7,
        &[
            (1, "minor health issues"),
            (2, "major health issues"),
            (3, "during menses"),
            (4, "under stress"),
            (5, "no health issues"),
            (15, "health not available"),
        ],
    )
    .on(2),
    quantity("Exercise duration", U16, "s")
        .void(&[(0xFFFF, "overrun")])
        .on(3),
    quantity("Exercise intensity", U8, "%").on(3),
    choice(
        "Medication kind",
        U8,
        &[
            (1, "rapid acting insulin"),
            (2, "short acting insulin"),
            (3, "intermediate acting insulin"),
            (4, "long acting insulin"),
            (5, "pre-mixed insulin"),
        ],
    )
    .on(4)
    .value(),
    sfloat_moved("Medication", "mg", 6).on_off(4, 5).value(),
    sfloat_moved("Medication", "mL", 3).on_on(4, 5).value(),
    sfloat("HbA1c", "%").on(6).as_named("HbA1c"),
];

const TEMPERATURE_TYPE: Part = choice(
    "Temperature type",
    U8,
    &[
        (1, "armpit"),
        (2, "body (general)"),
        (3, "ear"),
        (4, "finger"),
        (5, "gastro-intestinal tract"),
        (6, "mouth"),
        (7, "rectum"),
        (8, "toe"),
        (9, "tympanum (ear drum)"),
    ],
);

const TEMPERATURE_MEASUREMENT: &[Part] = &[
    choice_bits("Unit", U8, 0, 0, &[(0, "Celsius"), (1, "Fahrenheit")]),
    flags(U8, 1, &["Time stamp", "Temperature type"]),
    reserved(U8, 3, 7),
    float("Temperature", "°C").off(0).value(),
    float("Temperature", "°F").on(0).value(),
    DATE_TIME.named("Time stamp").on(1),
    TEMPERATURE_TYPE.on(2).value(),
];

const PRESSURE_FLAGS: [Part; 2] = [
    choice_bits("Unit", U8, 0, 0, &[(0, "mmHg"), (1, "kPa")]),
    flags(
        U8,
        1,
        &["Time stamp", "Pulse rate", "User ID", "Measurement status"],
    ),
];

const ENHANCED_FLAGS: [Part; 2] = [
    flags(U8, 5, &["User facing time"]),
    choice_bits("Epoch", U8, 6, 6, &[(0, "1900-01-01"), (1, "2000-01-01")]),
];

const PULSE_RATE: Part = sfloat("Pulse rate", "bpm").on(2).as_named("pulse");
const USER_ID: Part = number("User ID", U8).meaning(UNKNOWN_USER);

const PRESSURE_STATUS: [Part; 4] = [
    set(
        "Measurement status",
        U16,
        0,
        &["Body movement", "Cuff too loose", "Irregular pulse"],
    )
    .on(4)
    .if_set(),
    choice_bits(
        "Pulse rate range",
        U16,
        3,
        4,
        &[
            (0, "within the range"),
            (1, "exceeds upper limit"),
            (2, "less than lower limit"),
        ],
    )
    .on(4),
    set(
        "Measurement status",
        U16,
        5,
        &["Improper measurement position"],
    )
    .on(4)
    .if_set(),
    set(
        "Measurement status",
        U16,
        6,
        &["", "", "", "", "", "", "", "", "", ""],
    )
    .on(4),
];

/// Days from 1970-01-01 to the epochs.
const SINCE_1900: i32 = -25_567;
const SINCE_2000: i32 = 10_957;

const fn seconds(name: &'static str, epoch: i32) -> Part {
    number(name, U32).shown(Shown::Seconds(epoch))
}

/// Heart Rate Service 1.0, 3.1: energy is in kilojoules there, RR intervals in 1/1024 s, oldest
/// first.
const HEART_RATE_MEASUREMENT: &[Part] = &[
    bits("Heart rate format", U8, 0, 0).meaning(&[(0, "8 bits"), (1, "16 bits")]),
    bits("Sensor contact", U8, 1, 2).meaning(&[
        (0, "not supported"),
        (1, "not supported, status set"),
        (2, "not detected"),
        (3, "detected"),
    ]),
    bits("Energy expended field", U8, 3, 3).meaning(ABSENT_PRESENT),
    bits("RR interval field", U8, 4, 4).meaning(ABSENT_PRESENT),
    reserved(U8, 5, 7),
    quantity("Heart rate", U8, "bpm").off(0).value(),
    quantity("Heart rate", U16, "bpm").on(0).variant().value(),
    quantity("Energy expended", U16, "kJ").on(3),
    quantity("RR interval", U16, "ms")
        .scaled(1000.0, 1024.0, 0)
        .on(4)
        .repeating()
        .as_named("RR"),
];

const RECORD_ACCESS: &[Part] = &[
    choice(
        "Op code",
        U8,
        &[
            (1, "report stored records"),
            (2, "delete stored records"),
            (3, "abort operation"),
            (4, "report number of stored records"),
            (5, "number of stored records"),
            (6, "response"),
            (7, "combined report"),
            (8, "combined report response"),
        ],
    )
    .value(),
    choice(
        "Operator",
        U8,
        &[
            (0, "null"),
            (1, "all records"),
            (2, "less than or equal to"),
            (3, "greater than or equal to"),
            (4, "within range of"),
            (5, "first record"),
            (6, "last record"),
        ],
    )
    .value(),
    number("Request op code", U8).if_byte(0, 6).as_named("to"),
    choice(
        "Response code",
        U8,
        &[
            (1, "success"),
            (2, "op code not supported"),
            (3, "invalid operator"),
            (4, "operator not supported"),
            (5, "invalid operand"),
            (6, "no records found"),
            (7, "abort unsuccessful"),
            (8, "procedure not completed"),
            (9, "operand not supported"),
            (10, "server busy"),
        ],
    )
    .if_byte(0, 6)
    .value(),
    of("Operand", Kind::Rest).if_left(),
];

const PLX_STATUS: Part = set(
    "Measurement status",
    U16,
    0,
    &[
        "",
        "",
        "",
        "",
        "",
        "Measurement ongoing",
        "Early estimated data",
        "Validated data",
        "Fully qualified data",
        "Data from measurement storage",
        "Data for demonstration",
        "Data for testing",
        "Calibration ongoing",
        "Measurement unavailable",
        "Questionable measurement detected",
        "Invalid measurement detected",
    ],
)
.if_set();

const DEVICE_STATUS: Part = set(
    "Device and sensor status",
    U24,
    0,
    &[
        "Extended display update ongoing",
        "Equipment malfunction detected",
        "Signal processing irregularity detected",
        "Inadequate signal detected",
        "Poor signal detected",
        "Low perfusion detected",
        "Erratic signal detected",
        "Nonpulsatile signal detected",
        "Questionable pulse detected",
        "Signal analysis ongoing",
        "Sensor interface detected",
        "Sensor unconnected to user",
        "Unknown sensor connected",
        "Sensor displaced",
        "Sensor malfunctioning",
        "Sensor disconnected",
    ],
)
.if_set();

const DEVICE_RESERVED: Part = set(
    "Device and sensor status",
    U24,
    16,
    &["", "", "", "", "", "", "", ""],
);

const CGM_STATUS: Part = set(
    "Status",
    U8,
    0,
    &[
        "Session stopped",
        "Device battery low",
        "Sensor type incorrect for device",
        "Sensor malfunction",
        "Device specific alert",
        "General device fault",
        "",
        "",
    ],
);

const CGM_CALIBRATION: Part = set(
    "Calibration and temperature",
    U8,
    0,
    &[
        "Time synchronization required",
        "Calibration not allowed",
        "Calibration recommended",
        "Calibration required",
        "Sensor temperature too high",
        "Sensor temperature too low",
        "Calibration process pending",
        "",
    ],
);

const CGM_WARNING: Part = set(
    "Warning",
    U8,
    0,
    &[
        "Result lower than the patient low level",
        "Result higher than the patient high level",
        "Result lower than the hypo level",
        "Result higher than the hyper level",
        "Rate of decrease exceeded",
        "Rate of increase exceeded",
        "Result lower than the device can process",
        "Result higher than the device can process",
    ],
);

/// Whether it comes, the CGM Feature says.
const E2E_CRC: Part = hex("E2E-CRC", U16).if_left();

/// Flags are the second byte.
const CGM_RECORD: &[Part] = &[
    number("Size", U8).unit("B"),
    flags(
        U8,
        0,
        &[
            "Trend",
            "Quality",
            "",
            "",
            "",
            "Warning",
            "Calibration and temperature",
            "Status",
        ],
    ),
    sfloat("Glucose concentration", "mg/dL").value(),
    MINUTES_OFFSET.as_named("at"),
    CGM_STATUS.masked(1, 0x80, 0x80).if_set(),
    CGM_CALIBRATION.masked(1, 0x40, 0x40).if_set(),
    CGM_WARNING.masked(1, 0x20, 0x20).if_set(),
    sfloat("Trend", "mg/dL/min")
        .masked(1, 0x01, 0x01)
        .as_named("trend"),
    sfloat("Quality", "%")
        .masked(1, 0x02, 0x02)
        .as_named("quality"),
    E2E_CRC,
    of("More than the flags say", Kind::Rest).if_left(),
];

const CGM_OPERATIONS: &[Part] = &[
    choice(
        "Op code",
        U8,
        &[
            (0x01, "set communication interval"),
            (0x02, "get communication interval"),
            (0x03, "communication interval"),
            (0x04, "set calibration"),
            (0x05, "get calibration"),
            (0x06, "calibration"),
            (0x07, "set patient high alert level"),
            (0x08, "get patient high alert level"),
            (0x09, "patient high alert level"),
            (0x0A, "set patient low alert level"),
            (0x0B, "get patient low alert level"),
            (0x0C, "patient low alert level"),
            (0x0D, "set hypo alert level"),
            (0x0E, "get hypo alert level"),
            (0x0F, "hypo alert level"),
            (0x10, "set hyper alert level"),
            (0x11, "get hyper alert level"),
            (0x12, "hyper alert level"),
            (0x13, "set rate of decrease alert level"),
            (0x14, "get rate of decrease alert level"),
            (0x15, "rate of decrease alert level"),
            (0x16, "set rate of increase alert level"),
            (0x17, "get rate of increase alert level"),
            (0x18, "rate of increase alert level"),
            (0x19, "reset device specific alert"),
            (0x1A, "start the session"),
            (0x1B, "stop the session"),
            (0x1C, "response"),
        ],
    )
    .value(),
    number("Communication interval", U8)
        .unit("min")
        .meaning(&[(0, "none"), (0xFF, "fastest")])
        .if_byte(0, 0x01)
        .value(),
    number("Communication interval", U8)
        .unit("min")
        .meaning(&[(0, "none"), (0xFF, "fastest")])
        .if_byte(0, 0x03)
        .value(),
    level("mg/dL", 0x07),
    level("mg/dL", 0x09),
    level("mg/dL", 0x0A),
    level("mg/dL", 0x0C),
    level("mg/dL", 0x0D),
    level("mg/dL", 0x0F),
    level("mg/dL", 0x10),
    level("mg/dL", 0x12),
    level("mg/dL/min", 0x13),
    level("mg/dL/min", 0x15),
    level("mg/dL/min", 0x16),
    level("mg/dL/min", 0x18),
    number("Calibration record", U16).if_byte(0, 0x05).value(),
    // Setting one and the answer have the same operand: 0x04 and 0x06 differ in bit 1 alone.
    calibration(sfloat("Glucose concentration of calibration", "mg/dL")).value(),
    calibration(number("Calibration time", U16).unit("min")),
    calibration(SAMPLE_TYPE),
    calibration(CGM_LOCATION),
    calibration(number("Next calibration time", U16).unit("min")),
    calibration(number("Calibration data record number", U16)),
    calibration(set(
        "Calibration status",
        U8,
        0,
        &[
            "Calibration data rejected",
            "Calibration data out of range",
            "Calibration process pending",
            "",
            "",
            "",
            "",
            "",
        ],
    )),
    number("Request op code", U8)
        .if_byte(0, 0x1C)
        .as_named("to"),
    choice(
        "Response code",
        U8,
        &[
            (1, "success"),
            (2, "op code not supported"),
            (3, "invalid operand"),
            (4, "procedure not completed"),
            (5, "parameter out of range"),
        ],
    )
    .if_byte(0, 0x1C)
    .value(),
    E2E_CRC,
];

const fn level(unit: &'static str, op: u8) -> Part {
    of("Alert level", Kind::Sfloat(0))
        .unit(unit)
        .if_byte(0, op)
        .value()
}

const fn calibration(part: Part) -> Part {
    part.masked(0, 0b1111_1101, 0x04)
}
