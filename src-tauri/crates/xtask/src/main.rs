//! `cargo xtask`: the project's own commands.
//!
//! It prepares a machine (packages, UI build), runs the application, the tests and the benchmarks, and boots the virtual
//! radio lab. It is not a build system: cargo, npm and apt do the work, and this only knows in which order.
//!
//! ```text
//! cargo xtask run --simulated
//! cargo xtask test unit desktop
//! cargo xtask lab run 'bluetoothctl devices'
//! ```

mod bench;
mod checkout;
mod failure;
mod fuzz;
mod lab;
mod names;
mod prepare;
mod process;
mod python;
mod run;
mod screen;
mod tally;
mod test;

use std::process::ExitCode;

use failure::Failure;

const USAGE: &str = "\
The project's own commands.

  cargo xtask run [--screenshot FILE] [--theme dark|light] [--simulated] [--size WxH] [--scale N]
                  [--release] [--yes] [-- ARGUMENTS OF THE APPLICATION]
      Installs what is missing, builds, and opens the window (on a virtual screen where there is none).
  cargo xtask test [--yes] [LANE...]
      The same preparation, then the tests: lint, unit, bindings, contract-simulated, fuzz, lab, desktop, desktop-lab.
  cargo xtask bench [--yes] [NAME...]
      What is promised in numbers, beside what one would use instead: recording, decode, large, memory, durability.
  cargo xtask fuzz [--yes] [--seconds N] [TARGET...] | TARGET --input HEX
      Looks for bytes and texts that break the decoders, N seconds over all targets; or tries one input again.
  cargo xtask names [--check] [--from FOLDER] [--yes]
      Makes the tables of Bluetooth names anew from their sources (pinned Python packages, or wheels in a folder), or tells drift.
  cargo xtask lab setup | run COMMAND | serve
      A real BlueZ with virtual peripherals, in a guest; see tests/radio/README.md.

--yes installs packages without asking (so does CI=true).";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let command = arguments.next().and_then(|word| word.into_string().ok());
    let rest = lexopt::Parser::from_args(arguments);
    let outcome = match command.as_deref() {
        Some("run") => run::main(rest),
        Some("test") => test::main(rest),
        Some("bench") => bench::main(rest),
        Some("fuzz") => fuzz::main(rest),
        Some("names") => names::main(rest),
        Some("lab") => lab::main(rest),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => Err(Failure::Usage(format!("there is no command `{other}`"))),
        None => Err(Failure::Usage("a command is missing".into())),
    };
    outcome.unwrap_or_else(|failure| {
        eprintln!("xtask: {failure}");
        if let Failure::Usage(_) = failure {
            eprintln!("\n{USAGE}");
            return ExitCode::from(2);
        }
        ExitCode::FAILURE
    })
}
