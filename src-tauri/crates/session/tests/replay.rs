//! A recording on the air again: the same bytes, in the same order, at the same distances, on a clock that stands still.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use radio::simulated::{Lab, Simulated, VirtualDevice, uuids};
use radio::{
    Advertisement, AttError, AttrId, AttrKind, Backend, Clock, CompanyId, ConnectOptions, DeviceId,
    DisconnectReason, Error, GattDb, Handle, Interruption, Link, LinkState, NotifyMode, Properties,
    Radio, Rssi, Sample, SampleKind, SampleSink, ScanFilter, Timestamp, WriteKind,
};
use session::replay::{Pace, Replay, State, Transport};
use session::{Cause, DeviceKey, Event, Failure, LinkKey, Options, Recorder, Session, SessionTime};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const STRAP: &str = "C4:7C:8D:6A:11:02";
const BEACON: &str = "D0:00:00:00:00:01";
const SERVICE: Uuid = Uuid::from_u128(0x180D);
const RATE: Uuid = Uuid::from_u128(0x2A37);
const LEVEL: Uuid = Uuid::from_u128(0x2A19);
const MS: i64 = 1_000_000;

/// A recording that is made event by event.
struct Tape {
    folder: TempDir,
    recorder: Recorder,
    device: DeviceKey,
}

/// A connection of it: its link, the attribute that notifies, the attribute that is read and written.
#[derive(Clone, Copy)]
struct Recorded {
    link: LinkKey,
    rate: AttrId,
    level: AttrId,
}

impl Tape {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recorder =
            Recorder::create(folder.path(), Clock::manual(), Options::default()).unwrap();
        let device = recorder.device(&DeviceId::from(STRAP), Some("HR strap"));
        Self {
            folder,
            recorder,
            device,
        }
    }

    fn connect(&self, at: i64) -> Recorded {
        self.connect_with(at, 0)
    }

    fn connect_with(&self, at: i64, moved_by: u16) -> Recorded {
        let link = self.recorder.link_up(Timestamp(at * MS), self.device);
        let mut db = GattDb::new();
        let none = Properties::default();
        let service = db
            .push(
                AttrKind::Service,
                SERVICE,
                Some(Handle(1 + moved_by)),
                None,
                none,
            )
            .unwrap();
        let mut push = |uuid, handle: u16, properties| {
            let handle = Some(Handle(handle + moved_by));
            db.push(
                AttrKind::Characteristic,
                uuid,
                handle,
                Some(service),
                properties,
            )
            .unwrap()
        };
        let rate = push(RATE, 3, Properties::NOTIFY);
        let level = push(LEVEL, 6, Properties::READ | Properties::WRITE);
        self.recorder.attributes(Timestamp(at * MS), link, &db);
        Recorded { link, rate, level }
    }

    fn value(&self, attribute: AttrId, at: i64, lost_before: u32, value: &[u8]) {
        self.recorder.sample(&Sample {
            attribute,
            at: Timestamp(at * MS),
            lost_before,
            kind: SampleKind::Notification,
            bytes: Bytes::copy_from_slice(value),
        });
    }

    fn event(&self, at: i64, event: Event) {
        self.recorder.record(Timestamp(at * MS), event);
    }

    /// The file, and the folder that must outlive it.
    fn done(self) -> (TempDir, PathBuf) {
        self.recorder.close().unwrap();
        let path = self.recorder.path().to_owned();
        (self.folder, path)
    }
}

/// Everything that was handed out.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<(Vec<Sample>, Vec<Interruption>)>>);

impl SampleSink for Heard {
    fn sample(&self, sample: Sample) {
        self.0.lock().unwrap().0.push(sample);
    }

    fn interrupted(&self, interruption: Interruption) {
        self.0.lock().unwrap().1.push(interruption);
    }
}

impl Heard {
    fn sink(&self) -> Arc<dyn SampleSink> {
        Arc::new(self.clone())
    }

    fn samples(&self) -> Vec<Sample> {
        self.0.lock().unwrap().0.clone()
    }

    fn bytes(&self) -> Vec<Vec<u8>> {
        self.samples()
            .iter()
            .map(|one| one.bytes.to_vec())
            .collect()
    }

    /// From one value to the next.
    fn distances(&self) -> Vec<i64> {
        distances(&self.samples().iter().map(|one| one.at).collect::<Vec<_>>())
    }
}

