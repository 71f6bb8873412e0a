//! A capture file (pcapng) that Wireshark and tshark dissect, made of what the system told.
//!
//! A session has no packets: it has what the operating system said of them. Each event becomes the
//! packet that it stands for, ATT in L2CAP in HCI (H4 with direction, link type 201), with the bytes
//! that were recorded; what had to be made up for that is said in the comment of the packet. What
//! has no packet, such as a note or a loss, becomes an empty vendor-specific event that carries the
//! text as its comment, so that no event is left out.

mod att;
mod blocks;
mod handles;
mod hci;

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::Write;
use std::path::Path;

use radio::{Address, AttrId, AttrKind, Generation, Handle, Properties};
use serde::Deserialize;
use uuid::Uuid;

use self::blocks::{Blocks, Packet};
use self::handles::Handles;
use self::hci::Peer;
pub(crate) use self::hci::{hex, unhex};
use super::walk::walk;
use super::words::{adapter_state, disconnect_reason, notify_mode, visible};
use super::{Export, OnProgress, Summary};
use crate::{
    Attribute, Device, DeviceKey, Error, Filter, Kind, Link, LinkKey, Recorded, Result, Session,
};

/// The ATT MTU of a link of which the system tells none: the longest that any value needs.
const ASSUMED_MTU: u16 = 517;

/// How many requests of one link may wait for an answer before the oldest is taken as unanswered.
const MAX_WAITING: usize = 64;

/// What the whole file says of itself.
const ABOUT: &str = "Made by Gattscope from a session file, not captured on a bus. Attribute values, \
operations and times are as the operating system told them. Synthetic throughout: HCI and L2CAP \
framing, connection handles, connection parameters, and what a packet's own comment says. \
Vendor-specific events stand for what is no packet; their comment is the event.";

/// Events as a capture of Bluetooth HCI in the pcapng format. [`Summary::rows`] counts packets.
///
/// - Advertisements are LE Advertising Reports, extended ones where 31 bytes do not hold the data.
///   Where the system gave no raw bytes, the AD structures are put together from what it told.
/// - Connections are LE Connection Complete and Disconnection Complete events.
/// - Reads, writes, notifications and indications are ATT. A value that one PDU does not hold is
///   read by parts; written, it is shown as one PDU. A link has one request at a time: one that was
///   asked for while another was under way is shown where that was answered. Where the system does
///   not tell the ATT MTU, it is 517.
/// - A subscription is the write of the Client Characteristic Configuration that it causes.
/// - An attribute whose handle the system did not tell gets one, and every packet with it says so.
#[derive(Clone, Debug, Default)]
pub struct Pcapng {
    /// Which events. In front of the first of a link stands, whatever the filter, what Wireshark
    /// needs to name its attributes: the connection and the discovery.
    pub filter: Filter,
}

impl Export for Pcapng {
    fn write(
        &self,
        session: &Session,
        writer: &mut dyn Write,
        target: &Path,
        progress: &mut OnProgress<'_>,
    ) -> Result<Summary> {
        let attributes = session.attribute_table()?;
        let mut out = Blocks::new(writer, target);
        out.start(&session.info()?.writer, ABOUT)?;
        let links = session.links()?.into_iter();
        let mut capture = Capture {
            session,
            out,
            devices: session.device_table()?,
            links: links.map(|link| (link.key, link)).collect(),
            handles: Handles::new(&attributes),
            generations: generations(&attributes),
            attributes,
            peers: HashMap::new(),
            air: HashMap::new(),
            discovered: HashSet::new(),
            filter: &self.filter,
        };
        let walked = walk(session, &self.filter, progress, |event| {
            capture.event(event)
        })?;
        capture.end()?;
        let (packets, bytes) = capture.out.finish()?;
        let summary = walked.finish(progress, bytes)?;
        Ok(Summary {
            rows: packets,
            ..summary
        })
    }
}

/// A request that was asked for.
struct Asked {
    at: i64,
    attribute: AttrId,
    pdu: Vec<u8>,
    comments: Vec<String>,
}

