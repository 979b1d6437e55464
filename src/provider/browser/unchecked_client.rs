//! Refusing the requests of clients that nobody has checked ([RFC 9700 section 4.11.2]).
//!
//! [RFC 9700 section 4.11.2]: https://www.rfc-editor.org/rfc/rfc9700#section-4.11.2

use crate::oidc::authorization_request::Refusal;
use crate::oidc::authorization_response::{AuthorizationResponse, ReturnAddress};
use crate::oidc::client::Client;
use crate::oidc::parameters::Parameters;
use crate::provider::Provider;
use crate::store::Lease;

use super::Browser;
use super::authorization::{AuthorizationError, AuthorizationOutcome};

/// A refusal on its way to a client that registered itself.
#[derive(Clone, Debug)]
pub struct UncheckedReturn {
    /// What the client calls itself.
    pub client_name: String,
    /// Its redirect URI.
    pub redirect_uri: String,
    /// The refusal.
    pub response: AuthorizationResponse,
}

impl Provider {
    /// Tells the client that its request makes no sense: at once, or by way of the person. A client
    /// that registered itself may have done so only to have people sent to it by an address that
    /// they trust ([RFC 9700 section 4.11.2]).
    ///
    /// [RFC 9700 section 4.11.2]: https://www.rfc-editor.org/rfc/rfc9700#section-4.11.2
    pub(super) async fn refuse_request(
        &self,
        mut db: Lease,
        browser: &Browser,
        client: &Client,
        return_address: &ReturnAddress,
        refusal: Refusal,
        is_silent: bool,
    ) -> Result<AuthorizationOutcome, AuthorizationError> {
        let is_safe = client.is_trusted()
            || is_silent
            || self.find_signed_in(&mut db, browser).await?.is_some();
        drop(db);
        Ok(match self.refuse(client, return_address, refusal).await? {
            AuthorizationOutcome::Respond(response) if !is_safe => {
                AuthorizationOutcome::AskBeforeRefusing(Box::new(UncheckedReturn {
                    client_name: client.name().to_owned(),
                    redirect_uri: return_address.redirect_uri().to_owned(),
                    response,
                }))
            }
            outcome => outcome,
        })
    }
}

/// Whether a request allows no page to be shown.
pub(super) fn is_silent(parameters: &Parameters) -> bool {
    parameters.get("prompt") == Ok(Some("none"))
}
