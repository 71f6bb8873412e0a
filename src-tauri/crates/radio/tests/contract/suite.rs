//! What every radio does alike: one suite, run by each `contract_*.rs` on its own [`Bench`].
//!
//! A bench has the two peripherals of the lab on its air, `Virtual HR` and `Difficult`. The lab's `tests/radio/peripherals.py`
//! and `radio::simulated` both play them, and this file holds their UUIDs. What a radio may do differently it declares in
//! its [`Caps`](radio::Caps), and the suite holds it to that.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says what it saw by panicking"
)]

mod connecting;
mod scanning;
mod streams;
mod trouble;
mod values;

pub(crate) use connecting::*;
pub(crate) use scanning::*;
pub(crate) use streams::*;
pub(crate) use trouble::*;
pub(crate) use values::*;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use radio::{
    Advertisement, AttrId, Backend, ConnectOptions, DeviceId, Link, LinkState, NotifyMode, Radio,
    Sample, ScanFilter,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Heart Rate, the one service that `Virtual HR` advertises.
pub(crate) const HEART_RATE: Uuid = Uuid::from_u128(0x0000180d_0000_1000_8000_00805f9b34fb);
/// Heart Rate Measurement: notify only.
pub(crate) const HEART_RATE_MEASUREMENT: Uuid =
    Uuid::from_u128(0x00002a37_0000_1000_8000_00805f9b34fb);
/// Battery Level: reads 87.
pub(crate) const BATTERY_LEVEL: Uuid = Uuid::from_u128(0x00002a19_0000_1000_8000_00805f9b34fb);
/// Characteristic User Description.
pub(crate) const USER_DESCRIPTION: Uuid = Uuid::from_u128(0x00002901_0000_1000_8000_00805f9b34fb);
/// The vendor service of `Virtual HR`.
pub(crate) const VENDOR: Uuid = Uuid::from_u128(0x12345678_1234_5678_1234_56789abcdef0);
/// 20 bytes, 50 times a second while subscribed: u32 sequence from 0, u64 nanoseconds, f64 value.
pub(crate) const STREAM: Uuid = Uuid::from_u128(0x12345678_1234_5678_1234_56789abcdef1);
/// A register of up to 512 bytes; read, write, write without response.
pub(crate) const SCRATCH: Uuid = Uuid::from_u128(0x12345678_1234_5678_1234_56789abcdef2);
/// Written with 0x01 the peripheral hangs up after 200 ms; it refuses everything else with 0x13.
pub(crate) const CONTROL: Uuid = Uuid::from_u128(0x12345678_1234_5678_1234_56789abcdef3);

/// A UUID of the lab's own.
pub(crate) const fn difficult(last: u16) -> Uuid {
    Uuid::from_u128(0xd1ff1c00_7e57_4000_8000_000000000000 | last as u128)
}

/// Stands four times, in three services of which two have the same UUID; reads as its own 0x2901.
pub(crate) const TWIN: Uuid = difficult(0x00D1);
/// 512 bytes, read and write, at first counting up from 0 and wrapping.
pub(crate) const LONG_VALUE: Uuid = difficult(0x0512);
/// Read and write, both refused with 0x80.
pub(crate) const REFUSES: Uuid = difficult(0x0080);
/// Claims to be readable and refuses with 0x02.
pub(crate) const UNREADABLE: Uuid = difficult(0x000E);
/// Reads as no bytes at all.
pub(crate) const EMPTY: Uuid = difficult(0x0000);
/// Notify and indicate: u32 counting from 0, 5 times a second.
pub(crate) const BOTH: Uuid = difficult(0x0033);

/// A device on a bench's air.
pub(crate) enum Wanted {
    /// Its advertised name begins with this.
    Named(&'static str),
    /// Its [`DeviceId`] is this, in any case.
    Identified(&'static str),
}

impl Wanted {
    fn matches(&self, advertisement: &Advertisement) -> bool {
        match self {
            Wanted::Named(start) => advertisement
                .local_name
                .as_ref()
                .is_some_and(|name| name.starts_with(start)),
            Wanted::Identified(id) => advertisement.device.as_str().eq_ignore_ascii_case(id),
        }
    }
}

/// A radio to test, and what surrounds it.
#[async_trait]
pub(crate) trait Bench: Sync {
    /// The radio, with nothing connected and no scan running, whatever an earlier test left behind.
    async fn backend(&self) -> Arc<dyn Backend>;

    /// How the peripheral `Virtual HR` is known.
    fn virtual_hr(&self) -> Wanted {
        Wanted::Named("Virtual HR")
    }

    /// How the peripheral `Difficult` is known.
    fn difficult(&self) -> Wanted;

    /// A device that is heard but never answers a connection.
    fn unreachable(&self) -> Wanted;

    /// Whether a refusal by the peer comes as [`radio::Error::Att`] with its code; otherwise as
    /// [`radio::Error::Os`].
    fn tells_att_codes(&self) -> bool;

    /// Whether a value of 512 bytes can be written.
    fn writes_long_values(&self) -> bool;

    /// By how much every time limit is stretched; 1 where nothing is emulated.
    fn patience(&self) -> u32;
}

/// Makes a test of every function of the suite: `contract!(#[tokio::test] MyBench);`
macro_rules! contract {
    (#[$test:meta] $bench:expr) => {
        contract! { @each [#[$test]] [$bench]
            adapters_are_listed
            an_adapter_that_is_not_there_is_refused
            every_limit_of_the_radio_has_a_reason
            a_scan_finds_a_device_with_what_it_advertises
            nothing_is_heard_after_the_scan_is_stopped
            a_scan_for_a_service_hears_only_who_advertises_it
            a_second_scan_takes_the_place_of_the_first
            a_hostile_name_arrives_as_it_was_sent
            connecting_finds_the_attribute_tree
            connecting_again_while_connected_is_refused
            two_devices_are_connected_at_once
            a_device_that_nobody_has_heard_of_cannot_be_connected
            connecting_can_be_cancelled
            connecting_to_a_device_that_is_gone_ends_by_its_timeout
            a_disconnection_that_was_asked_for_says_so
            a_disconnection_that_nobody_asked_for_is_seen_and_a_new_link_works
            a_value_is_read
            a_register_reads_back_what_was_written
            a_value_of_512_bytes_arrives_whole
            an_empty_value_is_a_value
            a_descriptor_is_read
            a_write_honours_the_largest_size
            what_an_attribute_does_not_offer_is_refused_before_the_air
            what_the_device_refuses_is_told
            attributes_of_one_uuid_are_told_apart_or_the_radio_says_that_it_cannot
            a_stream_comes_whole_and_in_order
            a_stream_ends_with_its_subscription_and_starts_again
            two_streams_of_two_devices_do_not_mix
            a_characteristic_that_notifies_and_indicates_can_be_subscribed
        }
    };
    (@each [$test:tt $attribute:tt] [$bench:expr] $($name:ident)*) => {
        $(contract! { @one [$test $attribute] [$bench] $name })*
    };
    (@one [$test:tt $attribute:tt] [$bench:expr] $name:ident) => {
        $test $attribute
        async fn $name() {
            contract::$name(&$bench).await;
        }
    };
}
pub(crate) use contract;

/// A bench's radio, opened, with the limits that this bench needs.
pub(crate) struct Ready {
    pub(crate) radio: Arc<dyn Radio>,
    patience: u32,
}

impl Ready {
    /// Opens the first adapter of the bench.
    pub(crate) async fn new(bench: &impl Bench) -> Self {
        let backend = bench.backend().await;
        let adapters = backend.adapters().await.expect("adapters are listed");
        let adapter = adapters.first().expect("the bench has an adapter");
        let radio = backend
            .open(&adapter.id)
            .await
            .unwrap_or_else(|error| panic!("{} does not open: {error}", adapter.id));
        Self {
            radio,
            patience: bench.patience(),
        }
    }

    /// `seconds`, stretched by the bench's patience.
    pub(crate) fn limit(&self, seconds: u64) -> Duration {
        Duration::from_secs(seconds) * self.patience
    }

    /// What `work` gives, which must come within `seconds` (stretched).
    pub(crate) async fn within<T>(
        &self,
        seconds: u64,
        what: &str,
        work: impl Future<Output = T>,
    ) -> T {
        let limit = self.limit(seconds);
        timeout(limit, work)
            .await
            .unwrap_or_else(|_| panic!("{what}: not within {limit:?}"))
    }

    /// Scans until something is heard that `accept` takes, and gives it with all that was heard.
    pub(crate) async fn hear(
        &self,
        what: &str,
        accept: impl Fn(&Advertisement) -> bool,
    ) -> (Advertisement, Vec<Advertisement>) {
        let (heard, mut reports) = mpsc::unbounded_channel();
        let sink = Arc::new(move |advertisement| {
            // A report after the end of the search is nobody's.
            let _ = heard.send(advertisement);
        });
        self.radio
            .start_scan(ScanFilter::default(), sink)
            .await
            .expect("the scan starts");
        let mut all: Vec<Advertisement> = Vec::new();
        let deadline = Instant::now() + self.limit(10);
        let found = loop {
            match tokio::time::timeout_at(deadline, reports.recv()).await {
                Ok(Some(report)) => {
                    all.push(report.clone());
                    if accept(&report) {
                        break report;
                    }
                }
                Ok(None) => panic!("the scan ended by itself while {what} was searched"),
                Err(_) => {
                    let names: Vec<_> = all
                        .iter()
                        .map(|report| (&report.device, &report.local_name))
                        .collect();
                    panic!("{what} was not heard; heard: {names:?}");
                }
            }
        };
        self.radio.stop_scan().await.expect("the scan stops");
        (found, all)
    }

    /// Scans until a device is heard.
    pub(crate) async fn find(&self, wanted: Wanted) -> DeviceId {
        let what = match wanted {
            Wanted::Named(name) => name,
            Wanted::Identified(id) => id,
        };
        let (found, _) = self.hear(what, |report| wanted.matches(report)).await;
        found.device
    }

    /// Finds a device and connects to it.
    pub(crate) async fn connect(&self, wanted: Wanted) -> Arc<dyn Link> {
        let device = self.find(wanted).await;
        self.connect_to(&device).await
    }

    /// Connects to a device that was heard.
    pub(crate) async fn connect_to(&self, device: &DeviceId) -> Arc<dyn Link> {
        let options = ConnectOptions {
            timeout: self.limit(10),
        };
        let connecting = self
            .radio
            .connect(device, options, CancellationToken::new());
        self.within(12, "connecting", connecting)
            .await
            .unwrap_or_else(|error| panic!("{device} does not connect: {error}"))
    }

    /// Ends a link and waits for its end.
    pub(crate) async fn close(&self, link: Arc<dyn Link>) {
        self.within(5, "disconnecting", link.disconnect())
            .await
            .expect("the link disconnects");
        self.down(&*link).await;
    }

    /// Why a link ended, which must happen within 5 s (stretched).
    pub(crate) async fn down(&self, link: &dyn Link) -> radio::DisconnectReason {
        let mut state = link.state();
        let state = self
            .within(
                5,
                "the end of the link",
                state.wait_for(|state| matches!(state, LinkState::Down(_))),
            )
            .await
            .expect("the state outlives the link")
            .clone();
        match state {
            LinkState::Down(reason) => reason,
            LinkState::Up => unreachable!("it was waited for the end"),
        }
    }
}

/// The one characteristic of this UUID.
pub(crate) fn characteristic(link: &dyn Link, uuid: Uuid) -> AttrId {
    let gatt = link.gatt();
    gatt.characteristic(uuid)
        .unwrap_or_else(|error| panic!("{error} It has: {:#?}", gatt.attributes()))
        .id
}

/// Subscribes, and gives what comes.
pub(crate) async fn subscribe(
    link: &dyn Link,
    attribute: AttrId,
) -> mpsc::UnboundedReceiver<Sample> {
    let (came, samples) = mpsc::unbounded_channel();
    let sink = Arc::new(move |sample| {
        // What comes after the test has seen enough is nobody's.
        let _ = came.send(sample);
    });
    link.subscribe(attribute, NotifyMode::System, sink)
        .await
        .unwrap_or_else(|error| panic!("{attribute} cannot be subscribed: {error}"));
    samples
}

/// The u32 that a stream's samples begin with.
pub(crate) fn sequence(sample: &Sample) -> u32 {
    let bytes = sample
        .bytes
        .first_chunk()
        .unwrap_or_else(|| panic!("a sample of only {} bytes", sample.bytes.len()));
    u32::from_le_bytes(*bytes)
}
