//! What must hold of the pages of dev.

use askama::Template;
use serde_json::json;

use super::demo::{ApiResult, Attempt, DemoErrorPage, DemoPage};
use super::home::{ClientLine, HomePage, UserLine};
use super::tokens::{Badge, ClaimLine, DecodedToken, Expiry, KeyCard};
use crate::http::pages::consent::ScopeLine;
use crate::http::pages::{Brand, Layout};
use crate::oidc::timestamp::Timestamp;

/// What an attacker puts into whatever he can name.
const HOSTILE: &str = r#""'><img src=x onerror=1>"#;

/// Every page, with the hostile string in each place.
fn pages() -> Vec<String> {
    let brand = Brand {
        name: "Keyfob".to_owned(),
        logo: None,
        accent: None,
    };
    let layout = Layout {
        base: "/tenant",
        brand: &brand,
        nonce: "the-nonce",
        request_id: HOSTILE,
    };
    let error = DemoErrorPage {
        layout,
        error: HOSTILE,
        description: Some(HOSTILE),
    };
    let mut pages = vec![home(layout).render(), error.render()];
    pages.push(demo(layout, None).render());
    for attempt in Attempt::ALL {
        let result = ApiResult {
            attempt: *attempt,
            status: 401,
            challenge: Some(HOSTILE.to_owned()),
            body: HOSTILE.to_owned(),
        };
        pages.push(demo(layout, Some(result)).render());
    }
    pages.into_iter().map(|page| page.unwrap()).collect()
}

fn home(layout: Layout<'_>) -> HomePage<'_> {
    HomePage {
        layout,
        notice: Some(HOSTILE),
        issuer: HOSTILE,
        discovery_url: HOSTILE,
        jwks_url: HOSTILE,
        clients: vec![ClientLine {
            name: HOSTILE,
            client_id: HOSTILE,
            secret: Some(HOSTILE),
            redirect_uris: vec![HOSTILE],
        }],
        users: vec![UserLine {
            username: HOSTILE,
            password: HOSTILE,
            note: HOSTILE,
        }],
        environment: vec![(HOSTILE, HOSTILE)],
    }
}

fn demo(layout: Layout<'_>, result: Option<ApiResult>) -> DemoPage<'_> {
    let hostile = || HOSTILE.to_owned();
    let claims = json!({HOSTILE: HOSTILE, "aud": [HOSTILE], "address": {"region": HOSTILE}});
    let claims = ClaimLine::of_id_token(claims.as_object().unwrap(), Timestamp(0));
    let expiry = Expiry {
        expires_at: Timestamp(300),
        now: Timestamp(0),
    };
    DemoPage {
        layout,
        csrf: HOSTILE,
        badge: Badge {
            name: hostile(),
            header: hostile(),
            claims: claims.clone(),
            audience: hostile(),
            issuer: hostile(),
            expiry,
            algorithm: hostile(),
            key_id: hostile(),
            raw: hostile(),
        },
        key_card: KeyCard {
            scopes: vec![ScopeLine::of(HOSTILE)],
            audience: hostile(),
            is_for_issuer: true,
            client_id: hostile(),
            expiry,
            decoded: Some(DecodedToken {
                header: hostile(),
                claims,
            }),
            raw: hostile(),
        },
        can_refresh: true,
        notice: Some(HOSTILE),
        result,
    }
}

#[test]
fn no_outside_string_becomes_markup() {
    for page in pages() {
        assert!(!page.contains("<img src=x"), "{page}");
        assert!(!page.contains(r#"""'>"#), "{page}");
        assert!(page.contains("&#60;img src=x onerror=1&#62;"), "{page}");
    }
}

#[test]
fn every_page_works_under_the_content_security_policy() {
    for page in pages() {
        assert!(!page.contains(" style="), "{page}");
        assert!(!page.contains("<style"), "{page}");
        assert_eq!(page.matches("<script").count(), 1);
        assert!(page.contains(r#"<script nonce="the-nonce" src="/tenant/static/keyfob."#));
    }
}

#[test]
fn every_page_has_one_heading_a_title_a_language_and_a_main_part() {
    for page in pages() {
        for part in ["<h1", "<title>", "<main", r#"<html lang="en">"#] {
            assert_eq!(page.matches(part).count(), 1, "{part} in {page}");
        }
    }
}

#[test]
fn the_ids_that_automation_relies_on_are_there() {
    let all = pages().concat();
    for id in [
        "demo-start",
        "badge",
        "key-card",
        "api-result",
        "call-access",
        "call-id",
        "call-expired",
        "call-tampered",
        "call-wrong-scope",
        "demo-refresh",
        "demo-logout",
    ] {
        assert!(all.contains(&format!(r#" id="{id}""#)), "{id}");
    }
}

#[test]
fn an_unexpected_answer_is_not_explained_away() {
    let answer = |attempt, status| ApiResult {
        attempt,
        status,
        challenge: None,
        body: String::new(),
    };
    let expected = answer(Attempt::IdToken, 401);
    assert_eq!(expected.explanation(), Attempt::IdToken.why());
    // An API that took the ID token would be broken; the page must not praise it.
    let broken = answer(Attempt::IdToken, 200);
    assert_ne!(broken.explanation(), Attempt::IdToken.why());
}
