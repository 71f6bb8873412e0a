//! Advertisements as a recording has them, made into reports again.

use bytes::Bytes;
use radio::{Advertisement, CompanyId, DeviceId, Rssi, Timestamp};
use rusqlite::params;
use serde::Deserialize;
use uuid::Uuid;

use crate::export::unhex;
use crate::recorder::address_kind;
use crate::{Error, Result, Session, SessionTime};

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
    use radio::AddressKind as Of;
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
        let kinds = [
            Of::Public,
            Of::RandomStatic,
            Of::RandomResolvable,
            Of::RandomNonResolvable,
        ];
        let known = kinds.into_iter().find(|kind| address_kind(*kind) == name);
        known.ok_or_else(|| format!("{name:?} is no kind of address"))
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

impl Session {
    /// The last `most` advertisements before event `before`, oldest first, each with the number of its
    /// event. Their times are session times.
    ///
    /// # Errors
    ///
    /// As for every read: the file is damaged, locked, or gone.
    pub fn advertisements(&self, before: i64, most: usize) -> Result<Vec<(i64, Advertisement)>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut heard = self.all(
            "SELECT a.event, e.t_ns, e.number, d.identifier
               FROM advertisement AS a
               JOIN event AS e ON e.id = a.event JOIN device AS d ON d.id = e.device
              WHERE a.event < ?1 ORDER BY a.event DESC LIMIT ?2",
            params![before, most],
            |row| {
                let at: i64 = row.get(1)?;
                let rssi: Option<i64> = row.get(2)?;
                let device: String = row.get(3)?;
                Ok((row.get::<_, i64>(0)?, at, rssi, device))
            },
        )?;
        heard.reverse();
        let mut reports = Vec::with_capacity(heard.len());
        for (event, at, rssi, device) in heard {
            let Some(json) = self.advertisement_json(event)? else {
                continue;
            };
            let mut report = parse(&json, DeviceId::from(device.as_str()), SessionTime(at))
                .map_err(|reason| Error::Damaged {
                    path: self.path().to_owned(),
                    reason: format!("event {event}: {reason}"),
                })?;
            report.rssi = rssi.and_then(|rssi| i16::try_from(rssi).ok()).map(Rssi);
            reports.push((event, report));
        }
        Ok(reports)
    }
}
