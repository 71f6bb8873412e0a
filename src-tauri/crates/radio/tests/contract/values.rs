//! Reads and writes.

use bytes::Bytes;
use radio::{Error, MAX_ATTRIBUTE_LEN, WriteKind};

use super::{
    BATTERY_LEVEL, Bench, EMPTY, LONG_VALUE, Ready, SCRATCH, USER_DESCRIPTION, characteristic,
};

pub(crate) async fn a_value_is_read(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let link = ready.connect(bench.virtual_hr()).await;
    let battery = characteristic(&*link, BATTERY_LEVEL);
    for _ in 0..3 {
        let value = ready.within(5, "a read", link.read(battery)).await;
        assert_eq!(value, Ok(Bytes::from_static(&[87])));
    }
    ready.close(link).await;
}

pub(crate) async fn a_register_reads_back_what_was_written(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let link = ready.connect(bench.virtual_hr()).await;
    let scratch = characteristic(&*link, SCRATCH);
    let confirmed = Bytes::from_static(b"with response");
    let written = link.write(scratch, confirmed.clone(), WriteKind::WithResponse);
    ready
        .within(5, "a write", written)
        .await
        .expect("the register takes a write");
    assert_eq!(link.read(scratch).await, Ok(confirmed));

    let unconfirmed = Bytes::from_static(b"without");
    link.write(scratch, unconfirmed.clone(), WriteKind::WithoutResponse)
        .await
        .expect("the register takes a write without response");
    // Nobody confirms it, so nobody knows when it is done.
    let mut value = Bytes::new();
    for _ in 0..20 {
        value = link.read(scratch).await.expect("the register reads");
        if value == unconfirmed {
            break;
        }
        tokio::time::sleep(ready.limit(1) / 20).await;
    }
    assert_eq!(value, unconfirmed);
    ready.close(link).await;
}

pub(crate) async fn a_value_of_512_bytes_arrives_whole(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let link = ready.connect(bench.difficult()).await;
    let long = characteristic(&*link, LONG_VALUE);
    let counting: Bytes = (0..MAX_ATTRIBUTE_LEN).map(|n| n as u8).collect();
    let value = ready
        .within(10, "a long read", link.read(long))
        .await
        .expect("the long value reads");
    assert_eq!(value.len(), MAX_ATTRIBUTE_LEN);
    assert_eq!(value, counting);
    if bench.writes_long_values() {
        let inverted: Bytes = counting.iter().map(|byte| !byte).collect();
        for value in [inverted, counting] {
            ready
                .within(
                    10,
                    "a long write",
                    link.write(long, value.clone(), WriteKind::WithResponse),
                )
                .await
                .expect("the long value is written");
            assert_eq!(link.read(long).await, Ok(value));
        }
    }
    ready.close(link).await;
}

pub(crate) async fn an_empty_value_is_a_value(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let link = ready.connect(bench.difficult()).await;
    let empty = characteristic(&*link, EMPTY);
    assert_eq!(link.read(empty).await, Ok(Bytes::new()));
    ready.close(link).await;
}

pub(crate) async fn a_descriptor_is_read(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let link = ready.connect(bench.virtual_hr()).await;
    let gatt = link.gatt();
    let description = gatt
        .children(characteristic(&*link, SCRATCH))
        .find(|descriptor| descriptor.uuid == USER_DESCRIPTION)
        .expect("the register has a description");
    assert_eq!(
        link.read(description.id).await,
        Ok(Bytes::from_static(b"Scratch register"))
    );
    ready.close(link).await;
}

pub(crate) async fn a_write_honours_the_largest_size(bench: &impl Bench) {
    let ready = Ready::new(bench).await;
    let link = ready.connect(bench.virtual_hr()).await;
    let scratch = characteristic(&*link, SCRATCH);
    for kind in [WriteKind::WithResponse, WriteKind::WithoutResponse] {
        let max = link.max_write(scratch, kind).expect("the register writes");
        assert!((20..=MAX_ATTRIBUTE_LEN).contains(&max), "{kind:?}: {max}");
        if let (WriteKind::WithoutResponse, Some(mtu)) = (kind, *link.mtu().borrow()) {
            assert_eq!(
                max,
                MAX_ATTRIBUTE_LEN.min(usize::from(mtu) - 3),
                "MTU {mtu}"
            );
        }
        let too_long = Bytes::from(vec![0x55; max + 1]);
        let refused = link.write(scratch, too_long, kind).await;
        assert_eq!(
            refused,
            Err(Error::TooLong { len: max + 1, max }),
            "{kind:?}"
        );
    }
    let longest = link
        .max_write(scratch, WriteKind::WithoutResponse)
        .expect("the register writes");
    let value = Bytes::from(vec![0xA5; longest]);
    link.write(scratch, value.clone(), WriteKind::WithoutResponse)
        .await
        .expect("what fits is written");
    let mut read = Bytes::new();
    for _ in 0..20 {
        read = link.read(scratch).await.expect("the register reads");
        if read == value {
            break;
        }
        tokio::time::sleep(ready.limit(1) / 20).await;
    }
    assert_eq!(read.len(), value.len());
    assert_eq!(read, value);
    ready.close(link).await;
}
