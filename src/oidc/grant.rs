//! Grants: what an End-User allowed a client, and everything that is issued under it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::authorization_details::AuthorizationDetails;
use super::claims_request::ClaimsRequest;
use super::client::{Client, ClientId};
use super::client_metadata::RefreshTokens;
use super::confirmation::Confirmation;
use super::grant_type::GrantType;
use super::pkce::CodeChallenge;
use super::policy::Lifetimes;
use super::scope::{OFFLINE_ACCESS, Scopes};
use super::session::SessionId;
use super::timestamp::Timestamp;
use super::token_exchange::Actor;
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
    /// What else the request asked for.
    pub details: GrantDetails,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends whatever happens: see [`expiry`].
    pub expires_at: Timestamp,
}

/// What only some requests ask for, and the tokens of the grant must remember. It is kept as JSON:
/// members that are not there have their defaults, so that old rows stay readable.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct GrantDetails {
    /// The thumbprint of the key that the code is bound to
    /// ([RFC 9449 section 10](https://www.rfc-editor.org/rfc/rfc9449#section-10)).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpop_jkt: Option<String>,
    /// What was granted in detail.
    #[serde(skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub authorization_details: AuthorizationDetails,
    /// The single claims that it asked for, beside those of its scopes.
    #[serde(skip_serializing_if = "ClaimsRequest::is_empty")]
    pub claims: ClaimsRequest,
    /// The APIs that its tokens may be for, each for one of them
    /// ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
}

/// Whether `client` gets a refresh token when it is granted `scopes`.
#[must_use]
pub fn gets_refresh_token(client: &Client, scopes: &Scopes) -> bool {
    let metadata = &client.metadata;
    let wants = match metadata.refresh_tokens {
        RefreshTokens::Always => true,
        RefreshTokens::OfflineAccess => scopes.contains(OFFLINE_ACCESS),
    };
    wants && metadata.grant_types.contains(GrantType::RefreshToken)
}

/// When a grant of `scopes` to `client` that is made at `now` ends: with the absolute lifetime of
/// its refresh tokens, or, where it gets none, once all that comes of its code has long expired.
#[must_use]
pub fn expiry(
    client: &Client,
    scopes: &Scopes,
    lifetimes: &Lifetimes,
    now: Timestamp,
) -> Timestamp {
    if gets_refresh_token(client, scopes) {
        return now.after(lifetimes.refresh_token);
    }
    let metadata = &client.metadata;
    let access_token = metadata.access_token_lifetime(lifetimes.access_token);
    let longest = access_token.max(metadata.id_token_lifetime(lifetimes.id_token));
    // Twice: the operator may make the tokens live longer before the code is exchanged.
    now.after(lifetimes.authorization_code)
        .after(longest)
        .after(longest)
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
    /// The keys that it is bound to: those of a public client, which shows nothing else.
    pub confirmation: Confirmation,
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
    /// What it allows in detail.
    pub details: AuthorizationDetails,
    /// The APIs it is for.
    pub audience: Vec<String>,
    /// The keys that it is bound to.
    pub confirmation: Confirmation,
    /// Who acts for the user, in a token that came of an exchange.
    pub actor: Option<Actor>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::client_metadata::ClientMetadata;
    use super::super::grant_type::GrantTypes;
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000);
    const ONLINE: &str = "openid";
    const OFFLINE: &str = "openid offline_access";

    fn client(metadata: ClientMetadata) -> Client {
        Client {
            id: "app".parse().unwrap(),
            metadata,
            secret: None,
            created_at: NOW,
            updated_at: NOW,
            disabled_at: None,
            self_registered_at: None,
        }
    }

    #[test]
    fn a_grant_lives_as_long_as_what_is_issued_under_it() {
        let lifetimes = Lifetimes {
            authorization_code: Duration::from_mins(1),
            access_token: Duration::from_hours(1),
            id_token: Duration::from_mins(5),
            refresh_token: Duration::from_secs(1_000_000),
            ..Lifetimes::default()
        };
        let usual = ClientMetadata::default();
        let always = ClientMetadata {
            refresh_tokens: RefreshTokens::Always,
            ..usual.clone()
        };
        let never = ClientMetadata {
            grant_types: GrantTypes(vec![GrantType::AuthorizationCode]),
            ..always.clone()
        };
        let patient = ClientMetadata {
            id_token_lifetime: Some(10_000),
            ..usual.clone()
        };
        let endless = ClientMetadata {
            access_token_lifetime: Some(u64::MAX),
            ..usual.clone()
        };
        for (name, metadata, scopes, is_refreshed, seconds) in [
            ("usual", &usual, ONLINE, false, 60 + 2 * 3600),
            ("usual", &usual, OFFLINE, true, 1_000_000),
            ("always", &always, ONLINE, true, 1_000_000),
            ("never", &never, OFFLINE, false, 60 + 2 * 3600),
            ("patient", &patient, ONLINE, false, 60 + 2 * 10_000),
            ("endless", &endless, ONLINE, false, i64::MAX - NOW.0),
        ] {
            let (client, scopes) = (client(metadata.clone()), scopes.parse().unwrap());
            let actual = gets_refresh_token(&client, &scopes);
            assert_eq!(actual, is_refreshed, "{name} {scopes}");
            let expires_at = expiry(&client, &scopes, &lifetimes, NOW);
            assert_eq!(expires_at.seconds_since(NOW), seconds, "{name} {scopes}");
        }
    }
}
