//! What is advertised: read field by field, drawn, given a layout, and the same again from the recording; over the
//! simulated radio.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "bench/bench.rs"]
mod bench;

use std::time::Duration;

use bench::Bench;
use explorer::Preferences;
use explorer::view::{AdvertPart, AdvertView, Event, SeriesView, StatisticsView};
use radio::simulated::{Lab, VirtualDevice};

/// RuuviTag data format 5, and its company alone.
const TAG: &str = "company:0499/ruuvi-5";
const RUUVI: &str = "company:0499";

/// Ten seconds of the whole lab.
async fn scanning(preferences: Preferences) -> Bench {
    let lab = Lab {
        fillers: 0,
        hangs_up_after: None,
        ..Lab::default()
    };
    let bench = Bench::new(lab, preferences);
    bench.explorer.look_again().await.unwrap();
    bench.explorer.start_scan().await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    bench
}

impl Bench {
    fn advert(&self, which: VirtualDevice) -> AdvertView {
        let device = self.device(which);
        self.explorer.shown().advert(&device, None).unwrap()
    }

    fn part(&self, which: VirtualDevice, part: &str) -> AdvertPart {
        let view = self.advert(which);
        let found = view.parts.iter().find(|one| one.part == part);
        found.ok_or((part, &view.parts)).unwrap().clone()
    }

    fn named(&self, name: &str) -> SeriesView {
        let series = self.series();
        let found = series.iter().find(|one| one.name == name);
        found.ok_or((name, &series)).unwrap().clone()
    }

