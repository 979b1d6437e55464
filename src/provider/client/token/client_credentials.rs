//! The client credentials grant ([RFC 6749 section 4.4]): a client that acts as itself.
//!
//! A JWT needs no row of its own, so most of these requests write nothing.
//!
//! [RFC 6749 section 4.4]: https://www.rfc-editor.org/rfc/rfc6749#section-4.4

use crate::oidc::api::InvalidTarget;
use crate::oidc::client::Client;
use crate::oidc::scope::{STANDARD, Scopes};
use crate::oidc::token_request::ClientCredentialsRequest;
use crate::oidc::token_response::TokenResponse;
use crate::provider::Provider;
use crate::provider::client::dpop::Sender;
use crate::store::access_tokens;

use super::TokenError;
use super::issue::{Access, Subject};

impl Provider {
    /// Issues an access token that speaks for `client` itself.
    pub(super) async fn act_as_itself(
        &self,
        client: &Client,
        request: ClientCredentialsRequest,
        sender: &Sender,
    ) -> Result<TokenResponse, TokenError> {
        if !client.is_confidential() {
            return Err(TokenError::PublicClient);
        }
        let details = request.details.unwrap_or_default();
        let details = details.permitted(client, &self.policy.authorization_details)?;
        let scopes = own_scopes(client, request.scopes.as_ref())?;
        let access = Access::new(scopes, details);
        let access = self.own_access(client, access, &request.resources)?;
        let confirmation = self.bind(client, sender).await?;
        let now = self.clock.now();
        let mut access_token =
            self.make_access_token(client, Subject::Client, access, &confirmation, now)?;
        if let Some((digest, record)) = access_token.record.take() {
            self.store
                .write(move |db| {
                    Box::pin(async move { access_tokens::insert(db, &digest, &record).await })
                })
                .await?;
        }
        Ok(access_token.respond(None, None))
    }

    /// `access` of a client itself, to the one API that it names. Nobody is asked here, so it gets
    /// no scope of the API that it is not registered for.
    pub(super) fn own_access(
        &self,
        client: &Client,
        access: Access,
        resources: &[String],
    ) -> Result<Access, TokenError> {
        match resources {
            [] => Ok(access),
            [resource] => Ok(self.access_to(client, resource, access)?),
            _ => Err(InvalidTarget.into()),
        }
    }
}

/// The scopes of a client's own token: never those that speak of a user.
pub(super) fn own_scopes(
    client: &Client,
    requested: Option<&Scopes>,
) -> Result<Scopes, TokenError> {
    let speaks_of_user = |scope: &str| STANDARD.contains(&scope);
    match requested {
        Some(requested) if requested.iter().any(speaks_of_user) => Err(TokenError::InvalidScope),
        Some(requested) => Ok(client.permitted(requested)),
        None => {
            let registered = client.metadata.scope.clone().unwrap_or_default();
            Ok(registered.filtered(|scope| !speaks_of_user(scope)))
        }
    }
}
