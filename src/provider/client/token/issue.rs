//! Making the tokens of an answer. Nothing is stored here: what must be is returned.

use std::time::Duration;

use crate::keys::jwe::Content;
use crate::keys::jwt::{self, TokenType};
use crate::oidc::api::{self, Api, InvalidTarget};
use crate::oidc::authorization_details::AuthorizationDetails;
use crate::oidc::authorization_response::ResponseParameters;
use crate::oidc::claims::{self, AccessTokenClaims, IdTokenClaims};
use crate::oidc::client::Client;
use crate::oidc::client_metadata::{self, AccessTokenFormat};
use crate::oidc::confirmation::Confirmation;
use crate::oidc::grant::{AccessTokenRecord, Grant, GrantId};
use crate::oidc::protected_response::Protection;
use crate::oidc::response_type::ResponseType;
use crate::oidc::scope::{self, Scopes};
use crate::oidc::secret::{Digest, Secret, SecretKind};
use crate::oidc::signing_algorithm::SigningAlgorithm;
use crate::oidc::timestamp::Timestamp;
use crate::oidc::token_exchange::{Actor, Exchange};
use crate::oidc::token_response::TokenResponse;
use crate::oidc::user::User;
use crate::oidc::user_claims;
use crate::provider::{InternalError, Provider};

/// An access token that was made, and what must be stored before it is handed out.
pub(in crate::provider) struct AccessToken {
    text: String,
    token_type: &'static str,
    expires_in: u64,
    access: Access,
    /// What an opaque token is kept as, under which digest.
    pub(in crate::provider) record: Option<(Digest, AccessTokenRecord)>,
}

/// What an access token allows, and where.
#[derive(Clone, Debug, Default)]
pub(in crate::provider) struct Access {
    /// In scopes.
    scopes: Scopes,
    /// In detail.
    details: AuthorizationDetails,
    /// The one API that it is for, where one was asked for.
    target: Option<Box<Target>>,
}

/// The API that a token is for.
#[derive(Clone, Debug)]
struct Target {
    resource: String,
    api: Api,
    /// All scopes that were granted, also those that are not the API's.
    granted: Scopes,
}

impl Access {
    /// These, wherever the client's tokens are good.
    pub(super) fn new(scopes: Scopes, details: AuthorizationDetails) -> Self {
        Self {
            scopes,
            details,
            target: None,
        }
    }

    /// All that was granted.
    pub(in crate::provider) fn all_of(grant: &Grant) -> Self {
        let details = &grant.details.authorization_details;
        Self::new(grant.scopes.clone(), details.clone())
    }

    /// What of this belongs to `api`, which is called `resource`.
    pub(super) fn at(self, resource: &str, api: Api) -> Self {
        Self {
            scopes: self.scopes.filtered(|scope| api.has_scope(scope)),
            details: self.details,
            target: Some(Box::new(Target {
                resource: resource.to_owned(),
                api,
                granted: self.scopes,
            })),
        }
    }

    /// The scopes of the token.
    pub(super) fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The scopes of which the ID token speaks.
    fn granted(&self) -> &Scopes {
        self.target
            .as_deref()
            .map_or(&self.scopes, |it| &it.granted)
    }
}

impl From<Scopes> for Access {
    fn from(scopes: Scopes) -> Self {
        Self::new(scopes, AuthorizationDetails::default())
    }
}

/// Whom an access token speaks for.
#[derive(Clone, Copy)]
pub(in crate::provider) enum Subject<'a> {
    /// The user of a grant.
    User(&'a Grant),
    /// The client itself.
    Client,
    /// The user of a grant, for whom a client acts that exchanged a token under it.
    Exchanged {
        /// The grant.
        grant: &'a Grant,
        /// What came of the exchange.
        exchange: &'a Exchange,
        /// When the token ends at the latest.
        until: Timestamp,
    },
}

impl<'a> Subject<'a> {
    /// The grant that the token hangs on.
    fn grant(self) -> Option<&'a Grant> {
        match self {
            Self::User(grant) | Self::Exchanged { grant, .. } => Some(grant),
            Self::Client => None,
        }
    }

    /// What came of an exchange, if the token comes of one.
    fn exchange(self) -> Option<&'a Exchange> {
        match self {
            Self::Exchanged { exchange, .. } => Some(exchange),
            Self::User(_) | Self::Client => None,
        }
    }

    /// Who acts for the user.
    fn actor(self) -> Option<Actor> {
        self.exchange().and_then(|exchange| exchange.actor.clone())
    }

    /// When a token ends that is made at `now` and would live for `lifetime`.
    fn expiry(self, now: Timestamp, lifetime: Duration) -> Timestamp {
        match self {
            Self::Exchanged { until, .. } => now.after(lifetime).min(until),
            Self::User(_) | Self::Client => now.after(lifetime),
        }
    }
}

