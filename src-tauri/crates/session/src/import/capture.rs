//! The packets of a capture file: btsnoop, and pcapng (draft-ietf-opsawg-pcapng). Both are read
//! packet by packet, and a length that cannot be ends the capture.

use std::io::{self, Read};

use super::fill;

/// The longest record that is believed, in bytes: many times what HCI can carry.
const MAX_RECORD: u32 = 1 << 20;

const BTSNOOP: &[u8] = b"btsnoop\0";
const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;

/// Microseconds from the year 0, from which btsnoop counts, to 1970.
const BTSNOOP_EPOCH_US: i64 = 0x00DC_DDB3_0F2F_8000;

/// A packet of the Host Controller Interface.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Packet {
    /// When, in nanoseconds since 1970.
    pub(super) at: i64,
    /// Whether it went to the controller; `None` if the capture does not tell.
    pub(super) sent: Option<bool>,
    /// The packet from its H4 type on.
    pub(super) bytes: Vec<u8>,
    /// What somebody said of it.
    pub(super) comment: Option<String>,
}

/// Why there is no further packet.
#[derive(Debug)]
pub(super) enum End {
    /// There is none.
    Whole,
    /// The file ends within one, or goes on with something else.
    CutOff,
    /// It is of no kind that is read, for this reason.
    Refused(String),
    /// It cannot be read.
    Unread(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Unread(error)
    }
}

/// Whether a file that begins so is a capture.
pub(super) fn is_one(start: &[u8]) -> bool {
    start.starts_with(BTSNOOP) || start.starts_with(&SECTION_HEADER.to_le_bytes())
}

/// How a record wraps its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrap {
    /// The packet from its H4 type on.
    H4,
    /// The same behind four bytes of direction.
    H4WithDirection,
    /// Without the type: the flags tell it (btsnoop 1001).
    Bare,
    /// The Linux monitor's own header, which pcapng has in front and btsnoop in its flags.
    Monitor,
}

/// Reads a capture packet by packet.
pub(super) struct Packets<R> {
    reader: R,
    done: u64,
    format: Format,
}

enum Format {
    Unknown,
    Btsnoop(Wrap),
    Pcapng(Section),
}

#[derive(Default)]
struct Section {
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// Whether any interface of the file is of Bluetooth HCI, and one that is not.
    any: bool,
    other: Option<u16>,
}

#[derive(Clone, Copy)]
struct Interface {
    wrap: Option<Wrap>,
    /// How many units of its time make a second.
    units: u64,
    offset_s: i64,
}

