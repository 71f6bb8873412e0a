//! Pairing and forgetting: what the system asks meanwhile, on its way to the window and back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use radio::{DeviceId, PairingAnswer, PairingQuestion, PairingRequest};
use tokio_util::sync::CancellationToken;

use crate::explorer::{Explorer, Inner};
use crate::view::{Event, PairingView, Problem};

/// The largest passkey: six digits.
const LARGEST_PASSKEY: u32 = 999_999;

/// The pairings that are under way, and the questions that wait.
#[derive(Default)]
pub(crate) struct Pairings {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    under_way: HashMap<DeviceId, CancellationToken>,
    questions: HashMap<u32, (PairingRequest, PairingView)>,
    next: u32,
}

impl Pairings {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    async fn pair(self: &Arc<Self>, device: &DeviceId) -> Result<(), Problem> {
        let radio = self.radios.radio()?;
        let cancel = CancellationToken::new();
        {
            let mut state = self.pairings.state();
            if state.under_way.contains_key(device) {
                return Err(radio::Error::Busy {
                    operation: "Pairing with this device",
                }
                .into());
            }
            state.under_way.insert(device.clone(), cancel.clone());
        }
        self.log_done("link", "Pair", Some(device), None, "");
        let inner = Arc::clone(self);
        let sink = Arc::new(move |request| inner.asked(request));
        let result = radio.pair(device, sink, cancel).await;
        self.pairings.state().under_way.remove(device);
        self.paired_now(device).await;
        match result {
            Ok(()) => {
                self.log_done("link", "Paired", Some(device), None, "");
                Ok(())
            }
            Err(error) => {
                let problem = Problem::from(error);
                self.log_problem("link", "Pairing failed", Some(device), None, &problem);
                Err(problem)
            }
        }
    }

    /// Takes a question, on the radio's task.
    pub(crate) fn asked(self: &Arc<Self>, request: PairingRequest) {
        let device = request.device.clone();
        let withdrawn = request.withdrawn.clone();
        let (question, passkey) = match request.question {
            PairingQuestion::Allow => ("allow", None),
            PairingQuestion::SameNumber(number) => ("same_number", Some(number)),
            PairingQuestion::EnterPasskey => ("enter_passkey", None),
            PairingQuestion::ShowPasskey(number) => ("show_passkey", Some(number)),
        };
        let name = self.devices().name(&device).0;
        let id = {
            let mut state = self.pairings.state();
            let id = state.next;
            state.next = id.wrapping_add(1);
            let view = PairingView {
                id,
                device: device.to_string(),
                name,
                question: question.into(),
                passkey: passkey.map(|number| format!("{number:06}")),
                over: false,
            };
            state.questions.insert(id, (request, view));
            id
        };
        self.tell_questions();
        let inner = Arc::clone(self);
        self.runtime.spawn(async move {
            withdrawn.cancelled().await;
            inner.pairings.state().questions.remove(&id);
            inner.news.tell(Event::Pairing(PairingView {
                id,
                device: device.to_string(),
                name: String::new(),
                question: question.into(),
                passkey: None,
                over: true,
            }));
        });
    }

    /// Tells every question that waits.
    pub(crate) fn tell_questions(&self) {
        let mut waiting: Vec<PairingView> = {
            let state = self.pairings.state();
            state
                .questions
                .values()
                .map(|(_, view)| view.clone())
                .collect()
        };
        waiting.sort_by_key(|view| view.id);
        for view in waiting {
            self.news.tell(Event::Pairing(view));
        }
    }

    /// Asks the system anew whether it has keys of a device.
    pub(crate) async fn paired_now(&self, device: &DeviceId) {
        let Ok(radio) = self.radios.radio() else {
            return;
        };
        // A radio that cannot tell leaves it unknown.
        let paired = radio.is_paired(device).await.ok();
        let connection = self.connections().into_iter().find(|c| c.device == *device);
        if let Some(connection) = connection {
            connection.state().paired = paired;
            self.tell_link(&connection);
        }
    }
}

