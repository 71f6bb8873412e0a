//! The connectable devices of the lab.

use std::f64::consts::TAU;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rand::Rng;

use super::ad::AdStructures;
use super::pairing::{Guarded, Keys};
use super::peripheral::{
    Answer, Counted, Dice, Measured, Peripheral, Rate, Reaction, Refuses, Register, Silent, Source,
    Table,
};
use super::stamped::Stamped;
use super::uuids::{self, short};
use super::{Lab, VirtualDevice, beacons, kinds};
use crate::{AttError, DEFAULT_ATT_MTU, MAX_ATTRIBUTE_LEN, Properties};

const READ: Properties = Properties::READ;
const WRITE: Properties = Properties::WRITE;
const COMMAND: Properties = Properties::WRITE_WITHOUT_RESPONSE;
const NOTIFY: Properties = Properties::NOTIFY;
const INDICATE: Properties = Properties::INDICATE;

const SECOND: Duration = Duration::from_secs(1);

/// Sets up one device of a lab. `dice(n)` gives the random numbers of the device's part `n`.
pub(super) fn build(which: VirtualDevice, lab: &Lab, dice: impl Fn(u64) -> Dice) -> Peripheral {
    match which {
        VirtualDevice::PulseStrap => pulse_strap(dice(1), dice(2)),
        VirtualDevice::RoomSensor => room_sensor(dice),
        VirtualDevice::MotionSensor => motion_sensor(lab.motion_rate_hz, dice(1), dice(2)),
        VirtualDevice::UartEcho => uart_echo(),
        VirtualDevice::IBeacon => beacons::ibeacon(),
        VirtualDevice::Eddystone => beacons::eddystone(),
        VirtualDevice::Ruuvi => beacons::ruuvi(dice(1)),
        VirtualDevice::Difficult => difficult(lab.hangs_up_after, dice(1)),
        VirtualDevice::Ghost => ghost(),
        VirtualDevice::VirtualHr => virtual_hr(),
        VirtualDevice::DoorLock => door_lock(&mut dice(1)),
        VirtualDevice::AltBeacon => kinds::altbeacon(),
        VirtualDevice::EddystoneId => kinds::eddystone_id(dice(1)),
        VirtualDevice::WeatherStation => kinds::weather_station(dice(1)),
        VirtualDevice::Thermometer => kinds::thermometer(dice(1)),
        VirtualDevice::SwiftPair => kinds::swift_pair(),
        VirtualDevice::Matter => kinds::matter(),
        VirtualDevice::Mesh => kinds::mesh(dice(1)),
    }
}

/// Of presentation formats (Assigned Numbers, 2.4.1 and 3.5).
const UINT16: u8 = 0x06;
const HERTZ: u16 = 0x2722;

fn information(table: Table, model: &str) -> Table {
    table
        .service(short(0x180A))
        .readable(short(0x2A29), "Gattscope lab")
        .readable(short(0x2A24), model)
        .readable(short(0x2A25), "SIM-0001")
        .readable(short(0x2A26), "1.4.2")
}

// --- heart rate ------------------------------------------------------------------------------------------------------

fn pulse_strap(beats: Dice, charge: Dice) -> Peripheral {
    const CHEST: u8 = 1;
    let energy = Arc::new(AtomicU16::new(0));
    let table = Table::named("Pulse strap", 0x0341)
        .service(short(0x180D))
        .characteristic(short(0x2A37), NOTIFY, Pulse::new(energy.clone(), beats))
        .readable(short(0x2A38), [CHEST])
        .characteristic(short(0x2A39), WRITE, EnergyReset(energy))
        .service(short(0x180F))
        .characteristic(short(0x2A19), READ | NOTIFY, battery(charge, 91.0));
    Peripheral {
        table: information(table, "Pulse strap 2"),
        mean_rssi: -54.0,
        ..Peripheral::new(
            VirtualDevice::PulseStrap,
            [0xC4, 0x7C, 0x8D, 0x6A, 0x11, 0x02],
            AdStructures::discoverable()
                .services(&[0x180D, 0x180F])
                .appearance(0x0341)
                .name("Pulse strap")
                .bytes(),
        )
    }
}

