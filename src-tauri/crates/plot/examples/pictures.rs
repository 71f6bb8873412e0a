//! Ten million samples, how long a window over them takes, and pictures of some.
//!
//! `cargo run --release -p plot --example pictures -- FOLDER`

use std::error::Error;
use std::path::PathBuf;
use std::time::Instant;

use plot::picture::{self, Chart, Lane, Line, Mark, Size, Theme};
use plot::{Cause, Gap, Series, Window};

/// Nanoseconds between samples: 2,000 a second.
const STEP: i64 = 500_000;
const SAMPLES: i64 = 10_000_000;
const PIXELS: usize = 1_600;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| ".".into()));
    let (noise, loss) = (noise(), every(1_000));
    let lossless = filled(&noise, &[]);
    let lossy = filled(&noise, &loss);
    let end = SAMPLES * STEP;
    for (name, series) in [("no gap", &lossless), ("10,000 gaps", &lossy)] {
        for (what, from) in [
            ("all 10,000,000", 0),
            ("1,000,000", end / 10 * 9),
            ("60,000", end - 60_000 * STEP),
            ("10,000", end - 10_000 * STEP),
        ] {
            let (micros, points) = median(series, from, end);
            println!("{name}: {what} samples in {PIXELS} px: {micros:.0} µs, {points} points");
        }
        let started = Instant::now();
        let numbers = series.statistics(0, end);
        let micros = started.elapsed().as_secs_f64() * 1e6;
        println!(
            "{name}: statistics {micros:.0} µs: {} samples, {} lost",
            numbers.count, numbers.lost
        );
    }
    for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let started = Instant::now();
        let bytes = picture::png(&chart(theme), SIZE, &folder.join(format!("{name}.png")))?;
        println!(
            "{name}.png: {bytes} bytes in {} ms",
            started.elapsed().as_millis()
        );
        picture::svg(&chart(theme), SIZE, &folder.join(format!("{name}.svg")))?;
    }
    Ok(())
}

const SIZE: Size = Size {
    width: 960,
    height: 560,
    scale: 2.0,
};

/// Noise from -1 to 1, the same in each run.
fn noise() -> impl Fn(i64) -> f64 {
    |n| {
        let mixed = (n as u64)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(31);
        (mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

fn every(samples: usize) -> Vec<i64> {
    (1..SAMPLES).step_by(samples).collect()
}

fn filled(noise: &impl Fn(i64) -> f64, gaps: &[i64]) -> Series {
    let mut series = Series::default();
    let mut gaps = gaps.iter().peekable();
    let started = Instant::now();
    for n in 0..SAMPLES {
        if gaps.next_if_eq(&&n).is_some() {
            let (from, to) = ((n - 1) * STEP, n * STEP);
            series.gap(Gap {
                from,
                to,
                cause: Cause::DeviceSequence,
                count: 1,
            });
        }
        series.push(n * STEP, (n as f64 / 1e5).sin() + 0.1 * noise(n));
    }
    let each = started.elapsed().as_secs_f64() * 1e9 / SAMPLES as f64;
    println!("{each:.0} ns a push");
    series
}

/// The median time of a window in microseconds, and how many points it has.
fn median(series: &Series, from: i64, to: i64) -> (f64, usize) {
    let mut window = Window::default();
    let mut times: Vec<f64> = (0..101)
        .map(|_| {
            let started = Instant::now();
            series.window(from, to, PIXELS, &mut window);
            started.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], window.xs.len())
}

fn chart(theme: Theme) -> Chart {
    let noise = noise();
    let (from, to) = (0, 12_000_000_000_i64);
    let lost = Gap {
        from: 4_000_000_000,
        to: 4_450_000_000,
        cause: Cause::DeviceSequence,
        count: 45,
    };
    let short = Gap {
        from: 6_300_000_000,
        to: 6_304_000_000,
        cause: Cause::HostQueue,
        count: 2,
    };
    let down = Gap {
        from: 8_200_000_000,
        to: 9_100_000_000,
        cause: Cause::LinkDown,
        count: 0,
    };
    let line = |name: &str, colour, step: i64, value: &dyn Fn(f64, f64) -> f64| {
        let mut series = Series::default();
        let mut gaps = [lost, short, down].into_iter().peekable();
        for at in (from - step..=to + step).step_by(usize::try_from(step).unwrap_or(1)) {
            if let Some(gap) = gaps.next_if(|gap| gap.from < at) {
                series.gap(gap);
            }
            if ![lost, short, down]
                .iter()
                .any(|gap| gap.from < at && at < gap.to)
            {
                series.push(at, value(at as f64 / 1e9, noise(at / step)));
            }
        }
        let mut window = Window::default();
        series.window(from, to, 2 * SIZE.width as usize, &mut window);
        Line {
            name: name.into(),
            colour,
            dashed: colour == 8,
            xs: window.xs,
            ys: window.ys,
        }
    };
    let fast = 1_000_000;
    Chart {
        title: "Wrist sensor at 1 kHz, walking".into(),
        lanes: vec![
            Lane {
                name: "Acceleration, Motion sensor".into(),
                unit: "g".into(),
                lines: vec![
                    line("x", 1, fast, &|t, n| (7.0 * t).sin() * 0.4 + 0.05 * n),
                    line("y", 2, fast, &|t, n| (7.0 * t + 1.0).cos() * 0.7 + 0.1 * n),
                    line("z", 3, fast, &|t, n| {
                        1.0 + 0.3 * (14.0 * t).sin() + 0.03 * n
                    }),
                    line("reference", 8, 50_000_000, &|t, _| {
                        1.0 + 0.2 * (2.0 * t).sin()
                    }),
                ],
            },
            Lane {
                name: "Heart rate, Heart rate strap".into(),
                unit: "bpm".into(),
                lines: vec![line("bpm", 4, 800_000_000, &|t, n| 92.0 + t + 2.0 * n)],
            },
            Lane {
                name: "Skin temperature".into(),
                unit: "°C".into(),
                lines: vec![line("µ", 5, 40_000_000, &|t, n| {
                    31.0 - 0.02 * t + 0.01 * n
                })],
            },
        ],
        marks: [lost, short, down].map(Mark::from).to_vec(),
        from,
        to,
        time: Box::new(|nanos| format!("14:31:{:06.3}", nanos as f64 / 1e9)),
        theme,
    }
}
