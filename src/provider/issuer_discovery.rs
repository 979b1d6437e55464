//! Finding out where another issuer's keys are ([OIDC Discovery section 4]).
//!
//! [OIDC Discovery section 4]: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use super::Provider;
use super::outbound::{LONGEST, OutboundError};
use crate::oidc::timestamp::Timestamp;

/// Where the keys of issuers are, as far as that is known, and until when it is taken for granted.
/// The issuers are those of the configuration, so they are few.
#[derive(Debug, Default)]
pub(super) struct DiscoveredIssuers(Mutex<HashMap<String, (String, Timestamp)>>);

/// Why it is not known where an issuer's keys are.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// Its discovery document could not be fetched.
    #[error("the discovery document could not be fetched: {0}")]
    Fetch(#[from] OutboundError),
    /// The document is another issuer's ([OIDC Discovery section 4.3]).
    ///
    /// [OIDC Discovery section 4.3]: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation
    #[error("the discovery document is another issuer's")]
    OtherIssuer,
}

/// The members of a discovery document that are looked at.
#[derive(Deserialize)]
struct DiscoveryDocument {
    issuer: String,
    jwks_uri: String,
}

impl Provider {
    /// Where the keys of `issuer` are.
    pub(super) async fn discover_jwks_uri(&self, issuer: &str) -> Result<String, DiscoveryError> {
        let now = self.clock.now();
        if let Some(known) = self.discovered.find(issuer, now) {
            return Ok(known);
        }
        let base = issuer.strip_suffix('/').unwrap_or(issuer);
        let uri = format!("{base}/.well-known/openid-configuration");
        let document = self.outbound.fetch_json::<DiscoveryDocument>(&uri, LONGEST);
        let document = document.await?.content;
        if document.issuer != issuer {
            return Err(DiscoveryError::OtherIssuer);
        }
        self.discovered.keep(issuer, &document.jwks_uri, now);
        Ok(document.jwks_uri)
    }
}

impl DiscoveredIssuers {
    fn find(&self, issuer: &str, now: Timestamp) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (uri, until) = known.get(issuer)?;
        (now < *until).then(|| uri.clone())
    }

    fn keep(&self, issuer: &str, uri: &str, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(issuer.to_owned(), (uri.to_owned(), now.after(KNOWN_FOR)));
    }
}

const KNOWN_FOR: Duration = Duration::from_hours(1);
