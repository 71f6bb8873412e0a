//! Pairing with `Locked`, by each of the ways that BlueZ asks about.

use std::sync::Arc;

use radio::{
    DeviceId, Error, Link, PairingAnswer, PairingFailure, PairingQuestion, PairingRequest,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Lab;
use super::air;
use super::contract::{Ready, Wanted, characteristic, difficult};

const LOCKED: &str = "F0:F1:F2:F3:F4:A1";
/// Reads `open`.
const OPEN: Uuid = difficult(0x0300);
/// Reads `encrypted` over an encrypted link.
const ENCRYPTED: Uuid = difficult(0x0305);
/// Reads `authenticated` over a link whose keys somebody compared or typed.
const AUTHENTICATED: Uuid = difficult(0x0306);

/// A device that has nothing, a display, keys or two buttons, and that knows no keys any more.
async fn locked(ready: &Ready, has: &str) -> (DeviceId, Arc<dyn Link>) {
    let device = DeviceId::from(LOCKED);
    ready.radio.forget(&device).await.expect("BlueZ forgets");
    air::tell(&format!("equip {has}")).await;
    air::tell(&format!("wake {LOCKED}")).await;
    let device = ready.find(Wanted::Named("Locked")).await;
    assert_eq!(device.as_str(), LOCKED);
    let link = ready.connect_to(&device).await;
    assert_eq!(ready.radio.is_paired(&device).await, Ok(false));
    let open = link.read(characteristic(&*link, OPEN)).await;
    assert_eq!(open.expect("it is open"), b"open"[..]);
    (device, link)
}

/// Pairs, answering each question as `answer` says, and gives what was asked.
async fn pair<F>(
    ready: &Ready,
    device: &DeviceId,
    answer: impl Fn(PairingQuestion) -> F,
) -> (radio::Result<()>, Vec<PairingQuestion>)
where
    F: Future<Output = Option<PairingAnswer>>,
{
    let (asked, mut questions) = mpsc::unbounded_channel::<PairingRequest>();
    let sink = Arc::new(move |request| {
        asked.send(request).expect("somebody answers");
    });
    let pairing = ready.radio.pair(device, sink, CancellationToken::new());
    let mut pairing = std::pin::pin!(pairing);
    let mut all = Vec::new();
    let mut shown = Vec::new();
    let work = async {
        loop {
            tokio::select! {
                result = &mut pairing => break result,
                Some(request) = questions.recv() => {
                    all.push(request.question);
                    match answer(request.question).await {
                        Some(answer) => request.answer(answer),
                        None => shown.push(request),
                    }
                }
            }
        }
    };
    let result = ready.within(20, "pairing", work).await;
    for request in shown {
        assert!(
            request.withdrawn.is_cancelled(),
            "{request:?} is still shown"
        );
    }
    (result, all)
}

async fn assert_opened(ready: &Ready, device: &DeviceId, link: &dyn Link, what: &[(Uuid, &[u8])]) {
    assert_eq!(ready.radio.is_paired(device).await, Ok(true));
    for (uuid, value) in what {
        let read = link.read(characteristic(link, *uuid)).await;
        assert_eq!(read.expect("a paired device opens its values"), *value);
    }
}

/// BlueZ begins to pair by itself when a protected value is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_protected_value_says_that_pairing_is_wanted_or_asks_for_it() {
    let ready = Ready::new(&Lab).await;
    let (_, link) = locked(&ready, "nothing").await;
    let read = link.read(characteristic(&*link, ENCRYPTED));
    let refused = ready.within(5, "the refusal", read).await;
    let refused = refused.expect_err("it wants an encrypted link, and nobody is there to ask");
    assert!(refused.needs_pairing(), "{refused}");
    drop(link);

    let (device, link) = locked(&ready, "nothing").await;
    let (asked, mut questions) = mpsc::unbounded_channel::<PairingRequest>();
    ready.radio.answer_pairing(Arc::new(move |request| {
        asked.send(request).expect("somebody answers");
    }));
    let reading = link.clone();
    let encrypted = characteristic(&*link, ENCRYPTED);
    let read = tokio::spawn(async move { reading.read(encrypted).await });
    let request = ready.within(5, "the question", questions.recv()).await;
    let request = request.expect("the radio asks");
    assert_eq!(
        (&request.device, request.question),
        (&device, PairingQuestion::Allow)
    );
    request.answer(PairingAnswer::Accept);
    let value = ready
        .within(10, "the value", read)
        .await
        .expect("it does not panic");
    assert_eq!(value.expect("the device opens it"), b"encrypted"[..]);
    ready.radio.unpair(&device).await.expect("BlueZ unpairs");
    ready.down(&*link).await;
    air::tell(&format!("sleep {LOCKED}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_without_keys_and_display_just_works_and_may_be_unpaired() {
    let ready = Ready::new(&Lab).await;
    let (device, link) = locked(&ready, "nothing").await;
    let accept = |_| async { Some(PairingAnswer::Accept) };
    let (result, asked) = pair(&ready, &device, accept).await;
    assert_eq!(result, Ok(()), "{asked:?}");
    assert!(
        asked
            .iter()
            .all(|question| *question == PairingQuestion::Allow),
        "there is nothing to compare: {asked:?}"
    );
    assert_opened(&ready, &device, &*link, &[(ENCRYPTED, b"encrypted")]).await;
    // Pairing what is paired is nothing.
    let (result, asked) = pair(&ready, &device, accept).await;
    assert_eq!((result, asked), (Ok(()), vec![]));

    ready.radio.unpair(&device).await.expect("BlueZ unpairs");
    let reason = ready.down(&*link).await;
    assert_eq!(
        reason,
        radio::DisconnectReason::Requested,
        "unpairing ends the link"
    );
    assert_eq!(ready.radio.is_paired(&device).await, Ok(false));
    air::tell(&format!("sleep {LOCKED}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_that_the_device_shows_is_typed_here() {
    let ready = Ready::new(&Lab).await;
    let (device, link) = locked(&ready, "display").await;
    let (result, asked) = pair(&ready, &device, |_| async {
        let shown = air::tell("shown").await;
        Some(PairingAnswer::Passkey(
            shown.parse().expect("it shows a number"),
        ))
    })
    .await;
    assert_eq!(asked, [PairingQuestion::EnterPasskey]);
    assert_eq!(result, Ok(()));
    let values: [(Uuid, &[u8]); 2] = [(ENCRYPTED, b"encrypted"), (AUTHENTICATED, b"authenticated")];
    assert_opened(&ready, &device, &*link, &values).await;
    ready.close(link).await;
    // The keys are remembered: nothing is asked at the next connection.
    let link = ready.connect_to(&device).await;
    assert_opened(&ready, &device, &*link, &values).await;
    ready.radio.unpair(&device).await.expect("BlueZ unpairs");
    ready.down(&*link).await;
    air::tell(&format!("sleep {LOCKED}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_passkey_and_a_refusal_say_so_and_pairing_works_after_them() {
    let ready = Ready::new(&Lab).await;
    let (device, link) = locked(&ready, "display").await;
    let (result, asked) = pair(&ready, &device, |_| async {
        let shown: u32 = air::tell("shown").await.parse().expect("it shows a number");
        Some(PairingAnswer::Passkey((shown + 1) % 1_000_000))
    })
    .await;
    assert_eq!(asked, [PairingQuestion::EnterPasskey]);
    assert_eq!(result, Err(Error::Pairing(PairingFailure::Authentication)));
    // BlueZ may end the link after it.
    drop(link);
    let (device, link) = locked(&ready, "display").await;
    let (result, _) = pair(&ready, &device, |_| async { Some(PairingAnswer::Refuse) }).await;
    assert!(
        matches!(
            result,
            Err(Error::Pairing(
                PairingFailure::Refused
                    | PairingFailure::Authentication
                    | PairingFailure::Cancelled
            ))
        ),
        "{result:?}"
    );
    assert_eq!(ready.radio.is_paired(&device).await, Ok(false));
    drop(link);
    let (device, link) = locked(&ready, "nothing").await;
    let (result, _) = pair(&ready, &device, |_| async { Some(PairingAnswer::Accept) }).await;
    assert_eq!(result, Ok(()));
    ready.radio.unpair(&device).await.expect("BlueZ unpairs");
    ready.down(&*link).await;
    air::tell(&format!("sleep {LOCKED}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_passkey_that_is_shown_here_is_typed_on_the_device() {
    let ready = Ready::new(&Lab).await;
    let (device, link) = locked(&ready, "keys").await;
    let (result, asked) = pair(&ready, &device, |question| async move {
        let PairingQuestion::ShowPasskey(passkey) = question else {
            return Some(PairingAnswer::Refuse);
        };
        air::tell(&format!("type {passkey}")).await;
        None
    })
    .await;
    assert!(
        matches!(asked[..], [PairingQuestion::ShowPasskey(0..=999_999)]),
        "{asked:?}"
    );
    assert_eq!(result, Ok(()));
    assert_opened(
        &ready,
        &device,
        &*link,
        &[(AUTHENTICATED, b"authenticated")],
    )
    .await;
    ready.radio.unpair(&device).await.expect("BlueZ unpairs");
    ready.down(&*link).await;
    air::tell(&format!("sleep {LOCKED}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_on_both_sides_are_compared() {
    let ready = Ready::new(&Lab).await;
    let (device, link) = locked(&ready, "yes-no").await;
    let (result, asked) = pair(&ready, &device, |question| async move {
        let shown: u32 = air::tell("shown").await.parse().expect("it shows a number");
        let same = question == PairingQuestion::SameNumber(shown);
        Some(if same {
            PairingAnswer::Accept
        } else {
            PairingAnswer::Refuse
        })
    })
    .await;
    assert!(
        matches!(asked[..], [PairingQuestion::SameNumber(_)]),
        "{asked:?}"
    );
    assert_eq!(result, Ok(()), "{asked:?}");
    assert_opened(
        &ready,
        &device,
        &*link,
        &[(AUTHENTICATED, b"authenticated")],
    )
    .await;
    ready.radio.unpair(&device).await.expect("BlueZ unpairs");
    ready.down(&*link).await;
    air::tell(&format!("sleep {LOCKED}")).await;
}

/// A device that is paired without a link is connected for it by BlueZ, and let go afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pairing_needs_no_link_and_leaves_none_and_may_be_given_up() {
    let ready = Ready::new(&Lab).await;
    let (device, link) = locked(&ready, "display").await;
    ready.close(link).await;
    let gone = async || {
        while ready.radio.connected().await != Ok(vec![]) {
            tokio::time::sleep(ready.limit(1) / 20).await;
        }
    };
    ready.within(5, "no connection", gone()).await;

    let cancel = CancellationToken::new();
    let giving_up = cancel.clone();
    let sink = Arc::new(move |_: PairingRequest| giving_up.cancel());
    let given_up = ready.radio.pair(&device, sink, cancel);
    let given_up = ready.within(20, "the end of the pairing", given_up).await;
    assert_eq!(given_up, Err(Error::Cancelled));
    assert_eq!(ready.radio.is_paired(&device).await, Ok(false));
    ready.within(10, "no connection", gone()).await;

    let (result, asked) = pair(&ready, &device, |_| async {
        let shown = air::tell("shown").await;
        Some(PairingAnswer::Passkey(
            shown.parse().expect("it shows a number"),
        ))
    })
    .await;
    assert_eq!(
        (result, asked),
        (Ok(()), vec![PairingQuestion::EnterPasskey])
    );
    assert_eq!(ready.radio.is_paired(&device).await, Ok(true));
    ready.within(10, "no connection", gone()).await;
    ready.radio.unpair(&device).await.expect("BlueZ unpairs");
    air::tell(&format!("sleep {LOCKED}")).await;
}
