//! The time axis of the device: chosen, fitted, drawn and remembered, over the simulated radio.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use explorer::view::{AttributeView, DeviceTimeView, Event, PumpRequest, SeriesView};
use explorer::{Config, Explorer, Preferences};
use radio::simulated::{Lab, Simulated, VirtualDevice, uuids};
use radio::{Clock, DeviceId};

/// What the motion sensor stamps: its clock is 23 ppm fast, and four samples come at once, 208 a
/// second.
const STAMPED: &str = "at:u32le!us, x:i16le[]";

struct Bench {
    explorer: Explorer,
    lab: Arc<Simulated>,
    device: DeviceId,
    news: Arc<Mutex<Vec<Event>>>,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new(preferences: Preferences) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::tokio();
        let contents = Lab {
            devices: vec![VirtualDevice::MotionSensor, VirtualDevice::VirtualHr],
            fillers: 0,
            ..Lab::contract()
        };
        let lab = Arc::new(Simulated::with_lab(clock.clone(), 7, contents));
        let config = Config {
            backends: vec![Arc::clone(&lab) as Arc<dyn radio::Backend>],
            session_folder: folder.path().join("sessions"),
            log_folder: folder.path().into(),
            preferences,
            clock,
        };
        let explorer = Explorer::start(config, tokio::runtime::Handle::current());
        let news = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&news);
        explorer.listen(move |event| heard.lock().unwrap().push(event));
        explorer.look_again().await.unwrap();
        explorer.start_scan().await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        let device = lab.device(VirtualDevice::MotionSensor).unwrap();
        explorer.connect(device.clone()).await.unwrap();
        Self {
            explorer,
            lab,
            device,
            news,
            _folder: folder,
        }
    }

    fn attribute(&self, uuid: uuid::Uuid) -> u64 {
        fn find(tree: Vec<AttributeView>, uuid: &str) -> Option<u64> {
            tree.into_iter().find_map(|attribute| {
                if attribute.uuid.uuid == uuid {
                    Some(attribute.id)
                } else {
                    find(attribute.children, uuid)
                }
            })
        }
        find(self.explorer.tree(&self.device).unwrap(), &uuid.to_string()).unwrap()
    }

    async fn streaming(&self, format: &str) -> u64 {
        let attribute = self.attribute(uuids::MOTION_STAMPED);
        self.explorer.set_format(attribute, format).unwrap();
        self.explorer.subscribe(attribute).await.unwrap();
        self.explorer.plot(attribute, true).unwrap();
        attribute
    }

    fn fit(&self, attribute: u64) -> DeviceTimeView {
        let time = self.explorer.inspect(attribute).unwrap().time.unwrap();
        assert_eq!(time.off, None);
        time.device.unwrap()
    }

    fn series(&self, name: &str) -> SeriesView {
        let news = self.news.lock().unwrap();
        let last = news.iter().rev().find_map(|event| match event {
            Event::Series { series } => Some(series.clone()),
            _ => None,
        });
        last.unwrap().into_iter().find(|s| s.name == name).unwrap()
    }

    /// The times at which the last two seconds of samples are drawn, seconds.
    async fn times(&self) -> Vec<f64> {
        let request = PumpRequest {
            series: vec![self.series("x").id],
            from: None,
            span: 2.0,
            pixels: 4_000,
            seen: 0,
            patience_ms: 0,
        };
        let frame = self.explorer.pump(&request).await;
        let points = u32::from_le_bytes(frame[52..56].try_into().unwrap()) as usize;
        let xs = frame_xs(&frame, points);
        xs.into_iter().filter(|x| x.is_finite()).collect()
    }
}

/// The column of times of a frame with one series; see [`explorer::frame`].
fn frame_xs(frame: &[u8], points: usize) -> Vec<f64> {
    let table = frame.len() - points * 16;
    frame[table..table + points * 8]
        .as_chunks::<8>()
        .0
        .iter()
        .map(|eight| f64::from_le_bytes(*eight))
        .collect()
}

/// How far the steps between times are from what they should be, at most, seconds.
fn unrest(times: &[f64]) -> f64 {
    times
        .windows(2)
        .map(|two| (two[1] - two[0] - 1.0 / 208.0).abs())
        .fold(0.0, f64::max)
}

#[tokio::test(start_paused = true)]
async fn drift_and_residual_of_a_stamped_stream_are_recovered_and_its_samples_spread() {
    let bench = Bench::new(Preferences::default()).await;
    let attribute = bench.streaming(STAMPED).await;
    tokio::time::sleep(Duration::from_secs(120)).await;
    // By arrival, the samples of a value stand on one point of time, and values 30 ms apart.
    let arrived = bench.times().await;
    assert!(unrest(&arrived) > 0.02, "{}", unrest(&arrived));
    let axis = bench.explorer.inspect(attribute).unwrap().time.unwrap();
    assert!(!axis.by_device);
    // Followed already, though not drawn.
    let fit = bench.fit(attribute);
    assert_eq!(
        (fit.source.as_str(), fit.state.as_str()),
        ("clock", "settled")
    );
    assert!((fit.drift_ppm.unwrap() - 23.0).abs() < 3.0, "{fit:?}");
    assert!(fit.drift_within_ppm.unwrap() < 30.0, "{fit:?}");
    assert_eq!((fit.rate, fit.restarts), (None, 0));
    // Ready values wait for an event 30 ms apart, now and then for another: 15 ms in the middle, and
    // 95 of 100 within two intervals.
    let (median, residual) = (fit.median_ms.unwrap(), fit.residual_ms.unwrap());
    assert!((12.0..20.0).contains(&median), "{median}");
    assert!((28.0..60.0).contains(&residual), "{residual}");

    let before = bench.series("x");
    bench.explorer.set_time_axis(attribute, "device").unwrap();
    let placed = bench.times().await;
    assert!(placed.len() > 350, "{}", placed.len());
    // The history is drawn anew; live values go on. What is left is the whole microseconds of the stamp.
    assert!(unrest(&placed) < 20e-6, "{}", unrest(&placed));
    tokio::time::sleep(Duration::from_secs(10)).await;
    let placed = bench.times().await;
    assert!(unrest(&placed) < 100e-6, "{}", unrest(&placed));
    assert_eq!(bench.series("x"), before, "the series stays what it was");
    let told = bench
        .news
        .lock()
        .unwrap()
        .iter()
        .rev()
        .find_map(|event| match event {
            Event::Values { values } => values.iter().find_map(|value| value.device_time.clone()),
            _ => None,
        });
    assert!((told.unwrap().drift_ppm.unwrap() - 23.0).abs() < 3.0);

    bench.explorer.set_time_axis(attribute, "arrival").unwrap();
    assert!(unrest(&bench.times().await) > 0.02);
}

