//! What this computer did on a link as a GATT client, of the PDUs of the Attribute Protocol (Core
//! Specification, Vol 3, Part F, 3.4).

use radio::{DEFAULT_ATT_MTU, SampleKind};
use uuid::Uuid;

use super::gatt::uuid;

/// The longest value that parts are put together to, in bytes.
const MAX_VALUE: usize = 65_535;

const PRIMARY_SERVICE: Uuid = assigned_type(0x2800);
const SECONDARY_SERVICE: Uuid = assigned_type(0x2801);
const INCLUDE: Uuid = assigned_type(0x2802);
const CHARACTERISTIC: Uuid = assigned_type(0x2803);

const fn assigned_type(number: u128) -> Uuid {
    Uuid::from_u128(number << 96 | 0x1000_8000_0080_5F9B_34FB)
}

/// What was done or told, by handles. Times are those of the capture.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Op {
    Mtu(u16),
    Service {
        start: u16,
        end: u16,
        uuid: Uuid,
    },
    Characteristic {
        declaration: u16,
        properties: u8,
        value: u16,
        uuid: Uuid,
    },
    Descriptor {
        handle: u16,
        uuid: Uuid,
    },
    ReadRequest {
        at: i64,
        handle: u16,
    },
    /// The value, or the error code.
    ReadResult {
        at: i64,
        handle: u16,
        result: Result<Vec<u8>, u8>,
    },
    Write {
        at: i64,
        handle: u16,
        value: Vec<u8>,
        answered: bool,
    },
    /// 0, or the error code.
    WriteResult {
        at: i64,
        handle: u16,
        code: u8,
    },
    Value {
        at: i64,
        handle: u16,
        kind: SampleKind,
        value: Vec<u8>,
    },
}

/// A request that waits for its answer.
enum Asked {
    Mtu(u16),
    Information,
    FindByType(Uuid),
    ByType(Option<Uuid>, i64),
    ByGroup,
    Read(u16),
    /// Whether it goes on with a value whose beginning has come.
    Blob(u16, bool),
    Write(u16),
    Prepare,
    Execute(Vec<u16>),
    Other,
}

/// A value of which more may come.
struct Begun {
    at: i64,
    handle: u16,
    value: Vec<u8>,
}

/// One link, seen from the client.
pub(super) struct Client {
    mtu: u16,
    asked: Option<Asked>,
    begun: Option<Begun>,
    /// Parts of values that wait to be written.
    prepared: Vec<(u16, Vec<u8>)>,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            mtu: DEFAULT_ATT_MTU,
            asked: None,
            begun: None,
            prepared: Vec::new(),
        }
    }
}

impl Client {
    /// Takes a PDU, and tells what it does; whether it has a place in a session.
    pub(super) fn pdu(&mut self, at: i64, sent: bool, pdu: &[u8], out: &mut dyn FnMut(Op)) -> bool {
        let taken = match sent {
            true => self.sent(at, pdu, out),
            false => self.received(at, pdu, out),
        };
        taken.is_some()
    }

    /// The link has ended, or the capture.
    pub(super) fn end(&mut self, out: &mut dyn FnMut(Op)) {
        self.settle(out);
        self.asked = None;
        self.prepared.clear();
    }

    /// A value that had begun is whole.
    fn settle(&mut self, out: &mut dyn FnMut(Op)) {
        if let Some(Begun { at, handle, value }) = self.begun.take() {
            let result = Ok(value);
            out(Op::ReadResult { at, handle, result });
        }
    }

