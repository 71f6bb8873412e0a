//! Which format reads a value: tried, chosen for a model, said by the device, shared as a file; and the
//! whole recording drawn with it while it goes on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "bench/bench.rs"]
mod bench;

use std::time::Duration;

use bench::Bench;
use explorer::Preferences;
use explorer::view::{FormatView, PumpRequest, WriteInput};
use radio::DeviceId;
use radio::simulated::{Lab, VirtualDevice, uuids};

const LAYOUT: &str = "seq:u32le!count, acc:i16le[3]*0.000244 g";

fn contents() -> Lab {
    Lab {
        devices: vec![
            VirtualDevice::MotionSensor,
            VirtualDevice::VirtualHr,
            VirtualDevice::PulseStrap,
            VirtualDevice::RoomSensor,
        ],
        fillers: 0,
        ..Lab::contract()
    }
}

async fn bench() -> Bench {
    Bench::scanning(contents(), Preferences::default()).await
}

impl Bench {
    /// Connected, and its descriptors read: they are after the services are there.
    async fn described(&self, device: VirtualDevice) -> DeviceId {
        let device = self.connected(device).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        device
    }

    fn choice(&self, attribute: u64) -> FormatView {
        self.explorer.inspect(attribute).unwrap().choice.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_layout_is_tried_on_the_newest_value_before_anything_changes() {
    let bench = bench().await;
    let motion = bench.described(VirtualDevice::MotionSensor).await;
    let stream = bench.attribute(&motion, &uuids::MOTION_STREAM.to_string());
    let empty = bench.explorer.preview_format(stream.id, LAYOUT).unwrap();
    assert!(empty.problem.is_none() && empty.bytes.is_empty() && empty.fields.is_empty());
    bench.explorer.subscribe(stream.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;

    let preview = bench.explorer.preview_format(stream.id, LAYOUT).unwrap();
    assert_eq!(preview.fields.len(), 4);
    assert_eq!(preview.fields[1].bytes, (4, 6));
    assert!(preview.text.ends_with(" g"), "{}", preview.text);
    assert!(preview.note.contains("bytes used"), "{}", preview.note);
    let wrong = bench
        .explorer
        .preview_format(stream.id, "a:u8, b:u9")
        .unwrap();
    assert_eq!(wrong.problem.unwrap().at, Some(8));
    assert_eq!(
        bench
            .attribute(&motion, &uuids::MOTION_STREAM.to_string())
            .format,
        ""
    );
    assert_eq!(bench.choice(stream.id).kind, "bytes");
}

#[tokio::test(start_paused = true)]
async fn a_format_for_a_model_holds_for_its_devices_alone_whichever_name_it_was_saved_under() {
    let bench = bench().await;
    let strap = bench.described(VirtualDevice::PulseStrap).await;
    let other = bench.described(VirtualDevice::RoomSensor).await;
    let name = uuids::short(0x2A29).to_string();
    let (ours, theirs) = (
        bench.attribute(&strap, &name),
        bench.attribute(&other, &name),
    );
    assert_eq!(bench.choice(ours.id).why, "Standard format.");
    let advertised = bench.choice(ours.id).model.unwrap();
    assert_eq!(bench.choice(ours.id).model_from, "name");
    bench
        .explorer
        .set_model_format(ours.id, "first:u8")
        .unwrap();
    let chosen = bench.choice(ours.id);
    assert_eq!(
        (chosen.kind.as_str(), chosen.scope.as_str()),
        ("layout", "model")
    );
    assert!(chosen.why.contains(&advertised), "{}", chosen.why);
    assert_eq!(bench.choice(theirs.id).kind, "sig");

    // The model number makes it more exact, and forgets nothing.
    let number = bench.attribute(&strap, &uuids::short(0x2A24).to_string());
    bench.explorer.read(number.id).await.unwrap();
    bench.explorer.read(ours.id).await.unwrap();
    assert_eq!(bench.choice(ours.id).scope, "model");
    assert_eq!(bench.choice(ours.id).model_from, "model number");
    bench
        .explorer
        .set_model_format(ours.id, "first:u8, rest:utf8")
        .unwrap();
    let model = bench.choice(ours.id).model.unwrap();
    assert!(model.starts_with("Gattscope lab "), "{model}");
    let kept = bench.explorer.preferences().borrow().model_formats.clone();
    let of = kept.get(&name).unwrap();
    assert_eq!(of.len(), 1, "what would hide it is gone: {of:?}");

    // What is chosen for every device holds here too, and none is left when it is forgotten.
    bench.explorer.set_format(ours.id, "all:utf8").unwrap();
    assert_eq!(bench.choice(ours.id).scope, "every");
    assert_eq!(bench.choice(theirs.id).scope, "every");
    bench.explorer.set_format(ours.id, "").unwrap();
    assert_eq!(bench.choice(ours.id).why, "Standard format.");
    bench.explorer.set_format(ours.id, "bytes").unwrap();
    assert_eq!(bench.attribute(&strap, &name).format, "");
    bench.explorer.set_format(ours.id, "sig").unwrap();
    assert_eq!(bench.choice(ours.id).scope, "");
}

#[tokio::test(start_paused = true)]
async fn what_the_device_says_of_its_values_reads_them_unless_the_user_knows_better() {
    let bench = bench().await;
    let motion = bench.described(VirtualDevice::MotionSensor).await;
    let rate = bench.attribute(&motion, &uuids::MOTION_RATE.to_string());
    assert_eq!(rate.format, "0x2904");
    let choice = bench.choice(rate.id);
    assert_eq!(choice.why, "Said by the device (0x2904).");
    assert!(choice.presented && !choice.standard);
    bench.explorer.read(rate.id).await.unwrap();
    let view = bench.explorer.inspect(rate.id).unwrap();
    assert_eq!(view.unit, "Hz");
    assert!(
        view.history[0].text.ends_with(" Hz"),
        "{:?}",
        view.history[0]
    );
    bench
        .explorer
        .set_format(rate.id, "rate:u16le*0.001 kHz")
        .unwrap();
    assert_eq!(bench.explorer.inspect(rate.id).unwrap().unit, "kHz");
    bench.explorer.set_format(rate.id, "0x2904").unwrap();
    assert_eq!(bench.choice(rate.id).scope, "", "it comes by itself");

    // The same in the session when it is looked at.
    bench.explorer.new_recording().await.unwrap();
    let sessions = bench.explorer.sessions(String::new()).await.unwrap();
    let first = sessions
        .sessions
        .iter()
        .find(|session| session.state != "recording");
    let file = first.unwrap().file.clone();
    bench.explorer.open_session(file).await.unwrap();
    let shown = bench.explorer.shown();
    let tree = shown.tree(&motion).unwrap();
    let recorded = tree.iter().flat_map(|service| &service.children);
    let recorded = recorded
        .clone()
        .find(|one| one.uuid.uuid == uuids::MOTION_RATE.to_string());
    assert_eq!(recorded.unwrap().format, "0x2904");
}

#[tokio::test(start_paused = true)]
async fn another_format_reads_all_of_a_live_recording_and_loses_no_value_that_comes_meanwhile() {
    let bench = bench().await;
    let motion = bench.described(VirtualDevice::MotionSensor).await;
    let rate = bench.attribute(&motion, &uuids::MOTION_RATE.to_string());
    let fast = WriteInput {
        kind: "u16le".into(),
        text: "2000".into(),
    };
    bench.explorer.write(rate.id, fast, true).await.unwrap();
    let stream = bench.attribute(&motion, &uuids::MOTION_STREAM.to_string());
    bench.explorer.subscribe(stream.id).await.unwrap();
    bench.explorer.plot(stream.id, true).unwrap_err();
    tokio::time::sleep(Duration::from_secs(60)).await;
    bench.explorer.set_format(stream.id, "seq:u32le").unwrap();
    // Not drawn until now, it is drawn from its beginning.
    bench.explorer.plot(stream.id, true).unwrap();
    let view = || bench.explorer.inspect(stream.id).unwrap();
    let mut meanwhile = 0;
    for layout in ["n:u32le", "number:u32le, x:i16le"] {
        tokio::time::sleep(Duration::from_secs(2)).await;
        bench.explorer.set_format(stream.id, layout).unwrap();
        // The time of a test stands still while a file is read, unless somebody moves it.
        let came = view().count;
        for _ in 0..100_000 {
            if view().reread.is_none() {
                break;
            }
            meanwhile = view().count - came;
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!(view().reread, None);
    }
    assert!(meanwhile > 0, "nothing came while it was read");
    bench.explorer.unsubscribe(stream.id).await.unwrap();
    let came = bench.explorer.inspect(stream.id).unwrap().count;
    assert!(came > 120_000, "{came}");
    let series = bench.series();
    let names: Vec<_> = series.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["number", "x"]);
    let drawn = bench
        .explorer
        .statistics(&[series[0].id], 0.0, 1e6)
        .remove(0);
    assert_eq!((drawn.count, drawn.lost), (came, 0));
    let (min, max) = (drawn.min.unwrap(), drawn.max.unwrap());
    assert_eq!(max - min + 1.0, came as f64, "none twice, none for another");
    let mean = drawn.mean.unwrap();
    assert!((mean - f64::midpoint(min, max)).abs() < 1e-3, "{drawn:?}");
}

#[tokio::test(start_paused = true)]
async fn a_layout_is_proposed_from_the_values_that_came_with_what_speaks_for_it() {
    let bench = bench().await;
    let motion = bench.described(VirtualDevice::MotionSensor).await;
    let stream = bench.attribute(&motion, &uuids::MOTION_STREAM.to_string());
    let none = bench.explorer.suggest_formats(stream.id).await.unwrap();
    assert!(none.is_empty(), "{none:?}");
    bench.explorer.subscribe(stream.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(20)).await;
    let proposed = bench.explorer.suggest_formats(stream.id).await.unwrap();
    let best = &proposed[0];
    assert!(best.layout.contains(":u32le!count") || best.layout.contains(":u16le!count"));
    assert!(
        best.evidence
            .iter()
            .any(|why| why.sentence.contains("rose by 1"))
    );
    assert!(best.score > 0.0 && best.score <= 1.0);
    assert!(!best.text.is_empty());
    bench.explorer.set_format(stream.id, &best.layout).unwrap();
    assert_eq!(bench.choice(stream.id).kind, "layout");
}

#[tokio::test(start_paused = true)]
async fn formats_go_to_a_file_and_come_back_and_what_they_replace_is_said_first() {
    let bench = bench().await;
    let motion = bench.described(VirtualDevice::MotionSensor).await;
    let stream = bench.attribute(&motion, &uuids::MOTION_STREAM.to_string());
    bench.explorer.set_format(stream.id, LAYOUT).unwrap();
    let path = bench.folder.path().join("formats.json");
    let written = bench.explorer.export_formats(path.clone()).await.unwrap();
    assert_eq!(written.rows, 1);

    bench.explorer.set_format(stream.id, "mine:u8").unwrap();
    let file = bench.explorer.read_formats(path.clone()).await.unwrap();
    assert_eq!(file.problems, [""; 0]);
    let entry = &file.entries[0];
    assert_eq!(
        (entry.state.as_str(), entry.before.as_deref()),
        ("replaces", Some("mine:u8"))
    );
    // Reading changed nothing, and taking what is new alone replaces nothing.
    assert_eq!(bench.explorer.take_formats(file.number, false).unwrap(), 0);
    assert_eq!(
        bench
            .attribute(&motion, &uuids::MOTION_STREAM.to_string())
            .format,
        "mine:u8"
    );
    let stale = bench.explorer.take_formats(file.number, true).unwrap_err();
    assert_eq!(stale.code, "stale");

    let file = bench.explorer.read_formats(path.clone()).await.unwrap();
    bench.explorer.set_format(stream.id, "changed:u8").unwrap();
    let stale = bench.explorer.take_formats(file.number, true).unwrap_err();
    assert_eq!(
        stale.code, "stale",
        "something else would be replaced than was said"
    );
    let file = bench.explorer.read_formats(path.clone()).await.unwrap();
    assert_eq!(bench.explorer.take_formats(file.number, true).unwrap(), 1);
    assert_eq!(
        bench
            .attribute(&motion, &uuids::MOTION_STREAM.to_string())
            .format,
        LAYOUT
    );
    let same = bench.explorer.read_formats(path).await.unwrap();
    assert_eq!(same.entries[0].state, "same");
    let none = bench.folder.path().join("none.json");
    assert_eq!(
        bench.explorer.read_formats(none).await.unwrap_err().code,
        "formats"
    );
}

#[tokio::test(start_paused = true)]
async fn a_format_for_a_model_number_holds_after_a_restart_before_the_number_is_read_again() {
    let first = bench().await;
    let strap = first.described(VirtualDevice::PulseStrap).await;
    let name = uuids::short(0x2A29).to_string();
    let number = first.attribute(&strap, &uuids::short(0x2A24).to_string());
    let ours = first.attribute(&strap, &name);
    first.explorer.read(number.id).await.unwrap();
    first.explorer.read(ours.id).await.unwrap();
    first
        .explorer
        .set_model_format(ours.id, "first:u8")
        .unwrap();
    let preferences = first.explorer.preferences().borrow().clone();
    first.explorer.close().await;

    let second = Bench::scanning(contents(), preferences).await;
    let strap = second.described(VirtualDevice::PulseStrap).await;
    let ours = second.attribute(&strap, &name);
    let choice = second.choice(ours.id);
    assert_eq!(
        (choice.scope.as_str(), ours.format.as_str()),
        ("model", "first:u8")
    );
    assert_eq!(choice.model_from, "model number");
}

#[tokio::test(start_paused = true)]
async fn a_format_for_an_advertised_name_holds_once_the_name_is_heard() {
    let first = bench().await;
    let strap = first.described(VirtualDevice::PulseStrap).await;
    let name = uuids::short(0x2A29).to_string();
    let ours = first.attribute(&strap, &name);
    first
        .explorer
        .set_model_format(ours.id, "first:u8")
        .unwrap();
    let preferences = first.explorer.preferences().borrow().clone();
    first.explorer.close().await;

    let second = Bench::new(contents(), preferences);
    second.explorer.look_again().await.unwrap();
    let strap = second.described(VirtualDevice::PulseStrap).await;
    assert_eq!(second.attribute(&strap, &name).format, "sig");
    second.explorer.disconnect(strap.clone()).await.unwrap();
    second.explorer.start_scan().await.unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(second.attribute(&strap, &name).format, "first:u8");
}

#[tokio::test(start_paused = true)]
async fn a_format_that_held_for_every_device_can_be_kept_for_one_model() {
    let bench = bench().await;
    let strap = bench.described(VirtualDevice::PulseStrap).await;
    let other = bench.described(VirtualDevice::RoomSensor).await;
    let name = uuids::short(0x2A29).to_string();
    let (ours, theirs) = (
        bench.attribute(&strap, &name),
        bench.attribute(&other, &name),
    );
    bench.explorer.set_format(ours.id, "first:u8").unwrap();
    assert_eq!(bench.choice(theirs.id).scope, "every");
    bench
        .explorer
        .set_model_format(ours.id, "first:u8")
        .unwrap();
    assert_eq!(bench.choice(ours.id).scope, "model");
    assert_eq!(bench.choice(theirs.id).scope, "");
    // Another one for the model leaves what holds for the others.
    bench.explorer.set_format(ours.id, "all:utf8").unwrap();
    bench.explorer.set_model_format(ours.id, "sig").unwrap();
    assert_eq!(bench.choice(ours.id).scope, "model");
    assert_eq!(bench.choice(theirs.id).scope, "every");
}

#[tokio::test(start_paused = true)]
async fn descriptors_are_read_after_each_discovery() {
    let bench = bench().await;
    let motion = bench.described(VirtualDevice::MotionSensor).await;
    let format = uuids::short(0x2904).to_string();
    let count = || {
        let descriptor = bench.attribute(&motion, &format);
        bench.explorer.inspect(descriptor.id).unwrap().count
    };
    assert_eq!(count(), 1);
    bench.explorer.disconnect(motion.clone()).await.unwrap();
    bench.described(VirtualDevice::MotionSensor).await;
    assert_eq!(count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_file_has_layouts_of_advertisements_too_and_a_note_is_no_less_than_a_layout() {
    let bench = bench().await;
    let path = bench.folder.path().join("formats.json");
    let file = |note: &str| {
        let text = format!(
            r#"{{"gattscope-formats": 1, "formats": [{{"uuid": "ffe1", "layout": "a:u8"{note}}}],
            "adverts": {{"company:0499": "b:u8"}}}}"#
        );
        std::fs::write(&path, text).unwrap();
        bench.explorer.read_formats(path.clone())
    };
    let read = file(r#", "note": "from the datasheet""#).await.unwrap();
    assert_eq!(bench.explorer.take_formats(read.number, false).unwrap(), 2);
    let kept = || bench.explorer.preferences().borrow().clone();
    assert_eq!(kept().advert_formats["company:0499"], "b:u8");
    let noted = kept();

    let same = file(r#", "note": "from the datasheet""#).await.unwrap();
    assert!(same.entries.iter().all(|entry| entry.state == "same"));
    assert_eq!(bench.explorer.take_formats(same.number, true).unwrap(), 0);
    assert_eq!(kept(), noted);

    // Without the note it is another entry, and said to be.
    let other = file("").await.unwrap();
    assert_eq!(other.entries[0].state, "replaces");
    let before = other.entries[0].note_before.as_deref();
    assert_eq!(before, Some("from the datasheet"));
    assert_eq!(bench.explorer.take_formats(other.number, false).unwrap(), 0);
    assert_eq!(kept(), noted, "nothing is replaced that nobody asked for");
    let other = file("").await.unwrap();
    assert_eq!(bench.explorer.take_formats(other.number, true).unwrap(), 1);
    assert!(kept().format_notes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_drawn_anew_breaks_where_somebody_ended_the_connection() {
    let bench = bench().await;
    let device = bench.described(VirtualDevice::VirtualHr).await;
    let uuid = uuids::STREAM.to_string();
    let stream = bench.attribute(&device, &uuid);
    bench.explorer.set_format(stream.id, "seq:u32le").unwrap();
    bench.explorer.subscribe(stream.id).await.unwrap();
    bench.explorer.plot(stream.id, true).unwrap();
    // More than is remembered: the rest comes from the file.
    tokio::time::sleep(Duration::from_secs(300)).await;
    bench.explorer.disconnect(device.clone()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    bench.described(VirtualDevice::VirtualHr).await;
    let stream = bench.attribute(&device, &uuid);
    bench.explorer.subscribe(stream.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let breaks = async || {
        let request = PumpRequest {
            series: vec![bench.series()[0].id],
            from: Some(0.0),
            span: 1000.0,
            pixels: 8000,
            seen: 0,
            patience_ms: 0,
        };
        let frame = bench.explorer.pump(&request).await;
        u32::from_le_bytes(frame[56..60].try_into().unwrap())
    };
    assert_eq!(breaks().await, 1, "as it came");
    bench.explorer.set_format(stream.id, "n:u32le").unwrap();
    assert_eq!(breaks().await, 1, "of what is remembered");
    let rereads = || bench.explorer.inspect(stream.id).unwrap().reread.is_some();
    for _ in 0..100_000 {
        if !rereads() {
            break;
        }
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    assert!(!rereads());
    assert_eq!(breaks().await, 1, "of the recording");
    bench.explorer.close().await;
}
