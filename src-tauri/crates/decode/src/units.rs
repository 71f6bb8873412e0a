//! Units by their UUID: Assigned Numbers, 3.5. Symbols are those of the SI brochure, or what
//! instruments print.

/// The name of a unit, such as `degree Celsius`; of no unit, `unitless`.
#[must_use]
pub fn name(unit: u16) -> Option<&'static str> {
    find(unit).map(|(_, name, _)| *name)
}

/// What stands behind a number in this unit, such as `°C`; nothing for `unitless` and for what
/// is not known here.
#[must_use]
pub fn symbol(unit: u16) -> Option<&'static str> {
    find(unit)
        .map(|(_, _, symbol)| *symbol)
        .filter(|symbol| !symbol.is_empty())
}

/// A unit and its name, by its place in the list.
pub(crate) fn row(at: usize) -> Option<(u16, &'static str)> {
    ALL.get(at).map(|(unit, name, _)| (*unit, *name))
}

fn find(unit: u16) -> Option<&'static (u16, &'static str, &'static str)> {
    let at = ALL.binary_search_by_key(&unit, |(number, _, _)| *number);
    ALL.get(at.ok()?)
}

/// Ascending.
static ALL: &[(u16, &str, &str)] = &[
    (0x2700, "unitless", ""),
    (0x2701, "metre", "m"),
    (0x2702, "kilogram", "kg"),
    (0x2703, "second", "s"),
    (0x2704, "ampere", "A"),
    (0x2705, "kelvin", "K"),
    (0x2706, "mole", "mol"),
    (0x2707, "candela", "cd"),
    (0x2710, "square metre", "m²"),
    (0x2711, "cubic metre", "m³"),
    (0x2712, "metre per second", "m/s"),
    (0x2713, "metre per second squared", "m/s²"),
    (0x2714, "reciprocal metre", "1/m"),
    (0x2715, "kilogram per cubic metre (density)", "kg/m³"),
    (0x2716, "kilogram per square metre", "kg/m²"),
    (0x2717, "cubic metre per kilogram", "m³/kg"),
    (0x2718, "ampere per square metre", "A/m²"),
    (0x2719, "ampere per metre", "A/m"),
    (0x271A, "mole per cubic metre", "mol/m³"),
    (
        0x271B,
        "kilogram per cubic metre (mass concentration)",
        "kg/m³",
    ),
    (0x271C, "candela per square metre", "cd/m²"),
    (0x271D, "refractive index", ""),
    (0x271E, "relative permeability", ""),
    (0x2720, "radian", "rad"),
    (0x2721, "steradian", "sr"),
    (0x2722, "hertz", "Hz"),
    (0x2723, "newton", "N"),
    (0x2724, "pascal", "Pa"),
    (0x2725, "joule", "J"),
    (0x2726, "watt", "W"),
    (0x2727, "coulomb", "C"),
    (0x2728, "volt", "V"),
    (0x2729, "farad", "F"),
    (0x272A, "ohm", "Ω"),
    (0x272B, "siemens", "S"),
    (0x272C, "weber", "Wb"),
    (0x272D, "tesla", "T"),
    (0x272E, "henry", "H"),
    (0x272F, "degree Celsius", "°C"),
    (0x2730, "lumen", "lm"),
    (0x2731, "lux", "lx"),
    (0x2732, "becquerel", "Bq"),
    (0x2733, "gray", "Gy"),
    (0x2734, "sievert", "Sv"),
    (0x2735, "katal", "kat"),
    (0x2740, "pascal second", "Pa s"),
    (0x2741, "newton metre", "Nm"),
    (0x2742, "newton per metre", "N/m"),
    (0x2743, "radian per second", "rad/s"),
    (0x2744, "radian per second squared", "rad/s²"),
    (0x2745, "watt per square metre (heat flux)", "W/m²"),
    (0x2746, "joule per kelvin", "J/K"),
    (0x2747, "joule per kilogram kelvin", "J/(kg K)"),
    (0x2748, "joule per kilogram", "J/kg"),
    (0x2749, "watt per metre kelvin", "W/(m K)"),
    (0x274A, "joule per cubic metre", "J/m³"),
    (0x274B, "volt per metre", "V/m"),
    (0x274C, "coulomb per cubic metre", "C/m³"),
    (0x274D, "coulomb per square metre (surface charge)", "C/m²"),
    (0x274E, "coulomb per square metre (electric flux)", "C/m²"),
    (0x274F, "farad per metre", "F/m"),
    (0x2750, "henry per metre", "H/m"),
    (0x2751, "joule per mole", "J/mol"),
    (0x2752, "joule per mole kelvin", "J/(mol K)"),
    (0x2753, "coulomb per kilogram", "C/kg"),
    (0x2754, "gray per second", "Gy/s"),
    (0x2755, "watt per steradian", "W/sr"),
    (0x2756, "watt per square metre steradian", "W/(m² sr)"),
    (0x2757, "katal per cubic metre", "kat/m³"),
    (0x2760, "minute", "min"),
    (0x2761, "hour", "h"),
    (0x2762, "day", "d"),
    (0x2763, "degree", "°"),
    (0x2764, "minute of arc", "′"),
    (0x2765, "second of arc", "″"),
    (0x2766, "hectare", "ha"),
    (0x2767, "litre", "L"),
    (0x2768, "tonne", "t"),
    (0x2780, "bar", "bar"),
    (0x2781, "millimetre of mercury", "mmHg"),
    (0x2782, "ångström", "Å"),
    (0x2783, "nautical mile", "NM"),
    (0x2784, "barn", "b"),
    (0x2785, "knot", "kn"),
    (0x2786, "neper", "Np"),
    (0x2787, "bel", "B"),
    (0x27A0, "yard", "yd"),
    (0x27A1, "parsec", "pc"),
    (0x27A2, "inch", "in"),
    (0x27A3, "foot", "ft"),
    (0x27A4, "mile", "mi"),
    (0x27A5, "pound-force per square inch", "psi"),
    (0x27A6, "kilometre per hour", "km/h"),
    (0x27A7, "mile per hour", "mph"),
    (0x27A8, "revolution per minute", "rpm"),
    (0x27A9, "gram calorie", "cal"),
    (0x27AA, "kilogram calorie", "kcal"),
    (0x27AB, "kilowatt hour", "kWh"),
    (0x27AC, "degree Fahrenheit", "°F"),
    (0x27AD, "percent", "%"),
    (0x27AE, "per mille", "‰"),
    (0x27AF, "beats per minute", "bpm"),
    (0x27B0, "ampere hour", "Ah"),
    (0x27B1, "milligram per decilitre", "mg/dL"),
    (0x27B2, "millimole per litre", "mmol/L"),
    (0x27B3, "year", "years"),
    (0x27B4, "month", "months"),
    (0x27B5, "count per cubic metre", "1/m³"),
    (0x27B6, "watt per square metre (irradiance)", "W/m²"),
    (0x27B7, "millilitre per kilogram per minute", "mL/kg/min"),
    (0x27B8, "pound", "lb"),
    (0x27B9, "metabolic equivalent", "MET"),
    (0x27BA, "step per minute", "1/min"),
    (0x27BC, "stroke per minute", "1/min"),
    (0x27BD, "kilometre per minute", "km/min"),
    (0x27BE, "lumen per watt", "lm/W"),
    (0x27BF, "lumen hour", "lm h"),
    (0x27C0, "lux hour", "lx h"),
    (0x27C1, "gram per second", "g/s"),
    (0x27C2, "litre per second", "L/s"),
    (0x27C3, "decibel (sound pressure)", "dB SPL"),
    (0x27C4, "parts per million", "ppm"),
    (0x27C5, "parts per billion", "ppb"),
    (0x27C6, "milligram per decilitre per minute", "mg/dL/min"),
    (0x27C7, "kilovolt ampere hour", "kVAh"),
    (0x27C8, "volt ampere", "VA"),
    (0x27C9, "standard gravity", "g"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_found_by_number() {
        assert!(ALL.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(
            (name(0x272F), symbol(0x272F)),
            (Some("degree Celsius"), Some("°C"))
        );
        assert_eq!((name(0x2700), symbol(0x2700)), (Some("unitless"), None));
        assert_eq!((name(0x27BB), symbol(0x27BB)), (None, None));
    }
}
