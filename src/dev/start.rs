//! Starting a development server.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::cli::dev::Dev;
use crate::cli::exit::{CliError, Exit};
use crate::http::pages::Brand;
use crate::http::site::{CookieNames, Site};
use crate::oidc::api::Apis;
use crate::oidc::issuer::Issuer;
use crate::oidc::policy::{
    KeyRotationPolicy, MetadataDocumentPolicy, OutboundPolicy, Policy, RegistrationMode,
    RegistrationPolicy,
};
use crate::oidc::signing_algorithm::SigningAlgorithm;
use crate::provider::clock::Clock;
use crate::provider::operator::Operator;
use crate::provider::random::Random;
use crate::provider::{Parts, Provider};
use crate::server::{self, Listening};
use crate::store::{DatabaseOptions, Store};

use super::demo::Demo;
use super::{Development, master_key, seeds};

/// Runs `keyfob dev` until a signal says to stop.
pub async fn run(arguments: Dev) -> Result<(), CliError> {
    let sockets = bind(arguments.address()?)?;
    let address = sockets[0].local_addr()?;
    let issuer = match &arguments.issuer {
        Some(issuer) => issuer.clone(),
        None => own_issuer(address)?,
    };
    let url = arguments
        .db
        .as_ref()
        .map_or("sqlite::memory:", |url| url.expose());
    let prepared = Box::pin(prepare(&arguments, url, &issuer));
    let (provider, development) = prepared.await?;
    let site = Site {
        provider: Arc::new(provider),
        brand: Brand {
            name: "Keyfob".to_owned(),
            logo: None,
            accent: None,
        },
        logo: None,
        trusted_proxies: Vec::new(),
        client_certificate_header: None,
        cookies: CookieNames::new(&issuer),
        is_development: true,
        development_users: development.users_to_show(),
    };
    let ready = if arguments.ready_json {
        development
            .ready_line(&issuer, std::process::id())
            .to_string()
    } else {
        development.summary(&issuer)
    };
    let path = issuer.path().to_owned();
    tokio::spawn(async move {
        match answers(address, &path).await {
            // Whoever reads this may have gone away; the server serves on.
            Ok(()) => drop(writeln!(io::stdout(), "{ready}")),
            Err(error) => tracing::error!(cause = %error, "the server does not answer itself"),
        }
    });
    let listening = Listening {
        sockets,
        tls: None,
        workers: None,
        shutdown_timeout: Duration::from_secs(2),
    };
    Ok(server::run(site, Some(development), listening).await?)
}

async fn prepare(
    arguments: &Dev,
    url: &str,
    issuer: &Issuer,
) -> Result<(Provider, Development), CliError> {
    let random = Random::system();
    let master_key = master_key::for_database(url, &random)
        .map_err(|error| CliError::new(Exit::Failed, error.to_string()))?;
    let master_key = Arc::new(master_key);
    let store = Store::connect(&DatabaseOptions::new(url)).await?;
    let policy = policy(arguments.open_registration);
    let clock = Clock::System;
    let now = clock.now();
    let operator = Operator::new(
        store.clone(),
        clock.clone(),
        random.clone(),
        policy.clone(),
        Arc::clone(&master_key),
    );
    let operator = operator.map_err(crate::provider::StartError::from)?;
    let planted = seeds::plant(
        &operator,
        &master_key,
        issuer,
        &arguments.redirect_uris,
        now,
    );
    let (clients, users) = planted.await?;
    let demo = Demo::new(issuer, &random);
    let parts = Parts {
        store,
        master_key,
        clock,
        random,
        issuer: issuer.clone(),
        internal_base: None,
        policy,
        allows_development_keys: true,
    };
    let development = Development {
        operator,
        clients,
        users,
        demo,
    };
    Ok((Provider::start(parts).await?, development))
}

/// The rules of a production server, with every algorithm, since there are keys for all of them
/// that cost nothing to make; and words for the scopes of the seeded clients.
fn policy(registers_everybody: bool) -> Policy {
    let describe = |scope: &str, words: &str| (scope.to_owned(), words.to_owned());
    let mut registration = RegistrationPolicy {
        metadata_documents: MetadataDocumentPolicy::Anywhere,
        // Those of the APIs on this machine, which nobody has written down.
        allows_any_scope: true,
        ..RegistrationPolicy::default()
    };
    if registers_everybody {
        registration.mode = RegistrationMode::Open;
    }
    Policy {
        registration,
        key_rotation: KeyRotationPolicy {
            algorithms: SigningAlgorithm::ALL.to_vec(),
            ..KeyRotationPolicy::default()
        },
        scopes: [
            describe("api:read", "Read your data in the example API"),
            describe("api:write", "Change your data in the example API"),
            describe("demo:read", "Read your data in the demo API"),
        ]
        .into(),
        apis: Apis {
            allows_loopback: true,
            ..Apis::default()
        },
        outbound: OutboundPolicy {
            allows_loopback: true,
            ..OutboundPolicy::default()
        },
        ..Policy::default()
    }
}

/// Binds `address`; of a loopback address both families, since browsers take either for localhost.
fn bind(address: SocketAddr) -> Result<Vec<TcpListener>, CliError> {
    let socket = TcpListener::bind(address).map_err(|error| {
        let port = address.port();
        let message = if error.kind() == io::ErrorKind::AddrInUse {
            format!(
                "port {port} is taken, perhaps by another `keyfob dev`. \
                 Stop that, or choose another: keyfob dev --port {}, or --port 0 for any that is free",
                port.saturating_add(1)
            )
        } else {
            format!("cannot listen on {address}: {error}")
        };
        CliError::new(Exit::Failed, message)
    })?;
    let bound = socket.local_addr()?;
    let mut sockets = vec![socket];
    if bound.ip() == IpAddr::from([127, 0, 0, 1]) {
        // Some machines have no IPv6; then IPv4 is what localhost means.
        sockets.extend(TcpListener::bind((Ipv6Addr::LOCALHOST, bound.port())));
    }
    Ok(sockets)
}

fn own_issuer(address: SocketAddr) -> Result<Issuer, CliError> {
    let text = if address.ip().is_loopback() || address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    };
    let issuer = text.trim_end_matches(":80").parse();
    issuer.map_err(|error| CliError::new(Exit::Usage, format!("the issuer {text}: {error}")))
}

/// Waits until the server answers.
async fn answers(address: SocketAddr, base: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {base}/healthz HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut status = [0; 12];
    stream.read_exact(&mut status).await?;
    if status.ends_with(b"200") {
        Ok(())
    } else {
        Err(io::Error::other("it answered otherwise than 200"))
    }
}