impl<R: Read> Packets<R> {
    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            done: 0,
            format: Format::Unknown,
        }
    }

    /// How many bytes were read.
    pub(super) fn position(&self) -> u64 {
        self.done
    }

    /// The next packet.
    pub(super) fn next(&mut self) -> Result<Packet, End> {
        if let Format::Unknown = self.format {
            self.begin()?;
        }
        loop {
            let packet = match self.format {
                Format::Btsnoop(wrap) => self.btsnoop(wrap)?,
                _ => self.block()?,
            };
            if let Some(packet) = packet {
                return Ok(packet);
            }
        }
    }

    fn begin(&mut self) -> Result<(), End> {
        let start = self.take::<4>()?;
        if start == SECTION_HEADER.to_le_bytes() {
            self.format = Format::Pcapng(Section::default());
            return self.section();
        }
        let rest = self.take::<4>()?;
        if [start, rest].concat() != BTSNOOP {
            return Err(End::Refused("it is no capture".into()));
        }
        let version = u32::from_be_bytes(self.take()?);
        let link = u32::from_be_bytes(self.take()?);
        if version != 1 {
            return Err(End::Refused(format!("its btsnoop version is {version}")));
        }
        self.format = Format::Btsnoop(match link {
            1001 => Wrap::Bare,
            1002 => Wrap::H4,
            2001 => Wrap::Monitor,
            _ => {
                return Err(End::Refused(format!(
                    "its link type is {link}, and not 1001, 1002 or 2001"
                )));
            }
        });
        Ok(())
    }

    /// Exactly so many bytes, or the capture ends here.
    fn take<const N: usize>(&mut self) -> Result<[u8; N], End> {
        let mut bytes = [0; N];
        let read = fill(&mut self.reader, &mut bytes)?;
        self.done += read as u64;
        match read {
            _ if read == N => Ok(bytes),
            0 => Err(End::Whole),
            _ => Err(End::CutOff),
        }
    }

    /// The rest of something that has begun.
    fn rest(&mut self, len: u32) -> Result<Vec<u8>, End> {
        if len > MAX_RECORD {
            return Err(End::CutOff);
        }
        let mut bytes = vec![0; len as usize];
        let read = fill(&mut self.reader, &mut bytes)?;
        self.done += read as u64;
        match read == bytes.len() {
            true => Ok(bytes),
            false => Err(End::CutOff),
        }
    }

    fn btsnoop(&mut self, wrap: Wrap) -> Result<Option<Packet>, End> {
        let header = self.take::<24>()?;
        let number = |at: usize| match header.get(at..at + 4) {
            Some([a, b, c, d]) => u32::from_be_bytes([*a, *b, *c, *d]),
            _ => 0,
        };
        let (len, flags) = (number(4), number(8));
        let micros = i64::from(number(16)) << 32 | i64::from(number(20));
        let bytes = self.rest(len)?;
        let at = micros.saturating_sub(BTSNOOP_EPOCH_US).saturating_mul(1000);
        let received = flags & 1 == 1;
        Ok(match wrap {
            Wrap::Monitor => monitor(flags as u16, &bytes),
            Wrap::Bare => {
                let kind = match (flags & 2 == 2, received) {
                    (false, _) => 2,
                    (true, false) => 1,
                    (true, true) => 4,
                };
                Some((Some(!received), [&[kind], &bytes[..]].concat()))
            }
            _ => Some((Some(!received), bytes)),
        }
        .map(|(sent, bytes)| Packet {
            at,
            sent,
            bytes,
            comment: None,
        }))
    }

    /// The rest of a section header, whose type was read.
    fn section(&mut self) -> Result<(), End> {
        let len = self.take::<4>().map_err(within)?;
        let magic = self.take::<4>().map_err(within)?;
        let big_endian = match magic {
            [0x1A, 0x2B, 0x3C, 0x4D] => true,
            [0x4D, 0x3C, 0x2B, 0x1A] => false,
            _ => return Err(End::CutOff),
        };
        if let Format::Pcapng(section) = &mut self.format {
            section.big_endian = big_endian;
            section.interfaces.clear();
        }
        let len = match big_endian {
            true => u32::from_be_bytes(len),
            false => u32::from_le_bytes(len),
        };
        self.rest(len.checked_sub(12).ok_or(End::CutOff)?)?;
        Ok(())
    }

    /// The next block, and its packet if it has one.
    fn block(&mut self) -> Result<Option<Packet>, End> {
        let kind = self.take::<4>().map_err(|end| match (&end, &self.format) {
            // Not one packet could be read.
            (End::Whole, Format::Pcapng(section)) if !section.any => match section.other {
                Some(link) => End::Refused(format!(
                    "its link type is {link}, and not 187, 201 or 254: it has no Bluetooth HCI"
                )),
                None => end,
            },
            _ => end,
        })?;
        if kind == SECTION_HEADER.to_le_bytes() {
            self.section()?;
            return Ok(None);
        }
        let len = self.take::<4>().map_err(within)?;
        let Format::Pcapng(section) = &self.format else {
            return Err(End::CutOff);
        };
        let order = Order(section.big_endian);
        let (kind, len) = (order.u32(&kind), order.u32(&len));
        if len % 4 != 0 {
            return Err(End::CutOff);
        }
        let body = self.rest(len.checked_sub(8).ok_or(End::CutOff)?)?;
        // The length stands once more at the end.
        let body = body.len().checked_sub(4).and_then(|end| body.get(..end));
        let body = body.ok_or(End::CutOff)?;
        let Format::Pcapng(section) = &mut self.format else {
            return Err(End::CutOff);
        };
        match kind {
            INTERFACE_DESCRIPTION => {
                let interface = interface(order, body).ok_or(End::CutOff)?;
                match interface.wrap {
                    Some(_) => section.any = true,
                    None => section.other = body.get(..2).map(|link| order.u16(link)),
                }
                section.interfaces.push(interface);
                Ok(None)
            }
            ENHANCED_PACKET => enhanced(order, &section.interfaces, body).ok_or(End::CutOff),
            _ => Ok(None),
        }
    }
}

