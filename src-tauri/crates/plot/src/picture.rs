//! Charts as PNG and SVG files, by plotters.
//!
//! Text is set in Inter, which comes along: a picture looks the same on every system, and needs no
//! font of the system. A file appears under its name only when it is whole.
//!
//! A PNG is drawn three times larger and averaged down, which makes lines and letters smooth at any
//! slope; an SVG is drawn on a grid ten times finer than its pixels.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::{Cause, Gap};

/// The one font, under its licence (`fonts/OFL.txt`).
const INTER: &[u8] = include_bytes!("../fonts/Inter-Regular.otf");
/// What an SVG asks for: Inter where it is installed, else what is nearest.
const FAMILY: &str = "Inter, system-ui, sans-serif";
/// How many pixels are averaged into one, in each direction.
const FINE: u32 = 3;
/// Larger pictures than this, in pixels, are drawn without averaging, which takes 27 bytes for each:
/// just more than a 4K screen.
const SMOOTH: u64 = 1 << 23;
/// How many steps of an SVG's grid are a pixel.
const SVG_STEPS: u32 = 10;

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
    /// What it is: stands beside it, after the count if there is one.
    pub what: String,
    /// How many values are missing, where it is known; else zero.
    pub count: u64,
    /// Lost values, not only silence.
    pub loss: bool,
}

impl From<Gap> for Mark {
    fn from(gap: Gap) -> Self {
        let loss = gap.cause != Cause::LinkDown;
        let what = if loss { "lost" } else { "link down" };
        Self {
            from: gap.from,
            to: gap.to,
            what: what.into(),
            count: gap.count,
            loss,
        }
    }
}

struct Palette {
    ground: RGBColor,
    text: RGBColor,
    quiet: RGBColor,
    grid: RGBColor,
    edge: RGBColor,
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
    edge: rgb(0xC9_CE_D6),
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
    edge: rgb(0x3A_40_4A),
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
    if u64::from(width) * u64::from(height) > SMOOTH {
        return whole(path, ".png", |file| {
            let root = BitMapBackend::new(file, (width, height)).into_drawing_area();
            draw(chart, size.scale, true, &root)
        });
    }
    let large = (width * FINE, height * FINE);
    let mut pixels = vec![0; 3 * large.0 as usize * large.1 as usize];
    {
        let root = BitMapBackend::with_buffer(&mut pixels, large).into_drawing_area();
        draw(chart, size.scale * f64::from(FINE), true, &root)?;
    }
    let pixels = averaged(&pixels, width as usize, FINE as usize);
    whole(path, ".png", |file| {
        let mut image = BitMapBackend::new(file, (width, height));
        image
            .blit_bitmap((0, 0), (width, height), &pixels)
            .and_then(|()| image.present())
            .map_err(|error| Error::Drawing(error.to_string()))
    })
}

/// Writes a chart as SVG. Returns the size of the file in bytes.
///
/// # Errors
///
/// [`Error`]; then what stood under that name before still stands there.
pub fn svg(chart: &Chart, size: Size, path: &Path) -> Result<u64, Error> {
    let Size { width, height, .. } = size;
    let fine = (
        width.saturating_mul(SVG_STEPS),
        height.saturating_mul(SVG_STEPS),
    );
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, fine).into_drawing_area();
        draw(chart, f64::from(SVG_STEPS), false, &root)?;
    }
    // The fine grid stays in the view box; the picture is as large as was asked for.
    let large = format!("width=\"{}\" height=\"{}\"", fine.0, fine.1);
    let small = format!("width=\"{width}\" height=\"{height}\"");
    let text = text.replacen(&large, &small, 1);
    whole(path, ".svg", |file| Ok(fs::write(file, &text)?))
}

/// Every square of `fine` by `fine` pixels as one: RGB, in rows of `width` of the result.
fn averaged(pixels: &[u8], width: usize, fine: usize) -> Vec<u8> {
    let row = 3 * width * fine;
    let mut small = Vec::with_capacity(pixels.len() / (fine * fine));
    for rows in pixels.chunks_exact((row * fine).max(1)) {
        for x in 0..width {
            for channel in 0..3 {
                let part =
                    |y: usize, dx: usize| u32::from(rows[y * row + 3 * (x * fine + dx) + channel]);
                let sum: u32 = (0..fine)
                    .flat_map(|y| (0..fine).map(move |dx| (y, dx)))
                    .map(|(y, dx)| part(y, dx))
                    .sum();
                small.push((sum / (fine * fine) as u32) as u8);
            }
        }
    }
    small
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
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".gattscope-").suffix(suffix);
    #[cfg(unix)]
    {
        // What the user saves is readable as any other file of theirs, not private as temporary ones.
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    draw(file.path())?;
    file.as_file().sync_all()?;
    let bytes = fs::metadata(file.path())?.len();
    file.persist(path).map_err(|error| error.error)?;
    Ok(bytes)
}

