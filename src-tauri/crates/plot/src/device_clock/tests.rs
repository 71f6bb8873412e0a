//! Clocks whose truth is known, heard over links that are late, lossy and stop now and then.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use proptest::prelude::*;

use super::*;

/// One value as it was heard.
#[derive(Clone, Copy, Debug)]
struct Heard {
    arrival: i64,
    /// Ticks since the first value that was sent, as the device counts them, without any wrap.
    ticks: u64,
}

/// How a device sends and how it is heard.
#[derive(Clone, Debug)]
struct Course {
    seed: u64,
    /// True nanoseconds per tick.
    slope: f64,
    /// Ticks from one value to the next.
    every: u64,
    values: u64,
    /// Mean of the exponential delays, nanoseconds.
    late: f64,
    /// How many of a hundred are lost.
    loss: u64,
    /// From which value on, and for how many nanoseconds, the host stands still.
    stall: Option<(u64, i64)>,
}

/// Numbers between 0 and 1 that a seed decides (SplitMix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

const BASE: i64 = 5_000_000_000;

impl Course {
    fn heard(&self) -> Vec<Heard> {
        let mut chance = Chance(self.seed);
        let mut last = 0;
        let mut all = Vec::new();
        for n in 0..self.values {
            let ticks = n * self.every;
            let sent = BASE + (ticks as f64 * self.slope) as i64;
            let late = -self.late * (1.0 - chance.next()).ln();
            let mut arrival = (sent + late as i64).max(last);
            if let Some((from, stall)) = self.stall {
                let begins = BASE + (from as f64 * self.every as f64 * self.slope) as i64;
                if (begins..begins + stall).contains(&arrival) {
                    arrival = begins + stall;
                }
            }
            let lost = chance.next() * 100.0 < self.loss as f64;
            // What is heard first begins the count.
            if n == 0 || !lost {
                all.push(Heard { arrival, ticks });
                last = arrival;
            }
        }
        all
    }

    /// How much later than with the smallest delay there is.
    fn late(&self, heard: &Heard) -> f64 {
        ((heard.arrival - BASE) as f64 - heard.ticks as f64 * self.slope).max(0.0)
    }

    /// By how much the fitted slope can differ from the true one, and the line at a value from the
    /// true line: below all points, and at their mean not below the true line, there is no other.
    ///
    /// Let g be the fitted line less the true one. At a point that is late by e, g ≤ e; at the mean,
    /// g ≥ 0. So its slope is at least −e/(mean − x) for each point before the mean, at most
    /// e/(x − mean) for each after it; and between a point before and one after the mean, g is at most
    /// the larger e of the two.
    fn bounds(&self, heard: &[Heard]) -> (f64, f64) {
        let mean = heard.iter().map(|h| h.ticks as f64).sum::<f64>() / heard.len() as f64;
        let side = |before: bool| {
            heard
                .iter()
                .filter(move |h| ((h.ticks as f64) < mean) == before && h.ticks as f64 != mean)
                .map(move |h| (self.late(h), (h.ticks as f64 - mean).abs()))
        };
        let slope = |before| side(before).map(|(e, x)| e / x).fold(f64::MAX, f64::min);
        let slope = f64::max(slope(true), slope(false));
        let least = |before| side(before).map(|(e, _)| e).fold(f64::MAX, f64::min);
        let reach = side(true).chain(side(false)).map(|(_, x)| x);
        let reach = reach.fold(0.0, f64::max);
        (
            slope,
            f64::max(least(true), least(false)) + slope * reach + 2.0,
        )
    }
}

fn course() -> impl Strategy<Value = Course> {
    (
        any::<u64>(),
        -300.0..300.0_f64,
        1_u64..40,
        0.5e6..40e6_f64,
        0_u64..30,
        prop::option::of((100_u64..600, 500_000_000_i64..4_000_000_000)),
    )
        .prop_map(|(seed, ppm, every, late, loss, stall)| Course {
            seed,
            // Ticks of a millisecond; a fast clock's are short.
            slope: 1e6 / (1.0 + ppm / 1e6),
            every,
            // 12 to 240 s, within one stretch.
            values: (240_000 / every).min(1_500),
            late,
            loss,
            stall,
        })
        .prop_filter("long enough to settle", |course| {
            course.values * course.every > 12_000
        })
}

