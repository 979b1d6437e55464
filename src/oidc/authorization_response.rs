//! The authorization response ([RFC 6749 section 4.1.2], [RFC 9207], response modes).
//!
//! [RFC 6749 section 4.1.2]: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
//! [RFC 9207]: https://www.rfc-editor.org/rfc/rfc9207

use url::form_urlencoded::Serializer;

use super::authorization_request::Refusal;
use super::issuer::Issuer;
use super::secret::Secret;

/// A redirect URI that is known to be the client's, with what every answer sent there carries.
///
/// Only [`super::authorization_request::return_address`] makes one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReturnAddress {
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) response_mode: ResponseMode,
}

/// How an authorization response travels ([OAuth 2.0 Multiple Response Types section 2.1],
/// [OAuth 2.0 Form Post Response Mode]).
///
/// [OAuth 2.0 Multiple Response Types section 2.1]: https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#ResponseModes
/// [OAuth 2.0 Form Post Response Mode]: https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    #[default]
    Query,
    /// In its fragment.
    Fragment,
    /// In a form that the browser posts to it.
    FormPost,
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
        fields: Vec<(&'static str, String)>,
    },
}

impl ReturnAddress {
    /// The redirect URI as the client sent it.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The answer that carries `code`, and `session_state` where sessions are watched.
    #[must_use]
    pub fn grant(
        &self,
        issuer: &Issuer,
        code: &Secret,
        session_state: Option<String>,
    ) -> AuthorizationResponse {
        let mut fields = vec![("code", code.expose().to_owned())];
        fields.extend(session_state.map(|state| ("session_state", state)));
        self.answer(issuer, fields)
    }

    /// The answer that says why there is no code.
    #[must_use]
    pub fn refuse(&self, issuer: &Issuer, refusal: Refusal) -> AuthorizationResponse {
        let fields = vec![
            ("error", refusal.code().as_str().to_owned()),
            ("error_description", refusal.to_string()),
        ];
        self.answer(issuer, fields)
    }

    fn answer(
        &self,
        issuer: &Issuer,
        mut fields: Vec<(&'static str, String)>,
    ) -> AuthorizationResponse {
        if let Some(state) = &self.state {
            fields.push(("state", state.clone()));
        }
        fields.push(("iss", issuer.as_str().to_owned()));
        let separator = match self.response_mode {
            ResponseMode::FormPost => {
                return AuthorizationResponse::FormPost {
                    action: self.redirect_uri.clone(),
                    fields,
                };
            }
            ResponseMode::Fragment => '#',
            ResponseMode::Query => separator(&self.redirect_uri),
        };
        AuthorizationResponse::Redirect(appended(&self.redirect_uri, separator, &fields))
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
