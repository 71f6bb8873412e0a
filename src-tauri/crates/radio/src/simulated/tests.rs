//! What the lab promises beyond the contract of every radio.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, advance, sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::uuids::{self, short};
use super::{Lab, Simulated, VirtualDevice};
use crate::{
    AddressKind, Advertisement, AttError, AttrId, Backend, Clock, CompanyId, ConnectOptions,
    DeviceId, DisconnectReason, Error, Link, LinkState, NotifyMode, Radio, RadioState, Result,
    Sample, SampleKind, SampleSink, ScanFilter, WriteKind,
};

const SECOND: Duration = Duration::from_secs(1);

async fn opened(backend: &Simulated) -> Arc<dyn Radio> {
    backend.open(&"sim0".into()).await.unwrap()
}

async fn try_connect(radio: &dyn Radio, device: &DeviceId) -> Result<Arc<dyn Link>> {
    let never = CancellationToken::new();
    radio
        .connect(device, ConnectOptions::default(), never)
        .await
}

/// A lab with everything at its default, and a link to one of its devices.
async fn linked(lab: Lab, which: VirtualDevice) -> (Simulated, Arc<dyn Radio>, Arc<dyn Link>) {
    let backend = Simulated::with_lab(Clock::tokio(), 7, lab);
    let radio = opened(&backend).await;
    let device = backend.device(which).unwrap();
    let link = try_connect(&*radio, &device).await.unwrap();
    (backend, radio, link)
}

fn steady() -> Lab {
    Lab {
        hangs_up_after: None,
        ..Lab::default()
    }
}

fn attribute(link: &dyn Link, uuid: Uuid) -> AttrId {
    link.gatt().characteristic(uuid).unwrap().id
}

async fn subscribed(link: &dyn Link, uuid: Uuid) -> UnboundedReceiver<Sample> {
    let (came, samples) = unbounded_channel();
    let sink = Arc::new(move |sample| {
        let _ = came.send(sample);
    });
    link.subscribe(attribute(link, uuid), NotifyMode::System, sink)
        .await
        .unwrap();
    samples
}

async fn write(link: &dyn Link, uuid: Uuid, value: &[u8]) -> Result<()> {
    let value = Bytes::copy_from_slice(value);
    link.write(attribute(link, uuid), value, WriteKind::WithResponse)
        .await
}

fn everything(samples: &mut UnboundedReceiver<Sample>) -> Vec<Sample> {
    std::iter::from_fn(|| samples.try_recv().ok()).collect()
}

fn sequence(sample: &Sample) -> u32 {
    u32::from_le_bytes(*sample.bytes.first_chunk().unwrap())
}

fn assert_contiguous(samples: &[Sample]) {
    for (expected, sample) in (sequence(&samples[0])..).zip(samples) {
        assert_eq!(sequence(sample), expected);
    }
    assert!(samples.is_sorted_by_key(|sample| sample.at));
}

/// Everything that is heard within `duration`.
async fn heard(radio: &dyn Radio, filter: ScanFilter, duration: Duration) -> Vec<Advertisement> {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let sink = reports.clone();
    radio
        .start_scan(
            filter,
            Arc::new(move |report| sink.lock().unwrap().push(report)),
        )
        .await
        .unwrap();
    sleep(duration).await;
    radio.stop_scan().await.unwrap();
    std::mem::take(&mut *reports.lock().unwrap())
}

async fn down(link: &dyn Link) -> DisconnectReason {
    let mut state = link.state();
    let ended = state.wait_for(|state| *state != LinkState::Up);
    let state = timeout(300 * SECOND, ended).await.unwrap().unwrap();
    match &*state {
        LinkState::Down(reason) => reason.clone(),
        LinkState::Up => unreachable!(),
    }
}

// --- the same from the same seed -------------------------------------------------------------------------------------

/// What a scan and a heart rate give in a lab of this seed.
fn run(seed: u64) -> (Vec<Advertisement>, Vec<(i64, Bytes)>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let backend = Simulated::new(Clock::tokio(), seed);
        let radio = opened(&backend).await;
        let reports = heard(&*radio, ScanFilter::default(), 20 * SECOND).await;
        let strap = backend.device(VirtualDevice::PulseStrap).unwrap();
        let link = try_connect(&*radio, &strap).await.unwrap();
        let mut samples = subscribed(&*link, short(0x2A37)).await;
        sleep(30 * SECOND).await;
        let samples = everything(&mut samples);
        let samples = samples.into_iter().map(|s| (s.at.nanos(), s.bytes));
        (reports, samples.collect())
    })
}

#[test]
fn the_same_seed_gives_the_same_reports_and_values_at_the_same_times() {
    let (reports, values) = run(11);
    assert!(reports.len() > 500, "{}", reports.len());
    assert!(values.len() >= 29, "{}", values.len());
    assert_eq!(run(11), (reports.clone(), values.clone()));

    let (other_reports, other_values) = run(12);
    assert_ne!(other_reports, reports);
    assert_ne!(other_values, values);
}

