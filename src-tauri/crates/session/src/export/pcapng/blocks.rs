//! The blocks of a pcapng file (draft-ietf-opsawg-pcapng), little-endian, one interface.

use std::borrow::Cow;
use std::io::Write;
use std::path::Path;

use crate::export::walk::Counted;
use crate::{Error, Result};

/// LINKTYPE_BLUETOOTH_HCI_H4_WITH_PHDR.
const LINK_TYPE: u16 = 201;

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;

const COMMENT: u16 = 1;
const SECTION_APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const INTERFACE_RESOLUTION: u16 = 9;
const PACKET_FLAGS: u16 = 2;

/// The longest text of an option, in bytes; its length has 16 bits.
const MAX_TEXT: usize = 4096;

/// One packet.
pub(super) struct Packet<'a> {
    /// When, in nanoseconds since 1970.
    pub(super) at: i64,
    /// Whether it went to the controller.
    pub(super) sent: bool,
    /// The packet from its H4 type on.
    pub(super) bytes: &'a [u8],
    /// What is to be said of it.
    pub(super) comments: &'a [String],
}

/// Writes blocks.
pub(super) struct Blocks<'a, W: Write> {
    out: Counted<W>,
    target: &'a Path,
    packets: u64,
    body: Vec<u8>,
}

impl<'a, W: Write> Blocks<'a, W> {
    pub(super) fn new(writer: W, target: &'a Path) -> Self {
        Self {
            out: Counted { writer, bytes: 0 },
            target,
            packets: 0,
            body: Vec::new(),
        }
    }

    /// The blocks that every file begins with.
    pub(super) fn start(&mut self, application: &str, about: &str) -> Result<()> {
        self.u32(0x1A2B_3C4D);
        self.u16(1);
        self.u16(0);
        // The length of the section is not given.
        self.body.extend_from_slice(&[0xFF; 8]);
        self.option(COMMENT, &text(about));
        self.option(SECTION_APPLICATION, &text(application));
        self.end_of_options();
        self.block(SECTION_HEADER)?;
        self.u16(LINK_TYPE);
        self.u16(0);
        // No limit to the length of packets.
        self.u32(0);
        self.option(INTERFACE_NAME, b"session");
        // 10^-9 s
        self.option(INTERFACE_RESOLUTION, &[9]);
        self.end_of_options();
        self.block(INTERFACE_DESCRIPTION)
    }

    pub(super) fn packet(&mut self, packet: &Packet<'_>) -> Result<()> {
        let at = u64::try_from(packet.at).unwrap_or(0);
        self.u32(0);
        self.u32((at >> 32) as u32);
        self.u32((at & 0xFFFF_FFFF) as u32);
        let len = u32::try_from(packet.bytes.len() + 4).unwrap_or(u32::MAX);
        self.u32(len);
        self.u32(len);
        // The pseudo-header: the direction, most significant byte first.
        let direction: u32 = if packet.sent { 0 } else { 1 };
        self.body.extend_from_slice(&direction.to_be_bytes());
        self.body.extend_from_slice(packet.bytes);
        self.pad();
        for comment in packet.comments {
            self.option(COMMENT, &text(comment));
        }
        let flags: u32 = if packet.sent { 2 } else { 1 };
        self.option(PACKET_FLAGS, &flags.to_le_bytes());
        self.end_of_options();
        self.packets += 1;
        self.block(ENHANCED_PACKET)
    }

    /// How many packets and bytes there are.
    pub(super) fn finish(mut self) -> Result<(u64, u64)> {
        let target = self.target;
        self.out
            .flush()
            .map_err(|error| Error::io(target, &error))?;
        Ok((self.packets, self.out.bytes))
    }

    fn u16(&mut self, number: u16) {
        self.body.extend_from_slice(&number.to_le_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.body.extend_from_slice(&number.to_le_bytes());
    }

    fn pad(&mut self) {
        self.body.resize(self.body.len().next_multiple_of(4), 0);
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        self.u16(code);
        self.u16(u16::try_from(value.len()).unwrap_or(u16::MAX));
        self.body.extend_from_slice(value);
        self.pad();
    }

    fn end_of_options(&mut self) {
        self.u32(0);
    }

    fn block(&mut self, kind: u32) -> Result<()> {
        let len = u32::try_from(self.body.len() + 12).unwrap_or(u32::MAX);
        let written = self
            .out
            .write_all(&kind.to_le_bytes())
            .and_then(|()| self.out.write_all(&len.to_le_bytes()))
            .and_then(|()| self.out.write_all(&self.body))
            .and_then(|()| self.out.write_all(&len.to_le_bytes()));
        self.body.clear();
        written.map_err(|error| Error::io(self.target, &error))
    }
}

/// A text as an option holds it; what is cut is said.
fn text(text: &str) -> Cow<'_, [u8]> {
    if text.len() <= MAX_TEXT {
        return Cow::Borrowed(text.as_bytes());
    }
    let end = (0..=MAX_TEXT)
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    let rest = text.len() - end;
    Cow::Owned(format!("{} (cut: {rest} bytes more)", &text[..end]).into_bytes())
}
