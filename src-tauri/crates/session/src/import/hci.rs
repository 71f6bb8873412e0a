//! Captures of the Host Controller Interface (Core Specification, Vol 4, Part E): gone through twice,
//! once for what was discovered, and once for what happened.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::Path;

use bytes::Bytes;
use radio::{
    Address, AddressKind, Advertisement, AttError, AttrId, CompanyId, DeviceId, Rssi, SampleKind,
    Timestamp,
};

use super::att::{Client, Op, half};
use super::capture::{End, Packet, Packets};
use super::gatt::{Discovery, uuid};
use super::store::Store;
use super::{Imported, Work};
use crate::event::Columns;
use crate::{Anchor, DeviceKey, Kind, LinkKey, Result, SessionTime, WallTime};

/// How often the progress is told, in packets.
const TELL: u64 = 4096;
/// The longest data of an extended advertisement, in bytes (Vol 6, Part B, 2.3.4.9).
const MAX_DATA: usize = 1650;
/// How many advertisements may wait for their next part.
const MAX_PARTS: usize = 1024;
/// The channel of the Attribute Protocol.
const ATT_CHANNEL: u16 = 4;
/// The reason of a disconnection that this side asked for: Connection Terminated By Local Host.
const BY_LOCAL_HOST: u8 = 0x16;

/// The other side: its address, and whether that is random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Peer(Address, bool);

impl Peer {
    /// A kind and six bytes, least significant first.
    fn read(bytes: &[u8]) -> Option<Self> {
        let [kind, g, e, d, c, b, a] = bytes.get(..7)?.try_into().ok()?;
        let random = kind == 1 || kind == 3;
        Some(Self(Address([a, b, c, d, e, g]), random))
    }

    fn kind(self) -> Option<AddressKind> {
        match self.1 {
            true => self.0.random_kind(),
            false => Some(AddressKind::Public),
        }
    }
}

/// What a packet says. Links are numbered in the order in which they are met.
#[derive(Debug)]
enum Heard {
    Advertisement {
        peer: Peer,
        connectable: Option<bool>,
        data: Vec<u8>,
        rssi: i8,
    },
    Scan(bool),
    Connecting(Peer),
    ConnectFailed(Peer, u8),
    /// A link that was up before the capture began has no peer.
    Link(usize, Option<Peer>, u16),
    Disconnected(usize, u8),
    Rssi(usize, i8),
    Att(usize, bool, Vec<u8>),
    Said(String),
}

/// A connection that is up.
struct Connection {
    link: usize,
    /// What has come of an L2CAP frame, sent and received.
    frames: [Vec<u8>; 2],
}

/// Makes of packets what they say.
#[derive(Default)]
struct Controller {
    connections: HashMap<u16, Connection>,
    links: usize,
    /// Advertisements of which more is to come.
    parts: HashMap<Peer, Vec<u8>>,
    /// Which way the last fragment went, where the capture does not tell.
    last_sent: bool,
}

impl Controller {
    fn packet(&mut self, packet: Packet, heard: &mut dyn FnMut(Heard)) {
        let Some((kind, bytes)) = packet.bytes.split_first() else {
            return;
        };
        // A packet that is not as it should be says nothing.
        let _ = match kind {
            1 => self.command(bytes, heard),
            2 => self.data(packet.sent, bytes, heard),
            4 => self.event(bytes, packet.comment, heard),
            _ => None,
        };
    }

    fn command(&self, bytes: &[u8], heard: &mut dyn FnMut(Heard)) -> Option<()> {
        let (opcode, data) = (half(bytes)?, bytes.get(3..)?);
        match opcode {
            // LE Set Scan Enable, LE Set Extended Scan Enable
            0x200C | 0x2042 => heard(Heard::Scan(*data.first()? == 1)),
            // LE Create Connection, LE Extended Create Connection
            0x200D => heard(Heard::Connecting(Peer::read(data.get(5..)?)?)),
            0x2043 => heard(Heard::Connecting(Peer::read(data.get(2..)?)?)),
            _ => {}
        }
        Some(())
    }

