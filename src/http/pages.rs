//! The pages that the End-User sees, as askama templates.
//!
//! Every value that comes from outside is escaped by the template engine; nothing is ever marked
//! as safe. All pages share one frame (`templates/layout.html`) and one style sheet
//! (`static/keyfob.css`), need no script, and carry no inline style, so that they work under the
//! Content-Security-Policy that the server sends.

pub mod about_client;
pub mod accent;
pub mod check_session;
pub mod consent;
pub mod device;
pub mod error;
pub mod error_return;
pub mod form_post;
pub mod front;
pub mod login;
pub mod logout;
pub mod qr_code;
pub mod redirect_uris;
pub mod select_account;
pub mod words;

use crate::http::assets;
use accent::Accent;

/// What an operator makes of the pages.
#[derive(Clone, Debug)]
pub struct Brand {
    /// The name of the sign-in service.
    pub name: String,
    /// The path, below the issuer's, of a logo to show instead of the key fob.
    pub logo: Option<String>,
    /// The colour of buttons and links, instead of the style sheet's own.
    pub accent: Option<Accent>,
}

/// What the frame of every page needs.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    /// The path of the issuer, before every link and form action: empty, or like `/tenant`.
    pub base: &'a str,
    /// The operator's name, logo and colour.
    pub brand: &'a Brand,
    /// The nonce of this response's Content-Security-Policy.
    pub nonce: &'a str,
    /// The id under which the log knows this request.
    pub request_id: &'a str,
}

impl Layout<'_> {
    /// The URL path of the asset called `name` in `static/`.
    #[must_use]
    pub fn asset(&self, name: &str) -> String {
        format!("{}{}", self.base, assets::path(name))
    }

    /// The operator's colours as a style sheet, if there are any.
    ///
    /// It consists of nothing but custom properties and hexadecimal colours.
    #[must_use]
    pub fn theme(&self) -> Option<String> {
        self.brand.accent.map(Accent::style_sheet)
    }
}

/// A field that a form carries along.
#[derive(Clone, Copy, Debug)]
pub struct HiddenField<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value.
    pub value: &'a str,
}

/// The client as the End-User is told of it.
#[derive(Clone, Copy, Debug)]
pub struct ClientSummary<'a> {
    /// What it calls itself.
    pub name: &'a str,
    /// The host of its redirect URI (or the scheme, of a native app's): where the browser goes
    /// next, which the client cannot make up.
    pub host: &'a str,
}

impl ClientSummary<'_> {
    /// The letter that stands for the client.
    #[must_use]
    pub fn monogram(&self) -> String {
        monogram(self.name)
    }
}

/// The signed-in End-User as the pages name them.
#[derive(Clone, Copy, Debug)]
pub struct UserSummary<'a> {
    /// Their full name, or else the user name.
    pub name: &'a str,
    /// Their e-mail address or user name: which account it is.
    pub account: &'a str,
}

impl UserSummary<'_> {
    /// The letter that stands for the End-User.
    #[must_use]
    pub fn monogram(&self) -> String {
        monogram(self.name)
    }
}

/// The first letter or digit of `name`, in upper case.
#[must_use]
pub fn monogram(name: &str) -> String {
    let first = name.chars().find(|character| character.is_alphanumeric());
    first.map_or_else(|| "?".to_owned(), |letter| letter.to_uppercase().collect())
}

#[cfg(test)]
mod tests;
