//! The binary frame that answers the page's pump: what to draw, and nothing else.
//!
//! Little-endian; every part starts at a multiple of eight bytes, so that the page lays typed arrays
//! over it without copying.
//!
//! | part | bytes |
//! |---|---|
//! | header | `u32` magic, `u32` version, `u64` revision, `f64` now, `f64` from, `f64` to, `u32` series, `u32` 0 |
//! | for each series: its header | `u32` id, `u32` points, `u32` gaps, `u32` 0, `f64` last value, `u64` samples, `u64` lost, `f64` time of the last sample |
//! | its points | `f64` x for each, then `f64` y for each |
//! | its gaps | `f64` from, `f64` to, `u32` count, `u32` cause for each |
//!
//! Times are seconds of the session. A y that is not a number breaks the line. Causes: 1 the device's
//! own counter, 2 the system's queue, 3 Gattscope, 4 the link was down.

/// The first four bytes, `GSSF` read as a little-endian number.
pub const MAGIC: u32 = 0x4653_5347;
/// The version of this layout.
pub const VERSION: u32 = 1;

/// One gap of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gap {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) count: u32,
    pub(crate) cause: u32,
}

/// What a frame says of one series beside its points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct SeriesHeader {
    pub(crate) id: u32,
    pub(crate) last: Option<(f64, f64)>,
    pub(crate) samples: u64,
    pub(crate) lost: u64,
}

/// Puts a frame together.
pub(crate) struct Writer {
    bytes: Vec<u8>,
    series: u32,
}

/// Where the number of series stands.
const SERIES_AT: usize = 40;

impl Writer {
    pub(crate) fn new(revision: u64, now: f64, from: f64, to: f64) -> Self {
        let mut writer = Self {
            bytes: Vec::with_capacity(64 * 1024),
            series: 0,
        };
        writer.u32(MAGIC);
        writer.u32(VERSION);
        writer.bytes.extend(revision.to_le_bytes());
        for number in [now, from, to] {
            writer.f64(number);
        }
        writer.u32(0);
        writer.u32(0);
        writer
    }

    pub(crate) fn series(&mut self, header: SeriesHeader, xs: &[f64], ys: &[f64], gaps: &[Gap]) {
        self.series += 1;
        let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        self.u32(header.id);
        self.u32(count(xs.len()));
        self.u32(count(gaps.len()));
        self.u32(0);
        let (at, value) = header.last.unwrap_or((f64::NAN, f64::NAN));
        self.f64(value);
        self.bytes.extend(header.samples.to_le_bytes());
        self.bytes.extend(header.lost.to_le_bytes());
        self.f64(at);
        for number in xs.iter().chain(ys) {
            self.f64(*number);
        }
        for gap in gaps {
            self.f64(gap.from);
            self.f64(gap.to);
            self.u32(gap.count);
            self.u32(gap.cause);
        }
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.bytes[SERIES_AT..SERIES_AT + 4].copy_from_slice(&self.series.to_le_bytes());
        self.bytes
    }

    fn u32(&mut self, number: u32) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn f64(&mut self, number: f64) {
        self.bytes.extend(number.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_laid_out_as_documented_and_aligned() {
        let mut writer = Writer::new(7, 3.0, 1.0, 2.0);
        let header = SeriesHeader {
            id: 5,
            last: Some((2.5, -1.0)),
            samples: 9,
            lost: 2,
        };
        let gap = Gap {
            from: 1.25,
            to: 1.5,
            count: 2,
            cause: 1,
        };
        writer.series(header, &[1.0, 2.0], &[10.0, 20.0], &[gap]);
        let bytes = writer.finish();
        assert_eq!(bytes.len(), 48 + 48 + 4 * 8 + 24);
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let f64_at = |at: usize| f64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        assert_eq!(&bytes[..4], b"GSSF");
        assert_eq!(
            (u32_at(8), f64_at(16), f64_at(24), f64_at(32), u32_at(40)),
            (7, 3.0, 1.0, 2.0, 1)
        );
        assert_eq!((u32_at(48), u32_at(52), u32_at(56)), (5, 2, 1));
        assert_eq!(
            (f64_at(64), u32_at(72), u32_at(80), f64_at(88)),
            (-1.0, 9, 2, 2.5)
        );
        assert_eq!((f64_at(96), f64_at(112)), (1.0, 10.0));
        assert_eq!(
            (f64_at(128), f64_at(136), u32_at(144), u32_at(148)),
            (1.25, 1.5, 2, 1)
        );
    }
}
