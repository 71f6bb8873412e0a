//! Links: from connecting until they end.

use std::time::Duration;

use radio::{
    AttrKind, Cap, ConnectOptions, DeviceId, DisconnectReason, Error, GattDb, Handle, LinkState,
    Properties, Support,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    BATTERY_LEVEL, Bench, CONTROL, HEART_RATE, HEART_RATE_MEASUREMENT, Ready, SCRATCH, STREAM,
    USER_DESCRIPTION, VENDOR, characteristic, subscribe,
};

fn service_of(gatt: &GattDb, uuid: Uuid) -> Uuid {
    let found = gatt
        .characteristic(uuid)
        .unwrap_or_else(|error| panic!("{error} It has: {:#?}", gatt.attributes()));
    let parent = found.parent.expect("a characteristic has a service");
    gatt.get(parent).expect("parents are in the table").uuid
}

pub(crate) async fn connecting_finds_the_attribute_tree(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let link = ready.connect(bench.virtual_hr()).await;
    assert_eq!(*link.state().borrow(), LinkState::Up);
    let gatt = link.gatt();
    assert_eq!(service_of(&gatt, HEART_RATE_MEASUREMENT), HEART_RATE);
    for uuid in [STREAM, SCRATCH, CONTROL] {
        assert_eq!(service_of(&gatt, uuid), VENDOR, "the service of {uuid}");
    }
    for (uuid, properties) in [
        (HEART_RATE_MEASUREMENT, Properties::NOTIFY),
        (BATTERY_LEVEL, Properties::READ | Properties::NOTIFY),
        (STREAM, Properties::READ | Properties::NOTIFY),
        (
            SCRATCH,
            Properties::READ | Properties::WRITE | Properties::WRITE_WITHOUT_RESPONSE,
        ),
        (CONTROL, Properties::WRITE),
    ] {
        let found = gatt.characteristic(uuid).expect("it was found before");
        assert_eq!(found.properties, properties, "the properties of {uuid}");
    }
    let scratch = characteristic(&*link, SCRATCH);
    let descriptors: Vec<Uuid> = gatt.children(scratch).map(|found| found.uuid).collect();
    assert!(
        descriptors.contains(&USER_DESCRIPTION),
        "the scratch register has no 0x2901: {descriptors:?}"
    );
    for (place, attribute) in gatt.attributes().iter().enumerate() {
        assert_eq!(usize::from(attribute.id.index), place);
        match attribute.parent {
            Some(parent) => assert!(parent.index < attribute.id.index, "{attribute:?}"),
            None => assert_eq!(attribute.kind, AttrKind::Service, "{attribute:?}"),
        }
    }
    let handles: Vec<Option<Handle>> = gatt.attributes().iter().map(|found| found.handle).collect();
    if *ready.radio.caps().support(Cap::Handles) == Support::Yes {
        assert!(handles.iter().all(Option::is_some), "{handles:?}");
    }
    if *ready.radio.caps().support(Cap::Mtu) == Support::Yes {
        let mtu = *link.mtu().borrow();
        assert!(mtu.is_some_and(|mtu| mtu >= 23), "MTU {mtu:?}");
    }
    ready.close(link).await;
}

pub(crate) async fn connecting_again_while_connected_is_refused(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let link = ready.connect(bench.virtual_hr()).await;
    let again = ready.radio.connect(
        link.device(),
        ConnectOptions::default(),
        CancellationToken::new(),
    );
    let error = ready
        .within(10, "the refusal", again)
        .await
        .err()
        .expect("a second link to one device");
    assert!(matches!(error, Error::Busy { .. }), "{error:?}");
    assert_eq!(
        *link.state().borrow(),
        LinkState::Up,
        "the first link was harmed"
    );
    ready.close(link).await;
}

pub(crate) async fn two_devices_are_connected_at_once(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let virtual_hr = ready.find(bench.virtual_hr()).await;
    let difficult = ready.find(bench.difficult()).await;
    let (one, other) = tokio::join!(ready.connect_to(&virtual_hr), ready.connect_to(&difficult));
    assert_eq!(*one.device(), virtual_hr);
    assert_eq!(*other.device(), difficult);
    assert_ne!(one.gatt().generation(), other.gatt().generation());
    let battery = characteristic(&*one, BATTERY_LEVEL);
    let mixed_up = other.read(battery).await.unwrap_err();
    assert!(
        matches!(mixed_up, Error::StaleAttribute { .. }),
        "an attribute of the other device: {mixed_up:?}"
    );
    ready.close(other).await;
    assert_eq!(
        one.read(battery).await.expect("the first link lives on"),
        [87][..]
    );
    ready.close(one).await;
}