/// A link as the capture shows it.
struct Air {
    /// The connection handle.
    handle: u16,
    /// The ATT MTU, once it is told or assumed.
    mtu: Option<u16>,
    /// The request that is under way: its attribute and opcode.
    under_way: Option<(AttrId, u8)>,
    waiting: VecDeque<Asked>,
    /// Attributes whose last write expects no answer.
    commanded: HashSet<AttrId>,
}

/// What an advertisement contained, by [`Session::advertisement_json`].
#[derive(Default, Deserialize)]
struct Contents {
    address: Option<String>,
    address_kind: Option<String>,
    #[serde(flatten)]
    structures: hci::Structures,
    connectable: Option<bool>,
    raw: Option<String>,
}

struct Capture<'a, W: Write> {
    session: &'a Session,
    out: Blocks<'a, W>,
    devices: HashMap<DeviceKey, Device>,
    links: HashMap<LinkKey, Link>,
    attributes: HashMap<AttrId, Attribute>,
    handles: Handles,
    peers: HashMap<DeviceKey, (Peer, Vec<String>)>,
    air: HashMap<Option<LinkKey>, Air>,
    /// The attributes of each discovery, in their order, and the discoveries of each link.
    generations: Generations,
    discovered: HashSet<Generation>,
    filter: &'a Filter,
}

#[derive(Default)]
struct Generations {
    attributes: HashMap<Generation, Vec<AttrId>>,
    of_link: HashMap<LinkKey, Vec<Generation>>,
}

fn generations(attributes: &HashMap<AttrId, Attribute>) -> Generations {
    let mut all: Vec<_> = attributes.values().map(|a| (a.id, a.link)).collect();
    all.sort();
    let mut generations = Generations::default();
    for (id, link) in all {
        let members = generations.attributes.entry(id.generation).or_default();
        if members.is_empty() {
            let of_link = generations.of_link.entry(link).or_default();
            of_link.push(id.generation);
        }
        members.push(id);
    }
    generations
}

