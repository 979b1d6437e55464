//! The authorization request ([RFC 6749 section 4.1.1], [OIDC Core section 3.1.2.1]).
//!
//! It is read in two steps, so that an open redirect is a type error: until [`ReturnAddress`] is
//! known, a mistake is an [`UntrustedRequest`] and shown to the End-User; from then on it is a
//! [`Refusal`] and told to the client.
//!
//! [RFC 6749 section 4.1.1]: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1
//! [OIDC Core section 3.1.2.1]: https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest

use super::acr::RequestedAcr;
use super::api::InvalidTarget;
use super::authorization_details::{AuthorizationDetails, AuthorizationDetailsError};
use super::authorization_parameters::{bounded, code_challenge, dpop_jkt, max_age};
use super::authorization_response::ReturnAddress;
use super::claims_request::ClaimsRequest;
use super::client::Client;
use super::error::ErrorCode;
use super::parameters::{Parameters, Repeated};
use super::pkce::CodeChallenge;
use super::policy::Policy;
use super::prompt::Prompt;
use super::request_object::RequestObjectError;
use super::request_uri::RequestUriRefusal;
use super::requested_access::{resources, scopes};
use super::response_mode::{Carrier, ResponseMode};
use super::response_type::ResponseType;
use super::scope::Scopes;

/// A request that names no client and redirect URI that belong together, or not safely: nothing
/// may be sent to where it says ([RFC 6749 section 4.1.2.1]).
///
/// [RFC 6749 section 4.1.2.1]: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UntrustedRequest {
    /// No `client_id`.
    #[error("the request has no client_id")]
    ClientIdMissing,
    /// No enabled client has this `client_id`.
    #[error("no client is registered under this client_id")]
    UnknownClient,
    /// No `redirect_uri`.
    #[error("the request has no redirect_uri")]
    RedirectUriMissing,
    /// A `redirect_uri` that is not registered.
    #[error("the redirect_uri is not registered for the client")]
    RedirectUriNotRegistered,
    /// `client_id` or `redirect_uri` twice.
    #[error(transparent)]
    Repeated(#[from] Repeated),
    /// A `request_uri` of Keyfob's form under which this client has pushed nothing.
    #[error("the request_uri is unknown, or another client's")]
    RequestUriUnknown,
    /// A request object that is not as it must be, without a redirect URI beside it.
    #[error("{0}")]
    Unreadable(Refusal),
    /// A `state` of more than 4096 bytes, too long for an address.
    #[error("the state is longer than 4096 bytes")]
    StateTooLong,
}

