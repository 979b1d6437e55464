//! The command line: what can be typed, and the commands behind it, adapters over the operator's
//! side of the provider.

pub mod check_config;
pub mod client;
pub mod client_input;
pub mod client_logouts;
pub mod dev;
pub mod exit;
pub mod healthcheck;
pub mod input;
pub mod key;
pub mod migrate;
pub mod operator;
pub mod output;
pub mod password;
pub mod registration_token;
pub mod serve;
pub mod user;
pub mod user_input;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use self::client::ClientCommand;
use self::dev::Dev;
use self::exit::{CliError, after_help};
use self::healthcheck::Healthcheck;
use self::key::KeyCommand;
use self::user::UserCommand;
use crate::config::{Config, environment};

/// A small OpenID Connect identity provider.
///
/// Without a command it is `keyfob dev`: an issuer for this machine alone, with users and clients
/// to try it with.
#[derive(Debug, Parser)]
#[command(name = "keyfob", version, after_help = after_help(
    "  keyfob                                         start a development issuer\n  \
     keyfob check-config                            see what `serve` would run with\n  \
     keyfob serve --config /etc/keyfob/keyfob.toml  serve in production",
))]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
}

/// What every command takes.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// The configuration file; without it, keyfob.toml in the working directory if there is one.
    /// Environment variables KEYFOB_… win over it.
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Write JSON for scripts instead of text for people.
    #[arg(long, global = true)]
    pub json: bool,
}

impl Global {
    /// Reads the configuration that the command line names.
    ///
    /// # Errors
    ///
    /// Every mistake in it, as [`exit::Exit::Invalid`].
    pub fn load_config(&self) -> Result<Config, CliError> {
        Ok(Config::load(self.config.as_deref(), environment())?)
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Starts an issuer for development on this machine, with users and clients to try it with
    Dev(Dev),
    /// Serves in production, as the configuration says
    #[command(after_help = after_help(
        "  keyfob serve\n  \
         keyfob serve --config /etc/keyfob/keyfob.toml\n  \
         KEYFOB_ISSUER=https://login.example.com KEYFOB_MASTER_KEY_FILE=master.key keyfob serve",
    ))]
    Serve,
    /// Shows the configuration in force and where each value comes from, and names what weakens it
    #[command(after_help = after_help(
        "  keyfob check-config\n  \
         keyfob check-config --json | jq '.relaxations[]'",
    ))]
    CheckConfig,
    /// Brings the database's schema up to date, which `serve` does at its start too
    #[command(after_help = after_help("  keyfob migrate"))]
    Migrate,
    /// Asks a running server whether it is ready
    Healthcheck(Healthcheck),
    /// Makes, shows and changes users; works while a server runs
    #[command(subcommand)]
    User(UserCommand),
    /// Makes, shows and changes clients; works while a server runs
    #[command(subcommand)]
    Client(ClientCommand),
    /// Shows and rotates the signing keys; works while a server runs
    #[command(subcommand)]
    Key(KeyCommand),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example_and_tells_its_exit_status() {
        fn look(command: &clap::Command) {
            for inner in command.get_subcommands() {
                look(inner);
            }
            if command.has_subcommands() {
                return;
            }
            let name = command.get_name();
            let help = command.get_after_help().map(ToString::to_string);
            let help = help.unwrap_or_else(|| panic!("{name} has no example"));
            assert!(
                help.contains("keyfob ") && help.contains("5 invalid"),
                "{name}"
            );
        }
        look(&Arguments::command());
    }
}