impl<W: Write> Capture<'_, W> {
    fn event(&mut self, event: &Recorded) -> Result<()> {
        let at = self.session.anchors().wall_time(event.at).unix_ns;
        match event.kind {
            Kind::Advertisement => self.advertisement(at, event),
            Kind::ScanStarted | Kind::ScanStopped => self.scan(at, event),
            Kind::Connecting => self.connecting(at, event),
            Kind::Connected => match event.link {
                Some(_) => self.air(at, event.link, false).map(|_| ()),
                None => self.told(at, "Connected; the link is not known."),
            },
            Kind::ConnectFailed => self.connect_failed(at, event),
            Kind::Mtu => self.mtu(at, event),
            Kind::Discovered => self.discovered(at, event),
            Kind::Disconnected => self.disconnected(at, event),
            Kind::Rssi => {
                let connection = self.air(at, event.link, true)?.handle;
                let bytes = hci::rssi(connection, hci::dbm(event.number));
                self.packet(at, false, &bytes, &[])
            }
            Kind::ReadRequest => self.ask(at, event, att::READ_REQUEST),
            Kind::WriteRequest => {
                if let Some(id) = event.attribute {
                    self.air(at, event.link, true)?.commanded.remove(&id);
                }
                self.ask(at, event, att::WRITE_REQUEST)
            }
            Kind::WriteCommand => {
                if let Some(id) = event.attribute {
                    self.air(at, event.link, true)?.commanded.insert(id);
                }
                self.value(at, event, att::WRITE_COMMAND)
            }
            Kind::ReadResult => self.answer(at, event, att::READ_REQUEST),
            Kind::WriteResult => {
                let air = self.air(at, event.link, true)?;
                let commanded = event.attribute.filter(|id| air.commanded.remove(id));
                match (commanded, event.status) {
                    (Some(_), Some(0) | None) => Ok(()),
                    (Some(_), Some(_)) => self.failed(at, event, "A write command"),
                    (None, _) => self.answer(at, event, att::WRITE_REQUEST),
                }
            }
            Kind::Subscribed | Kind::Unsubscribed => self.configure(at, event),
            Kind::Notification | Kind::NotificationOrIndication => {
                self.value(at, event, att::NOTIFICATION)
            }
            Kind::Indication => {
                self.value(at, event, att::INDICATION)?;
                let said = "Synthetic: every indication is confirmed.".to_owned();
                self.att(at, event.link, true, &[att::CONFIRMATION], &[said])
            }
            Kind::AdapterState => {
                let adapter = event.detail.as_deref().unwrap_or("The adapter");
                let state = adapter_state(event.number);
                self.told(at, &format!("{adapter}: {state}"))
            }
            Kind::Sampling => {
                let choice = event.detail.as_deref().unwrap_or_default();
                let left_out = event.number.unwrap_or(0);
                self.told(at, &format!("{choice}: {left_out} left out before this"))
            }
            Kind::Gap => self.gap(at, event),
            Kind::Error => self.failed(at, event, "Something"),
            Kind::Note | Kind::Marker => {
                let text = event.detail.as_deref().unwrap_or_default();
                self.told(at, &format!("{}: {text}", event.kind.name()))
            }
        }
    }

    /// What still waits.
    fn end(&mut self) -> Result<()> {
        let mut links: Vec<_> = self.air.keys().copied().collect();
        links.sort();
        links.into_iter().try_for_each(|link| self.give_up(link))
    }

    fn packet(&mut self, at: i64, sent: bool, bytes: &[u8], comments: &[String]) -> Result<()> {
        self.out.packet(&Packet {
            at,
            sent,
            bytes,
            comments,
        })
    }

    /// Something that is no packet.
    fn told(&mut self, at: i64, text: &str) -> Result<()> {
        self.packet(at, false, &hci::nothing(), &[visible(text).into_owned()])
    }

    fn att(
        &mut self,
        at: i64,
        link: Option<LinkKey>,
        sent: bool,
        pdu: &[u8],
        comments: &[String],
    ) -> Result<()> {
        let connection = self.air(at, link, true)?.handle;
        self.packet(at, sent, &hci::att(connection, sent, pdu), comments)
    }

    /// The link on the air; if it is met for the first time, its connection comes first.
    fn air(&mut self, at: i64, link: Option<LinkKey>, late: bool) -> Result<&mut Air> {
        let handle = match link {
            Some(LinkKey(link)) => hci::connection_handle(link),
            None => hci::UNKNOWN_LINK,
        };
        if !self.air.contains_key(&link) {
            let device = link
                .and_then(|link| self.links.get(&link))
                .map(|l| l.device);
            let (peer, mut comments) = self.peer(device)?;
            comments.insert(0, "Synthetic: connection handle and parameters.".into());
            if late {
                comments.insert(
                    0,
                    "The link came up before what was exported, or the recording does not tell when."
                        .into(),
                );
            }
            let bytes = hci::connection_complete(0, handle, peer);
            self.packet(at, false, &bytes, &comments)?;
        }
        Ok(self.air.entry(link).or_insert_with(|| Air {
            handle,
            mtu: None,
            under_way: None,
            waiting: VecDeque::new(),
            commanded: HashSet::new(),
        }))
    }

    /// The address of a device, and what of it is made up.
    fn peer(&mut self, device: Option<DeviceKey>) -> Result<(Peer, Vec<String>)> {
        let Some(key) = device else {
            let said = "Synthetic: the address; the device is not known.".to_owned();
            return Ok((Peer::made_up(0), vec![said]));
        };
        if let Some(known) = self.peers.get(&key) {
            return Ok(known.clone());
        }
        let known = match self.devices.get(&key) {
            None => peer(key, "", None, None),
            Some(device) => {
                let (address, kind) = self.session.advertised_address(device)?;
                peer(key, &device.identifier, address.as_deref(), kind.as_deref())
            }
        };
        self.peers.insert(key, known.clone());
        Ok(known)
    }

    fn advertisement(&mut self, at: i64, event: &Recorded) -> Result<()> {
        let damaged = |reason: String| Error::Damaged {
            path: self.session.path().to_owned(),
            reason: format!("advertisement {}: {reason}", event.id),
        };
        let contents: Contents = match self.session.advertisement_json(event.id)? {
            Some(json) => {
                serde_json::from_str(&json).map_err(|error| damaged(error.to_string()))?
            }
            None => Contents::default(),
        };
        let key = event.device.unwrap_or(DeviceKey(0));
        let identifier = self.devices.get(&key).map(|device| &*device.identifier);
        let (peer, mut comments) = peer(
            key,
            identifier.unwrap_or_default(),
            contents.address.as_deref(),
            contents.address_kind.as_deref(),
        );
        let data = match contents.raw.as_deref().map(hci::unhex) {
            Some(Some(raw)) => raw,
            Some(None) => return Err(damaged("its bytes are not hexadecimal".into())),
            None => {
                let (data, shortened) = contents.structures.bytes();
                comments.push(
                    "Synthetic: the AD structures, put together from what the system told.".into(),
                );
                if shortened {
                    comments
                        .push("A structure was too long for its length byte; it is cut.".into());
                }
                data
            }
        };
        if contents.connectable.is_none() {
            comments.push("Synthetic: that it is connectable.".into());
        }
        let connectable = contents.connectable.unwrap_or(true);
        for report in hci::advertising_reports(peer, connectable, &data, hci::dbm(event.number)) {
            self.packet(at, false, &report, &comments)?;
        }
        Ok(())
    }

    fn scan(&mut self, at: i64, event: &Recorded) -> Result<()> {
        let on = event.kind == Kind::ScanStarted;
        let mut comments =
            vec!["Synthetic: what was asked of the system, as a command.".to_owned()];
        if let Some(filter) = &event.detail {
            comments.push(visible(&format!("Listened for: {filter}")).into_owned());
        }
        self.packet(at, true, &hci::scan_enable(on), &comments)
    }

    fn connecting(&mut self, at: i64, event: &Recorded) -> Result<()> {
        let (peer, mut comments) = self.peer(event.device)?;
        comments.insert(
            0,
            "Synthetic: what was asked of the system, as a command.".into(),
        );
        self.packet(at, true, &hci::create_connection(peer), &comments)
    }

    fn connect_failed(&mut self, at: i64, event: &Recorded) -> Result<()> {
        let (peer, mut comments) = self.peer(event.device)?;
        comments.insert(0, "Synthetic: the status code; no link came up.".into());
        if let Some(why) = &event.detail {
            comments.push(visible(why).into_owned());
        }
        let bytes = hci::connection_complete(hci::FAILED_TO_BE_ESTABLISHED, 0, peer);
        self.packet(at, false, &bytes, &comments)
    }

    fn mtu(&mut self, at: i64, event: &Recorded) -> Result<()> {
        let mtu = event.number.and_then(|mtu| u16::try_from(mtu).ok());
        let Some(mtu) = mtu.filter(|mtu| *mtu >= radio::DEFAULT_ATT_MTU) else {
            return self.told(
                at,
                "The ATT MTU became known, but not as a number that can be.",
            );
        };
        let said = "Synthetic: only the outcome of the exchange is known.";
        self.exchange_mtu(at, event.link, mtu, said)
    }

    fn exchange_mtu(&mut self, at: i64, link: Option<LinkKey>, mtu: u16, said: &str) -> Result<()> {
        self.air(at, link, true)?.mtu = Some(mtu);
        for (sent, opcode) in [(true, att::MTU_REQUEST), (false, att::MTU_RESPONSE)] {
            let pdu = att::with_handle(opcode, mtu, &[]);
            self.att(at, link, sent, &pdu, &[said.to_owned()])?;
        }
        Ok(())
    }

    /// Shows a link as it must be before the first operation on its attributes.
    fn ready(&mut self, at: i64, link: Option<LinkKey>) -> Result<()> {
        if self.air(at, link, true)?.mtu.is_none() {
            let said =
                "Synthetic: the exchange and its outcome; the system has not told the ATT MTU.";
            self.exchange_mtu(at, link, ASSUMED_MTU, said)?;
        }
        Ok(())
    }

    /// A discovery ended: the first of its link that has not been shown yet. The ATT MTU may be told
    /// after it, so none is assumed for it.
    fn discovered(&mut self, at: i64, event: &Recorded) -> Result<()> {
        let of_link = event
            .link
            .and_then(|link| self.generations.of_link.get(&link));
        let next = of_link
            .into_iter()
            .flatten()
            .find(|generation| !self.discovered.contains(generation));
        match next.copied() {
            Some(generation) => self.discovery(at, event.link, generation),
            None => {
                let found = event.number.unwrap_or(0);
                self.told(at, &format!("Discovery found {found} attributes."))
            }
        }
    }

    /// Shows a discovery, once.
    fn discovery(&mut self, at: i64, link: Option<LinkKey>, generation: Generation) -> Result<()> {
        if !self.discovered.insert(generation) {
            return Ok(());
        }
        let members = self.generations.attributes.get(&generation);
        let found: Vec<_> = members
            .into_iter()
            .flatten()
            .filter_map(|id| self.attributes.get(id))
            .collect();
        let any_made_up = found.iter().any(|attribute| attribute.handle.is_none());
        let mut comments = vec![
            "Synthetic: what discovery found, as questions and answers that tell it; handles of \
             declarations."
                .to_owned(),
        ];
        if any_made_up {
            comments.push("Synthetic: the handles.".into());
        }
        let mtu = self.air.get(&link).and_then(|air| air.mtu);
        let mtu = mtu.unwrap_or(radio::DEFAULT_ATT_MTU);
        let said = att::discovery(&found, &self.handles, mtu);
        for (question, answer) in said {
            self.att(at, link, true, &question, &comments)?;
            self.att(at, link, false, &answer, &comments)?;
        }
        Ok(())
    }

    fn disconnected(&mut self, at: i64, event: &Recorded) -> Result<()> {
        let connection = self.air(at, event.link, true)?.handle;
        self.give_up(event.link)?;
        let mut comments = vec![format!(
            "Synthetic: the reason code. Known: {}.",
            disconnect_reason(event.number)
        )];
        if let Some(words) = &event.detail {
            comments.push(visible(words).into_owned());
        }
        let bytes = hci::disconnection_complete(connection, event.number);
        self.packet(at, false, &bytes, &comments)
    }

    /// The handle of the attribute of an event, its discovery shown; and what of it is made up.
    fn handle(
        &mut self,
        at: i64,
        event: &Recorded,
    ) -> Result<Option<(AttrId, Handle, Vec<String>)>> {
        let Some(id) = event.attribute else {
            let kind = event.kind.name();
            self.told(at, &format!("{kind} of an attribute that is not known."))?;
            return Ok(None);
        };
        self.ready(at, event.link)?;
        self.discovery(at, event.link, id.generation)?;
        let (handle, made_up) = self.handles.of(id);
        let comments = made_up.then(|| match self.attributes.get(&id) {
            Some(attribute) => format!(
                "Synthetic: handle {handle}, for {}; the system does not tell handles.",
                attribute.uuid
            ),
            None => format!("Synthetic: handle {handle}; the attribute is not known."),
        });
        Ok(Some((id, handle, comments.into_iter().collect())))
    }

    /// A PDU that carries a handle and a value, and waits for nothing.
    fn value(&mut self, at: i64, event: &Recorded, opcode: u8) -> Result<()> {
        let Some((_, handle, mut comments)) = self.handle(at, event)? else {
            return Ok(());
        };
        if event.kind == Kind::NotificationOrIndication {
            comments.push(
                "Synthetic: that it is a notification; the system does not tell it from an indication."
                    .into(),
            );
        }
        let value = event.value.as_deref().unwrap_or_default();
        let value = self.fit(event.link, value, &mut comments);
        let pdu = att::with_handle(opcode, handle.0, value);
        let sent = opcode == att::WRITE_COMMAND;
        self.att(at, event.link, sent, &pdu, &comments)
    }

    fn mtu_of(&self, link: Option<LinkKey>) -> usize {
        let told = self.air.get(&link).and_then(|air| air.mtu);
        told.unwrap_or(ASSUMED_MTU).into()
    }

    /// Says if a value is longer than one PDU of the link holds, and cuts what no frame holds.
    fn fit<'v>(
        &self,
        link: Option<LinkKey>,
        value: &'v [u8],
        comments: &mut Vec<String>,
    ) -> &'v [u8] {
        let mtu = self.mtu_of(link);
        if value.len() + 3 > mtu {
            comments.push(format!(
                "Synthetic: one PDU for {} bytes; an ATT MTU of {mtu} takes several.",
                value.len()
            ));
        }
        if value.len() > hci::MAX_VALUE {
            comments.push(format!("Cut: only the first {} bytes.", hci::MAX_VALUE));
        }
        &value[..value.len().min(hci::MAX_VALUE)]
    }

    /// A value that was read: in one answer, or by parts.
    fn was_read(
        &mut self,
        at: i64,
        link: Option<LinkKey>,
        handle: Handle,
        value: &[u8],
        mut comments: Vec<String>,
    ) -> Result<()> {
        let room = self.mtu_of(link) - 1;
        let (first, mut rest) = value.split_at(value.len().min(room));
        self.att(
            at,
            link,
            false,
            &[&[att::READ_RESPONSE], first].concat(),
            &comments,
        )?;
        comments.push("Synthetic: how the value was read by parts.".into());
        let mut offset = first.len();
        // An answer that is full does not tell that nothing follows, unless no value is longer.
        let mut full = first.len() == room && offset < radio::MAX_ATTRIBUTE_LEN;
        while full || !rest.is_empty() {
            let Ok(from) = u16::try_from(offset) else {
                let said = format!("Cut: {} bytes more, which no offset reaches.", rest.len());
                return self.told(at, &said);
            };
            let (part, after) = rest.split_at(rest.len().min(room));
            let question = att::with_handle(att::READ_BLOB_REQUEST, handle.0, &from.to_le_bytes());
            self.att(at, link, true, &question, &comments)?;
            self.att(
                at,
                link,
                false,
                &[&[att::READ_BLOB_RESPONSE], part].concat(),
                &comments,
            )?;
            offset += part.len();
            full = part.len() == room && offset < radio::MAX_ATTRIBUTE_LEN;
            rest = after;
        }
        Ok(())
    }

    /// A request: sent now, or when those before it are answered.
    fn ask(&mut self, at: i64, event: &Recorded, opcode: u8) -> Result<()> {
        let Some((id, handle, mut comments)) = self.handle(at, event)? else {
            return Ok(());
        };
        let value = event.value.as_deref().unwrap_or_default();
        let value = self.fit(event.link, value, &mut comments);
        let asked = Asked {
            at,
            attribute: id,
            pdu: att::with_handle(opcode, handle.0, value),
            comments,
        };
        let answer = match opcode {
            att::READ_REQUEST => Kind::ReadResult,
            _ => Kind::WriteResult,
        };
        if !self.filter.kinds.is_empty() && !self.filter.kinds.contains(&answer) {
            // Nobody will tell when it was answered.
            return self.send(at, event.link, asked);
        }
        let air = self.air(at, event.link, true)?;
        air.waiting.push_back(asked);
        if air.under_way.is_some() && air.waiting.len() <= MAX_WAITING {
            return Ok(());
        }
        self.next(at, event.link)
    }

    /// Sends the request that has waited longest.
    fn next(&mut self, at: i64, link: Option<LinkKey>) -> Result<()> {
        let air = self.air(at, link, true)?;
        air.under_way = None;
        let Some(asked) = air.waiting.pop_front() else {
            return Ok(());
        };
        let opcode = asked.pdu.first().copied().unwrap_or_default();
        air.under_way = Some((asked.attribute, opcode));
        self.send(at, link, asked)
    }

    fn send(&mut self, at: i64, link: Option<LinkKey>, mut asked: Asked) -> Result<()> {
        if asked.at != at {
            asked.comments.push(format!(
                "Synthetic: the time. It was asked for {} ms earlier, while another request was \
                 under way.",
                at.saturating_sub(asked.at) / 1_000_000
            ));
        }
        self.att(at, link, true, &asked.pdu, &asked.comments)
    }

    /// Shows what was asked for and never answered.
    fn give_up(&mut self, link: Option<LinkKey>) -> Result<()> {
        let Some(air) = self.air.get_mut(&link) else {
            return Ok(());
        };
        air.under_way = None;
        for mut asked in std::mem::take(&mut air.waiting) {
            asked.comments.push("No answer was recorded.".into());
            self.att(asked.at, link, true, &asked.pdu, &asked.comments)?;
        }
        Ok(())
    }

    /// The answer to a request, or that there is none.
    fn answer(&mut self, at: i64, event: &Recorded, request: u8) -> Result<()> {
        let Some((id, handle, comments)) = self.handle(at, event)? else {
            return Ok(());
        };
        let refused = match event.status {
            Some(0) | None => None,
            Some(code) => Some(u8::try_from(code).ok().filter(|code| *code > 0)),
        };
        let air = self.air(at, event.link, true)?;
        let matches = |asked: &Asked| asked.attribute == id && asked.pdu.first() == Some(&request);
        let expected = air.under_way == Some((id, request));
        let waiting = air.waiting.iter().position(matches);
        let waiting = waiting
            .filter(|_| !expected)
            .and_then(|place| air.waiting.remove(place));
        let known = expected || waiting.is_some();
        if let Some(asked) = waiting {
            self.send(at, event.link, asked)?;
        } else if !known && refused != Some(None) {
            // A write without its bytes would say what was not.
            let mut comments = comments.clone();
            comments.push("Synthetic: the request; it is not among what was exported.".into());
            if request == att::WRITE_REQUEST {
                comments.push("The bytes that were written are not known.".into());
            }
            let pdu = att::with_handle(request, handle.0, &[]);
            self.att(at, event.link, true, &pdu, &comments)?;
        }
        match refused {
            Some(None) => self.failed(at, event, "A request")?,
            Some(Some(code)) => {
                let pdu = att::error(request, handle.0, code);
                self.att(at, event.link, false, &pdu, &comments)?;
            }
            None if request == att::READ_REQUEST => {
                let value = event.value.as_deref().unwrap_or_default();
                self.was_read(at, event.link, handle, value, comments)?;
            }
            None => self.att(at, event.link, false, &[att::WRITE_RESPONSE], &comments)?,
        }
        match known {
            // What was under way before is over, too: a link has one request at a time.
            true => self.next(at, event.link),
            false => Ok(()),
        }
    }

    /// A subscription begins or ends.
    fn configure(&mut self, at: i64, event: &Recorded) -> Result<()> {
        let Some((id, _, mut comments)) = self.handle(at, event)? else {
            return Ok(());
        };
        let refused = match event.status {
            Some(0) | None => None,
            Some(code) => match u8::try_from(code).ok().filter(|code| *code > 0) {
                Some(code) => Some(code),
                None => return self.failed(at, event, "A subscription, or its end,"),
            },
        };
        let (handle, made_up) = self.handles.configuration_of(id);
        let indications = match (event.kind, event.number) {
            (Kind::Unsubscribed, _) | (_, Some(1)) => false,
            (_, Some(2)) => true,
            _ => self.attributes.get(&id).is_some_and(|attribute| {
                let properties = attribute.properties;
                properties.contains(Properties::INDICATE)
                    && !properties.contains(Properties::NOTIFY)
            }),
        };
        let value: u16 = match event.kind {
            Kind::Unsubscribed => 0,
            _ if indications => 2,
            _ => 1,
        };
        let asked = match event.kind {
            Kind::Unsubscribed => "its end",
            _ => notify_mode(event.number),
        };
        comments.push(format!(
            "Synthetic: the write that a subscription causes ({asked}). Only its outcome was told."
        ));
        if made_up {
            comments.push(format!("Synthetic: handle {handle}."));
        }
        let pdu = att::with_handle(att::WRITE_REQUEST, handle.0, &value.to_le_bytes());
        self.att(at, event.link, true, &pdu, &comments)?;
        let pdu = match refused {
            Some(code) => att::error(att::WRITE_REQUEST, handle.0, code),
            None => vec![att::WRITE_RESPONSE],
        };
        self.att(at, event.link, false, &pdu, &comments)
    }

    /// Something failed without an answer of the peer.
    fn failed(&mut self, at: i64, event: &Recorded, what: &str) -> Result<()> {
        let why = event.detail.as_deref().unwrap_or("no reason was told");
        let of = match event.attribute {
            Some(id) => format!(" of handle {}", self.handles.of(id).0),
            None => String::new(),
        };
        let kind = event.kind.name();
        self.told(at, &format!("{what}{of} failed ({kind}): {why}"))
    }

    fn gap(&mut self, at: i64, event: &Recorded) -> Result<()> {
        let of = match event.attribute {
            Some(id) => format!(" of handle {}", self.handles.of(id).0),
            None => String::new(),
        };
        let text = match self.session.gap(event.id)? {
            Some(gap) => format!(
                "Missing here{of}: {} ({}), between {} s and {} s of the session.",
                match gap.count {
                    0 => "it is not known how many".to_owned(),
                    count => format!("{count} events"),
                },
                gap.cause.name(),
                gap.from.seconds(),
                gap.to.seconds(),
            ),
            None => format!("Missing here{of}: {} events.", event.number.unwrap_or(0)),
        };
        self.told(at, &text)
    }
}

