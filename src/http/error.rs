//! Errors on the wire: for clients the RFCs' JSON, for people a page. Each is logged here, once.

use std::fmt;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::oidc::authorization_request::UntrustedRequest;
use crate::oidc::error::ErrorCode;
use crate::provider::InternalError;
use crate::provider::browser::authorization::AuthorizationError;
use crate::provider::browser::logout::LogoutError;
use crate::provider::browser::transaction::TransactionError;
use crate::provider::client::client_authentication::ClientAuthenticationError;
use crate::provider::client::client_id_metadata::MetadataDocumentError;

use super::form::FormError;
use super::pages::error::ErrorKind;

/// An error answer of an OAuth endpoint ([RFC 6749 section 5.2]).
///
/// [RFC 6749 section 5.2]: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
#[derive(Clone, Copy, Debug)]
pub struct OAuthError {
    code: ErrorCode,
    /// Whether the client tried HTTP Basic, which a refusal must answer with a challenge.
    by_basic: bool,
    status: Option<StatusCode>,
}

#[derive(Serialize)]
struct OAuthErrorBody {
    error: &'static str,
    error_description: &'static str,
}

impl OAuthError {
    /// The answer with this code.
    #[must_use]
    pub fn new(code: ErrorCode) -> Self {
        Self {
            code,
            by_basic: false,
            status: None,
        }
    }

    /// The same, to a client that used HTTP Basic or not.
    #[must_use]
    pub fn by_basic(self, by_basic: bool) -> Self {
        Self { by_basic, ..self }
    }

    /// The answer to a body that could not be read.
    #[must_use]
    pub fn unreadable(error: &FormError) -> Self {
        tracing::info!(reason = %error, "request refused");
        Self {
            status: Some(error.status()),
            ..Self::new(ErrorCode::InvalidRequest)
        }
    }

    /// The response.
    #[must_use]
    pub fn respond(self) -> HttpResponse {
        let status = self.status.unwrap_or(match self.code {
            ErrorCode::InvalidClient => StatusCode::UNAUTHORIZED,
            ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        });
        let mut response = HttpResponse::build(status);
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if self.code == ErrorCode::InvalidClient && self.by_basic {
            response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"keyfob\""));
        }
        if self.code == ErrorCode::TemporarilyUnavailable {
            response.insert_header((header::RETRY_AFTER, "1"));
        }
        response.json(OAuthErrorBody {
            error: self.code.as_str(),
            error_description: describe(self.code),
        })
    }
}

/// Logs why a client was not authenticated, and answers it.
#[must_use]
pub fn client_refused(error: &ClientAuthenticationError, by_basic: bool) -> HttpResponse {
    match error {
        ClientAuthenticationError::Internal(error) => log_failure(error),
        refusal => tracing::info!(reason = %refusal, "client refused"),
    }
    OAuthError::new(error.code()).by_basic(by_basic).respond()
}

/// Logs why a request of a client's is refused that was understood, and answers it. `failure` is
/// the reason where that is one of Keyfob's own.
#[must_use]
pub fn request_refused(
    reason: &dyn fmt::Display,
    code: ErrorCode,
    failure: Option<&InternalError>,
) -> HttpResponse {
    match failure {
        Some(failure) => log_failure(failure),
        None => tracing::info!(%reason, "request refused"),
    }
    OAuthError::new(code).respond()
}

/// Logs a failure of Keyfob's own with its causes.
pub fn log_failure(error: &InternalError) {
    let mut causes = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        causes.push_str(": ");
        causes.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::error!(cause = %format_args!("{error}{causes}"), "failed");
}

/// Which page tells a person about a failure; logs it.
#[must_use]
pub fn failure_page(error: &InternalError) -> ErrorKind {
    log_failure(error);
    if error.is_temporary() {
        ErrorKind::Unavailable
    } else {
        ErrorKind::Internal
    }
}

/// Which page tells a person that their sign-in cannot go on; logs it.
#[must_use]
pub fn transaction_page(error: &TransactionError) -> ErrorKind {
    match error {
        TransactionError::Internal(error) => failure_page(error),
        refusal => {
            tracing::info!(reason = %refusal, "page refused");
            ErrorKind::TransactionUnknown
        }
    }
}