/// What came out of a clock.
struct Placed {
    clock: DeviceClock,
    moments: Vec<Moment>,
}

fn follow(mut clock: DeviceClock, heard: &[Heard], first: u64) -> Placed {
    let moments = heard
        .iter()
        .map(|heard| clock.take(heard.arrival, first.wrapping_add(heard.ticks), 0.0))
        .collect();
    Placed { clock, moments }
}

fn milliseconds(bits: u32) -> DeviceClock {
    DeviceClock::new(bits, Tick::Nanoseconds(1e6))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn drift_and_offset_are_within_what_the_delays_allow(
        course in course(),
        first: u64,
        bits in 16_u32..=64,
    ) {
        let heard = course.heard();
        let placed = follow(milliseconds(bits), &heard, first);
        let fit = placed.clock.fit().unwrap();
        prop_assert_eq!(fit.restarts, 0);
        prop_assert_eq!(fit.values, heard.len() as u64);
        // Wraps are found, whatever was lost.
        for (moment, heard) in placed.moments.iter().zip(&heard) {
            prop_assert_eq!(moment.ticks, heard.ticks as f64);
        }
        let (slope, line) = course.bounds(&heard);
        let found = 1e9 / fit.rate;
        prop_assert!((found - course.slope).abs() <= slope * 1.001 + 1e-6, "{found} {slope}");
        let truth = (1e6 / course.slope - 1.0) * 1e6;
        prop_assert!((fit.drift_ppm.unwrap() - truth).abs() <= slope * 1.002 + 1e-3);
        for (moment, heard) in placed.moments.iter().zip(&heard) {
            let at = placed.clock.at(*moment).unwrap();
            let truth = BASE as f64 + heard.ticks as f64 * course.slope;
            prop_assert!((at as f64 - truth).abs() <= line, "{at} {truth} {line}");
            prop_assert!(at <= heard.arrival);
        }
    }

    #[test]
    fn a_bare_counter_gives_its_rate_within_what_the_delays_allow(
        course in course(),
        first: u64,
        bits in 8_u32..=64,
    ) {
        // A counter of packets: one tick each, and a short round for few bits.
        let course = Course {
            slope: course.slope * course.every as f64,
            every: 1,
            stall: None,
            ..course
        };
        let heard = course.heard();
        let placed = follow(DeviceClock::new(bits, Tick::Unknown), &heard, first);
        let fit = placed.clock.fit().unwrap();
        // Nothing that is sent within a tenth of a second tells where it belongs among delays longer
        // than a round; those are tried by themselves.
        prop_assume!(256.0 * course.slope > 20.0 * course.late || bits > 16);
        prop_assert_eq!(fit.restarts, 0);
        prop_assert_eq!(fit.drift_ppm, None);
        let (slope, _) = course.bounds(&heard);
        prop_assert!((1e9 / fit.rate - course.slope).abs() <= slope * 1.001 + 1e-6);
    }

    #[test]
    fn live_times_never_go_back_and_are_never_after_the_arrival(
        course in course(),
        first: u64,
        bits in 8_u32..=64,
        known: bool,
    ) {
        let tick = if known { Tick::Nanoseconds(1e6) } else { Tick::Unknown };
        let mut clock = DeviceClock::new(bits, tick);
        let mut order = InOrder::default();
        let mut last = i64::MIN;
        for heard in course.heard() {
            let moment = clock.take(heard.arrival, first.wrapping_add(heard.ticks), 0.0);
            let at = order.place(clock.at(moment), heard.arrival);
            prop_assert!(last <= at && at <= heard.arrival);
            last = at;
        }
    }

    #[test]
    fn a_device_that_began_anew_is_another_line_with_the_same_rate(
        course in course(),
        at in 0.2..0.8_f64,
        silent in 0_i64..30_000_000_000,
    ) {
        let course = Course { stall: None, ..course };
        let mut heard = course.heard();
        let cut = (heard.len() as f64 * at) as usize;
        // Up for longer than a second, then anew from zero.
        prop_assume!(heard[cut].ticks > 11_000 && cut > 40);
        let before = heard[cut].ticks;
        for heard in &mut heard[cut..] {
            heard.ticks -= before;
            heard.arrival += silent;
        }
        let placed = follow(milliseconds(32), &heard, 0);
        let fit = placed.clock.fit().unwrap();
        prop_assert_eq!(fit.restarts, 1);
        prop_assert_eq!(fit.since, heard[cut].arrival);
        // The old values keep their line.
        let (_, line) = course.bounds(&heard[..cut]);
        for (moment, heard) in placed.moments[..cut].iter().zip(&heard) {
            let at = placed.clock.at(*moment).unwrap();
            let truth = BASE as f64 + heard.ticks as f64 * course.slope;
            prop_assert!((at as f64 - truth).abs() <= line);
        }
        for (moment, heard) in placed.moments[cut..].iter().zip(&heard[cut..]) {
            prop_assert_eq!(moment.ticks, heard.ticks as f64);
        }
    }

    #[test]
    fn anything_is_taken_without_a_panic(
        bits in 0_u32..=70,
        tick in prop::option::of(any::<f64>()),
        values in prop::collection::vec((any::<i64>(), any::<u64>(), any::<f64>()), 0..300),
    ) {
        let tick = tick.map_or(Tick::Unknown, Tick::Nanoseconds);
        let mut clock = DeviceClock::new(bits, tick);
        let mut order = InOrder::default();
        let mut last = i64::MIN;
        for (arrival, ticks, ahead) in values {
            let moment = clock.take(arrival, ticks, ahead);
            let at = order.place(clock.at(moment.after(ahead)), arrival);
            prop_assert!(at >= last);
            last = at;
            let fit = clock.fit();
            prop_assert!(fit.is_none_or(|fit| fit.values > 0));
        }
    }

    #[test]
    fn the_hull_is_below_every_point_it_was_given(
        ys in prop::collection::vec(0.0..1e3_f64, 1..200),
    ) {
        let mut hull = Hull::<256>::new();
        let points: Vec<Point> = ys
            .iter()
            .enumerate()
            .map(|(x, y)| Point { x: (x / 2) as f64, y: *y })
            .collect();
        for point in &points {
            hull.add(*point);
        }
        for edge in hull.corners().windows(2) {
            prop_assert!(edge[0].x < edge[1].x);
            for p in points.iter().filter(|p| p.x >= edge[0].x && p.x <= edge[1].x) {
                prop_assert!(height(edge[0], *p, edge[1]) <= 1e-9);
            }
        }
    }
}

