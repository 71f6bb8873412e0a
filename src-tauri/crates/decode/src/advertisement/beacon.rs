//! Beacons that anybody can read: iBeacon, Eddystone, RuuviTag.
//!
//! Sources: Apple, Proximity Beacon Specification, R1; `github.com/google/eddystone`, the pages of
//! eddystone-uid, eddystone-url and eddystone-tlm/tlm-plain; Ruuvi, Data Format 5 (RAWv2).

use std::fmt;

use uuid::Uuid;

use crate::{clean, names};

const APPLE: u16 = 0x004C;
const RUUVI: u16 = 0x0499;
const EDDYSTONE: Uuid = names::uuid16(0xFEAA);

/// Characters of a URL that are shown: the longest that Eddystone can say, with room.
const SHOWN_URL: usize = 100;

/// A beacon in an advertisement.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Beacon<'a> {
    /// Apple's iBeacon.
    IBeacon {
        /// Whose beacons these are.
        uuid: Uuid,
        /// Which group.
        major: u16,
        /// Which one of the group.
        minor: u16,
        /// RSSI expected at 1 m, in dBm.
        measured_power: i8,
    },
    /// Eddystone-UID.
    EddystoneUid {
        /// Transmit power at 0 m, in dBm.
        tx_power: i8,
        /// Whose beacons these are.
        namespace: &'a [u8; 10],
        /// Which one of them.
        instance: &'a [u8; 6],
    },
    /// Eddystone-URL.
    EddystoneUrl {
        /// Transmit power at 0 m, in dBm.
        tx_power: i8,
        /// The address that it advertises.
        url: EddystoneUrl<'a>,
    },
    /// Eddystone-TLM, not encrypted: the beacon's own state.
    EddystoneTlm {
        /// Battery, in mV; `None` if the beacon does not measure it.
        battery_mv: Option<u16>,
        /// Temperature, in °C; `None` if the beacon does not measure it.
        temperature: Option<f32>,
        /// Advertisements sent since the start.
        advertisements: u32,
        /// Time since the start, in tenths of a second.
        uptime_ds: u32,
    },
    /// RuuviTag, data format 5.
    Ruuvi5(Ruuvi5),
}

/// What a RuuviTag measures. What it says is not available is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ruuvi5 {
    /// In °C.
    pub temperature: Option<f64>,
    /// Relative, in %.
    pub humidity: Option<f64>,
    /// In Pa.
    pub pressure: Option<u32>,
    /// X, Y and Z, in thousandths of g.
    pub acceleration_mg: [Option<i16>; 3],
    /// Battery, in mV.
    pub battery_mv: Option<u16>,
    /// Transmit power, in dBm.
    pub tx_power: Option<i8>,
    /// Movements that were felt; wraps.
    pub movements: Option<u8>,
    /// Measurement number; wraps.
    pub sequence: Option<u16>,
    /// The tag's address, most significant byte first.
    pub address: Option<[u8; 6]>,
}

impl<'a> Beacon<'a> {
    /// The beacon in manufacturer specific data: `data` comes after the company identifier.
    #[must_use]
    pub fn from_manufacturer_data(company: u16, data: &'a [u8]) -> Option<Self> {
        match company {
            APPLE => ibeacon(data),
            RUUVI => Some(Self::Ruuvi5(ruuvi5(data)?)),
            _ => None,
        }
    }

    /// The beacon in service data: `data` comes after the UUID.
    #[must_use]
    pub fn from_service_data(uuid: Uuid, data: &'a [u8]) -> Option<Self> {
        if uuid == EDDYSTONE {
            eddystone(data)
        } else {
            None
        }
    }
}

/// Type 0x02, length 0x15, UUID, major, minor, measured power; all big-endian.
fn ibeacon(data: &[u8]) -> Option<Beacon<'_>> {
    let body: &[u8; 21] = data.strip_prefix(&[0x02, 0x15])?.try_into().ok()?;
    let (uuid, rest) = body.split_first_chunk::<16>()?;
    let &[major_high, major_low, minor_high, minor_low, power] = rest else {
        return None;
    };
    Some(Beacon::IBeacon {
        uuid: Uuid::from_bytes(*uuid),
        major: u16::from_be_bytes([major_high, major_low]),
        minor: u16::from_be_bytes([minor_high, minor_low]),
        measured_power: power.cast_signed(),
    })
}