/// The end of the file within something is no end.
fn within(end: End) -> End {
    match end {
        End::Whole => End::CutOff,
        other => other,
    }
}

/// The order of bytes in a section.
#[derive(Clone, Copy)]
struct Order(bool);

impl Order {
    fn u16(self, bytes: &[u8]) -> u16 {
        match (self.0, bytes) {
            (true, [a, b, ..]) => u16::from_be_bytes([*a, *b]),
            (false, [a, b, ..]) => u16::from_le_bytes([*a, *b]),
            _ => 0,
        }
    }

    fn u32(self, bytes: &[u8]) -> u32 {
        match (self.0, bytes) {
            (true, [a, b, c, d, ..]) => u32::from_be_bytes([*a, *b, *c, *d]),
            (false, [a, b, c, d, ..]) => u32::from_le_bytes([*a, *b, *c, *d]),
            _ => 0,
        }
    }

    fn i64(self, bytes: &[u8]) -> i64 {
        match bytes.get(..8).and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) if self.0 => i64::from_be_bytes(bytes),
            Some(bytes) => i64::from_le_bytes(bytes),
            None => 0,
        }
    }

    /// The options in `bytes`, as far as they go.
    fn options(self, mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
        std::iter::from_fn(move || {
            let (code, len) = (self.u16(bytes.get(..2)?), self.u16(bytes.get(2..4)?));
            let value = bytes.get(4..4 + usize::from(len))?;
            bytes = bytes
                .get(4 + usize::from(len).next_multiple_of(4)..)
                .unwrap_or_default();
            (code != 0).then_some((code, value))
        })
    }
}

fn interface(order: Order, body: &[u8]) -> Option<Interface> {
    let link = order.u16(body.get(..2)?);
    let mut units = 1_000_000;
    let mut offset_s = 0;
    for (code, value) in order.options(body.get(8..)?) {
        match (code, value) {
            (9, [resolution]) => {
                let exponent = u32::from(resolution & 0x7F);
                units = match resolution & 0x80 {
                    0 => 10_u64.checked_pow(exponent),
                    _ => 2_u64.checked_pow(exponent),
                }?;
            }
            (14, value) if value.len() == 8 => offset_s = order.i64(value),
            _ => {}
        }
    }
    Some(Interface {
        wrap: match link {
            187 => Some(Wrap::H4),
            201 => Some(Wrap::H4WithDirection),
            254 => Some(Wrap::Monitor),
            _ => None,
        },
        units,
        offset_s,
    })
}