    fn sent(&mut self, at: i64, pdu: &[u8], out: &mut dyn FnMut(Op)) -> Option<()> {
        let (opcode, body) = pdu.split_first()?;
        let number = |place: usize| half(body.get(place..)?);
        let asked = match opcode {
            0x02 => Asked::Mtu(number(0)?),
            0x04 => Asked::Information,
            0x06 => match uuid(body.get(4..6)?)? {
                PRIMARY_SERVICE => Asked::FindByType(uuid(body.get(6..)?)?),
                _ => Asked::Other,
            },
            0x08 => Asked::ByType(Some(uuid(body.get(4..)?)?), at),
            0x0A => Asked::Read(number(0)?),
            0x0C => {
                let (handle, offset) = (number(0)?, usize::from(number(2)?));
                let goes_on = self
                    .begun
                    .as_ref()
                    .is_some_and(|begun| begun.handle == handle && begun.value.len() == offset);
                Asked::Blob(handle, goes_on)
            }
            0x10 => Asked::ByGroup,
            0x12 => Asked::Write(number(0)?),
            0x16 => {
                let handle = number(0)?;
                let part = body.get(4..)?;
                let held: usize = self.prepared.iter().map(|(_, part)| part.len()).sum();
                if held + part.len() > MAX_VALUE {
                    return None;
                }
                self.prepared.push((handle, part.to_vec()));
                Asked::Prepare
            }
            0x18 => {
                let parts = std::mem::take(&mut self.prepared);
                match body.first()? {
                    1 => Asked::Execute(write_prepared(at, parts, out)),
                    _ => Asked::Other,
                }
            }
            0x52 | 0xD2 => {
                let value = body.get(2..)?;
                // Signed: its last twelve bytes are the signature.
                let signature = if *opcode == 0xD2 { 12 } else { 0 };
                let value = value.get(..value.len().checked_sub(signature)?)?.to_vec();
                let (handle, answered) = (number(0)?, false);
                out(Op::Write {
                    at,
                    handle,
                    value,
                    answered,
                });
                return Some(());
            }
            // A confirmation says nothing new.
            0x1E => return Some(()),
            // Reads of several at once; and answers of this computer as a server.
            _ => return None,
        };
        if !matches!(asked, Asked::Blob(_, true)) {
            self.settle(out);
        }
        match &asked {
            Asked::Read(handle) | Asked::Blob(handle, false) => {
                let handle = *handle;
                out(Op::ReadRequest { at, handle });
            }
            Asked::Write(handle) => {
                let (handle, value) = (*handle, body.get(2..)?.to_vec());
                out(Op::Write {
                    at,
                    handle,
                    value,
                    answered: true,
                });
            }
            _ => {}
        }
        self.asked = Some(asked);
        Some(())
    }

    fn received(&mut self, at: i64, pdu: &[u8], out: &mut dyn FnMut(Op)) -> Option<()> {
        let (opcode, body) = pdu.split_first()?;
        match opcode {
            0x1B | 0x1D => {
                let (handle, value) = (half(body)?, body.get(2..)?.to_vec());
                let kind = match opcode {
                    0x1B => SampleKind::Notification,
                    _ => SampleKind::Indication,
                };
                out(Op::Value {
                    at,
                    handle,
                    kind,
                    value,
                });
                return Some(());
            }
            0x23 => {
                let mut rest = body;
                while let (Some(handle), Some(len)) = (half(rest), rest.get(2..).and_then(half)) {
                    let end = 4 + usize::from(len);
                    let value = rest.get(4..end)?.to_vec();
                    rest = rest.get(end..)?;
                    out(Op::Value {
                        at,
                        handle,
                        kind: SampleKind::Notification,
                        value,
                    });
                }
                return Some(());
            }
            // Answers; all else asks this computer as a server.
            0x01 | 0x03 | 0x05 | 0x07 | 0x09 | 0x0B | 0x0D | 0x11 | 0x13 | 0x17 | 0x19 => {}
            _ => return None,
        }
        let asked = self.asked.take()?;
        match (opcode, asked) {
            (0x01, asked) => self.refused(at, asked, *body.get(3)?, out),
            (0x03, Asked::Mtu(ours)) => {
                self.mtu = half(body)?.min(ours).max(DEFAULT_ATT_MTU);
                out(Op::Mtu(self.mtu));
            }
            (0x05, Asked::Information) => {
                let len = match body.first()? {
                    1 => 2,
                    2 => 16,
                    _ => return None,
                };
                for entry in body.get(1..)?.chunks_exact(2 + len) {
                    let (handle, of) = (half(entry)?, uuid(entry.get(2..)?)?);
                    let declares = [PRIMARY_SERVICE, SECONDARY_SERVICE, INCLUDE, CHARACTERISTIC];
                    if !declares.contains(&of) {
                        out(Op::Descriptor { handle, uuid: of });
                    }
                }
            }
            (0x07, Asked::FindByType(uuid)) => {
                for entry in body.chunks_exact(4) {
                    let (start, end) = (half(entry)?, half(entry.get(2..)?)?);
                    out(Op::Service { start, end, uuid });
                }
            }
            (0x09, Asked::ByType(of, asked_at)) => {
                let len = usize::from(*body.first()?).max(2);
                for entry in body.get(1..)?.chunks_exact(len) {
                    by_type(at, asked_at, of, entry, out)?;
                }
            }
            (0x11, Asked::ByGroup) => {
                let len = usize::from(*body.first()?).max(4);
                for entry in body.get(1..)?.chunks_exact(len) {
                    let (start, end) = (half(entry)?, half(entry.get(2..)?)?);
                    let uuid = uuid(entry.get(4..)?)?;
                    out(Op::Service { start, end, uuid });
                }
            }
            (0x0B, Asked::Read(handle)) | (0x0D, Asked::Blob(handle, false)) => {
                self.part(at, handle, Vec::new(), body, out);
            }
            (0x0D, Asked::Blob(handle, true)) => {
                let value = self.begun.take()?.value;
                self.part(at, handle, value, body, out);
            }
            (0x13, Asked::Write(handle)) => {
                let code = 0;
                out(Op::WriteResult { at, handle, code });
            }
            (0x17, Asked::Prepare) => {}
            (0x19, Asked::Execute(handles)) => {
                for handle in handles {
                    let code = 0;
                    out(Op::WriteResult { at, handle, code });
                }
            }
            (_, Asked::Other) => {}
            _ => return None,
        }
        Some(())
    }

