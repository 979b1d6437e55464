//! `keyfob serve`.

use std::net::TcpListener;
use std::sync::Arc;

use super::exit::{CliError, Exit, chain};
use super::operator::{database, master_key};
use crate::config::Config;
use crate::http::pages::Brand;
use crate::http::pages::accent::Accent;
use crate::http::site::{CookieNames, Logo, Site};
use crate::provider::clock::Clock;
use crate::provider::random::Random;
use crate::provider::{Parts, Provider, StartError};
use crate::server::{self, Listening};
use crate::store::Store;

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

impl From<StartError> for CliError {
    fn from(error: StartError) -> Self {
        let exit = match &error {
            StartError::OtherMasterKey | StartError::DevelopmentKeys => Exit::Invalid,
            StartError::Hashing(_) | StartError::Metadata | StartError::Internal(_) => Exit::Failed,
        };
        Self::new(exit, chain(&error))
    }
}
