//! The page that carries a response to the client by a form.

use askama::Template;

use super::{HiddenField, Layout};

/// Posts the authorization response to the redirect URI ([Form Post Response Mode section 2]).
///
/// It submits itself by a classic inline script that stands after the form, because some test
/// browsers run no others, and offers a button where there are no scripts.
///
/// [Form Post Response Mode section 2]: https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html#FormPostResponseMode
#[derive(Debug, Template)]
#[template(path = "form_post.html")]
pub struct FormPostPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// The redirect URI, known to be the client's own.
    pub action: &'a str,
    /// The parameters of the response.
    pub fields: Vec<HiddenField<'a>>,
}