#[tokio::test(start_paused = true)]
async fn every_field_of_a_group_is_spread_over_its_samples() {
    // The two bytes of each sample stand for two fields.
    for format in ["at:u32le!us, {x:u8, y:i8}[]", "at:u32le!us, {y:u8, x:i8}[]"] {
        let bench = Bench::new(Preferences::default()).await;
        let attribute = bench.streaming(format).await;
        bench.explorer.set_time_axis(attribute, "device").unwrap();
        tokio::time::sleep(Duration::from_secs(120)).await;
        let placed = bench.times().await;
        assert!(placed.len() > 350, "{format}: {}", placed.len());
        assert!(unrest(&placed) < 100e-6, "{format}: {}", unrest(&placed));
    }
}

#[tokio::test(start_paused = true)]
async fn samples_without_a_stamp_are_spread_by_their_number() {
    let bench = Bench::new(Preferences::default()).await;
    let attribute = bench.streaming("_:skip[4], x:i16le[]").await;
    bench.explorer.set_time_axis(attribute, "device").unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    let fit = bench.fit(attribute);
    assert_eq!((fit.source.as_str(), fit.drift_ppm), ("samples", None));
    assert!((fit.rate.unwrap() - 208.0).abs() < 0.05, "{fit:?}");
    let placed = bench.times().await;
    assert!(unrest(&placed) < 100e-6, "{}", unrest(&placed));
}

#[tokio::test(start_paused = true)]
async fn a_bare_counter_gives_its_rate() {
    let bench = Bench::new(Preferences::default()).await;
    let attribute = bench.attribute(uuids::MOTION_STREAM);
    let explorer = &bench.explorer;
    explorer
        .set_format(attribute, "seq:u32le!count, x:i16le")
        .unwrap();
    explorer.subscribe(attribute).await.unwrap();
    explorer.plot(attribute, true).unwrap();
    explorer.set_time_axis(attribute, "device").unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    bench.lab.faults().lose(&bench.device, 100);
    tokio::time::sleep(Duration::from_secs(20)).await;
    let fit = bench.fit(attribute);
    assert_eq!(
        (fit.source.as_str(), fit.state.as_str()),
        ("counter", "settled")
    );
    assert!((fit.rate.unwrap() - 208.0).abs() < 0.01, "{fit:?}");
    assert_eq!((fit.drift_ppm, fit.restarts), (None, 0));
    assert!(fit.residual_ms.unwrap() < 0.01, "{fit:?}");
}

#[tokio::test(start_paused = true)]
async fn the_choice_is_kept_and_is_off_with_the_reason_where_there_is_no_time_of_the_device() {
    let bench = Bench::new(Preferences::default()).await;
    let attribute = bench.attribute(uuids::MOTION_STAMPED);
    let off = |attribute| {
        let time = bench.explorer.inspect(attribute).unwrap().time.unwrap();
        assert!(!time.by_device && time.device.is_none());
        time.off.unwrap()
    };
    assert!(off(attribute).contains("no format"), "{}", off(attribute));
    let problem = bench
        .explorer
        .set_time_axis(attribute, "device")
        .unwrap_err();
    assert_eq!(problem.code, "no_device_time");
    bench.explorer.set_format(attribute, "x:i16le").unwrap();
    assert!(off(attribute).contains("no counter"), "{}", off(attribute));
    assert!(bench.explorer.set_time_axis(attribute, "lunar").is_err());
    bench.explorer.set_format(attribute, STAMPED).unwrap();
    bench.explorer.set_time_axis(attribute, "device").unwrap();
    let preferences = bench.explorer.preferences().borrow().clone();
    assert!(
        preferences
            .device_time
            .contains(&uuids::MOTION_STAMPED.to_string())
    );

    // Another run, with what was kept.
    let bench = Bench::new(preferences).await;
    let attribute = bench.attribute(uuids::MOTION_STAMPED);
    bench.explorer.subscribe(attribute).await.unwrap();
    bench.explorer.plot(attribute, true).unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(
        bench
            .explorer
            .inspect(attribute)
            .unwrap()
            .time
            .unwrap()
            .by_device
    );
    // From two seconds ago on the line has long settled.
    assert!(
        unrest(&bench.times().await) < 1e-3,
        "{}",
        unrest(&bench.times().await)
    );
}