fn draw<B: DrawingBackend>(
    chart: &Chart,
    scale: f64,
    bitmap: bool,
    root: &DrawingArea<B, Shift>,
) -> Result<(), Error> {
    static FONT: OnceLock<bool> = OnceLock::new();
    let registered = *FONT
        .get_or_init(|| plotters::style::register_font(FAMILY, FontStyle::Normal, INTER).is_ok());
    if !registered {
        return Err(Error::Drawing("the font cannot be read".into()));
    }
    let palette = if chart.theme == Theme::Light {
        &LIGHT
    } else {
        &DARK
    };
    Drawing {
        chart,
        scale,
        bitmap,
        palette,
    }
    .all(root)
    .map_err(|error| Error::Drawing(error.to_string()))
}

struct Drawing<'a> {
    chart: &'a Chart,
    /// Units of the drawing in a pixel of the picture.
    scale: f64,
    /// Whether it becomes pixels, not shapes.
    bitmap: bool,
    palette: &'a Palette,
}

type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

/// Where a lane stands, in units of the drawing.
struct Place {
    left: i32,
    right: i32,
    name: i32,
    top: i32,
    bottom: i32,
}

/// A lane with its lines cut to the range.
struct Cut<'a> {
    lane: &'a Lane,
    /// Per line its unbroken stretches, as nanoseconds since the start and values.
    lines: Vec<Vec<Vec<(f64, f64)>>>,
    low: f64,
    high: f64,
    ticks: Vec<(f64, String)>,
}

/// A mark as columns of the drawing.
struct Band {
    left: i32,
    right: i32,
    what: String,
    count: u64,
    loss: bool,
}