/// A Battery Level that falls by about one percent in ten minutes.
fn battery(mut dice: Dice, full: f64) -> impl Source {
    let wear = dice.random_range(0.8..1.2);
    Measured {
        every: SECOND * 30,
        value: move |at: Duration| {
            let level = full - wear * at.as_secs_f64() / 600.0;
            vec![level.max(3.0) as u8]
        },
    }
}

/// Heart Rate Measurement (Heart Rate Service 1.0, 3.1): flags, u8 beats a minute, now and then u16 kJ, u16 RR intervals
/// in 1/1024 s.
struct Pulse {
    dice: Dice,
    energy: Arc<AtomicU16>,
    sent: u32,
    next_beat: Duration,
    contact_lost_for: u32,
}

impl Pulse {
    fn new(energy: Arc<AtomicU16>, dice: Dice) -> Self {
        Self {
            dice,
            energy,
            sent: 0,
            next_beat: Duration::ZERO,
            contact_lost_for: 0,
        }
    }

    /// Effort comes and goes within two minutes.
    fn beats_per_minute(at: Duration) -> f64 {
        let t = at.as_secs_f64();
        86.0 + 22.0 * (TAU * t / 120.0).sin() + 4.0 * (TAU * t / 17.0).sin()
    }
}

impl Source for Pulse {
    fn begin(&mut self, at: Duration) {
        self.sent = 0;
        self.contact_lost_for = 0;
        self.next_beat = at;
    }

    fn wait(&self) -> Option<Duration> {
        Some(SECOND)
    }

    fn send(&mut self, at: Duration) -> Vec<u8> {
        const CONTACT_SUPPORTED: u8 = 0x04;
        const CONTACT: u8 = 0x02;
        const ENERGY: u8 = 0x08;
        const RR: u8 = 0x10;

        let mut intervals = Vec::new();
        while self.next_beat <= at {
            // The heart's own variation: 2 %.
            let variation = self.dice.random_range(0.98..1.02);
            let rr = 60.0 / Self::beats_per_minute(self.next_beat) * variation;
            self.next_beat += Duration::from_secs_f64(rr);
            intervals.push((rr * 1024.0).round() as u16);
        }
        if self.contact_lost_for > 0 {
            self.contact_lost_for -= 1;
        } else if self.dice.random_bool(0.01) {
            self.contact_lost_for = 3;
        }
        self.sent += 1;

        let mut value = vec![CONTACT_SUPPORTED, Self::beats_per_minute(at).round() as u8];
        if self.contact_lost_for == 0 {
            value[0] |= CONTACT;
            if self.sent.is_multiple_of(10) {
                value[0] |= ENERGY;
                let burnt = self.energy.fetch_add(2, Ordering::Relaxed).wrapping_add(2);
                value.extend(burnt.to_le_bytes());
            }
            if !intervals.is_empty() {
                value[0] |= RR;
                value.extend(intervals.iter().flat_map(|rr| rr.to_le_bytes()));
            }
        }
        value
    }
}

/// Heart Rate Control Point (Heart Rate Service 1.0, 3.3): 0x01 resets the energy; others are not supported.
struct EnergyReset(Arc<AtomicU16>);

impl Source for EnergyReset {
    fn write(&mut self, value: &[u8]) -> Answer<Reaction> {
        const NOT_SUPPORTED: AttError = AttError(0x80);
        if value != [0x01] {
            return Err(NOT_SUPPORTED);
        }
        self.0.store(0, Ordering::Relaxed);
        Ok(Reaction::Nothing)
    }
}

// --- environment -----------------------------------------------------------------------------------------------------

