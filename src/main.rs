//! The `keyfob` program.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use keyfob::cli::exit::{CliError, Exit};
use keyfob::cli::output::Output;
use keyfob::cli::{Arguments, Command, Global, check_config, client, key, migrate, serve, user};
use keyfob::config::log::Log;
use keyfob::{dev, logging, server};

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
    let output = &mut Output::stdout(global.json);
    match arguments.command {
        None => develop(dev::Arguments::default(), &global),
        Some(Command::Dev(dev)) => develop(dev, &global),
        Some(Command::Serve) => {
            let config = global.load_config()?;
            with_log(&config.log.clone(), serve::run(config))
        }
        Some(Command::CheckConfig) => check_config::run(&global.load_config()?, output),
        Some(Command::Migrate) => finish(migrate::run(&global.load_config()?, output)),
        Some(Command::User(command)) => finish(user::run(command, &global.load_config()?, output)),
        Some(Command::Client(command)) => {
            finish(client::run(command, &global.load_config()?, output))
        }
        Some(Command::Key(command)) => finish(key::run(command, &global.load_config()?, output)),
        // A container that runs `keyfob dev` has no configuration.
        Some(Command::Healthcheck(command)) => {
            finish(command.run(global.load_config().ok().as_ref()))
        }
    }
}

/// Runs a development server to its end.
fn develop(dev: dev::Arguments, global: &Global) -> Result<(), CliError> {
    let dev = dev.with(global)?;
    with_log(&Log::default(), dev::start::run(dev))
}

/// Runs a command to its end.
fn finish(command: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    tokio::runtime::Runtime::new()?.block_on(command)
}

/// Runs a server to its end, with a log.
fn with_log(
    log: &Log,
    running: impl Future<Output = Result<(), CliError>>,
) -> Result<(), CliError> {
    let guard = logging::start(log);
    let guard = guard.map_err(|error| CliError::new(Exit::Failed, error.to_string()))?;
    let ended = server::block_on(running);
    drop(guard);
    ended
}
