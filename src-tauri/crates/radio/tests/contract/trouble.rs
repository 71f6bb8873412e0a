//! What is refused, by this program, by the radio, or by the device.

use std::collections::BTreeSet;

use bytes::Bytes;
use radio::{AttError, AttrId, AttrKind, Cap, Error, Support, WriteKind};

use super::{
    BATTERY_LEVEL, Bench, CONTROL, HEART_RATE_MEASUREMENT, REFUSES, Ready, TWIN, UNREADABLE,
    USER_DESCRIPTION, characteristic,
};

pub(crate) async fn what_an_attribute_does_not_offer_is_refused_before_the_air(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let link = ready.connect(bench.virtual_hr()).await;
    let battery = characteristic(&*link, BATTERY_LEVEL);
    let control = characteristic(&*link, CONTROL);
    let heart_rate = characteristic(&*link, HEART_RATE_MEASUREMENT);
    for (what, result) in [
        (
            "writing a value that is only read",
            link.write(battery, Bytes::from_static(&[1]), WriteKind::WithResponse)
                .await,
        ),
        (
            // On the air this would end the link.
            "writing without response where only a confirmed write is offered",
            link.write(
                control,
                Bytes::from_static(&[1]),
                WriteKind::WithoutResponse,
            )
            .await,
        ),
        (
            "reading what only notifies",
            link.read(heart_rate).await.map(drop),
        ),
    ] {
        assert!(
            matches!(result, Err(Error::NotOffered { .. })),
            "{what}: {result:?}"
        );
    }
    tokio::time::sleep(ready.limit(1) / 2).await;
    assert_eq!(
        link.read(battery).await,
        Ok(Bytes::from_static(&[87])),
        "something reached the air"
    );
    ready.close(link).await;
}

pub(crate) async fn what_the_device_refuses_is_told(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let check = |what: &str, result: radio::Result<Bytes>, code: u8| {
        let error = result.expect_err(what);
        if bench.tells_att_codes() {
            assert_eq!(error, Error::Att(AttError(code)), "{what}");
        } else {
            assert!(matches!(error, Error::Os { .. }), "{what}: {error:?}");
        }
    };
    let link = ready.connect(bench.difficult()).await;
    let refuses = characteristic(&*link, REFUSES);
    check("a refused read", link.read(refuses).await, 0x80);
    let unreadable = characteristic(&*link, UNREADABLE);
    check("a forbidden read", link.read(unreadable).await, 0x02);
    let write = link.write(refuses, Bytes::from_static(&[1]), WriteKind::WithResponse);
    check("a refused write", write.await.map(|()| Bytes::new()), 0x80);
    ready.close(link).await;

    let link = ready.connect(bench.virtual_hr()).await;
    let control = characteristic(&*link, CONTROL);
    let write = link.write(control, Bytes::from_static(&[2]), WriteKind::WithResponse);
    check("a wrong value", write.await.map(|()| Bytes::new()), 0x13);
    // A refusal is an answer: the link lives.
    let battery = characteristic(&*link, BATTERY_LEVEL);
    assert_eq!(link.read(battery).await, Ok(Bytes::from_static(&[87])));
    ready.close(link).await;
}

pub(crate) async fn attributes_of_one_uuid_are_told_apart_or_the_radio_says_that_it_cannot(
    bench: &impl Bench,
) {
    let ready = Ready::new(bench).await;
    let caps = ready.radio.caps();
    let support = caps.support(Cap::DuplicateUuids);
    let link = ready.connect(bench.difficult()).await;
    let gatt = link.gatt();
    let twins: Vec<AttrId> = gatt
        .attributes()
        .iter()
        .filter(|found| found.kind == AttrKind::Characteristic && found.uuid == TWIN)
        .map(|found| found.id)
        .collect();
    if *support == Support::Yes {
        assert!(
            matches!(
                gatt.characteristic(TWIN),
                Err(Error::Ambiguous { count: 4, .. })
            ),
            "{:?}",
            gatt.characteristic(TWIN)
        );
        let mut values = Vec::new();
        for twin in &twins {
            let value = link.read(*twin).await.expect("a twin reads");
            let description = gatt
                .children(*twin)
                .find(|found| found.uuid == USER_DESCRIPTION)
                .expect("a twin has a description");
            assert_eq!(link.read(description.id).await, Ok(value.clone()));
            values.push(String::from_utf8_lossy(&value).into_owned());
        }
        assert_eq!(values, ["first", "second", "third", "fourth"]);
        // What is written to one twin, no other has.
        link.write(twins[1], Bytes::from_static(b"me"), WriteKind::WithResponse)
            .await
            .expect("a twin takes a write");
        let mut after = Vec::new();
        for twin in &twins {
            after.push(link.read(*twin).await.expect("a twin reads"));
        }
        assert_eq!(after, [&b"first"[..], b"me", b"third", b"fourth"]);
        link.write(
            twins[1],
            Bytes::from_static(b"second"),
            WriteKind::WithResponse,
        )
        .await
        .expect("a twin takes a write");
        if *caps.support(Cap::Handles) == Support::Yes {
            let handles: BTreeSet<_> = twins
                .iter()
                .filter_map(|twin| gatt.get(*twin).ok()?.handle)
                .collect();
            assert_eq!(handles.len(), 4, "{handles:?}");
        }
    } else {
        // Whatever it shows of them is an attribute that can be read, and never one value under two names.
        assert!(!twins.is_empty(), "not one of the twins is shown");
        let mut values = BTreeSet::new();
        for twin in &twins {
            let value = link.read(*twin).await.expect("a twin that is shown reads");
            assert!(
                values.insert(value.clone()),
                "two of {} twins read {value:?}, and {support:?} is declared",
                twins.len()
            );
        }
    }
    ready.close(link).await;
}