impl Drawing<'_> {
    fn px(&self, pixels: f64) -> i32 {
        (pixels * self.scale).round() as i32
    }

    fn text(&self, size: f64, colour: RGBColor) -> TextStyle<'static> {
        // plotters takes the height of a line, which is 1.24 times the size of a font.
        let size = size * 1.24 * self.scale;
        TextStyle {
            color: colour.to_backend_color(),
            ..TextStyle::from((FAMILY, size))
        }
    }

    /// Writes one line of text on a baseline.
    fn write<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        text: &str,
        style: &TextStyle<'_>,
        side: HPos,
        (x, baseline): (i32, i32),
    ) -> Drawn<B> {
        // How far below the top of a text its baseline is, by plotters' two backends.
        let size = style.font.get_size();
        let down = if self.bitmap {
            size / 2.0
        } else {
            size / 1.24 * 0.76
        };
        let top = baseline - down.round() as i32;
        root.draw_text(text, &style.pos(Pos::new(side, VPos::Top)), (x, top))
    }

    fn all<B: DrawingBackend>(&self, root: &DrawingArea<B, Shift>) -> Drawn<B> {
        root.fill(&self.palette.ground)?;
        let chart = self.chart;
        let (width, height) = root.dim_in_pixel();
        let (width, height) = (width as i32, height as i32);
        let margin = self.px(16.0);
        let marks = distinct(&chart.marks);
        let lost = marks
            .iter()
            .filter(|mark| touches(mark, chart))
            .map(|mark| mark.count);
        let lost = lost.fold(0_u64, u64::saturating_add);
        let mut beside = width - margin;
        if lost > 0 {
            let style = self.text(11.0, self.palette.bad);
            beside = self.right(
                root,
                &format!("{lost} lost"),
                &style,
                (beside, self.px(24.0)),
            )?;
        }
        let dates = format!("{} to {}", (chart.time)(chart.from), (chart.time)(chart.to));
        let style = self.text(11.0, self.palette.quiet);
        let beside = self.right(root, &dates, &style, (beside, self.px(24.0)))?;
        let style = self.text(14.0, self.palette.text);
        let title = fit(root, &chart.title, &style, beside - margin)?;
        self.write(root, &title, &style, HPos::Left, (margin, self.px(24.0)))?;

        let (top, bottom) = (self.px(40.0), height - self.px(32.0));
        let lanes = i32::try_from(chart.lanes.len().max(1)).unwrap_or(i32::MAX);
        let each = (bottom - top).max(0) / lanes;
        let tall = f64::from((each - self.px(34.0)).max(1)) / self.scale;
        let cuts: Vec<Cut<'_>> = chart
            .lanes
            .iter()
            .map(|lane| Cut::new(lane, chart.from, chart.to, tall / 36.0))
            .collect();
        // One axis for all lanes: as wide as the widest number of any.
        let axis = self.text(11.0, self.palette.quiet);
        let mut left = self.px(28.0);
        for (_, label) in cuts.iter().flat_map(|cut| &cut.ticks) {
            left = left.max(wide(root, label, &axis)?);
        }
        let left = (margin + left + self.px(8.0)).min(width / 2);
        for (index, cut) in (0..lanes).zip(&cuts) {
            let place = Place {
                left,
                right: width - margin,
                name: top + index * each,
                top: top + index * each + self.px(24.0),
                bottom: (top + (index + 1) * each - self.px(10.0))
                    .max(top + index * each + self.px(25.0)),
            };
            self.lane(root, cut, &marks, &place, index + 1 == lanes)?;
        }
        root.present()
    }

    /// Text that ends at a place. Returns where text before it ends.
    fn right<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        text: &str,
        style: &TextStyle<'_>,
        at: (i32, i32),
    ) -> Result<i32, DrawingAreaErrorKind<B::ErrorType>> {
        let text = clean(text);
        self.write(root, &text, style, HPos::Right, at)?;
        Ok(at.0 - wide(root, &text, style)? - self.px(16.0))
    }

    fn lane<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        cut: &Cut<'_>,
        marks: &[&Mark],
        place: &Place,
        last: bool,
    ) -> Drawn<B> {
        let bands = self.bands(marks, place);
        // What the bands say stands below the lines, not on them.
        let foot = if bands.is_empty() {
            0
        } else {
            self.px(18.0).min((place.bottom - place.top) / 3)
        };
        let tall = f64::from(place.bottom - foot - place.top);
        let y = |value: f64| {
            place.bottom - foot - ((value - cut.low) / (cut.high - cut.low) * tall).round() as i32
        };
        let x = |nanos: f64| self.column(place, nanos);
        let thin = self.palette.grid.stroke_width(self.px(1.0).unsigned_abs());
        let axis = self.text(11.0, self.palette.quiet);
        for (tick, label) in &cut.ticks {
            let at = y(*tick);
            root.draw(&PathElement::new(
                [(place.left, at), (place.right, at)],
                thin,
            ))?;
            self.write(
                root,
                label,
                &axis,
                HPos::Right,
                (place.left - self.px(8.0), at + self.px(4.0)),
            )?;
        }
        let widest = wide(root, &clean(&(self.chart.time)(self.chart.to)), &axis)?;
        let room = (place.right - place.left) / (widest + self.px(28.0)).max(1);
        for at in moments(self.chart.from, self.chart.to, room) {
            let column = x(since(at, self.chart.from));
            root.draw(&PathElement::new(
                [(column, place.top), (column, place.bottom)],
                thin,
            ))?;
            let inside = column - widest / 2 >= place.left && column + widest / 2 <= place.right;
            if last && inside {
                let label = clean(&(self.chart.time)(at));
                self.write(
                    root,
                    &label,
                    &axis,
                    HPos::Center,
                    (column, place.bottom + self.px(17.0)),
                )?;
            }
        }
        for band in &bands {
            self.band(root, band, place)?;
        }
        let edge = self.palette.edge.stroke_width(self.px(1.0).unsigned_abs());
        let corner = [
            (place.left, place.top),
            (place.left, place.bottom),
            (place.right, place.bottom),
        ];
        root.draw(&PathElement::new(corner, edge))?;
        for (line, stretches) in cut.lane.lines.iter().zip(&cut.lines) {
            let colour = self.palette.series(line.colour);
            for stretch in stretches {
                let mut points: Vec<_> = stretch
                    .iter()
                    .map(|(at, value)| (x(*at), y(*value)))
                    .collect();
                points.dedup();
                self.stroke(root, &points, colour, line.dashed)?;
            }
        }
        self.labels(root, &bands, place)?;
        self.legend(root, cut.lane, place)
    }

    fn stroke<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        points: &[(i32, i32)],
        colour: RGBColor,
        dashed: bool,
    ) -> Drawn<B> {
        let wide = self.px(1.4).max(1);
        let style = colour.stroke_width(wide.unsigned_abs());
        match points {
            [] => Ok(()),
            // A value between two gaps has no line; it is a dot.
            [only] => root.draw(&Circle::new(*only, self.px(1.6).max(1), style.filled())),
            _ if dashed => {
                let points = points.to_vec();
                root.draw(&DashedPathElement::new(
                    points,
                    self.px(5.0),
                    self.px(3.0),
                    style,
                ))
            }
            _ if !self.bitmap => root.draw(&PathElement::new(points, style)),
            _ => {
                // Piece by piece: plotters outlines a whole path as one polygon, which goes wrong
                // where a line turns back on itself, and a noisy signal does so in every column.
                for pair in points.windows(2) {
                    root.draw(&PathElement::new(pair, style))?;
                    root.draw(&Circle::new(pair[1], wide / 2, style.filled()))?;
                }
                Ok(())
            }
        }
    }

    /// Where a moment stands, given as nanoseconds since the start.
    fn column(&self, place: &Place, nanos: f64) -> i32 {
        let part = nanos / since(self.chart.to, self.chart.from).max(1.0);
        place.left + (part * f64::from(place.right - place.left)).round() as i32
    }

    /// The marks that can be seen, as columns; those that would touch become one.
    fn bands(&self, marks: &[&Mark], place: &Place) -> Vec<Band> {
        let chart = self.chart;
        let x = |nanos: f64| self.column(place, nanos);
        let mut bands: Vec<Band> = Vec::new();
        for mark in marks.iter().filter(|mark| touches(mark, chart)) {
            let left = x(since(mark.from.max(chart.from), chart.from));
            // Even a loss too short to be seen is seen.
            let right = x(since(mark.to.min(chart.to), chart.from)).max(left + self.px(2.0));
            let near = bands
                .iter_mut()
                .rev()
                .find(|band| band.loss == mark.loss && band.what == mark.what);
            match near.filter(|band| left <= band.right + self.px(1.0)) {
                Some(band) => {
                    band.right = band.right.max(right);
                    band.count = band.count.saturating_add(mark.count);
                }
                None => {
                    let what = mark.what.clone();
                    bands.push(Band {
                        left,
                        right,
                        what,
                        count: mark.count,
                        loss: mark.loss,
                    });
                }
            }
        }
        bands
    }

    fn band<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        band: &Band,
        place: &Place,
    ) -> Drawn<B> {
        let colour = if band.loss {
            self.palette.bad
        } else {
            self.palette.quiet
        };
        let thin = self.px(1.0).unsigned_abs();
        let corners = [(band.left, place.top), (band.right, place.bottom)];
        root.draw(&Rectangle::new(corners, colour.mix(0.12).filled()))?;
        if band.loss {
            // Hatching says loss without colour.
            let (wide, tall) = (band.right - band.left, place.bottom - place.top);
            for start in (-tall..wide).step_by(self.px(7.0).max(1) as usize) {
                let (low, high) = ((-start).max(0), (wide - start).min(tall));
                if low < high {
                    let at = |along: i32| (band.left + start + along, place.bottom - along);
                    root.draw(&PathElement::new(
                        [at(low), at(high)],
                        colour.mix(0.4).stroke_width(thin),
                    ))?;
                }
            }
        }
        for side in [band.left, band.right] {
            let line = [(side, place.top), (side, place.bottom)];
            root.draw(&PathElement::new(line, colour.mix(0.6).stroke_width(thin)))?;
        }
        Ok(())
    }

    /// What the bands are, where there is room; the sum of all stands above the chart.
    fn labels<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        bands: &[Band],
        place: &Place,
    ) -> Drawn<B> {
        let mut free = place.left;
        for band in bands {
            let colour = if band.loss {
                self.palette.bad
            } else {
                self.palette.quiet
            };
            let style = self.text(11.0, colour);
            let what = clean(&band.what);
            let text = if band.count > 0 {
                format!("{} {what}", band.count)
            } else {
                what
            };
            let width = wide(root, &text, &style)? + self.px(8.0);
            // Beside the band: after it, or before it where the chart ends.
            let after = band.right + self.px(2.0);
            let left = if after + width <= place.right {
                after
            } else {
                band.left - self.px(2.0) - width
            };
            if left < free {
                continue;
            }
            free = left + width;
            let at = (left + self.px(4.0), place.bottom - self.px(6.0));
            self.write(root, &text, &style, HPos::Left, at)?;
        }
        Ok(())
    }

    fn legend<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        lane: &Lane,
        place: &Place,
    ) -> Drawn<B> {
        let style = self.text(12.0, self.palette.text);
        let at = (self.px(16.0), place.name + self.px(15.0));
        let whole = place.right - at.0;
        let unit = fit(root, &lane.unit, &style, whole / 4)?;
        let unit = if unit.is_empty() {
            unit
        } else {
            format!(" ({unit})")
        };
        let name = fit(
            root,
            &lane.name,
            &style,
            whole / 2 - wide(root, &unit, &style)?,
        )?;
        let title = format!("{name}{unit}");
        self.write(root, &title, &style, HPos::Left, at)?;
        let mut left = at.0 + wide(root, &title, &style)? + self.px(20.0);
        let style = self.text(12.0, self.palette.quiet);
        for (index, line) in lane.lines.iter().enumerate() {
            let name = fit(root, &line.name, &style, whole / 4)?;
            let width = self.px(24.0) + wide(root, &name, &style)?;
            if left + width + self.px(56.0) > place.right && index + 1 < lane.lines.len() {
                let more = format!("and {} more", lane.lines.len() - index);
                return self.write(root, &more, &style, HPos::Left, (left, at.1));
            }
            let middle = place.name + self.px(11.0);
            let swatch = [(left, middle), (left + self.px(18.0), middle)];
            self.stroke(root, &swatch, self.palette.series(line.colour), line.dashed)?;
            self.write(
                root,
                &name,
                &style,
                HPos::Left,
                (left + self.px(24.0), at.1),
            )?;
            left += width + self.px(16.0);
        }
        Ok(())
    }
}