    fn event(
        &mut self,
        bytes: &[u8],
        comment: Option<String>,
        heard: &mut dyn FnMut(Heard),
    ) -> Option<()> {
        let (code, data) = (*bytes.first()?, bytes.get(2..)?);
        match code {
            // Disconnection Complete
            0x05 if *data.first()? == 0 => {
                let handle = half(data.get(1..)?)? & 0x0FFF;
                let reason = *data.get(3)?;
                if let Some(gone) = self.connections.remove(&handle) {
                    heard(Heard::Disconnected(gone.link, reason));
                }
            }
            // Command Complete of Read RSSI
            0x0E if half(data.get(1..)?)? == 0x1405 && *data.get(3)? == 0 => {
                let handle = half(data.get(4..)?)? & 0x0FFF;
                let rssi = i8::from_le_bytes([*data.get(6)?]);
                if let Some(connection) = self.connections.get(&handle) {
                    heard(Heard::Rssi(connection.link, rssi));
                }
            }
            0x3E => self.le_event(*data.first()?, data.get(1..)?, heard)?,
            // What a Gattscope has to say of what is no packet.
            0xFF if data.is_empty() => heard(Heard::Said(comment?)),
            _ => {}
        }
        Some(())
    }

    fn le_event(&mut self, code: u8, data: &[u8], heard: &mut dyn FnMut(Heard)) -> Option<()> {
        match code {
            // LE Connection Complete, LE Enhanced Connection Complete
            0x01 | 0x0A | 0x29 => {
                let (status, handle) = (*data.first()?, half(data.get(1..)?)? & 0x0FFF);
                let peer = Peer::read(data.get(4..)?)?;
                if status != 0 {
                    heard(Heard::ConnectFailed(peer, status));
                } else if let Some(link) = self.link(handle, true) {
                    heard(Heard::Link(link, Some(peer), handle));
                }
            }
            // LE Advertising Report
            0x02 => {
                let mut rest = data.get(1..)?;
                for _ in 0..*data.first()? {
                    let (kind, peer) = (*rest.first()?, Peer::read(rest.get(1..)?)?);
                    let end = 9 + usize::from(*rest.get(8)?);
                    let connectable = match kind {
                        0 | 1 => Some(true),
                        2 | 3 => Some(false),
                        _ => None,
                    };
                    heard(Heard::Advertisement {
                        peer,
                        connectable,
                        data: rest.get(9..end)?.to_vec(),
                        rssi: i8::from_le_bytes([*rest.get(end)?]),
                    });
                    rest = rest.get(end + 1..)?;
                }
            }
            // LE Extended Advertising Report
            0x0D => {
                let mut rest = data.get(1..)?;
                for _ in 0..*data.first()? {
                    let (kind, peer) = (half(rest)?, Peer::read(rest.get(2..)?)?);
                    let rssi = i8::from_le_bytes([*rest.get(13)?]);
                    let end = 24 + usize::from(*rest.get(23)?);
                    let part = rest.get(24..end)?;
                    rest = rest.get(end..)?;
                    let mut data = self.parts.remove(&peer).unwrap_or_default();
                    data.extend_from_slice(part);
                    if kind >> 5 & 3 == 1 && data.len() <= MAX_DATA {
                        if self.parts.len() >= MAX_PARTS {
                            self.parts.clear();
                        }
                        self.parts.insert(peer, data);
                        continue;
                    }
                    heard(Heard::Advertisement {
                        peer,
                        // The answer to a scan does not say whether its advertisement is.
                        connectable: (kind & 8 == 0).then_some(kind & 1 == 1),
                        data,
                        rssi,
                    });
                }
            }
            _ => {}
        }
        Some(())
    }

    /// The link of a connection handle: a new one, or the one that is up.
    fn link(&mut self, handle: u16, new: bool) -> Option<usize> {
        if let Some(connection) = self.connections.get(&handle).filter(|_| !new) {
            return Some(connection.link);
        }
        let link = self.links;
        self.links = self.links.checked_add(1)?;
        let frames = Default::default();
        self.connections.insert(handle, Connection { link, frames });
        Some(link)
    }

