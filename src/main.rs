//! The `keyfob` program.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use keyfob::cli::exit::{CliError, Exit};
use keyfob::cli::output::Output;
use keyfob::cli::{Arguments, Command, check_config};

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => Exit::Done.into(),
        Err(error) => {
            // Nobody is left to be told that standard error is closed.
            let _ = writeln!(std::io::stderr(), "keyfob: {error}");
            error.exit.into()
        }
    }
}

fn run(arguments: Arguments) -> Result<(), CliError> {
    let global = arguments.global;
    let mut output = Output::stdout(global.json);
    match arguments.command {
        Some(Command::CheckConfig) => check_config::run(&global.load_config()?, &mut output),
        _ => Err(CliError::new(
            Exit::Failed,
            "this build knows how to read this command and not yet how to carry it out",
        )),
    }
}
