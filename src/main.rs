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
    let Arguments { global, command } = arguments;
    match command {
        None => with_log(&Log::default(), dev::start::run(dev::Arguments::default())),
        Some(Command::Dev(dev)) => with_log(&Log::default(), dev::start::run(dev)),
        Some(Command::Serve) => {
            let config = global.load_config()?;
            with_log(&config.log.clone(), serve::run(config))
        }
        Some(command) => {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(operate(command, &global))
        }
    }
}

/// Carries out a command that ends by itself.
async fn operate(command: Command, global: &Global) -> Result<(), CliError> {
    let output = &mut Output::stdout(global.json);
    match command {
        // Servers are started elsewhere.
        Command::Dev(_) | Command::Serve => Ok(()),
        Command::CheckConfig => check_config::run(&global.load_config()?, output),
        Command::Migrate => migrate::run(&global.load_config()?, output).await,
        Command::User(command) => user::run(command, &global.load_config()?, output).await,
        Command::Client(command) => client::run(command, &global.load_config()?, output).await,
        Command::Key(command) => key::run(command, &global.load_config()?, output).await,
        // A container that runs `keyfob dev` has no configuration.
        Command::Healthcheck(command) => command.run(global.load_config().ok().as_ref()).await,
    }
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