fn distances(stamps: &[Timestamp]) -> Vec<i64> {
    stamps
        .windows(2)
        .map(|pair| pair[1].0 - pair[0].0)
        .collect()
}

/// A replay whose time is tokio's.
struct Deck {
    replay: Replay,
    radio: Arc<dyn Radio>,
    transport: Transport,
    clock: Clock,
}

impl Deck {
    async fn of(path: &Path) -> Self {
        let clock = Clock::tokio();
        let replay = Replay::new(clock.clone(), Session::open(path).unwrap(), "it").unwrap();
        let transport = replay.transport();
        let adapters = replay.adapters().await.unwrap();
        let radio = replay.open(&adapters[0].id).await.unwrap();
        Self {
            replay,
            radio,
            transport,
            clock,
        }
    }

    async fn connect(&self, device: &str) -> radio::Result<Arc<dyn Link>> {
        self.radio
            .connect(
                &DeviceId::from(device),
                ConnectOptions::default(),
                CancellationToken::new(),
            )
            .await
    }

    /// A link on which the rate is subscribed.
    async fn listening(&self) -> (Arc<dyn Link>, Heard) {
        let link = self.connect(STRAP).await.unwrap();
        let heard = subscribe(&*link, RATE).await;
        (link, heard)
    }

    async fn play_to_the_end(&self) -> State {
        self.transport.play();
        self.ended().await
    }

    async fn ended(&self) -> State {
        let mut watch = self.transport.watch();
        watch.wait_for(|state| state.ended).await.unwrap().clone()
    }

    async fn stepped(&self) {
        self.transport.step();
        // No time passes, and the player rests.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn subscribe(link: &dyn Link, uuid: Uuid) -> Heard {
    let heard = Heard::default();
    let attribute = link.gatt().characteristic(uuid).unwrap().id;
    link.subscribe(attribute, NotifyMode::System, heard.sink())
        .await
        .unwrap();
    heard
}

/// Records ten seconds of the simulated lab: what was sent, and where.
async fn lab() -> (TempDir, PathBuf, DeviceId, Vec<Sample>) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::tokio();
    let backend = Simulated::with_lab(clock.clone(), 7, Lab::contract());
    let recorder =
        Arc::new(Recorder::create(folder.path(), clock.clone(), Options::default()).unwrap());
    let radio = backend.open(&"sim0".into()).await.unwrap();
    let keep = Arc::clone(&recorder);
    let sink = Arc::new(move |report: Advertisement| keep.advertisement(report));
    radio.start_scan(ScanFilter::default(), sink).await.unwrap();
    let id = backend.device(VirtualDevice::VirtualHr).unwrap();
    let link = radio
        .connect(&id, ConnectOptions::default(), CancellationToken::new())
        .await
        .unwrap();
    let device = recorder.device(&id, None);
    let key = recorder.link_up(clock.now(), device);
    recorder.attributes(clock.now(), key, &link.gatt());
    let heard = Heard::default();
    let (keep, all) = (Arc::clone(&recorder), heard.clone());
    let sink = Arc::new(move |sample: Sample| {
        keep.sample(&sample);
        all.sample(sample);
    });
    let stream = link.gatt().characteristic(uuids::STREAM).unwrap().id;
    link.subscribe(stream, NotifyMode::System, sink)
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    link.disconnect().await.unwrap();
    radio.stop_scan().await.unwrap();
    recorder.close().unwrap();
    let path = recorder.path().to_owned();
    (folder, path, id, heard.samples())
}

