//! A real window to test: the built application in WebKitGTK, driven over WebDriver.
//!
//! `cargo xtask test desktop` gives what is needed: a screen, a session bus, the built application
//! (`GATTSCOPE_BIN`). Each [`Window`] has a home of its own, so that no test sees another's settings
//! or recordings, and ends its driver and its application when it is dropped.

// The driver of WebKitGTK is on Linux.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// How long a window may take to do what it was asked, by default.
const PATIENCE: Duration = Duration::from_secs(20);

/// The application in a window.
pub struct Window {
    client: Client,
    driver: Child,
    home: Arc<tempfile::TempDir>,
    patience: Duration,
}

impl Window {
    /// Opens the application with these words behind its name.
    ///
    /// # Panics
    ///
    /// If it does not open: a test has nothing to say then.
    pub async fn open(arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a home for the application");
        Self::open_in(Arc::new(home), arguments).await
    }

    /// Closes the application and opens it again in the same home.
    ///
    /// # Panics
    ///
    /// If it does not open.
    pub async fn reopen(self, arguments: &[&str]) -> Self {
        let home = Arc::clone(&self.home);
        self.close().await;
        Self::open_in(home, arguments).await
    }

    async fn open_in(home: Arc<tempfile::TempDir>, arguments: &[&str]) -> Self {
        let binary = std::env::var("GATTSCOPE_BIN").expect("GATTSCOPE_BIN names the application");
        let port = free_port();
        let driver = Command::new("WebKitWebDriver")
            .arg(format!("--port={port}"))
            .envs(
                [
                    "XDG_DATA_HOME",
                    "XDG_CONFIG_HOME",
                    "XDG_CACHE_HOME",
                    "XDG_STATE_HOME",
                ]
                .map(|name| (name, home.path().join(name.to_lowercase()).into_os_string())),
            )
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .process_group(0)
            // Frames under a virtual screen take half the time without it.
            .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
            .env("GATTSCOPE_SEED", "7")
            .stdout(Stdio::null())
            .spawn()
            .expect("WebKitWebDriver starts");
        let mut capabilities = Capabilities::new();
        capabilities.insert(
            "webkitgtk:browserOptions".into(),
            json!({ "binary": binary, "args": arguments }),
        );
        let address = format!("http://127.0.0.1:{port}");
        let started = Instant::now();
        let client = loop {
            let attempt = ClientBuilder::new(HttpConnector::new())
                .capabilities(capabilities.clone())
                .connect(&address)
                .await;
            match attempt {
                Ok(client) => break client,
                Err(_) if started.elapsed() < Duration::from_secs(10) => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                Err(error) => panic!("the window does not open: {error}"),
            }
        };
        let window = Self {
            client,
            driver,
            home,
            patience: PATIENCE,
        };
        window
            .wait("document.documentElement.dataset.ready === 'true'")
            .await;
        window
    }

    /// Waits longer for everything: an emulated machine answers.
    #[must_use]
    pub fn patient(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// A folder of this window's own.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs JavaScript in the page; what it returns is the answer.
    ///
    /// # Panics
    ///
    /// If the page does not run it.
    pub async fn run(&self, script: &str) -> Value {
        self.client
            .execute(script, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("the page did not run «{script}»: {error}"))
    }

    /// Runs JavaScript that calls `done(answer)`.
    ///
    /// # Panics
    ///
    /// If the page does not run it.
    pub async fn run_async(&self, script: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1]; {script}");
        self.client
            .execute_async(&script, Vec::new())
            .await
            .unwrap_or_else(|error| panic!("the page did not run «{script}»: {error}"))
    }