impl<'a> Cut<'a> {
    fn new(lane: &'a Lane, from: i64, to: i64, wanted: f64) -> Self {
        let lines: Vec<_> = lane
            .lines
            .iter()
            .map(|line| stretches(line, from, to))
            .collect();
        let (low, high) = range(lines.iter().flatten().flatten().map(|(_, value)| *value));
        let ticks = ticks(low, high, wanted);
        Self {
            lane,
            lines,
            low,
            high,
            ticks,
        }
    }
}

/// Width of a text, in units of the drawing.
fn wide<B: DrawingBackend>(
    root: &DrawingArea<B, Shift>,
    text: &str,
    style: &TextStyle<'_>,
) -> Result<i32, DrawingAreaErrorKind<B::ErrorType>> {
    Ok(i32::try_from(root.estimate_text_size(text, style)?.0).unwrap_or(i32::MAX / 4))
}

/// A text made harmless and cut to a width.
fn fit<B: DrawingBackend>(
    root: &DrawingArea<B, Shift>,
    text: &str,
    style: &TextStyle<'_>,
    width: i32,
) -> Result<String, DrawingAreaErrorKind<B::ErrorType>> {
    let text = clean(text);
    if wide(root, &text, style)? <= width {
        return Ok(text);
    }
    let (mut fits, mut kept) = (String::new(), String::new());
    for letter in text.chars() {
        kept.push(letter);
        let cut = format!("{}\u{2026}", kept.trim_end());
        if wide(root, &cut, style)? > width {
            break;
        }
        fits = cut;
    }
    Ok(fits)
}

