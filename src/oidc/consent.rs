//! Consent: what a user allowed a client, remembered.

use super::client::ClientId;
use super::scope::Scopes;
use super::timestamp::Timestamp;
use super::user::UserId;

/// The scopes that a user has allowed a client to have without asking again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Consent {
    /// Who allowed it.
    pub user_id: UserId,
    /// To whom.
    pub client_id: ClientId,
    /// What.
    pub scopes: Scopes,
    /// When it was last given.
    pub granted_at: Timestamp,
}
