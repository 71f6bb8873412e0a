//! A known payload of an advertisement, decoded by a table like a characteristic's value.
//!
//! Which kind some bytes are is told by where they come from and how they begin; what is in them,
//! by a row of [`Part`]s. Another kind is another [`Known`] in the file of its maker.

use std::fmt;
use std::ops::Range;

use uuid::Uuid;

use super::objects::Objects;
use super::{
    AdType, altbeacon, apple, bthome, eddystone, google, matter, mesh, microsoft, ruuvi, xiaomi,
};
use crate::field::{Field, Rest, Series, Shown, Value};
use crate::sig::Place;
use crate::sig::part::{self, Part, Summary};
use crate::{clean, names};

/// Where bytes of an advertisement come from.
///
/// Every operating system gives manufacturer and service data; Linux alone gives the structures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Manufacturer specific data; the bytes come after this company identifier.
    Manufacturer(u16),
    /// Service data; the bytes come after this UUID.
    Service(Uuid),
    /// Any other AD structure; the bytes come after its type.
    Structure(AdType),
}

impl Source {
    /// What the data of an AD structure are, and which of its bytes: those after the company
    /// identifier or the UUID with which manufacturer and service data begin.
    ///
    /// `None` when the identifier is cut short.
    #[must_use]
    pub fn of_structure(kind: AdType, data: &[u8]) -> Option<(Self, Range<usize>)> {
        let (source, at) = match kind.0 {
            0xFF => (
                Self::Manufacturer(u16::from_le_bytes(*data.first_chunk()?)),
                2,
            ),
            0x16 => (
                Self::Service(names::uuid16(u16::from_le_bytes(*data.first_chunk()?))),
                2,
            ),
            0x20 => (
                Self::Service(uuid32(u32::from_le_bytes(*data.first_chunk()?))),
                4,
            ),
            0x21 => (
                Self::Service(Uuid::from_u128(u128::from_le_bytes(*data.first_chunk()?))),
                16,
            ),
            _ => (Self::Structure(kind), 0),
        };
        Some((source, at..data.len()))
    }
}