/// 50 values a second for so many seconds, with delays of up to 20 ms.
fn steady(seconds: u64) -> Course {
    Course {
        seed: 11,
        slope: 1e6,
        every: 20,
        values: seconds * 50,
        late: 4e6,
        loss: 0,
        stall: None,
    }
}

#[test]
fn a_burst_after_a_stall_changes_nothing() {
    let calm = steady(60);
    let stalled = Course {
        stall: Some((1_500, 3_000_000_000)),
        ..calm.clone()
    };
    let drift = |course: &Course| {
        let placed = follow(milliseconds(32), &course.heard(), 7);
        let fit = placed.clock.fit().unwrap();
        assert_eq!(fit.restarts, 0);
        fit.drift_ppm.unwrap()
    };
    assert!(drift(&calm).abs() < 5.0, "{}", drift(&calm));
    assert!((drift(&stalled) - drift(&calm)).abs() < 1.0);
}

#[test]
fn a_counter_whose_round_is_shorter_than_a_stall_is_not_taken_for_loss() {
    // 8 bits at a kilohertz: a round is 256 ms, the stall takes two seconds.
    let course = Course {
        slope: 1e6,
        every: 1,
        values: 30_000,
        stall: Some((15_000, 2_000_000_000)),
        ..steady(30)
    };
    let heard = course.heard();
    let placed = follow(DeviceClock::new(8, Tick::Unknown), &heard, 200);
    assert_eq!(placed.clock.fit().unwrap().restarts, 0);
    for (moment, heard) in placed.moments.iter().zip(&heard) {
        assert_eq!(moment.ticks, heard.ticks as f64);
    }
}