/// A packet in its block; within, nothing if it is of no use.
fn enhanced(order: Order, interfaces: &[Interface], body: &[u8]) -> Option<Option<Packet>> {
    let interface = interfaces.get(order.u32(body.get(..4)?) as usize)?;
    let units =
        u64::from(order.u32(body.get(4..8)?)) << 32 | u64::from(order.u32(body.get(8..12)?));
    let len = order.u32(body.get(12..16)?) as usize;
    let data = body.get(20..20_usize.checked_add(len)?)?;
    let options = body.get(20 + len.next_multiple_of(4)..).unwrap_or_default();
    let nanos = i128::from(units) * 1_000_000_000 / i128::from(interface.units)
        + i128::from(interface.offset_s) * 1_000_000_000;
    let mut comment = None;
    let mut direction = None;
    for (code, value) in order.options(options) {
        match code {
            1 if comment.is_none() => comment = Some(String::from_utf8_lossy(value).into_owned()),
            2 => {
                direction = match order.u32(value) & 3 {
                    1 => Some(false),
                    2 => Some(true),
                    _ => None,
                };
            }
            _ => {}
        }
    }
    let unwrapped = match interface.wrap {
        Some(Wrap::H4WithDirection) => {
            let received = data.get(..4).map(|way| Order(true).u32(way) & 1 == 1);
            let bytes = data.get(4..).map(<[u8]>::to_vec);
            received
                .zip(bytes)
                .map(|(received, bytes)| (Some(!received), bytes))
        }
        Some(Wrap::Monitor) => data
            .get(4..)
            .and_then(|bytes| monitor(Order(true).u16(data.get(2..4)?), bytes)),
        Some(_) => Some((direction, data.to_vec())),
        None => None,
    };
    Some(unwrapped.map(|(sent, bytes)| Packet {
        at: i64::try_from(nanos).unwrap_or(i64::MAX),
        sent,
        bytes,
        comment,
    }))
}

