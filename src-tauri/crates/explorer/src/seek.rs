//! Connecting to a device that somebody names: by address, by the system's identifier, by its name or
//! by the user's own name for it, whether or not it has been heard yet.

use std::time::Duration;

use radio::{DeviceId, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::explorer::{Explorer, Inner};
use crate::view::Problem;

/// How often the air is asked for a device that has not been heard.
const LOOK: Duration = Duration::from_millis(100);

impl Inner {
    /// The device that `text` names, once it is heard.
    async fn seek(self: &std::sync::Arc<Self>, text: &str) -> Result<DeviceId, Problem> {
        if let Some(device) = self.heard_as(text)? {
            return Ok(device);
        }
        self.radios.radio()?;
        self.log_done("link", "Look for", None, None, text);
        let scans = !self.radios.scanning();
        if scans {
            self.scan().await?;
        }
        let until = self.now().after(self.patience());
        let (number, stop) = self.radios.seek(text, until);
        self.tell_radio();
        let found = self.wait_for_one(text, until, &stop).await;
        let last = self.radios.sought(number);
        self.tell_radio();
        if let Err(problem) = &found {
            self.log_problem("link", "Look for", None, None, problem);
        }
        if scans && last {
            // It ran for this only.
            self.end_scan().await?;
        }
        found
    }

    /// The device that `text` names among those that were heard, if there is one.
    fn heard_as(&self, text: &str) -> Result<Option<DeviceId>, Problem> {
        let found = self.devices().find(text);
        match &found[..] {
            [] => Ok(None),
            [device] => Ok(Some(device.clone())),
            several => Err(ambiguous(text, several)),
        }
    }

    async fn wait_for_one(
        &self,
        text: &str,
        until: Timestamp,
        stop: &CancellationToken,
    ) -> Result<DeviceId, Problem> {
        let seconds = self.patience().as_secs();
        loop {
            if let Some(device) = self.heard_as(text)? {
                return Ok(device);
            }
            if self.now() >= until {
                return Err(Problem::new(
                    "not_heard",
                    format!("Nothing called \"{text}\" was heard in {seconds} s."),
                    "Make sure that it is on and advertises, and that its name or address is written \
                     as in the list.",
                ));
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => return Err(radio::Error::Cancelled.into()),
                () = self.closing.cancelled() => return Err(radio::Error::Cancelled.into()),
            }
        }
    }
}

/// The identifier that `text` is, in the system's own spelling.
fn identifier(text: &str) -> Option<DeviceId> {
    if let Ok(address) = text.parse::<radio::Address>() {
        return Some(address.to_string().into());
    }
    let uuid = text.parse::<uuid::Uuid>().ok()?;
    Some(uuid.to_string().into())
}

fn ambiguous(text: &str, several: &[DeviceId]) -> Problem {
    let list: Vec<_> = several.iter().take(4).map(DeviceId::as_str).collect();
    Problem::new(
        "ambiguous",
        format!(
            "{} devices are called \"{text}\": {}.",
            several.len(),
            list.join(", ")
        ),
        "Use the address of one of them.",
    )
}

impl Explorer {
    /// Gives up the search for a device that was not heard yet.
    pub fn stop_seeking(&self) {
        self.0.radios.stop_seeking();
    }

    /// Connects to the device that `text` names. One that has not been heard yet is waited for, as long
    /// as connecting may take after it. An address or identifier is tried at once: a device that the
    /// system knows need not advertise.
    ///
    /// # Errors
    ///
    /// A [`Problem`]: several have that name, nobody was heard in time, or it did not connect.
    pub async fn connect_to(&self, text: String) -> Result<(), Problem> {
        let text = decode::clean::text(text.trim(), 120).into_owned();
        let heard = !self.0.devices().find(&text).is_empty();
        if let Some(device) = identifier(&text).filter(|_| !heard) {
            let had_a_tab = self.0.known_connection(&device).is_some();
            match self.connect(device.clone()).await {
                Err(problem) if problem.code == "unknown_device" => {
                    if !had_a_tab {
                        self.close_device(device).await?;
                    }
                }
                connected => return connected,
            }
        }
        let device = self
            .run(|inner| async move { inner.seek(&text).await })
            .await?;
        self.connect(device).await
    }
}
