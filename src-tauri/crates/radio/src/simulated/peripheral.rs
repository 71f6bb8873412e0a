//! What a virtual device is made of: how it sounds on the air, and the attributes behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;
use uuid::Uuid;

use super::VirtualDevice;
use super::pairing::Keys;
use super::uuids::short;
use crate::{Address, AddressKind, AttError, AttrKind, DEFAULT_ATT_MTU, Handle, Properties};

pub(super) const CLIENT_CONFIGURATION: Uuid = short(0x2902);
const USER_DESCRIPTION: Uuid = short(0x2901);
const PRESENTATION_FORMAT: Uuid = short(0x2904);
const DEVICE_NAME: Uuid = short(0x2A00);

/// The random numbers of one part of one device: parts do not disturb each other's.
pub(super) type Dice = Xoshiro256PlusPlus;

/// Says what a device advertises, so long after the lab began.
pub(super) type Says = Box<dyn FnMut(Duration, &mut Dice) -> Bytes + Send>;

/// A device as the lab sets it up.
pub(super) struct Peripheral {
    pub(super) which: Option<VirtualDevice>,
    pub(super) address: Address,
    pub(super) address_kind: AddressKind,
    pub(super) connectable: bool,
    /// Whether it is there when somebody connects to it.
    pub(super) answers: bool,
    pub(super) mtu: u16,
    pub(super) interval: Duration,
    /// How often it is heard in one scan, where that is limited.
    pub(super) reports: Option<u32>,
    pub(super) mean_rssi: f64,
    pub(super) rssi_spread: f64,
    pub(super) says: Says,
    pub(super) scan_response: Option<Bytes>,
    pub(super) hangs_up_after: Option<Duration>,
    /// The keys that it keeps, if one can pair with it.
    pub(super) keys: Option<Keys>,
    pub(super) table: Table,
}

impl Peripheral {
    /// A connectable device of the lab.
    pub(super) fn new(which: VirtualDevice, address: [u8; 6], advertising: Bytes) -> Self {
        Self {
            which: Some(which),
            address: Address(address),
            address_kind: AddressKind::RandomStatic,
            connectable: true,
            answers: true,
            mtu: 247,
            interval: Duration::from_millis(100),
            reports: None,
            mean_rssi: -58.0,
            rssi_spread: 5.0,
            says: Box::new(move |_, _| advertising.clone()),
            scan_response: None,
            hangs_up_after: None,
            keys: None,
            table: Table::default(),
        }
    }

    /// A device that only advertises.
    pub(super) fn beacon(which: Option<VirtualDevice>, address: [u8; 6], says: Says) -> Self {
        Self {
            which,
            address: Address(address),
            address_kind: AddressKind::RandomStatic,
            connectable: false,
            answers: false,
            mtu: DEFAULT_ATT_MTU,
            interval: Duration::from_millis(350),
            reports: None,
            mean_rssi: -78.0,
            rssi_spread: 7.0,
            says,
            scan_response: None,
            hangs_up_after: None,
            keys: None,
            table: Table::default(),
        }
    }
}

/// What an attribute answers: bytes, or the error of the device's attribute server.
pub(super) type Answer<T> = Result<T, AttError>;

/// What a write makes the device do besides.
pub(super) enum Reaction {
    Nothing,
    /// Send this on another characteristic.
    Send(Uuid, Vec<u8>),
    /// Look again at when values are due.
    Retime,
    /// End the link after a while.
    HangUp(Duration),
}

/// Where the bytes of one attribute come from and go to. Times are since the lab began.
pub(super) trait Source: Send {
    fn read(&mut self, _at: Duration) -> Answer<Vec<u8>> {
        Err(AttError::READ_NOT_PERMITTED)
    }

    fn write(&mut self, _value: &[u8]) -> Answer<Reaction> {
        Err(AttError::WRITE_NOT_PERMITTED)
    }

    /// Somebody subscribed.
    fn begin(&mut self, _at: Duration) {}

    /// How long after the last value (or [`begin`](Self::begin)) the next one is due; `None` if it sends nothing by
    /// itself.
    fn wait(&self) -> Option<Duration> {
        None
    }

    /// The rate may have changed: from now on, wait accordingly.
    fn retime(&mut self) {}

    /// The value that is due.
    fn send(&mut self, _at: Duration) -> Vec<u8> {
        Vec::new()
    }
}

/// Offers nothing to be read or written: services, and what only notifies when it is told to.
pub(super) struct Silent;

