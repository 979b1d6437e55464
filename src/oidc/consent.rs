//! Consent: what a user allowed a client, remembered.

use super::authorization_request::AuthorizationRequest;
use super::claims_request::ClaimNames;
use super::client::ClientId;
use super::scope::Scopes;
use super::timestamp::Timestamp;
use super::user::UserId;

/// What a user has allowed a client to have without asking again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Consent {
    /// Who allowed it.
    pub user_id: UserId,
    /// To whom.
    pub client_id: ClientId,
    /// What.
    pub scopes: Scopes,
    /// Which single claims, beside those that go with the scopes.
    pub claims: ClaimNames,
    /// Which APIs it may get tokens for ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)).
    pub resources: Vec<String>,
    /// When it was last given.
    pub granted_at: Timestamp,
}

impl Consent {
    /// Whether it covers all that `request` asks for.
    #[must_use]
    pub fn covers(&self, request: &AuthorizationRequest) -> bool {
        let known = request.scopes.union(&self.scopes);
        let beyond = request.claims.beyond(&known);
        let mut resources = request.resources.iter();
        self.scopes.contains_all(&request.scopes)
            && beyond.iter().all(|name| self.claims.contains(name))
            && resources.all(|resource| self.resources.contains(resource))
    }
}
