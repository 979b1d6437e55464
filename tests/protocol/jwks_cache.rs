//! The keys of others: fetched once, kept for as long as they say, fetched anew when one is missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keyfob::oidc::policy::OutboundPolicy;
use keyfob::oidc::timestamp::Timestamp;
use keyfob::provider::jwks_cache::{JwksCache, JwksError};
use keyfob::provider::outbound::Outbound;

use crate::support::client_key::ClientKey;
use crate::support::peer::{Peer, write_json};

const NOW: Timestamp = Timestamp(1_000_000);

fn cache() -> JwksCache {
    let policy = OutboundPolicy {
        allows_loopback: true,
        ..OutboundPolicy::default()
    };
    JwksCache::new(Arc::new(Outbound::new(policy)))
}

fn later(seconds: u64) -> Timestamp {
    NOW.after(Duration::from_secs(seconds))
}

/// A peer with a key, whose answer has this header line.
fn peer(header: &'static str) -> Peer {
    let jwks = ClientKey::p256("a").jwks().to_string();
    Peer::http(move |_, stream| write_json(stream, header, &jwks))
}

#[tokio::test]
async fn keys_are_kept_for_as_long_as_they_say_within_bounds() {
    for (header, seconds) in [
        ("Cache-Control: max-age=3600\r\n", 3600),
        ("Cache-Control: max-age=1\r\n", 60),
        ("Cache-Control: no-store\r\n", 60),
        ("Cache-Control: max-age=999999999\r\n", 86_400),
        ("", 600),
    ] {
        let (cache, peer) = (cache(), peer(header));
        let uri = peer.url("/jwks");
        cache.find(&uri, NOW).await.expect("keys");
        cache.find(&uri, later(seconds - 1)).await.expect("keys");
        assert_eq!(peer.requests().len(), 1, "{header}");
        cache.find(&uri, later(seconds)).await.expect("keys");
        assert_eq!(peer.requests().len(), 2, "{header}");
    }
}

#[tokio::test]
async fn a_missing_key_is_asked_for_once_a_minute() {
    let (cache, peer) = (cache(), peer("Cache-Control: max-age=86400\r\n"));
    let uri = peer.url("/jwks");
    let held = cache.find(&uri, NOW).await.expect("keys");
    cache
        .find_newer(&uri, &held, later(59))
        .await
        .expect("keys");
    assert_eq!(peer.requests().len(), 1);
    let newer = cache
        .find_newer(&uri, &held, later(60))
        .await
        .expect("keys");
    assert_eq!(peer.requests().len(), 2);
    // Whoever holds the older ones gets those that somebody else fetched meanwhile.
    cache
        .find_newer(&uri, &held, later(120))
        .await
        .expect("keys");
    assert_eq!(peer.requests().len(), 2);
    cache
        .find_newer(&uri, &newer, later(121))
        .await
        .expect("keys");
    assert_eq!(peer.requests().len(), 3);
}

#[tokio::test]
async fn however_many_ask_one_request_is_on_its_way() {
    let (cache, peer) = (cache(), peer(""));
    let uri = peer.url("/jwks");
    let asked = (0..50).map(|_| cache.find(&uri, NOW));
    for answer in futures_util::future::join_all(asked).await {
        answer.expect("keys");
    }
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn a_uri_that_fails_is_left_alone_for_a_moment_and_then_asked_again() {
    let turn = AtomicUsize::new(0);
    let jwks = ClientKey::p256("a").jwks().to_string();
    let peer = Peer::http(move |_, stream| {
        let content = match turn.fetch_add(1, Ordering::SeqCst) {
            0 => "not JSON",
            1 => r#"{"keys":[{"kty":"oct","k":"AA"}]}"#,
            _ => &*jwks,
        };
        write_json(stream, "", content);
    });
    let (cache, uri) = (cache(), peer.url("/jwks"));
    for (seconds, requests) in [(0, 1), (4, 1), (5, 2), (9, 2)] {
        let refused = cache.find(&uri, later(seconds)).await;
        assert!(matches!(refused, Err(JwksError::Malformed(_))), "{seconds}");
        assert_eq!(peer.requests().len(), requests, "{seconds}");
    }
    cache.find(&uri, later(10)).await.expect("keys");
    let nowhere = cache.find("https://10.0.0.1/jwks", NOW).await;
    assert!(matches!(nowhere, Err(JwksError::Fetch(_))));
}