#[tokio::test(start_paused = true)]
async fn the_lab_plays_again_byte_for_byte_at_its_own_distances_and_at_a_tenth_of_them() {
    let (_folder, path, id, sent) = lab().await;
    assert!(sent.len() > 400, "{}", sent.len());
    let bytes: Vec<_> = sent.iter().map(|one| one.bytes.to_vec()).collect();
    let recorded = distances(&sent.iter().map(|one| one.at).collect::<Vec<_>>());
    for (factor, off_by) in [(1.0, 0), (10.0, 1), (0.5, 1)] {
        let deck = Deck::of(&path).await;
        let link = deck.connect(id.as_str()).await.unwrap();
        let heard = subscribe(&*link, uuids::STREAM).await;
        deck.transport.set_pace(Pace::times(factor).unwrap());
        let began = deck.clock.now();
        let state = deck.play_to_the_end().await;
        assert_eq!(heard.bytes(), bytes, "at {factor}");
        for (played, recorded) in heard.distances().iter().zip(&recorded) {
            let scaled = *recorded as f64 / factor;
            assert!(
                (*played as f64 - scaled).abs() <= f64::from(off_by),
                "{played} for {recorded}"
            );
        }
        assert_eq!(state.position, state.length);
        let lasted = deck.clock.now().since(began).as_secs_f64();
        let wanted = state.length.seconds() / factor;
        assert!((lasted - wanted).abs() < 0.01, "{lasted} s for {wanted} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_gives_the_next_value_and_no_other() {
    let (_folder, path, id, sent) = lab().await;
    let deck = Deck::of(&path).await;
    let link = deck.connect(id.as_str()).await.unwrap();
    let heard = subscribe(&*link, uuids::STREAM).await;
    for so_far in 1..=20 {
        deck.stepped().await;
        assert_eq!(heard.samples().len(), so_far);
    }
    let bytes: Vec<_> = sent[..20].iter().map(|one| one.bytes.to_vec()).collect();
    assert_eq!(heard.bytes(), bytes);
    assert!(!deck.transport.state().playing);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(heard.samples().len(), 20, "it stands still");
}

#[tokio::test(start_paused = true)]
async fn everything_on_the_air_is_advertised_again_as_it_was_reported() {
    let tape = Tape::new();
    let mut report = Advertisement::new(DeviceId::from(BEACON), Timestamp(20 * MS));
    report.address = Some(BEACON.parse().unwrap());
    report.address_kind = Some(radio::AddressKind::RandomStatic);
    report.rssi = Some(Rssi(-71));
    report.local_name = Some("Beacon\u{202e}".into());
    report.tx_power = Some(-4);
    report.appearance = Some(833);
    report.services = vec![SERVICE, LEVEL];
    report.manufacturer_data = vec![(CompanyId(0x004C), Bytes::from_static(&[2, 21, 255]))];
    report.service_data = vec![(SERVICE, Bytes::from_static(&[]))];
    report.connectable = Some(false);
    report.raw = Some(Bytes::from_static(&[2, 1, 6]));
    tape.recorder.advertisement(report.clone());
    let mut second = Advertisement::new(DeviceId::from(STRAP), Timestamp(1020 * MS));
    second.rssi = Some(Rssi(-40));
    tape.recorder.advertisement(second.clone());
    let (_folder, path) = tape.done();

    let deck = Deck::of(&path).await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&heard);
    let sink = Arc::new(move |report: Advertisement| all.lock().unwrap().push(report));
    let everything = ScanFilter::default();
    deck.radio
        .start_scan(everything, sink.clone())
        .await
        .unwrap();
    deck.transport.set_pace(Pace::times(2.0).unwrap());
    deck.play_to_the_end().await;
    let mut played = std::mem::take(&mut *heard.lock().unwrap());
    assert_eq!(played[1].at.0 - played[0].at.0, 500 * MS);
    played[0].at = report.at;
    played[1].at = second.at;
    assert_eq!(played, [report, second]);

    let filter = ScanFilter {
        services: vec![LEVEL],
        ..ScanFilter::default()
    };
    deck.radio.start_scan(filter, sink).await.unwrap();
    deck.play_to_the_end().await;
    assert_eq!(
        heard.lock().unwrap().len(),
        1,
        "a filter lets through what it names"
    );
    deck.radio.stop_scan().await.unwrap();
    deck.play_to_the_end().await;
    assert_eq!(
        heard.lock().unwrap().len(),
        1,
        "nothing is heard after the scan"
    );

    let error = deck.connect(BEACON).await.err().unwrap();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    let error = deck.connect("nobody").await.err().unwrap();
    assert!(matches!(error, Error::UnknownDevice { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_read_gives_the_last_value_up_to_the_position_and_says_where_there_is_none() {
    let tape = Tape::new();
    let link = tape.connect(0);
    let read = |at, result: Result<&'static [u8], Failure>| {
        tape.event(
            at,
            Event::ReadResult {
                attribute: link.level,
                result: result.map(Bytes::from_static),
            },
        );
    };
    read(1_000, Ok(&[87]));
    read(2_000, Err(Failure::local("The link was lost.")));
    read(
        3_000,
        Err(Error::Att(AttError::INSUFFICIENT_AUTHENTICATION).into()),
    );
    read(4_000, Ok(&[86]));
    let (_folder, path) = tape.done();

    let deck = Deck::of(&path).await;
    let link = deck.connect(STRAP).await.unwrap();
    let level = link.gatt().characteristic(LEVEL).unwrap().id;
    let rate = link.gatt().characteristic(RATE).unwrap().id;
    let error = link.read(level).await.unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("up to this moment"), "{error}");
    let at = async |seconds: f64| {
        deck.transport.seek(SessionTime((seconds * 1e9) as i64));
        tokio::time::sleep(Duration::from_millis(1)).await;
        link.read(level).await
    };
    assert_eq!(at(1.5).await.unwrap(), &[87][..]);
    assert_eq!(at(2.5).await.unwrap(), &[87][..], "no answer is no value");
    assert_eq!(
        at(3.5).await.unwrap_err(),
        Error::Att(AttError::INSUFFICIENT_AUTHENTICATION)
    );
    assert_eq!(at(4.0).await.unwrap_err().code(), "att", "not yet");
    assert_eq!(at(1.5).await.unwrap(), &[87][..], "and back again");
    deck.play_to_the_end().await;
    assert_eq!(link.read(level).await.unwrap(), &[86][..]);

    let error = link.read(rate).await.unwrap_err();
    assert!(matches!(error, Error::NotOffered { .. }), "{error}");
    let write =
        |attribute| link.write(attribute, Bytes::from_static(&[1]), WriteKind::WithResponse);
    let error = write(level).await.unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("A replay"), "{error}");
    let error = write(rate).await.unwrap_err();
    assert!(matches!(error, Error::NotOffered { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_recorded_end_ends_the_link_and_what_came_after_it_goes_to_the_next() {
    let tape = Tape::new();
    let first = tape.connect(0);
    tape.value(first.rate, 1_000, 0, &[1]);
    tape.event(
        2_000,
        Event::Disconnected {
            link: first.link,
            reason: DisconnectReason::Remote(Some("Connection Timeout".into())),
        },
    );
    let second = tape.connect(3_000);
    tape.value(second.rate, 5_000, 0, &[2]);
    tape.event(
        6_000,
        Event::Disconnected {
            link: second.link,
            reason: DisconnectReason::Requested,
        },
    );
    tape.value(second.rate, 7_000, 0, &[3]);
    let (_folder, path) = tape.done();

    let deck = Deck::of(&path).await;
    let (link, heard) = deck.listening().await;
    let level = link.gatt().characteristic(LEVEL).unwrap().id;
    let error = deck.connect(STRAP).await.err().unwrap();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    deck.transport.play();
    let mut state = link.state();
    let down = state
        .wait_for(|state| *state != LinkState::Up)
        .await
        .unwrap()
        .clone();
    let words = Some("Connection Timeout".into());
    assert_eq!(down, LinkState::Down(DisconnectReason::Remote(words)));
    assert_eq!(deck.transport.state().position.0, 2_000 * MS);
    assert_eq!(heard.bytes(), [[1]]);
    assert_eq!(link.read(level).await.unwrap_err(), Error::NotConnected);

    let (again, heard) = deck.listening().await;
    let error = again.read(level).await.unwrap_err();
    assert!(matches!(error, Error::StaleAttribute { .. }), "{error}");
    deck.ended().await;
    assert_eq!(heard.bytes(), [[2], [3]]);
    assert_eq!(
        *again.state().borrow(),
        LinkState::Up,
        "its user asked for the recorded end"
    );
}

#[tokio::test(start_paused = true)]
async fn what_queues_lost_is_said_before_the_next_value_and_what_nobody_counted_as_an_interruption()
{
    let tape = Tape::new();
    let link = tape.connect(0);
    tape.value(link.rate, 100, 0, &[1]);
    tape.value(link.rate, 200, 3, &[5]);
    tape.value(link.rate, 300, 0, &[6]);
    let gap = |at: i64, cause, attribute| {
        tape.event(
            at,
            Event::Gap {
                cause,
                attribute,
                count: 4,
                from: Timestamp((at - 50) * MS),
                to: Timestamp(at * MS),
            },
        );
    };
    gap(350, Cause::DeviceSequence, Some(link.rate));
    gap(400, Cause::Gattscope, None);
    tape.value(link.rate, 500, 0, &[7]);
    let (_folder, path) = tape.done();

    let deck = Deck::of(&path).await;
    let (_link, heard) = deck.listening().await;
    let began = deck.clock.now();
    deck.play_to_the_end().await;
    let lost: Vec<_> = heard.samples().iter().map(|one| one.lost_before).collect();
    assert_eq!(lost, [0, 3, 0, 0]);
    let interruptions = heard.0.lock().unwrap().1.clone();
    assert_eq!(interruptions.len(), 1);
    assert_eq!(
        interruptions[0].since,
        began.after(Duration::from_millis(350))
    );
    assert_eq!(
        interruptions[0].until,
        Ok(began.after(Duration::from_millis(400)))
    );
}

#[tokio::test(start_paused = true)]
async fn it_stands_at_the_end_begins_anew_and_goes_round_where_that_is_wanted() {
    let tape = Tape::new();
    let link = tape.connect(0);
    for number in 0..4_u8 {
        tape.value(link.rate, 100 + i64::from(number) * 100, 0, &[number]);
    }
    let (_folder, path) = tape.done();
    let deck = Deck::of(&path).await;
    let (_link, heard) = deck.listening().await;
    let state = deck.play_to_the_end().await;
    assert!(state.ended && !state.playing);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(heard.samples().len(), 4);
    deck.transport.step();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(heard.samples().len(), 4, "nothing comes after the end");

    deck.play_to_the_end().await;
    assert_eq!(heard.samples().len(), 8);
    deck.transport.set_looping(true);
    deck.transport.play();
    tokio::time::sleep(Duration::from_millis(400 * 3 + 50)).await;
    let wanted: Vec<_> = (0..20_u8).map(|place| vec![place % 4]).collect();
    assert_eq!(heard.bytes(), wanted);
    let between: Vec<_> = heard.distances().split_off(8);
    assert!(
        between.iter().all(|distance| *distance == 100 * MS),
        "{between:?}"
    );
    let jumps = heard.0.lock().unwrap().1.len();
    assert_eq!(jumps, 5, "each way back to the start is told");
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_a_seek_skips_and_another_pace_holds_from_there_on() {
    let tape = Tape::new();
    let link = tape.connect(0);
    for number in 0..100_u8 {
        tape.value(link.rate, i64::from(number) * 100, 0, &[number]);
    }
    let (_folder, path) = tape.done();
    let deck = Deck::of(&path).await;
    let (_link, heard) = deck.listening().await;
    deck.transport.play();
    tokio::time::sleep(Duration::from_millis(250)).await;
    deck.transport.pause();
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(heard.bytes(), [[0], [1], [2]]);
    assert_eq!(deck.transport.state().position.0, 250 * MS);

    deck.transport.seek(SessionTime(9_500 * MS));
    deck.transport.set_pace(Pace::times(0.1).unwrap());
    let state = deck.play_to_the_end().await;
    assert_eq!(state.length.0, 9_900 * MS);
    assert_eq!(heard.bytes()[3..], [[95], [96], [97], [98], [99]]);
    assert_eq!(heard.distances()[3..], [1_000 * MS; 4]);
    deck.transport.seek(SessionTime(i64::MAX));
    assert_eq!(deck.transport.state().position, state.length);
    assert!(Pace::times(0.09).is_none() && Pace::times(101.0).is_none());
    assert!(Pace::times(f64::NAN).is_none());
}

#[tokio::test(start_paused = true)]
async fn as_fast_as_it_can_nothing_is_missing_over_many_pages() {
    let tape = Tape::new();
    let link = tape.connect(0);
    for number in 0..10_000_u32 {
        tape.value(link.rate, i64::from(number), 0, &number.to_le_bytes());
    }
    let (_folder, path) = tape.done();
    let deck = Deck::of(&path).await;
    let (_link, heard) = deck.listening().await;
    deck.transport.set_pace(Pace::UNBOUNDED);
    let began = deck.clock.now();
    deck.play_to_the_end().await;
    let wanted: Vec<_> = (0..10_000_u32).map(|n| n.to_le_bytes().to_vec()).collect();
    assert_eq!(heard.bytes(), wanted);
    assert_eq!(deck.clock.now(), began, "no time passed");
}

#[tokio::test(start_paused = true)]
async fn two_replays_are_the_same_to_the_nanosecond() {
    let (_folder, path, id, _) = lab().await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        let deck = Deck::of(&path).await;
        let link = deck.connect(id.as_str()).await.unwrap();
        let heard = subscribe(&*link, uuids::STREAM).await;
        deck.transport.set_pace(Pace::times(3.0).unwrap());
        let began = deck.clock.now();
        deck.play_to_the_end().await;
        let stamps = heard.samples().into_iter();
        runs.push(stamps.map(|one| one.at.0 - began.0).collect::<Vec<_>>());
    }
    assert!(!runs[0].is_empty());
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test(start_paused = true)]
async fn attributes_that_were_found_later_take_the_place_of_the_first_and_subscriptions_go_on() {
    let tape = Tape::new();
    let first = tape.connect(0);
    tape.value(first.rate, 100, 0, &[1]);
    let second = tape.connect_with(200, 0x20);
    tape.value(second.rate, 300, 0, &[2]);
    let (_folder, path) = tape.done();
    let deck = Deck::of(&path).await;
    let (link, heard) = deck.listening().await;
    let before = link.gatt().characteristic(RATE).unwrap().clone();
    assert_eq!(before.handle, Some(Handle(3)));
    deck.play_to_the_end().await;
    let after = link.gatt().characteristic(RATE).unwrap().clone();
    assert_eq!(after.handle, Some(Handle(0x23)));
    assert_eq!(heard.bytes(), [[1], [2]]);
    assert_eq!(heard.samples()[0].attribute, before.id);
    assert_eq!(heard.samples()[1].attribute, after.id);
    // Who connects now finds what was found last; who goes back, what was found first.
    link.disconnect().await.unwrap();
    let now = deck.connect(STRAP).await.unwrap();
    let handle = now.gatt().characteristic(RATE).unwrap().handle;
    assert_eq!(handle, Some(Handle(0x23)));
}

#[tokio::test(start_paused = true)]
async fn connecting_can_be_cancelled_and_the_end_of_the_replay_is_the_end_of_its_links() {
    let tape = Tape::new();
    tape.connect(0);
    let (_folder, path) = tape.done();
    let deck = Deck::of(&path).await;
    let cancelled = CancellationToken::new();
    cancelled.cancel();
    let strap = DeviceId::from(STRAP);
    let options = ConnectOptions::default();
    let refused = deck.radio.connect(&strap, options, cancelled).await;
    assert_eq!(refused.err(), Some(Error::Cancelled));
    let link = deck.connect(STRAP).await.unwrap();
    let Deck { replay, radio, .. } = deck;
    drop(replay);
    assert_eq!(
        *link.state().borrow(),
        LinkState::Down(DisconnectReason::AdapterLost)
    );
    let again = radio
        .connect(&strap, ConnectOptions::default(), CancellationToken::new())
        .await;
    assert!(matches!(again.err(), Some(Error::NoAdapter { .. })));
}

#[tokio::test(start_paused = true)]
async fn every_limit_has_a_reason_and_nothing_is_called_a_choice_that_is_none() {
    let tape = Tape::new();
    tape.connect(0);
    let (_folder, path) = tape.done();
    let deck = Deck::of(&path).await;
    for (cap, support) in deck.radio.caps().iter() {
        if let radio::Support::No(reason) | radio::Support::Partly(reason) = support {
            assert!(
                reason.ends_with('.') && reason.len() > 20,
                "{cap:?}: {reason}"
            );
        }
    }
    let error = deck.radio.set_power(false).await.unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    let connected = deck.radio.connected().await.unwrap();
    assert_eq!(
        connected,
        [(DeviceId::from(STRAP), Some("HR strap".into()))]
    );
}

#[tokio::test(start_paused = true)]
async fn a_capture_of_another_program_plays_too() {
    let folder = tempfile::tempdir().unwrap();
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab.btsnoop");
    let path = folder.path().join("lab.gattscope");
    let mut go_on = |_| std::ops::ControlFlow::Continue(());
    session::import(&capture, &path, &mut go_on).unwrap();
    let session = Session::open(&path).unwrap();
    let filter = session::Filter {
        kinds: vec![session::Kind::Notification, session::Kind::Indication],
        ..session::Filter::default()
    };
    let recorded: Vec<_> = session
        .events(&filter)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(!recorded.is_empty());

    let deck = Arc::new(Deck::of(&path).await);
    let heard = Heard::default();
    let mut listeners = tokio::task::JoinSet::new();
    for (device, _) in deck.radio.connected().await.unwrap() {
        let (deck, heard) = (Arc::clone(&deck), heard.clone());
        // The other end hangs up now and then.
        listeners.spawn(async move {
            loop {
                let link = deck.connect(device.as_str()).await.unwrap();
                for attribute in link.gatt().attributes() {
                    if attribute.properties.can_subscribe() {
                        link.subscribe(attribute.id, NotifyMode::System, heard.sink())
                            .await
                            .unwrap();
                    }
                }
                let mut state = link.state();
                let down = state.wait_for(|state| *state != LinkState::Up);
                down.await.unwrap();
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    deck.play_to_the_end().await;
    let wanted: Vec<_> = recorded
        .iter()
        .map(|one| one.value.clone().unwrap().to_vec())
        .collect();
    assert_eq!(heard.bytes().len(), wanted.len());
    assert!(heard.bytes() == wanted);
}

#[tokio::test(start_paused = true)]
async fn what_nothing_on_the_air_could_have_been_is_passed_over_and_counted() {
    let tape = Tape::new();
    let link = tape.connect(0);
    tape.value(link.rate, 100, 0, &[1]);
    tape.value(link.rate, 200, 0, &[2]);
    tape.value(link.rate, 300, 0, &[3]);
    let mut report = Advertisement::new(DeviceId::from(BEACON), Timestamp(350 * MS));
    report.services = vec![SERVICE];
    tape.recorder.advertisement(report.clone());
    tape.value(link.rate, 400, 0, &[4]);
    tape.value(link.rate, 500, 0, &[5]);
    report.at = Timestamp(600 * MS);
    tape.recorder.advertisement(report);
    let (_folder, path) = tape.done();
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute(
        "UPDATE event SET value = zeroblob(513) WHERE value = x'02'",
        [],
    )
    .unwrap();
    file.execute("UPDATE advertisement SET services = '[\"no'", [])
        .unwrap();
    // One row is of another shape altogether, and one advertisement is gone.
    file.execute_batch(
        "PRAGMA foreign_keys = OFF;
         UPDATE event SET value = 'text' WHERE value = x'04';
         DELETE FROM advertisement WHERE event = (SELECT max(event) FROM advertisement);",
    )
    .unwrap();
    drop(file);
    let deck = Deck::of(&path).await;
    let (_link, heard) = deck.listening().await;
    let state = deck.play_to_the_end().await;
    assert_eq!(heard.bytes(), [[1], [3], [5]]);
    assert_eq!((state.unreadable, state.damage), (4, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_somebody_else_has_for_a_while_is_played_on_after_that() {
    let tape = Tape::new();
    let link = tape.connect(0);
    for number in 0..5_u8 {
        tape.value(link.rate, i64::from(number), 0, &[number]);
    }
    let (_folder, path) = tape.done();
    let deck = Deck::of(&path).await;
    let (_link, heard) = deck.listening().await;
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE")
        .unwrap();
    deck.transport.seek(SessionTime(0));
    deck.transport.play();
    // Longer than a reader waits.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(heard.bytes().is_empty());
    file.execute_batch("COMMIT").unwrap();
    let state = tokio::time::timeout(Duration::from_secs(30), deck.ended()).await;
    assert_eq!(state.unwrap().damage, None);
    assert_eq!(heard.bytes().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_radio_that_goes_leaves_the_scan_of_another_alone() {
    let tape = Tape::new();
    tape.recorder.advertisement(Advertisement::new(
        DeviceId::from(BEACON),
        Timestamp(5 * MS),
    ));
    let (_folder, path) = tape.done();
    let deck = Deck::of(&path).await;
    let adapters = deck.replay.adapters().await.unwrap();
    let other = deck.replay.open(&adapters[0].id).await.unwrap();
    let heard = Arc::new(Mutex::new(0));
    let count = Arc::clone(&heard);
    let sink = Arc::new(move |_: Advertisement| *count.lock().unwrap() += 1);
    deck.radio
        .start_scan(ScanFilter::default(), sink)
        .await
        .unwrap();
    other.stop_scan().await.unwrap();
    drop(other);
    deck.play_to_the_end().await;
    assert_eq!(*heard.lock().unwrap(), 1);
    deck.radio.stop_scan().await.unwrap();
    deck.play_to_the_end().await;
    assert_eq!(*heard.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_cut_off_plays_as_far_as_it_goes() {
    let tape = Tape::new();
    let link = tape.connect(0);
    for number in 0..5_000_u32 {
        tape.value(link.rate, i64::from(number), 0, &number.to_le_bytes());
    }
    let (_folder, path) = tape.done();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let whole = file.metadata().unwrap().len();
    file.set_len(whole / 4096 / 2 * 4096).unwrap();
    drop(file);
    assert!(Session::open(&path).unwrap().is_cut_off());
    let deck = Deck::of(&path).await;
    let (_link, heard) = deck.listening().await;
    let state = deck.play_to_the_end().await;
    let played = heard.bytes();
    assert!((500..5_000).contains(&played.len()), "{}", played.len());
    assert!(
        played
            .iter()
            .enumerate()
            .all(|(n, one)| **one == (n as u32).to_le_bytes())
    );
    assert!(state.ended);
}

/// Plays what can be reached of a file: the values, with what was lost before each, and what the beacon sent.
async fn played(path: &Path) -> (Vec<(Vec<u8>, u32)>, Vec<Option<i16>>, State) {
    let deck = Deck::of(path).await;
    let (_link, heard) = deck.listening().await;
    let adverts = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&adverts);
    let sink = Arc::new(move |report: Advertisement| keep.lock().unwrap().push(report.tx_power));
    let filter = ScanFilter::default();
    deck.radio.start_scan(filter, sink).await.unwrap();
    let state = deck.play_to_the_end().await;
    let values = heard.samples().into_iter();
    let values = values.map(|one| (one.bytes.to_vec(), one.lost_before));
    let adverts = adverts.lock().unwrap().clone();
    (values.collect(), adverts, state)
}

#[tokio::test(start_paused = true)]
async fn wherever_a_mixed_recording_is_cut_off_what_plays_is_its_beginning() {
    let tape = Tape::new();
    let link = tape.connect(0);
    for number in 0..4_000_u32 {
        let at = i64::from(number);
        let lost = u32::from(number % 50 == 49);
        tape.value(link.rate, at, lost, &number.to_le_bytes());
        if number % 3 == 0 {
            let mut report = Advertisement::new(DeviceId::from(BEACON), Timestamp(at * MS));
            report.tx_power = Some(number as i16);
            report.services = vec![SERVICE];
            tape.recorder.advertisement(report);
        }
        if number % 5 == 0 {
            let result = Ok(Bytes::from_static(&[7; 20]));
            let attribute = link.level;
            tape.event(at, Event::ReadResult { attribute, result });
        }
        if number % 500 == 0 {
            tape.recorder.flush().unwrap();
        }
    }
    let (folder, path) = tape.done();
    let (values, adverts, state) = played(&path).await;
    assert_eq!((values.len(), adverts.len()), (4_000, 1_334));
    assert_eq!((state.unreadable, state.damage), (0, None));
    let bytes = std::fs::read(&path).unwrap();
    let mut before = 0;
    for tenths in [4, 6, 8, 9] {
        let cut = folder.path().join(format!("{tenths}.gattscope"));
        std::fs::write(&cut, &bytes[..bytes.len() / 10 * tenths]).unwrap();
        assert!(Session::open(&cut).unwrap().is_cut_off());
        let (some, heard, state) = played(&cut).await;
        assert!((before + 1..4_000).contains(&some.len()), "{}", some.len());
        assert_eq!(some, values[..some.len()]);
        // A page of advertisements may be missing before the last event is: each of it is counted.
        let mut all = adverts.iter();
        assert!(heard.iter().all(|one| all.any(|other| other == one)));
        assert!(heard.len() as u64 + state.unreadable >= some.len() as u64 / 3);
        before = some.len();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_clock_that_runs_every_pace_comes_to_the_end_and_no_value_is_stamped_before_its_time()
{
    let tape = Tape::new();
    let link = tape.connect(0);
    for number in 0..20_u8 {
        tape.value(link.rate, i64::from(number) * 20, 0, &[number]);
    }
    let (_folder, path) = tape.done();
    let deck = Deck::of(&path).await;
    let (_link, heard) = deck.listening().await;
    deck.transport.set_pace(Pace::UNBOUNDED);
    let patience = Duration::from_secs(30);
    tokio::time::timeout(patience, deck.play_to_the_end())
        .await
        .unwrap();
    assert_eq!(heard.samples().len(), 20);
    deck.transport.set_pace(Pace::times(2.0).unwrap());
    let state = tokio::time::timeout(patience, deck.play_to_the_end()).await;
    assert_eq!(state.unwrap().position.0, 380 * MS);
    assert_eq!(heard.samples().len(), 40);
    // A machine that stands still for long plays the rest later, never closer together.
    assert!(heard.distances()[20..].iter().all(|one| *one >= 10 * MS));
    assert!(heard.samples()[39].at <= deck.clock.now());
}