/// A packet by the monitor's number for it (bluez: src/shared/btsnoop.h).
fn monitor(opcode: u16, bytes: &[u8]) -> Option<(Option<bool>, Vec<u8>)> {
    let (kind, sent) = match opcode {
        2 => (1, true),
        3 => (4, false),
        4 => (2, true),
        5 => (2, false),
        _ => return None,
    };
    Some((Some(sent), [&[kind], bytes].concat()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8]) -> (Vec<Packet>, End) {
        let mut packets = Packets::new(bytes);
        let mut all = Vec::new();
        loop {
            match packets.next() {
                Ok(packet) => all.push(packet),
                Err(end) => return (all, end),
            }
        }
    }

    fn btsnoop(link: u32, records: &[(u32, &[u8])]) -> Vec<u8> {
        let mut file = [BTSNOOP, &1_u32.to_be_bytes(), &link.to_be_bytes()].concat();
        for (flags, bytes) in records {
            let len = (bytes.len() as u32).to_be_bytes();
            file.extend([&len[..], &len, &flags.to_be_bytes(), &[0; 4]].concat());
            file.extend((BTSNOOP_EPOCH_US + 1_700_000_000_000_001).to_be_bytes());
            file.extend_from_slice(bytes);
        }
        file
    }

    #[test]
    fn btsnoop_of_each_link_type_gives_the_same_packets() {
        let wanted = [(true, vec![2, 9]), (false, vec![4, 7])];
        for (link, records) in [
            (1001, [(0, &[9][..]), (3, &[7])]),
            (1002, [(0, &[2, 9]), (1, &[4, 7])]),
            (2001, [(4, &[9]), (3, &[7])]),
        ] {
            let (packets, end) = all(&btsnoop(link, &records));
            assert!(matches!(end, End::Whole), "{end:?}");
            let found: Vec<_> = packets
                .iter()
                .map(|packet| (packet.sent.unwrap(), packet.bytes.clone()))
                .collect();
            assert_eq!(found, wanted, "{link}");
            assert_eq!(packets[0].at, 1_700_000_000_000_001_000);
        }
        let (_, end) = all(&btsnoop(1003, &[]));
        assert!(matches!(end, End::Refused(_)), "{end:?}");
    }

    fn block(kind: u32, body: &[u8], big: bool) -> Vec<u8> {
        let word = |number: u32| match big {
            true => number.to_be_bytes(),
            false => number.to_le_bytes(),
        };
        let len = word(body.len() as u32 + 12);
        [&word(kind)[..], &len, body, &len].concat()
    }

    fn pcapng(link: u16, big: bool, packet: &[u8]) -> Vec<u8> {
        let half = |number: u16| match big {
            true => number.to_be_bytes(),
            false => number.to_le_bytes(),
        };
        let word = |number: u32| match big {
            true => number.to_be_bytes(),
            false => number.to_le_bytes(),
        };
        let section = [&word(0x1A2B_3C4D)[..], &half(1), &half(0), &[0xFF; 8]].concat();
        // Nanoseconds, and an offset of 100 s.
        let mut offset = match big {
            true => 100_i64.to_be_bytes(),
            false => 100_i64.to_le_bytes(),
        }
        .to_vec();
        offset.splice(..0, [half(14), half(8)].concat());
        let resolution = [&half(9)[..], &half(1), &[9, 0, 0, 0]].concat();
        let interface = [&half(link)[..], &[0; 6], &resolution, &offset, &[0; 4]].concat();
        let len = word(packet.len() as u32);
        let mut body = [&word(0)[..], &word(1), &word(5), &len, &len, packet].concat();
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(
            [
                &half(1)[..],
                &half(2),
                b"hi\0\0",
                &half(2),
                &half(4),
                &word(2),
            ]
            .concat(),
        );
        [
            block(SECTION_HEADER, &section, big),
            block(INTERFACE_DESCRIPTION, &interface, big),
            block(99, &[1, 2, 3, 4], big),
            block(ENHANCED_PACKET, &body, big),
        ]
        .concat()
    }

    #[test]
    fn pcapng_of_each_link_type_and_order_gives_the_same_packet() {
        for big in [false, true] {
            for (link, bytes) in [
                (187, &[2, 9][..]),
                (201, &[0, 0, 0, 0, 2, 9]),
                (254, &[0, 0, 0, 4, 9]),
            ] {
                let (packets, end) = all(&pcapng(link, big, bytes));
                assert!(matches!(end, End::Whole), "{end:?}");
                let wanted = Packet {
                    at: (1 << 32) + 5 + 100_000_000_000,
                    sent: Some(true),
                    bytes: vec![2, 9],
                    comment: Some("hi".into()),
                };
                assert_eq!(packets, [wanted], "{link}");
            }
        }
        let (packets, end) = all(&pcapng(1, false, &[0; 20]));
        assert_eq!(packets, []);
        assert!(matches!(end, End::Refused(_)), "{end:?}");
    }

    #[test]
    fn a_capture_that_is_cut_anywhere_ends_there() {
        for file in [
            pcapng(201, false, &[0, 0, 0, 0, 2, 9]),
            btsnoop(1002, &[(0, &[2, 9]), (1, &[4, 7])]),
        ] {
            let (whole, _) = all(&file);
            for len in 0..file.len() {
                let (packets, _) = all(&file[..len]);
                assert!(packets.len() < whole.len());
                assert_eq!(packets, whole[..packets.len()]);
            }
        }
    }

    #[test]
    fn a_length_that_cannot_be_takes_no_memory() {
        let mut file = btsnoop(1002, &[(0, &[2, 9])]);
        file[20..24].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(matches!(all(&file).1, End::CutOff));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(
            start in 0_usize..3,
            bytes in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            let starts = [&[][..], BTSNOOP, &[0x0A, 0x0D, 0x0D, 0x0A]];
            let file = [starts[start], &bytes].concat();
            prop_assert!(all(&file).0.len() <= file.len());
        }

        #[test]
        fn a_capture_with_changed_bytes_is_read_without_a_panic(
            big: bool,
            link in prop::sample::select(&[187_u16, 201, 254, 0][..]),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        ) {
            let mut file = pcapng(link, big, &[0, 0, 0, 0, 2, 9]);
            for (place, byte) in changes {
                let place = place.index(file.len());
                file[place] = byte;
            }
            prop_assert!(all(&file).0.len() <= 1);
        }
    }
}
