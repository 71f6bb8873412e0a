//! Connecting to a device that somebody names: by address, by the system's identifier, by its name or
//! by the user's own name for it, whether or not it has been heard yet.

use std::time::Duration;

use radio::DeviceId;

use crate::explorer::{Explorer, Inner};
use crate::view::Problem;

/// How often the air is asked for a device that has not been heard.
const LOOK: Duration = Duration::from_millis(100);

impl Inner {
    /// The device that `text` names, once it is heard.
    async fn seek(self: &std::sync::Arc<Self>, text: &str) -> Result<DeviceId, Problem> {
        let seconds = self.preference(|preferences| preferences.connect_timeout_s);
        let until = self.now().after(Duration::from_secs(seconds.into()));
        let mut scans = false;
        loop {
            let found = self.devices().find(text);
            match &found[..] {
                [device] => return Ok(device.clone()),
                [] => {}
                several => return Err(ambiguous(text, several)),
            }
            if !scans {
                scans = true;
                self.radios.radio()?;
                if !self.radios.scanning() {
                    self.scan().await?;
                }
                self.log_done("link", "Look for", None, None, text);
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
                () = self.closing.cancelled() => return Err(radio::Error::Cancelled.into()),
            }
        }
    }
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
    /// Connects to the device that `text` names; it is waited for if it has not been heard yet.
    ///
    /// # Errors
    ///
    /// A [`Problem`]: several have that name, nobody was heard in time, or it did not connect.
    pub async fn connect_to(&self, text: String) -> Result<(), Problem> {
        let text = decode::clean::text(text.trim(), 120).into_owned();
        let device = self
            .run(|inner| async move { inner.seek(&text).await })
            .await?;
        self.connect(device).await
    }
}
