//! The page before an error is taken to a client that nobody has checked.

use askama::Template;

use super::{ClientSummary, HiddenField, Layout};

/// Asks the person before the browser goes on to a client that registered itself, with an error
/// and without anybody signed in ([RFC 9700 section 4.11.2]): such a client could have been
/// registered for nothing but being sent to.
///
/// [RFC 9700 section 4.11.2]: https://www.rfc-editor.org/rfc/rfc9700#section-4.11.2
#[derive(Debug, Template)]
#[template(path = "error_return.html")]
pub struct ErrorReturnPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// The client.
    pub client: ClientSummary<'a>,
    /// Its redirect URI, for people to read.
    pub redirect_uri: &'a str,
    /// Where the browser goes.
    pub url: &'a str,
    /// What it posts there; empty for a link.
    pub fields: Vec<HiddenField<'a>>,
}
