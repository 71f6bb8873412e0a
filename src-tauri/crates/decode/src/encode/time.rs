//! Days and times that a person writes: `2024-05-01`, `2024-05-01 12:30:00`.

use crate::field::DateTime;

use super::{Misfit, quoted};

/// A day, with a time of day where there is a `clock`; `?` or `??` for a year, month or day that
/// is not known. A `T` may stand between day and time, and seconds may be left out.
pub(crate) fn time(text: &str, clock: bool) -> Result<DateTime, Misfit> {
    read(text.trim(), clock)
        .filter(DateTime::exists)
        .ok_or_else(|| no_time(text, clock))
}

/// The same of a count of days or seconds, which goes on beyond the year 9999.
pub(crate) fn far_time(text: &str, clock: bool) -> Result<DateTime, Misfit> {
    // The calendar repeats after 400 years.
    let near = |time: &DateTime| DateTime {
        year: 2000 + time.year % 400,
        ..*time
    };
    read(text.trim(), clock)
        .filter(|time| near(time).exists() && time.days().is_some())
        .ok_or_else(|| no_time(text, clock))
}

/// The misfit of a text that is no such time.
pub(crate) fn no_time(text: &str, clock: bool) -> Misfit {
    Misfit::NotTime {
        found: quoted(text),
        example: if clock {
            "2024-05-01 12:30:00"
        } else {
            "2024-05-01"
        },
    }
}

fn read(text: &str, clock: bool) -> Option<DateTime> {
    let (day, time) = match text.split_once([' ', 'T']) {
        Some((day, time)) if clock => (day, Some(time)),
        None if !clock => (text, None),
        _ => return None,
    };
    let mut parts = day.split('-');
    let mut part = || {
        let part = parts.next()?;
        let unknown = !part.is_empty() && part.bytes().all(|byte| byte == b'?');
        if unknown { Some(0) } else { digits(part) }
    };
    let (year, month, day) = (part()?, part()?, part()?);
    if parts.next().is_some() {
        return None;
    }
    let time = match time {
        None => None,
        Some(time) => {
            let mut parts = time.trim().split(':');
            let mut part = |none| match parts.next() {
                Some(part) => u8::try_from(digits(part)?).ok(),
                None => none,
            };
            let time = (part(None)?, part(None)?, part(Some(0))?);
            if parts.next().is_some() {
                return None;
            }
            Some(time)
        }
    };
    Some(DateTime {
        year,
        month: u8::try_from(month).ok()?,
        day: u8::try_from(day).ok()?,
        time,
    })
}

fn digits(text: &str) -> Option<u16> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| all)
}

impl DateTime {
    /// As GATT transmits it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let [low, high] = self.year.to_le_bytes();
        let mut bytes = vec![low, high, self.month, self.day];
        if let Some((hours, minutes, seconds)) = self.time {
            bytes.extend([hours, minutes, seconds]);
        }
        bytes
    }

    /// Days from 1970-01-01 on, by the Gregorian calendar; `None` of a day that is not known.
    pub(crate) fn days(&self) -> Option<i128> {
        if self.year == 0 || self.month == 0 || self.day == 0 {
            return None;
        }
        // Years from March on, so that the leap day is the last.
        let month = (i128::from(self.month) + 9) % 12;
        let year = i128::from(self.year) - i128::from(self.month < 3);
        let of_year = (153 * month + 2) / 5 + i128::from(self.day) - 1;
        let days = 365 * year + year / 4 - year / 100 + year / 400 + of_year;
        Some(days - 719_468)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back() {
        for text in [
            "2024-05-01 12:30:00",
            "1582-01-01 00:00:00",
            "????-02-29 23:59:59",
            "2024-??-?? 01:02:03",
        ] {
            assert_eq!(time(text, true).unwrap().to_string(), text);
        }
        assert_eq!(time("2000-02-29", false).unwrap().to_string(), "2000-02-29");
        assert_eq!(
            time(" 2024-05-01T7:05", true).unwrap().to_string(),
            "2024-05-01 07:05:00"
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2024-05-01",
            "2023-02-29 00:00:00",
            "2024-13-01 00:00:00",
            "2024-05-01 24:00:00",
            "2024-05-01-02 00:00:00",
            "2024-05-01 1:2:3:4",
            "99999-05-01 00:00:00",
            "+24-05-01 00:00:00",
        ] {
            assert_eq!(time(text, true), Err(no_time(text, true)), "{text}");
        }
        assert!(time("2024-05-01 00:00:00", false).is_err());
    }

    #[test]
    fn days_are_counted_from_1970() {
        let days = |text| time(text, false).unwrap().days();
        assert_eq!(days("1970-01-01"), Some(0));
        assert_eq!(days("1969-12-31"), Some(-1));
        assert_eq!(days("2000-03-01"), Some(11_017));
        assert_eq!(days("????-03-01"), None);
        assert_eq!(
            far_time("45134-02-29", false),
            Err(no_time("45134-02-29", false))
        );
        assert_eq!(far_time("12400-02-29", false).unwrap().year, 12_400);
    }
}
