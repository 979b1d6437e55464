//! `keyfob healthcheck`: for containers, whose images have no other way to ask.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use url::Url;

use super::exit::{CliError, Exit, after_help, chain};
use crate::config::{Config, DEFAULT_PORT};

/// The arguments of `keyfob healthcheck`.
#[derive(Args, Clone, Debug)]
#[command(after_help = after_help(
    "  keyfob healthcheck\n  \
     keyfob healthcheck --url http://127.0.0.1:8484/readyz",
))]
pub struct Healthcheck {
    /// What to ask; without it, /readyz at the address that the configuration listens on
    #[arg(long)]
    pub url: Option<Url>,
}

impl Healthcheck {
    /// Asks, and succeeds if the answer is 200.
    ///
    /// # Errors
    ///
    /// No answer within five seconds, or another one.
    pub async fn run(&self, config: Option<&Config>) -> Result<(), CliError> {
        let url = match &self.url {
            Some(url) => url.clone(),
            None => default_url(config)?,
        };
        let failed = |error: reqwest::Error| {
            // reqwest says what it tried; why it failed is in the causes.
            let message = format!("{url} does not answer: {}", chain(&error));
            CliError::new(Exit::Failed, message)
        };
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            // The certificate is for the issuer's name and not for 127.0.0.1; nothing secret is
            // sent, and only the status is read.
            .tls_danger_accept_invalid_certs(self.url.is_none())
            .build()
            .map_err(failed)?;
        let status = client
            .get(url.clone())
            .send()
            .await
            .map_err(failed)?
            .status();
        if status != reqwest::StatusCode::OK {
            return Err(CliError::new(
                Exit::Failed,
                format!("{url} answers {status}"),
            ));
        }
        Ok(())
    }
}

/// `/readyz` of the server that `config` configures, at an address of this machine.
fn default_url(config: Option<&Config>) -> Result<Url, CliError> {
    let scheme = match config {
        Some(config) if config.tls.is_some() => "https",
        Some(_) | None => "http",
    };
    let listen = config.map_or((Ipv4Addr::LOCALHOST, DEFAULT_PORT).into(), |it| it.listen);
    let url = format!("{scheme}://{}/readyz", reachable(listen));
    Url::parse(&url).map_err(|error| CliError::new(Exit::Failed, error.to_string()))
}

/// The address at which this machine reaches a server that is bound to `listen`.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_on_every_address_is_asked_on_loopback() {
        for (listen, expected) in [
            ("0.0.0.0:8484", "127.0.0.1:8484"),
            ("[::]:8484", "[::1]:8484"),
            ("10.0.0.1:80", "10.0.0.1:80"),
        ] {
            let listen = listen.parse().unwrap();
            assert_eq!(reachable(listen).to_string(), expected);
        }
        assert_eq!(
            default_url(None).unwrap().as_str(),
            "http://127.0.0.1:8484/readyz"
        );
    }
}