fn eddystone(data: &[u8]) -> Option<Beacon<'_>> {
    match data {
        // The two reserved bytes at the end are left out by some.
        [0x00, tx_power, id @ ..] if matches!(id.len(), 16 | 18) => {
            let (namespace, rest) = id.split_first_chunk()?;
            Some(Beacon::EddystoneUid {
                tx_power: tx_power.cast_signed(),
                namespace,
                instance: rest.first_chunk()?,
            })
        }
        [0x10, tx_power, scheme @ 0..=3, encoded @ ..] => Some(Beacon::EddystoneUrl {
            tx_power: tx_power.cast_signed(),
            url: EddystoneUrl {
                scheme: SCHEMES.get(usize::from(*scheme))?,
                encoded,
            },
        }),
        [0x20, 0x00, rest @ ..] => {
            let &[b0, b1, t0, t1, a0, a1, a2, a3, s0, s1, s2, s3] = rest else {
                return None;
            };
            let battery = u16::from_be_bytes([b0, b1]);
            let temperature = i16::from_be_bytes([t0, t1]);
            Some(Beacon::EddystoneTlm {
                battery_mv: (battery != 0).then_some(battery),
                temperature: (temperature != i16::MIN).then(|| f32::from(temperature) / 256.0),
                advertisements: u32::from_be_bytes([a0, a1, a2, a3]),
                uptime_ds: u32::from_be_bytes([s0, s1, s2, s3]),
            })
        }
        _ => None,
    }
}

fn ruuvi5(data: &[u8]) -> Option<Ruuvi5> {
    let body: &[u8; 23] = data.strip_prefix(&[0x05])?.try_into().ok()?;
    let (words, rest) = body.split_first_chunk::<14>()?;
    let &[movements, s0, s1, ref address @ ..] = rest else {
        return None;
    };
    let word = |at: usize| {
        let pair = words.get(2 * at..).and_then(|w| w.first_chunk::<2>());
        pair.map(|pair| u16::from_be_bytes(*pair))
    };
    let signed = |at| word(at).map(u16::cast_signed).filter(|&v| v != i16::MIN);
    let unsigned = |at| word(at).filter(|&v| v != u16::MAX);
    // 11 bits of battery above 1600 mV, 5 bits of power above -40 dBm in steps of 2.
    let power = word(6)?;
    let (battery, tx_power) = (power >> 5, power as u8 & 0x1F);
    let sequence = u16::from_be_bytes([s0, s1]);
    let address: [u8; 6] = address.try_into().ok()?;
    Some(Ruuvi5 {
        temperature: signed(0).map(|v| f64::from(v) / 200.0),
        humidity: unsigned(1).map(|v| f64::from(v) / 400.0),
        pressure: unsigned(2).map(|v| u32::from(v) + 50_000),
        acceleration_mg: [signed(3), signed(4), signed(5)],
        battery_mv: (battery != 0x7FF).then_some(battery + 1600),
        tx_power: (tx_power != 0x1F).then(|| tx_power.cast_signed() * 2 - 40),
        movements: (movements != u8::MAX).then_some(movements),
        sequence: (sequence != u16::MAX).then_some(sequence),
        address: (address != [0xFF; 6]).then_some(address),
    })
}

const SCHEMES: [&str; 4] = ["http://www.", "https://www.", "http://", "https://"];
const ENDINGS: [&str; 14] = [
    ".com/", ".org/", ".edu/", ".net/", ".info/", ".biz/", ".gov/", ".com", ".org", ".edu", ".net",
    ".info", ".biz", ".gov",
];

/// The address of an Eddystone-URL frame, as it was sent.
///
/// [`Display`](fmt::Display) writes it out; a byte that the format reserves becomes U+FFFD. It is
/// a stranger's text: nothing may open it unasked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EddystoneUrl<'a> {
    scheme: &'static str,
    encoded: &'a [u8],
}

impl fmt::Display for EddystoneUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme)?;
        for &byte in self.encoded {
            match (ENDINGS.get(usize::from(byte)), byte) {
                (Some(ending), _) => f.write_str(ending)?,
                (None, 0x21..=0x7E) => write!(f, "{}", char::from(byte))?,
                (None, _) => f.write_str("\u{FFFD}")?,
            }
        }
        Ok(())
    }
}

