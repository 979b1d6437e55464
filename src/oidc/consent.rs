//! Consent: what a user allowed a client, remembered.

use super::claims_request::{ClaimNames, ClaimsRequest};
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
    /// When it was last given.
    pub granted_at: Timestamp,
}

impl Consent {
    /// Whether it covers `scopes` and what `claims` asks for beside them.
    #[must_use]
    pub fn covers(&self, scopes: &Scopes, claims: &ClaimsRequest) -> bool {
        let known = scopes.union(&self.scopes);
        let beyond = claims.beyond(&known);
        self.scopes.contains_all(scopes) && beyond.iter().all(|name| self.claims.contains(name))
    }
}