impl Provider {
    /// What a token allows that is asked for with `resources` where `grant` was given: all of
    /// `access`, or what of it belongs to the one API that is meant.
    pub(in crate::provider) fn access(
        &self,
        client: &Client,
        grant: &Grant,
        access: Access,
        resources: &[String],
    ) -> Result<Access, InvalidTarget> {
        match api::target(&grant.details.resources, resources)? {
            None => Ok(access),
            Some(resource) => self.access_to(client, resource, access),
        }
    }

    /// What of `access` belongs to the API that is called `resource`.
    pub(in crate::provider) fn access_to(
        &self,
        client: &Client,
        resource: &str,
        access: Access,
    ) -> Result<Access, InvalidTarget> {
        let api = self.policy.apis.find(resource, client)?;
        Ok(access.at(resource, api.into_owned()))
    }

    /// Makes an access token for `access`, bound to what [`Self::bind`] found.
    pub(in crate::provider) fn make_access_token(
        &self,
        client: &Client,
        subject: Subject<'_>,
        access: impl Into<Access>,
        confirmation: &Confirmation,
        now: Timestamp,
    ) -> Result<AccessToken, InternalError> {
        let access = access.into();
        let target = access.target.as_deref();
        let (format, algorithm, lifetime) = self.form(client, target.map(|it| &it.api));
        let expires_at = subject.expiry(now, lifetime);
        let audience = match target {
            Some(target) => vec![target.resource.clone()],
            None => self.audience(client, &access.scopes, subject.exchange()),
        };
        let actor = subject.actor();
        let grant = subject.grant();
        let grant_id = grant.map(|grant| grant.id);
        let (text, record) = match format {
            AccessTokenFormat::Jwt => {
                let claims = AccessTokenClaims {
                    iss: self.issuer.to_string(),
                    sub: match grant {
                        Some(grant) => self.subject(client, grant.user_id),
                        None => client.id.to_string(),
                    },
                    aud: audience.into(),
                    exp: expires_at,
                    iat: now,
                    jti: self.random.uuid().to_string(),
                    auth_time: grant.map(|grant| grant.authenticated_at),
                    acr: grant.map(|grant| grant.acr.clone()),
                    amr: grant.map_or_else(Vec::new, |grant| grant.amr.clone()),
                    client_id: client.id.to_string(),
                    scope: access.scopes.clone(),
                    cnf: confirmation.clone(),
                    authorization_details: access.details.clone(),
                    grant_id: grant_id.as_ref().map(GrantId::to_string),
                    act: actor,
                };
                let key = self.signing_key(algorithm, now)?;
                (jwt::sign(&key, TokenType::AccessToken, &claims)?, None)
            }
            AccessTokenFormat::Opaque => {
                let token = self.random.secret(SecretKind::AccessToken);
                let record = AccessTokenRecord {
                    grant_id,
                    client_id: client.id.clone(),
                    scopes: access.scopes.clone(),
                    details: access.details.clone(),
                    audience,
                    confirmation: confirmation.clone(),
                    actor,
                    issued_at: now,
                    expires_at,
                };
                (token.expose().to_owned(), Some((token.digest(), record)))
            }
        };
        Ok(AccessToken {
            text,
            token_type: confirmation.token_type(),
            expires_in: u64::try_from(expires_at.seconds_since(now)).unwrap_or_default(),
            access,
            record,
        })
    }

    /// The form of an access token, the algorithm that signs it and its lifetime: as the API has
    /// them, or else the client.
    fn form(
        &self,
        client: &Client,
        api: Option<&Api>,
    ) -> (AccessTokenFormat, SigningAlgorithm, Duration) {
        let metadata = &client.metadata;
        let format = api.and_then(|api| api.token_format);
        let algorithm = api.and_then(|api| api.token_signing_alg);
        let algorithm = algorithm.filter(|it| metadata.profile.allows(*it));
        let lifetime = api.and_then(|api| api.token_lifetime);
        let usual = metadata.access_token_lifetime(self.policy.lifetimes.access_token);
        (
            format.unwrap_or(metadata.access_token_format),
            algorithm.unwrap_or(metadata.access_token_signed_response_alg),
            lifetime.unwrap_or(usual),
        )
    }

    /// Makes the ID token that goes with `access_token`, if `scopes` make this OpenID Connect.
    ///
    /// It may be encrypted, for which see [`Self::encrypt_content`].
    pub(super) async fn make_id_token(
        &self,
        client: &Client,
        grant: &Grant,
        user: &User,
        nonce: Option<&str>,
        access_token: &AccessToken,
        now: Timestamp,
    ) -> Result<Option<String>, InternalError> {
        if !access_token.access.granted().contains(scope::OPENID) {
            return Ok(None);
        }
        let content = IdTokenContent {
            nonce,
            access_token: Some(&access_token.text),
            code: None,
            scopes: access_token.access.granted(),
            claims: client.metadata.id_token_claims,
        };
        let signed = self.id_token(client, grant, user, &content, now)?;
        let protection = Protection::of_id_token(&client.metadata);
        let encrypted = self.encrypt_content(client, protection, signed).await?;
        Ok(Some(encrypted))
    }