/// The beacon in a few words: what tells it from its neighbours, and what it measures.
impl fmt::Display for Beacon<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IBeacon {
                uuid, major, minor, ..
            } => {
                f.write_str("iBeacon ")?;
                abridged(f, uuid.as_bytes())?;
                write!(f, " {major} / {minor}")
            }
            Self::EddystoneUid {
                namespace,
                instance,
                ..
            } => {
                f.write_str("Eddystone UID ")?;
                abridged(f, *namespace)?;
                f.write_str(" / ")?;
                instance.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::EddystoneUrl { url, .. } => {
                write!(f, "Eddystone {}", clean::text(&url.to_string(), SHOWN_URL))
            }
            Self::EddystoneTlm {
                battery_mv,
                temperature,
                ..
            } => {
                f.write_str("Eddystone TLM")?;
                if let Some(battery) = battery_mv {
                    write!(f, " {battery} mV")?;
                }
                measured(f, *temperature, 2, "°C")
            }
            Self::Ruuvi5(ruuvi) => {
                f.write_str("RuuviTag")?;
                measured(f, ruuvi.temperature, 2, "°C")?;
                measured(f, ruuvi.humidity, 2, "%")?;
                measured(f, ruuvi.pressure.map(|pa| f64::from(pa) / 100.0), 2, "hPa")
            }
        }
    }
}

/// The first two bytes and the last.
fn abridged(f: &mut fmt::Formatter<'_>, id: &[u8]) -> fmt::Result {
    match id {
        [first, second, .., last] => write!(f, "{first:02x}{second:02x}…{last:02x}"),
        _ => Ok(()),
    }
}

