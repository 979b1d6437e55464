//! What can go wrong with a sign-in at the demo relying party, in plain words.

use openidconnect::core::CoreErrorResponseType;
use openidconnect::{
    ClaimsVerificationError, RequestTokenError, SignatureVerificationError, SigningError,
    StandardErrorResponse,
};

/// What went wrong, in the order of the checks.
#[derive(Debug, thiserror::Error)]
pub enum RelyingPartyError {
    /// The issuer's metadata or keys cannot be read.
    #[error("the issuer's metadata cannot be read: {0}")]
    Discovery(String),
    /// No sign-in with this state was begun in this browser.
    #[error("the state is not that of a sign-in begun in this browser")]
    UnknownState,
    /// The response has no `iss`, or another one.
    #[error("the response is from another issuer")]
    OtherIssuer,
    /// It has a parameter twice, or neither a code nor an error.
    #[error("the response is malformed")]
    MalformedResponse,
    /// The authorization endpoint refused.
    #[error("the authorization endpoint answered {code}")]
    Refused {
        /// The error code.
        code: String,
        /// The issuer's words for it.
        description: Option<String>,
    },
    /// There is no refresh token.
    #[error("there is no refresh token")]
    RefreshTokenMissing,
    /// The token endpoint refused.
    #[error("the token endpoint answered {code}")]
    NoTokens {
        /// The error code.
        code: String,
        /// The issuer's words for it.
        description: Option<String>,
    },
    /// The token endpoint did not answer, or not so that it can be understood.
    #[error("the token endpoint cannot be understood: {0}")]
    TokenEndpoint(String),
    /// The token endpoint gave no ID token.
    #[error("there is no ID token")]
    IdTokenMissing,
    /// The ID token is not what was expected.
    #[error("the ID token is refused: {0}")]
    IdToken(#[from] ClaimsVerificationError),
    /// The key that signed the ID token cannot be used.
    #[error("the ID token's signature is refused: {0}")]
    Signature(#[from] SignatureVerificationError),
    /// The ID token's `at_hash` cannot be compared.
    #[error("the ID token's at_hash cannot be compared: {0}")]
    Hash(#[from] SigningError),
    /// The ID token belongs to another access token.
    #[error("the ID token came with another access token")]
    OtherAccessToken,
    /// The ID token of a refresh names another person.
    #[error("the ID token of the refresh names somebody else")]
    OtherSubject,
    /// The issuer has no end session endpoint.
    #[error("the issuer has no end_session_endpoint")]
    NoLogout,
}

impl RelyingPartyError {
    /// The error in one word: the issuer's where it is one of its own.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Discovery(_) => "discovery failed",
            Self::UnknownState => "unknown state",
            Self::OtherIssuer => "wrong iss",
            Self::MalformedResponse => "malformed response",
            Self::Refused { code, .. } | Self::NoTokens { code, .. } => code,
            Self::RefreshTokenMissing => "no refresh token",
            Self::TokenEndpoint(_) => "no answer",
            Self::IdTokenMissing => "no ID token",
            Self::IdToken(_) | Self::Signature(_) | Self::Hash(_) => "ID token refused",
            Self::OtherAccessToken => "wrong at_hash",
            Self::OtherSubject => "wrong sub",
            Self::NoLogout => "no logout",
        }
    }

    /// What happened and what to do, for the person who tries the demo.
    #[must_use]
    pub fn in_words(&self) -> String {
        let words = match self {
            Self::Discovery(cause) => {
                return format!(
                    "The app could not read what the issuer says of itself at its discovery \
                     address. It asks for it over HTTP, under the name that the issuer has: {cause}."
                );
            }
            Self::TokenEndpoint(cause) => {
                return format!("The app could not make sense of the token endpoint: {cause}.");
            }
            Self::IdToken(cause) => {
                return format!("The app checked the badge and did not believe it: {cause}.");
            }
            Self::Signature(cause) => {
                return format!("The app could not check the badge's signature: {cause}.");
            }
            Self::Hash(cause) => {
                return format!("The app could not check the badge's at_hash: {cause}.");
            }
            Self::Refused { code, .. } if code == "access_denied" => {
                "You said no, so Keyfob told the app that access was denied. The app got no code, \
                 and with that neither badge nor key card."
            }
            Self::NoTokens { code, .. } if code == "invalid_grant" => {
                "The token endpoint did not take the code or the refresh token: it is over, was \
                 used before, or you have signed out since."
            }
            Self::Refused { description, .. } | Self::NoTokens { description, .. } => {
                return description
                    .clone()
                    .unwrap_or_else(|| "Keyfob gave no further words.".to_owned());
            }
            Self::UnknownState => {
                "The app did not begin this sign-in in this browser, or finished it already, or \
                 was started anew since. It cannot know who made this link, so it stops here: \
                 otherwise somebody could sign you in as himself."
            }
            Self::OtherIssuer => {
                "The answer says that it comes from another issuer (iss) than the one that the \
                 app had asked. It does not hand the code to anybody."
            }
            Self::MalformedResponse => {
                "The answer has neither a code nor an error, or has one of them twice."
            }
            Self::RefreshTokenMissing => "The app has no refresh token.",
            Self::IdTokenMissing => "There is no badge among what the token endpoint gave.",
            Self::OtherAccessToken => {
                "The badge came with another key card (at_hash) than the one that is here."
            }
            Self::OtherSubject => "The new badge names somebody else (sub) than the old one.",
            Self::NoLogout => "The issuer does not say where to sign out.",
        };
        words.to_owned()
    }
}

/// What a failure at the token endpoint is.
pub(super) fn of_token_endpoint(
    error: &RequestTokenError<reqwest::Error, StandardErrorResponse<CoreErrorResponseType>>,
) -> RelyingPartyError {
    match error {
        RequestTokenError::ServerResponse(response) => RelyingPartyError::NoTokens {
            code: response.error().as_ref().to_owned(),
            description: response.error_description().cloned(),
        },
        other => RelyingPartyError::TokenEndpoint(with_causes(other)),
    }
}

/// An error with all that it comes from.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
