//! What relying parties frame to watch the session.

use askama::Template;

/// The OP iframe ([Session Management section 3.2]): nobody sees it, and its script answers
/// messages.
///
/// [Session Management section 3.2]: https://openid.net/specs/openid-connect-session-1_0.html#OPiframe
#[derive(Debug, Template)]
#[template(path = "check_session.html")]
pub struct CheckSessionPage<'a> {
    /// The path of the issuer.
    pub base: &'a str,
    /// The path of the script below it.
    pub script: &'a str,
    /// The name of the cookie with the browser's state.
    pub cookie: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_its_script_and_says_which_cookie_to_read() {
        let page = CheckSessionPage {
            base: "/tenant",
            script: "/static/x.js",
            cookie: "\"><script>",
        };
        let html = page.render().unwrap();
        assert!(html.contains(r#"<script src="/tenant/static/x.js"></script>"#));
        assert_eq!(html.matches("<script").count(), 1, "{html}");
    }
}
