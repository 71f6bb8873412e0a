//! Subscriptions.

use radio::{Error, NotifyMode, Sample, SampleKind, WriteKind};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{BOTH, Bench, Ready, SCRATCH, STREAM, characteristic, sequence, subscribe};

async fn take(
    ready: &Ready,
    samples: &mut UnboundedReceiver<Sample>,
    count: usize,
    what: &str,
) -> Vec<Sample> {
    let mut taken = Vec::with_capacity(count);
    // 50 a second, with room for an emulated guest; the end of the link ends the channel.
    ready
        .within(20, what, async {
            while taken.len() < count {
                match samples.recv().await {
                    Some(sample) => taken.push(sample),
                    None => panic!("{what}: ended after {} samples", taken.len()),
                }
            }
        })
        .await;
    taken
}

fn assert_contiguous(samples: &[Sample], what: &str) {
    let sequences: Vec<u32> = samples.iter().map(sequence).collect();
    let expected: Vec<u32> = (0..samples.len() as u32).collect();
    assert_eq!(sequences, expected, "{what}");
    let times: Vec<_> = samples.iter().map(|sample| sample.at).collect();
    assert!(times.is_sorted(), "{what}: stamps went back: {times:?}");
    let lost: u32 = samples.iter().map(|sample| sample.lost_before).sum();
    assert_eq!(lost, 0, "{what}: counted as lost although none is missing");
}

pub(crate) async fn a_stream_comes_whole_and_in_order(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let link = ready.connect(bench.virtual_hr()).await;
    let stream = characteristic(&*link, STREAM);
    let mut samples = subscribe(&*link, stream).await;
    let taken = take(&ready, &mut samples, 150, "150 samples").await;
    assert_contiguous(&taken, "the stream");
    for sample in &taken {
        assert_eq!(sample.attribute, stream);
        assert_eq!(sample.bytes.len(), 20, "{sample:?}");
    }
    let duration = taken[149].at.since(taken[0].at);
    assert!(
        duration > std::time::Duration::from_secs(1),
        "149 intervals of 20 ms were stamped within {duration:?}"
    );
    ready.close(link).await;
}

pub(crate) async fn a_stream_ends_with_its_subscription_and_starts_again(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let link = ready.connect(bench.virtual_hr()).await;
    let stream = characteristic(&*link, STREAM);
    for round in 0..3 {
        let mut samples = subscribe(&*link, stream).await;
        let taken = take(&ready, &mut samples, 20, "20 samples").await;
        assert_contiguous(&taken, &format!("subscription {round}"));
        ready
            .within(5, "unsubscribing", link.unsubscribe(stream))
            .await
            .expect("the subscription ends");
        while samples.try_recv().is_ok() {}
        tokio::time::sleep(ready.limit(1) / 4).await;
        let after = samples.try_recv();
        assert!(after.is_err(), "after unsubscribe: {after:?}");
    }
    link.unsubscribe(stream)
        .await
        .expect("ending what does not run is nothing");

    let refused = link
        .subscribe(
            characteristic(&*link, SCRATCH),
            NotifyMode::System,
            std::sync::Arc::new(|_: Sample| {}),
        )
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::NotOffered { .. }), "{refused:?}");
    ready.close(link).await;
}

pub(crate) async fn two_streams_of_two_devices_do_not_mix(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let virtual_hr = ready.connect(bench.virtual_hr()).await;
    let difficult = ready.connect(bench.difficult()).await;
    let both = characteristic(&*difficult, BOTH);
    let stream = characteristic(&*virtual_hr, STREAM);
    let mut slow = subscribe(&*difficult, both).await;
    let mut fast = subscribe(&*virtual_hr, stream).await;
    // Other traffic on the link does not disturb the stream.
    let scratch = characteristic(&*virtual_hr, SCRATCH);
    for n in 0..10u8 {
        virtual_hr
            .write(scratch, vec![n].into(), WriteKind::WithResponse)
            .await
            .expect("the register takes a write");
        let value = virtual_hr.read(scratch).await.expect("the register reads");
        assert_eq!(value, [n][..]);
    }
    let fast = take(&ready, &mut fast, 100, "100 samples").await;
    let slow = take(&ready, &mut slow, 5, "5 samples").await;
    assert_contiguous(&fast, "the fast stream");
    assert_contiguous(&slow, "the slow stream");
    assert!(fast.iter().all(|sample| sample.attribute == stream));
    assert!(slow.iter().all(|sample| sample.attribute == both));
    ready.close(difficult).await;
    ready.close(virtual_hr).await;
}

pub(crate) async fn a_characteristic_that_notifies_and_indicates_can_be_subscribed(
    bench: &impl Bench,
) {
    let ready = Ready::new(bench).await;
    let choice = ready.radio.caps().has(radio::Cap::ChooseNotifyMode);
    let link = ready.connect(bench.difficult()).await;
    let both = characteristic(&*link, BOTH);
    let modes: &[(NotifyMode, Option<SampleKind>)] = if choice {
        &[
            (NotifyMode::System, None),
            (NotifyMode::Notify, Some(SampleKind::Notification)),
            (NotifyMode::Indicate, Some(SampleKind::Indication)),
        ]
    } else {
        &[(NotifyMode::System, None)]
    };
    for (mode, kind) in modes {
        let (came, mut samples) = tokio::sync::mpsc::unbounded_channel();
        link.subscribe(
            both,
            *mode,
            std::sync::Arc::new(move |sample| {
                let _ = came.send(sample);
            }),
        )
        .await
        .unwrap_or_else(|error| panic!("{mode:?}: {error}"));
        let taken = take(&ready, &mut samples, 5, "5 samples").await;
        assert_contiguous(&taken, &format!("{mode:?}"));
        if let Some(kind) = kind {
            assert!(
                taken.iter().all(|sample| sample.kind == *kind),
                "{mode:?}: {taken:?}"
            );
        }
        link.unsubscribe(both).await.expect("the subscription ends");
    }
    ready.close(link).await;
}
