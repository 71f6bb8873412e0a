//! The virtual radio lab: boots the guest of `tests/radio`, runs a command in it or keeps it for programs outside, and sees
//! that nothing of it stays behind.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use lexopt::Arg;

use crate::checkout;
use crate::failure::Failure;
use crate::process::{self, Background, Echo};

/// Emulation is slow, and a shared machine slower: a quiet one boots in half a minute.
const BOOT: Duration = Duration::from_secs(300);
/// How often a guest is booted that ends before its first own line: an emulated machine that is starved of time may fail
/// the checks of its own kernel. Nothing has been tested by then, so nothing is hidden by trying again.
const BOOTS: u32 = 3;
/// How long a command may take in the guest, unless `LAB_TIMEOUT` (seconds) says else.
const COMMAND: Duration = Duration::from_secs(900);
/// Where `lab serve` listens, unless `LAB_PORT` says else.
const PORT: u16 = 5555;
/// What the guest prints when BlueZ has a powered adapter.
const UP: &str = "lab: BlueZ is up";
/// Folders that the guest has for itself; what we need from there is mounted on top.
const GUESTS_OWN: [&str; 6] = [
    "/tmp",
    "/run",
    "/var/tmp",
    "/var/cache",
    "/var/log",
    "/dev/shm",
];

pub(crate) fn main(mut arguments: lexopt::Parser) -> Result<ExitCode, Failure> {
    let mut words = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            // From the command on, everything is the command's own, dashes and all.
            Arg::Value(word) if words.is_empty() && word == "run" => {
                words.push(word);
                words.extend(arguments.raw_args()?);
            }
            Arg::Value(word) => words.push(word),
            other => return Err(other.unexpected().into()),
        }
    }
    let words: Vec<String> = words
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    match words
        .split_first()
        .map(|(first, rest)| (first.as_str(), rest))
    {
        Some(("setup", [])) => {
            println!("{}", setup()?.display());
            Ok(ExitCode::SUCCESS)
        }
        Some(("run", command)) if !command.is_empty() => {
            let code = run(&command.join(" "), &log_folder(None), |_| {})?;
            Ok(ExitCode::from(code))
        }
        Some(("serve", [])) => {
            let port = match env::var("LAB_PORT") {
                Ok(port) => port
                    .parse()
                    .map_err(|_| Failure::Usage(format!("LAB_PORT is not a port: {port}")))?,
                Err(_) => PORT,
            };
            end_with_the_parent();
            let mut bus = serve(port, &log_folder(None))?;
            println!(
                "lab: ready; stop it with Ctrl-C\nDBUS_SYSTEM_BUS_ADDRESS={}",
                bus.address()
            );
            let status = bus.guest.wait()?;
            Err(Failure::Told(format!("the guest ended ({status})")))
        }
        _ => Err(Failure::Usage(
            "lab setup, lab run COMMAND or lab serve".into(),
        )),
    }
}

/// Installs what is missing and returns the kernel that the guest boots.
pub(crate) fn setup() -> Result<PathBuf, Failure> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(Failure::Told(
            "the lab boots an x86-64 Linux guest and runs on x86-64 Linux only".into(),
        ));
    }
    let mut setup = process::command(folder().join("setup"));
    let printed = process::output(setup.env("LAB_HOME", home()?))?;
    let kernel = printed.lines().last().map(PathBuf::from);
    kernel.ok_or_else(|| Failure::Told("the lab's setup named no kernel".into()))
}

