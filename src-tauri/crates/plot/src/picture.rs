//! Charts as PNG and SVG files, by plotters.
//!
//! Text is set in Inter, which comes along: a picture looks the same on every system, and needs no
//! font of the system. A file appears under its name only when it is whole.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::OnceLock;

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::{Cause, Gap};

/// The one font, under its licence (`fonts/OFL.txt`).
const INTER: &[u8] = include_bytes!("../fonts/Inter-Regular.otf");
const FAMILY: &str = "Inter";

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be written.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// The path names a folder.
    #[error("that is a folder")]
    IsAFolder,
    /// Drawing failed.
    #[error("drawing failed: {0}")]
    Drawing(String),
}

/// How large a picture is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Width before scaling, pixels.
    pub width: u32,
    /// Height before scaling, pixels.
    pub height: u32,
    /// How many pixels of the file are one pixel: 2 for fine screens and print.
    pub scale: f64,
}

/// Colours on paper or on a dark ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// A chart: lanes above each other over one time axis.
pub struct Chart {
    /// Stands above it.
    pub title: String,
    /// From top to bottom.
    pub lanes: Vec<Lane>,
    /// Stretches that are marked in every lane.
    pub marks: Vec<Mark>,
    /// Start, nanoseconds.
    pub from: i64,
    /// End, nanoseconds.
    pub to: i64,
    /// What stands at the time axis for a time.
    pub time: Box<dyn Fn(i64) -> String>,
    /// Its colours.
    pub theme: Theme,
}

/// Lines over one value axis.
pub struct Lane {
    /// Stands above it.
    pub name: String,
    /// Unit of the axis; empty for none.
    pub unit: String,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// One line.
pub struct Line {
    /// Stands in the legend.
    pub name: String,
    /// Colour, 1 to 8.
    pub colour: u8,
    /// Drawn in dashes.
    pub dashed: bool,
    /// Times, nanoseconds.
    pub xs: Vec<i64>,
    /// Values; what is not a number breaks the line.
    pub ys: Vec<f64>,
}

/// A marked stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Start, nanoseconds.
    pub from: i64,
    /// End, nanoseconds.
    pub to: i64,
    /// Stands beside it; empty for nothing.
    pub label: String,
    /// Lost values, not only silence.
    pub loss: bool,
}

impl From<Gap> for Mark {
    fn from(gap: Gap) -> Self {
        let loss = gap.cause != Cause::LinkDown;
        let label = match (loss, gap.count) {
            (false, _) => "link down".into(),
            (true, 0) => String::new(),
            (true, count) => format!("{count} lost"),
        };
        Self { from: gap.from, to: gap.to, label, loss }
    }
}

struct Palette {
    ground: RGBColor,
    text: RGBColor,
    quiet: RGBColor,
    grid: RGBColor,
    bad: RGBColor,
    series: [RGBColor; 8],
}

