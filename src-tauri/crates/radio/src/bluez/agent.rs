//! Pairing: BlueZ's questions on their way to whoever pairs, and the answers back.
//!
//! The agent does not ask to be the system's default one: where the desktop has its own, BlueZ asks
//! this one only about what this program pairs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::bluer::agent::{Agent, ReqError, ReqResult};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::{AdapterId, DeviceId, PairingAnswer, PairingQuestion, PairingRequest, PairingSink};

/// How long a passkey of a pairing that BlueZ began is shown: SMP gives up after it (Core
/// Specification, Vol 3, Part H, 3.4).
const SHOWN: Duration = Duration::from_secs(30);

/// Whom BlueZ's questions are for.
#[derive(Clone)]
struct Pairing {
    questions: Arc<dyn PairingSink>,
    withdrawn: CancellationToken,
}

type Key = (AdapterId, DeviceId);

#[derive(Default)]
struct Inner {
    under_way: HashMap<Key, Pairing>,
    /// Who answers what BlueZ asks although nobody here began to pair.
    unasked: HashMap<AdapterId, Arc<dyn PairingSink>>,
}

/// The pairings that are under way.
#[derive(Clone)]
pub(super) struct Pairings {
    inner: Arc<Mutex<Inner>>,
    refused: broadcast::Sender<Key>,
}

impl Default for Pairings {
    fn default() -> Self {
        Self {
            inner: Arc::default(),
            refused: broadcast::Sender::new(16),
        }
    }
}

/// A pairing that is under way; its questions are withdrawn when this is dropped.
pub(super) struct UnderWay {
    pairings: Pairings,
    key: Key,
    withdrawn: CancellationToken,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.pairings.inner().under_way.remove(&self.key);
        self.withdrawn.cancel();
    }
}

impl Pairings {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Every change is a single step.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a pairing; `None` if one with this device is under way.
    pub(super) fn begin(
        &self,
        adapter: AdapterId,
        device: DeviceId,
        questions: Arc<dyn PairingSink>,
    ) -> Option<UnderWay> {
        let key = (adapter, device);
        let withdrawn = CancellationToken::new();
        let mut inner = self.inner();
        if inner.under_way.contains_key(&key) {
            return None;
        }
        let pairing = Pairing {
            questions,
            withdrawn: withdrawn.clone(),
        };
        inner.under_way.insert(key.clone(), pairing);
        drop(inner);
        Some(UnderWay {
            pairings: self.clone(),
            key,
            withdrawn,
        })
    }

    /// Sets who answers for an adapter what BlueZ asks although nobody here began to pair.
    pub(super) fn answer(&self, adapter: AdapterId, questions: Arc<dyn PairingSink>) {
        self.inner().unasked.insert(adapter, questions);
    }

    /// Tells of every refusal of a pairing that BlueZ began.
    pub(super) fn refusals(&self) -> broadcast::Receiver<Key> {
        self.refused.subscribe()
    }

    /// Asks whoever pairs with this device. If BlueZ takes the question back, this is dropped.
    async fn ask(
        self,
        adapter: String,
        device: ::bluer::Address,
        question: PairingQuestion,
    ) -> ReqResult<PairingAnswer> {
        let device = DeviceId::from(device.to_string());
        let key = (AdapterId::from(adapter.as_str()), device.clone());
        let (pairing, begun_here) = {
            let inner = self.inner();
            let begun = inner.under_way.get(&key).cloned();
            let begun_here = begun.is_some();
            let pairing = begun.or_else(|| {
                let questions = inner.unasked.get(&key.0)?.clone();
                let withdrawn = CancellationToken::new();
                // BlueZ does not tell how a pairing ended that it began by itself.
                let over = withdrawn.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(SHOWN).await;
                    over.cancel();
                });
                Some(Pairing {
                    questions,
                    withdrawn,
                })
            });
            (pairing, begun_here)
        };
        let answer = match pairing {
            Some(pairing) => ask(pairing, device, question).await,
            None => {
                tracing::info!(%device, "refused a pairing that nobody here began");
                Err(ReqError::Rejected)
            }
        };
        // What was asked for here ends by itself; what waits for a pairing that BlueZ began does not.
        if !begun_here && matches!(answer, Err(_) | Ok(PairingAnswer::Refuse)) {
            // Nobody may listen.
            let _ = self.refused.send(key);
        }
        answer
    }

    async fn accept(
        self,
        adapter: String,
        device: ::bluer::Address,
        question: PairingQuestion,
    ) -> ReqResult<()> {
        match self.ask(adapter, device, question).await? {
            PairingAnswer::Accept => Ok(()),
            PairingAnswer::Passkey(_) | PairingAnswer::Refuse => Err(ReqError::Rejected),
        }
    }

    /// The agent that asks on.
    pub(super) fn agent(&self) -> Agent {
        let pairings = [(); 4].map(|()| self.clone());
        let [show, same, allow, enter] = pairings;
        Agent {
            request_default: false,
            request_passkey: Some(Box::new(move |asked| {
                let pairings = enter.clone();
                Box::pin(async move {
                    let question = PairingQuestion::EnterPasskey;
                    match pairings.ask(asked.adapter, asked.device, question).await? {
                        PairingAnswer::Passkey(passkey) => Ok(passkey),
                        PairingAnswer::Accept | PairingAnswer::Refuse => Err(ReqError::Rejected),
                    }
                })
            })),
            display_passkey: Some(Box::new(move |asked| {
                let pairings = show.clone();
                Box::pin(async move {
                    // Told again for every key that is typed on the device.
                    if asked.entered > 0 {
                        return Ok(());
                    }
                    let question = PairingQuestion::ShowPasskey(asked.passkey);
                    pairings.accept(asked.adapter, asked.device, question).await
                })
            })),
            request_confirmation: Some(Box::new(move |asked| {
                let question = PairingQuestion::SameNumber(asked.passkey);
                Box::pin(same.clone().accept(asked.adapter, asked.device, question))
            })),
            request_authorization: Some(Box::new(move |asked| {
                let question = PairingQuestion::Allow;
                Box::pin(allow.clone().accept(asked.adapter, asked.device, question))
            })),
            ..Agent::default()
        }
    }
}