    /// A part of a value has come; if it fills its PDU, another may follow.
    fn part(
        &mut self,
        at: i64,
        handle: u16,
        mut value: Vec<u8>,
        part: &[u8],
        out: &mut dyn FnMut(Op),
    ) {
        value.extend_from_slice(part);
        let full = part.len() + 1 >= usize::from(self.mtu) && value.len() < MAX_VALUE;
        self.begun = Some(Begun { at, handle, value });
        if !full {
            self.settle(out);
        }
    }

    fn refused(&mut self, at: i64, asked: Asked, code: u8, out: &mut dyn FnMut(Op)) {
        match asked {
            // The value was whole; the specification lets a server say so.
            Asked::Blob(_, true) => self.settle(out),
            Asked::Read(handle) | Asked::Blob(handle, false) => {
                let result = Err(code);
                out(Op::ReadResult { at, handle, result });
            }
            Asked::Write(handle) => out(Op::WriteResult { at, handle, code }),
            Asked::Prepare => {
                let parts = std::mem::take(&mut self.prepared);
                for handle in write_prepared(at, parts, out) {
                    out(Op::WriteResult { at, handle, code });
                }
            }
            Asked::Execute(handles) => {
                for handle in handles {
                    out(Op::WriteResult { at, handle, code });
                }
            }
            _ => {}
        }
    }
}

/// Tells the writes that prepared parts make, and of which handles.
fn write_prepared(at: i64, parts: Vec<(u16, Vec<u8>)>, out: &mut dyn FnMut(Op)) -> Vec<u16> {
    let mut values: Vec<(u16, Vec<u8>)> = Vec::new();
    for (handle, part) in parts {
        match values.last_mut() {
            Some((last, value)) if *last == handle => value.extend_from_slice(&part),
            _ => values.push((handle, part)),
        }
    }
    let handles = values.iter().map(|(handle, _)| *handle).collect();
    for (handle, value) in values {
        out(Op::Write {
            at,
            handle,
            value,
            answered: true,
        });
    }
    handles
}

/// An entry of an answer by type: a declaration, or a value that was read so.
fn by_type(
    at: i64,
    asked_at: i64,
    of: Option<Uuid>,
    entry: &[u8],
    out: &mut dyn FnMut(Op),
) -> Option<()> {
    let (handle, rest) = (half(entry)?, entry.get(2..)?);
    match of {
        Some(CHARACTERISTIC) => out(Op::Characteristic {
            declaration: handle,
            properties: *rest.first()?,
            value: half(rest.get(1..)?)?,
            uuid: uuid(rest.get(3..)?)?,
        }),
        Some(PRIMARY_SERVICE | SECONDARY_SERVICE | INCLUDE) => {}
        _ => {
            out(Op::ReadRequest {
                at: asked_at,
                handle,
            });
            let result = Ok(rest.to_vec());
            out(Op::ReadResult { at, handle, result });
        }
    }
    Some(())
}