const fn rgb(hex: u32) -> RGBColor {
    RGBColor((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

const LIGHT: Palette = Palette {
    ground: rgb(0xFF_FF_FF),
    text: rgb(0x19_1D_23),
    quiet: rgb(0x5C_65_70),
    grid: rgb(0xE8_EA_EE),
    bad: rgb(0xD4_25_3A),
    series: [
        rgb(0x14_47_AC),
        rgb(0xAB_7C_17),
        rgb(0x20_7D_69),
        rgb(0x79_0A_6A),
        rgb(0xB0_4F_3E),
        rgb(0x33_8B_C4),
        rgb(0x54_4F_00),
        rgb(0x2F_33_39),
    ],
};

const DARK: Palette = Palette {
    ground: rgb(0x14_16_1A),
    text: rgb(0xE6_E9_ED),
    quiet: rgb(0x8E_97_A3),
    grid: rgb(0x23_27_2E),
    bad: rgb(0xF0_52_5A),
    series: [
        rgb(0x4E_96_FE),
        rgb(0xFD_AE_04),
        rgb(0x65_E7_B0),
        rgb(0xBB_79_A5),
        rgb(0xD7_62_23),
        rgb(0xB5_E8_FE),
        rgb(0xE8_EB_51),
        rgb(0xAB_B0_B9),
    ],
};

impl Palette {
    fn series(&self, colour: u8) -> RGBColor {
        self.series[usize::from(colour.saturating_sub(1)) % self.series.len()]
    }
}

/// Writes a chart as PNG. Returns the size of the file in bytes.
///
/// # Errors
///
/// [`Error`]; then what stood under that name before still stands there.
pub fn png(chart: &Chart, size: Size, path: &Path) -> Result<u64, Error> {
    let (width, height) = size.pixels();
    whole(path, ".png", |file| {
        let root = BitMapBackend::new(file, (width, height)).into_drawing_area();
        draw(chart, size.scale, &root)
    })
}

/// Writes a chart as SVG. Returns the size of the file in bytes.
///
/// # Errors
///
/// [`Error`]; then what stood under that name before still stands there.
pub fn svg(chart: &Chart, size: Size, path: &Path) -> Result<u64, Error> {
    whole(path, ".svg", |file| {
        let root = SVGBackend::new(file, (size.width, size.height)).into_drawing_area();
        draw(chart, 1.0, &root)
    })
}

impl Size {
    fn pixels(self) -> (u32, u32) {
        let scaled = |side: u32| (f64::from(side) * self.scale).round().clamp(1.0, 32_768.0) as u32;
        (scaled(self.width), scaled(self.height))
    }
}

/// Draws into a new file beside `path` and gives it the name when it is whole.
fn whole(
    path: &Path,
    suffix: &str,
    draw: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<u64, Error> {
    if path.is_dir() {
        return Err(Error::IsAFolder);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".gattscope-")
        .suffix(suffix)
        .tempfile_in(folder.unwrap_or(Path::new(".")))?;
    draw(file.path())?;
    file.flush()?;
    let bytes = fs::metadata(file.path())?.len();
    file.persist(path).map_err(|error| error.error)?;
    Ok(bytes)
}

fn draw<B: DrawingBackend>(
    chart: &Chart,
    scale: f64,
    root: &DrawingArea<B, Shift>,
) -> Result<(), Error> {
    static FONT: OnceLock<bool> = OnceLock::new();
    let registered = *FONT
        .get_or_init(|| plotters::style::register_font(FAMILY, FontStyle::Normal, INTER).is_ok());
    if !registered {
        return Err(Error::Drawing("the font cannot be read".into()));
    }
    Drawing { chart, scale, palette: if chart.theme == Theme::Light { &LIGHT } else { &DARK } }
        .all(root)
        .map_err(|error| Error::Drawing(error.to_string()))
}

struct Drawing<'a> {
    chart: &'a Chart,
    scale: f64,
    palette: &'a Palette,
}

type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

impl Drawing<'_> {
    fn px(&self, pixels: f64) -> i32 {
        (pixels * self.scale).round() as i32
    }

    fn text(&self, size: f64, colour: RGBColor) -> TextStyle<'static> {
        TextStyle { color: colour.to_backend_color(), ..TextStyle::from((FAMILY, size * self.scale)) }
    }

    fn all<B: DrawingBackend>(&self, root: &DrawingArea<B, Shift>) -> Drawn<B> {
        root.fill(&self.palette.ground)?;
        let chart = self.chart;
        let (width, height) = root.dim_in_pixel();
        let margin = self.px(16.0);
        root.draw_text(&chart.title, &self.text(15.0, self.palette.text), (margin, self.px(10.0)))?;
        let dates = format!("{} to {}", (chart.time)(chart.from), (chart.time)(chart.to));
        let right = self
            .text(11.0, self.palette.quiet)
            .pos(Pos::new(HPos::Right, VPos::Top));
        root.draw_text(&dates, &right, (width as i32 - margin, self.px(13.0)))?;
        let (top, bottom) = (self.px(36.0), height as i32 - self.px(28.0));
        let lanes = i32::try_from(chart.lanes.len().max(1)).unwrap_or(1);
        let each = (bottom - top).max(lanes) / lanes;
        for (index, lane) in (0..lanes).zip(&chart.lanes) {
            let place = Place {
                left: self.px(72.0),
                right: width as i32 - margin,
                name: top + index * each,
                top: top + index * each + self.px(22.0),
                bottom: top + (index + 1) * each - self.px(6.0),
            };
            self.lane(root, lane, &place, index + 1 == lanes)?;
        }
        root.present()
    }

    fn lane<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        lane: &Lane,
        place: &Place,
        last: bool,
    ) -> Drawn<B> {
        let (low, high) = range(lane);
        let ticks = ticks(low, high, f64::from(place.bottom - place.top) / (40.0 * self.scale));
        let y = |value: f64| {
            place.bottom - ((value - low) / (high - low) * f64::from(place.bottom - place.top)) as i32
        };
        let span = (self.chart.to - self.chart.from).max(1) as f64;
        let x = |at: i64| {
            let part = (at - self.chart.from) as f64 / span;
            place.left + (part * f64::from(place.right - place.left)) as i32
        };
        let thin = self.palette.grid.stroke_width(self.px(1.0).unsigned_abs());
        let axis = self.text(11.0, self.palette.quiet);
        let beside = axis.pos(Pos::new(HPos::Right, VPos::Center));
        for tick in &ticks.at {
            let at = y(*tick);
            root.draw(&PathElement::new([(place.left, at), (place.right, at)], thin))?;
            let label = format!("{tick:.*}", ticks.decimals).replace('-', "\u{2212}");
            root.draw_text(&label, &beside, (place.left - self.px(8.0), at))?;
        }
        let columns = ((place.right - place.left) / self.px(140.0).max(1)).clamp(2, 12);
        for column in 0..=columns {
            let at = self.chart.from
                + (self.chart.to - self.chart.from) / i64::from(columns) * i64::from(column);
            root.draw(&PathElement::new([(x(at), place.top), (x(at), place.bottom)], thin))?;
            if last && column > 0 && column < columns {
                let below = axis.pos(Pos::new(HPos::Center, VPos::Top));
                let label = (self.chart.time)(at);
                root.draw_text(&label, &below, (x(at), place.bottom + self.px(8.0)))?;
            }
        }
        self.marks(root, place, &x)?;
        self.legend(root, lane, place)?;
        for line in &lane.lines {
            let colour = self.palette.series(line.colour);
            let style = colour.stroke_width(self.px(1.5).unsigned_abs().max(1));
            let mut run: Vec<(i32, i32)> = Vec::new();
            let inside = |at: i64| at >= self.chart.from && at <= self.chart.to;
            for (at, value) in line.xs.iter().zip(&line.ys).chain([(&0, &f64::NAN)]) {
                if value.is_nan() {
                    self.stroke(root, std::mem::take(&mut run), style, line.dashed)?;
                } else if inside(*at) {
                    run.push((x(*at), y(*value)));
                }
            }
        }
        Ok(())
    }

    fn stroke<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        run: Vec<(i32, i32)>,
        style: ShapeStyle,
        dashed: bool,
    ) -> Drawn<B> {
        match run.as_slice() {
            [] => Ok(()),
            // A sample between two gaps has no line; it is a dot.
            [only] => root.draw(&Circle::new(*only, self.px(1.5), style.filled())),
            _ if dashed => {
                root.draw(&DashedPathElement::new(run, self.px(5.0), self.px(3.0), style))
            }
            _ => root.draw(&PathElement::new(run, style)),
        }
    }

    fn marks<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        place: &Place,
        x: &dyn Fn(i64) -> i32,
    ) -> Drawn<B> {
        let shown = |mark: &&Mark| mark.to >= self.chart.from && mark.from <= self.chart.to;
        for mark in self.chart.marks.iter().filter(shown) {
            let left = x(mark.from.max(self.chart.from));
            // Even a loss too short to be seen is seen.
            let right = x(mark.to.min(self.chart.to)).max(left + self.px(2.0));
            let colour = if mark.loss { self.palette.bad } else { self.palette.quiet };
            let corners = [(left, place.top), (right, place.bottom)];
            root.draw(&Rectangle::new(corners, colour.mix(0.18).filled()))?;
            for side in [left, right] {
                let line = [(side, place.top), (side, place.bottom)];
                root.draw(&PathElement::new(line, colour.mix(0.7)))?;
            }
            let style = self.text(11.0, colour);
            root.draw_text(&mark.label, &style, (right + self.px(4.0), place.bottom - self.px(16.0)))?;
        }
        Ok(())
    }

    fn legend<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        lane: &Lane,
        place: &Place,
    ) -> Drawn<B> {
        let unit = if lane.unit.is_empty() { String::new() } else { format!(", {}", lane.unit) };
        let title = format!("{}{unit}", lane.name);
        let style = self.text(12.0, self.palette.text);
        let at = (self.px(16.0), place.name + self.px(4.0));
        root.draw_text(&title, &style, at)?;
        let (wide, _) = root.estimate_text_size(&title, &style)?;
        let mut left = at.0 + wide as i32 + self.px(20.0);
        for line in &lane.lines {
            let colour = self.palette.series(line.colour);
            let middle = place.name + self.px(11.0);
            let swatch = vec![(left, middle), (left + self.px(12.0), middle)];
            let stroke = colour.stroke_width(self.px(2.0).unsigned_abs());
            self.stroke(root, swatch, stroke, line.dashed)?;
            left += self.px(18.0);
            let style = self.text(12.0, self.palette.quiet);
            root.draw_text(&line.name, &style, (left, at.1))?;
            let (wide, _) = root.estimate_text_size(&line.name, &style)?;
            left += wide as i32 + self.px(16.0);
        }
        Ok(())
    }
}