/// Runs a shell command inside a fresh guest and returns its exit status; `each` gets every line that it prints.
pub(crate) fn run(command: &str, log: &Path, each: impl FnMut(&str)) -> Result<u8, Failure> {
    let limit = match env::var("LAB_TIMEOUT") {
        Ok(seconds) => seconds.parse().map(Duration::from_secs).map_err(|_| {
            Failure::Usage(format!("LAB_TIMEOUT is not a number of seconds: {seconds}"))
        })?,
        Err(_) => COMMAND,
    };
    let mut guest = boot(command, log, None, limit)?;
    guest.each_line(each);
    let status = guest.wait()?;
    let answer = fs::read_to_string(log.join("exit"))
        .ok()
        .and_then(|code| code.trim().parse().ok());
    answer.ok_or_else(|| {
        Failure::Told(match status.code() {
            Some(124 | 137) => format!(
                "the lab was stopped after {} s (LAB_TIMEOUT changes that); logs in {}",
                limit.as_secs(),
                log.display()
            ),
            _ => format!(
                "the guest ended without an answer: {}",
                last_words(&log.join("console.log"))
            ),
        })
    })
}

/// A guest that stays, with its D-Bus on a port of this machine; dropping it stops it.
pub(crate) struct Bus {
    guest: Background,
    port: u16,
}

/// Boots a guest for programs outside and waits until its adapter is powered.
pub(crate) fn serve(port: u16, log: &Path) -> Result<Bus, Failure> {
    // QEMU's own message for a taken port does not say which.
    drop(TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
        Failure::Told(format!(
            "cannot listen on 127.0.0.1:{port}: {error}; LAB_PORT chooses another port"
        ))
    })?);
    let stay = format!("echo '{UP}'; while sleep 3600; do :; done");
    let guest = boot(&stay, log, Some(port), Duration::ZERO)?;
    guest.line(BOOT, |line| line.contains(UP).then_some(()))?;
    Ok(Bus { guest, port })
}

impl Bus {
    /// What `DBUS_SYSTEM_BUS_ADDRESS` must be for a program to find this BlueZ.
    pub(crate) fn address(&self) -> String {
        format!("tcp:host=127.0.0.1,port={}", self.port)
    }
}

/// A port that nobody listens on now.
pub(crate) fn free_port() -> Result<u16, Failure> {
    let told = |error| Failure::Told(format!("there is no free port on 127.0.0.1: {error}"));
    Ok(TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map_err(told)?
        .port())
}

/// Where the guest leaves its logs: `LAB_LOG`, else the target folder; a test lane has a folder of its own in it.
pub(crate) fn log_folder(lane: Option<&str>) -> PathBuf {
    let base = env::var_os("LAB_LOG").map_or_else(|| checkout::target().join("lab"), PathBuf::from);
    let base = env::current_dir().map_or(base.clone(), |here| here.join(&base));
    lane.map_or(base.clone(), |lane| base.join(lane))
}

/// Boots the guest and returns when its own script runs. The guest says so in the file `started` of the log folder, and in
/// the file `exit` how its command ended; what its kernel says when it dies is in `console.log`.
fn boot(
    command: &str,
    log: &Path,
    forward: Option<u16>,
    limit: Duration,
) -> Result<Background, Failure> {
    let mut boots = 1;
    loop {
        let mut guest = start(command, log, forward, limit)?;
        let end = Instant::now() + BOOT;
        let why = loop {
            if log.join("started").exists() {
                return Ok(guest);
            }
            if let Some(status) = guest.ended() {
                break format!("ended while it booted ({status})");
            }
            if Instant::now() > end {
                break format!("did not boot within {} s", BOOT.as_secs());
            }
            thread::sleep(Duration::from_millis(100));
        };
        // Its last words may be on their way to the file.
        guest.stop();
        let told = format!("the guest {why}: {}", last_words(&log.join("console.log")));
        if boots == BOOTS {
            return Err(Failure::Told(told));
        }
        boots += 1;
        println!("## {told}\n## Nothing was tested in it. Boot {boots} of at most {BOOTS}.");
    }
}

