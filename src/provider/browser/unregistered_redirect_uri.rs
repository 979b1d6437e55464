//! A redirect URI that is not registered, for a page that shows what differs.

use crate::oidc::client::Client;
use crate::oidc::parameters::Parameters;

/// A redirect URI that is not registered, beside those that are.
#[derive(Clone, Debug)]
pub struct UnregisteredRedirectUri {
    /// The client that was named.
    pub client_id: String,
    /// Its name.
    pub client_name: String,
    /// What was requested.
    pub requested: String,
    /// What is registered.
    pub registered: Vec<String>,
}

/// What differs between the requested redirect URI and those of `client`.
pub(super) fn unregistered(parameters: &Parameters, client: &Client) -> UnregisteredRedirectUri {
    let requested = parameters.get("redirect_uri").ok().flatten();
    let registered = client.metadata.redirect_uris.iter();
    UnregisteredRedirectUri {
        client_id: client.id.to_string(),
        client_name: client.name().to_owned(),
        requested: requested.unwrap_or_default().to_owned(),
        registered: registered.map(ToString::to_string).collect(),
    }
}