#[test]
fn rounds_that_went_by_in_silence_are_told_by_the_time() {
    // 16 bits of milliseconds go round in 65.5 s.
    let mut clock = milliseconds(16);
    let times = (0..1_000).chain(10_000..11_000);
    for n in times {
        let ms = n * 20_u64;
        let moment = clock.take(ms as i64 * 1_000_000, ms, 0.0);
        assert_eq!(moment.ticks, ms as f64);
    }
    assert_eq!(clock.fit().unwrap().restarts, 0);
}

#[test]
fn a_value_that_comes_twice_stands_where_the_first_does() {
    let mut clock = milliseconds(32);
    for n in 0..2_000_u64 {
        let first = clock.take(n as i64 * 20_000_000, n * 20, 0.0);
        let again = clock.take(n as i64 * 20_000_000 + 3_000_000, n * 20, 0.0);
        assert_eq!(first.ticks, again.ticks);
    }
    let fit = clock.fit().unwrap();
    assert_eq!((fit.restarts, fit.residual.median), (0, 0));
    assert_eq!(fit.residual.p95, 3_000_000);
}

#[test]
fn over_another_connection_a_counter_may_start_anywhere_and_a_timestamp_goes_on() {
    let mut counter = DeviceClock::new(32, Tick::Unknown);
    let mut stamp = milliseconds(32);
    for n in 0..2_000_u64 {
        if n == 1_000 {
            counter.interrupted();
            stamp.interrupted();
        }
        let arrival = n as i64 * 10_000_000;
        counter.take(arrival, n % 1_000, 0.0);
        stamp.take(arrival, n * 10, 0.0);
    }
    let (counter, stamp) = (counter.fit().unwrap(), stamp.fit().unwrap());
    assert_eq!((counter.restarts, counter.values), (0, 1_000));
    assert!((counter.rate - 100.0).abs() < 1e-6);
    assert_eq!((stamp.restarts, stamp.values), (0, 2_000));
}

#[test]
fn a_counter_that_pauses_begins_anew_and_keeps_its_rate() {
    let mut clock = DeviceClock::new(32, Tick::Unknown);
    let mut moments = Vec::new();
    for n in 0..2_000_u64 {
        let pause = if n < 1_000 { 0 } else { 700_000_000 };
        moments.push(clock.take(n as i64 * 10_000_000 + pause, n, 0.0));
    }
    let fit = clock.fit().unwrap();
    assert_eq!(fit.restarts, 1);
    assert!((fit.rate - 100.0).abs() < 0.01);
    let last = clock.at(moments[1_999]).unwrap();
    assert!((last - 20_690_000_000).abs() < 1_000_000, "{last}");
}

#[test]
fn a_counter_whose_rate_is_changed_settles_on_the_new_one() {
    let mut clock = DeviceClock::new(16, Tick::Unknown);
    let mut at = 0;
    for n in 0..40_000_u64 {
        at += match n {
            0..2_000 => 5_000_000,
            2_000..10_000 => 1_000_000,
            _ => 2_000_000,
        };
        clock.take(at, n, 0.0);
        let rate = clock.fit().map(|fit| fit.rate);
        match n {
            1_999 => assert!((rate.unwrap() - 200.0).abs() < 0.1, "{rate:?}"),
            9_999 => assert!((rate.unwrap() - 1_000.0).abs() < 1.0, "{rate:?}"),
            39_999 => assert!((rate.unwrap() - 500.0).abs() < 1.0, "{rate:?}"),
            _ => {}
        }
    }
}

#[test]
fn a_clock_of_another_unit_than_it_says_has_no_drift() {
    let mut clock = DeviceClock::new(32, Tick::Nanoseconds(1e3));
    for n in 0..5_000_u64 {
        clock.take(n as i64 * 20_000_000, n * 20, 0.0);
    }
    let fit = clock.fit().unwrap();
    assert_eq!(fit.drift_ppm, None);
    assert!(fit.unsettled > 5, "{fit:?}");
    assert!(fit.restarts > 5, "{}", fit.restarts);
}

