//! A layout as the shortest line that reads back as the same.

use std::fmt;

use super::plan::Block;
use super::{Definition, Form, Kind, Layout, Names, Presence, Repeat};
use crate::number::{Decimal, Endian};

/// Scale, offset and unit, as far as they are to be written.
#[derive(Clone, Copy, Default)]
struct Measure<'a> {
    scale: Option<Decimal>,
    offset: Option<Decimal>,
    unit: Option<&'a str>,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        for block in &self.blocks {
            if block.form == Form::Group {
                f.write_str(gap)?;
                group(f, block)?;
                gap = ", ";
                continue;
            }
            for definition in block.definitions() {
                f.write_str(gap)?;
                field(
                    f,
                    definition,
                    &block.repeat,
                    &block.presence,
                    Measure::default(),
                )?;
                gap = ", ";
            }
        }
        Ok(())
    }
}

/// A group says once what all its fields have in common.
fn group(f: &mut fmt::Formatter<'_>, block: &Block) -> fmt::Result {
    let mut common: Option<Measure<'_>> = None;
    let mut fields = 0;
    for definition in block.definitions().filter(|one| one.takes_from_group()) {
        fields += 1;
        let own = Measure::of(definition);
        common = Some(common.map_or(own, |common| Measure {
            scale: common.scale.filter(|_| common.scale == own.scale),
            offset: common.offset.filter(|_| common.offset == own.offset),
            unit: common.unit.filter(|_| common.unit == own.unit),
        }));
    }
    let common = common.filter(|_| fields > 1).unwrap_or_default();
    let mut gap = "{";
    for definition in block.definitions() {
        f.write_str(gap)?;
        let said = if definition.takes_from_group() {
            common
        } else {
            Measure::default()
        };
        field(f, definition, &Repeat::Once, &Presence::Always, said)?;
        gap = ", ";
    }
    f.write_str("}")?;
    repeat(f, &block.repeat)?;
    measure(f, common, &block.presence)
}

fn field(
    f: &mut fmt::Formatter<'_>,
    definition: &Definition,
    several: &Repeat,
    presence: &Presence,
    said: Measure<'_>,
) -> fmt::Result {
    write!(f, "{}:", definition.name)?;
    kind(f, definition.kind)?;
    let own = Measure::of(definition);
    let left = Measure {
        scale: own.scale.filter(|_| said.scale.is_none()),
        offset: own.offset.filter(|_| said.offset.is_none()),
        unit: own.unit.filter(|_| said.unit.is_none()),
    };
    if let Kind::Bits(_, first, last) = definition.kind {
        // A negative offset straight after `u8.4` would read as the range `u8.4-6`.
        let ambiguous = definition.times.is_none()
            && *several == Repeat::Once
            && definition.names == Names::None
            && left.scale.is_none()
            && left.offset.is_some_and(Decimal::is_negative);
        if first != last || ambiguous {
            write!(f, "-{last}")?;
        }
    }
    match (definition.times, several) {
        (Some(times), _) => write!(f, "[{times}]")?,
        // Bytes and text run to the end by themselves.
        (None, Repeat::ToEnd) if matches!(definition.kind, Kind::Hex | Kind::Utf8) => {}
        (None, several) => repeat(f, several)?,
    }
    match &definition.names {
        Names::None => {}
        Names::Values(names) => {
            let mut gap = "{";
            for (value, name) in names {
                write!(f, "{gap}{value}={name}")?;
                gap = ", ";
            }
            f.write_str("}")?;
        }
        Names::Bits(names) => {
            let mut gap = "{";
            for (bit, name) in names {
                write!(f, "{gap}.{bit}={name}")?;
                gap = ", ";
            }
            f.write_str("}")?;
        }
    }
    match definition.constant {
        Some(value) if value > 9 => write!(f, "=0x{value:02X}")?,
        Some(value) => write!(f, "={value}")?,
        None => {}
    }
    measure(f, left, presence)?;
    if let Some(role) = definition.role {
        write!(f, "!{role}")?;
    }
    if definition.step != 1 {
        write!(f, "/{}", definition.step)?;
    }
    Ok(())
}

fn kind(f: &mut fmt::Formatter<'_>, kind: Kind) -> fmt::Result {
    match kind {
        Kind::Number(number) => write!(f, "{number}"),
        Kind::Half(Endian::Little) => f.write_str("f16le"),
        Kind::Half(Endian::Big) => f.write_str("f16be"),
        Kind::Medical { short: true } => f.write_str("medfloat16"),
        Kind::Medical { short: false } => f.write_str("medfloat32"),
        Kind::Bcd(number) => {
            let unsigned = number.to_string();
            write!(f, "bcd{}", unsigned.trim_start_matches('u'))
        }
        Kind::Bits(number, first, _) => write!(f, "{number}.{first}"),
        Kind::Bool => f.write_str("bool"),
        Kind::Hex => f.write_str("hex"),
        Kind::Utf8 => f.write_str("utf8"),
        Kind::Skip => f.write_str("skip"),
    }
}

fn repeat(f: &mut fmt::Formatter<'_>, repeat: &Repeat) -> fmt::Result {
    match repeat {
        Repeat::Once => Ok(()),
        Repeat::Times(times) => write!(f, "[{times}]"),
        Repeat::ToEnd => f.write_str("[]"),
        Repeat::Counted(source) => write!(f, "[{}]", source.name),
    }
}

impl<'a> Measure<'a> {
    fn of(definition: &'a Definition) -> Self {
        Self {
            scale: Some(definition.scale).filter(|scale| *scale != Decimal::ONE),
            offset: Some(definition.offset).filter(|offset| *offset != Decimal::ZERO),
            unit: definition.unit.as_deref(),
        }
    }
}

fn measure(f: &mut fmt::Formatter<'_>, of: Measure<'_>, presence: &Presence) -> fmt::Result {
    if let Some(scale) = of.scale {
        write!(f, "*{scale}")?;
    }
    if let Some(offset) = of.offset {
        let sign = if offset.is_negative() { "" } else { "+" };
        write!(f, "{sign}{offset}")?;
    }
    write!(f, "{presence}")?;
    match of.unit {
        Some(unit) => write!(f, " {unit}"),
        None => Ok(()),
    }
}

impl fmt::Display for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (source, bits, not, value) = match self {
            Self::Always => return Ok(()),
            Self::IfLeft => return f.write_str("??"),
            Self::If {
                source,
                bits,
                not,
                value,
            } => (source, *bits, *not, *value),
        };
        write!(f, "?{}", source.name)?;
        let mut single = false;
        if let Some((first, last)) = bits {
            write!(f, ".{first}")?;
            single = first == last;
            if !single {
                write!(f, "-{last}")?;
            }
        }
        match (single, not) {
            (true, false) if value == 1 => Ok(()),
            (_, true) => write!(f, "!={value}"),
            (_, false) => write!(f, "={value}"),
        }
    }
}
