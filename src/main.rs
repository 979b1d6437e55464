//! The `keyfob` program.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use keyfob::cli::exit::{CliError, Exit};
use keyfob::cli::output::Output;
use keyfob::cli::{Arguments, Command, check_config, client, key, migrate, user};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Runtime::new().map_err(CliError::from);
    match runtime.and_then(|runtime| runtime.block_on(run(arguments))) {
        Ok(()) => Exit::Done.into(),
        Err(error) => {
            // Nobody is left to be told that standard error is closed.
            let _ = writeln!(std::io::stderr(), "keyfob: {error}");
            error.exit.into()
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), CliError> {
    let global = arguments.global;
    let output = &mut Output::stdout(global.json);
    match arguments.command {
        Some(Command::CheckConfig) => check_config::run(&global.load_config()?, output),
        Some(Command::Migrate) => migrate::run(&global.load_config()?, output).await,
        Some(Command::User(command)) => user::run(command, &global.load_config()?, output).await,
        Some(Command::Client(command)) => {
            client::run(command, &global.load_config()?, output).await
        }
        Some(Command::Key(command)) => key::run(command, &global.load_config()?, output).await,
        // A container that runs `keyfob dev` has no configuration.
        Some(Command::Healthcheck(command)) => {
            command.run(global.load_config().ok().as_ref()).await
        }
        None | Some(Command::Dev(_) | Command::Serve) => Err(CliError::new(
            Exit::Failed,
            "this build knows how to read this command and not yet how to carry it out",
        )),
    }
}
