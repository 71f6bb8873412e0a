//! Devices that keep values for those who are paired with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::peripheral::{Answer, Reaction, Source};
use crate::{
    AttError, DeviceId, Error, PairingAnswer, PairingFailure, PairingQuestion, PairingRequest,
    PairingSink, Result,
};

/// How long the two sides take to exchange keys.
const EXCHANGE: Duration = Duration::from_millis(300);
/// How long somebody takes to type the passkey on the device.
const TYPING: Duration = Duration::from_secs(3);
/// How long a question waits (Core Specification, Vol 3, Part H, 3.4).
const PATIENCE: Duration = Duration::from_secs(30);

/// The keys of a device, and how one gets them. Shared between the device and what it guards.
#[derive(Clone)]
pub(super) struct Keys {
    passkey: u32,
    method: Arc<AtomicU8>,
    paired: Arc<AtomicBool>,
}

impl Keys {
    pub(super) fn new(passkey: u32) -> Self {
        Self {
            passkey,
            method: Arc::new(AtomicU8::new(1)),
            paired: Arc::default(),
        }
    }

    pub(super) fn paired(&self) -> bool {
        self.paired.load(Ordering::Relaxed)
    }

    /// Forgets the keys.
    pub(super) fn forget(&self) {
        self.paired.store(false, Ordering::Relaxed);
    }

    /// Pairs: asks what the method demands, and compares.
    pub(super) async fn exchange(
        &self,
        device: &DeviceId,
        questions: &dyn PairingSink,
        cancel: &CancellationToken,
    ) -> Result<()> {
        let withdrawn = CancellationToken::new();
        let _over = withdrawn.clone().drop_guard();
        let question = match self.method.load(Ordering::Relaxed) {
            0 => PairingQuestion::Allow,
            1 => PairingQuestion::EnterPasskey,
            2 => PairingQuestion::ShowPasskey(self.passkey),
            _ => PairingQuestion::SameNumber(self.passkey),
        };
        sleep(EXCHANGE).await;
        let (request, answer) = PairingRequest::new(device.clone(), question, withdrawn);
        questions.asked(request);
        let answered = async {
            if let PairingQuestion::ShowPasskey(_) = question {
                return match timeout(TYPING, answer).await {
                    Ok(Ok(answer)) => Ok(answer),
                    // Nobody has to answer; meanwhile it is typed.
                    Ok(Err(_)) => {
                        sleep(TYPING).await;
                        Ok(PairingAnswer::Accept)
                    }
                    Err(_) => Ok(PairingAnswer::Accept),
                };
            }
            match timeout(PATIENCE, answer).await {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(_)) => Err(PairingFailure::Refused),
                Err(_) => Err(PairingFailure::TimedOut),
            }
        };
        let answer = tokio::select! {
            answer = answered => answer.map_err(Error::Pairing)?,
            () = cancel.cancelled() => return Err(Error::Cancelled),
        };
        let agrees = match (question, answer) {
            (_, PairingAnswer::Refuse) => return Err(Error::Pairing(PairingFailure::Refused)),
            (PairingQuestion::EnterPasskey, PairingAnswer::Passkey(typed)) => typed == self.passkey,
            (PairingQuestion::EnterPasskey, PairingAnswer::Accept) => false,
            (_, PairingAnswer::Accept | PairingAnswer::Passkey(_)) => true,
        };
        sleep(EXCHANGE).await;
        self.paired.store(agrees, Ordering::Relaxed);
        if agrees {
            Ok(())
        } else {
            Err(Error::Pairing(PairingFailure::Authentication))
        }
    }
}

/// The register that says how the device pairs: 0 just works, 1 passkey entry, 2 passkey display, 3 numeric comparison.
impl Source for Keys {
    fn read(&mut self, _: Duration) -> Answer<Vec<u8>> {
        Ok(vec![self.method.load(Ordering::Relaxed)])
    }

    fn write(&mut self, value: &[u8]) -> Answer<Reaction> {
        match *value {
            [method @ 0..=3] => {
                self.method.store(method, Ordering::Relaxed);
                Ok(Reaction::Nothing)
            }
            [_] => Err(AttError(0x13)),
            _ => Err(AttError::INVALID_ATTRIBUTE_VALUE_LENGTH),
        }
    }
}

/// Answers those who are paired, and refuses everybody else with Insufficient Authentication.
pub(super) struct Guarded<S> {
    pub(super) keys: Keys,
    pub(super) inner: S,
}

impl<S: Source> Source for Guarded<S> {
    fn read(&mut self, at: Duration) -> Answer<Vec<u8>> {
        if self.keys.paired() {
            self.inner.read(at)
        } else {
            Err(AttError::INSUFFICIENT_AUTHENTICATION)
        }
    }

    fn write(&mut self, value: &[u8]) -> Answer<Reaction> {
        if self.keys.paired() {
            self.inner.write(value)
        } else {
            Err(AttError::INSUFFICIENT_AUTHENTICATION)
        }
    }
}