impl Source for Silent {}

/// Reads back what was written.
pub(super) struct Register {
    pub(super) value: Vec<u8>,
    pub(super) max: usize,
    pub(super) writable: bool,
}

impl Register {
    pub(super) fn fixed(value: impl Into<Vec<u8>>) -> Self {
        Self {
            value: value.into(),
            max: 0,
            writable: false,
        }
    }

    pub(super) fn of_up_to(max: usize, value: impl Into<Vec<u8>>) -> Self {
        Self {
            value: value.into(),
            max,
            writable: true,
        }
    }
}

impl Source for Register {
    fn read(&mut self, _: Duration) -> Answer<Vec<u8>> {
        Ok(self.value.clone())
    }

    fn write(&mut self, value: &[u8]) -> Answer<Reaction> {
        if !self.writable {
            Err(AttError::WRITE_NOT_PERMITTED)
        } else if value.len() > self.max {
            Err(AttError::INVALID_ATTRIBUTE_VALUE_LENGTH)
        } else {
            self.value = value.to_vec();
            Ok(Reaction::Nothing)
        }
    }
}

/// Refuses everything with one code.
pub(super) struct Refuses(pub(super) AttError);

impl Source for Refuses {
    fn read(&mut self, _: Duration) -> Answer<Vec<u8>> {
        Err(self.0)
    }

    fn write(&mut self, _: &[u8]) -> Answer<Reaction> {
        Err(self.0)
    }
}

/// Something that is measured: read at any time, and sent at a steady rate.
pub(super) struct Measured<F> {
    pub(super) every: Duration,
    pub(super) value: F,
}

impl<F: FnMut(Duration) -> Vec<u8> + Send> Source for Measured<F> {
    fn read(&mut self, at: Duration) -> Answer<Vec<u8>> {
        Ok((self.value)(at))
    }

    fn wait(&self) -> Option<Duration> {
        Some(self.every)
    }

    fn send(&mut self, at: Duration) -> Vec<u8> {
        (self.value)(at)
    }
}

/// A stream with a sequence counter that starts with the subscription, at a rate that can be changed meanwhile.
pub(super) struct Counted<F> {
    rate: Rate,
    /// What the rate was when it was last looked at.
    period: Duration,
    sequence: u32,
    /// The value of this sequence number.
    value: F,
}

impl<F> Counted<F> {
    pub(super) fn new(rate: Rate, value: F) -> Self {
        Self {
            period: rate.period(),
            rate,
            sequence: 0,
            value,
        }
    }
}

impl<F: FnMut(u32, Duration) -> Vec<u8> + Send> Source for Counted<F> {
    fn read(&mut self, at: Duration) -> Answer<Vec<u8>> {
        Ok((self.value)(self.sequence, at))
    }

    fn begin(&mut self, _: Duration) {
        self.sequence = 0;
        self.retime();
    }

    fn wait(&self) -> Option<Duration> {
        Some(self.period)
    }

    fn retime(&mut self) {
        self.period = self.rate.period();
    }

    fn send(&mut self, at: Duration) -> Vec<u8> {
        let value = (self.value)(self.sequence, at);
        self.sequence = self.sequence.wrapping_add(1);
        value
    }
}

/// How many values a second, shared between the stream and the register that sets it.
#[derive(Clone)]
pub(super) struct Rate(Arc<AtomicU16>);

impl Rate {
    pub(super) const RANGE: std::ops::RangeInclusive<u16> = 1..=8_000;

    pub(super) fn hz(hz: u16) -> Self {
        let hz = hz.clamp(*Self::RANGE.start(), *Self::RANGE.end());
        Self(Arc::new(AtomicU16::new(hz)))
    }

    fn get(&self) -> u16 {
        self.0.load(Ordering::Relaxed)
    }

    fn period(&self) -> Duration {
        Duration::from_nanos(1_000_000_000 / u64::from(self.get()))
    }
}

impl Source for Rate {
    fn read(&mut self, _: Duration) -> Answer<Vec<u8>> {
        Ok(self.get().to_le_bytes().into())
    }

    fn write(&mut self, value: &[u8]) -> Answer<Reaction> {
        let hz = value
            .try_into()
            .map(u16::from_le_bytes)
            .map_err(|_| AttError::INVALID_ATTRIBUTE_VALUE_LENGTH)?;
        if !Self::RANGE.contains(&hz) {
            return Err(AttError(0x13));
        }
        self.0.store(hz, Ordering::Relaxed);
        Ok(Reaction::Retime)
    }
}