    /// Waits until an expression is true in the page.
    ///
    /// # Panics
    ///
    /// If it does not become so in time; the message has what the page shows.
    pub async fn wait(&self, expression: &str) {
        let started = Instant::now();
        while self.run(&format!("return Boolean({expression})")).await != true {
            if started.elapsed() > self.patience {
                self.picture("failed");
                let text = self.run("return document.body.innerText").await;
                panic!("not in time: {expression}\nThe page shows: {text}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits for an element and clicks on it as a person would.
    ///
    /// # Panics
    ///
    /// If there is none in time, or it cannot be clicked.
    pub async fn click(&self, selector: &str) {
        self.wait(&format!("document.querySelector({})", json!(selector)))
            .await;
        self.run(&format!(
            "document.querySelector({}).scrollIntoView({{ block: 'center' }})",
            json!(selector)
        ))
        .await;
        let started = Instant::now();
        loop {
            // A list that moves may take the element away between finding and clicking.
            let clicked = match self.client.find(Locator::Css(selector)).await {
                Ok(element) => element.click().await,
                Err(error) => Err(error),
            };
            match clicked {
                Ok(()) => return,
                Err(_) if started.elapsed() < self.patience => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => {
                    self.picture("failed");
                    panic!("{selector} cannot be clicked: {error}");
                }
            }
        }
    }

    /// Replaces what stands in a field, key by key.
    ///
    /// # Panics
    ///
    /// If there is no such field.
    pub async fn type_into(&self, selector: &str, text: &str) {
        self.click(selector).await;
        let field = self
            .client
            .find(Locator::Css(selector))
            .await
            .expect("the field");
        self.run(&format!(
            "document.querySelector({}).select()",
            json!(selector)
        ))
        .await;
        if text.is_empty() {
            field.send_keys("\u{E003}").await.expect("Delete");
        } else {
            field.send_keys(text).await.expect("it takes keys");
        }
    }

    /// Sends keys to whatever has the focus.
    ///
    /// # Panics
    ///
    /// If nothing takes them.
    pub async fn keys(&self, keys: &str) {
        let focused = self
            .client
            .active_element()
            .await
            .expect("something has the focus");
        focused.send_keys(keys).await.expect("it takes keys");
    }

    /// The text of an element, once there is one.
    pub async fn text(&self, selector: &str) -> String {
        self.wait(&format!("document.querySelector({})", json!(selector)))
            .await;
        let script = format!(
            "return document.querySelector({}).innerText",
            json!(selector)
        );
        self.run(&script)
            .await
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Waits until an element's text contains `part`.
    pub async fn shows(&self, selector: &str, part: &str) {
        self.wait(&format!(
            "document.querySelector({})?.innerText.includes({})",
            json!(selector),
            json!(part)
        ))
        .await;
    }

    /// Waits until one of the notes says `part`.
    pub async fn notes(&self, part: &str) {
        self.wait(&format!(
            "[...document.querySelectorAll('[data-testid=notice]')].some((note) => note.innerText.includes({}))",
            json!(part)
        ))
        .await;
    }

    /// Answers the system's save dialog with a path, by keys, as a person would.
    ///
    /// # Panics
    ///
    /// If no dialog comes.
    pub async fn save_as(&self, path: &Path) {
        self.answer("^Save", "ctrl+a", path).await;
    }

    /// Answers the system's dialog that asks for a file with a path, by keys.
    ///
    /// # Panics
    ///
    /// If no dialog comes.
    pub async fn choose_file(&self, path: &Path) {
        // The dialog shows a list; its field for a path comes by this key.
        self.answer("^Open|^Select", "ctrl+l", path).await;
    }

    /// Types a path into the system's dialog of that title, after a key that makes room for it.
    async fn answer(&self, title: &str, first: &str, path: &Path) {
        let started = Instant::now();
        // The dialog is a window of its own, which WebDriver does not see.
        let dialog = loop {
            let found = Command::new("xdotool")
                .args(["search", "--onlyvisible", "--name", title])
                .output()
                .expect("xdotool");
            let list = String::from_utf8_lossy(&found.stdout).into_owned();
            if let Some(id) = list.lines().last() {
                break id.to_owned();
            }
            if started.elapsed() > self.patience {
                self.picture("failed");
                panic!("no dialog of the title {title} came");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        let xdotool = |words: &[&str]| {
            let status = Command::new("xdotool")
                .args(words)
                .status()
                .expect("xdotool");
            assert!(status.success(), "xdotool {words:?}");
        };
        tokio::time::sleep(Duration::from_millis(500)).await;
        xdotool(&["windowfocus", &dialog]);
        xdotool(&["key", "--clearmodifiers", first]);
        xdotool(&["type", "--delay", "15", &path.display().to_string()]);
        tokio::time::sleep(Duration::from_millis(300)).await;
        xdotool(&["key", "Return"]);
    }

    /// Saves what the screen shows beside the test's output, to be looked at.
    pub fn picture(&self, name: &str) {
        let folder =
            std::env::var_os("GATTSCOPE_PICTURES").map_or_else(std::env::temp_dir, PathBuf::from);
        let _ = fs::create_dir_all(&folder);
        let _ = Command::new("import")
            .args(["-window", "root"])
            .arg(folder.join(format!("gattscope-{name}.png")))
            .status();
    }

    /// Asks the application to end, as the system does when the user logs out, and waits until it has.
    /// Gives the recording that it leaves.
    ///
    /// # Panics
    ///
    /// If it does not end, or leaves no recording.
    pub async fn terminate(self) -> PathBuf {
        let group = self.driver.id().to_string();
        let mut ask = Command::new("pkill");
        ask.args(["-TERM", "-g", &group, "-x", "gattscope"]);
        assert!(ask.status().is_ok_and(|status| status.success()));
        let started = Instant::now();
        let mut runs = Command::new("pgrep");
        runs.args(["-g", &group, "-x", "gattscope"])
            .stdout(Stdio::null());
        while runs.status().is_ok_and(|status| status.success()) {
            assert!(started.elapsed() < Duration::from_secs(20), "it goes on");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let mut folders = vec![self.home().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder is read") {
                let path = entry.expect("an entry is read").path();
                if path.extension().is_some_and(|e| e == "gattscope") && path.is_file() {
                    // The home goes with the window.
                    let kept = std::env::temp_dir().join(format!("ended-{group}.gattscope"));
                    std::fs::copy(&path, &kept).expect("the recording is copied");
                    return kept;
                }
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                }
            }
        }
        panic!("there is no recording");
    }

    /// Closes the window as a person would, and waits until the application has ended.
    pub async fn close(self) {
        let _ = self.client.clone().close().await;
        drop(self);
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // The driver leads a group that the application is in; one that stayed would be found by the
        // next, which would only bring it forward.
        let group = format!("-{}", self.driver.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.driver.wait();
    }
}

/// The values of a characteristic that came by themselves, out of an exported table, in order.
///
/// # Panics
///
/// If the file is no such table.
#[must_use]
pub fn notified(csv: &Path, characteristic: &str) -> Vec<Vec<u8>> {
    let mut reader = csv::Reader::from_path(csv).expect("the export");
    let headers = reader.headers().expect("a header").clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header == name)
            .expect(name)
    };
    let (kind, uuid, hex) = (column("kind"), column("characteristic"), column("hex"));
    reader
        .records()
        .map(|record| record.expect("a row"))
        .filter(|row| row[uuid] == *characteristic && row[kind].starts_with("notification"))
        .map(|row| {
            row[hex]
                .split(' ')
                .map(|b| u8::from_str_radix(b, 16).expect("hex"))
                .collect()
        })
        .collect()
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a local port");
    listener.local_addr().expect("its address").port()
}