/// Two bytes, least significant first.
pub(super) fn half(bytes: &[u8]) -> Option<u16> {
    match bytes {
        [a, b, ..] => Some(u16::from_le_bytes([*a, *b])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ops(pdus: &[(bool, &[u8])]) -> Vec<Op> {
        let mut client = Client::default();
        let mut ops = Vec::new();
        for (at, (sent, pdu)) in pdus.iter().enumerate() {
            client.pdu(at as i64, *sent, pdu, &mut |op| ops.push(op));
        }
        client.end(&mut |op| ops.push(op));
        ops
    }

    #[test]
    fn a_long_value_is_put_together_of_its_parts() {
        let full = [&[0x0B][..], &[7; 22]].concat();
        let more = [&[0x0D][..], &[8; 22]].concat();
        let read = |at, len| Op::ReadResult {
            at,
            handle: 3,
            result: Ok([vec![7; 22.min(len)], vec![8; len.saturating_sub(22)]].concat()),
        };
        let request = |at| Op::ReadRequest { at, handle: 3 };
        // To a part that is not full, to an error, to the next request, and to the end.
        assert_eq!(
            ops(&[
                (true, &[0x0A, 3, 0]),
                (false, &full),
                (true, &[0x0C, 3, 0, 22, 0]),
                (false, &more),
                (true, &[0x0C, 3, 0, 44, 0]),
                (false, &[0x0D]),
                (true, &[0x0A, 3, 0]),
                (false, &full),
                (true, &[0x0C, 3, 0, 22, 0]),
                (false, &[0x01, 0x0C, 3, 0, 0x0B]),
                (true, &[0x0A, 3, 0]),
                (false, &full),
                (true, &[0x0A, 3, 0]),
                (false, &full),
            ]),
            [
                request(0),
                read(5, 44),
                request(6),
                read(7, 22),
                request(10),
                read(11, 22),
                request(12),
                read(13, 22),
            ]
        );
    }

    #[test]
    fn a_long_write_is_put_together_and_a_refusal_belongs_to_what_was_asked() {
        let write = |at, value: &[u8]| Op::Write {
            at,
            handle: 3,
            value: value.to_vec(),
            answered: true,
        };
        let result = |at, code| Op::WriteResult {
            at,
            handle: 3,
            code,
        };
        assert_eq!(
            ops(&[
                (true, &[0x16, 3, 0, 0, 0, 1, 2]),
                (false, &[0x17, 3, 0, 0, 0, 1, 2]),
                (true, &[0x16, 3, 0, 2, 0, 3]),
                (false, &[0x17, 3, 0, 2, 0, 3]),
                (true, &[0x18, 1]),
                (false, &[0x19]),
                (true, &[0x12, 3, 0, 9]),
                (false, &[0x01, 0x12, 3, 0, 5]),
                (true, &[0x0A, 3, 0]),
                (false, &[0x01, 0x0A, 3, 0, 2]),
            ]),
            [
                write(4, &[1, 2, 3]),
                result(5, 0),
                write(6, &[9]),
                result(7, 5),
                Op::ReadRequest { at: 8, handle: 3 },
                Op::ReadResult {
                    at: 9,
                    handle: 3,
                    result: Err(2)
                },
            ]
        );
    }

    #[test]
    fn what_this_computer_serves_has_no_place() {
        let mut client = Client::default();
        let mut none = |op| panic!("{op:?}");
        for (sent, pdu) in [
            (false, &[0x0A, 3, 0][..]),
            (true, &[0x0B, 1]),
            (true, &[0x1B, 3, 0, 1]),
            (false, &[0x1E]),
            (false, &[0x0B, 1]),
            (false, &[]),
        ] {
            assert!(!client.pdu(0, sent, pdu, &mut none), "{pdu:?}");
        }
    }

    proptest! {
        #[test]
        fn any_pdus_are_taken_without_a_panic(
            pdus in prop::collection::vec(
                (any::<bool>(), prop::sample::select(&[
                    0x01_u8, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C,
                    0x0D, 0x10, 0x11, 0x12, 0x13, 0x16, 0x17, 0x18, 0x19, 0x1B, 0x1D, 0x23, 0x52,
                    0xD2, 0xFF,
                ][..]), prop::collection::vec(any::<u8>(), 0..30)),
                0..40,
            ),
        ) {
            let pdus: Vec<_> = pdus
                .into_iter()
                .map(|(sent, opcode, body)| (sent, [&[opcode][..], &body].concat()))
                .collect();
            let pdus: Vec<_> = pdus.iter().map(|(sent, pdu)| (*sent, &pdu[..])).collect();
            let bytes: usize = pdus.iter().map(|(_, pdu)| pdu.len()).sum();
            prop_assert!(ops(&pdus).len() <= bytes * 2 + 1);
        }
    }
}