    fn numbers(&self, series: u32) -> StatisticsView {
        let shown = self.explorer.shown();
        shown.statistics(&[series], 0.0, 1e6).pop().unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn every_structure_and_payload_is_read_field_by_field() {
    let bench = scanning(Preferences::default()).await;
    let tag = bench.part(VirtualDevice::Ruuvi, TAG);
    assert_eq!(tag.kind, "RuuviTag, data format 5");
    assert_eq!(
        (tag.payload, tag.unplotted, tag.note.as_str()),
        (true, None, "")
    );
    let temperature = tag
        .fields
        .iter()
        .find(|one| one.name == "Temperature")
        .unwrap();
    let degrees: f64 = temperature.value.parse().unwrap();
    assert!((17.0..22.0).contains(&degrees), "{degrees}");
    assert_eq!(
        (temperature.unit.as_str(), temperature.bytes),
        ("°C", (1, 3))
    );

    let view = bench.advert(VirtualDevice::Ruuvi);
    assert!(view.row.summary.as_deref().unwrap().starts_with("RuuviTag"));
    let flags = view.parts.iter().find(|part| part.part == "ad:01").unwrap();
    assert!(!flags.payload && flags.bytes == "06" && !flags.fields.is_empty());
    assert_eq!(view.raw.split(' ').count(), 3 + 28);

    let eddystone = bench.advert(VirtualDevice::Eddystone);
    let kinds: Vec<_> = eddystone
        .parts
        .iter()
        .map(|part| part.kind.as_str())
        .collect();
    let kinds: Vec<_> = kinds.into_iter().filter(|kind| !kind.is_empty()).collect();
    assert_eq!(kinds.len(), 2, "URL and telemetry apart: {kinds:?}");
    let sends = bench
        .explorer
        .advert(&bench.device(VirtualDevice::Ruuvi), Some(TAG))
        .unwrap();
    assert_eq!(sends.part.as_deref(), Some(TAG));
    assert_eq!(view.part, None);
    assert!(sends.history.len() >= 6, "{}", sends.history.len());
    assert!(sends.history.is_sorted_by(|a, b| a.at_ms >= b.at_ms));
}

#[tokio::test(start_paused = true)]
async fn numbers_of_a_payload_are_drawn_from_memory_and_as_they_come_and_count_no_loss() {
    let bench = scanning(Preferences::default()).await;
    let device = bench.device(VirtualDevice::Ruuvi);
    bench.explorer.plot_advert(&device, TAG, true).unwrap();
    let temperature = bench.named("Temperature");
    assert_eq!(
        (temperature.lane_name.as_str(), temperature.visible),
        ("RuuviTag", true)
    );
    assert!(
        !bench.named("Humidity").visible,
        "of several, the first is shown"
    );
    let before = bench.numbers(temperature.id).count;
    assert!((6..10).contains(&before), "{before} remembered");
    assert_eq!(bench.advert(VirtualDevice::Ruuvi).plotted, [TAG]);

    tokio::time::sleep(Duration::from_secs(60)).await;
    let drawn = bench.numbers(temperature.id);
    assert!((50..60).contains(&drawn.count), "{} in 70 s", drawn.count);
    assert_eq!(
        u64::from(bench.advert(VirtualDevice::Ruuvi).row.adverts),
        drawn.count
    );
    assert!(drawn.min.unwrap() > 17.0 && drawn.max.unwrap() < 22.0);
    assert_eq!(drawn.lost, 0);
    assert_eq!(bench.recording().lost, explorer::view::LostView::default());

    bench.explorer.plot_advert(&device, "signal", true).unwrap();
    let signal = bench.named("RSSI");
    assert_eq!(bench.numbers(signal.id).count, drawn.count);
    bench.explorer.plot_advert(&device, TAG, false).unwrap();
    assert_eq!(bench.series().len(), 1);
    bench.explorer.clear_scope();
    assert!(bench.advert(VirtualDevice::Ruuvi).plotted.is_empty());
}

#[tokio::test(start_paused = true)]
async fn only_columns_that_came_are_lines() {
    let bench = scanning(Preferences::default()).await;
    let device = bench.device(VirtualDevice::Eddystone);
    let telemetry = bench.advert(VirtualDevice::Eddystone);
    let telemetry = telemetry
        .parts
        .iter()
        .find(|part| part.kind.contains("TLM"));
    let part = telemetry.unwrap().part.clone();
    bench.explorer.plot_advert(&device, &part, true).unwrap();
    let names: Vec<_> = bench.series().into_iter().map(|one| one.name).collect();
    assert!(
        names.iter().any(|name| name.contains("emperature")),
        "{names:?}"
    );
    for name in &names {
        let id = bench.named(name).id;
        assert!(bench.numbers(id).count > 0, "{name} never came");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_payload_measures_is_in_sight_before_its_battery_and_its_counter() {
    let bench = scanning(Preferences::default()).await;
    let device = bench.device(VirtualDevice::WeatherStation);
    let view = bench.advert(VirtualDevice::WeatherStation);
    let part = view.parts.iter().find(|part| part.payload).unwrap();
    assert!(part.kind.starts_with("BTHome"), "{}", part.kind);
    bench
        .explorer
        .plot_advert(&device, &part.part, true)
        .unwrap();
    let series = bench.series();
    let visible: Vec<_> = series.iter().filter(|one| one.visible).collect();
    assert_eq!(visible.len(), 1);
    assert_eq!(visible[0].name, "Temperature");
    assert!(series.iter().any(|one| one.name.starts_with("Battery")));
    assert!(series.len() < 10, "only what came: {series:?}");
}

#[tokio::test(start_paused = true)]
async fn a_layout_reads_all_payloads_of_its_company_and_draws_them_anew() {
    let bench = scanning(Preferences::default()).await;
    let device = bench.device(VirtualDevice::Ruuvi);
    bench.explorer.plot_advert(&device, TAG, true).unwrap();
    let before = bench.numbers(bench.named("Temperature").id).count;

    let refused = bench
        .explorer
        .set_advert_format(RUUVI, "kind:u8, t:i16b")
        .unwrap_err();
    assert_eq!((refused.code.as_str(), refused.at), ("input", Some(11)));
    assert_eq!(
        bench.part(VirtualDevice::Ruuvi, TAG).format,
        "",
        "the last one stays"
    );

    let layout = "kind:u8!count, t:i16be*0.005 °C";
    let preview = bench
        .explorer
        .preview_advert_format(&device, TAG, layout)
        .unwrap();
    assert_eq!((preview.fields.len(), preview.problem), (2, None));
    bench.explorer.set_advert_format(TAG, layout).unwrap();
    let part = bench.part(VirtualDevice::Ruuvi, RUUVI);
    assert_eq!((part.format.as_str(), part.kind.as_str()), (layout, ""));
    assert_eq!(part.note, "3 of 24 bytes used; the rest stays hex.");
    let drawn = bench.named("t");
    assert!(drawn.visible && !bench.named("kind").visible);
    assert_eq!(bench.numbers(drawn.id).count, before);
    assert_eq!(bench.advert(VirtualDevice::Ruuvi).plotted, [RUUVI]);
    let kept = bench.explorer.preferences().borrow().advert_formats.clone();
    assert_eq!(kept.get(RUUVI).map(String::as_str), Some(layout));

    bench.explorer.set_advert_format(RUUVI, "").unwrap();
    assert_eq!(bench.numbers(bench.named("Temperature").id).count, before);

    let preferences = Preferences {
        advert_formats: kept,
        ..Preferences::default()
    };
    let again = scanning(preferences).await;
    assert_eq!(again.part(VirtualDevice::Ruuvi, RUUVI).format, layout);
    let structure = again
        .explorer
        .set_advert_format("ad:01", "x:u8")
        .unwrap_err();
    assert_eq!(structure.code, "input");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_opened_shows_and_draws_what_was_heard() {
    let bench = scanning(Preferences::default()).await;
    let device = bench.device(VirtualDevice::Ruuvi);
    tokio::time::sleep(Duration::from_secs(60)).await;
    bench.explorer.plot_advert(&device, TAG, true).unwrap();
    let live = bench.numbers(bench.named("Temperature").id);
    let signal = bench.advert(VirtualDevice::Ruuvi).signal.len() as u64;
    assert_eq!(live.count, signal);
    let file = bench.recording().name;
    bench.explorer.stop_scan().await.unwrap();
    bench.explorer.new_recording().await.unwrap();
    bench.explorer.open_session(file).await.unwrap();

    let shown = bench.explorer.shown();
    // Time does not pass while a file is read.
    let drawn = |name: &'static str| {
        let bench = &bench;
        async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            bench.numbers(bench.named(name).id)
        }
    };
    shown.plot_advert(&device, TAG, true).unwrap();
    let recorded = drawn("Temperature").await;
    assert_eq!(
        (recorded.count, recorded.min, recorded.max),
        (live.count, live.min, live.max)
    );
    // Its page, as soon as it is read.
    let part = bench.part(VirtualDevice::Ruuvi, TAG);
    assert!(part.fields.len() > 5);
    shown.plot_advert(&device, "signal", true).unwrap();
    assert_eq!(drawn("RSSI").await.count, live.count);

    // Another layout reads the file again.
    shown
        .set_advert_format(TAG, "kind:u8, t:i16be*0.005 °C")
        .unwrap();
    let again = drawn("t").await;
    assert_eq!((again.count, again.min), (live.count, live.min));

    // What is on the air is read by it too, once it is shown again.
    bench.explorer.close_session();
    assert_eq!(bench.numbers(bench.named("t").id).count, live.count);
}

#[tokio::test(start_paused = true)]
async fn devices_are_filtered_by_the_kind_of_their_beacon() {
    let bench = scanning(Preferences::default()).await;
    for (filter, some) in [
        ("beacon:ruuvi-5", true),
        ("beacon:eddystone", true),
        ("beacon:moon", false),
    ] {
        bench.news.lock().unwrap().clear();
        bench.explorer.set_filter(filter).unwrap();
        let devices = bench.last(|event| match event {
            Event::Devices(devices) => Some(devices.clone()),
            _ => None,
        });
        let devices = devices.unwrap();
        assert_eq!(devices.shown > 0, some, "{filter}: {devices:?}");
        assert!(devices.shown < devices.total);
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_that_is_none_and_bytes_without_numbers_are_refused_with_the_reason() {
    let bench = scanning(Preferences::default()).await;
    let device = bench.device(VirtualDevice::Ruuvi);
    let refused = bench
        .explorer
        .plot_advert(&device, "company:", true)
        .unwrap_err();
    assert_eq!(refused.code, "input");
    let refused = bench
        .explorer
        .plot_advert(&device, "company:1234", true)
        .unwrap_err();
    assert_eq!(refused.code, "no_numbers");
    assert!(bench.explorer.advert(&device, Some("company:")).is_err());
    assert!(bench.explorer.advert(&"nobody".into(), None).is_err());
}
