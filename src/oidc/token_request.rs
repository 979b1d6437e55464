//! The token request ([RFC 6749 sections 4.1.3, 4.4.2 and 6], [RFC 7636 section 4.5],
//! [RFC 8628 section 3.4]).
//!
//! [RFC 6749 sections 4.1.3, 4.4.2 and 6]: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3
//! [RFC 7636 section 4.5]: https://www.rfc-editor.org/rfc/rfc7636#section-4.5
//! [RFC 8628 section 3.4]: https://www.rfc-editor.org/rfc/rfc8628#section-3.4

use super::api;
use super::authorization_details::{AuthorizationDetails, AuthorizationDetailsError};
use super::grant_type::GrantType;
use super::parameters::{Parameters, Repeated};
use super::scope::Scopes;
use super::token_exchange::{TokenExchangeRequest, TokenExchangeRequestError};

/// A token request, by grant.
#[derive(Clone, Debug)]
pub enum TokenRequest {
    /// Exchanges a code.
    AuthorizationCode(AuthorizationCodeRequest),
    /// Exchanges a refresh token.
    RefreshToken(RefreshTokenRequest),
    /// Asks for a token of the client's own.
    ClientCredentials(ClientCredentialsRequest),
    /// Asks whether a person has answered a device.
    DeviceCode(DeviceCodeRequest),
    /// Exchanges a token for another.
    TokenExchange(TokenExchangeRequest),
    /// Acts as a client with a JWT of another issuer.
    JwtBearer(JwtBearerRequest),
}

/// What exchanges a code.
#[derive(Clone, Debug)]
pub struct AuthorizationCodeRequest {
    /// The code, as presented.
    pub code: String,
    /// The redirect URI of the authorization request, again.
    pub redirect_uri: Option<String>,
    /// The PKCE verifier. An empty one is one that does not fit.
    pub code_verifier: Option<String>,
    /// The API that the token is to be for ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)).
    pub resources: Vec<String>,
    /// Those of the granted details that are wanted; all, without it.
    pub details: Option<AuthorizationDetails>,
}

/// What exchanges a refresh token.
#[derive(Clone, Debug)]
pub struct RefreshTokenRequest {
    /// The refresh token, as presented.
    pub refresh_token: String,
    /// The scopes wanted; all that were granted, without it.
    pub scopes: Option<Scopes>,
    /// The API that the token is to be for.
    pub resources: Vec<String>,
    /// Those of the granted details that are wanted; all, without it.
    pub details: Option<AuthorizationDetails>,
}

/// What asks for a token of the client's own.
#[derive(Clone, Debug)]
pub struct ClientCredentialsRequest {
    /// The scopes wanted; all that the client is registered for, without it.
    pub scopes: Option<Scopes>,
    /// The API that the token is to be for.
    pub resources: Vec<String>,
    /// What is wanted in detail.
    pub details: Option<AuthorizationDetails>,
}

/// What asks whether a person has answered a device.
#[derive(Clone, Debug)]
pub struct DeviceCodeRequest {
    /// The device code, as presented.
    pub device_code: String,
    /// The API that the token is to be for.
    pub resources: Vec<String>,
}

/// What acts as a client with a JWT of another issuer.
#[derive(Clone, Debug)]
pub struct JwtBearerRequest {
    /// The JWT, as presented.
    pub assertion: String,
    /// The scopes wanted; all that the client is registered for, without it.
    pub scopes: Option<Scopes>,
    /// The API that the token is to be for.
    pub resources: Vec<String>,
}

/// Why a body is not a token request, in the order of the checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TokenRequestError {
    /// A parameter twice.
    #[error(transparent)]
    Repeated(#[from] Repeated),
    /// No `grant_type`.
    #[error("the request has no grant_type")]
    GrantTypeMissing,
    /// A `grant_type` that Keyfob does not have.
    #[error("the grant_type is not supported")]
    UnsupportedGrantType,
    /// No parameter of this name, which the grant needs.
    #[error("the request has no {0}")]
    Missing(&'static str),
    /// A `scope` that is not of RFC 6749's form.
    #[error("the scope is malformed")]
    MalformedScope,
    /// `authorization_details` that are not of RFC 9396's form.
    #[error(transparent)]
    Details(#[from] AuthorizationDetailsError),
    /// No exchange that there is.
    #[error(transparent)]
    TokenExchange(#[from] TokenExchangeRequestError),
}

impl TokenRequest {
    /// Reads a token request from its body.
    pub fn parse(body: &Parameters) -> Result<Self, TokenRequestError> {
        let grant_type = body.get("grant_type")?;
        let grant_type = grant_type.ok_or(TokenRequestError::GrantTypeMissing)?;
        let grant_type = grant_type
            .parse()
            .map_err(|_| TokenRequestError::UnsupportedGrantType)?;
        Ok(match grant_type {
            GrantType::AuthorizationCode => Self::AuthorizationCode(AuthorizationCodeRequest {
                code: required(body, "code")?,
                redirect_uri: body.get("redirect_uri")?.map(str::to_owned),
                code_verifier: body.get_even_empty("code_verifier")?.map(str::to_owned),
                resources: api::named(body),
                details: details(body)?,
            }),
            GrantType::RefreshToken => Self::RefreshToken(RefreshTokenRequest {
                refresh_token: required(body, "refresh_token")?,
                scopes: scopes(body)?,
                resources: api::named(body),
                details: details(body)?,
            }),
            GrantType::ClientCredentials => Self::ClientCredentials(ClientCredentialsRequest {
                scopes: scopes(body)?,
                resources: api::named(body),
                details: details(body)?,
            }),
            GrantType::Implicit => return Err(TokenRequestError::UnsupportedGrantType),
            GrantType::DeviceCode => Self::DeviceCode(DeviceCodeRequest {
                device_code: required(body, "device_code")?,
                resources: api::named(body),
            }),
            GrantType::JwtBearer => Self::JwtBearer(JwtBearerRequest {
                assertion: required(body, "assertion")?,
                scopes: scopes(body)?,
                resources: api::named(body),
            }),
            GrantType::TokenExchange => {
                Self::TokenExchange(TokenExchangeRequest::parse(body, scopes(body)?)?)
            }
        })
    }

    /// The grant it uses.
    #[must_use]
    pub const fn grant_type(&self) -> GrantType {
        match self {
            Self::AuthorizationCode(_) => GrantType::AuthorizationCode,
            Self::RefreshToken(_) => GrantType::RefreshToken,
            Self::ClientCredentials(_) => GrantType::ClientCredentials,
            Self::DeviceCode(_) => GrantType::DeviceCode,
            Self::TokenExchange(_) => GrantType::TokenExchange,
            Self::JwtBearer(_) => GrantType::JwtBearer,
        }
    }
}

fn required(body: &Parameters, name: &'static str) -> Result<String, TokenRequestError> {
    let value = body.get(name)?.ok_or(TokenRequestError::Missing(name))?;
    Ok(value.to_owned())
}

/// The parameter `scope`, which some requests may leave out.
pub fn scopes(body: &Parameters) -> Result<Option<Scopes>, TokenRequestError> {
    let scope = body.get("scope")?;
    scope
        .map(|text| text.parse().map_err(|_| TokenRequestError::MalformedScope))
        .transpose()
}

fn details(body: &Parameters) -> Result<Option<AuthorizationDetails>, TokenRequestError> {
    let details = body.get("authorization_details")?;
    Ok(details.map(str::parse).transpose()?)
}
