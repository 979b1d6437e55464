//! The authorization response ([RFC 6749 section 4.1.2], [RFC 9207], [JARM]).
//!
//! [RFC 6749 section 4.1.2]: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
//! [RFC 9207]: https://www.rfc-editor.org/rfc/rfc9207
//! [JARM]: https://openid.net/specs/oauth-v2-jarm-final.html

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use url::form_urlencoded::Serializer;

use super::authorization_request::Refusal;
use super::client::ClientId;
use super::issuer::Issuer;
use super::response_mode::{Carrier, ResponseMode};
use super::timestamp::Timestamp;

/// The parameters of an authorization response, in the order in which they are sent.
pub type ResponseParameters = Vec<(&'static str, String)>;

/// A redirect URI that is known to be the client's, with what every answer sent there carries.
///
/// Only [`super::authorization_request::return_address`] makes one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReturnAddress {
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) response_mode: ResponseMode,
}

/// What the browser is told to do with an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AuthorizationResponse {
    /// To go to this URL.
    Redirect(String),
    /// To post these fields to this URL.
    FormPost {
        /// The redirect URI.
        action: String,
        /// Names and values.
        fields: ResponseParameters,
    },
}

impl ReturnAddress {
    /// The redirect URI as the client sent it.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// How the answer travels.
    #[must_use]
    pub fn response_mode(&self) -> ResponseMode {
        self.response_mode
    }

    /// `parameters` with those that every answer has: `state`, and `iss` ([RFC 9207 section 2]).
    ///
    /// [RFC 9207 section 2]: https://www.rfc-editor.org/rfc/rfc9207#section-2
    #[must_use]
    pub fn complete(
        &self,
        issuer: &Issuer,
        mut parameters: ResponseParameters,
    ) -> ResponseParameters {
        if let Some(state) = &self.state {
            parameters.push(("state", state.clone()));
        }
        parameters.push(("iss", issuer.as_str().to_owned()));
        parameters
    }

    /// The answer that carries `parameters` to the client.
    #[must_use]
    pub fn carry(&self, parameters: ResponseParameters) -> AuthorizationResponse {
        let separator = match self.response_mode.carrier {
            Carrier::FormPost => {
                return AuthorizationResponse::FormPost {
                    action: self.redirect_uri.clone(),
                    fields: parameters,
                };
            }
            Carrier::Fragment => '#',
            Carrier::Query => separator(&self.redirect_uri),
        };
        AuthorizationResponse::Redirect(appended(&self.redirect_uri, separator, &parameters))
    }
}

/// What tells the client why it gets nothing.
#[must_use]
pub fn refusal_parameters(refusal: Refusal) -> ResponseParameters {
    vec![
        ("error", refusal.code().as_str().to_owned()),
        ("error_description", refusal.to_string()),
    ]
}

/// The claims of a signed authorization response ([JARM section 2.1]): who answers whom until
/// when, and all parameters, as the strings that they are elsewhere.
///
/// [JARM section 2.1]: https://openid.net/specs/oauth-v2-jarm-final.html#section-2.1
#[derive(Clone, Debug, Serialize)]
pub struct SignedResponseClaims {
    /// The client.
    pub aud: String,
    /// When the response ends.
    pub exp: Timestamp,
    /// The parameters, `iss` among them.
    #[serde(flatten)]
    pub parameters: BTreeMap<&'static str, String>,
}

impl SignedResponseClaims {
    /// The claims of a response with these complete `parameters` that is sent to `client_id` at
    /// `now`.
    #[must_use]
    pub fn new(client_id: &ClientId, parameters: ResponseParameters, now: Timestamp) -> Self {
        Self {
            aud: client_id.to_string(),
            exp: now.after(SIGNED_RESPONSE_LIFETIME),
            parameters: parameters.into_iter().collect(),
        }
    }
}

/// `uri` with `fields` added to its query.
#[must_use]
pub fn with_query(uri: &str, fields: &[(&'static str, String)]) -> String {
    if fields.is_empty() {
        return uri.to_owned();
    }
    appended(uri, separator(uri), fields)
}

fn separator(uri: &str) -> char {
    // RFC 6749 section 3.1.2: a query that is there is kept.
    if uri.contains('?') { '&' } else { '?' }
}

fn appended(uri: &str, separator: char, fields: &[(&'static str, String)]) -> String {
    let mut text = format!("{uri}{separator}");
    let start = text.len();
    Serializer::for_suffix(&mut text, start).extend_pairs(fields);
    text
}

/// For how long a signed response can be used: the way of a browser to the client, and no more
/// than the ten minutes of [JARM section 2.1].
///
/// [JARM section 2.1]: https://openid.net/specs/oauth-v2-jarm-final.html#section-2.1
pub const SIGNED_RESPONSE_LIFETIME: Duration = Duration::from_mins(5);
