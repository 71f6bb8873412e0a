//! The whole way without a window: scan, connect, read, write, subscribe, plot, record, export.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "bench/bench.rs"]
mod bench;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bench::{Bench, contract_with, find};
use explorer::view::{Event, ExportRequest, PumpRequest, WriteInput};
use explorer::{PictureKind, PictureRequest, Preferences};
use radio::simulated::{Lab, VirtualDevice, uuids};
use radio::{Clock, DeviceId};

fn contents() -> Lab {
    contract_with(&[VirtualDevice::MotionSensor, VirtualDevice::DoorLock])
}

fn idle() -> Bench {
    Bench::new(contents(), Preferences::default())
}

/// With a radio that scans and has heard everybody.
async fn scanning() -> Bench {
    Bench::scanning(contents(), Preferences::default()).await
}

fn recording_name(event: &Event) -> Option<String> {
    match event {
        Event::Recording(recording) => Some(recording.name.clone()),
        _ => None,
    }
}

fn hex(text: &str) -> WriteInput {
    WriteInput {
        kind: "hex".into(),
        text: text.into(),
    }
}

fn csv_of(device: Option<&DeviceId>) -> ExportRequest {
    ExportRequest {
        format: "csv".into(),
        devices: device.map(ToString::to_string).into_iter().collect(),
        ..ExportRequest::default()
    }
}

#[tokio::test(start_paused = true)]
async fn the_simulated_lab_that_was_asked_for_says_so() {
    let bench = idle();
    bench.explorer.look_again().await.unwrap();
    let radio = bench.radio();
    assert!(radio.simulated && radio.state == "on", "{radio:?}");
    assert_eq!(
        radio.fallback.as_deref(),
        Some("It was asked for, and no other radio was looked for.")
    );
    assert!(
        radio
            .caps
            .iter()
            .all(|cap| cap.support == "yes" || !cap.reason.is_empty())
    );
}

#[tokio::test(start_paused = true)]
async fn devices_on_the_air_are_listed_filtered_and_kept_across_a_reload() {
    let bench = scanning().await;
    bench.explorer.set_filter("name:\"virtual hr\"").unwrap();
    let view = bench
        .last(|event| match event {
            Event::Devices(view) => Some((view.reset, view.shown, view.changed.clone())),
            _ => None,
        })
        .unwrap();
    assert_eq!((view.0, view.1), (true, 1));
    let row = &view.2[0];
    assert_eq!(row.name, "Virtual HR");
    assert!(row.rssi.is_some() && row.connectable == Some(true));
    assert_eq!(row.services[0].short, "0x180D");

    let problem = bench.explorer.set_filter("rssi>strong").unwrap_err();
    assert_eq!(problem.at, Some(5));

    bench.news.lock().unwrap().clear();
    let heard = Arc::clone(&bench.news);
    bench
        .explorer
        .listen(move |event| heard.lock().unwrap().push(event));
    assert!(bench.radio().scanning);
    assert!(
        bench
            .last(|event| matches!(event, Event::Devices(v) if v.reset).then_some(()))
            .is_some()
    );
}

#[tokio::test(start_paused = true)]
async fn a_device_is_connected_by_its_address_or_its_name_even_before_it_was_heard() {
    let bench = idle();
    bench.explorer.look_again().await.unwrap();
    bench
        .explorer
        .connect_to(" virtual hr ".into())
        .await
        .unwrap();
    let hr = bench.device(VirtualDevice::VirtualHr);
    assert_eq!(bench.link(&hr).state, "connected");
    assert!(
        !bench.radio().scanning,
        "what ran for the search ends with it"
    );
    bench.explorer.start_scan().await.unwrap();

    let motion = bench.device(VirtualDevice::MotionSensor);
    let address = motion.as_str().to_lowercase();
    bench.explorer.connect_to(address).await.unwrap();
    assert_eq!(bench.link(&motion).state, "connected");

    // Another search takes the place of the first, and is not ended by its end.
    let (first, second) = (bench.explorer.clone(), bench.explorer.clone());
    let first = tokio::spawn(async move { first.connect_to("nobody".into()).await });
    tokio::time::sleep(Duration::from_secs(5)).await;
    let second = tokio::spawn(async move { second.connect_to("somebody".into()).await });
    assert_eq!(first.await.unwrap().unwrap_err().code, "cancelled");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.radio().seeking.unwrap().text, "somebody");
    assert_eq!(second.await.unwrap().unwrap_err().code, "not_heard");

    let nobody = "00:00:00:00:00:01".to_owned();
    let problem = bench.explorer.connect_to(nobody).await.unwrap_err();
    assert_eq!(problem.code, "not_heard");
    let problem = bench
        .explorer
        .connect_to("nobody".into())
        .await
        .unwrap_err();
    assert_eq!(problem.code, "not_heard");
    bench.explorer.set_alias(&motion, Some("Virtual HR".into()));
    let problem = bench
        .explorer
        .connect_to("Virtual HR".into())
        .await
        .unwrap_err();
    assert_eq!(problem.code, "ambiguous");
    assert!(problem.message.contains(hr.as_str()), "{problem}");
}

