//! Grants: what an End-User allowed a client, and everything that is issued under it.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::client::ClientId;
use super::pkce::CodeChallenge;
use super::scope::Scopes;
use super::session::SessionId;
use super::timestamp::Timestamp;
use super::user::UserId;

/// The identifier of a grant.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct GrantId(pub Uuid);

impl FromStr for GrantId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// One authorization: a code and every token that descends from it. Revoking it ends them all.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    /// Its identifier.
    pub id: GrantId,
    /// The client that was authorized.
    pub client_id: ClientId,
    /// The user who authorized it.
    pub user_id: UserId,
    /// The session in which that happened.
    pub session_id: SessionId,
    /// What was granted.
    pub scopes: Scopes,
    /// When the user had last proved who they are.
    pub authenticated_at: Timestamp,
    /// The claim `acr`.
    pub acr: String,
    /// The claim `amr`.
    pub amr: Vec<String>,
    /// The `nonce` of the authorization request.
    pub nonce: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends whatever happens: the absolute lifetime of its refresh tokens.
    pub expires_at: Timestamp,
}

/// An authorization code as it is kept, under its digest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthorizationCode {
    /// The grant it stands for.
    pub grant_id: GrantId,
    /// The redirect URI that the request named, byte for byte.
    pub redirect_uri: String,
    /// The PKCE challenge of the request, if it had one.
    pub code_challenge: Option<CodeChallenge>,
    /// How often it was presented wrongly.
    pub failures: i64,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A refresh token as it is kept, under its digest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefreshToken {
    /// The grant it belongs to.
    pub grant_id: GrantId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends if it is not used.
    pub expires_at: Timestamp,
    /// When it was exchanged for its successor, if it was.
    pub rotated_at: Option<Timestamp>,
}

/// An opaque access token as it is kept, under its digest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessTokenRecord {
    /// The grant it belongs to; none for a client that acts as itself.
    pub grant_id: Option<GrantId>,
    /// The client it was issued to.
    pub client_id: ClientId,
    /// What it allows.
    pub scopes: Scopes,
    /// The APIs it is for.
    pub audience: Vec<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}
