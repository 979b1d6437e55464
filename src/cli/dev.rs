//! `keyfob dev`: what can be asked of it, and the address that it may bind.

use std::net::{Ipv4Addr, SocketAddr};

use clap::Args;

use super::Global;
use super::exit::{CliError, Exit, after_help};
use crate::config::DEFAULT_PORT;
use crate::config::database_url::DatabaseUrl;
use crate::oidc::issuer::Issuer;
use crate::oidc::redirect_uri::RedirectUri;

/// The arguments of `keyfob dev`.
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = after_help(
    "  keyfob dev\n  \
     keyfob dev --db sqlite:dev.db\n  \
     keyfob dev --redirect-uri http://localhost:3000/login/done\n  \
     keyfob dev --port 0 --ready-json",
))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Dev {
    /// The port on this machine; 0 for any that is free [default: 8484]
    #[arg(long, value_name = "N", conflicts_with = "listen")]
    pub port: Option<u16>,
    /// The address and port to listen on
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Where to keep the data: sqlite:FILE or a PostgreSQL URL; without it, in memory
    #[arg(long, value_name = "URL")]
    pub db: Option<DatabaseUrl>,
    /// One more redirect URI for the clients; may be repeated
    #[arg(long = "redirect-uri", value_name = "URI")]
    pub redirect_uris: Vec<RedirectUri>,
    /// Let everybody register clients (RFC 7591), as Model Context Protocol clients do
    #[arg(long)]
    pub open_registration: bool,
    /// Write one line of JSON to standard output when it answers: issuer, clients, users, pid;
    /// --json is the same
    #[arg(long)]
    pub ready_json: bool,
    /// The issuer, where it is not http://localhost and the port
    #[arg(long, value_name = "URL")]
    pub issuer: Option<Issuer>,
    /// Listen to other machines too; only together with --anyone-may-sign-in
    #[arg(long, requires = "anyone_may_sign_in")]
    pub expose: bool,
    /// Accept that its passwords and secrets are known to everybody
    #[arg(long, requires = "expose")]
    pub anyone_may_sign_in: bool,
}

impl Dev {
    /// The same with what every command takes.
    ///
    /// # Errors
    ///
    /// There is a configuration file, which would have no say here.
    pub fn with(mut self, global: &Global) -> Result<Self, CliError> {
        if let Some(file) = &global.config {
            let message = format!(
                "`keyfob dev` reads no configuration, so --config {} would change nothing. What it \
                 takes is in `keyfob dev --help`; `keyfob serve` runs as the file says",
                file.display()
            );
            return Err(CliError::new(Exit::Usage, message));
        }
        self.ready_json |= global.json;
        Ok(self)
    }

    /// The address to bind.
    ///
    /// # Errors
    ///
    /// It is not a loopback address, and the two flags for that are not there.
    pub fn address(&self) -> Result<SocketAddr, CliError> {
        let port = self.port.unwrap_or(DEFAULT_PORT);
        let address = self
            .listen
            .unwrap_or_else(|| (Ipv4Addr::LOCALHOST, port).into());
        let is_told_twice = self.expose && self.anyone_may_sign_in;
        if !address.ip().is_loopback() && !is_told_twice {
            let message = format!(
                "{address} can be reached from other machines, and everybody knows the passwords \
                 of `keyfob dev`. To serve others run `keyfob serve`; if this is a closed test \
                 network add --expose --anyone-may-sign-in"
            );
            return Err(CliError::new(Exit::Usage, message));
        }
        Ok(address)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::{Arguments, Command};
    use super::*;

    fn dev(line: &str) -> Result<Dev, clap::Error> {
        let words = ["keyfob", "dev"].into_iter().chain(line.split_whitespace());
        match Arguments::try_parse_from(words)?.command {
            Some(Command::Dev(dev)) => Ok(dev),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn dev_takes_what_every_command_takes_or_says_why_not() {
        for (line, expected) in [
            ("", Some(false)),
            ("--json", Some(true)),
            ("--ready-json", Some(true)),
            ("--config keyfob.toml", None),
        ] {
            let words = ["keyfob", "dev"].into_iter().chain(line.split_whitespace());
            let arguments = Arguments::try_parse_from(words).unwrap();
            let Some(Command::Dev(dev)) = arguments.command else {
                panic!("{line}");
            };
            let taken = dev.with(&arguments.global);
            let taken = taken.map_err(|error| assert_eq!(error.exit, Exit::Usage));
            assert_eq!(taken.ok().map(|dev| dev.ready_json), expected, "{line}");
        }
    }

    #[test]
    fn dev_binds_loopback_unless_told_twice() {
        for (line, expected) in [
            ("", Some("127.0.0.1:8484")),
            ("--port 0", Some("127.0.0.1:0")),
            ("--listen [::1]:9000", Some("[::1]:9000")),
            ("--listen 0.0.0.0:8484", None),
            (
                "--listen 0.0.0.0:8484 --expose --anyone-may-sign-in",
                Some("0.0.0.0:8484"),
            ),
        ] {
            let address = dev(line).unwrap().address();
            let address = address.map_err(|error| assert_eq!(error.exit, Exit::Usage));
            assert_eq!(
                address.ok().map(|it| it.to_string()).as_deref(),
                expected,
                "{line}"
            );
        }
        for line in [
            "--listen 0.0.0.0:8484 --expose",
            "--listen 0.0.0.0:8484 --anyone-may-sign-in",
            "--listen 127.0.0.1:1 --port 2",
            "--redirect-uri javascript:alert(1)",
            "--db mysql://x",
            "--issuer http://localhost:1/",
        ] {
            assert!(dev(line).is_err(), "{line}");
        }
    }
}