struct Place {
    left: i32,
    right: i32,
    name: i32,
    top: i32,
    bottom: i32,
}

/// The values of a lane with a little air; never empty.
fn range(lane: &Lane) -> (f64, f64) {
    let values = lane.lines.iter().flat_map(|line| &line.ys).filter(|y| y.is_finite());
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), y| {
        (low.min(*y), high.max(*y))
    });
    if low > high {
        return (0.0, 1.0);
    }
    let air = ((high - low) * 0.08).max(high.abs().max(low.abs()) * 1e-6).max(1e-9);
    (low - air, high + air)
}

struct Ticks {
    at: Vec<f64>,
    decimals: usize,
}

/// Round numbers between `low` and `high`: about `wanted` of them.
fn ticks(low: f64, high: f64, wanted: f64) -> Ticks {
    let rough = (high - low) / wanted.clamp(2.0, 8.0);
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough);
    let step = step.unwrap_or(rough);
    let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
    let first = (low / step).ceil();
    let count = ((high / step).floor() - first).clamp(0.0, 16.0) as i32;
    Ticks { at: (0..=count).map(|n| (first + f64::from(n)) * step + 0.0).collect(), decimals }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(theme: Theme) -> Chart {
        let xs: Vec<i64> = (0..600).map(|n| n * 10_000_000).collect();
        let line = |name: &str, colour, phase: f64, dashed| Line {
            name: name.into(),
            colour,
            dashed,
            ys: xs
                .iter()
                .enumerate()
                .map(|(n, _)| if (300..340).contains(&n) { f64::NAN } else { (n as f64 / 40.0 + phase).sin() })
                .collect(),
            xs: xs.clone(),
        };
        let gap = Gap { from: 3_000_000_000, to: 3_400_000_000, cause: Cause::DeviceSequence, count: 40 };
        Chart {
            title: "Motion <script>alert(1)</script> & co".into(),
            lanes: vec![
                Lane {
                    name: "Acceleration, Motion sensor".into(),
                    unit: "g".into(),
                    lines: vec![line("x", 1, 0.0, false), line("y", 2, 1.0, false), line("z", 3, 2.0, true)],
                },
                Lane { name: "Heart rate".into(), unit: "bpm".into(), lines: vec![line("bpm", 4, 0.5, false)] },
            ],
            marks: vec![gap.into()],
            from: 0,
            to: 6_000_000_000,
            time: Box::new(|nanos| format!("14:31:{:06.3}", nanos as f64 / 1e9)),
            theme,
        }
    }

    const SIZE: Size = Size { width: 960, height: 420, scale: 2.0 };

    #[test]
    fn a_png_has_the_size_that_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        for theme in [Theme::Light, Theme::Dark] {
            let path = folder.path().join("chart.png");
            let bytes = png(&chart(theme), SIZE, &path).unwrap();
            let file = fs::read(&path).unwrap();
            assert_eq!(bytes, file.len() as u64);
            assert_eq!(&file[..8], b"\x89PNG\r\n\x1a\n");
            assert_eq!(file[16..24], [0, 0, 7, 128, 0, 0, 3, 72], "1920 by 840");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn an_svg_holds_hostile_names_as_text() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chart.svg");
        svg(&chart(Theme::Light), SIZE, &path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("&lt;script&gt;") && !text.contains("<script"));
        assert!(text.contains("40 lost"));
    }

    #[test]
    fn a_failure_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(png(&chart(Theme::Dark), SIZE, folder.path()), Err(Error::IsAFolder)));
        let missing = folder.path().join("no").join("chart.png");
        assert!(matches!(png(&chart(Theme::Dark), SIZE, &missing), Err(Error::File(_))));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let Ticks { at, decimals } = ticks(-1.2, 1.9, 4.0);
        assert_eq!((at.as_slice(), decimals), (&[-1.0, 0.0, 1.0][..], 0));
        let Ticks { at, decimals } = ticks(0.013, 0.058, 4.0);
        assert_eq!(decimals, 2);
        assert!(at.iter().all(|tick| (0.013..=0.058).contains(tick)), "{at:?}");
        assert_eq!(range(&Lane { name: String::new(), unit: String::new(), lines: Vec::new() }), (0.0, 1.0));
    }

    #[test]
    fn an_empty_chart_is_a_picture_too() {
        let folder = tempfile::tempdir().unwrap();
        let empty = Chart { lanes: Vec::new(), marks: Vec::new(), ..chart(Theme::Dark) };
        assert!(png(&empty, SIZE, &folder.path().join("empty.png")).is_ok());
    }
}
