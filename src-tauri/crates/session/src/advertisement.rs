//! Advertisements as a recording has them, made into reports again.

use std::collections::{HashMap, VecDeque};
use std::ops::{ControlFlow, RangeBounds};

use bytes::Bytes;
use radio::{AddressKind, Advertisement, CompanyId, DeviceId, Rssi, Timestamp};
use rusqlite::params;
use serde::Deserialize;
use uuid::Uuid;

use crate::export::unhex;
use crate::reader::text;
use crate::recorder::address_kind;
use crate::values::times;
use crate::{Result, Session, SessionTime};

/// The longest JSON of an advertisement that is read. The longest advertisement there is, 1,650 bytes (Core
/// Specification, Vol 4, Part E, 7.7.65.13), takes less in whatever way it is written down.
pub(crate) const MAX_JSON: i64 = 1 << 16;

/// What an advertisement contained, as [`Session::advertisement_json`] has it.
#[derive(Deserialize)]
struct Contents {
    address: Option<String>,
    address_kind: Option<String>,
    local_name: Option<String>,
    tx_power: Option<i16>,
    appearance: Option<u16>,
    connectable: Option<bool>,
    #[serde(default)]
    services: Vec<Uuid>,
    #[serde(default)]
    manufacturer: Vec<OfCompany>,
    #[serde(default)]
    service_data: Vec<OfService>,
    raw: Option<String>,
}

#[derive(Deserialize)]
struct OfCompany {
    company: u16,
    data: String,
}

#[derive(Deserialize)]
struct OfService {
    uuid: Uuid,
    data: String,
}

/// What `json` says an advertisement contained; whose it is, is not in it.
pub(crate) fn parse(
    json: &str,
    device: DeviceId,
    at: SessionTime,
) -> std::result::Result<Advertisement, String> {
    let contents: Contents = serde_json::from_str(json)
        .map_err(|error| format!("its advertisement is not as it was: {error}"))?;
    let bytes = |digits: &str| {
        unhex(digits)
            .map(Bytes::from)
            .ok_or_else(|| format!("{digits:?} are no bytes"))
    };
    let address = contents.address.map(|address| {
        let parsed = address.parse::<radio::Address>();
        parsed.map_err(|error| error.to_string())
    });
    let kind = contents.address_kind.map(|name| {
        kind_of_address(&name).ok_or_else(|| format!("{name:?} is no kind of address"))
    });
    Ok(Advertisement {
        address: address.transpose()?,
        address_kind: kind.transpose()?,
        local_name: contents.local_name,
        tx_power: contents.tx_power,
        appearance: contents.appearance,
        connectable: contents.connectable,
        services: contents.services,
        manufacturer_data: contents
            .manufacturer
            .iter()
            .map(|of| Ok((CompanyId(of.company), bytes(&of.data)?)))
            .collect::<std::result::Result<_, String>>()?,
        service_data: contents
            .service_data
            .iter()
            .map(|of| Ok((of.uuid, bytes(&of.data)?)))
            .collect::<std::result::Result<_, String>>()?,
        raw: contents.raw.as_deref().map(bytes).transpose()?,
        ..Advertisement::new(device, Timestamp(at.0))
    })
}

/// A row of the advertisement table.
#[derive(Default)]
pub(crate) struct Report {
    address: Option<String>,
    address_kind: Option<String>,
    local_name: Option<String>,
    tx_power: Option<i64>,
    appearance: Option<i64>,
    connectable: Option<i64>,
    services: Option<String>,
    manufacturer: Option<String>,
    service_data: Option<String>,
    raw: Option<Bytes>,
    /// Whether the row is not as it was written.
    pub(crate) broken: bool,
}

/// The columns that [`Report::of`] reads. What is longer than anything that can be advertised is left in the file.
fn contents() -> String {
    let texts = [
        "local_name",
        "services",
        "manufacturer",
        "service_data",
        "raw",
    ];
    let short =
        |column: &str| format!("CASE WHEN length({column}) <= {MAX_JSON} THEN {column} END");
    let lengths = texts.map(|column| format!("length(coalesce({column}, ''))"));
    let [name, services, manufacturer, data, raw] = texts.map(short);
    format!(
        "{}, {}, {name}, tx_power, appearance, connectable, {services}, {manufacturer}, {data}, {raw},
         max({}) > {MAX_JSON}",
        short("address"),
        short("address_kind"),
        lengths.join(", ")
    )
}