#[test]
fn the_line_follows_a_crystal_that_warms_up() {
    // From 20 ppm to 35 ppm within an hour; 20 values a second, delays of up to 15 ms.
    let mut clock = DeviceClock::new(32, Tick::Nanoseconds(1e3));
    let mut chance = Chance(3);
    let mut order = InOrder::default();
    let mut device = 4_290_000_000_f64;
    let mut worst: f64 = 0.0;
    for n in 0..72_000_u64 {
        let truth = n as f64 * 50e6;
        let ppm = 20.0 + 15.0 * n as f64 / 72_000.0;
        device += 50_000.0 * (1.0 + ppm / 1e6);
        let arrival = (truth + chance.next() * 15e6) as i64;
        let moment = clock.take(arrival, device as u64, 0.0);
        let at = order.place(clock.at(moment), arrival);
        if n > 2_000 {
            worst = worst.max((at as f64 - truth).abs());
        }
    }
    let fit = clock.fit().unwrap();
    assert_eq!(fit.restarts, 0);
    // The line is the mean of the last five to ten minutes, 7.5 on average at the end of a stretch.
    assert!((fit.drift_ppm.unwrap() - 34.0).abs() < 1.0, "{fit:?}");
    assert!(worst < 1.5e6, "{worst}");
}

#[test]
fn what_was_taken_later_than_the_clock_says_is_not_placed_after_its_arrival() {
    // Four samples a value; the clock is that of the first.
    let mut clock = DeviceClock::new(32, Tick::Nanoseconds(1e3));
    let mut last = None;
    for n in 0..1_000_u64 {
        let sent = n * 20_000 + 15_000;
        let moment = clock.take(sent as i64 * 1_000, n * 20_000, 15_000.0);
        last = clock.at(moment.after(15_000.0)).map(|at| (at, sent));
    }
    let (at, sent) = last.unwrap();
    assert!((at - sent as i64 * 1_000).abs() < 1_000);
}

#[test]
fn the_longer_a_clock_is_followed_the_less_its_drift_hangs_on_single_values() {
    // Ready every 4/208 s of a clock that is 23 ppm fast, sent in events 30 ms apart: the smallest
    // delay comes round every half minute, and shorter ones are mistaken for drift.
    let mut clock = DeviceClock::new(32, Tick::Nanoseconds(1e3));
    let mut found = Vec::new();
    for n in 0..52 * 301_u64 {
        let ready = n as f64 * 4e9 / 208.0 / (1.0 + 23e-6);
        let event = (ready / 30e6).ceil() as i64;
        clock.take(event * 30_000_000, n * 4_000_000 / 208, 0.0);
        if n == 52 * 30 || n == 52 * 300 {
            let fit = clock.fit().unwrap();
            found.push((fit.drift_ppm.unwrap() - 23.0, fit.trust_ppm.unwrap()));
        }
    }
    let [(early, little), (late, much)] = found[..] else {
        panic!("{found:?}")
    };
    assert!(early.abs() > 10.0 && early.abs() <= little, "{found:?}");
    assert!(late.abs() < 1.0 && much < 2.0, "{found:?}");
}

#[test]
fn the_residual_says_how_late_values_are() {
    let course = steady(300);
    let heard = course.heard();
    let fit = follow(milliseconds(32), &heard, 0).clock.fit().unwrap();
    let mut late: Vec<f64> = heard.iter().map(|heard| course.late(heard)).collect();
    late.sort_unstable_by(f64::total_cmp);
    let near = |found: i64, share: f64| {
        let truth = late[(late.len() as f64 * share) as usize];
        // Of 15,000 values 256 at most are looked at.
        assert!((found as f64 / truth - 1.0).abs() < 0.35, "{found} {truth}");
    };
    near(fit.residual.median, 0.5);
    near(fit.residual.p95, 0.95);
}
