//! The answers that the cases name: a page of the server's own, or an error told to the client.

use crate::support::browser::{Arrival, Away, Browser, Page};
use crate::support::relying_party::AuthorizationRequest;
use url::Url;

/// Opens an authorization request with a new browser and asserts that a page of the server's own
/// refuses it, leading nowhere.
#[track_caller]
pub(crate) fn assert_page(arrival: Arrival, what: &str) -> Page {
    match arrival {
        Arrival::Page(page) if page.is_refusal() => page,
        Arrival::Page(page) => panic!("{what}: expected a refusal, got {}", page.describe()),
        Arrival::Away(away) => panic!("{what}: expected a page, was sent to {}", away.url),
    }
}

/// Asserts that the client was told `error` at its redirect URI, with the state and the issuer.
#[track_caller]
pub(crate) fn assert_told(
    arrival: Arrival,
    request: &AuthorizationRequest,
    issuer: &str,
    error: &str,
) -> Away {
    let away = match arrival {
        Arrival::Away(away) => away,
        Arrival::Page(page) => panic!("expected {error}, got {}", page.describe()),
    };
    assert_eq!(away.error(), error, "{}", away.url);
    assert!(
        [302, 303].contains(&away.status.as_u16()),
        "{}",
        away.status
    );
    assert_eq!(away.parameter("iss").as_deref(), Some(issuer));
    assert_eq!(away.parameter("code"), None);
    let registered = request.parameter("redirect_uri").unwrap_or_default();
    assert!(away.url.as_str().starts_with(&registered), "{}", away.url);
    away
}

/// Opens `url` with a new browser.
pub(crate) async fn open(url: &Url) -> Arrival {
    Browser::new(url.as_str()).open(url).await
}
