//! PDUs of the Attribute Protocol (Core Specification, Vol 3, Part F, 3.4).

use std::collections::HashMap;

use radio::{AttrId, AttrKind};

use super::handles::Handles;
use super::on_air;
use crate::Attribute;

pub(super) const MTU_REQUEST: u8 = 0x02;
pub(super) const MTU_RESPONSE: u8 = 0x03;
const FIND_INFORMATION_REQUEST: u8 = 0x04;
const FIND_INFORMATION_RESPONSE: u8 = 0x05;
const READ_BY_TYPE_REQUEST: u8 = 0x08;
const READ_BY_TYPE_RESPONSE: u8 = 0x09;
pub(super) const READ_REQUEST: u8 = 0x0A;
pub(super) const READ_RESPONSE: u8 = 0x0B;
pub(super) const READ_BLOB_REQUEST: u8 = 0x0C;
pub(super) const READ_BLOB_RESPONSE: u8 = 0x0D;
const READ_BY_GROUP_TYPE_REQUEST: u8 = 0x10;
const READ_BY_GROUP_TYPE_RESPONSE: u8 = 0x11;
pub(super) const WRITE_REQUEST: u8 = 0x12;
pub(super) const WRITE_RESPONSE: u8 = 0x13;
pub(super) const NOTIFICATION: u8 = 0x1B;
pub(super) const INDICATION: u8 = 0x1D;
pub(super) const CONFIRMATION: u8 = 0x1E;
pub(super) const WRITE_COMMAND: u8 = 0x52;
const ERROR: u8 = 0x01;

const PRIMARY_SERVICE: u16 = 0x2800;
const CHARACTERISTIC: u16 = 0x2803;

/// An opcode, a handle (or another number of 16 bits), and what follows.
pub(super) fn with_handle(opcode: u8, handle: u16, rest: &[u8]) -> Vec<u8> {
    let mut pdu = Vec::with_capacity(3 + rest.len());
    pdu.push(opcode);
    pdu.extend_from_slice(&handle.to_le_bytes());
    pdu.extend_from_slice(rest);
    pdu
}

/// The refusal of a request.
pub(super) fn error(request: u8, handle: u16, code: u8) -> Vec<u8> {
    let [low, high] = handle.to_le_bytes();
    vec![ERROR, request, low, high, code]
}

/// The questions and answers that tell what a discovery found; `found` is one discovery, in order. No
/// answer is longer than `mtu`.
pub(super) fn discovery(
    found: &[&Attribute],
    handles: &Handles,
    mtu: u16,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    // How many entries of so many bytes, and a UUID, are behind the opcode and a length.
    let entries = |of: Option<&Attribute>, bytes: usize| {
        let len = bytes + of.map_or(16, |attribute| on_air(attribute.uuid).len());
        ((usize::from(mtu) - 2) / len).max(1)
    };
    let handle = |id| handles.known(id).map_or(0, |handle| handle.0);
    let mut services: Vec<_> = found
        .iter()
        .filter(|attribute| attribute.kind == AttrKind::Service)
        .map(|service| (handle(service.id), *service))
        .collect();
    services.sort_by_key(|(start, service)| (*start, service.id));
    let ends = services
        .iter()
        .skip(1)
        .map(|(next, _)| next.saturating_sub(1));
    let ends: Vec<u16> = ends.chain([u16::MAX]).collect();
    let mut children: HashMap<Option<AttrId>, Vec<&Attribute>> = HashMap::new();
    for attribute in found {
        if attribute.kind != AttrKind::Service {
            children
                .entry(attribute.parent)
                .or_default()
                .push(attribute);
        }
    }

    let mut said = Vec::new();
    let groups: Vec<_> = services.iter().zip(&ends).collect();
    for run in
        groups.chunk_by(|((_, a), _), ((_, b), _)| on_air(a.uuid).len() == on_air(b.uuid).len())
    {
        for run in run.chunks(entries(run.first().map(|((_, of), _)| *of), 4)) {
            let entries = run.iter().map(|((start, service), end)| {
                [
                    &start.to_le_bytes()[..],
                    &end.to_le_bytes(),
                    &on_air(service.uuid),
                ]
                .concat()
            });
            let from = run.first().map_or(1, |((start, _), _)| *start);
            said.push((
                question(
                    READ_BY_GROUP_TYPE_REQUEST,
                    from,
                    u16::MAX,
                    Some(PRIMARY_SERVICE),
                ),
                answer(READ_BY_GROUP_TYPE_RESPONSE, entries),
            ));
        }
    }
    for ((start, service), end) in groups {
        let Some(characteristics) = children.get(&Some(service.id)) else {
            continue;
        };
        for run in characteristics
            .chunk_by(|a, b| on_air(a.uuid).len() == on_air(b.uuid).len())
            .flat_map(|run| run.chunks(entries(run.first().copied(), 5)))
        {
            let entries = run.iter().map(|characteristic| {
                let value = handle(characteristic.id);
                let declaration = value.saturating_sub(1).to_le_bytes();
                let properties = [characteristic.properties.0];
                let uuid = on_air(characteristic.uuid);
                [&declaration[..], &properties, &value.to_le_bytes(), &uuid].concat()
            });
            said.push((
                question(READ_BY_TYPE_REQUEST, *start, *end, Some(CHARACTERISTIC)),
                answer(READ_BY_TYPE_RESPONSE, entries),
            ));
        }
        let descriptors: Vec<_> = characteristics
            .iter()
            .filter_map(|characteristic| children.get(&Some(characteristic.id)))
            .flatten()
            .collect();
        for run in descriptors
            .chunk_by(|a, b| on_air(a.uuid).len() == on_air(b.uuid).len())
            .flat_map(|run| run.chunks(entries(run.first().map(|of| **of), 2)))
        {
            let of = |descriptor: Option<&&&Attribute>| descriptor.map_or(1, |d| handle(d.id));
            let mut pdu = vec![FIND_INFORMATION_RESPONSE];
            pdu.push(
                match run.first().map(|descriptor| on_air(descriptor.uuid).len()) {
                    Some(2) => 1,
                    _ => 2,
                },
            );
            for descriptor in run {
                pdu.extend_from_slice(&handle(descriptor.id).to_le_bytes());
                pdu.extend_from_slice(&on_air(descriptor.uuid));
            }
            let (first, last) = (of(run.first()), of(run.last()));
            said.push((question(FIND_INFORMATION_REQUEST, first, last, None), pdu));
        }
    }
    said
}

fn question(opcode: u8, from: u16, to: u16, of: Option<u16>) -> Vec<u8> {
    let mut pdu = with_handle(opcode, from, &to.to_le_bytes());
    pdu.extend(of.into_iter().flat_map(u16::to_le_bytes));
    pdu
}

/// An answer of entries that all have the same length.
fn answer(opcode: u8, entries: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut pdu = vec![opcode, 0];
    for entry in entries {
        pdu[1] = u8::try_from(entry.len()).unwrap_or(u8::MAX);
        pdu.extend_from_slice(&entry);
    }
    pdu
}