/// A text as one line that any reader of XML takes: no control characters, nothing that turns the
/// direction of writing, and not longer than anybody reads.
fn clean(text: &str) -> String {
    let harmless = |letter: char| match letter {
        '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => '\u{FFFD}',
        '\u{FFFE}' | '\u{FFFF}' => '\u{FFFD}',
        letter if letter.is_control() => '\u{FFFD}',
        letter => letter,
    };
    text.chars().take(400).map(harmless).collect()
}

/// Every mark once, by start: the series of one attribute bring the same gaps along.
fn distinct(marks: &[Mark]) -> Vec<&Mark> {
    let mut distinct: Vec<&Mark> = marks.iter().collect();
    distinct.sort_by_key(|mark| (mark.from, mark.to, mark.loss, mark.count, &mark.what));
    distinct.dedup();
    distinct
}

fn touches(mark: &Mark, chart: &Chart) -> bool {
    mark.to >= chart.from && mark.from <= chart.to
}

/// Nanoseconds between two times.
fn since(at: i64, from: i64) -> f64 {
    at.saturating_sub(from) as f64
}

/// A line as unbroken stretches between `from` and `to`; a stretch that goes on outside is cut at
/// the border. Values too large to be drawn to scale are drawn at the limit.
fn stretches(line: &Line, from: i64, to: i64) -> Vec<Vec<(f64, f64)>> {
    const LIMIT: f64 = 1e300;
    let end = since(to, from);
    let mut stretches: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut last: Option<(f64, f64)> = None;
    let mut going = false;
    for (at, value) in line.xs.iter().zip(&line.ys) {
        if value.is_nan() {
            (last, going) = (None, false);
            continue;
        }
        let next = (since(*at, from), value.clamp(-LIMIT, LIMIT));
        let on = |border: f64, one: (f64, f64)| {
            (
                border,
                one.1 + (next.1 - one.1) * ((border - one.0) / (next.0 - one.0)),
            )
        };
        if !going && next.0 >= 0.0 && (next.0 <= end || last.is_some_and(|last| last.0 < end)) {
            stretches.push(
                last.filter(|last| last.0 < 0.0)
                    .map(|last| on(0.0, last))
                    .into_iter()
                    .collect(),
            );
            going = true;
        }
        if let (true, Some(stretch)) = (going, stretches.last_mut()) {
            if next.0 <= end {
                stretch.push(next);
            } else {
                stretch.extend(last.filter(|last| last.0 < end).map(|last| on(end, last)));
                break;
            }
        }
        last = Some(next);
    }
    stretches
}