/// A quantity that drifts slowly about `mean` by `swing`, with `noise` in every reading.
fn drifting(mut dice: Dice, mean: f64, swing: f64, noise: f64) -> impl FnMut(Duration) -> f64 {
    let phase = dice.random_range(0.0..TAU);
    move |at| {
        let t = at.as_secs_f64();
        let slow = (TAU * t / 900.0 + phase).sin();
        let quick = 0.2 * (TAU * t / 47.0 + 2.0 * phase).sin();
        mean + swing * (slow + quick) + dice.random_range(-noise..noise)
    }
}

/// Environmental Sensing (1.0): temperature in 0.01 °C, humidity in 0.01 %, pressure in 0.1 Pa.
fn room_sensor(dice: impl Fn(u64) -> Dice) -> Peripheral {
    let mut temperature = drifting(dice(1), 21.4, 1.2, 0.01);
    let mut humidity = drifting(dice(2), 46.0, 3.0, 0.05);
    let mut pressure = drifting(dice(3), 101_325.0, 180.0, 1.5);
    let table = Table::named("Room sensor", 0x0540)
        .service(short(0x181A))
        .characteristic(
            short(0x2A6E),
            READ | NOTIFY,
            Measured {
                every: SECOND,
                value: move |at| {
                    let value = (temperature(at) * 100.0).round() as i16;
                    value.to_le_bytes().into()
                },
            },
        )
        .described("Temperature at the shelf")
        .characteristic(
            short(0x2A6F),
            READ | NOTIFY,
            Measured {
                every: SECOND,
                value: move |at| {
                    let value = (humidity(at) * 100.0).round() as u16;
                    value.to_le_bytes().into()
                },
            },
        )
        .characteristic(
            short(0x2A6D),
            READ | NOTIFY,
            Measured {
                every: SECOND,
                value: move |at| {
                    let value = (pressure(at) * 10.0).round() as u32;
                    value.to_le_bytes().into()
                },
            },
        )
        .service(short(0x180F))
        .characteristic(short(0x2A19), READ | NOTIFY, battery(dice(4), 64.0));
    Peripheral {
        table: information(table, "Room sensor S"),
        mtu: DEFAULT_ATT_MTU,
        interval: Duration::from_millis(1_000),
        mean_rssi: -66.0,
        ..Peripheral::new(
            VirtualDevice::RoomSensor,
            [0xE1, 0x02, 0x5D, 0x30, 0x9A, 0x4F],
            AdStructures::discoverable()
                .services(&[0x181A])
                .appearance(0x0540)
                .tx_power(0)
                .name("Room sensor")
                .bytes(),
        )
    }
}

// --- motion ----------------------------------------------------------------------------------------------------------

fn motion_sensor(hz: u16, mut dice: Dice, stamps: Dice) -> Peripheral {
    let rate = Rate::hz(hz);
    let movement = Movement {
        phase: dice.random_range(0.0..TAU),
    };
    let table = Table::named("Motion sensor", 0x0552)
        .service(uuids::MOTION)
        .characteristic(
            uuids::MOTION_STREAM,
            NOTIFY,
            Counted::new(rate.clone(), move |sequence: u32, at| {
                let axes = movement.at(at);
                let mut value = sequence.to_le_bytes().to_vec();
                value.extend(axes.iter().flat_map(|axis| axis.to_le_bytes()));
                value
            }),
        )
        .described("Acceleration, angular rate, magnetic field")
        .characteristic(uuids::MOTION_RATE, READ | WRITE, rate)
        .described("Samples a second")
        .presented(UINT16, 0, HERTZ)
        .characteristic(
            uuids::MOTION_STAMPED,
            NOTIFY,
            Stamped::new(stamps, move |at| movement.at(at)[0]),
        )
        .described("Acceleration by the sensor's clock");
    Peripheral {
        table: information(table, "Motion sensor 9"),
        interval: Duration::from_millis(150),
        mean_rssi: -49.0,
        ..Peripheral::new(
            VirtualDevice::MotionSensor,
            [0xD8, 0x3A, 0x77, 0x01, 0xC5, 0x6E],
            AdStructures::discoverable()
                .vendor_service(uuids::MOTION)
                .bytes(),
        )
    }
    .answering(
        AdStructures::bare()
            .name("Motion sensor")
            .tx_power(4)
            .bytes(),
    )
}