impl Explorer {
    /// Pairs with a device; what the system asks meanwhile comes as [`Event::Pairing`].
    ///
    /// # Errors
    ///
    /// A [`Problem`]: it was refused, given up, or is not possible here.
    pub async fn pair(&self, device: DeviceId) -> Result<(), Problem> {
        self.run(|inner| async move { inner.pair(&device).await })
            .await
    }

    /// Gives a pairing up.
    pub fn cancel_pair(&self, device: &DeviceId) {
        if let Some(cancel) = self.0.pairings.state().under_way.get(device) {
            cancel.cancel();
        }
    }

    /// Answers a question of pairing: yes, no, or yes with the passkey that the device shows.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if the passkey is none; the question waits on.
    pub fn answer_pairing(
        &self,
        id: u32,
        accept: bool,
        passkey: Option<&str>,
    ) -> Result<(), Problem> {
        let mut state = self.0.pairings.state();
        let Some(question) = state
            .questions
            .get(&id)
            .map(|(request, _)| request.question)
        else {
            return Err(Problem::new(
                "pairing",
                "The question is settled already.",
                "Pair again if the device is not paired.",
            ));
        };
        let answer = match question {
            _ if !accept => PairingAnswer::Refuse,
            PairingQuestion::EnterPasskey => {
                PairingAnswer::Passkey(number(passkey.unwrap_or_default())?)
            }
            _ => PairingAnswer::Accept,
        };
        if let Some((request, _)) = state.questions.remove(&id) {
            let by_itself = !state.under_way.contains_key(&request.device);
            let connection = self.0.known_connection(&request.device);
            let number = matches!(
                question,
                PairingQuestion::EnterPasskey | PairingQuestion::SameNumber(_)
            );
            if let Some(connection) = connection.filter(|_| accept && by_itself && number) {
                connection.state().answered = Some(self.0.now());
            }
            request.answer(answer);
        }
        Ok(())
    }

    /// Forgets the keys of a device. Its link, if there is one, ends.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if the system does not, or cannot here.
    pub async fn unpair(&self, device: DeviceId) -> Result<(), Problem> {
        self.run(|inner| async move {
            inner.radios.radio()?.unpair(&device).await?;
            inner.log_done("link", "Unpaired", Some(&device), None, "");
            inner.paired_now(&device).await;
            Ok(())
        })
        .await
    }

    /// Makes the system forget everything that it remembers of a device, so that the next connection
    /// discovers it anew. Its pairing goes too, and its link, if there is one, ends.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if the system does not, or cannot here.
    pub async fn forget(&self, device: DeviceId) -> Result<(), Problem> {
        self.run(|inner| async move {
            let radio = inner.radios.radio()?;
            if let Some(connection) = inner.known_connection(&device) {
                inner.disconnect(&connection).await;
            }
            radio.forget(&device).await?;
            if let Some(hint) = radio.still_remembered(&device) {
                let name = inner.devices().name(&device).0;
                let problem =
                    Problem::new("forgotten", "The next connection discovers it anew.", hint);
                let title = format!("{name} is forgotten");
                inner.notice("info", title, problem, Some(&device), "");
            }
            inner.log_done(
                "link",
                "Forgotten",
                Some(&device),
                None,
                "Pairing and services",
            );
            inner.paired_now(&device).await;
            Ok(())
        })
        .await
    }
}

fn number(text: &str) -> Result<u32, Problem> {
    let digits = text.trim();
    let number = digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(passkey) if number && passkey <= LARGEST_PASSKEY => Ok(passkey),
        _ => Err(Problem::new(
            "input",
            "A passkey has up to six digits.",
            "Type the number that the device shows.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passkey_is_up_to_six_digits_and_nothing_else() {
        assert_eq!(number(" 000042 "), Ok(42));
        assert_eq!(number("999999"), Ok(LARGEST_PASSKEY));
        for text in ["", "1000000", "+12", "12a", "-1", "１２"] {
            assert!(number(text).is_err(), "{text}");
        }
    }
}
