//! The words of a table of an advertisement: those of the standard formats, and numbers that come
//! most significant byte first, as makers of beacons like it.

use crate::field::Shown;
use crate::number::{Class, Endian, NumberType};
pub(super) use crate::sig::part::*;

pub(super) const U16_BE: NumberType = big(Class::Unsigned, 2);
pub(super) const U40: NumberType = NumberType::known(Class::Unsigned, 5, Endian::Little);
pub(super) const U24_BE: NumberType = big(Class::Unsigned, 3);
pub(super) const U32_BE: NumberType = big(Class::Unsigned, 4);
pub(super) const I16_BE: NumberType = big(Class::Signed, 2);

const fn big(class: Class, bytes: u8) -> NumberType {
    NumberType::known(class, bytes, Endian::Big)
}

/// Which frame or type it is, where [`Known`](super::beacon::Known) has looked already.
pub(super) const fn constant(name: &'static str, of: NumberType) -> Part {
    hex(name, of)
}

/// So many bytes that are hex digits of an identifier.
pub(super) const fn id(name: &'static str, size: usize) -> Part {
    of(name, Kind::Bytes(size)).shown(Shown::Id)
}

/// A device address, least significant byte first.
pub(super) const fn address(name: &'static str) -> Part {
    of(name, Kind::Bytes(6)).shown(Shown::Address)
}

/// A device address, most significant byte first.
pub(super) const fn address_big(name: &'static str) -> Part {
    of(name, Kind::Bytes(6)).shown(Shown::AddressBig)
}

/// A power or a signal strength.
pub(super) const fn dbm(name: &'static str) -> Part {
    quantity(name, I8, "dBm")
}

/// What is left, as hex digits of an identifier.
pub(super) const fn id_rest(name: &'static str) -> Part {
    of(name, Kind::Rest).shown(Shown::Id)
}