/// A kind of payload that is known here: a beacon, a sensor's format, a maker's protocol.
#[derive(Clone, Copy)]
pub struct Beacon(&'static Known);

/// What is known of a kind.
pub(super) struct Known {
    /// What settings call it.
    pub(super) key: &'static str,
    pub(super) name: &'static str,
    /// What the device list says before its values.
    pub(super) brief: &'static str,
    pub(super) from: Origin,
    /// Whether bytes of that origin are of this kind; the first kind that says so is it.
    pub(super) is: fn(&[u8]) -> bool,
    pub(super) body: Body,
}

/// How a payload is laid out.
pub(super) enum Body {
    /// Part after part.
    Parts(&'static [Part]),
    /// A head, then objects that say what they are.
    Objects(&'static Objects),
}

/// Where a kind is found.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    Manufacturer(u16),
    /// Whichever company.
    AnyManufacturer,
    Service(u16),
    Structure(u8),
}

impl Origin {
    fn fits(self, source: Source) -> bool {
        match (self, source) {
            (Self::Manufacturer(known), Source::Manufacturer(company)) => known == company,
            (Self::Service(known), Source::Service(uuid)) => names::short16(uuid) == Some(known),
            (Self::AnyManufacturer, Source::Manufacturer(_)) => true,
            (Self::Structure(known), Source::Structure(kind)) => known == kind.0,
            _ => false,
        }
    }
}

/// The kinds by maker; of one origin, the narrower before the wider.
static ALL: &[&[Known]] = &[
    apple::ALL,
    eddystone::ALL,
    google::ALL,
    ruuvi::ALL,
    bthome::ALL,
    xiaomi::ALL,
    microsoft::ALL,
    matter::ALL,
    mesh::ALL,
    altbeacon::ALL,
];

impl Beacon {
    /// Which kind these bytes are, if it is known here. They may still be cut short or overlong,
    /// which decoding tells.
    ///
    /// ```
    /// use decode::advertisement::{Beacon, Source};
    ///
    /// let beacon = Beacon::of(Source::Manufacturer(0x0499), &[5, 0x12, 0xFC]).unwrap();
    /// assert_eq!((beacon.key(), beacon.name()), ("ruuvi-5", "RuuviTag, data format 5"));
    /// beacon.decode(&[5, 0x12, 0xFC], |field| {
    ///     if field.name == "Temperature" {
    ///         assert_eq!((field.to_string().as_str(), field.range.clone()), ("24.300 °C", 1..3));
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn of(source: Source, data: &[u8]) -> Option<Self> {
        let mut all = ALL.iter().flat_map(|kinds| kinds.iter());
        all.find(|known| known.from.fits(source) && (known.is)(data))
            .map(Self)
    }

    /// The kind of this key.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        Self::all().find(|beacon| beacon.key() == key)
    }

    /// All kinds that are known here.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().flat_map(|kinds| kinds.iter()).map(Self)
    }

    /// What settings call it: `ruuvi-5`. Does not change from version to version.
    #[must_use]
    pub const fn key(self) -> &'static str {
        self.0.key
    }

    /// Its name for a person: `RuuviTag, data format 5`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// Its name in the device list, before its values: `RuuviTag`.
    #[must_use]
    pub const fn brief(self) -> &'static str {
        self.0.brief
    }

    /// Hands every field of a payload to `f`, in the order of the bytes. Allocates nothing. See
    /// [`Sig::decode`](crate::Sig::decode).
    pub fn decode<'a>(self, bytes: &'a [u8], mut f: impl FnMut(Field<'a>)) -> Rest {
        self.walk(bytes, |_, field| f(field))
    }

    /// What can be plotted. A counter here finds repetitions rather than loss: an advertisement is
    /// sent many times and heard by chance.
    #[must_use]
    pub fn series(self) -> Vec<Series> {
        let parts = match &self.0.body {
            Body::Parts(parts) => parts,
            Body::Objects(objects) => return objects.series(),
        };
        part::series(parts, false)
    }

    /// Hands every number of a payload to `f` with its column. Allocates nothing; what is missing
    /// or not known does not come.
    pub fn columns(self, bytes: &[u8], f: &mut impl FnMut(usize, f64)) {
        match &self.0.body {
            Body::Parts(parts) => Place::new(bytes).numbers(parts, f),
            Body::Objects(objects) => {
                objects.walk(bytes, |column, _, field| {
                    if let (Some(column), Some(number)) = (column, field.number()) {
                        f(column, number);
                    }
                });
            }
        }
    }

    /// Hands over the fields that say most, with the names that they need.
    pub(crate) fn summarise<'a>(
        self,
        bytes: &'a [u8],
        mut f: impl FnMut(Option<&'static str>, Field<'a>),
    ) {
        self.walk(bytes, |part, mut field| {
            // "Not known" says little without its name, and nothing is said by what is not there.
            let says_nothing = match field.value {
                Value::Missing => true,
                Value::Text(text) => clean::bytes(text, 1).is_empty(),
                Value::Bytes(bytes) => bytes.is_empty(),
                _ => field.meaning.is_some() && field.number().is_none(),
            };
            if says_nothing {
                return;
            }
            if field.shown == Shown::Id || field.shown == Shown::UuidBig {
                field.shown = Shown::Brief;
            }
            match part.summary {
                Summary::Value => f(None, field),
                Summary::Named(name) => f(Some(name), field),
                Summary::IfSet => {
                    if let Some(name) = field.name_if_set() {
                        f(None, name);
                    }
                }
                Summary::No => {}
            }
        });
    }

    fn walk<'a>(self, bytes: &'a [u8], mut f: impl FnMut(&'static Part, Field<'a>)) -> Rest {
        match &self.0.body {
            Body::Parts(parts) => walk(parts, bytes, f),
            Body::Objects(objects) => objects.walk(bytes, |_, part, field| f(part, field)),
        }
    }
}

/// Hands over what a row of parts says of some bytes.
pub(super) fn walk<'a>(
    parts: &'static [Part],
    bytes: &'a [u8],
    mut f: impl FnMut(&'static Part, Field<'a>),
) -> Rest {
    let mut place = Place::new(bytes);
    let missing = place.walk(parts, &mut f);
    place.rest(missing)
}

/// The UUID that 32 bits stand for.
fn uuid32(short: u32) -> Uuid {
    let base = names::BASE.as_u128();
    Uuid::from_u128(base | u128::from(short) << 96)
}

impl PartialEq for Beacon {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Beacon {}

impl fmt::Debug for Beacon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Beacon({})", self.key())
    }
}
