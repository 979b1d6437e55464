//! What the demo relying party shows once somebody has signed in, or could not.

use askama::Template;

use super::tokens::{Badge, KeyCard};
use crate::http::pages::Layout;

/// Both tokens side by side, and the experiment with the demo API.
///
/// The experiment posts `csrf` and `token` (the `as_str` of an [`Attempt`]) to `/demo/call`; the
/// others post `csrf` to `/demo/refresh` and `/demo/logout`.
#[derive(Debug, Template)]
#[template(path = "dev/demo.html")]
pub struct DemoPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// The token against forged requests.
    pub csrf: &'a str,
    /// The ID token.
    pub badge: Badge,
    /// The access token.
    pub key_card: KeyCard,
    /// Whether there is a refresh token.
    pub can_refresh: bool,
    /// A sentence about what has just happened, like a refresh.
    pub notice: Option<&'a str>,
    /// What the demo API answered last.
    pub result: Option<ApiResult>,
}

/// Says why the demo's sign-in failed.
///
/// Show it only for a response whose `state` was the demo's own: its text comes from the URL.
#[derive(Debug, Template)]
#[template(path = "dev/demo_error.html")]
pub struct DemoErrorPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// The error code, or what failed.
    pub error: &'a str,
    /// What is known beyond that.
    pub description: Option<&'a str>,
}

/// A call of the demo API with one sort of token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Attempt {
    /// With the access token, as it should be.
    AccessToken,
    /// With the ID token, which is for the app and not for the API.
    IdToken,
    /// With an access token that is over.
    Expired,
    /// With an access token of which one letter was changed.
    Tampered,
    /// With an access token that lacks the scope.
    WrongScope,
}

/// What the demo API answered.
#[derive(Clone, Debug)]
pub struct ApiResult {
    /// What was tried.
    pub attempt: Attempt,
    /// The status code.
    pub status: u16,
    /// The `WWW-Authenticate` header, if there was one.
    pub challenge: Option<String>,
    /// The body, indented.
    pub body: String,
}

impl Attempt {
    /// Every one of them, in the order of the page.
    pub const ALL: &[Self] = &[
        Self::AccessToken,
        Self::IdToken,
        Self::Expired,
        Self::Tampered,
        Self::WrongScope,
    ];

    /// The value of the form's `token` field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access",
            Self::IdToken => "id",
            Self::Expired => "expired",
            Self::Tampered => "tampered",
            Self::WrongScope => "wrong_scope",
        }
    }

    /// The attempt that a form's `token` field names.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|attempt| attempt.as_str() == text)
    }

    /// The id of its button.
    #[must_use]
    pub const fn button_id(self) -> &'static str {
        match self {
            Self::AccessToken => "call-access",
            Self::IdToken => "call-id",
            Self::Expired => "call-expired",
            Self::Tampered => "call-tampered",
            Self::WrongScope => "call-wrong-scope",
        }
    }

    /// What its button says.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::AccessToken => "Key card",
            Self::IdToken => "Badge",
            Self::Expired => "Expired key card",
            Self::Tampered => "Forged key card",
            Self::WrongScope => "Key card for another door",
        }
    }

    /// What is sent, in the protocol's words.
    #[must_use]
    pub const fn sends(self) -> &'static str {
        match self {
            Self::AccessToken => "the access token",
            Self::IdToken => "the ID token",
            Self::Expired => "an access token that is over",
            Self::Tampered => "an access token with one letter changed",
            Self::WrongScope => "an access token without the scope",
        }
    }

    /// Why the API answers as it does.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::AccessToken => {
                "The key card opened the door. The API checked the signature against the public \
                 keys, then that the card was issued by this issuer, is meant for this API (aud), \
                 has not expired and carries the scope. It never asked who you are: whoever holds \
                 the card gets in."
            }
            Self::IdToken => {
                "A badge is not a key. The ID token is genuine and signed by the same issuer, but \
                 it says who you are, to the app: its audience (aud) is the app and not this API, \
                 and its type is not at+jwt. An API that took it would let every app that you \
                 ever sign in to act as you."
            }
            Self::Expired => {
                "The key card was genuine, but its time (exp) is over. That is why it does not \
                 live long: a stolen one soon opens nothing. The app gets a new one with its \
                 refresh token, without asking you."
            }
            Self::Tampered => {
                "One letter of the key card was changed, so the signature no longer fits the \
                 content. Nobody but the issuer can make it fit again, because nobody else has \
                 the private key."
            }
            Self::WrongScope => {
                "The key card is genuine and still valid, but it does not carry the scope that \
                 this door asks for. So the answer is 403 and not 401: the API knows the card and \
                 says no. Signing in again would not help; asking for the scope would."
            }
        }
    }
}

impl ApiResult {
    /// Whether the door opened.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The status code in words.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self.status {
            200 => "OK",
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            500 => "Internal Server Error",
            503 => "Service Unavailable",
            _ => "",
        }
    }

    /// Why it answered so; plainly that it was not expected, if it was not.
    #[must_use]
    pub const fn explanation(&self) -> &'static str {
        match (self.attempt, self.status) {
            (Attempt::AccessToken, 200)
            | (Attempt::IdToken | Attempt::Expired | Attempt::Tampered, 401)
            | (Attempt::WrongScope, 403) => self.attempt.why(),
            (Attempt::AccessToken, 401) => {
                "The API did not take the key card. Most likely its time is over, or you have \
                 signed out since: refresh it, or sign in again."
            }
            _ => "This is not the answer that was to be expected. The log of the server says more.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_parsed_from_what_its_form_sends() {
        for attempt in Attempt::ALL {
            assert_eq!(Attempt::parse(attempt.as_str()), Some(*attempt));
        }
        assert_eq!(Attempt::parse("refresh"), None);
    }
}
