//! Old sessions go by themselves, by age and size as the user chose: never one that is recorded, that
//! somebody has open, that the user keeps, or that was brought in.

use std::sync::Arc;
use std::time::Duration;

use session::WallTime;
use session::library::{Retention, tidy};

use crate::Preferences;
use crate::explorer::{Explorer, Inner};
use crate::files::blocking;
use crate::view::Problem;

/// How often it is looked whether a session has had its time.
const PACE: Duration = Duration::from_secs(3600);
/// The most days that can be chosen.
const MOST_DAYS: u32 = 36_500;
/// The most gigabytes that can be chosen.
const MOST_GIGABYTES: u32 = 1_000_000;
/// Names of sessions in one line of the log.
const NAMED: usize = 5;

fn retention(preferences: &Preferences) -> Retention {
    let some = |number: u32| (number > 0).then_some(u64::from(number));
    Retention {
        max_age: some(preferences.keep_days).map(|days| Duration::from_secs(days * 86_400)),
        max_bytes: some(preferences.keep_gigabytes).map(|gigabytes| gigabytes * 1_000_000_000),
    }
}

impl Inner {
    /// Deletes what has had its time at `now`, says so in the log, and gives the names of the files.
    async fn tidy(self: &Arc<Self>, now: WallTime) -> Result<Vec<String>, Problem> {
        let retention = self.preference(retention);
        if retention == Retention::default() {
            return Ok(Vec::new());
        }
        let folder = self.session_folder.clone();
        let inner = Arc::clone(self);
        let work = move || {
            let spared = |path: &std::path::Path| inner.is_open(path);
            Ok(tidy(&folder, &retention, now, &spared)?)
        };
        let tidied = blocking(self, work).await?;
        for error in tidied.failed {
            let problem = Problem::from(error);
            self.log_problem("app", "Old session not deleted", None, None, &problem);
        }
        let name = |path: &std::path::PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            decode::clean::text(&name, 120).into_owned()
        };
        let names: Vec<_> = tidied.deleted.iter().map(name).collect();
        if !names.is_empty() {
            let mut said = names[..names.len().min(NAMED)].join(", ");
            if names.len() > NAMED {
                said.push_str(&format!(" and {} more", names.len() - NAMED));
            }
            let megabytes = tidied.bytes as f64 / 1e6;
            let said =
                format!("{said}: {megabytes:.1} MB, by their age or size as set in the settings");
            self.log_done("app", "Old sessions deleted", None, None, said);
        }
        Ok(names)
    }
}

/// Tidies at the start, when a recording has begun, and every hour.
pub(crate) async fn tend(inner: Arc<Inner>) {
    loop {
        if let Err(problem) = inner.tidy(session::WallClock::system().now()).await {
            inner.log_problem("app", "Old sessions not deleted", None, None, &problem);
        }
        tokio::select! {
            () = tokio::time::sleep(PACE) => {}
            () = inner.tidying.notified() => {}
            () = inner.closing.cancelled() => return,
        }
    }
}

impl Explorer {
    /// Deletes the sessions that have had their time at `now`, as it also happens by itself at the
    /// start, with each new recording and every hour. Gives the names of their files.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if the folder cannot be read. What cannot be deleted is said in the log.
    pub async fn tidy_sessions(&self, now: WallTime) -> Result<Vec<String>, Problem> {
        self.0.tidy(now).await
    }

    /// Chooses how many days, and how many gigabytes together, sessions are kept that the user did not
    /// save; 0 for no limit. It holds from the next time on that sessions are tidied.
    ///
    /// # Errors
    ///
    /// A [`Problem`] if a number is too large.
    pub fn set_retention(&self, days: u32, gigabytes: u32) -> Result<(), Problem> {
        if days > MOST_DAYS || gigabytes > MOST_GIGABYTES {
            return Err(Problem::new(
                "input",
                format!("Sessions are kept for up to {MOST_DAYS} days and {MOST_GIGABYTES} GB."),
                "Type a smaller number, or 0 for no limit.",
            ));
        }
        self.prefer(|preferences| {
            (preferences.keep_days, preferences.keep_gigabytes) = (days, gigabytes);
        });
        Ok(())
    }
}
