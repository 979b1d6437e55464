//! What a client says of itself beside its name, as far as the pages show it.

use crate::oidc::client::Client;
use crate::oidc::client_id_metadata;
use crate::oidc::redirect_uri::RedirectUri;
use crate::oidc::web_uri::WebUri;

/// What a client says of itself, and whether anybody has checked it.
///
/// The links are of http or https: [`WebUri`] has no others.
#[derive(Clone, Copy, Debug)]
pub struct AboutClient<'a> {
    /// Its logo, of https alone.
    pub logo_uri: Option<&'a str>,
    /// Its home page.
    pub client_uri: Option<&'a str>,
    /// What it says it does with data.
    pub policy_uri: Option<&'a str>,
    /// Its terms.
    pub tos_uri: Option<&'a str>,
    /// Whether it registered itself.
    pub is_unchecked: bool,
    /// The host at which it describes itself, if it is one that does.
    pub document_host: Option<&'a str>,
    /// Whether answers to it stay on the machine of whoever signs in.
    pub is_on_own_machine: bool,
}

impl<'a> AboutClient<'a> {
    /// What `client` says of itself.
    #[must_use]
    pub fn of(client: &'a Client) -> Self {
        let metadata = &client.metadata;
        let logo = metadata.logo_uri.as_ref();
        Self {
            logo_uri: logo
                .filter(|logo| logo.image_origin().is_some())
                .map(WebUri::as_str),
            client_uri: metadata.client_uri.as_ref().map(WebUri::as_str),
            policy_uri: metadata.policy_uri.as_ref().map(WebUri::as_str),
            tos_uri: metadata.tos_uri.as_ref().map(WebUri::as_str),
            is_unchecked: !client.is_trusted(),
            document_host: client_id_metadata::host(client),
            is_on_own_machine: metadata.redirect_uris.iter().all(RedirectUri::is_loopback),
        }
    }

    /// Whether there is anything to follow.
    #[must_use]
    pub fn has_links(&self) -> bool {
        self.client_uri.is_some() || self.policy_uri.is_some() || self.tos_uri.is_some()
    }
}