/// Why a kernel died, by what it wrote to its console.
fn last_words(console: &Path) -> String {
    let text = fs::read(console).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let panic = text.lines().find(|line| line.contains("Kernel panic"));
    let line = panic.or_else(|| text.lines().rfind(|line| !line.trim().is_empty()));
    line.map_or_else(
        || format!("its kernel wrote nothing to {}", console.display()),
        |line| format!("{} (the whole is in {})", line.trim(), console.display()),
    )
}

/// Starts the guest; it boots from here on.
fn start(
    command: &str,
    log: &Path,
    forward: Option<u16>,
    limit: Duration,
) -> Result<Background, Failure> {
    let kernel = setup()?;
    let home = home()?;
    fs::create_dir_all(log).map_err(Failure::file(log))?;
    let console = log.join("console.log");
    for stale in [&log.join("started"), &log.join("exit"), &console] {
        if stale.exists() {
            fs::remove_file(stale).map_err(Failure::file(stale))?;
        }
    }
    let here = env::current_dir().map_err(Failure::file(Path::new(".")))?;

    // The boot tool takes one command line; the rest goes by a file, so that quoting is nobody's trouble.
    let mut job = String::new();
    let passed_on = env::vars().filter(|(name, _)| {
        ["HOME", "PATH", "STREAM_HZ"].contains(&name.as_str())
            || name.starts_with("RUST_")
            || name.starts_with("GATTSCOPE_")
    });
    let ours = [
        ("LAB_HOME", home.to_string_lossy()),
        ("LAB_LOG", log.to_string_lossy()),
        ("LAB_CWD", here.to_string_lossy()),
        ("LAB_COMMAND", command.into()),
    ];
    for (name, value) in passed_on {
        let _ = writeln!(job, "export {name}={}", quoted(&value));
    }
    for (name, value) in ours {
        let _ = writeln!(job, "export {name}={}", quoted(&value));
    }
    let _ = writeln!(
        job,
        "exec bash {}",
        quoted(&folder().join("guest").to_string_lossy())
    );
    let job_file = log.join("job");
    fs::write(&job_file, job).map_err(Failure::file(&job_file))?;

    let tools = home.join("venv/bin");
    let mut boot = process::leashed(tools.join("vng"), limit);
    // The boot tool calls its other half by name.
    let old = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(std::iter::once(tools).chain(env::split_paths(&old)));
    boot.env(
        "PATH",
        path.map_err(|error| {
            Failure::Told(format!("the lab's folder cannot be in PATH: {error}"))
        })?,
    );
    boot.arg("--run")
        .arg(&kernel)
        .args(["--rw", "--force-9p", "--memory", "4G", "--cpus", "2"])
        // The kernel counts ticks of the timer against a busy loop and panics when they are too few ("IO-APIC + timer
        // doesn't work!"): true of an emulated machine whose host is busy.
        .args(["--append", "no_timer_check"]);
    if env::var_os("LAB_KVM").is_none() {
        boot.arg("--disable-kvm");
    }
    let shared = hidden([&checkout::root(), &checkout::target(), &home, log, &here]);
    for folder in shared
        .iter()
        .map(PathBuf::as_path)
        .chain([home.as_path(), log])
    {
        if !plain(folder) {
            return Err(Failure::Told(format!(
                "the guest's command line has no way to name the folder {}: give the lab one without spaces and signs",
                folder.display()
            )));
        }
    }
    for folder in shared {
        boot.arg("--rwdir").arg(folder);
    }
    let network = forward.map_or_else(String::new, |port| {
        format!(",hostfwd=tcp:127.0.0.1:{port}-:5555")
    });
    boot.arg(format!(
        // The boot tool throws away what the kernel writes to its console: a kernel's last words are wanted.
        "--qemu-opts=-set chardev.console.path={} -nic user,model=virtio-net-pci{network}",
        console.display()
    ));
    boot.arg("--")
        .arg(format!("bash {}", quoted(&job_file.to_string_lossy())));
    Background::start("the guest", &mut boot, Echo::On)
}