/// The event of an advertisement: number, time, RSSI, and whose it is.
type Heard = (i64, Timestamp, Option<i64>, String);

struct Lists {
    services: Vec<Uuid>,
    manufacturer: Vec<(CompanyId, Bytes)>,
    service_data: Vec<(Uuid, Bytes)>,
}

impl Report {
    /// The [contents] that begin with column `at` of a row.
    fn of(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Self> {
        let text = |column| row.get_ref(at + column).map(text);
        let number = |column| row.get::<_, Option<i64>>(at + column);
        let raw = row.get_ref(at + 9)?.as_blob_or_null()?;
        Ok(Self {
            address: text(0)?,
            address_kind: text(1)?,
            local_name: text(2)?,
            tx_power: number(3)?,
            appearance: number(4)?,
            connectable: number(5)?,
            services: text(6)?,
            manufacturer: text(7)?,
            service_data: text(8)?,
            raw: raw.map(Bytes::copy_from_slice),
            broken: row.get(at + 10)?,
        })
    }

    /// How many bytes it takes, without its numbers.
    fn len(&self) -> usize {
        let texts = [
            &self.address,
            &self.address_kind,
            &self.local_name,
            &self.services,
            &self.manufacturer,
            &self.service_data,
        ];
        let texts = texts.into_iter().flatten().map(String::len).sum::<usize>();
        texts + self.raw.as_ref().map_or(0, Bytes::len)
    }

    /// The lists that stand in it as JSON; `None` if they do not.
    fn lists(&self) -> Option<Lists> {
        let manufacturer: Vec<OfCompany> = list(self.manufacturer.as_deref())?;
        let service_data: Vec<OfService> = list(self.service_data.as_deref())?;
        Some(Lists {
            services: list(self.services.as_deref())?,
            manufacturer: manufacturer
                .into_iter()
                .map(|one| Some((CompanyId(one.company), unhex(&one.data)?.into())))
                .collect::<Option<_>>()?,
            service_data: service_data
                .into_iter()
                .map(|one| Some((one.uuid, unhex(&one.data)?.into())))
                .collect::<Option<_>>()?,
        })
    }

    /// What a device said, when, and how strong it was heard.
    fn heard(self, device: DeviceId, at: Timestamp, rssi: Option<i64>) -> Advertisement {
        let mut report = self.advertisement(device);
        report.at = at;
        report.rssi = rssi.and_then(|rssi| i16::try_from(rssi).ok()).map(Rssi);
        report
    }

    /// What a device said, without a time.
    pub(crate) fn advertisement(self, device: DeviceId) -> Advertisement {
        let lists = self.lists();
        let mut report = Advertisement::new(device, Timestamp::default());
        report.address = self
            .address
            .and_then(|address| address.parse::<radio::Address>().ok());
        report.address_kind = self.address_kind.as_deref().and_then(kind_of_address);
        report.local_name = self.local_name;
        report.tx_power = self.tx_power.and_then(|power| power.try_into().ok());
        report.appearance = self.appearance.and_then(|number| number.try_into().ok());
        report.connectable = self.connectable.map(|yes| yes != 0);
        report.raw = self.raw;
        if let Some(lists) = lists {
            report.services = lists.services;
            report.manufacturer_data = lists.manufacturer;
            report.service_data = lists.service_data;
        }
        report
    }
}

fn list<T: serde::de::DeserializeOwned>(json: Option<&str>) -> Option<Vec<T>> {
    match json {
        None => Some(Vec::new()),
        Some(json) => serde_json::from_str(json).ok(),
    }
}

fn kind_of_address(name: &str) -> Option<AddressKind> {
    [
        AddressKind::Public,
        AddressKind::RandomStatic,
        AddressKind::RandomResolvable,
        AddressKind::RandomNonResolvable,
    ]
    .into_iter()
    .find(|kind| address_kind(*kind) == name)
}

impl Session {
    /// What the advertisements among these events contained; and up to which event, if `budget` bytes were
    /// not enough for all.
    pub(crate) fn reports(
        &self,
        first: i64,
        last: i64,
        budget: usize,
    ) -> Result<(HashMap<i64, Report>, Option<i64>)> {
        let mut by_event: HashMap<i64, Report> = HashMap::new();
        let (mut bytes, mut upto) = (0, None);
        self.each_row(
            &format!(
                "SELECT event, {} FROM advertisement WHERE event BETWEEN ?1 AND ?2 ORDER BY event",
                contents()
            ),
            [first, last],
            |row| {
                if upto.is_some() {
                    return Ok(());
                }
                let event = row.get(0)?;
                let report = Report::of(row, 1)?;
                bytes += report.len();
                by_event.insert(event, report);
                if bytes > budget {
                    upto = Some(event);
                }
                Ok(())
            },
        )?;
        for report in by_event.values_mut() {
            report.broken |= report.lists().is_none();
        }
        Ok((by_event, upto))
    }