// --- the air ---------------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn every_device_of_the_lab_is_heard_as_it_would_be_on_the_air() {
    let backend = Simulated::new(Clock::tokio(), 3);
    let radio = opened(&backend).await;
    let reports = heard(&*radio, ScanFilter::default(), 60 * SECOND).await;
    assert!(reports.is_sorted_by_key(|report| report.at));

    let mut by_device: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for report in &reports {
        by_device.entry(&report.device).or_default().push(report);
    }
    assert_eq!(by_device.len(), 17 + 12);
    let difficult = backend.device(VirtualDevice::Difficult).unwrap();
    let ghost = backend.device(VirtualDevice::Ghost).unwrap();
    for (device, reports) in &by_device {
        assert!(
            if **device == ghost {
                reports.len() == 6
            } else {
                reports.len() > 35
            },
            "{device}: {}",
            reports.len()
        );
        let strengths: Vec<_> = reports.iter().map(|r| r.rssi.unwrap().0).collect();
        assert!(
            strengths.iter().all(|dbm| (-110..-30).contains(dbm)),
            "{device}: {strengths:?}"
        );
        assert!(
            strengths.windows(2).all(|two| two[0].abs_diff(two[1]) < 20),
            "{device} jumps: {strengths:?}"
        );
        assert!(
            strengths.iter().collect::<BTreeSet<_>>().len() > 1,
            "{device} does not move"
        );
        for report in reports {
            let (address, kind) = (report.address.unwrap(), report.address_kind.unwrap());
            assert_eq!(device.as_str(), address.to_string());
            if kind != AddressKind::Public {
                assert_eq!(address.random_kind(), Some(kind), "{address}");
            }
            let raw = report.raw.as_ref().unwrap();
            // A legacy packet has room for 31 bytes; the difficult device's name needs an extended one.
            let extended = **device == difficult && report.local_name.is_some();
            assert!(extended || raw.len() <= 31, "{device}: {} bytes", raw.len());
        }
    }
    let connectable: BTreeSet<_> = reports
        .iter()
        .map(|report| report.connectable.unwrap())
        .collect();
    assert_eq!(connectable.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn beacons_say_what_their_formats_demand_and_their_values_move() {
    let backend = Simulated::new(Clock::tokio(), 3);
    let radio = opened(&backend).await;
    let reports = heard(&*radio, ScanFilter::default(), 60 * SECOND).await;
    let of = |which| {
        let device = backend.device(which).unwrap();
        reports.iter().filter(move |report| report.device == device)
    };
    for report in of(VirtualDevice::IBeacon) {
        let (company, frame) = &report.manufacturer_data[0];
        assert_eq!(*company, CompanyId(0x004C));
        assert_eq!((frame.len(), &frame[..2]), (23, &[0x02, 0x15][..]));
        assert_eq!(report.connectable, Some(false));
    }
    let frames: Vec<_> = of(VirtualDevice::Ruuvi)
        .map(|report| report.manufacturer_data[0].clone())
        .collect();
    for (company, frame) in &frames {
        assert_eq!(*company, CompanyId(0x0499));
        assert_eq!((frame.len(), frame[0]), (24, 5));
    }
    let distinct: BTreeSet<_> = frames.iter().map(|(_, frame)| frame).collect();
    assert_eq!(distinct.len(), frames.len(), "a frame stands twice");
    let mut kinds = HashMap::<u8, usize>::new();
    for report in of(VirtualDevice::Eddystone) {
        assert_eq!(report.services, [short(0xFEAA)]);
        let (service, frame) = &report.service_data[0];
        assert_eq!(*service, short(0xFEAA));
        *kinds.entry(frame[0]).or_default() += 1;
        match frame[0] {
            0x10 => assert_eq!(&frame[2..], b"\x03example\x07"),
            _ => assert_eq!((frame[0], frame.len()), (0x20, 14)),
        }
    }
    assert!(kinds[&0x10] > kinds[&0x20], "{kinds:?}");
}

#[tokio::test(start_paused = true)]
async fn there_is_a_beacon_of_every_further_kind_and_those_that_measure_move() {
    let backend = Simulated::new(Clock::tokio(), 3);
    let radio = opened(&backend).await;
    let reports = heard(&*radio, ScanFilter::default(), 20 * SECOND).await;
    let said = |which| {
        let device = backend.device(which).unwrap();
        let of = reports.iter().filter(move |report| report.device == device);
        of.map(|report| report.raw.clone().unwrap())
            .collect::<Vec<_>>()
    };
    let has = |which, part: &[u8]| {
        let said = said(which);
        assert!(!said.is_empty(), "{which:?} is not heard");
        let with = said
            .iter()
            .filter(|raw| raw.windows(part.len()).any(|window| window == part));
        assert!(with.count() > 0, "{which:?}");
    };
    has(
        VirtualDevice::AltBeacon,
        &[27, 0xFF, 0x18, 0x01, 0xBE, 0xAC],
    );
    has(VirtualDevice::EddystoneId, &[23, 0x16, 0xAA, 0xFE, 0x00]);
    has(VirtualDevice::EddystoneId, &[13, 0x16, 0xAA, 0xFE, 0x30]);
    has(VirtualDevice::WeatherStation, &[0x16, 0xD2, 0xFC, 0x40, 0]);
    has(VirtualDevice::Thermometer, &[16, 0x16, 0x1A, 0x18, 0xA4]);
    has(VirtualDevice::SwiftPair, &[0xFF, 0x06, 0x00, 0x03, 0, 0x80]);
    has(
        VirtualDevice::Matter,
        &[11, 0x16, 0xF6, 0xFF, 0x00, 0x00, 0x0F],
    );
    has(VirtualDevice::Mesh, &[20, 0x2B, 0x00]);
    has(VirtualDevice::Mesh, &[23, 0x2B, 0x01]);
    for which in [VirtualDevice::WeatherStation, VirtualDevice::Thermometer] {
        let said = said(which);
        let distinct: BTreeSet<_> = said.iter().collect();
        assert_eq!(distinct.len(), said.len(), "{which:?} stands still");
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_by_service_lets_only_devices_with_that_service_through() {
    let backend = Simulated::new(Clock::tokio(), 3);
    let radio = opened(&backend).await;
    let filter = ScanFilter {
        services: vec![short(0x180D), uuids::UART],
        ..ScanFilter::default()
    };
    let reports = heard(&*radio, filter, 5 * SECOND).await;
    let names: BTreeSet<_> = reports
        .iter()
        .filter_map(|r| r.local_name.clone())
        .collect();
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        ["Pulse strap", "UART echo"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_connected_device_is_silent_until_its_link_ends() {
    let (backend, radio, link) = linked(steady(), VirtualDevice::PulseStrap).await;
    let strap = backend.device(VirtualDevice::PulseStrap).unwrap();
    let is_heard = async || {
        let reports = heard(&*radio, ScanFilter::default(), 3 * SECOND).await;
        reports.iter().any(|report| report.device == strap)
    };
    assert!(!is_heard().await);
    link.disconnect().await.unwrap();
    assert!(is_heard().await);
}

#[tokio::test(start_paused = true)]
async fn a_standstill_of_the_machine_is_not_made_up_for_on_the_air() {
    let backend = Simulated::new(Clock::tokio(), 3);
    let radio = opened(&backend).await;
    let count = Arc::new(Mutex::new(0));
    let sink = count.clone();
    let sink = move |_: Advertisement| *sink.lock().unwrap() += 1;
    radio
        .start_scan(ScanFilter::default(), Arc::new(sink))
        .await
        .unwrap();
    sleep(SECOND).await;
    let before = *count.lock().unwrap();
    advance(3_600 * SECOND).await;
    sleep(Duration::from_millis(1)).await;
    let after = *count.lock().unwrap();
    assert!(after - before < 80, "{} reports at once", after - before);
}

// --- values ----------------------------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn motion_at_1000_hz_is_10_000_samples_in_10_seconds_without_a_gap() {
    let lab = Lab {
        motion_rate_hz: 1_000,
        ..Lab::default()
    };
    let (_backend, _radio, link) = linked(lab, VirtualDevice::MotionSensor).await;
    let mut samples = subscribed(&*link, uuids::MOTION_STREAM).await;
    sleep(11 * SECOND).await;
    let samples = everything(&mut samples);
    assert_eq!(sequence(&samples[0]), 0);
    assert_contiguous(&samples);
    let first = samples[0].at;
    let within = samples.iter().filter(|s| s.at < first.after(10 * SECOND));
    assert_eq!(within.count(), 10_000);
    for two in samples.windows(2) {
        assert_eq!(two[1].at.since(two[0].at), Duration::from_millis(1));
        assert_eq!(two[1].bytes.len(), 22);
        for (axis, (one, other)) in axes(&two[0]).into_iter().zip(axes(&two[1])).enumerate() {
            // ±8 g, ±2000 °/s: a hand does not jump through a tenth of the range within a millisecond.
            assert!(one.abs_diff(other) < 3_276, "axis {axis}: {one} to {other}");
        }
    }
    let strongest = samples.iter().map(|sample| axes(sample)[0].abs()).max();
    let gentle = samples
        .iter()
        .filter(|sample| axes(sample)[0].abs() < 2_500);
    assert!(strongest > Some(4_096), "nobody shook it: {strongest:?}");
    assert!(gentle.count() > 8_000, "it never lay still");
}

fn axes(sample: &Sample) -> [i16; 9] {
    let mut axes = [0; 9];
    for (axis, bytes) in axes.iter_mut().zip(sample.bytes[4..].as_chunks().0) {
        *axis = i16::from_le_bytes(*bytes);
    }
    axes
}

#[tokio::test(start_paused = true)]
async fn stamped_samples_are_regular_by_their_own_fast_clock_and_arrive_in_connection_events() {
    let (_backend, _radio, link) = linked(steady(), VirtualDevice::MotionSensor).await;
    let mut samples = subscribed(&*link, uuids::MOTION_STAMPED).await;
    sleep(600 * SECOND).await;
    let samples = everything(&mut samples);
    assert!(samples.len().abs_diff(52 * 600) < 3, "{}", samples.len());
    let mut waits = BTreeSet::new();
    for two in samples.windows(2) {
        let wait = two[1].at.since(two[0].at);
        assert!(wait.as_nanos().is_multiple_of(30_000_000), "{wait:?}");
        waits.insert(wait);
        // 4 of 208 a second, in whole microseconds.
        let step = sequence(&two[1]).wrapping_sub(sequence(&two[0]));
        assert!((19_230..=19_231).contains(&step), "{step}");
        assert_eq!(two[1].bytes.len(), 12);
    }
    assert!(waits.contains(&Duration::ZERO), "several in one event");
    assert!(
        waits.contains(&Duration::from_millis(60)),
        "one was retried"
    );
    let (first, last) = (&samples[0], &samples[samples.len() - 1]);
    let device = f64::from(sequence(last).wrapping_sub(sequence(first)));
    let host = last.at.since(first.at).as_secs_f64() * 1e6;
    // The ends are late by a few connection events, 200 ppm of ten minutes.
    assert!((device / host - 1.0).abs() < 300e-6, "{device} {host}");
}

#[tokio::test(start_paused = true)]
async fn a_new_motion_rate_holds_at_once_and_the_counter_goes_on() {
    let lab = Lab {
        motion_rate_hz: 1,
        ..Lab::default()
    };
    let (backend, radio, link) = linked(lab, VirtualDevice::MotionSensor).await;
    let mut samples = subscribed(&*link, uuids::MOTION_STREAM).await;
    sleep(Duration::from_millis(2_900)).await;
    write(&*link, uuids::MOTION_RATE, &1_000u16.to_le_bytes())
        .await
        .unwrap();
    sleep(SECOND).await;
    let samples = everything(&mut samples);
    assert_contiguous(&samples);
    let slow = 2;
    // Whether the last is in time for the end of the second, the timers decide.
    let fast = samples.len() - slow;
    assert!((999..=1_000).contains(&fast), "{fast} samples in a second");
    let gap = samples[slow].at.since(samples[slow - 1].at);
    assert!(gap > Duration::from_millis(900), "{gap:?}");

    for (value, error) in [
        (&[0, 0][..], AttError(0x13)),
        (&8_001u16.to_le_bytes(), AttError(0x13)),
        (&[208], AttError::INVALID_ATTRIBUTE_VALUE_LENGTH),
    ] {
        let refused = write(&*link, uuids::MOTION_RATE, value).await;
        assert_eq!(refused, Err(Error::Att(error)), "{value:?}");
    }
    // What was written to a device stays in it, on the next connection too.
    let device = link.device().clone();
    link.disconnect().await.unwrap();
    let link = try_connect(&*radio, &device).await.unwrap();
    let rate = link.read(attribute(&*link, uuids::MOTION_RATE)).await;
    assert_eq!(rate, Ok(Bytes::copy_from_slice(&1_000u16.to_le_bytes())));
    drop(backend);
}

#[tokio::test(start_paused = true)]
async fn a_late_tick_hands_out_everything_that_was_due() {
    let lab = Lab {
        motion_rate_hz: 4_000,
        ..Lab::default()
    };
    let (_backend, _radio, link) = linked(lab, VirtualDevice::MotionSensor).await;
    let mut samples = subscribed(&*link, uuids::MOTION_STREAM).await;
    // Let the stream reach its first wait before the machine stands still.
    sleep(Duration::from_millis(1)).await;
    advance(3 * SECOND).await;
    sleep(Duration::from_millis(1)).await;
    let taken = everything(&mut samples);
    assert_contiguous(&taken);
    assert!((12_000..12_100).contains(&taken.len()), "{}", taken.len());
    for two in taken.windows(2) {
        assert_eq!(two[1].at.since(two[0].at), Duration::from_micros(250));
    }

    // A queue is not endless: what it could not hold is counted.
    advance(15 * SECOND).await;
    sleep(Duration::from_millis(1)).await;
    let more = everything(&mut samples);
    let lost: u32 = more.iter().map(|sample| sample.lost_before).sum();
    assert_eq!(more[0].lost_before, lost);
    assert!((19_900..20_100).contains(&lost), "{lost}");
    let last = sequence(&taken[taken.len() - 1]);
    assert_eq!(sequence(&more[0]), last + 1 + lost);
    assert_contiguous(&more);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_real_time_a_fast_stream_is_whole_too() {
    let lab = Lab {
        motion_rate_hz: 4_000,
        ..Lab::default()
    };
    let backend = Simulated::with_lab(Clock::monotonic(), 7, lab);
    let radio = opened(&backend).await;
    let device = backend.device(VirtualDevice::MotionSensor).unwrap();
    let link = try_connect(&*radio, &device).await.unwrap();
    let mut samples = subscribed(&*link, uuids::MOTION_STREAM).await;
    let mut taken = Vec::new();
    while taken.len() < 2_000 {
        taken.push(timeout(30 * SECOND, samples.recv()).await.unwrap().unwrap());
    }
    assert_eq!(sequence(&taken[0]), 0);
    assert_contiguous(&taken);
}

#[tokio::test(start_paused = true)]
async fn a_heart_rate_measurement_reads_as_the_profile_says() {
    let (_backend, _radio, link) = linked(steady(), VirtualDevice::PulseStrap).await;
    let mut samples = subscribed(&*link, short(0x2A37)).await;
    sleep(Duration::from_millis(600_500)).await;
    let samples = everything(&mut samples);
    assert_eq!(samples.len(), 600);
    let (mut beats, mut with_energy, mut without_contact) = (0, 0, 0);
    let mut milliseconds = 0.0;
    for sample in &samples {
        let (flags, rate) = (sample.bytes[0], sample.bytes[1]);
        assert!((50..130).contains(&rate), "{rate} beats a minute");
        assert_eq!(flags & 0b1110_0101, 0b0000_0100, "flags {flags:08b}");
        let energy = usize::from(flags >> 3 & 1);
        with_energy += energy;
        without_contact += usize::from(flags & 0b10 == 0);
        let intervals = sample.bytes[2 + 2 * energy..].as_chunks().0;
        assert_eq!(!intervals.is_empty(), flags & 0b1_0000 != 0);
        for interval in intervals {
            beats += 1;
            milliseconds += f64::from(u16::from_le_bytes(*interval)) / 1.024;
        }
    }
    assert!((50..=60).contains(&with_energy), "{with_energy}");
    assert!((1..100).contains(&without_contact), "{without_contact}");
    let mean = 60_000.0 / (milliseconds / f64::from(beats));
    assert!(
        (80.0..92.0).contains(&mean),
        "{mean} beats a minute on average"
    );

    let refused = write(&*link, short(0x2A39), &[2]).await;
    assert_eq!(refused, Err(Error::Att(AttError(0x80))));
    write(&*link, short(0x2A39), &[1]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_room_sensor_drifts_slowly_and_believably() {
    let (_backend, _radio, link) = linked(steady(), VirtualDevice::RoomSensor).await;
    assert_eq!(*link.mtu().borrow(), Some(23));
    for (uuid, range, step) in [
        (short(0x2A6E), 1_800..2_500, 10),
        (short(0x2A6F), 4_000..5_200, 40),
        (short(0x2A6D), 1_009_000..1_018_000, 150),
    ] {
        let value = |bytes: &Bytes| {
            let mut wide = [0; 4];
            wide[..bytes.len()].copy_from_slice(bytes);
            u32::from_le_bytes(wide)
        };
        let read = link.read(attribute(&*link, uuid)).await.unwrap();
        assert!(range.contains(&value(&read)), "{uuid}: {read:?}");
        let mut samples = subscribed(&*link, uuid).await;
        sleep(Duration::from_millis(600_500)).await;
        let values: Vec<_> = everything(&mut samples)
            .iter()
            .map(|sample| value(&sample.bytes))
            .collect();
        assert_eq!(values.len(), 600);
        assert!(
            values.iter().all(|v| range.contains(v)),
            "{uuid}: {values:?}"
        );
        let largest = values.windows(2).map(|two| two[0].abs_diff(two[1])).max();
        assert!(largest < Some(step), "{uuid} jumps by {largest:?}");
        assert!(largest > Some(0), "{uuid} stands still");
    }
}

#[tokio::test(start_paused = true)]
async fn the_echo_says_everything_back_in_order_and_in_pieces_that_fit() {
    let (_backend, _radio, link) = linked(steady(), VirtualDevice::UartEcho).await;
    let rx = attribute(&*link, uuids::UART_RX);
    write(&*link, uuids::UART_RX, b"nobody listens")
        .await
        .unwrap();
    let mut samples = subscribed(&*link, uuids::UART_TX).await;
    let long: Bytes = (0..500).map(|n| n as u8).collect();
    link.write(rx, Bytes::from_static(b"one "), WriteKind::WithoutResponse)
        .await
        .unwrap();
    link.write(rx, Bytes::from_static(b"two "), WriteKind::WithResponse)
        .await
        .unwrap();
    link.write(rx, long.clone(), WriteKind::WithResponse)
        .await
        .unwrap();
    sleep(SECOND).await;
    let samples = everything(&mut samples);
    let sizes: Vec<_> = samples.iter().map(|sample| sample.bytes.len()).collect();
    assert_eq!(sizes, [4, 4, 244, 244, 12]);
    let said: Vec<u8> = samples.iter().flat_map(|s| s.bytes.clone()).collect();
    assert_eq!(said, [&b"one two "[..], &long].concat());
}

#[tokio::test(start_paused = true)]
async fn the_difficult_device_refuses_loses_and_hides() {
    let (_backend, _radio, link) = linked(steady(), VirtualDevice::Difficult).await;
    for (uuid, code) in [
        (uuids::APPLICATION_ERROR, 0x80),
        (uuids::UNAUTHENTICATED, 0x05),
        (uuids::UNAUTHORIZED, 0x08),
        (uuids::UNREADABLE, 0x02),
    ] {
        let refused = link.read(attribute(&*link, uuid)).await;
        assert_eq!(refused, Err(Error::Att(AttError(code))));
    }
    write(&*link, uuids::FOUR_BYTES, &[9, 8, 7, 6])
        .await
        .unwrap();
    assert_eq!(
        write(&*link, uuids::FOUR_BYTES, &[0; 5]).await,
        Err(Error::Att(AttError(0x0D)))
    );
    let kept = link.read(attribute(&*link, uuids::FOUR_BYTES)).await;
    assert_eq!(kept, Ok(Bytes::from_static(&[9, 8, 7, 6])));

    let mut samples = subscribed(&*link, uuids::LOSSY).await;
    sleep(60 * SECOND).await;
    let samples = everything(&mut samples);
    let skips = samples
        .windows(2)
        .filter(|two| sequence(&two[1]) > sequence(&two[0]) + 1);
    let skips = skips.count();
    assert!((5..80).contains(&skips), "{skips} gaps in 1,200 values");
    // The radio lost nothing: the device did.
    assert!(samples.iter().all(|sample| sample.lost_before == 0));
    assert_eq!(sequence(&samples[0]), 0);

    let gatt = link.gatt();
    let name = gatt.characteristic(short(0x2A00)).unwrap().id;
    let name = link.read(name).await.unwrap();
    assert!(name.starts_with(b"="), "{name:?}");
}

#[tokio::test(start_paused = true)]
async fn the_difficult_device_hangs_up_by_chance_only_where_the_lab_wants_it() {
    let lab = Lab {
        hangs_up_after: Some(90 * SECOND),
        ..Lab::default()
    };
    let (_backend, radio, mut link) = linked(lab, VirtualDevice::Difficult).await;
    let mut total = Duration::ZERO;
    for _ in 0..40 {
        let up = Instant::now();
        let reason = down(&*link).await;
        assert!(
            matches!(&reason, DisconnectReason::Remote(Some(words)) if words.contains("0x13")),
            "{reason:?}"
        );
        assert!(up.elapsed() >= 29 * SECOND, "after {:?}", up.elapsed());
        total += up.elapsed();
        let device = link.device().clone();
        link = try_connect(&*radio, &device).await.unwrap();
    }
    let mean = total / 40;
    assert!((60 * SECOND..130 * SECOND).contains(&mean), "{mean:?}");

    let (_backend, _radio, link) = linked(Lab::contract(), VirtualDevice::Difficult).await;
    sleep(24 * 3_600 * SECOND).await;
    assert_eq!(*link.state().borrow(), LinkState::Up);
}

#[tokio::test(start_paused = true)]
async fn the_client_configuration_tells_what_was_subscribed_and_cannot_be_written() {
    let (_backend, _radio, link) = linked(steady(), VirtualDevice::Difficult).await;
    let both = attribute(&*link, uuids::BOTH);
    let configuration = link
        .gatt()
        .children(both)
        .find(|child| child.uuid == short(0x2902))
        .unwrap()
        .id;
    let mut told = Vec::new();
    for mode in [NotifyMode::Notify, NotifyMode::Indicate] {
        told.push(link.read(configuration).await.unwrap());
        let kinds = Arc::new(Mutex::new(BTreeMap::new()));
        let sink = kinds.clone();
        let sink = move |sample: Sample| {
            *sink
                .lock()
                .unwrap()
                .entry(format!("{:?}", sample.kind))
                .or_insert(0) += 1;
        };
        link.subscribe(both, mode, Arc::new(sink)).await.unwrap();
        told.push(link.read(configuration).await.unwrap());
        sleep(SECOND).await;
        let expected = match mode {
            NotifyMode::Indicate => SampleKind::Indication,
            _ => SampleKind::Notification,
        };
        let kinds = kinds.lock().unwrap().clone();
        assert_eq!(kinds.keys().collect::<Vec<_>>(), [&format!("{expected:?}")]);
    }
    let told: Vec<_> = told.iter().map(|value| value[0]).collect();
    assert_eq!(told, [0, 1, 1, 2]);
    let written = link
        .write(
            configuration,
            Bytes::from_static(&[1, 0]),
            WriteKind::WithResponse,
        )
        .await;
    assert_eq!(written, Err(Error::NotOffered { operation: "write" }));
}

// --- trouble ---------------------------------------------------------------------------------------------------------

/// A sink of which it can be seen whether somebody still holds it.
fn watched() -> (Arc<dyn SampleSink>, Weak<dyn SampleSink>) {
    let sink: Arc<dyn SampleSink> = Arc::new(|_: Sample| {});
    let weak = Arc::downgrade(&sink);
    (sink, weak)
}

#[tokio::test(start_paused = true)]
async fn switching_the_adapter_off_ends_scans_links_and_attempts() {
    let (backend, radio, link) = linked(steady(), VirtualDevice::PulseStrap).await;
    let count = Arc::new(Mutex::new(0));
    let sink = count.clone();
    let sink = move |_: Advertisement| *sink.lock().unwrap() += 1;
    radio
        .start_scan(ScanFilter::default(), Arc::new(sink))
        .await
        .unwrap();
    let attempt = {
        let (radio, ghost) = (radio.clone(), backend.device(VirtualDevice::Ghost).unwrap());
        tokio::spawn(async move { try_connect(&*radio, &ghost).await.map(drop) })
    };
    sleep(SECOND).await;
    let mut state = radio.state();
    assert_eq!(*state.borrow_and_update(), RadioState::On);

    radio.set_power(false).await.unwrap();
    assert_eq!(*state.borrow_and_update(), RadioState::Off);
    assert_eq!(down(&*link).await, DisconnectReason::AdapterLost);
    assert_eq!(attempt.await.unwrap(), Err(Error::PoweredOff));
    let before = *count.lock().unwrap();
    assert!(before > 0);
    sleep(5 * SECOND).await;
    assert_eq!(*count.lock().unwrap(), before, "heard while off");
    let sink = Arc::new(|_: Advertisement| {});
    let scan = radio.start_scan(ScanFilter::default(), sink).await;
    assert_eq!(scan, Err(Error::PoweredOff));
    let connect = try_connect(&*radio, link.device()).await;
    assert_eq!(connect.err(), Some(Error::PoweredOff));
    assert_eq!(
        backend.adapters().await.unwrap()[0].state,
        RadioState::Off,
        "an adapter that is off is still an adapter"
    );

    radio.set_power(false).await.unwrap();
    radio.set_power(true).await.unwrap();
    assert_eq!(*state.borrow_and_update(), RadioState::On);
    sleep(5 * SECOND).await;
    assert_eq!(
        *count.lock().unwrap(),
        before,
        "the scan came back by itself"
    );
    assert!(matches!(&*link.state().borrow(), LinkState::Down(_)));
    try_connect(&*radio, link.device()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_adapter_that_is_unplugged_is_not_listed_and_works_again_when_it_is_back() {
    let (backend, radio, link) = linked(steady(), VirtualDevice::PulseStrap).await;
    let faults = backend.faults();
    faults.adapter_gone();
    assert_eq!(down(&*link).await, DisconnectReason::AdapterLost);
    assert_eq!(backend.adapters().await, Ok(vec![]));
    let no_adapter = Error::NoAdapter { id: "sim0".into() };
    let opened = backend.open(&"sim0".into()).await;
    assert_eq!(opened.err(), Some(no_adapter.clone()));
    assert_eq!(radio.set_power(true).await, Err(no_adapter.clone()));
    let connect = try_connect(&*radio, link.device()).await;
    assert_eq!(connect.err(), Some(no_adapter));
    assert_eq!(*radio.state().borrow(), RadioState::Gone);

    faults.adapter_back();
    assert_eq!(backend.adapters().await.unwrap().len(), 1);
    try_connect(&*radio, link.device()).await.unwrap();

    faults.authorize(false);
    let sink = Arc::new(|_: Advertisement| {});
    let scan = radio.start_scan(ScanFilter::default(), sink).await;
    assert_eq!(scan, Err(Error::Unauthorized));
    assert_eq!(*radio.state().borrow(), RadioState::Unauthorized);
}

#[tokio::test(start_paused = true)]
async fn a_link_can_be_dropped_in_the_middle_of_a_request() {
    let (backend, _radio, link) = linked(steady(), VirtualDevice::PulseStrap).await;
    let device = link.device().clone();
    let faults = backend.faults();
    assert!(faults.hang_next_request(&device));
    let reading = {
        let link = link.clone();
        let body = attribute(&*link, short(0x2A38));
        tokio::spawn(async move { link.read(body).await })
    };
    sleep(SECOND).await;
    assert!(!reading.is_finished());
    assert!(faults.drop_link(&device, "out of range"));
    assert_eq!(reading.await.unwrap(), Err(Error::NotConnected));
    assert_eq!(
        down(&*link).await,
        DisconnectReason::Remote(Some("out of range".into()))
    );
    assert!(!faults.drop_link(&device, "again"), "there was no link");
    assert!(!faults.drop_link(&"nobody".into(), "no such device"));
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_answer_ends_with_the_link_after_30_seconds() {
    let (backend, radio, link) = linked(steady(), VirtualDevice::PulseStrap).await;
    let device = link.device().clone();
    backend.faults().hang_next_request(&device);
    let started = Instant::now();
    let error = link.read(attribute(&*link, short(0x2A38))).await;
    assert!(matches!(error, Err(Error::TimedOut { .. })), "{error:?}");
    assert_eq!(started.elapsed().as_secs(), 30);
    assert!(matches!(down(&*link).await, DisconnectReason::Remote(_)));
    try_connect(&*radio, &device).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn planned_refusals_happen_once_and_where_they_were_planned() {
    let (backend, radio, link) = linked(steady(), VirtualDevice::MotionSensor).await;
    let device = link.device().clone();
    let rate = attribute(&*link, uuids::MOTION_RATE);
    let name = attribute(&*link, short(0x2A00));
    let faults = backend.faults();
    faults.refuse_next_read(&device, rate, AttError::INSUFFICIENT_ENCRYPTION);
    faults.refuse_next_write(&device, rate, AttError::UNLIKELY);
    assert!(link.read(name).await.is_ok());
    assert_eq!(
        link.read(rate).await,
        Err(Error::Att(AttError::INSUFFICIENT_ENCRYPTION))
    );
    assert!(link.read(rate).await.is_ok());
    let value = 100u16.to_le_bytes();
    assert_eq!(
        write(&*link, uuids::MOTION_RATE, &value).await,
        Err(Error::Att(AttError::UNLIKELY))
    );
    write(&*link, uuids::MOTION_RATE, &value).await.unwrap();

    link.disconnect().await.unwrap();
    faults.hang_next_connect(&device);
    let options = ConnectOptions {
        timeout: 5 * SECOND,
    };
    let hung = radio
        .connect(&device, options.clone(), CancellationToken::new())
        .await;
    assert_eq!(
        hung.err(),
        Some(Error::TimedOut {
            operation: "Connecting",
            after: options.timeout
        })
    );
    try_connect(&*radio, &device).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_the_radio_loses_is_counted_on_the_next_value() {
    let (backend, _radio, link) = linked(steady(), VirtualDevice::MotionSensor).await;
    let mut samples = subscribed(&*link, uuids::MOTION_STREAM).await;
    sleep(SECOND).await;
    backend.faults().lose(link.device(), 17);
    sleep(SECOND).await;
    let samples = everything(&mut samples);
    let mut expected = 0;
    let mut lost = Vec::new();
    for sample in &samples {
        expected += sample.lost_before;
        assert_eq!(sequence(sample), expected);
        expected += 1;
        if sample.lost_before > 0 {
            lost.push(sample.lost_before);
        }
    }
    assert_eq!(lost, [17]);
}

#[tokio::test(start_paused = true)]
async fn two_attempts_at_one_device_do_not_run_at_once_and_a_cancelled_one_leaves_it_free() {
    let backend = Simulated::with_lab(Clock::tokio(), 7, steady());
    let radio = opened(&backend).await;
    let strap = backend.device(VirtualDevice::PulseStrap).unwrap();
    let (one, other) = tokio::join!(try_connect(&*radio, &strap), try_connect(&*radio, &strap));
    let error = other.err();
    assert!(matches!(error, Some(Error::Busy { .. })), "{error:?}");
    drop(one.unwrap());

    let cancel = CancellationToken::new();
    cancel.cancel();
    let cancelled = radio
        .connect(&strap, ConnectOptions::default(), cancel)
        .await;
    assert_eq!(cancelled.err(), Some(Error::Cancelled));
    // An attempt that nobody waits for any more ends too.
    let abandoned = timeout(Duration::from_millis(10), try_connect(&*radio, &strap)).await;
    assert!(abandoned.is_err());
    try_connect(&*radio, &strap).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_on_when_everything_is_dropped() {
    let lab = Lab {
        hangs_up_after: Some(3_600 * SECOND),
        ..Lab::default()
    };
    let (backend, radio, link) = linked(lab, VirtualDevice::Difficult).await;
    let heard: Arc<dyn crate::AdvertisementSink> = Arc::new(|_: Advertisement| {});
    let heard_by = Arc::downgrade(&heard);
    radio
        .start_scan(ScanFilter::default(), heard)
        .await
        .unwrap();
    let (sink, sunk_by) = watched();
    link.subscribe(attribute(&*link, uuids::BOTH), NotifyMode::System, sink)
        .await
        .unwrap();
    sleep(SECOND).await;
    let alive = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    assert_eq!(alive(), 3);
    let state = link.state();
    drop((backend, radio, link));
    sleep(Duration::from_millis(1)).await;
    assert_eq!(alive(), 0);
    assert!(heard_by.upgrade().is_none());
    assert!(sunk_by.upgrade().is_none());
    assert_eq!(
        *state.borrow(),
        LinkState::Down(DisconnectReason::Requested)
    );
}

#[tokio::test(start_paused = true)]
async fn a_sink_is_let_go_when_its_subscription_or_its_link_ends() {
    let (backend, _radio, link) = linked(steady(), VirtualDevice::Difficult).await;
    let both = attribute(&*link, uuids::BOTH);
    let (first, first_held) = watched();
    let (second, second_held) = watched();
    link.subscribe(both, NotifyMode::System, first)
        .await
        .unwrap();
    link.subscribe(both, NotifyMode::System, second)
        .await
        .unwrap();
    assert!(first_held.upgrade().is_none(), "the first was not replaced");
    assert!(second_held.upgrade().is_some());
    backend.faults().drop_link(link.device(), "out of range");
    sleep(Duration::from_millis(1)).await;
    assert!(second_held.upgrade().is_none(), "the link ended");
}