/// One attribute as discovery finds it.
pub(super) struct Entry {
    pub(super) kind: AttrKind,
    pub(super) uuid: Uuid,
    pub(super) handle: Handle,
    /// The place of its service or characteristic in the table.
    pub(super) parent: Option<usize>,
    pub(super) properties: Properties,
}

/// The attributes of a device, in the order of their handles, and what is behind each.
#[derive(Default)]
pub(super) struct Table {
    pub(super) entries: Vec<Entry>,
    pub(super) sources: Vec<Box<dyn Source>>,
    service: Option<usize>,
    characteristic: Option<usize>,
    last_handle: u16,
}

impl Table {
    /// The table of a device that calls itself `name` and looks like `appearance`.
    pub(super) fn named(name: &str, appearance: u16) -> Self {
        Self::default()
            .service(short(0x1800))
            .readable(DEVICE_NAME, name.as_bytes())
            .readable(short(0x2A01), appearance.to_le_bytes())
    }

    fn push(
        &mut self,
        kind: AttrKind,
        uuid: Uuid,
        parent: Option<usize>,
        properties: Properties,
        source: Box<dyn Source>,
    ) -> usize {
        // The declaration of a characteristic takes a handle of its own before the value's.
        self.last_handle += if kind == AttrKind::Characteristic {
            2
        } else {
            1
        };
        self.entries.push(Entry {
            kind,
            uuid,
            handle: Handle(self.last_handle),
            parent,
            properties,
        });
        self.sources.push(source);
        self.entries.len() - 1
    }

    /// Begins a service.
    pub(super) fn service(mut self, uuid: Uuid) -> Self {
        let none = Properties::default();
        self.service = Some(self.push(AttrKind::Service, uuid, None, none, Box::new(Silent)));
        self
    }

    /// Adds a characteristic to the service that was begun last; with a Client Characteristic Configuration where one is
    /// needed.
    pub(super) fn characteristic(
        mut self,
        uuid: Uuid,
        properties: Properties,
        source: impl Source + 'static,
    ) -> Self {
        let place = self.push(
            AttrKind::Characteristic,
            uuid,
            self.service,
            properties,
            Box::new(source),
        );
        self.characteristic = Some(place);
        if properties.can_subscribe() {
            let none = Properties::default();
            let kind = AttrKind::Descriptor;
            self.push(
                kind,
                CLIENT_CONFIGURATION,
                Some(place),
                none,
                Box::new(Silent),
            );
        }
        self
    }

    /// Adds a characteristic that always reads the same.
    pub(super) fn readable(self, uuid: Uuid, value: impl Into<Vec<u8>>) -> Self {
        self.characteristic(uuid, Properties::READ, Register::fixed(value))
    }

    /// Adds a Characteristic User Description to the last characteristic.
    pub(super) fn described(self, text: &str) -> Self {
        self.with_descriptor(USER_DESCRIPTION, text.as_bytes())
    }

    /// Adds a Characteristic Presentation Format: type, exponent, unit (Assigned Numbers, 2.4 and 3.5).
    pub(super) fn presented(self, format: u8, exponent: i8, unit: u16) -> Self {
        const BLUETOOTH_SIG: u8 = 1;
        let [low, high] = unit.to_le_bytes();
        let exponent = exponent.cast_unsigned();
        let value = [format, exponent, low, high, BLUETOOTH_SIG, 0, 0];
        self.with_descriptor(PRESENTATION_FORMAT, &value)
    }

    fn with_descriptor(mut self, uuid: Uuid, value: &[u8]) -> Self {
        let source = Register::fixed(value);
        self.push(
            AttrKind::Descriptor,
            uuid,
            self.characteristic,
            Properties::default(),
            Box::new(source),
        );
        self
    }
}

/// A signal strength that walks about and leans back to its mean, as a body moving in a room does.
pub(super) struct Walk {
    mean: f64,
    spread: f64,
    drift: f64,
}

impl Walk {
    pub(super) fn new(mean: f64, spread: f64) -> Self {
        Self {
            mean,
            spread,
            drift: 0.0,
        }
    }

    pub(super) fn step(&mut self, dice: &mut Dice) -> i16 {
        self.drift = 0.95 * self.drift + dice.random_range(-1.0..1.0);
        let dbm = self.mean + self.spread * self.drift / 3.0 + dice.random_range(-1.0..1.0);
        dbm.round().clamp(-127.0, 20.0) as i16
    }
}
