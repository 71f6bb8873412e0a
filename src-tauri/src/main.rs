//! Starts Gattscope.

// A window application has no console on Windows.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    match gattscope_shell::Arguments::from_command_line() {
        Ok(arguments) => gattscope_shell::run(arguments),
        Err(gattscope_shell::Stop::Printed(text)) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(gattscope_shell::Stop::Refused(message)) => {
            eprintln!("gattscope: {message}");
            ExitCode::from(2)
        }
    }
}
