//! What is in a lab.

use std::ops::Range;
use std::time::Duration;

/// A device that a lab can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VirtualDevice {
    /// `Pulse strap`: Heart Rate, Battery, Device Information.
    PulseStrap,
    /// `Room sensor`: Environmental Sensing, at the smallest MTU.
    RoomSensor,
    /// `Motion sensor`: nine axes with a sequence counter at a rate that can be set.
    MotionSensor,
    /// `UART echo`: says back what it is told.
    UartEcho,
    /// An iBeacon.
    IBeacon,
    /// An Eddystone beacon: its URL and its telemetry.
    Eddystone,
    /// A RuuviTag in data format 5.
    Ruuvi,
    /// A device that does what trips explorers.
    Difficult,
    /// `Ghost`: is heard a few times and never answers.
    Ghost,
    /// `Virtual HR`: the well-behaved peripheral of the contract suite.
    VirtualHr,
    /// `Door lock`: keeps its state for those who are paired with it.
    DoorLock,
    /// An AltBeacon.
    AltBeacon,
    /// An Eddystone beacon: its fixed identity and its changing one.
    EddystoneId,
    /// `DIY 7F`: a weather station in BTHome version 2.
    WeatherStation,
    /// `ATC_5D21C7`: a thermometer with the firmware ATC.
    Thermometer,
    /// A keyboard that asks computers nearby to pair with it (Swift Pair).
    SwiftPair,
    /// A lamp that waits to be commissioned into a Matter network.
    Matter,
    /// A mesh: a device to be provisioned, and a network.
    Mesh,
}

/// Which devices are on the air, and how they behave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lab {
    /// The devices, in any order.
    pub devices: Vec<VirtualDevice>,
    /// How many more beacons, phones and gadgets are heard.
    pub fillers: usize,
    /// The rate at which [`VirtualDevice::MotionSensor`] begins, in Hz: 1 to 8,000; what is outside is moved to the
    /// nearest of the two.
    pub motion_rate_hz: u16,
    /// How long an answer of a device takes.
    pub latency: Range<Duration>,
    /// Every how long, on average, [`VirtualDevice::Difficult`] ends its link unasked; `None` for never.
    pub hangs_up_after: Option<Duration>,
}

impl Default for Lab {
    fn default() -> Self {
        use VirtualDevice as D;
        Self {
            devices: vec![
                D::PulseStrap,
                D::RoomSensor,
                D::MotionSensor,
                D::UartEcho,
                D::IBeacon,
                D::Eddystone,
                D::Ruuvi,
                D::Difficult,
                D::Ghost,
                D::DoorLock,
                D::AltBeacon,
                D::EddystoneId,
                D::WeatherStation,
                D::Thermometer,
                D::SwiftPair,
                D::Matter,
                D::Mesh,
            ],
            fillers: 12,
            motion_rate_hz: 208,
            latency: Duration::from_millis(5)..Duration::from_millis(40),
            hangs_up_after: Some(Duration::from_secs(90)),
        }
    }
}

impl Lab {
    /// The lab that the contract suite wants: what `tests/radio/peripherals.py` plays, and nothing that happens by
    /// chance.
    #[must_use]
    pub fn contract() -> Self {
        use VirtualDevice as D;
        Self {
            devices: vec![D::VirtualHr, D::Difficult, D::IBeacon, D::Ghost],
            fillers: 2,
            hangs_up_after: None,
            ..Self::default()
        }
    }
}
