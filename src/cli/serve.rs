//! `keyfob serve`.

use std::net::TcpListener;
use std::sync::Arc;

use super::exit::{CliError, Exit};
use crate::config::Config;
use crate::http::pages::Brand;
use crate::http::pages::accent::Accent;
use crate::http::site::{CookieNames, Logo, Site};
use crate::keys::master_key::MasterKey;
use crate::provider::clock::Clock;
use crate::provider::random::Random;
use crate::provider::{Parts, Provider};
use crate::server::{self, Listening};
use crate::store::{DatabaseOptions, Store};

/// Serves until a signal says to stop.
pub async fn run(config: Config) -> Result<(), CliError> {
    for relaxation in config.relaxations() {
        tracing::warn!(relaxation, "security is relaxed");
    }
    let socket = TcpListener::bind(config.listen).map_err(|error| {
        let listen = config.listen;
        let message = format!("cannot listen on {listen} (setting `listen`): {error}");
        CliError::new(Exit::Failed, message)
    })?;
    let store = Store::connect(&database(&config)).await?;
    let provider = Provider::start(Parts {
        store,
        master_key: master_key(&config),
        clock: Clock::System,
        random: Random::system(),
        issuer: config.issuer.clone(),
        internal_base: config.internal_url.clone(),
        policy: config.policy.clone(),
        allows_development_keys: false,
    })
    .await?;
    let brand = &config.brand;
    let site = Site {
        provider: Arc::new(provider),
        brand: Brand {
            name: brand.name.clone(),
            logo: brand.logo.as_ref().map(|_| "/logo".to_owned()),
            accent: brand
                .accent_color
                .as_ref()
                .and_then(|color| color.as_str().parse::<Accent>().ok()),
        },
        logo: brand.logo.as_ref().map(|logo| Logo {
            media_type: logo.media_type,
            bytes: logo.bytes.clone(),
        }),
        trusted_proxies: config.trusted_proxies.clone(),
        client_certificate_header: config.client_certificates.header.clone(),
        cookies: CookieNames::new(&config.issuer),
        is_development: false,
        development_users: Vec::new(),
    };
    tracing::info!(issuer = %config.issuer, listen = %config.listen, "serving");
    let listening = Listening {
        sockets: vec![socket],
        tls: config.tls.as_ref().map(|tls| (*tls.server).clone()),
        workers: config.workers,
        shutdown_timeout: config.shutdown_timeout,
    };
    server::run(site, None, listening).await?;
    tracing::info!("stopped");
    Ok(())
}

/// The database of `config`.
#[must_use]
pub fn database(config: &Config) -> DatabaseOptions {
    DatabaseOptions {
        url: config.database.url.expose().to_owned(),
        max_connections: config.database.max_connections,
    }
}

/// The master key of `config`.
#[must_use]
pub fn master_key(config: &Config) -> Arc<MasterKey> {
    Arc::new(MasterKey::from_bytes(*config.master_key.expose()))
}