/// Which page tells a person that an authorization request is refused; logs it.
#[must_use]
pub fn authorization_page(error: &AuthorizationError) -> ErrorKind {
    let kind = match error {
        AuthorizationError::Internal(error) => return failure_page(error),
        AuthorizationError::Transaction(error) => return transaction_page(error),
        AuthorizationError::MetadataDocument(error) => match error {
            MetadataDocumentError::Internal(error) => return failure_page(error),
            MetadataDocumentError::TooMany => ErrorKind::TooManyRequests,
            MetadataDocumentError::NotAllowed
            | MetadataDocumentError::Busy
            | MetadataDocumentError::Fetch(_)
            | MetadataDocumentError::MediaType
            | MetadataDocumentError::Metadata(_) => ErrorKind::UnknownClient,
        },
        AuthorizationError::RedirectUriNotRegistered(_) => ErrorKind::RedirectUriNotRegistered,
        AuthorizationError::Untrusted(error) => match error {
            UntrustedRequest::ClientIdMissing | UntrustedRequest::UnknownClient => {
                ErrorKind::UnknownClient
            }
            UntrustedRequest::RedirectUriMissing => ErrorKind::RedirectUriMissing,
            UntrustedRequest::RedirectUriNotRegistered => ErrorKind::RedirectUriNotRegistered,
            UntrustedRequest::RequestUriUnknown => ErrorKind::RequestUnknown,
            UntrustedRequest::Repeated(_)
            | UntrustedRequest::Unreadable(_)
            | UntrustedRequest::StateTooLong => ErrorKind::MalformedRequest,
        },
    };
    tracing::info!(reason = %error, "authorization request refused");
    kind
}

/// Which page tells a person that a logout request is refused; logs it.
#[must_use]
pub fn logout_page(error: &LogoutError) -> ErrorKind {
    let kind = match error {
        LogoutError::Internal(error) => return failure_page(error),
        LogoutError::Repeated(_) => ErrorKind::MalformedRequest,
        LogoutError::InvalidIdTokenHint
        | LogoutError::OtherClient
        | LogoutError::RedirectUriNotRegistered => ErrorKind::LogoutRefused,
    };
    tracing::info!(reason = %error, "logout request refused");
    kind
}

/// Which page tells a person that a form could not be read; logs it.
#[must_use]
pub fn form_page(error: &FormError) -> ErrorKind {
    tracing::info!(reason = %error, "form refused");
    match error {
        FormError::TooLong => ErrorKind::TooLarge,
        FormError::NotAForm | FormError::NotJson | FormError::Broken | FormError::Malformed(_) => {
            ErrorKind::MalformedRequest
        }
    }
}

/// The page of an address where nothing is.
pub async fn not_found(
    site: actix_web::web::Data<super::site::Site>,
    request: HttpRequest,
) -> HttpResponse {
    super::page::error(&site, &request, ErrorKind::NotFound)
}

/// One fixed sentence a code; the particulars are in the log.
const fn describe(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::InvalidRequest => "the request is malformed or contradicts itself",
        ErrorCode::UnauthorizedClient => "the client is not registered for this grant",
        ErrorCode::AccessDenied => "access was denied",
        ErrorCode::UnsupportedResponseType => "the response_type is not supported",
        ErrorCode::InvalidScope => "the scope is unknown, malformed or more than was granted",
        ErrorCode::ServerError => "the server failed",
        ErrorCode::TemporarilyUnavailable => "the server cannot answer now; try again",
        ErrorCode::InvalidClient => "the client did not authenticate",
        ErrorCode::InvalidGrant => {
            "the code or token is unknown, expired, revoked, used, or was issued for another \
             client or redirect_uri, or its PKCE verifier does not fit"
        }
        ErrorCode::UnsupportedGrantType => "the grant_type is not supported",
        ErrorCode::InvalidToken => "the access token is unknown, expired or revoked",
        ErrorCode::InsufficientScope => "the access token lacks a scope that is needed here",
        ErrorCode::InsufficientUserAuthentication => "the person signed in too long ago",
        ErrorCode::UnsupportedTokenType => "tokens of this type cannot be revoked",
        ErrorCode::InvalidDpopProof => {
            "the DPoP proof is missing, malformed, used or not for this request"
        }
        ErrorCode::UseDpopNonce => "the DPoP proof needs the nonce of this answer",
        ErrorCode::AuthorizationPending => "nobody has answered on the verification page yet",
        ErrorCode::SlowDown => "the interval between two requests is now five seconds longer",
        ErrorCode::ExpiredToken => "the device code has expired; start again",
        ErrorCode::InvalidTarget => {
            "the resource is unknown, not for this client, not granted, or not exactly one"
        }
        ErrorCode::InvalidRedirectUri => "a redirect URI cannot be registered",
        ErrorCode::InvalidClientMetadata => "the client metadata cannot be registered",
        ErrorCode::LoginRequired => "nobody is signed in",
        ErrorCode::ConsentRequired => "consent is needed",
        ErrorCode::AccountSelectionRequired => "an account must be selected",
        ErrorCode::UnmetAuthenticationRequirements => {
            "nobody can be authenticated as the request demands"
        }
        ErrorCode::RequestUriNotSupported => "request objects by reference are not supported",
        ErrorCode::RegistrationNotSupported => "registration in a request is not supported",
        ErrorCode::InvalidRequestUri => "the request_uri is unknown, expired or used",
        ErrorCode::InvalidRequestObject => {
            "the request object is malformed, expired, not for this issuer, or not signed by the \
             client as it is registered"
        }
        ErrorCode::InvalidAuthorizationDetails => {
            "the authorization_details are malformed, of a type that is unknown or not the \
             client's, or more than was granted"
        }
    }
}