impl Peripheral {
    fn answering(self, scan_response: bytes::Bytes) -> Self {
        Self {
            scan_response: Some(scan_response),
            ..self
        }
    }
}

/// A board that somebody turns in their hand, and shakes now and then.
#[derive(Clone, Copy)]
struct Movement {
    phase: f64,
}

impl Movement {
    const SHAKES_EVERY_S: f64 = 11.0;
    const SHAKE_S: f64 = 1.2;

    /// Acceleration, angular rate and magnetic field, three axes each.
    fn at(&self, at: Duration) -> [i16; 9] {
        const LSB_PER_G: f64 = 4096.0;
        const LSB_PER_DEGREE_A_SECOND: f64 = 16.4;
        const LSB_PER_MICROTESLA: f64 = 10.0;
        const FIELD: [f64; 3] = [19.5, 1.2, -44.8];

        let t = at.as_secs_f64() + self.phase;
        // Roll and pitch in radians, and how quickly they turn.
        let (roll, roll_rate) = swing(t, 0.55, 6.3);
        let (pitch, pitch_rate) = swing(t, 0.35, 9.1);
        let (yaw, yaw_rate) = swing(t, 0.90, 23.0);
        let shake = Self::shake(t);

        let gravity = [
            -pitch.sin(),
            roll.sin() * pitch.cos(),
            roll.cos() * pitch.cos(),
        ];
        let acceleration = [
            gravity[0] + 1.8 * shake * (TAU * 7.3 * t).sin(),
            gravity[1] + 1.1 * shake * (TAU * 8.9 * t).cos(),
            gravity[2] + 0.6 * shake * (TAU * 6.1 * t).sin(),
        ];
        let rates = [roll_rate, pitch_rate, yaw_rate].map(f64::to_degrees);
        let turning = [
            rates[0] + 140.0 * shake * (TAU * 8.9 * t).sin(),
            rates[1] + 210.0 * shake * (TAU * 7.3 * t).cos(),
            rates[2] + 60.0 * shake * (TAU * 5.2 * t).sin(),
        ];
        let field = [
            FIELD[0] * yaw.cos() + FIELD[1] * yaw.sin(),
            FIELD[1] * yaw.cos() - FIELD[0] * yaw.sin(),
            FIELD[2] * roll.cos(),
        ];

        let mut axes = [0; 9];
        let scaled = acceleration
            .map(|g| g * LSB_PER_G)
            .into_iter()
            .chain(turning.map(|rate| rate * LSB_PER_DEGREE_A_SECOND))
            .chain(field.map(|strength| strength * LSB_PER_MICROTESLA));
        for (axis, value) in axes.iter_mut().zip(scaled) {
            *axis = value.round() as i16;
        }
        axes
    }

    /// From 0 (still) to 1 (in the middle of a shake), without a jump.
    fn shake(t: f64) -> f64 {
        let into = t.rem_euclid(Self::SHAKES_EVERY_S);
        if into < Self::SHAKE_S {
            (TAU / 2.0 * into / Self::SHAKE_S).sin().powi(2)
        } else {
            0.0
        }
    }
}

/// A swing of `amplitude` every `period` seconds, and its derivative.
fn swing(t: f64, amplitude: f64, period: f64) -> (f64, f64) {
    let angle = TAU * t / period;
    (
        amplitude * angle.sin(),
        amplitude * angle.cos() * TAU / period,
    )
}

// --- UART ------------------------------------------------------------------------------------------------------------

