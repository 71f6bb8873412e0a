//! The filter of the device table.
//!
//! ```text
//! query = term { " " term }                  all must match
//! term  = [ "-" ] ( word | field op value )  "-" excludes
//! op    = ":" | ">" | "<" | ">=" | "<="
//! value = item { "," item }                  any may match; quotes keep spaces
//! ```
//!
//! A word matches a name, alias, address, company or beacon summary that contains it. Case does not
//! matter.
//!
//! ```
//! use explorer::filter::{Candidate, Filter};
//!
//! let filter = Filter::parse("rssi>-70 -samsung").unwrap();
//! assert!(filter.matches(&Candidate { rssi: Some(-58), ..Candidate::default() }));
//! assert!(!filter.matches(&Candidate { rssi: Some(-81), ..Candidate::default() }));
//!
//! let error = Filter::parse("rssi>strong").unwrap_err();
//! assert_eq!(error.at, 5);
//! ```

use std::time::Duration;

use uuid::Uuid;

/// What a filter looks at: one device, borrowed.
#[derive(Clone, Debug, Default)]
pub struct Candidate<'a> {
    /// Advertised name.
    pub name: Option<&'a str>,
    /// The user's name for it.
    pub alias: Option<&'a str>,
    /// Address or identifier.
    pub address: &'a str,
    /// Kind of the address: `public`, `static`, `private`, `non-resolvable`.
    pub address_kind: Option<&'a str>,
    /// Company name of its manufacturer data.
    pub company: Option<&'a str>,
    /// Company identifier of its manufacturer data.
    pub company_id: Option<u16>,
    /// What it says as a beacon, in a line.
    pub summary: Option<&'a str>,
    /// The kinds of beacon that it is known to be: what settings and people call them, a line each.
    pub kinds: &'a str,
    /// Advertised services with their names.
    pub services: &'a [(Uuid, Option<&'static str>)],
    /// The advertised bytes, as far as the system gives them.
    pub advertised: &'a [u8],
    /// Signal strength, dBm.
    pub rssi: Option<i16>,
    /// Advertising interval, where it could be estimated.
    pub interval: Option<Duration>,
    /// Time since it was last heard.
    pub age: Duration,
    /// Takes connections.
    pub connectable: bool,
    /// Starred by the user.
    pub starred: bool,
    /// Connected now.
    pub connected: bool,
    /// Not heard for a while.
    pub gone: bool,
}

/// The filter cannot be read: where, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// Characters before the trouble.
    pub at: usize,
    /// What is expected there, with an example.
    pub message: String,
}