    /// The last `most` advertisements before event `before`, oldest first, each with the number of its
    /// event; none only where there are no earlier ones. Their times are session times. One whose row is
    /// not as it was written is left out.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn advertisements(&self, before: i64, most: usize) -> Result<Vec<(i64, Advertisement)>> {
        let mut before = before;
        loop {
            let heard = self.heard(before, most)?;
            let (Some(first), Some(last)) = (heard.front(), heard.back()) else {
                return Ok(Vec::new());
            };
            before = first.0;
            let (mut reports, _) = self.reports(first.0, last.0, usize::MAX)?;
            let whole: Vec<_> = heard
                .into_iter()
                .filter_map(|(event, at, rssi, device)| {
                    let report = reports.remove(&event).filter(|report| !report.broken)?;
                    let device = DeviceId::from(device.as_str());
                    Some((event, report.heard(device, at, rssi)))
                })
                .collect();
            if !whole.is_empty() {
                return Ok(whole);
            }
        }
    }

    /// Hands over every advertisement of a device within a time, oldest first, until `one` wants no more. Their times
    /// are session times. One whose row is not as it was written is left out.
    ///
    /// There is no index by device: all advertisements of that time are gone through.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn advertisements_of(
        &self,
        device: &DeviceId,
        within: impl RangeBounds<SessionTime>,
        mut one: impl FnMut(Advertisement) -> ControlFlow<()>,
    ) -> Result<()> {
        let (from, to) = times(&within);
        let (first, last) = self.range(from, to)?;
        let sql = format!(
            "SELECT e.t_ns, e.number, {}
               FROM advertisement AS a CROSS JOIN event AS e ON e.id = a.event
              WHERE a.event BETWEEN ?2 AND ?3 AND e.t_ns >= ?4 AND e.t_ns < ?5
                AND e.device IN (SELECT id FROM device WHERE identifier = ?1) ORDER BY a.event",
            contents()
        );
        self.rows_until(
            &sql,
            params![device.as_str(), first, last, from, to],
            |row| {
                let mut report = Report::of(row, 2)?;
                report.broken |= report.lists().is_none();
                if report.broken {
                    return Ok(ControlFlow::Continue(()));
                }
                let report = report.heard(device.clone(), Timestamp(row.get(0)?), row.get(1)?);
                Ok(one(report))
            },
        )
    }

    /// The events of the last `most` advertisements before one: number, time, RSSI, and whose.
    fn heard(&self, before: i64, most: usize) -> Result<VecDeque<Heard>> {
        let sql = "SELECT a.event, e.t_ns, e.number, d.identifier
               FROM advertisement AS a
               CROSS JOIN event AS e ON e.id = a.event JOIN device AS d ON d.id = e.device
              WHERE a.event < ?1 ORDER BY a.event";
        let one = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Heard> {
            let rssi: Option<i64> = row.get(2)?;
            let device = text(row.get_ref(3)?).unwrap_or_default();
            Ok((row.get(0)?, Timestamp(row.get(1)?), rssi, device))
        };
        if self.is_cut_off() {
            // From the end, nothing of it can be reached.
            let mut heard = VecDeque::new();
            self.each_row(sql, [before], |row| {
                heard.push_back(one(row)?);
                if heard.len() > most {
                    heard.pop_front();
                }
                Ok(())
            })?;
            return Ok(heard);
        }
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let heard = self.all(&format!("{sql} DESC LIMIT ?2"), params![before, most], one)?;
        Ok(heard.into_iter().rev().collect())
    }
}