/// Those of the folders that the guest would not see, each once, none inside another.
fn hidden<const N: usize>(folders: [&Path; N]) -> Vec<PathBuf> {
    let mut kept: Vec<PathBuf> = Vec::new();
    // Sorted, a folder comes before what it contains.
    for folder in BTreeSet::from(folders) {
        let concealed = GUESTS_OWN.iter().any(|own| folder.starts_with(own));
        if concealed && !kept.iter().any(|outer| folder.starts_with(outer)) {
            kept.push(folder.to_owned());
        }
    }
    kept
}

/// Can a kernel's command line and QEMU's options carry this path? Neither knows how to quote.
fn plain(path: &Path) -> bool {
    path.to_str().is_some_and(|path| {
        path.chars()
            .all(|c| c.is_ascii_alphanumeric() || "/._-+@".contains(c))
    })
}

fn folder() -> PathBuf {
    checkout::root().join("tests/radio")
}

/// The lab's cache: `LAB_HOME`, else a folder in the user's cache.
fn home() -> Result<PathBuf, Failure> {
    if let Some(home) = env::var_os("LAB_HOME") {
        return Ok(PathBuf::from(home));
    }
    let cache = env::var_os("XDG_CACHE_HOME")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    cache
        .map(|cache| cache.join("gattscope/lab"))
        .ok_or_else(|| {
            Failure::Told("HOME is not set; LAB_HOME can say where the lab keeps its files".into())
        })
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Ends this process when the one that started it is gone; the leash takes the guest along.
fn end_with_the_parent() {
    let started_by = parent();
    thread::spawn(move || {
        while parent() == started_by {
            thread::sleep(Duration::from_millis(500));
        }
        std::process::exit(1);
    });
}

#[cfg(unix)]
fn parent() -> u32 {
    std::os::unix::process::parent_id()
}

#[cfg(not(unix))]
fn parent() -> u32 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_word_survives_a_shell() {
        let word = "it's $HOME `x` \"y\" \\ \n end";
        let echoed = process::output(
            process::command("sh").args(["-c", &format!("printf %s {}", quoted(word))]),
        );
        assert_eq!(echoed.expect("sh answers"), word);
    }

    #[test]
    fn folders_that_the_guest_hides_are_shared_once() {
        let folders = [
            "/home/me/checkout",
            "/tmp/clone",
            "/tmp/clone/target",
            "/var/cache/lab",
            "/tmpfs",
        ]
        .map(Path::new);
        assert_eq!(
            hidden(folders),
            [Path::new("/tmp/clone"), Path::new("/var/cache/lab")]
        );
    }

    #[test]
    fn a_path_that_the_guest_cannot_be_told_is_found_before_it_boots() {
        assert!(plain(Path::new("/home/me/.cache/gattscope/lab")));
        for odd in ["/tmp/my clone", "/tmp/a,b", "/tmp/a=b", "/tmp/\u{e9}"] {
            assert!(!plain(Path::new(odd)), "{odd}");
        }
    }

    #[test]
    fn a_kernel_that_died_is_quoted() {
        let folder = tempfile::tempdir().expect("a folder for a console");
        let console = folder.path().join("console.log");
        assert!(last_words(&console).contains("wrote nothing"));
        fs::write(&console, "one\r\n[2.0] last \u{fffd}\r\n\r\n").expect("it can be written");
        assert!(last_words(&console).starts_with("[2.0] last"));
        fs::write(
            &console,
            "[1.9] Kernel panic - not syncing: no timer\r\n[2.0] ---[ end ]---\r\n",
        )
        .expect("it can be written");
        assert!(last_words(&console).starts_with("[1.9] Kernel panic - not syncing: no timer"));
    }

    #[test]
    fn a_free_port_can_be_listened_on() {
        // Another test that starts a program holds every socket until its child has execed, and
        // another program may be given the port first: one port of several must do.
        let listens = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        assert!((0..20).any(|_| listens(free_port().expect("there is one"))));
    }
}