/// The smallest and the largest of some values, with a little air; never empty.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low > high {
        return (0.0, 1.0);
    }
    let size = high.abs().max(low.abs());
    let air = ((high - low) * 0.08).max(size * 1e-9);
    let air = if high > low {
        air
    } else if size > 0.0 {
        size * 0.1
    } else {
        1.0
    };
    (low - air, high + air)
}

/// Round numbers between `low` and `high`, about `wanted` of them, and how they are written.
fn ticks(low: f64, high: f64, wanted: f64) -> Vec<(f64, String)> {
    let rough = (high - low) / wanted.clamp(2.0, 8.0);
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|step| *step >= rough);
    let step = step.unwrap_or(rough);
    let size = high.abs().max(low.abs());
    let exponent = if (1e-3..1e6).contains(&size) {
        0
    } else {
        size.log10().floor() as i32
    };
    let decimals = (f64::from(exponent) - step.log10().floor()).clamp(0.0, 12.0) as usize;
    let first = (low / step).ceil();
    let count = ((high / step).floor() - first).clamp(0.0, 16.0) as i32;
    (0..=count)
        .map(|n| (first + f64::from(n)) * step + 0.0)
        .map(|tick| (tick, written(tick, exponent, decimals)))
        .collect()
}

/// A number with a real minus sign, times a power of ten unless that is one.
fn written(number: f64, exponent: i32, decimals: usize) -> String {
    if exponent == 0 || number == 0.0 {
        let decimals = if exponent == 0 { decimals } else { 0 };
        return format!("{number:.decimals$}").replace('-', "\u{2212}");
    }
    let raised = |letter: char| match letter {
        '-' => '\u{207B}',
        '1' => '\u{B9}',
        '2' => '\u{B2}',
        '3' => '\u{B3}',
        digit => digit
            .to_digit(10)
            .and_then(|digit| char::from_u32(0x2070 + digit))
            .unwrap_or(digit),
    };
    let power: String = exponent.to_string().chars().map(raised).collect();
    let number = number / 10_f64.powi(exponent);
    format!(
        "{}\u{D7}10{power}",
        format!("{number:.decimals$}").replace('-', "\u{2212}")
    )
}