    /// ACL data: a frame, or a part of one.
    fn data(
        &mut self,
        sent: Option<bool>,
        bytes: &[u8],
        heard: &mut dyn FnMut(Heard),
    ) -> Option<()> {
        let flags = half(bytes)?;
        let (handle, boundary) = (flags & 0x0FFF, flags >> 12 & 3);
        let data = bytes.get(4..)?;
        let sent = sent.unwrap_or(match boundary {
            0 => true,
            2 => false,
            _ => self.last_sent,
        });
        self.last_sent = sent;
        if boundary != 1 {
            // Only what may be ATT makes a link known that was up before the capture.
            let channel = half(data.get(2..)?)?;
            let known = self.connections.contains_key(&handle);
            if channel != ATT_CHANNEL {
                if let Some(connection) = self.connections.get_mut(&handle) {
                    connection.frames[usize::from(sent)].clear();
                }
                return Some(());
            }
            let link = self.link(handle, false)?;
            if !known {
                heard(Heard::Link(link, None, handle));
            }
        }
        let connection = self.connections.get_mut(&handle)?;
        let frame = &mut connection.frames[usize::from(sent)];
        match boundary {
            1 if frame.is_empty() => return Some(()),
            1 => {}
            _ => frame.clear(),
        }
        frame.extend_from_slice(data);
        let len = 4 + usize::from(half(frame)?);
        if frame.len() >= len {
            let pdu = frame.get(4..len)?.to_vec();
            frame.clear();
            heard(Heard::Att(connection.link, sent, pdu));
        }
        Some(())
    }
}

/// Goes through the capture, and hands on what its packets say with their times.
fn listen(
    work: &mut Work<'_, '_>,
    file: &File,
    half_done: bool,
    heard: &mut dyn FnMut(i64, Heard) -> Result<u64>,
) -> Result<Listened> {
    let mut file = file;
    file.rewind().map_err(|error| work.unread(&error))?;
    let mut packets = Packets::new(BufReader::with_capacity(1 << 16, file));
    let mut controller = Controller::default();
    let mut listened = Listened::default();
    let (mut count, mut events) = (0_u64, 0);
    loop {
        let packet = match packets.next() {
            Ok(packet) => packet,
            Err(End::Whole) => break,
            Err(End::CutOff) => {
                listened.cut_off = true;
                break;
            }
            Err(End::Refused(reason)) => return Err(work.refuse(reason)),
            Err(End::Unread(error)) => return Err(work.unread(&error)),
        };
        let at = packet.at;
        listened.first.get_or_insert(at);
        let mut outcome = Ok(());
        controller.packet(packet, &mut |said| {
            if outcome.is_ok() {
                outcome = heard(at, said).map(|so_far| events = so_far);
            }
        });
        outcome?;
        if count.is_multiple_of(TELL) {
            let done = packets.position() / 2;
            work.tell(
                events,
                if half_done {
                    work.total / 2 + done
                } else {
                    done
                },
            )?;
        }
        count += 1;
    }
    Ok(listened)
}

#[derive(Default)]
struct Listened {
    first: Option<i64>,
    cut_off: bool,
}

pub(super) fn import(
    work: &mut Work<'_, '_>,
    target: &Path,
    place: &Path,
    file: &File,
) -> Result<(Store, Imported)> {
    let mut links: Vec<(Client, Discovery)> = Vec::new();
    let found = listen(work, file, false, &mut |at, said| {
        match said {
            Heard::Link(..) => links.push(Default::default()),
            Heard::Att(link, sent, pdu) => {
                if let Some((client, discovery)) = links.get_mut(link) {
                    client.pdu(at, sent, &pdu, &mut |op| survey(discovery, &op));
                }
            }
            _ => {}
        }
        Ok(0)
    })?;
    let start = found
        .first
        .ok_or_else(|| work.refuse("it has no packets"))?;
    let anchor = Anchor {
        at: SessionTime(0),
        wall: WallTime {
            unix_ns: start,
            utc_offset_s: 0,
        },
    };
    let mut writing = Writing {
        store: Store::create(target, place, anchor)?,
        start,
        discoveries: links.into_iter().map(|(_, discovery)| discovery).collect(),
        links: Vec::new(),
        devices: HashMap::new(),
        skipped: 0,
    };
    listen(work, file, true, &mut |at, said| {
        writing.heard(at, said)?;
        Ok(writing.store.events())
    })?;
    for link in 0..writing.links.len() {
        writing.end(link, None)?;
    }
    let imported = Imported {
        events: 0,
        skipped: writing.skipped,
        cut_off: found.cut_off,
    };
    Ok((writing.store, imported))
}