fn uart_echo() -> Peripheral {
    struct Echo;

    impl Source for Echo {
        fn write(&mut self, value: &[u8]) -> Answer<Reaction> {
            Ok(Reaction::Send(uuids::UART_TX, value.to_vec()))
        }
    }

    let table = Table::named("UART echo", 0)
        .service(uuids::UART)
        .characteristic(uuids::UART_RX, WRITE | COMMAND, Echo)
        .characteristic(uuids::UART_TX, NOTIFY, Silent);
    Peripheral {
        table,
        interval: Duration::from_millis(250),
        mean_rssi: -61.0,
        ..Peripheral::new(
            VirtualDevice::UartEcho,
            [0xF3, 0x4C, 0x10, 0x8B, 0x22, 0xD7],
            AdStructures::discoverable().name("UART echo").bytes(),
        )
    }
    .answering(AdStructures::bare().vendor_service(uuids::UART).bytes())
}

// --- trouble ---------------------------------------------------------------------------------------------------------

/// A formula for a spreadsheet, a right-to-left override, markup, a bell and an escape sequence. It is longer than a legacy
/// advertisement carries: the device advertises it with extended advertising.
const HOSTILE_NAME: &str =
    "=1+1;Difficult\u{202e}gpj<img src=x onerror=alert(1)>\u{2066}\r\n\u{7}\u{1b}[31m&amp;'\"";

fn difficult(hangs_up_after: Option<Duration>, mut dice: Dice) -> Peripheral {
    let twin = |table: Table, text: &str| {
        table
            .characteristic(uuids::TWIN, READ | WRITE, Register::of_up_to(20, text))
            .described(text)
    };
    let refusing = |table: Table, uuid, properties, code, text: &str| {
        table
            .characteristic(uuid, properties, Refuses(code))
            .described(text)
    };
    let counting: Vec<u8> = (0..MAX_ATTRIBUTE_LEN).map(|n| n as u8).collect();

    let mut table = Table::named(HOSTILE_NAME, 0).service(uuids::TWIN_SERVICE);
    table = twin(table, "first");
    table = twin(table, "second").service(uuids::TWIN_SERVICE);
    table = twin(table, "third").service(uuids::TRAPS);
    table = twin(table, "fourth")
        .characteristic(
            uuids::LONG_VALUE,
            READ | WRITE,
            Register::of_up_to(MAX_ATTRIBUTE_LEN, counting),
        )
        .described("512 bytes");
    table = refusing(
        table,
        uuids::APPLICATION_ERROR,
        READ | WRITE,
        AttError(0x80),
        "Application error",
    );
    table = refusing(
        table,
        uuids::UNAUTHENTICATED,
        READ,
        AttError::INSUFFICIENT_AUTHENTICATION,
        "Insufficient authentication",
    );
    table = refusing(
        table,
        uuids::UNAUTHORIZED,
        READ,
        AttError::INSUFFICIENT_AUTHORIZATION,
        "Insufficient authorization",
    );
    table = refusing(
        table,
        uuids::UNREADABLE,
        READ,
        AttError::READ_NOT_PERMITTED,
        "=HYPERLINK(\"http://203.0.113.1\",\"x\")",
    );
    let mut skipped = 0;
    let table = table
        .readable(uuids::EMPTY, [])
        .described("Empty value")
        .characteristic(
            uuids::FOUR_BYTES,
            READ | WRITE,
            Register::of_up_to(4, [1, 2, 3, 4]),
        )
        .described("Four bytes \u{202e}tsomla\u{202c} <b>and no more</b>")
        .characteristic(
            uuids::BOTH,
            NOTIFY | INDICATE,
            Counted::new(Rate::hz(5), |sequence: u32, _| {
                sequence.to_le_bytes().into()
            }),
        )
        .described("Notify and indicate")
        .characteristic(
            uuids::LOSSY,
            NOTIFY,
            Counted::new(Rate::hz(20), move |sequence: u32, _| {
                if sequence == 0 {
                    skipped = 0;
                } else if dice.random_bool(0.02) {
                    skipped += dice.random_range(1..=5);
                }
                sequence.wrapping_add(skipped).to_le_bytes().into()
            }),
        )
        .described("Loses values in the device");
    Peripheral {
        table,
        hangs_up_after,
        mean_rssi: -71.0,
        rssi_spread: 8.0,
        ..Peripheral::new(
            VirtualDevice::Difficult,
            [0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xD1],
            AdStructures::discoverable()
                .vendor_service(uuids::TWIN_SERVICE)
                .bytes(),
        )
    }
    .answering(AdStructures::bare().name(HOSTILE_NAME).bytes())
}