/// Round moments between two times, nanoseconds: at most `room` of them, or one.
fn moments(from: i64, to: i64, room: i32) -> Vec<i64> {
    const SECOND: i64 = 1_000_000_000;
    const LONG: [i64; 15] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 10_800, 43_200,
    ];
    let span = to.saturating_sub(from);
    let rough = (span / i64::from(room.max(1))).saturating_add(1);
    let short = (0..9).flat_map(|power| [1, 2, 5].map(|m| m * 10_i64.pow(power)));
    let days = (0..6).flat_map(|power| [1, 2, 5].map(|m| m * 86_400 * 10_i64.pow(power)));
    let steps = short.chain(
        LONG.into_iter()
            .chain(days)
            .map(|step| step.saturating_mul(SECOND)),
    );
    let step = steps
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(i64::MAX);
    let first = from.div_euclid(step) + i64::from(from.rem_euclid(step) != 0);
    (first..)
        .map_while(|n| n.checked_mul(step))
        .take_while(|at| *at <= to)
        .take(64)
        .collect()
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
                .map(|(n, _)| {
                    if (300..340).contains(&n) {
                        f64::NAN
                    } else {
                        (n as f64 / 40.0 + phase).sin()
                    }
                })
                .collect(),
            xs: xs.clone(),
        };
        let gap = Gap {
            from: 3_000_000_000,
            to: 3_400_000_000,
            cause: Cause::DeviceSequence,
            count: 40,
        };
        Chart {
            title: "Motion <script>alert(1)</script> & co".into(),
            lanes: vec![
                Lane {
                    name: "Acceleration, Motion sensor".into(),
                    unit: "g".into(),
                    lines: vec![
                        line("x", 1, 0.0, false),
                        line("y", 2, 1.0, false),
                        line("z", 3, 2.0, true),
                    ],
                },
                Lane {
                    name: "Heart rate".into(),
                    unit: "bpm".into(),
                    lines: vec![line("bpm", 4, 0.5, false)],
                },
            ],
            marks: vec![gap.into()],
            from: 0,
            to: 6_000_000_000,
            time: Box::new(|nanos| format!("14:31:{:06.3}", nanos as f64 / 1e9)),
            theme,
        }
    }

    const SIZE: Size = Size {
        width: 960,
        height: 420,
        scale: 2.0,
    };

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
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing else is left"
        );
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
        assert!(matches!(
            png(&chart(Theme::Dark), SIZE, folder.path()),
            Err(Error::IsAFolder)
        ));
        let missing = folder.path().join("no").join("chart.png");
        assert!(matches!(
            png(&chart(Theme::Dark), SIZE, &missing),
            Err(Error::File(_))
        ));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_was_there_is_replaced_as_a_whole_and_readable_as_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("chart.svg"), folder.path().join("other"));
        fs::write(&path, "before").unwrap();
        fs::write(&other, "").unwrap();
        let bytes = svg(&chart(Theme::Dark), SIZE, &path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), bytes);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions(),
            fs::metadata(&other).unwrap().permissions()
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn an_svg_has_the_size_that_was_asked_for_on_a_finer_grid() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chart.svg");
        svg(&chart(Theme::Light), SIZE, &path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("<svg width=\"960\" height=\"420\" viewBox=\"0 0 9600 4200\""),
            "{}",
            &text[..90]
        );
    }

    #[test]
    fn names_of_any_kind_and_length_stay_one_line_in_their_place() {
        assert_eq!(clean("a\nb\u{0}c\u{202E}d"), "a\u{FFFD}b\u{FFFD}c\u{FFFD}d");
        let mut hostile = chart(Theme::Light);
        let long = "\"'&<\u{1}".repeat(300);
        hostile.title.clone_from(&long);
        for lane in &mut hostile.lanes {
            (lane.name, lane.unit) = (long.clone(), long.clone());
            for line in &mut lane.lines {
                line.name.clone_from(&long);
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chart.svg");
        svg(&hostile, SIZE, &path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            !text
                .chars()
                .any(|letter| letter.is_control() && letter != '\n')
        );
        assert!(text.contains("&quot;&apos;&amp;&lt;") && text.contains('\u{2026}'));
        assert!(text.len() < 100_000, "{} bytes", text.len());
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let labels = |low, high| {
            ticks(low, high, 4.0)
                .into_iter()
                .map(|tick| tick.1)
                .collect::<Vec<_>>()
        };
        assert_eq!(labels(-1.2, 1.9), ["\u{2212}1", "0", "1"]);
        assert_eq!(labels(0.013, 0.058), ["0.02", "0.04"]);
        assert_eq!(
            labels(0.0, 2.5e9),
            ["0", "1\u{D7}10\u{2079}", "2\u{D7}10\u{2079}"]
        );
        assert_eq!(labels(-3e-7, 0.0)[0], "\u{2212}3\u{D7}10\u{207B}\u{2077}");
        assert_eq!(range(std::iter::empty()), (0.0, 1.0));
        assert_eq!(range([5.0].into_iter()), (4.5, 5.5));
    }

    #[test]
    fn moments_are_round_and_have_room() {
        assert_eq!(
            moments(1, 6_000_000_000, 7),
            [1, 2, 3, 4, 5, 6].map(|n| n * 1_000_000_000)
        );
        assert_eq!(moments(-50, 50, 3), [-50, 0, 50]);
        assert_eq!(
            moments(0, 90 * 60_000_000_000, 7).len(),
            7,
            "every 15 minutes"
        );
        assert!(moments(i64::MIN, i64::MAX, 5).len() < 64);
    }

    #[test]
    fn a_line_is_cut_at_the_border_and_nowhere_else() {
        let line = |xs: &[i64], ys: &[f64]| Line {
            name: String::new(),
            colour: 1,
            dashed: false,
            xs: xs.to_vec(),
            ys: ys.to_vec(),
        };
        let cut = |xs: &[i64], ys: &[f64]| stretches(&line(xs, ys), 0, 10);
        assert_eq!(
            cut(&[-10, 5, 15], &[0.0, 3.0, 5.0]),
            [[(0.0, 2.0), (5.0, 3.0), (10.0, 4.0)]]
        );
        assert_eq!(cut(&[-10, 20], &[0.0, 3.0]), [[(0.0, 1.0), (10.0, 2.0)]]);
        assert_eq!(cut(&[-5, 0, 5], &[1.0, f64::NAN, 5.0]), [[(5.0, 5.0)]]);
        assert_eq!(
            cut(&[-5, -1, 15], &[1.0, 1.0, f64::NAN]),
            Vec::<Vec<_>>::new()
        );
        assert_eq!(cut(&[11, 15], &[1.0, 1.0]), Vec::<Vec<_>>::new());
        assert_eq!(cut(&[4], &[f64::INFINITY]), [[(4.0, 1e300)]]);
    }

    #[test]
    fn the_gaps_of_three_series_are_one_and_close_ones_are_added_up() {
        let gap = |from: i64, count| Gap {
            from,
            to: from + 1_000,
            cause: Cause::HostQueue,
            count,
        };
        let mut busy = chart(Theme::Light);
        busy.marks = (0..3)
            .flat_map(|_| [gap(1_000_000, 2), gap(1_002_000, 3), gap(5_000_000_000, 4)])
            .map(Mark::from)
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chart.svg");
        svg(&busy, SIZE, &path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for label in ["5 lost", "4 lost", "9 lost"] {
            assert!(text.contains(&format!(">\n{label}\n")), "{label}");
        }
    }

    #[test]
    fn a_very_large_png_is_drawn_without_averaging() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.png");
        let long = Size {
            width: 1 << 15,
            height: 300,
            scale: 1.0,
        };
        let bytes = png(&chart(Theme::Dark), long, &path).unwrap();
        let file = fs::read(&path).unwrap();
        assert_eq!(bytes, file.len() as u64);
        assert_eq!(file[16..24], [0, 0, 128, 0, 0, 0, 1, 44], "32,768 by 300");
    }

    #[test]
    fn pixels_are_averaged_in_squares() {
        // Two by two squares of red 0, 100, 200, 100 and of plain white.
        let (black, half, bright, white) = ([0; 3], [100, 0, 0], [200, 0, 0], [255; 3]);
        let rows = [[black, half, white, white], [bright, half, white, white]];
        assert_eq!(
            averaged(&rows.concat().concat(), 2, 2),
            [100, 0, 0, 255, 255, 255]
        );
    }

    #[test]
    fn an_odd_chart_is_a_picture_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("odd.png");
        let plain = Size {
            width: 320,
            height: 200,
            scale: 1.0,
        };
        let tiny = Size {
            width: 1,
            height: 1,
            scale: 0.1,
        };
        let empty = || Chart {
            lanes: Vec::new(),
            marks: Vec::new(),
            ..chart(Theme::Dark)
        };
        let mut wild = chart(Theme::Light);
        (wild.from, wild.to) = (i64::MIN, i64::MAX);
        wild.lanes[0].lines[0].ys[3] = f64::MAX;
        wild.lanes[0].lines[0].ys[4] = f64::NEG_INFINITY;
        let backwards = Chart {
            from: 5,
            to: -5,
            ..chart(Theme::Dark)
        };
        for chart in [empty(), wild, backwards, chart(Theme::Dark)] {
            for size in [plain, tiny] {
                assert!(png(&chart, size, &path).is_ok());
                assert!(svg(&chart, size, &folder.path().join("odd.svg")).is_ok());
            }
        }
    }
}