fn measured(
    f: &mut fmt::Formatter<'_>,
    value: Option<impl Into<f64>>,
    decimals: usize,
    unit: &str,
) -> fmt::Result {
    let Some(value) = value else { return Ok(()) };
    let value: f64 = value.into();
    let minus = if value < 0.0 { "\u{2212}" } else { "" };
    write!(f, " {minus}{:.decimals$} {unit}", value.abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The tag's address in all but the last of Ruuvi's vectors.
    const ADDRESS: [u8; 6] = [0xCB, 0xB8, 0x33, 0x4C, 0x88, 0x4F];

    fn bytes(hex: &str) -> Vec<u8> {
        crate::encode::hex(hex).unwrap()
    }

    fn ruuvi(hex: &str) -> Ruuvi5 {
        ruuvi5(&bytes(hex)).unwrap()
    }

    #[test]
    fn an_ibeacon_is_recognised() {
        // Layout: Apple, Proximity Beacon Specification R1. UUID and power are those of Apple's
        // AirLocate sample.
        let data = bytes("0215 E2C56DB5DFFB48D2B060D0F5A71096E0 0064 0007 C5");
        let beacon = Beacon::from_manufacturer_data(0x004C, &data).unwrap();
        assert_eq!(
            beacon,
            Beacon::IBeacon {
                uuid: Uuid::from_u128(0xe2c56db5_dffb_48d2_b060_d0f5a71096e0),
                major: 100,
                minor: 7,
                measured_power: -59,
            }
        );
        assert_eq!(beacon.to_string(), "iBeacon e2c5…e0 100 / 7");
        assert_eq!(
            Beacon::from_manufacturer_data(0x0059, &data),
            None,
            "another company"
        );
        assert_eq!(
            Beacon::from_manufacturer_data(0x004C, &data[..22]),
            None,
            "cut short"
        );
    }

    #[test]
    fn eddystone_uid_has_namespace_and_instance() {
        // Namespace: the example of an elided UUID in eddystone-uid/README.md.
        let whole = bytes("00 EE 8b0ca750095477cb3e77 010203040506 0000");
        for data in [&whole[..], &whole[..18]] {
            let beacon = Beacon::from_service_data(EDDYSTONE, data).unwrap();
            assert_eq!(beacon.to_string(), "Eddystone UID 8b0c…77 / 010203040506");
            assert!(matches!(beacon, Beacon::EddystoneUid { tx_power: -18, .. }));
        }
        assert_eq!(Beacon::from_service_data(EDDYSTONE, &whole[..17]), None);
        assert_eq!(
            Beacon::from_service_data(names::uuid16(0xFEAB), &whole),
            None
        );
    }

    #[test]
    fn eddystone_urls_are_written_out() {
        // The URL and the powers are examples of eddystone-url/README.md, encoded by its tables.
        let shown = |hex: &str| {
            Beacon::from_service_data(EDDYSTONE, &bytes(hex)).map(|beacon| match beacon {
                Beacon::EddystoneUrl { tx_power, url } => (tx_power, url.to_string()),
                other => panic!("{other:?}"),
            })
        };
        let goo_gl = "10 12 03 67 6f 6f 2e 67 6c 2f 41 71 31 38 7a 46";
        assert_eq!(
            shown(goo_gl),
            Some((18, "https://goo.gl/Aq18zF".to_owned()))
        );
        assert_eq!(
            shown("10 EE 00 61 00 62 07"),
            Some((-18, "http://www.a.com/b.com".to_owned()))
        );
        assert_eq!(
            shown("10 EE 01 0D 0E 20 7F FF"),
            Some((
                -18,
                "https://www..gov\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}".to_owned()
            ))
        );
        assert_eq!(shown("10 EE 04 61"), None, "a scheme that does not exist");
        assert_eq!(shown("10 EE"), None);
    }

    #[test]
    fn eddystone_tlm_tells_the_beacons_state() {
        // Layout and the two "not supported" values: eddystone-tlm/tlm-plain.md.
        let tlm = |hex: &str| {
            Beacon::from_service_data(EDDYSTONE, &bytes(hex))
                .unwrap()
                .to_string()
        };
        let data = bytes("20 00 0BB8 FE80 00000102 00001000");
        assert_eq!(
            Beacon::from_service_data(EDDYSTONE, &data),
            Some(Beacon::EddystoneTlm {
                battery_mv: Some(3000),
                temperature: Some(-1.5),
                advertisements: 258,
                uptime_ds: 4096,
            })
        );
        assert_eq!(
            tlm("20 00 0BB8 FE80 00000102 00001000"),
            "Eddystone TLM 3000 mV \u{2212}1.50 °C"
        );
        assert_eq!(tlm("20 00 0000 8000 00000000 00000000"), "Eddystone TLM");
        let encrypted = bytes("20 01 0BB8 FE80 00000102 00001000");
        assert_eq!(Beacon::from_service_data(EDDYSTONE, &encrypted), None);
    }

    // The four cases of Ruuvi's specification of data format 5.

    #[test]
    fn ruuvi_5_valid_data() {
        let hex = "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F";
        assert_eq!(
            ruuvi(hex),
            Ruuvi5 {
                temperature: Some(24.3),
                humidity: Some(53.49),
                pressure: Some(100_044),
                acceleration_mg: [Some(4), Some(-4), Some(1036)],
                battery_mv: Some(2977),
                tx_power: Some(4),
                movements: Some(66),
                sequence: Some(205),
                address: Some(ADDRESS),
            }
        );
        let data = bytes(hex);
        let beacon = Beacon::from_manufacturer_data(0x0499, &data).unwrap();
        assert_eq!(beacon.to_string(), "RuuviTag 24.30 °C 53.49 % 1000.44 hPa");
    }

    #[test]
    fn ruuvi_5_maximum_values() {
        assert_eq!(
            ruuvi("057FFFFFFEFFFE7FFF7FFF7FFFFFDEFEFFFECBB8334C884F"),
            Ruuvi5 {
                temperature: Some(163.835),
                humidity: Some(163.835),
                pressure: Some(115_534),
                acceleration_mg: [Some(32767); 3],
                battery_mv: Some(3646),
                tx_power: Some(20),
                movements: Some(254),
                sequence: Some(65534),
                address: Some(ADDRESS),
            }
        );
    }

    #[test]
    fn ruuvi_5_minimum_values() {
        assert_eq!(
            ruuvi("058001000000008001800180010000000000CBB8334C884F"),
            Ruuvi5 {
                temperature: Some(-163.835),
                humidity: Some(0.0),
                pressure: Some(50_000),
                acceleration_mg: [Some(-32767); 3],
                battery_mv: Some(1600),
                tx_power: Some(-40),
                movements: Some(0),
                sequence: Some(0),
                address: Some(ADDRESS),
            }
        );
    }

    #[test]
    fn ruuvi_5_invalid_values() {
        let nothing = ruuvi("058000FFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF");
        assert_eq!(
            nothing,
            Ruuvi5 {
                temperature: None,
                humidity: None,
                pressure: None,
                acceleration_mg: [None; 3],
                battery_mv: None,
                tx_power: None,
                movements: None,
                sequence: None,
                address: None,
            }
        );
        assert_eq!(Beacon::Ruuvi5(nothing).to_string(), "RuuviTag");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_beacon_or_none(data in prop::collection::vec(any::<u8>(), 0..40), kind in 0_u8..4) {
            let mut data = data;
            if let Some(first) = data.first_mut() {
                *first = [0x00, 0x10, 0x20, 0x05][usize::from(kind)];
            }
            for beacon in [
                Beacon::from_manufacturer_data(APPLE, &data),
                Beacon::from_manufacturer_data(RUUVI, &data),
                Beacon::from_service_data(EDDYSTONE, &data),
            ].into_iter().flatten() {
                let shown = beacon.to_string();
                prop_assert_eq!(clean::text(&shown, 200), shown.as_str());
            }
        }
    }
}
