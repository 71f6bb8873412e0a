//! Which format reads a value: tried, chosen for a model, said by the device, shared as a file; and the
//! whole recording drawn with it while it goes on.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use explorer::view::{AttributeView, Event, FormatView, SeriesView, WriteInput};
use explorer::{Config, Explorer, Preferences};
use radio::simulated::{Lab, Simulated, VirtualDevice, uuids};
use radio::{Clock, DeviceId};
use uuid::Uuid;

const LAYOUT: &str = "seq:u32le!count, acc:i16le[3]*0.000244 g";

struct Bench {
    explorer: Explorer,
    lab: Arc<Simulated>,
    news: Arc<Mutex<Vec<Event>>>,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::tokio();
        let contents = Lab {
            devices: vec![
                VirtualDevice::MotionSensor,
                VirtualDevice::VirtualHr,
                VirtualDevice::PulseStrap,
                VirtualDevice::RoomSensor,
            ],
            fillers: 0,
            ..Lab::contract()
        };
        let lab = Arc::new(Simulated::with_lab(clock.clone(), 7, contents));
        let config = Config {
            backends: vec![Arc::clone(&lab) as Arc<dyn radio::Backend>],
            session_folder: folder.path().join("sessions"),
            log_folder: folder.path().into(),
            preferences: Preferences::default(),
            clock,
        };
        let explorer = Explorer::start(config, tokio::runtime::Handle::current());
        let news = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&news);
        explorer.listen(move |event| heard.lock().unwrap().push(event));
        explorer.look_again().await.unwrap();
        explorer.start_scan().await.unwrap();
        tokio::time::sleep(Duration::from_secs(3)).await;
        Self {
            explorer,
            lab,
            news,
            folder,
        }
    }

    async fn connected(&self, device: VirtualDevice) -> DeviceId {
        let device = self.lab.device(device).unwrap();
        self.explorer.connect(device.clone()).await.unwrap();
        // Descriptors are read after the services are there.
        tokio::time::sleep(Duration::from_secs(2)).await;
        device
    }

    fn attribute(&self, device: &DeviceId, uuid: Uuid) -> AttributeView {
        fn find(tree: Vec<AttributeView>, uuid: &str) -> Option<AttributeView> {
            tree.into_iter().find_map(|attribute| {
                if attribute.uuid.uuid == uuid {
                    Some(attribute)
                } else {
                    find(attribute.children, uuid)
                }
            })
        }
        find(self.explorer.tree(device).unwrap(), &uuid.to_string()).unwrap()
    }

    fn choice(&self, attribute: u64) -> FormatView {
        self.explorer.inspect(attribute).unwrap().choice.unwrap()
    }

    fn series(&self) -> Vec<SeriesView> {
        let news = self.news.lock().unwrap();
        let last = news.iter().rev().find_map(|event| match event {
            Event::Series { series } => Some(series.clone()),
            _ => None,
        });
        last.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_layout_is_tried_on_the_newest_value_before_anything_changes() {
    let bench = Bench::new().await;
    let motion = bench.connected(VirtualDevice::MotionSensor).await;
    let stream = bench.attribute(&motion, uuids::MOTION_STREAM);
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
    assert_eq!(bench.attribute(&motion, uuids::MOTION_STREAM).format, "");
    assert_eq!(bench.choice(stream.id).kind, "bytes");
}

#[tokio::test(start_paused = true)]
async fn a_format_for_a_model_holds_for_its_devices_alone_whichever_name_it_was_saved_under() {
    let bench = Bench::new().await;
    let strap = bench.connected(VirtualDevice::PulseStrap).await;
    let other = bench.connected(VirtualDevice::RoomSensor).await;
    let name = uuids::short(0x2A29);
    let (ours, theirs) = (bench.attribute(&strap, name), bench.attribute(&other, name));
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
    let number = bench.attribute(&strap, uuids::short(0x2A24));
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
    let of = kept.get(&name.to_string()).unwrap();
    assert_eq!(of.len(), 1, "what would hide it is gone: {of:?}");

    // What is chosen for every device holds here too, and none is left when it is forgotten.
    bench.explorer.set_format(ours.id, "all:utf8").unwrap();
    assert_eq!(bench.choice(ours.id).scope, "every");
    assert_eq!(bench.choice(theirs.id).scope, "every");
    bench.explorer.set_format(ours.id, "").unwrap();
    assert_eq!(bench.choice(ours.id).why, "Standard format.");
    bench.explorer.set_format(ours.id, "bytes").unwrap();
    assert_eq!(bench.attribute(&strap, name).format, "");
    bench.explorer.set_format(ours.id, "sig").unwrap();
    assert_eq!(bench.choice(ours.id).scope, "");
}

#[tokio::test(start_paused = true)]
async fn what_the_device_says_of_its_values_reads_them_unless_the_user_knows_better() {
    let bench = Bench::new().await;
    let motion = bench.connected(VirtualDevice::MotionSensor).await;
    let rate = bench.attribute(&motion, uuids::MOTION_RATE);
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
    let bench = Bench::new().await;
    let motion = bench.connected(VirtualDevice::MotionSensor).await;
    let rate = bench.attribute(&motion, uuids::MOTION_RATE);
    let fast = WriteInput {
        kind: "u16le".into(),
        text: "2000".into(),
    };
    bench.explorer.write(rate.id, fast, true).await.unwrap();
    let stream = bench.attribute(&motion, uuids::MOTION_STREAM);
    bench.explorer.subscribe(stream.id).await.unwrap();
    bench.explorer.plot(stream.id, true).unwrap_err();
    tokio::time::sleep(Duration::from_secs(60)).await;
    bench.explorer.set_format(stream.id, "seq:u32le").unwrap();
    // Not drawn until now, it is drawn from its beginning.
    bench.explorer.plot(stream.id, true).unwrap();
    for layout in ["n:u32le", "number:u32le, x:i16le"] {
        tokio::time::sleep(Duration::from_secs(2)).await;
        bench.explorer.set_format(stream.id, layout).unwrap();
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    // While it is read, the time of a test stands still at times.
    while bench.explorer.inspect(stream.id).unwrap().reread.is_some() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
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
async fn formats_go_to_a_file_and_come_back_and_what_they_replace_is_said_first() {
    let bench = Bench::new().await;
    let motion = bench.connected(VirtualDevice::MotionSensor).await;
    let stream = bench.attribute(&motion, uuids::MOTION_STREAM);
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
        bench.attribute(&motion, uuids::MOTION_STREAM).format,
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
        bench.attribute(&motion, uuids::MOTION_STREAM).format,
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