/// Puts a question, and waits for its answer.
async fn ask(
    pairing: Pairing,
    device: DeviceId,
    question: PairingQuestion,
) -> ReqResult<PairingAnswer> {
    let withdrawn = pairing.withdrawn.child_token();
    let guard = withdrawn.clone().drop_guard();
    let (request, answer) = PairingRequest::new(device, question, withdrawn);
    pairing.questions.asked(request);
    if matches!(question, PairingQuestion::ShowPasskey(_)) {
        // BlueZ waits for nothing; it is shown until the pairing is over.
        guard.disarm();
        return Ok(PairingAnswer::Accept);
    }
    // Dropped without an answer: refused.
    answer.await.map_err(|_| ReqError::Rejected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> ::bluer::Address {
        ::bluer::Address([0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5])
    }

    type Asked = Arc<Mutex<Vec<PairingRequest>>>;

    fn pairing() -> (Pairings, UnderWay, Asked) {
        let pairings = Pairings::default();
        let asked = Asked::default();
        let keep = asked.clone();
        let sink = Arc::new(move |request| keep.lock().unwrap().push(request));
        let device = DeviceId::from("F0:F1:F2:F3:F4:F5");
        let under_way = pairings
            .begin("hci0".into(), device.clone(), sink.clone())
            .unwrap();
        assert!(pairings.begin("hci0".into(), device, sink).is_none());
        (pairings, under_way, asked)
    }

    #[tokio::test]
    async fn a_question_reaches_who_pairs_and_the_answer_comes_back() {
        let (pairings, _under_way, asked) = pairing();
        let question = PairingQuestion::SameNumber(123_456);
        let answer = tokio::spawn(pairings.accept("hci0".into(), address(), question));
        tokio::task::yield_now().await;
        let request = asked.lock().unwrap().pop().unwrap();
        assert_eq!(request.question, question);
        request.answer(PairingAnswer::Accept);
        assert_eq!(answer.await.unwrap(), Ok(()));
    }

    #[tokio::test]
    async fn no_answer_and_nobody_to_ask_are_refusals() {
        let (pairings, under_way, asked) = pairing();
        let question = PairingQuestion::Allow;
        let answer = tokio::spawn(pairings.clone().accept("hci0".into(), address(), question));
        tokio::task::yield_now().await;
        asked.lock().unwrap().clear();
        assert_eq!(answer.await.unwrap(), Err(ReqError::Rejected));
        drop(under_way);
        let nobody = pairings.accept("hci0".into(), address(), question).await;
        assert_eq!(nobody, Err(ReqError::Rejected));
    }

    #[tokio::test]
    async fn what_is_shown_is_withdrawn_when_the_pairing_is_over() {
        let (pairings, under_way, asked) = pairing();
        let question = PairingQuestion::ShowPasskey(7);
        let shown = pairings.accept("hci0".into(), address(), question).await;
        assert_eq!(shown, Ok(()));
        let request = asked.lock().unwrap().pop().unwrap();
        assert!(!request.withdrawn.is_cancelled());
        drop(under_way);
        assert!(request.withdrawn.is_cancelled());
    }
}