fn door_lock(dice: &mut Dice) -> Peripheral {
    let passkey = dice.random_range(0..=999_999);
    let keys = Keys::new(passkey);
    let state = Guarded {
        keys: keys.clone(),
        inner: Register::of_up_to(1, [1]),
    };
    let table = Table::named("Door lock", 0)
        .service(uuids::LOCK)
        .readable(uuids::LOCK_DISPLAY, format!("{passkey:06}"))
        .described("Display")
        .characteristic(uuids::LOCK_METHOD, READ | WRITE, keys.clone())
        .described("Way of pairing")
        .characteristic(uuids::LOCK_STATE, READ | WRITE, state)
        .described("Lock, for the paired");
    Peripheral {
        table,
        keys: Some(keys),
        interval: Duration::from_millis(400),
        mean_rssi: -67.0,
        ..Peripheral::new(
            VirtualDevice::DoorLock,
            [0xE8, 0x10, 0xC4, 0xD0, 0x08, 0x5A],
            AdStructures::discoverable().name("Door lock").bytes(),
        )
    }
    .answering(AdStructures::bare().vendor_service(uuids::LOCK).bytes())
}

fn ghost() -> Peripheral {
    Peripheral {
        answers: false,
        reports: Some(6),
        interval: Duration::from_millis(300),
        mean_rssi: -91.0,
        ..Peripheral::new(
            VirtualDevice::Ghost,
            [0xF9, 0x00, 0x13, 0x13, 0x13, 0x66],
            AdStructures::discoverable().name("Ghost").bytes(),
        )
    }
}

// --- the contract's well-behaved peripheral --------------------------------------------------------------------------

fn virtual_hr() -> Peripheral {
    struct Control;

    impl Source for Control {
        fn write(&mut self, value: &[u8]) -> Answer<Reaction> {
            if value == [0x01] {
                Ok(Reaction::HangUp(Duration::from_millis(200)))
            } else {
                Err(AttError(0x13))
            }
        }
    }

    let table = Table::named("Virtual HR", 0)
        .service(short(0x180D))
        .characteristic(
            short(0x2A37),
            NOTIFY,
            Counted::new(Rate::hz(1), |n: u32, _| vec![0, 60 + (n % 40) as u8]),
        )
        .service(short(0x180F))
        .characteristic(
            short(0x2A19),
            READ | NOTIFY,
            Measured {
                every: SECOND * 30,
                value: |_| vec![87],
            },
        )
        .service(uuids::VENDOR)
        .characteristic(
            uuids::STREAM,
            READ | NOTIFY,
            Counted::new(Rate::hz(50), |n: u32, at: Duration| {
                let mut value = n.to_le_bytes().to_vec();
                value.extend((at.as_nanos() as u64).to_le_bytes());
                value.extend((f64::from(n) * 0.1).to_le_bytes());
                value
            }),
        )
        .characteristic(
            uuids::SCRATCH,
            READ | WRITE | COMMAND,
            Register::of_up_to(MAX_ATTRIBUTE_LEN, "hello"),
        )
        .described("Scratch register")
        .characteristic(uuids::CONTROL, WRITE, Control)
        .described("Control point");
    Peripheral {
        table,
        mean_rssi: -52.0,
        ..Peripheral::new(
            VirtualDevice::VirtualHr,
            [0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5],
            AdStructures::discoverable()
                .name("Virtual HR")
                .some_services(&[0x180D])
                .bytes(),
        )
    }
}
