//! The pages of RP-initiated logout.

use askama::Template;

use super::{ClientSummary, HiddenField, Layout, UserSummary};

/// Asks whether to sign out ([RP-Initiated Logout section 2]). Posts `csrf` and the fields to
/// `/oauth2/logout/confirm`.
///
/// [RP-Initiated Logout section 2]: https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout
#[derive(Debug, Template)]
#[template(path = "logout.html")]
pub struct LogoutPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// The token against forged requests.
    pub csrf: &'a str,
    /// What the request said and the confirmation must say again.
    pub fields: Vec<HiddenField<'a>>,
    /// The client that asked, if it is known.
    pub client: Option<ClientSummary<'a>>,
    /// Who is signed in.
    pub user: Option<UserSummary<'a>>,
}

/// Says that the End-User is signed out, tells clients so in frames that nobody sees
/// ([Front-Channel Logout section 3]), and then goes back to the client: by a link, by itself when
/// the frames have loaded, and without JavaScript after a few seconds.
///
/// [Front-Channel Logout section 3]: https://openid.net/specs/openid-connect-frontchannel-1_0.html#OPLogout
#[derive(Debug, Template)]
#[template(path = "logged_out.html")]
pub struct LoggedOutPage<'a> {
    /// The frame.
    pub layout: Layout<'a>,
    /// What the frames load.
    pub frames: Vec<&'a str>,
    /// Where to go on to.
    pub return_to: Option<&'a str>,
}