/// A filter that can be asked about devices.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
struct Term {
    exclude: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Word(String),
    Text(TextField, Vec<String>),
    Service(Vec<ServiceItem>),
    Company(Vec<CompanyItem>),
    Bytes(Vec<Vec<Option<u8>>>),
    Is(Vec<State>),
    Number(NumberField, Comparison, Vec<f64>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum TextField {
    Name,
    Address,
    Type,
    Beacon,
}

#[derive(Clone, Debug, PartialEq)]
enum ServiceItem {
    Uuid(Uuid),
    Name(String),
}

#[derive(Clone, Debug, PartialEq)]
enum CompanyItem {
    Id(u16),
    Name(String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Connectable,
    Beacon,
    Named,
    Starred,
    Connected,
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum NumberField {
    Rssi,
    Interval,
    Age,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Is,
    Above,
    Below,
    AtLeast,
    AtMost,
}

const FIELDS: &str = "name, addr, company, service, type, beacon, adv, is, rssi, interval, age";

impl Filter {
    /// Whether what passes changes with time alone.
    #[must_use]
    pub fn ages(&self) -> bool {
        self.terms
            .iter()
            .any(|term| matches!(term.test, Test::Number(NumberField::Age, ..)))
    }

    /// Reads a filter; the empty text matches everything.
    ///
    /// # Errors
    ///
    /// [`FilterError`] with the place of the first trouble.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let terms = split(text)?
            .into_iter()
            .map(|raw| raw.parse())
            .collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    /// Whether a device passes.
    #[must_use]
    pub fn matches(&self, device: &Candidate<'_>) -> bool {
        self.terms
            .iter()
            .all(|term| term.test.matches(device) != term.exclude)
    }
}

/// A term as it stands in the text: its characters, each with its place and whether it was quoted.
struct Raw {
    at: usize,
    chars: Vec<(usize, char, bool)>,
}

fn split(text: &str) -> Result<Vec<Raw>, FilterError> {
    let mut terms = Vec::new();
    let mut chars = Vec::new();
    let mut quote: Option<usize> = None;
    let mut start = 0;
    for (at, char) in text.chars().enumerate() {
        if chars.is_empty() && quote.is_none() {
            start = at;
        }
        match char {
            '"' => quote = if quote.is_some() { None } else { Some(at) },
            char if char.is_whitespace() && quote.is_none() => {
                if !chars.is_empty() {
                    terms.push(Raw {
                        at: start,
                        chars: std::mem::take(&mut chars),
                    });
                }
            }
            char => chars.push((at, char, quote.is_some())),
        }
    }
    if let Some(at) = quote {
        return Err(FilterError {
            at,
            message: "This quote is not closed. Add \" at its end.".into(),
        });
    }
    if !chars.is_empty() {
        terms.push(Raw { at: start, chars });
    }
    Ok(terms)
}

impl Raw {
    fn parse(&self) -> Result<Term, FilterError> {
        let exclude = matches!(self.chars.first(), Some((_, '-', false))) && self.chars.len() > 1;
        let chars = &self.chars[usize::from(exclude)..];
        let operator = chars
            .iter()
            .position(|(_, char, quoted)| !quoted && matches!(char, ':' | '<' | '>'));
        let Some(operator) = operator else {
            let word: String = chars.iter().map(|(_, char, _)| *char).collect();
            return Ok(Term {
                exclude,
                test: Test::Word(word.to_lowercase()),
            });
        };
        let field: String = chars[..operator].iter().map(|(_, char, _)| *char).collect();
        let or_equal = matches!(chars.get(operator + 1), Some((_, '=', false)));
        let comparison = match (chars[operator].1, or_equal) {
            (':', _) => Comparison::Is,
            ('>', true) => Comparison::AtLeast,
            ('>', false) => Comparison::Above,
            (_, true) => Comparison::AtMost,
            (_, false) => Comparison::Below,
        };
        let taken = if or_equal && comparison != Comparison::Is {
            2
        } else {
            1
        };
        let at = chars[operator].0 + taken;
        let items = items(&chars[operator + taken..], at);
        let test = self.test(&field.to_lowercase(), comparison, &items, chars[operator].0)?;
        Ok(Term { exclude, test })
    }

    fn test(
        &self,
        field: &str,
        comparison: Comparison,
        items: &[(usize, String)],
        operator_at: usize,
    ) -> Result<Test, FilterError> {
        let number = match field {
            "rssi" => Some(NumberField::Rssi),
            "interval" => Some(NumberField::Interval),
            "age" => Some(NumberField::Age),
            _ => None,
        };
        if let Some((at, _)) = items.iter().find(|(_, item)| item.is_empty()) {
            let example = match field {
                "rssi" => "rssi>-70",
                "interval" => "interval<200ms",
                "age" => "age>10s",
                "service" => "service:180d",
                "is" => "is:connectable",
                _ => "name:thermo",
            };
            return Err(FilterError {
                at: *at,
                message: format!("A value is missing here. Write one, such as {example}."),
            });
        }
        if let Some(number) = number {
            let values = items
                .iter()
                .map(|(at, item)| number.parse(*at, item))
                .collect::<Result<_, _>>()?;
            return Ok(Test::Number(number, comparison, values));
        }
        if comparison != Comparison::Is && is_field(field) {
            return Err(FilterError {
                at: operator_at,
                message: format!("{field} takes a colon, such as {field}:…"),
            });
        }
        let lower = || {
            items
                .iter()
                .map(|(_, item)| item.to_lowercase())
                .collect::<Vec<_>>()
        };
        Ok(match field {
            "name" => Test::Text(TextField::Name, lower()),
            "addr" => Test::Text(TextField::Address, lower()),
            "type" => Test::Text(TextField::Type, lower()),
            "beacon" => Test::Text(TextField::Beacon, lower()),
            "service" => Test::Service(lower().into_iter().map(service_item).collect()),
            "company" => Test::Company(lower().into_iter().map(company_item).collect()),
            "adv" => Test::Bytes(
                items
                    .iter()
                    .map(|(at, item)| pattern(*at, item))
                    .collect::<Result<_, _>>()?,
            ),
            "is" => Test::Is(
                items
                    .iter()
                    .map(|(at, item)| state(*at, item))
                    .collect::<Result<_, _>>()?,
            ),
            // An address is a word that happens to contain colons.
            _ if field.len() <= 2 && field.chars().all(|char| char.is_ascii_hexdigit()) => {
                Test::Word(self.text().to_lowercase())
            }
            _ => {
                return Err(FilterError {
                    at: self.at,
                    message: format!("There is no field {field}. The fields are {FIELDS}."),
                });
            }
        })
    }

    fn text(&self) -> String {
        let text: String = self.chars.iter().map(|(_, char, _)| *char).collect();
        text.trim_start_matches('-').to_owned()
    }
}

fn is_field(field: &str) -> bool {
    FIELDS.split(", ").any(|known| known == field)
}

/// Splits `a,b` into items with their places; quoted commas stay.
fn items(chars: &[(usize, char, bool)], at: usize) -> Vec<(usize, String)> {
    let mut items = vec![(at, String::new())];
    for (place, char, quoted) in chars {
        if *char == ',' && !quoted {
            items.push((place + 1, String::new()));
        } else if let Some((_, item)) = items.last_mut() {
            item.push(*char);
        }
    }
    items
}

impl NumberField {
    fn parse(self, at: usize, item: &str) -> Result<f64, FilterError> {
        let item = item.replace('\u{2212}', "-").to_lowercase();
        let (digits, factor) = match self {
            NumberField::Rssi => (item.strip_suffix("dbm").unwrap_or(&item), 1.0),
            NumberField::Interval | NumberField::Age => {
                if let Some(digits) = item.strip_suffix("ms") {
                    (digits, 1e-3)
                } else if let Some(digits) = item.strip_suffix('s') {
                    (digits, 1.0)
                } else if let Some(digits) = item.strip_suffix('m') {
                    (digits, 60.0)
                } else {
                    // Bare numbers: the unit in which the column shows them.
                    (
                        item.as_str(),
                        if self == NumberField::Interval {
                            1e-3
                        } else {
                            1.0
                        },
                    )
                }
            }
        };
        let example = match self {
            NumberField::Rssi => "rssi needs a number, such as rssi>-70.",
            NumberField::Interval => "interval needs a time, such as interval<200ms.",
            NumberField::Age => "age needs a time, such as age>10s.",
        };
        digits
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(|number| number * factor)
            .ok_or_else(|| FilterError {
                at,
                message: example.into(),
            })
    }
}

fn service_item(item: String) -> ServiceItem {
    let hex = item.strip_prefix("0x").unwrap_or(&item);
    match hex.len() {
        4 | 8 => u32::from_str_radix(hex, 16)
            .map(|short| ServiceItem::Uuid(Uuid::from_u128(u128::from(short) << 96 | BASE_UUID))),
        _ => Ok(Uuid::try_parse(hex)
            .map_or_else(|_| ServiceItem::Name(item.clone()), ServiceItem::Uuid)),
    }
    .unwrap_or(ServiceItem::Name(item))
}

/// The Bluetooth base UUID without its first 32 bits (Core Specification, Vol 3, Part B, 2.5.1).
const BASE_UUID: u128 = 0x0000_0000_0000_1000_8000_0080_5F9B_34FB;

fn company_item(item: String) -> CompanyItem {
    let number = match item.strip_prefix("0x") {
        Some(hex) => u16::from_str_radix(hex, 16).ok(),
        None => item.parse().ok(),
    };
    number.map_or(CompanyItem::Name(item), CompanyItem::Id)
}

fn pattern(at: usize, item: &str) -> Result<Vec<Option<u8>>, FilterError> {
    let refuse = || FilterError {
        at,
        message: "adv needs pairs of hexadecimal digits, ?? for any byte, such as adv:4c000215??."
            .into(),
    };
    let digits: Vec<char> = item.chars().filter(|char| !char.is_whitespace()).collect();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return Err(refuse());
    }
    digits
        .chunks(2)
        .map(|pair| match pair {
            ['?', '?'] => Ok(None),
            pair => u8::from_str_radix(&pair.iter().collect::<String>(), 16)
                .map(Some)
                .map_err(|_| refuse()),
        })
        .collect()
}

fn state(at: usize, item: &str) -> Result<State, FilterError> {
    Ok(match item.to_lowercase().as_str() {
        "connectable" => State::Connectable,
        "beacon" => State::Beacon,
        "named" => State::Named,
        "starred" => State::Starred,
        "connected" => State::Connected,
        "gone" => State::Gone,
        "paired" => {
            return Err(FilterError {
                at,
                message: "No radio tells whether a device is paired yet. Use connectable, beacon, \
                          named, starred, connected or gone."
                    .into(),
            });
        }
        _ => {
            return Err(FilterError {
                at,
                message: "is takes connectable, beacon, named, starred, connected or gone.".into(),
            });
        }
    })
}

impl Test {
    fn matches(&self, device: &Candidate<'_>) -> bool {
        match self {
            Test::Word(word) => [device.name, device.alias, device.company, device.summary]
                .into_iter()
                .flatten()
                .chain([device.address])
                .any(|text| contains(text, word)),
            Test::Text(field, words) => {
                let texts = match field {
                    TextField::Name => [device.name, device.alias],
                    TextField::Address => [Some(device.address), None],
                    TextField::Type => [device.address_kind, None],
                    TextField::Beacon => [device.summary, Some(device.kinds)],
                };
                any(texts, words)
            }
            Test::Service(items) => items.iter().any(|item| {
                device.services.iter().any(|(uuid, name)| match item {
                    ServiceItem::Uuid(wanted) => uuid == wanted,
                    ServiceItem::Name(word) => name.is_some_and(|name| contains(name, word)),
                })
            }),
            Test::Company(items) => items.iter().any(|item| match item {
                CompanyItem::Id(id) => device.company_id == Some(*id),
                CompanyItem::Name(word) => device.company.is_some_and(|name| contains(name, word)),
            }),
            Test::Bytes(patterns) => patterns.iter().any(|pattern| {
                device.advertised.windows(pattern.len()).any(|window| {
                    window
                        .iter()
                        .zip(pattern)
                        .all(|(byte, wanted)| wanted.is_none_or(|w| w == *byte))
                })
            }),
            Test::Is(states) => states.iter().any(|state| match state {
                State::Connectable => device.connectable,
                State::Beacon => device.summary.is_some(),
                State::Named => device.name.is_some() || device.alias.is_some(),
                State::Starred => device.starred,
                State::Connected => device.connected,
                State::Gone => device.gone,
            }),
            Test::Number(field, comparison, values) => {
                let actual = match field {
                    NumberField::Rssi => device.rssi.map(f64::from),
                    NumberField::Interval => device.interval.map(|interval| interval.as_secs_f64()),
                    NumberField::Age => Some(device.age.as_secs_f64()),
                };
                actual.is_some_and(|actual| {
                    values.iter().any(|value| comparison.holds(actual, *value))
                })
            }
        }
    }
}

impl Comparison {
    fn holds(self, actual: f64, value: f64) -> bool {
        match self {
            Comparison::Is => (actual - value).abs() < 0.5e-3,
            Comparison::Above => actual > value,
            Comparison::Below => actual < value,
            Comparison::AtLeast => actual >= value,
            Comparison::AtMost => actual <= value,
        }
    }
}

fn any<const N: usize>(texts: [Option<&str>; N], words: &[String]) -> bool {
    texts
        .into_iter()
        .flatten()
        .any(|text| words.iter().any(|word| contains(text, word)))
}

/// Whether `text` contains `lower`, which is in lower case already.
fn contains(text: &str, lower: &str) -> bool {
    text.to_lowercase().contains(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(filter: &str, device: &Candidate<'_>) -> bool {
        Filter::parse(filter).unwrap().matches(device)
    }

    fn strap() -> Candidate<'static> {
        const SERVICES: &[(Uuid, Option<&str>)] = &[(
            Uuid::from_u128(0x180D << 96 | BASE_UUID),
            Some("Heart Rate"),
        )];
        Candidate {
            name: Some("Wrist-07"),
            alias: Some("my strap"),
            address: "C4:7C:8D:6A:11:02",
            address_kind: Some("static"),
            company: Some("Nordic Semiconductor ASA"),
            company_id: Some(0x0059),
            services: SERVICES,
            advertised: &[0x02, 0x01, 0x06, 0x03, 0x03, 0x0D, 0x18],
            rssi: Some(-58),
            interval: Some(Duration::from_millis(182)),
            age: Duration::from_secs(6),
            connectable: true,
            ..Candidate::default()
        }
    }

    #[test]
    fn every_term_must_match_and_a_minus_excludes() {
        assert!(passes("", &strap()));
        assert!(passes("wrist nordic", &strap()));
        assert!(passes("c4:7c", &strap()));
        assert!(!passes("wrist samsung", &strap()));
        assert!(!passes("-wrist", &strap()));
        assert!(passes("-samsung rssi>-60", &strap()));
        assert!(passes("name:\"my strap\"", &strap()));
        assert!(!passes("\"my  strap\"", &strap()));
    }

    #[test]
    fn any_item_of_a_value_may_match() {
        assert!(passes("name:thingy,wrist", &strap()));
        assert!(!passes("name:thingy,ruuvi", &strap()));
        assert!(passes("service:181a,180d", &strap()));
        assert!(passes("service:heart", &strap()));
        assert!(passes(
            "service:0000180d-0000-1000-8000-00805f9b34fb",
            &strap()
        ));
        assert!(passes("company:0x0059", &strap()));
        assert!(passes("company:89", &strap()));
        assert!(!passes("company:apple", &strap()));
    }

    #[test]
    fn numbers_compare_with_their_units() {
        assert!(passes("rssi>=-58", &strap()));
        assert!(!passes("rssi>-58", &strap()));
        assert!(passes("rssi:-58", &strap()));
        assert!(passes("rssi>\u{2212}60", &strap()));
        assert!(passes("interval<200ms", &strap()));
        assert!(passes("interval>0.1s", &strap()));
        assert!(passes("interval>180", &strap()));
        assert!(passes("age<10s", &strap()));
        assert!(!passes("age>1m", &strap()));
        // What was never heard is neither above nor below.
        assert!(!passes("rssi<0", &Candidate::default()));
    }

    #[test]
    fn bytes_match_with_wildcards() {
        assert!(passes("adv:0303??18", &strap()));
        assert!(passes("adv:ff,020106", &strap()));
        assert!(!passes("adv:0304", &strap()));
    }

    #[test]
    fn states_are_asked_for_by_name() {
        assert!(passes("is:connectable -is:gone,starred", &strap()));
        assert!(passes("is:named type:static", &strap()));
        assert!(!passes("is:beacon", &strap()));
    }

    #[test]
    fn what_cannot_be_read_says_where_and_what_would_be_right() {
        for (text, at, word) in [
            ("rssi>strong", 5, "rssi>-70"),
            ("wrist rssi>strong", 11, "rssi>-70"),
            ("colour:red", 0, "name, addr"),
            ("is:paired", 3, "connectable"),
            ("is:big", 3, "connectable"),
            ("adv:abc", 4, "pairs"),
            ("name>x", 4, "colon"),
            ("name:", 5, "missing"),
            ("name:a,,b", 7, "missing"),
            ("name:\"open", 5, "closed"),
            ("age>soon", 4, "age>10s"),
        ] {
            let error = Filter::parse(text).unwrap_err();
            assert_eq!(error.at, at, "{text}: {error}");
            assert!(error.message.contains(word), "{text}: {error}");
        }
    }
}