/// The address of a device by what is known of it, and what is made up.
fn peer(
    key: DeviceKey,
    identifier: &str,
    address: Option<&str>,
    kind: Option<&str>,
) -> (Peer, Vec<String>) {
    let told = address.and_then(|address| address.parse::<Address>().ok());
    let Some(address) = told.or_else(|| identifier.parse().ok()) else {
        let said =
            format!("Synthetic: the address, for {identifier}; the system does not tell it.");
        return (Peer::made_up(key.0), vec![visible(&said).into_owned()]);
    };
    let random = kind.map(|kind| kind != "public");
    let peer = Peer {
        address,
        random: random.unwrap_or(false),
    };
    let comments = match random {
        Some(_) => Vec::new(),
        None => vec!["Synthetic: that the address is public.".to_owned()],
    };
    (peer, comments)
}

/// The 16 bits of a UUID that the Bluetooth SIG assigned (Core Specification, Vol 3, Part B, 2.5.1).
pub(super) fn short(uuid: Uuid) -> Option<u16> {
    let number = uuid.as_u128();
    let assigned = u16::try_from(number >> 96).ok()?;
    (number << 32 == BASE_UUID << 32).then_some(assigned)
}

/// The Bluetooth Base UUID.
const BASE_UUID: u128 = 0x0000_0000_0000_1000_8000_0080_5F9B_34FB;

/// A UUID as it goes over the air: 2 bytes if it is assigned, else 16; least significant first.
fn on_air(uuid: Uuid) -> Vec<u8> {
    match short(uuid) {
        Some(assigned) => assigned.to_le_bytes().to_vec(),
        None => uuid.as_u128().to_le_bytes().to_vec(),
    }
}

/// Whether an attribute is a Client Characteristic Configuration.
fn is_configuration(attribute: &Attribute) -> bool {
    attribute.kind == AttrKind::Descriptor && short(attribute.uuid) == Some(0x2902)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assigned_uuid_is_two_bytes_and_any_other_is_sixteen() {
        let heart_rate = Uuid::from_u128(0x180D << 96 | BASE_UUID);
        assert_eq!(on_air(heart_rate), [0x0D, 0x18]);
        let ours = Uuid::from_u128(0x180D);
        assert_eq!(on_air(ours), 0x180D_u128.to_le_bytes());
        let wide = Uuid::from_u128(0x1_180D << 96 | BASE_UUID);
        assert_eq!(on_air(wide).len(), 16);
    }
}