#[tokio::test(start_paused = true)]
async fn a_value_is_read_written_and_read_back() {
    let bench = scanning().await;
    let device = bench.connected(VirtualDevice::VirtualHr).await;
    let link = bench.link(&device);
    assert_eq!(
        (link.state.as_str(), link.mtu.is_some()),
        ("connected", true)
    );

    let battery = bench.attribute(&device, &uuids::short(0x2A19).to_string());
    bench.explorer.read(battery.id).await.unwrap();
    assert_eq!(bench.value(battery.id).text, "87 %");

    let scratch = bench.attribute(&device, &uuids::SCRATCH.to_string());
    bench
        .explorer
        .write(scratch.id, hex("DE AD"), true)
        .await
        .unwrap();
    bench
        .explorer
        .write(scratch.id, hex("BE EF"), false)
        .await
        .unwrap();
    bench.explorer.read(scratch.id).await.unwrap();
    let inspect = bench.explorer.inspect(scratch.id).unwrap();
    assert_eq!(inspect.bytes, "BE EF");
    let kinds: Vec<_> = inspect
        .history
        .iter()
        .map(|row| row.kind.as_str())
        .collect();
    assert_eq!(kinds, ["read", "write", "write"]);

    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(
        bench.attribute(&device, &uuids::SCRATCH.to_string()).name,
        "Scratch register"
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_done_says_why_and_loses_nothing() {
    let bench = scanning().await;
    let device = bench.connected(VirtualDevice::VirtualHr).await;
    let scratch = bench.attribute(&device, &uuids::SCRATCH.to_string());
    for (input, code, part) in [
        (hex("0G"), "input", "not a hex byte"),
        (
            WriteInput {
                kind: "u8".into(),
                text: "300".into(),
            },
            "input",
            "0 to 255",
        ),
        (
            WriteInput {
                kind: "text".into(),
                text: "x".repeat(600),
            },
            "too_long",
            "512",
        ),
    ] {
        let problem = bench
            .explorer
            .write(scratch.id, input, true)
            .await
            .unwrap_err();
        assert_eq!(problem.code, code);
        assert!(problem.message.contains(part), "{problem:?}");
    }
    let rate = bench.attribute(&device, &uuids::short(0x2A37).to_string());
    let problem = bench.explorer.read(rate.id).await.unwrap_err();
    assert_eq!(problem.code, "not_offered");

    let difficult = bench.connected(VirtualDevice::Difficult).await;
    let refused = bench.attribute(&difficult, &uuids::APPLICATION_ERROR.to_string());
    let problem = bench.explorer.read(refused.id).await.unwrap_err();
    assert!(problem.message.contains("ATT 0x80"), "{problem:?}");
    assert_eq!(bench.value(refused.id).problem, Some(problem));
    assert!(matches!(bench.explorer.read(u64::MAX).await, Err(p) if p.code == "input"));
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_recorded_whole_drawn_and_exported() {
    let bench = scanning().await;
    let device = bench.connected(VirtualDevice::VirtualHr).await;
    let stream = bench.attribute(&device, &uuids::STREAM.to_string());

    let problem = bench.explorer.plot(stream.id, true).unwrap_err();
    assert_eq!(problem.code, "no_numbers");
    let problem = bench.explorer.set_format(stream.id, "seq:u99").unwrap_err();
    assert!(problem.at.is_some());
    bench
        .explorer
        .set_format(stream.id, "seq:u32le!count, _:skip[8], value:f64le")
        .unwrap();
    bench.explorer.plot(stream.id, true).unwrap();
    bench.explorer.subscribe(stream.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;

    let value = bench.value(stream.id);
    assert!(
        value.subscribed && value.plotted && value.lost == 0,
        "{value:?}"
    );
    assert!((40.0..60.0).contains(&value.rate.unwrap()), "{value:?}");

    let request = PumpRequest {
        series: vec![1],
        from: None,
        span: 10.0,
        pixels: 800,
        seen: 0,
        patience_ms: 0,
    };
    let frame = bench.explorer.pump(&request).await;
    let points = u32::from_le_bytes(frame[52..56].try_into().unwrap());
    assert!((450..=520).contains(&points), "{points} points");
    let statistics = bench.explorer.statistics(&[1], 0.0, 1e6);
    assert_eq!(statistics[0].min, Some(0.0));

    bench.explorer.unsubscribe(stream.id).await.unwrap();
    let csv = bench.folder.path().join("out.csv");
    let written = bench
        .explorer
        .export(csv_of(None), csv.clone())
        .await
        .unwrap();
    let text = std::fs::read_to_string(&csv).unwrap();
    assert_eq!(written.bytes, text.len() as u64);
    let mut sequence: Vec<u32> = Vec::new();
    for line in text
        .lines()
        .filter(|line| line.contains(&uuids::STREAM.to_string()))
    {
        let Some(hex) = line.split(',').find(|cell| cell.len() == 59) else {
            continue;
        };
        let bytes: Vec<u8> = hex
            .split(' ')
            .map(|b| u8::from_str_radix(b, 16).unwrap())
            .collect();
        sequence.push(u32::from_le_bytes(bytes[..4].try_into().unwrap()));
    }
    assert!(sequence.len() > 450);
    assert!(
        sequence.iter().copied().eq(0..sequence.len() as u32),
        "each number once, no gap"
    );

    let picture = bench.folder.path().join("out.svg");
    let shown = PictureRequest {
        series: vec![1],
        from: 0.0,
        to: 30.0,
        theme: "dark".into(),
        width: 900,
        height: 300,
    };
    bench
        .explorer
        .export_picture(picture.clone(), PictureKind::Svg, shown)
        .await
        .unwrap();
    assert!(std::fs::read_to_string(picture).unwrap().contains("value"));
}

#[tokio::test(start_paused = true)]
async fn losses_of_the_device_and_of_the_queue_are_counted_apart() {
    let bench = scanning().await;
    let device = bench.connected(VirtualDevice::Difficult).await;
    let lossy = bench.attribute(&device, &uuids::LOSSY.to_string());
    bench
        .explorer
        .set_format(lossy.id, "seq:u32le!count")
        .unwrap();
    bench.explorer.subscribe(lossy.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert!(bench.lab.faults().lose(&device, 5));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let view = bench
        .last(|event| {
            if let Event::Recording(view) = event {
                Some(view.clone())
            } else {
                None
            }
        })
        .unwrap();
    assert!(view.lost.device > 0, "{view:?}");
    assert_eq!((view.lost.queue, view.lost.gattscope), (5, 0));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_ends_by_itself_is_said_at_once_and_can_be_made_again() {
    let bench = scanning().await;
    let device = bench.connected(VirtualDevice::VirtualHr).await;
    bench.explorer.set_auto_reconnect(&device, false);
    let stream = bench.attribute(&device, &uuids::STREAM.to_string());
    bench
        .explorer
        .set_format(stream.id, "seq:u32le!count, _:skip[8], value:f64le")
        .unwrap();
    bench.explorer.plot(stream.id, true).unwrap();
    bench.explorer.subscribe(stream.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    bench.lab.faults().drop_link(&device, "Connection Timeout");
    tokio::time::sleep(Duration::from_millis(20)).await;

    let link = bench.link(&device);
    assert_eq!(
        (link.state.as_str(), link.unexpected),
        ("disconnected", true)
    );
    assert!(link.problem.unwrap().message.contains("Connection Timeout"));
    let (title, problem) = bench.notices().pop().unwrap();
    assert_eq!(title, "Virtual HR disconnected");
    assert!(problem.hint.contains("reconnect"));
    assert_eq!(
        bench.explorer.read(stream.id).await.unwrap_err().code,
        "not_connected"
    );

    bench.explorer.connect(device.clone()).await.unwrap();
    let again = bench.attribute(&device, &uuids::STREAM.to_string());
    assert_ne!(again.id, stream.id);
    assert_eq!(again.key, stream.key);
    assert_eq!(
        bench.explorer.read(stream.id).await.unwrap_err().code,
        "stale_attribute"
    );
    bench.explorer.subscribe(again.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let value = bench.value(again.id);
    assert!(
        value.plotted && value.count > 80,
        "history and plot go on: {value:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn connecting_can_be_cancelled_and_gives_up_by_itself() {
    let bench = scanning().await;
    let device = bench.device(VirtualDevice::VirtualHr);
    bench.lab.faults().hang_next_connect(&device);
    let connecting = tokio::spawn({
        let (explorer, device) = (bench.explorer.clone(), device.clone());
        async move { explorer.connect(device).await }
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(bench.link(&device).state, "connecting");
    assert_eq!(
        bench
            .explorer
            .connect(device.clone())
            .await
            .unwrap_err()
            .code,
        "busy"
    );
    bench.explorer.cancel_connect(&device);
    assert_eq!(connecting.await.unwrap().unwrap_err().code, "cancelled");
    assert_eq!(bench.link(&device).state, "disconnected");

    bench.lab.faults().hang_next_connect(&device);
    bench
        .explorer
        .prefer(|preferences| preferences.connect_timeout_s = 4);
    let problem = bench.explorer.connect(device.clone()).await.unwrap_err();
    assert_eq!(problem.code, "timed_out");
    assert_eq!(bench.link(&device).state, "failed");
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_goes_off_is_said_and_ends_links() {
    let bench = scanning().await;
    let device = bench.connected(VirtualDevice::VirtualHr).await;
    bench.explorer.set_power(false).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(bench.radio().state, "off");
    assert_eq!(bench.link(&device).problem.unwrap().code, "adapter_lost");
    assert!(
        bench
            .notices()
            .iter()
            .any(|(_, problem)| problem.code == "powered_off")
    );
    assert_eq!(
        bench.explorer.start_scan().await.unwrap_err().code,
        "powered_off"
    );
    bench.explorer.set_power(true).await.unwrap();
    bench.explorer.start_scan().await.unwrap();
    assert!(bench.radio().scanning);
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_cannot_hold_the_recording_costs_the_recording_only() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("not-a-folder");
    std::fs::write(&file, "occupied").unwrap();
    let bench = Bench::recording_to(&file, folder, contents(), Preferences::default());
    let notices = bench.notices();
    let (_, problem) = notices.iter().find(|(t, _)| t == "Not recording").unwrap();
    assert!(problem.message.contains("not-a-folder"), "{problem}");
    assert!(problem.hint.contains("then start a new recording"));
    bench.explorer.look_again().await.unwrap();
    bench.explorer.start_scan().await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let device = bench.connected(VirtualDevice::VirtualHr).await;
    let battery = bench.attribute(&device, &uuids::short(0x2A19).to_string());
    bench.explorer.read(battery.id).await.unwrap();
    assert_eq!(bench.value(battery.id).text, "87 %");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "occupied");
    let problem = bench.explorer.new_recording().await.unwrap_err();
    assert_eq!(problem.code, "not_recording");
    std::fs::remove_file(&file).unwrap();
    bench.explorer.new_recording().await.unwrap();
    bench.explorer.read(battery.id).await.unwrap();
    bench.explorer.close().await;
    let sessions = session::library::list(&file).unwrap().sessions;
    assert_eq!(sessions.len(), 1);
    assert!(
        sessions[0].values >= Some(1),
        "what was read after it began"
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_recording_goes_on_with_the_links_that_are_up() {
    let bench = scanning().await;
    let device = bench.connected(VirtualDevice::VirtualHr).await;
    bench.explorer.new_recording().await.unwrap();
    let battery = bench.attribute(&device, &uuids::short(0x2A19).to_string());
    bench.explorer.read(battery.id).await.unwrap();
    let csv = bench.folder.path().join("second.csv");
    bench
        .explorer
        .export(csv_of(Some(&device)), csv.clone())
        .await
        .unwrap();
    let text = std::fs::read_to_string(csv).unwrap();
    assert!(text.contains("87 %"), "{text}");
    let files = std::fs::read_dir(bench.folder.path().join("sessions")).unwrap();
    let sessions = files.filter(|f| {
        f.as_ref()
            .unwrap()
            .path()
            .extension()
            .is_some_and(|e| e == "gattscope")
    });
    assert_eq!(sessions.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_mark_stands_at_the_moment_that_was_meant_and_never_ahead_of_time() {
    let bench = scanning().await;
    bench.explorer.mark("now", None);
    bench.explorer.mark("before", Some(1.5));
    bench.explorer.mark("ahead", Some(1e6));
    let marks = bench
        .last(|event| match event {
            Event::Marks { marks } => Some(marks.clone()),
            _ => None,
        })
        .unwrap();
    let texts: Vec<&str> = marks.iter().map(|mark| mark.text.as_str()).collect();
    assert_eq!(texts, ["before", "now", "ahead"], "oldest first");
    assert!((marks[0].at - 1.5).abs() < 1e-6);
    assert_eq!(marks[1].at, marks[2].at, "time stands still in this test");
    let csv = bench.folder.path().join("marks.csv");
    bench
        .explorer
        .export(csv_of(None), csv.clone())
        .await
        .unwrap();
    assert!(std::fs::read_to_string(csv).unwrap().contains("before"));
}

#[tokio::test(start_paused = true)]
async fn a_mark_is_renamed_and_taken_away_and_the_recording_says_so() {
    let bench = scanning().await;
    bench.explorer.mark("", None);
    bench.explorer.mark("", None);
    bench.explorer.change_mark(1, " Walk starts ").unwrap();
    bench.explorer.change_mark(2, "").unwrap();
    let problem = bench.explorer.change_mark(2, "gone").unwrap_err();
    assert_eq!(problem.code, "input");
    let marks = bench
        .last(|event| match event {
            Event::Marks { marks } => Some(marks.clone()),
            _ => None,
        })
        .unwrap();
    assert_eq!(marks.len(), 1);
    assert_eq!((marks[0].id, marks[0].text.as_str()), (1, "Walk starts"));
    let csv = bench.folder.path().join("marks.csv");
    bench
        .explorer
        .export(csv_of(None), csv.clone())
        .await
        .unwrap();
    let table = std::fs::read_to_string(csv).unwrap();
    assert!(table.contains("Mark 2"), "what was recorded stays");
    assert!(table.contains("was taken away"), "{table}");
}

#[tokio::test(start_paused = true)]
async fn a_value_for_the_paired_is_read_after_the_passkey_was_typed() {
    let bench = scanning().await;
    let device = bench.connected(VirtualDevice::DoorLock).await;
    let state = bench.attribute(&device, &uuids::LOCK_STATE.to_string());
    let problem = bench.explorer.read(state.id).await.unwrap_err();
    assert!(
        problem
            .message
            .contains("Insufficient Authentication (ATT 0x05)")
    );
    let offered = bench.last(|event| match event {
        Event::Notice(notice) => Some(notice.action.clone()),
        _ => None,
    });
    assert_eq!(offered.as_deref(), Some("pair"));

    let display = bench.attribute(&device, &uuids::LOCK_DISPLAY.to_string());
    bench.explorer.read(display.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let shown = bench.explorer.inspect(display.id).unwrap().bytes;
    let passkey: String = shown
        .split(' ')
        .map(|byte| char::from(u8::from_str_radix(byte, 16).unwrap()))
        .collect();

    // A wrong number, then the right one.
    let wrong = if passkey == "000000" {
        "000001"
    } else {
        "000000"
    };
    for (typed, paired) in [(wrong, false), (passkey.as_str(), true)] {
        let (explorer, lock) = (bench.explorer.clone(), device.clone());
        let pairing = tokio::spawn(async move { explorer.pair(lock).await });
        tokio::time::sleep(Duration::from_secs(1)).await;
        let question = bench
            .last(|event| match event {
                Event::Pairing(question) => Some(question.clone()),
                _ => None,
            })
            .unwrap();
        assert_eq!(
            (question.question.as_str(), question.over),
            ("enter_passkey", false)
        );
        let refused = bench
            .explorer
            .answer_pairing(question.id, true, Some("12x"));
        assert_eq!(refused.unwrap_err().code, "input");
        bench
            .explorer
            .answer_pairing(question.id, true, Some(typed))
            .unwrap();
        assert_eq!(pairing.await.unwrap().is_ok(), paired);
        assert_eq!(bench.link(&device).paired, Some(paired));
        let late = bench.explorer.answer_pairing(question.id, false, None);
        assert_eq!(late.unwrap_err().code, "pairing");
    }
    bench.explorer.read(state.id).await.unwrap();

    bench.explorer.unpair(device.clone()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_ne!(bench.link(&device).state, "connected");
    assert_eq!(bench.link(&device).paired, Some(false));
}

#[tokio::test(start_paused = true)]
async fn the_signal_of_a_link_is_measured_while_it_is_up() {
    let bench = scanning().await;
    let device = bench.connected(VirtualDevice::VirtualHr).await;
    let mut heard = std::collections::BTreeSet::new();
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(2)).await;
        heard.insert(bench.link(&device).rssi.unwrap());
    }
    assert!(heard.len() > 3, "it moves: {heard:?}");
}

#[tokio::test(start_paused = true)]
async fn choosing_the_adapter_in_use_changes_nothing() {
    let bench = scanning().await;
    let device = bench.connected(VirtualDevice::VirtualHr).await;
    let adapter = bench.radio().adapter.unwrap();
    bench.explorer.choose_adapter(adapter).await.unwrap();
    assert_eq!(bench.link(&device).state, "connected");
    let battery = bench.attribute(&device, &uuids::short(0x2A19).to_string());
    bench.explorer.read(battery.id).await.unwrap();
    assert!(bench.radio().scanning);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_falls_silent_passes_the_filter_of_its_age() {
    let bench = scanning().await;
    bench.explorer.set_filter("age>10s").unwrap();
    bench.explorer.stop_scan().await.unwrap();
    let shown = || {
        bench.last(|event| match event {
            Event::Devices(view) => Some(view.shown),
            _ => None,
        })
    };
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(shown(), Some(0));
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(shown() > Some(3), "{:?}", shown());
}

#[tokio::test(start_paused = true)]
async fn sessions_are_documents() {
    let bench = scanning().await;
    let device = bench.connected(VirtualDevice::VirtualHr).await;
    let battery = bench.attribute(&device, &uuids::short(0x2A19).to_string());
    bench.explorer.read(battery.id).await.unwrap();
    let all = bench.explorer.sessions(String::new()).await.unwrap();
    let [running] = &all.sessions[..] else {
        panic!("one is recorded: {all:?}")
    };
    assert_eq!((running.state.as_str(), running.kept), ("recording", false));
    assert!(running.events > 1 && running.device_names.iter().any(|name| name == "Virtual HR"));

    // What is being recorded can be named, and not deleted.
    let file = running.file.clone();
    let first = "First light".to_owned();
    bench
        .explorer
        .rename_session(file.clone(), first.clone())
        .await
        .unwrap();
    let problem = bench
        .explorer
        .delete_session(file.clone())
        .await
        .unwrap_err();
    assert_eq!(problem.code, "in_use", "{problem}");
    let outside = "../explore.rs".to_owned();
    let problem = bench.explorer.delete_session(outside).await.unwrap_err();
    assert_eq!(problem.code, "no_session");

    bench.explorer.new_recording().await.unwrap();
    let found = bench.explorer.sessions("first LIGHT".into()).await.unwrap();
    let [past] = &found.sessions[..] else {
        panic!("one is called so: {found:?}")
    };
    assert_eq!(
        (past.name.as_str(), past.state.as_str()),
        ("First light", "closed")
    );
    assert_eq!(past.found, ["name"]);
    bench
        .explorer
        .keep_session(file.clone(), true)
        .await
        .unwrap();
    bench
        .explorer
        .annotate_session(file.clone(), "It works.".into())
        .await
        .unwrap();

    // Every way out, of the one that is past.
    let folder = tempfile::tempdir().unwrap();
    for format in ["csv", "jsonl", "pcapng", "markdown", "gattscope"] {
        let request = ExportRequest {
            session: Some(file.clone()),
            format: format.into(),
            devices: vec![device.to_string()],
            ..ExportRequest::default()
        };
        let path = folder.path().join(format!("out.{format}"));
        let written = bench.explorer.export(request, path.clone()).await.unwrap();
        assert!(written.bytes > 0 && !written.damaged, "{written:?}");
        assert_eq!(
            std::fs::metadata(&path).unwrap().len(),
            written.bytes,
            "{format}"
        );
    }
    let profile = std::fs::read_to_string(folder.path().join("out.markdown")).unwrap();
    assert!(profile.contains("Battery Level"), "{profile}");
    assert!(
        bench
            .last(|event| matches!(event, Event::Jobs { jobs } if jobs.is_empty()).then_some(()))
            .is_some()
    );

    // And in again: what was written as a table is a session like the first.
    let name = bench
        .explorer
        .import_session(folder.path().join("out.csv"))
        .await
        .unwrap();
    let all = bench.explorer.sessions(String::new()).await.unwrap();
    let imported = all
        .sessions
        .iter()
        .find(|session| session.file == name)
        .unwrap();
    assert_eq!(imported.source.as_deref(), Some("out.csv"));
    let no_session = bench
        .explorer
        .import_session(folder.path().join("out.markdown"))
        .await;
    assert_eq!(no_session.unwrap_err().code, "not_importable");

    bench.explorer.delete_session(name).await.unwrap();
    bench.explorer.delete_session(file).await.unwrap();
    let left = bench.explorer.sessions(String::new()).await.unwrap();
    assert_eq!(left.sessions.len(), 1, "the one that is recorded");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_opened_shows_what_was_recorded_and_what_is_on_the_air_goes_on() {
    let bench = scanning().await;
    let device = bench.connected(VirtualDevice::VirtualHr).await;
    let stream = bench.attribute(&device, &uuids::STREAM.to_string());
    bench.explorer.subscribe(stream.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    bench.explorer.mark("Here", None);
    bench.explorer.unsubscribe(stream.id).await.unwrap();
    let live = bench.explorer.inspect(stream.id).unwrap();
    let file = bench.last(recording_name).unwrap();
    bench.explorer.new_recording().await.unwrap();

    bench.news.lock().unwrap().clear();
    bench.explorer.open_session(file.clone()).await.unwrap();
    let read = |event: &Event| match event {
        Event::Document {
            document: Some(document),
        } if document.part == 1.0 => Some(document.clone()),
        _ => None,
    };
    let document = bench.until(read).await;
    assert_eq!(
        (document.session.file.as_str(), document.problem),
        (&*file, None)
    );

    // The same tree, values and text, and nothing that could be done to a device.
    let shown = bench.explorer.shown();
    let recorded = find(shown.tree(&device).unwrap(), &stream.uuid.uuid).unwrap();
    assert_eq!(
        (&recorded.key, recorded.handle),
        (&stream.key, stream.handle)
    );
    assert_eq!(
        recorded.actions.subscribe.as_deref(),
        Some("Subscribe is off: this is a recording.")
    );
    let view = shown.inspect(recorded.id).unwrap();
    assert_eq!(view.bytes, live.bytes);
    assert_eq!(view.count, live.count);
    let rows = |view: &explorer::view::InspectView| -> Vec<String> {
        view.history.iter().map(|row| row.bytes.clone()).collect()
    };
    assert_eq!(rows(&view), rows(&live));
    assert!(shown.read(recorded.id).await.is_err());
    let news = bench.news.lock().unwrap().clone();
    let marks = news.iter().rev().find_map(|event| match event {
        Event::Marks { marks } => Some(marks.clone()),
        _ => None,
    });
    assert_eq!(marks.unwrap()[0].text, "Here");

    // It draws, with every value.
    shown.set_format(recorded.id, "seq:u32le").unwrap();
    shown.plot(recorded.id, true).unwrap();
    let samples = loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let statistics = shown.statistics(&[0], 0.0, 1e6);
        if statistics.first().is_some_and(|series| series.count > 0) {
            break statistics[0].count;
        }
    };
    assert_eq!(samples, live.count);

    // Lines of the log come from the file.
    let lines = || {
        let news = bench.news.lock().unwrap();
        let lines = news.iter().filter_map(|event| match event {
            Event::Log { entries } => Some(entries.clone()),
            _ => None,
        });
        lines.flatten().collect::<Vec<_>>()
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    let told = lines();
    let has = |operation: &str| told.iter().any(|line| line.operation == operation);
    assert!(
        has("Connected") && has("Subscribe") && has("Mark"),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|line| line.operation.starts_with("Notify ×"))
    );

    // It cannot be deleted meanwhile; what is on the air is as it was, and takes the format over.
    let refused = bench.explorer.delete_session(file).await.unwrap_err();
    assert_eq!(refused.code, "open");
    bench.explorer.close_session();
    assert!(
        bench
            .last(|event| matches!(event, Event::Document { document: None }).then_some(()))
            .is_some()
    );
    assert_eq!(
        bench.attribute(&device, &stream.uuid.uuid).format,
        "seq:u32le"
    );
    assert_eq!(bench.link(&device).state, "connected");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_cut_off_is_opened_as_far_as_it_goes_and_says_so() {
    let bench = scanning().await;
    let device = bench.connected(VirtualDevice::VirtualHr).await;
    let stream = bench.attribute(&device, &uuids::STREAM.to_string());
    bench.explorer.subscribe(stream.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    let file = bench.last(recording_name).unwrap();
    bench.explorer.new_recording().await.unwrap();
    let path = bench.folder.path().join("sessions").join(file);
    let whole = std::fs::read(&path).unwrap();
    let cut = bench.folder.path().join("cut.gattscope");
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();

    bench.explorer.open_file(cut).await.unwrap();
    let document = bench
        .until(|event| match event {
            Event::Document { document } => {
                document.clone().filter(|document| document.part == 1.0)
            }
            _ => None,
        })
        .await;
    let code = document
        .problem
        .as_ref()
        .map(|problem| problem.code.as_str());
    assert_eq!(code, Some("cut_off"));
    let lasted = document.session.duration_s;
    assert!((10.0..119.0).contains(&lasted), "{document:?}");
    let shown = bench.explorer.shown();
    let recorded = find(shown.tree(&device).unwrap(), &stream.uuid.uuid).unwrap();
    let count = shown.inspect(recorded.id).unwrap().count;
    assert!((500..6000).contains(&count), "{count} of 6,000 values");

    // What is no session leaves the one that is open where it is.
    let text = bench.folder.path().join("text.gattscope");
    std::fs::write(&text, "Nothing of the kind.").unwrap();
    let refused = bench.explorer.open_file(text).await.unwrap_err();
    assert_eq!(refused.code, "not_a_session");
    assert!(bench.explorer.shown().tree(&device).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_closed_while_it_is_read_stays_closed_and_another_takes_its_place() {
    let bench = scanning().await;
    let device = bench.connected(VirtualDevice::VirtualHr).await;
    let stream = bench.attribute(&device, &uuids::STREAM.to_string());
    bench.explorer.subscribe(stream.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let file = bench.last(recording_name).unwrap();
    bench.explorer.new_recording().await.unwrap();

    // Opened, opened anew and closed, each before the last was read.
    for _ in 0..5 {
        bench.explorer.open_session(file.clone()).await.unwrap();
        bench.explorer.open_session(file.clone()).await.unwrap();
        bench.explorer.close_session();
    }
    bench.news.lock().unwrap().clear();
    tokio::time::sleep(Duration::from_secs(2)).await;
    std::thread::sleep(Duration::from_millis(300));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let stray = bench.last(|event| match event {
        Event::Document { document } => Some(document.clone()),
        _ => None,
    });
    assert!(stray.is_none(), "{stray:?}");
    assert_eq!(bench.explorer.document_number(), None);
    // What is on the air is told again.
    assert!(bench.value(stream.id).count > 0);
}

/// Records `count` values of one characteristic, a thousand a second, into a file of its own.
fn long_session(folder: &Path, count: u32) -> std::path::PathBuf {
    let clock = Clock::manual();
    let recorder =
        session::Recorder::create(folder, clock.clone(), session::Options::default()).unwrap();
    let device = recorder.device(&DeviceId::from("C0:00:00:00:00:01"), Some("Long"));
    let link = recorder.link_up(clock.now(), device);
    let mut gatt = radio::GattDb::new();
    let plain = radio::Properties::default();
    let service = gatt
        .push(
            radio::AttrKind::Service,
            uuids::short(0x181A),
            None,
            None,
            plain,
        )
        .unwrap();
    let (kind, notify) = (radio::AttrKind::Characteristic, radio::Properties::NOTIFY);
    let attribute = gatt
        .push(kind, uuids::STREAM, None, Some(service), notify)
        .unwrap();
    recorder.attributes(clock.now(), link, &gatt);
    for number in 0..count {
        clock.advance(Duration::from_millis(1));
        recorder.sample(&radio::Sample {
            attribute,
            at: clock.now(),
            lost_before: 0,
            kind: radio::SampleKind::Notification,
            bytes: bytes::Bytes::copy_from_slice(&number.to_le_bytes()),
        });
        if number % 50_000 == 0 {
            recorder.flush().unwrap();
        }
    }
    recorder.close().unwrap();
    recorder.path().to_owned()
}

#[tokio::test]
async fn a_long_session_is_drawn_to_its_start_and_a_window_of_long_ago_is_read_again() {
    const VALUES: u32 = (1 << 20) + 100_000;
    let bench = idle();
    let path = long_session(bench.folder.path(), VALUES);
    bench.explorer.open_file(path).await.unwrap();
    let shown = bench.explorer.shown();
    let device = DeviceId::from("C0:00:00:00:00:01");
    let stream = find(shown.tree(&device).unwrap(), &uuids::STREAM.to_string()).unwrap();
    shown.set_format(stream.id, "value:u32le").unwrap();
    shown.plot(stream.id, true).unwrap();
    let whole = f64::from(VALUES) / 1e3 + 1.0;
    loop {
        let all = shown.statistics(&[0], 0.0, whole);
        if all
            .first()
            .is_some_and(|all| all.count == u64::from(VALUES))
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // As the window does: first the whole of it, then a part that is not remembered one by one.
    shown.pump(&frame(0.0, whole)).await;
    let exact = loop {
        let part = shown.pump(&frame(20.0, 0.5)).await;
        let points = u32::from_le_bytes(part[52..56].try_into().unwrap());
        shown.pump(&frame(0.0, whole)).await;
        if points >= 500 {
            break points;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!((500..=503).contains(&exact), "{exact} points of 500 ms");
    assert_eq!(shown.values_at(&[0], 20.25), [Some(20_249.0)]);
}

fn frame(from: f64, span: f64) -> PumpRequest {
    PumpRequest {
        series: vec![0],
        from: Some(from),
        span,
        pixels: 1000,
        seen: 0,
        patience_ms: 0,
    }
}