pub(crate) async fn a_device_that_nobody_has_heard_of_cannot_be_connected(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let nobody = DeviceId::from("02:00:00:0B:AD:00");
    let timeout = ready.limit(2);
    let connecting = ready.radio.connect(
        &nobody,
        ConnectOptions { timeout },
        CancellationToken::new(),
    );
    let error = ready
        .within(5, "the refusal", connecting)
        .await
        .err()
        .expect("a device that does not exist connected");
    assert!(
        matches!(error, Error::UnknownDevice { .. } | Error::TimedOut { .. }),
        "{error:?}"
    );
}

pub(crate) async fn connecting_can_be_cancelled(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let device = ready.find(bench.unreachable()).await;
    let cancel = CancellationToken::new();
    let canceller = cancel.clone();
    let pause = Duration::from_millis(300) * bench.patience();
    let cancelling = tokio::spawn(async move {
        tokio::time::sleep(pause).await;
        canceller.cancel();
        Instant::now()
    });
    let result = ready
        .within(
            20,
            "the cancelled connection",
            ready
                .radio
                .connect(&device, ConnectOptions::default(), cancel),
        )
        .await;
    let ended = Instant::now();
    let error = result.err().expect("it was cancelled and connected");
    assert_eq!(error, Error::Cancelled);
    let took = ended - cancelling.await.expect("the canceller ran");
    assert!(took < ready.limit(3), "it took {took:?} to cancel");
    // The radio is not stuck: what can be reached is reached.
    let link = ready.connect(bench.virtual_hr()).await;
    ready.close(link).await;
}

pub(crate) async fn connecting_to_a_device_that_is_gone_ends_by_its_timeout(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let device = ready.find(bench.unreachable()).await;
    let timeout = ready.limit(2);
    let started = Instant::now();
    let connecting = ready.radio.connect(
        &device,
        ConnectOptions { timeout },
        CancellationToken::new(),
    );
    let error = ready
        .within(6, "the end of the attempt", connecting)
        .await
        .err()
        .expect("a device that does not answer connected");
    assert!(
        matches!(error, Error::TimedOut { after, .. } if after == timeout),
        "after {:?}: {error:?}",
        started.elapsed()
    );
    let link = ready.connect(bench.virtual_hr()).await;
    ready.close(link).await;
}

pub(crate) async fn a_disconnection_that_was_asked_for_says_so(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let link = ready.connect(bench.virtual_hr()).await;
    let battery = characteristic(&*link, BATTERY_LEVEL);
    let mut samples = subscribe(&*link, characteristic(&*link, STREAM)).await;
    ready
        .within(5, "the first sample", samples.recv())
        .await
        .expect("the stream runs");
    ready
        .within(5, "disconnecting", link.disconnect())
        .await
        .expect("the link disconnects");
    assert_eq!(ready.down(&*link).await, DisconnectReason::Requested);
    assert_eq!(link.read(battery).await, Err(Error::NotConnected));
    while samples.try_recv().is_ok() {}
    tokio::time::sleep(ready.limit(1) / 2).await;
    assert!(samples.try_recv().is_err(), "a sample after the end");
    link.disconnect()
        .await
        .expect("disconnecting what is down is nothing");
}

pub(crate) async fn a_disconnection_that_nobody_asked_for_is_seen_and_a_new_link_works(
    bench: &impl Bench,
) {
    let ready = Ready::new(bench).await;
    let link = ready.connect(bench.virtual_hr()).await;
    let battery = characteristic(&*link, BATTERY_LEVEL);
    let stream = characteristic(&*link, STREAM);
    let _samples = subscribe(&*link, stream).await;
    let hang_up = link.write(
        characteristic(&*link, CONTROL),
        vec![0x01].into(),
        radio::WriteKind::WithResponse,
    );
    ready
        .within(5, "the write that ends the link", hang_up)
        .await
        .expect("the control point takes 0x01");
    let reason = ready.down(&*link).await;
    assert!(matches!(reason, DisconnectReason::Remote(_)), "{reason:?}");
    assert_eq!(link.read(battery).await, Err(Error::NotConnected));
    let write = link.write(
        characteristic(&*link, SCRATCH),
        vec![0].into(),
        radio::WriteKind::WithResponse,
    );
    assert_eq!(write.await, Err(Error::NotConnected));
    link.disconnect()
        .await
        .expect("disconnecting what is down is nothing");

    let again = ready.connect(bench.virtual_hr()).await;
    assert_ne!(again.gatt().generation(), link.gatt().generation());
    let stale = again.read(battery).await.unwrap_err();
    assert_eq!(stale, Error::StaleAttribute { attribute: battery });
    let battery = characteristic(&*again, BATTERY_LEVEL);
    assert_eq!(
        again.read(battery).await.expect("the new link reads"),
        [87][..]
    );
    assert!(
        matches!(&*link.state().borrow(), LinkState::Down(_)),
        "the old link came back"
    );
    ready.close(again).await;
}
