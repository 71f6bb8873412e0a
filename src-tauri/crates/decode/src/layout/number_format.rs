//! One number somewhere in a value, as a dialog asks for it, written as a layout.

use super::parse::{check_name, check_unit};
use super::{Form, Kind, Layout, LayoutError, Names, Presence};
use crate::number::{Decimal, NumberType};

/// One number in a value: for somebody who knows where it is, and does not care for a grammar.
///
/// ```
/// use decode::NumberFormat;
///
/// let format = NumberFormat {
///     number: "f64le".parse().unwrap(),
///     skip: 4,
///     scale: "0.1".parse().unwrap(),
///     ..NumberFormat::default()
/// };
/// assert_eq!(format.layout()?.to_string(), "_:skip[4], value:f64le*0.1");
/// # Ok::<(), decode::LayoutError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberFormat {
    /// What it is called.
    pub name: String,
    /// Its kind, width, sign and byte order.
    pub number: NumberType,
    /// Bytes before it.
    pub skip: usize,
    /// What one step means.
    pub scale: Decimal,
    /// What is added after scaling.
    pub offset: Decimal,
    /// Its unit; empty for none.
    pub unit: String,
}

impl Default for NumberFormat {
    /// The first byte, unsigned, called `value`.
    fn default() -> Self {
        Self {
            name: "value".to_owned(),
            number: NumberType::U8,
            skip: 0,
            scale: Decimal::ONE,
            offset: Decimal::ZERO,
            unit: String::new(),
        }
    }
}

impl NumberFormat {
    /// The layout that says the same; bytes after the number are not its business and stay extra.
    ///
    /// # Errors
    /// The name or the unit is outside the grammar, the scale is zero, or the number lies beyond
    /// the longest value. The position is that in the name or unit, or else in the layout's text.
    pub fn layout(&self) -> Result<Layout, LayoutError> {
        let name = self.name.trim();
        let unit = self.unit.trim();
        // Checked apart, so that neither can smuggle in a field of its own.
        check_name(name)
            .map_err(|wrong| (name, wrong))
            .and_then(|()| check_unit(unit).map_err(|wrong| (unit, wrong)))
            .map_err(LayoutError::within)?;
        let before = match self.skip {
            0 => String::new(),
            1 => "_:skip, ".to_owned(),
            bytes => format!("_:skip[{bytes}], "),
        };
        let sign = if self.offset.is_negative() { "" } else { "+" };
        Layout::parse(&format!(
            "{before}{name}:{}*{}{sign}{} {unit}",
            self.number, self.scale, self.offset
        ))
    }

    /// The dialog's fields for a layout that it can express, to edit it again.
    #[must_use]
    pub fn of(layout: &Layout) -> Option<Self> {
        let [block] = layout.blocks.as_slice() else {
            return None;
        };
        let placed = match block.fields.as_slice() {
            [placed] => placed,
            [before, placed] if before.definition.kind == Kind::Skip => placed,
            _ => return None,
        };
        let definition = &placed.definition;
        let plain = block.form == Form::Run
            && block.presence == Presence::Always
            && definition.times.is_none()
            && definition.role.is_none()
            && definition.constant.is_none()
            && definition.names == Names::None;
        match definition.kind {
            Kind::Number(number) if plain => Some(Self {
                name: definition.name.to_string(),
                number,
                skip: placed.at,
                scale: definition.scale,
                offset: definition.offset,
                unit: definition.unit.as_deref().unwrap_or_default().to_owned(),
            }),
            _ => None,
        }
    }
}