/// Collects what was discovered, and which handles were used.
fn survey(discovery: &mut Discovery, op: &Op) {
    match *op {
        Op::Service { start, end, uuid } => discovery.service(start, end, uuid),
        Op::Characteristic {
            declaration,
            properties,
            value,
            uuid,
        } => discovery.characteristic(declaration, properties, value, uuid),
        Op::Descriptor { handle, uuid } => discovery.descriptor(handle, uuid),
        Op::ReadRequest { handle, .. }
        | Op::ReadResult { handle, .. }
        | Op::Write { handle, .. }
        | Op::WriteResult { handle, .. }
        | Op::Value { handle, .. } => discovery.used(handle),
        Op::Mtu(_) => {}
    }
}

/// A link as it is written.
struct Air {
    key: LinkKey,
    device: DeviceKey,
    client: Client,
    attributes: HashMap<u16, AttrId>,
    /// How many attributes were discovered, until that is told.
    discovered: Option<usize>,
}

struct Writing {
    store: Store,
    start: i64,
    discoveries: Vec<Discovery>,
    links: Vec<Air>,
    devices: HashMap<String, (DeviceKey, String)>,
    skipped: u64,
}

impl Writing {
    fn time(&self, at: i64) -> SessionTime {
        SessionTime(at.saturating_sub(self.start))
    }

    fn device(&mut self, id: String, at: SessionTime) -> Result<DeviceKey> {
        if let Some((key, _)) = self.devices.get(&id) {
            return Ok(*key);
        }
        let key = DeviceKey(u32::try_from(self.devices.len() + 1).unwrap_or(u32::MAX));
        self.store.device(key, &id, at)?;
        self.devices.insert(id, (key, String::new()));
        Ok(key)
    }

    fn heard(&mut self, at: i64, heard: Heard) -> Result<()> {
        let now = self.time(at);
        match heard {
            Heard::Advertisement {
                peer,
                connectable,
                data,
                rssi,
            } => {
                let id = peer.0.to_string();
                let device = self.device(id.clone(), now)?;
                let report = report(peer, connectable, &data, now);
                let event = self.store.event(
                    now,
                    &Columns {
                        device: Some(device),
                        // 127: not known.
                        number: Some(i64::from(rssi)).filter(|rssi| *rssi != 127),
                        ..Columns::of(Kind::Advertisement)
                    },
                )?;
                self.store.advertisement(event, &report)?;
                if let Some((_, known)) = self.devices.get_mut(&id)
                    && let Some(name) = report.local_name
                    && *known != name
                {
                    self.store.device_name(device, &name)?;
                    *known = name;
                }
            }
            Heard::Scan(on) => {
                let kind = match on {
                    true => Kind::ScanStarted,
                    false => Kind::ScanStopped,
                };
                self.store.event(now, &Columns::of(kind))?;
            }
            Heard::Connecting(peer) => {
                let device = self.device(peer.0.to_string(), now)?;
                self.store.event(
                    now,
                    &Columns {
                        device: Some(device),
                        ..Columns::of(Kind::Connecting)
                    },
                )?;
            }
            Heard::ConnectFailed(peer, status) => {
                let device = self.device(peer.0.to_string(), now)?;
                self.store.event(
                    now,
                    &Columns {
                        device: Some(device),
                        status: Some(-1),
                        detail: Some(format!("HCI status 0x{status:02X}").into()),
                        ..Columns::of(Kind::ConnectFailed)
                    },
                )?;
            }
            Heard::Link(link, peer, handle) => self.link(link, peer, handle, now)?,
            Heard::Disconnected(link, reason) => self.end(link, Some((now, reason)))?,
            Heard::Rssi(link, rssi) => {
                let row = Columns {
                    number: Some(rssi.into()),
                    ..self.row(link, Kind::Rssi)
                };
                self.store.event(now, &row)?;
            }
            Heard::Att(link, sent, pdu) => {
                let Some(air) = self.links.get_mut(link) else {
                    return Ok(());
                };
                let mut ops = Vec::new();
                let placed = air.client.pdu(at, sent, &pdu, &mut |op| ops.push(op));
                self.skipped += u64::from(!placed);
                for op in ops {
                    self.op(link, now, op)?;
                }
            }
            Heard::Said(text) => {
                let (kind, text) = match text.split_once(": ") {
                    Some(("marker", label)) => (Kind::Marker, label),
                    Some(("note", text)) => (Kind::Note, text),
                    _ => (Kind::Note, &*text),
                };
                self.store.event(
                    now,
                    &Columns {
                        detail: Some(text.into()),
                        ..Columns::of(kind)
                    },
                )?;
            }
        }
        Ok(())
    }