/// Why a request of a known client is refused, in the order of the checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// A parameter twice.
    #[error(transparent)]
    Repeated(#[from] Repeated),
    /// A `response_mode` that is unknown or not for this client.
    #[error("the response_mode is not available to the client")]
    ResponseModeNotAvailable,
    /// A request object that is not as it must be.
    #[error(transparent)]
    RequestObject(#[from] RequestObjectError),
    /// No signed request object, of a client that must send one.
    #[error("the client must send its requests in signed request objects")]
    NoRequestObject,
    /// A `request_uri` that cannot be used.
    #[error(transparent)]
    RequestUri(#[from] RequestUriRefusal),
    /// A request that came with the browser, of a client that must push it.
    #[error("the client must push its authorization requests")]
    NotPushed,
    /// A registration within the request.
    #[error("registration within a request is not supported")]
    Registration,
    /// No `response_type`.
    #[error("the request has no response_type")]
    ResponseTypeMissing,
    /// A `response_type` that Keyfob does not have.
    #[error("the response_type is not supported")]
    UnsupportedResponseType,
    /// A `response_type` that the client is not registered for.
    #[error("the client is not registered for the response_type and its grant_types")]
    ResponseTypeNotAllowed,
    /// A `scope` that is missing, malformed, or leaves nothing to grant.
    #[error("the scope is missing, malformed or entirely unknown")]
    InvalidScope,
    /// A `resource` that is not for the client.
    #[error(transparent)]
    InvalidTarget(#[from] InvalidTarget),
    /// No `nonce` in a request for an ID token that travels through the browser.
    #[error("the request has no nonce")]
    NonceMissing,
    /// No `code_challenge` where one is required.
    #[error("the client must use PKCE")]
    CodeChallengeMissing,
    /// A `code_challenge` that cannot be one, or whose method is not S256.
    #[error("the code_challenge is malformed or its method is not S256")]
    CodeChallengeMalformed,
    /// A `dpop_jkt` that cannot be one.
    #[error("the dpop_jkt is not the thumbprint of a key")]
    KeyThumbprintMalformed,
    /// A `prompt` that is not a combination OIDC Core knows.
    #[error("the prompt is unknown or contradicts itself")]
    InvalidPrompt,
    /// A `max_age` that is not a number of seconds.
    #[error("the max_age is not a number of seconds")]
    InvalidMaxAge,
    /// A `claims` that is not an object of claims requests.
    #[error("the claims parameter is malformed")]
    MalformedClaims,
    /// `authorization_details` that cannot be granted.
    #[error(transparent)]
    Details(#[from] AuthorizationDetailsError),
    /// A value that is longer than any use for it.
    #[error("a parameter is too long")]
    TooLong,
    /// An `id_token_hint` that Keyfob did not issue to this client.
    #[error("the id_token_hint is not an ID token of this client")]
    InvalidIdTokenHint,
    /// An essential `acr` that nobody can have here.
    #[error("nobody can be authenticated as the request demands")]
    UnmetAuthentication,
    /// Nobody is signed in and no page may be shown.
    #[error("nobody is signed in")]
    LoginRequired,
    /// Somebody else than the `id_token_hint` says signed in.
    #[error("another user than the id_token_hint names is signed in")]
    OtherUserThanHinted,
    /// The user has not allowed this, and no page may be shown.
    #[error("consent is needed")]
    ConsentRequired,
    /// The user said no.
    #[error("the user refused")]
    Denied,
    /// The user is in none of the groups that may use the client.
    #[error("the user is in none of the client's groups")]
    NotInGroup,
    /// The database is not there.
    #[error("the server cannot answer now")]
    Unavailable,
    /// Keyfob's own failure.
    #[error("the server failed")]
    Failed,
}

impl Refusal {
    /// The code that the client is told.
    #[must_use]
    pub const fn code(self) -> ErrorCode {
        match self {
            Self::Repeated(_)
            | Self::ResponseModeNotAvailable
            | Self::NoRequestObject
            | Self::NotPushed
            | Self::ResponseTypeMissing
            | Self::NonceMissing
            | Self::CodeChallengeMissing
            | Self::CodeChallengeMalformed
            | Self::KeyThumbprintMalformed
            | Self::InvalidPrompt
            | Self::InvalidMaxAge
            | Self::MalformedClaims
            | Self::TooLong
            | Self::InvalidIdTokenHint => ErrorCode::InvalidRequest,
            Self::RequestObject(_) => ErrorCode::InvalidRequestObject,
            Self::RequestUri(refusal) => refusal.code(),
            Self::Registration => ErrorCode::RegistrationNotSupported,
            Self::UnsupportedResponseType => ErrorCode::UnsupportedResponseType,
            Self::ResponseTypeNotAllowed => ErrorCode::UnauthorizedClient,
            Self::InvalidScope => ErrorCode::InvalidScope,
            Self::InvalidTarget(_) => ErrorCode::InvalidTarget,
            Self::Details(_) => ErrorCode::InvalidAuthorizationDetails,
            Self::UnmetAuthentication => ErrorCode::UnmetAuthenticationRequirements,
            Self::LoginRequired | Self::OtherUserThanHinted => ErrorCode::LoginRequired,
            Self::ConsentRequired => ErrorCode::ConsentRequired,
            Self::Denied | Self::NotInGroup => ErrorCode::AccessDenied,
            Self::Unavailable => ErrorCode::TemporarilyUnavailable,
            Self::Failed => ErrorCode::ServerError,
        }
    }
}

/// An authorization request of a known client, every parameter parsed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AuthorizationRequest {
    /// What the answer is to have in it.
    pub response_type: ResponseType,
    /// The requested scopes that the client may have.
    pub scopes: Scopes,
    /// The APIs that tokens are wanted for ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)).
    pub resources: Vec<String>,
    /// The value to return in the ID token.
    pub nonce: Option<String>,
    /// The PKCE challenge.
    pub code_challenge: Option<CodeChallenge>,
    /// The thumbprint of the key that the code is to be bound to.
    pub dpop_jkt: Option<String>,
    /// What the End-User is to be asked.
    pub prompt: Prompt,
    /// The age of the authentication in seconds above which it is renewed.
    pub max_age: Option<u64>,
    /// The single claims that it asks for and the client may have, and who is meant.
    pub claims: ClaimsRequest,
    /// What it asks for in detail.
    pub authorization_details: AuthorizationDetails,
    /// What it asks of the authentication.
    pub acr: RequestedAcr,
    /// What to fill into the login page.
    pub login_hint: Option<String>,
    /// An ID token of the user the client expects, not yet verified.
    pub id_token_hint: Option<String>,
}

impl AuthorizationRequest {
    /// What a device of `client` asks a person for: always to confirm it, whatever they allowed
    /// before ([RFC 8628 section 5.4]).
    ///
    /// [RFC 8628 section 5.4]: https://www.rfc-editor.org/rfc/rfc8628#section-5.4
    #[must_use]
    pub fn of_device(scopes: Scopes, resources: Vec<String>, client: &Client) -> Self {
        Self {
            scopes,
            resources,
            prompt: Prompt {
                consent: true,
                ..Prompt::default()
            },
            max_age: client.metadata.default_max_age,
            acr: RequestedAcr::of(None, None, &client.metadata.default_acr_values),
            ..Self::default()
        }
    }
}

/// The `client_id` of a request.
pub fn client_id(parameters: &Parameters) -> Result<&str, UntrustedRequest> {
    let client_id = parameters.get("client_id")?;
    client_id.ok_or(UntrustedRequest::ClientIdMissing)
}

/// Where the answer goes: the redirect URI if it is one of `client`'s, and how it is sent there.
pub fn return_address(
    parameters: &Parameters,
    client: &Client,
) -> Result<ReturnAddress, UntrustedRequest> {
    let redirect_uri = parameters.get("redirect_uri")?;
    let redirect_uri = redirect_uri.ok_or(UntrustedRequest::RedirectUriMissing)?;
    let registered = &client.metadata.redirect_uris;
    if !registered.iter().any(|uri| uri.matches(redirect_uri)) {
        return Err(UntrustedRequest::RedirectUriNotRegistered);
    }
    // A state sent twice is refused by `parse`; the refusal then carries none.
    let state = parameters.get("state").unwrap_or_default();
    if state.is_some_and(|state| state.len() > LONGEST_STATE) {
        return Err(UntrustedRequest::StateTooLong);
    }
    Ok(ReturnAddress {
        redirect_uri: redirect_uri.to_owned(),
        state: state.map(str::to_owned),
        response_mode: response_mode(parameters, client)
            .unwrap_or_else(|_| first_mode(usual_carrier(parameters), client)),
    })
}

/// Reads every other parameter of a request of `client`, in the specification's order.
pub fn parse(
    parameters: &Parameters,
    client: &Client,
    policy: &Policy,
) -> Result<AuthorizationRequest, Refusal> {
    parameters.get("state")?;
    response_mode(parameters, client)?;
    if parameters.get("registration")?.is_some() {
        return Err(Refusal::Registration);
    }
    let response_type = response_type(parameters, client, policy)?;
    for accepted in ["ui_locales", "claims_locales", "display"] {
        parameters.get(accepted)?;
    }
    let claims = claims(parameters, client)?;
    let resources = resources(parameters, client, policy, response_type)?;
    let authorization_details = match parameters.get("authorization_details")? {
        Some(text) => AuthorizationDetails::read(text, client, &policy.authorization_details)?,
        None => AuthorizationDetails::default(),
    };
    Ok(AuthorizationRequest {
        response_type,
        scopes: match parameters.get("scope")? {
            // RFC 9396 section 3: what is asked for in detail may be all.
            None if !authorization_details.is_empty() && !response_type.has_id_token() => {
                Scopes::default()
            }
            _ => scopes(parameters, client, policy, (response_type, &resources))?,
        },
        resources,
        authorization_details,
        nonce: nonce(parameters, response_type)?,
        code_challenge: if response_type.has_code() {
            code_challenge(parameters, client, policy)?
        } else {
            None
        },
        dpop_jkt: dpop_jkt(parameters)?,
        prompt: match parameters.get("prompt")? {
            Some(text) => text.parse().map_err(|_| Refusal::InvalidPrompt)?,
            None => Prompt::default(),
        },
        max_age: match parameters.get("max_age")? {
            Some(text) => Some(max_age(text)?),
            None => client.metadata.default_max_age,
        },
        acr: RequestedAcr::of(
            claims.id_token.get("acr"),
            bounded(parameters.get("acr_values")?)?.as_deref(),
            &client.metadata.default_acr_values,
        ),
        claims,
        login_hint: bounded(parameters.get("login_hint")?)?,
        id_token_hint: parameters.get("id_token_hint")?.map(str::to_owned),
    })
}

fn usual_carrier(parameters: &Parameters) -> Carrier {
    let response_type = parameters.get("response_type").unwrap_or_default();
    Carrier::usual(response_type.unwrap_or_default())
}

fn response_mode(parameters: &Parameters, client: &Client) -> Result<ResponseMode, Refusal> {
    let usual = usual_carrier(parameters);
    let mode = match parameters.get("response_mode")? {
        None => ResponseMode::plain(usual),
        Some(name) => {
            let mode = ResponseMode::read(name, usual);
            mode.map_err(|_| Refusal::ResponseModeNotAvailable)?
        }
    };
    let mut registered = registered_modes(usual, client).peekable();
    if registered.peek().is_some() && !registered.any(|it| it == mode) {
        return Err(Refusal::ResponseModeNotAvailable);
    }
    let is_available = match mode.carrier {
        Carrier::FormPost => true,
        // OAuth 2.0 Multiple Response Types section 5; JARM section 2.3.1: no token in a query.
        Carrier::Query => usual == Carrier::Query,
        Carrier::Fragment => usual == Carrier::Fragment || client.metadata.allow_fragment,
    };
    is_available
        .then_some(mode)
        .ok_or(Refusal::ResponseModeNotAvailable)
}

/// The modes that `client` keeps to, if it has said so.
fn registered_modes(usual: Carrier, client: &Client) -> impl Iterator<Item = ResponseMode> {
    let names = client.metadata.response_modes.iter();
    names.filter_map(move |name| ResponseMode::read(name, usual).ok())
}

/// The mode in which `client` is told that it asked for one that it may not use.
fn first_mode(usual: Carrier, client: &Client) -> ResponseMode {
    let first = registered_modes(usual, client).next();
    first.unwrap_or_else(|| ResponseMode::plain(usual))
}

fn response_type(
    parameters: &Parameters,
    client: &Client,
    policy: &Policy,
) -> Result<ResponseType, Refusal> {
    let text = parameters.get("response_type")?;
    let text = text.ok_or(Refusal::ResponseTypeMissing)?;
    let response_type: ResponseType = text.parse().map_err(|_| Refusal::UnsupportedResponseType)?;
    let metadata = &client.metadata;
    let is_registered = metadata.response_types.contains(response_type);
    if response_type.is_front_channel() {
        // To who may not have them, the implicit and hybrid flows are not there.
        let may = client.is_trusted() || policy.registration.allow_implicit;
        // A token that comes by the browser cannot be bound to a key of the client's.
        let binds = metadata.dpop_bound_access_tokens
            || metadata.tls_client_certificate_bound_access_tokens;
        if !is_registered || !may || (binds && response_type.has_token()) {
            return Err(Refusal::UnsupportedResponseType);
        }
    }
    let mut grant_types = response_type.grant_types();
    if !is_registered || !grant_types.all(|it| metadata.grant_types.contains(it)) {
        return Err(Refusal::ResponseTypeNotAllowed);
    }
    Ok(response_type)
}

fn nonce(parameters: &Parameters, response_type: ResponseType) -> Result<Option<String>, Refusal> {
    let nonce = bounded(parameters.get("nonce")?)?;
    // OIDC Core sections 3.2.2.1 and 3.3.2.11.
    if nonce.is_none() && response_type.has_id_token() {
        return Err(Refusal::NonceMissing);
    }
    Ok(nonce)
}

fn claims(parameters: &Parameters, client: &Client) -> Result<ClaimsRequest, Refusal> {
    let Some(text) = parameters.get("claims")? else {
        return Ok(ClaimsRequest::default());
    };
    let claims: ClaimsRequest = text.parse().map_err(|_| Refusal::MalformedClaims)?;
    Ok(claims.permitted(|scope| client.may_have(scope)))
}

const LONGEST_STATE: usize = 4096;
