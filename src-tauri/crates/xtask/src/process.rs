//! Running other programs: say what is run, turn a failure into words, and leave no process behind.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::checkout;
use crate::failure::Failure;

/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(8);

/// A program that works in the checkout's root.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(checkout::root());
    command
}

/// As `command`, and it ends when this process ends, however that happens; after `limit` (zero: never) it is ended. It
/// leads a process group of its own, so its children go with it. Linux only: these are programs of util-linux and coreutils.
pub(crate) fn leashed(program: impl AsRef<OsStr>, limit: Duration) -> Command {
    let mut command = command("setpriv");
    command
        .args(["--pdeathsig", "TERM", "--", "timeout", "--kill-after=5"])
        .arg(limit.as_secs().to_string())
        .arg(program);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

/// How the command would be typed.
pub(crate) fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let _ = write!(text, " {}", argument.to_string_lossy());
    }
    text
}

/// Runs to the end with our input and output; anything but success is a failure.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    announce(command);
    let status = command
        .status()
        .map_err(|source| not_started(command, source))?;
    succeeded(command, status)
}

/// Runs to the end and returns what it printed to standard output.
pub(crate) fn output(command: &mut Command) -> Result<String, Failure> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| not_started(command, source))?;
    succeeded(command, output.status)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs to the end; every line of standard output is printed and given to `each`.
pub(crate) fn follow(command: &mut Command, mut each: impl FnMut(&str)) -> Result<(), Failure> {
    announce(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|source| not_started(command, source))?;
    if let Some(output) = child.stdout.take() {
        for line in lines(output) {
            println!("{line}");
            each(&line);
        }
    }
    let status = child
        .wait()
        .map_err(|source| not_started(command, source))?;
    succeeded(command, status)
}

/// Does this run here at all? Says nothing either way.
pub(crate) fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn announce(command: &Command) {
    println!("$ {}", shown(command));
    let _ = std::io::stdout().flush();
}

fn succeeded(command: &Command, status: ExitStatus) -> Result<(), Failure> {
    if status.success() {
        Ok(())
    } else {
        Err(Failure::Command {
            command: shown(command),
            status,
        })
    }
}

fn not_started(command: &Command, source: std::io::Error) -> Failure {
    Failure::Start {
        command: shown(command),
        source,
    }
}

/// Lines until the end or an error; what is not UTF-8 is replaced.
fn lines(stream: impl Read) -> impl Iterator<Item = String> {
    BufReader::new(stream)
        .split(b'\n')
        .map_while(Result::ok)
        .map(|line| {
            String::from_utf8_lossy(&line)
                .trim_end_matches('\r')
                .to_owned()
        })
}

/// What becomes of the output of a program that runs beside us.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Echo {
    /// It is printed as it comes.
    On,
    /// Standard output is only read.
    Off,
}

/// A program that runs beside us; its standard output can be read by lines. Dropping stops it.
pub(crate) struct Background {
    child: Child,
    name: String,
    lines: Receiver<String>,
}

impl Background {
    /// Starts a `leashed` command. It is to be called on the main thread: the leash is bound to the thread that starts it.
    pub(crate) fn start(name: &str, command: &mut Command, echo: Echo) -> Result<Self, Failure> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| not_started(command, source))?;
        let (send, received) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            thread::spawn(move || {
                for line in lines(output) {
                    if echo == Echo::On {
                        println!("{line}");
                    }
                    // Nobody may want the lines any more; they are printed all the same.
                    let _ = send.send(line);
                }
            });
        }
        if let Some(errors) = child.stderr.take() {
            thread::spawn(move || lines(errors).for_each(|line| eprintln!("{line}")));
        }
        Ok(Self {
            child,
            name: name.to_owned(),
            lines: received,
        })
    }

    /// The next line of standard output for which `wanted` gives something. Fails when the program ends first or `limit` passes.
    pub(crate) fn line<T>(
        &self,
        limit: Duration,
        wanted: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Failure> {
        let end = Instant::now() + limit;
        loop {
            match self
                .lines
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    if let Some(found) = wanted(&line) {
                        return Ok(found);
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    return Err(Failure::Told(format!(
                        "{} was not ready after {} s",
                        self.name,
                        limit.as_secs()
                    )));
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(Failure::Told(format!(
                        "{} ended before it was ready",
                        self.name
                    )));
                }
            }
        }
    }

    /// Every line until the program closes its output.
    pub(crate) fn each_line(&self, mut each: impl FnMut(&str)) {
        self.lines.iter().for_each(|line| each(&line));
    }

    /// Has it ended, and how?
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> Result<ExitStatus, Failure> {
        let name = self.name.clone();
        self.child.wait().map_err(|source| Failure::Start {
            command: name,
            source,
        })
    }

    /// Ends it and everything that it started; returns when all of them are gone.
    pub(crate) fn stop(&mut self) {
        // `leashed` makes the program the leader of its group, so the group's number is the child's.
        let group = format!("-{}", self.child.id());
        signal("TERM", &group);
        let end = Instant::now() + GRACE;
        while Instant::now() < end {
            let reaped = self.ended().is_some();
            if reaped && !signal("0", &group) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        signal("KILL", &group);
        let _ = self.child.wait();
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Sends a signal by the shell's own `kill`, which every system has; true if somebody was there to get it.
fn signal(name: &str, whom: &str) -> bool {
    answers(Command::new("sh").args(["-c", "kill -s \"$0\" -- \"$1\"", name, whom]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        assert_eq!(
            shown(command("npm").args(["run", "build"])),
            "npm run build"
        );
    }

    #[test]
    fn lines_lose_their_endings_and_keep_what_is_not_text() {
        let read: Vec<_> = lines(&b"one\r\ntwo\xff\nlast"[..]).collect();
        assert_eq!(read, ["one", "two\u{fffd}", "last"]);
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let failure = run(&mut command("gattscope-no-such-program")).expect_err("it cannot start");
        assert!(
            failure.to_string().contains("gattscope-no-such-program"),
            "{failure}"
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn stopping_takes_the_children_of_the_program_along() {
        let mut shell = leashed("sh", Duration::ZERO);
        shell.args(["-c", "sleep 300 & echo child $!; wait"]);
        let mut program = Background::start("the shell", &mut shell, Echo::Off).expect("sh starts");
        let child = program
            .line(Duration::from_secs(10), |line| {
                line.strip_prefix("child ").map(str::to_owned)
            })
            .expect("the shell tells its child");
        assert!(signal("0", &child), "the child runs before");
        program.stop();
        assert!(!signal("0", &child), "the child is gone after");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_program_that_ends_early_is_told_from_a_slow_one() {
        let program = Background::start("true", &mut leashed("true", Duration::ZERO), Echo::Off)
            .expect("it starts");
        let failure = program
            .line(Duration::from_secs(10), |_| Some(()))
            .expect_err("it prints nothing");
        assert!(failure.to_string().contains("ended before"), "{failure}");
        let program = Background::start(
            "sleep",
            leashed("sleep", Duration::ZERO).arg("30"),
            Echo::Off,
        )
        .expect("it starts");
        let failure = program
            .line(Duration::from_millis(50), |_| Some(()))
            .expect_err("it prints nothing");
        assert!(failure.to_string().contains("not ready"), "{failure}");
    }
}