    /// Makes the ID token that travels through the browser with what is `beside` it.
    pub(in crate::provider) async fn make_front_channel_id_token(
        &self,
        client: &Client,
        grant: &Grant,
        user: &User,
        beside: &FrontChannel<'_>,
        now: Timestamp,
    ) -> Result<String, InternalError> {
        let registered = client.metadata.id_token_claims;
        let content = IdTokenContent {
            nonce: grant.nonce.as_deref(),
            access_token: beside.access_token.map(|token| token.text.as_str()),
            code: beside.code.map(Secret::expose),
            scopes: &grant.scopes,
            claims: beside.response_type.id_token_claims(registered),
        };
        let signed = self.id_token(client, grant, user, &content, now)?;
        let protection = Protection::of_id_token(&client.metadata);
        self.encrypt_content(client, protection, signed).await
    }

    /// Makes an ID token, before it is encrypted.
    fn id_token(
        &self,
        client: &Client,
        grant: &Grant,
        user: &User,
        content: &IdTokenContent<'_>,
        now: Timestamp,
    ) -> Result<Content, InternalError> {
        let metadata = &client.metadata;
        let algorithm = metadata.id_token_signed_response_alg;
        let mut user_claims = match content.claims {
            client_metadata::IdTokenClaims::GrantedScopes => {
                user_claims::of_scopes(user, content.scopes)
            }
            client_metadata::IdTokenClaims::Lean => serde_json::Map::new(),
        };
        user_claims.extend(grant.details.claims.id_token.of_user(user));
        let half_hash = |value: &str| claims::half_hash(algorithm, value);
        let claims = IdTokenClaims {
            iss: self.issuer.to_string(),
            sub: self.subject(client, user.id),
            aud: client.id.to_string(),
            exp: now.after(metadata.id_token_lifetime(self.policy.lifetimes.id_token)),
            iat: now,
            auth_time: grant.authenticated_at,
            nonce: content.nonce.map(str::to_owned),
            acr: grant.acr.clone(),
            amr: grant.amr.clone(),
            azp: client.id.to_string(),
            at_hash: content.access_token.map(half_hash),
            c_hash: content.code.map(half_hash),
            sid: grant.session_id.to_string(),
            user: user_claims,
        };
        let protection = Protection::of_id_token(metadata);
        self.sign_content(protection, Some(TokenType::IdToken), &claims)
    }

    /// Whom an access token of `client` is for: what was asked for in an exchange; or the APIs it
    /// is registered for, and Keyfob itself where there is a userinfo endpoint to call or no other
    /// API.
    fn audience(
        &self,
        client: &Client,
        scopes: &Scopes,
        exchange: Option<&Exchange>,
    ) -> Vec<String> {
        if let Some(exchange) = exchange
            && !exchange.audience.is_empty()
        {
            return exchange.audience.clone();
        }
        let mut audience = client.metadata.access_token_audience.clone();
        if audience.is_empty() || scopes.contains(scope::OPENID) {
            audience.push(self.issuer.to_string());
        }
        audience
    }
}

/// What an ID token is issued with, and what it says of that.
struct IdTokenContent<'a> {
    nonce: Option<&'a str>,
    access_token: Option<&'a str>,
    code: Option<&'a str>,
    scopes: &'a Scopes,
    claims: client_metadata::IdTokenClaims,
}

/// What travels through the browser beside an ID token.
pub(in crate::provider) struct FrontChannel<'a> {
    /// What the client asked for.
    pub(in crate::provider) response_type: ResponseType,
    /// The code.
    pub(in crate::provider) code: Option<&'a Secret>,
    /// The access token.
    pub(in crate::provider) access_token: Option<&'a AccessToken>,
}

impl AccessToken {
    /// What an authorization response says of it ([RFC 6749 section 4.2.2]).
    ///
    /// [RFC 6749 section 4.2.2]: https://www.rfc-editor.org/rfc/rfc6749#section-4.2.2
    pub(in crate::provider) fn parameters(&self) -> ResponseParameters {
        vec![
            ("access_token", self.text.clone()),
            ("token_type", "Bearer".to_owned()),
            ("expires_in", self.expires_in.to_string()),
            ("scope", self.access.scopes.to_string()),
        ]
    }

    /// The answer that carries this access token and what came with it.
    pub(super) fn respond(
        self,
        id_token: Option<String>,
        refresh_token: Option<String>,
    ) -> TokenResponse {
        TokenResponse {
            access_token: self.text,
            issued_token_type: None,
            token_type: self.token_type,
            expires_in: self.expires_in,
            scope: self.access.scopes,
            authorization_details: self.access.details,
            refresh_token,
            id_token,
        }
    }
}