    /// A row of an event of a link.
    fn row(&self, link: usize, kind: Kind) -> Columns<'static> {
        let air = self.links.get(link);
        Columns {
            device: air.map(|air| air.device),
            link: air.map(|air| air.key),
            ..Columns::of(kind)
        }
    }

    fn link(
        &mut self,
        link: usize,
        peer: Option<Peer>,
        handle: u16,
        now: SessionTime,
    ) -> Result<()> {
        let id = match peer {
            Some(peer) => peer.0.to_string(),
            None => format!("connection 0x{handle:04X}"),
        };
        let device = self.device(id, now)?;
        let key = LinkKey(u32::try_from(link + 1).unwrap_or(u32::MAX));
        self.store.link(key, device, now)?;
        let discovery = self.discoveries.get(link);
        let (all, discovered) = discovery.map_or_else(Default::default, |d| d.attributes(key));
        let mut attributes = HashMap::with_capacity(all.len());
        for new in all {
            self.store.attribute(&new)?;
            if let Some(handle) = new.handle {
                attributes.insert(handle.0, new.id);
            }
        }
        self.links.push(Air {
            key,
            device,
            client: Client::default(),
            attributes,
            discovered: Some(discovered).filter(|found| *found > 0),
        });
        if peer.is_some() {
            let row = self.row(link, Kind::Connected);
            self.store.event(now, &row)?;
        }
        Ok(())
    }

    /// What was discovered is told before anything is done with it.
    fn discovered(&mut self, link: usize, now: SessionTime) -> Result<()> {
        let found = self
            .links
            .get_mut(link)
            .and_then(|air| air.discovered.take());
        if let Some(found) = found {
            let row = Columns {
                number: i64::try_from(found).ok(),
                ..self.row(link, Kind::Discovered)
            };
            self.store.event(now, &row)?;
        }
        Ok(())
    }

    fn op(&mut self, link: usize, now: SessionTime, op: Op) -> Result<()> {
        let of = |this: &Self, kind, handle: u16| {
            let air = this.links.get(link);
            Columns {
                attribute: air.and_then(|air| air.attributes.get(&handle).copied()),
                ..this.row(link, kind)
            }
        };
        match op {
            Op::Service { .. } | Op::Characteristic { .. } | Op::Descriptor { .. } => {
                return Ok(());
            }
            Op::Mtu(mtu) => {
                let row = Columns {
                    number: Some(mtu.into()),
                    ..self.row(link, Kind::Mtu)
                };
                self.store.event(now, &row)?;
                return Ok(());
            }
            _ => self.discovered(link, now)?,
        }
        match op {
            Op::ReadRequest { at, handle } => {
                let row = of(self, Kind::ReadRequest, handle);
                self.store.event(self.time(at), &row)?;
            }
            Op::ReadResult { at, handle, result } => {
                let row = of(self, Kind::ReadResult, handle);
                self.result(
                    self.time(at),
                    row,
                    result.as_deref().map(Some).map_err(|code| *code),
                )?;
            }
            Op::WriteResult { at, handle, code } => {
                let row = of(self, Kind::WriteResult, handle);
                let result = if code == 0 { Ok(None) } else { Err(code) };
                self.result(self.time(at), row, result)?;
            }
            Op::Write {
                at,
                handle,
                value,
                answered,
            } => {
                let kind = match answered {
                    true => Kind::WriteRequest,
                    false => Kind::WriteCommand,
                };
                let row = Columns {
                    value: Some(&value),
                    ..of(self, kind, handle)
                };
                self.store.event(self.time(at), &row)?;
            }
            Op::Value {
                at,
                handle,
                kind,
                value,
            } => {
                let kind = match kind {
                    SampleKind::Indication => Kind::Indication,
                    _ => Kind::Notification,
                };
                let row = Columns {
                    value: Some(&value),
                    ..of(self, kind, handle)
                };
                self.store.event(self.time(at), &row)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// A row of what became of a request.
    fn result(
        &mut self,
        at: SessionTime,
        row: Columns<'_>,
        result: Result<Option<&[u8]>, u8>,
    ) -> Result<()> {
        match result {
            Ok(value) => self.store.event(
                at,
                &Columns {
                    value,
                    status: Some(0),
                    ..row
                },
            )?,
            Err(code) => self.store.event(
                at,
                &Columns {
                    status: Some(code.into()),
                    detail: Some(AttError(code).to_string().into()),
                    ..row
                },
            )?,
        };
        Ok(())
    }

    /// A link ends, or the capture does.
    fn end(&mut self, link: usize, down: Option<(SessionTime, u8)>) -> Result<()> {
        let Some(air) = self.links.get_mut(link) else {
            return Ok(());
        };
        let key = air.key;
        let mut ops = Vec::new();
        air.client.end(&mut |op| ops.push(op));
        for op in ops {
            let now = down.map_or(SessionTime(0), |(now, _)| now);
            self.op(link, now, op)?;
        }
        let Some((now, reason)) = down else {
            return Ok(());
        };
        self.discovered(link, now)?;
        self.store.event(
            now,
            &Columns {
                number: Some(if reason == BY_LOCAL_HOST { 0 } else { 1 }),
                detail: Some(format!("HCI reason 0x{reason:02X}").into()),
                ..self.row(link, Kind::Disconnected)
            },
        )?;
        self.store.link_down(key, now)
    }
}

/// A report with what its AD structures tell (Core Specification Supplement, Part A).
fn report(peer: Peer, connectable: Option<bool>, data: &[u8], at: SessionTime) -> Advertisement {
    let mut report = Advertisement::new(DeviceId::from(""), Timestamp(at.0));
    report.address = Some(peer.0);
    report.address_kind = peer.kind();
    report.connectable = connectable;
    report.rssi = None::<Rssi>;
    report.raw = Some(Bytes::copy_from_slice(data));
    let mut rest = data;
    while let Some((len, behind)) = rest.split_first() {
        let Some(structure) = behind.get(..usize::from(*len)) else {
            break;
        };
        rest = behind.get(usize::from(*len)..).unwrap_or_default();
        let Some((kind, value)) = structure.split_first() else {
            continue;
        };
        let services = |len: usize| value.chunks_exact(len).filter_map(uuid);
        let with_uuid = |len: usize| {
            let (of, data) = value.split_at_checked(len)?;
            Some((uuid(of)?, Bytes::copy_from_slice(data)))
        };
        match kind {
            0x02 | 0x03 => report.services.extend(services(2)),
            0x04 | 0x05 => report.services.extend(services(4)),
            0x06 | 0x07 => report.services.extend(services(16)),
            0x08 | 0x09 => {
                report.local_name = Some(String::from_utf8_lossy(value).into_owned());
            }
            0x0A => {
                let power = value.first().map(|power| i8::from_le_bytes([*power]));
                report.tx_power = power.map(i16::from);
            }
            0x19 => report.appearance = half(value),
            0x16 => report.service_data.extend(with_uuid(2)),
            0x20 => report.service_data.extend(with_uuid(4)),
            0x21 => report.service_data.extend(with_uuid(16)),
            0xFF => {
                if let Some(company) = half(value) {
                    let data = value.get(2..).unwrap_or_default();
                    let data = Bytes::copy_from_slice(data);
                    report.manufacturer_data.push((CompanyId(company), data));
                }
            }
            _ => {}
        }
    }
    report
}
