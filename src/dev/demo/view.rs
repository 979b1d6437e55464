//! The tokens taken apart, for people to look at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::dev::pages::tokens::{Badge, ClaimLine, DecodedToken, Expiry, KeyCard, indented};
use crate::dev::seeds::DEMO_CLIENT;
use crate::http::pages::consent::ScopeLine;
use crate::oidc::timestamp::Timestamp;
use crate::provider::Provider;

use super::relying_party::Tokens;

/// A JWT's header and claims. Nothing is verified here: this is for showing.
#[derive(Clone, Debug)]
pub struct DecodedJwt {
    /// The JOSE header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
}

impl DecodedJwt {
    /// Takes a JWT apart; `None` of what is none.
    #[must_use]
    pub fn read(token: &str) -> Option<Self> {
        let mut parts = token.split('.').map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice(&bytes).ok()
        });
        let (header, claims) = (parts.next()??, parts.next()??);
        Some(Self { header, claims })
    }

    /// A claim or header member that is text; empty if it is none.
    fn text(members: &Map<String, Value>, name: &str) -> String {
        match members.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(several)) => {
                let texts = several.iter().filter_map(Value::as_str);
                texts.collect::<Vec<_>>().join(", ")
            }
            _ => String::new(),
        }
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.claims
            .get("exp")
            .and_then(Value::as_i64)
            .map(Timestamp)
    }
}

/// The ID token as a badge.
#[must_use]
pub fn badge(tokens: &Tokens, now: Timestamp) -> Badge {
    let decoded = DecodedJwt::read(&tokens.id_token).unwrap_or(DecodedJwt {
        header: Map::new(),
        claims: Map::new(),
    });
    let claim = |name| DecodedJwt::text(&decoded.claims, name);
    let names = ["name", "preferred_username", "email"].map(claim);
    let name = names.into_iter().find(|name| !name.is_empty());
    Badge {
        name: name.unwrap_or_else(|| tokens.subject.clone()),
        header: indented(&decoded.header),
        claims: ClaimLine::of_id_token(&decoded.claims, now),
        audience: claim("aud"),
        issuer: claim("iss"),
        expiry: Expiry {
            expires_at: decoded.expires_at().unwrap_or(now),
            now,
        },
        algorithm: DecodedJwt::text(&decoded.header, "alg"),
        key_id: DecodedJwt::text(&decoded.header, "kid"),
        raw: tokens.id_token.clone(),
    }
}

/// The access token as a key card. The app could not look inside; the person may.
#[must_use]
pub fn key_card(tokens: &Tokens, provider: &Provider, api: &str, now: Timestamp) -> KeyCard {
    let (issuer, policy) = (provider.issuer().as_str(), provider.policy());
    let decoded = DecodedJwt::read(&tokens.access_token);
    let audience = decoded.as_ref().map(|decoded| decoded.claims.get("aud"));
    let audience = match audience.flatten() {
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(only)) => vec![only.as_str()],
        _ => vec![api],
    };
    let (of_issuer, of_apis): (Vec<&str>, Vec<&str>) =
        audience.into_iter().partition(|&one| one == issuer);
    let scopes = tokens.scopes.iter().map(|name| {
        let described = policy.scopes.get(name);
        described.map_or_else(
            || ScopeLine::of(name),
            |description| ScopeLine {
                name: name.clone(),
                description: description.clone(),
            },
        )
    });
    KeyCard {
        scopes: scopes.collect(),
        audience: of_apis.join(", "),
        is_for_issuer: !of_issuer.is_empty(),
        client_id: DEMO_CLIENT.to_owned(),
        expiry: Expiry {
            expires_at: tokens.expires_at,
            now,
        },
        decoded: decoded.map(|decoded| DecodedToken {
            header: indented(&decoded.header),
            claims: ClaimLine::of_access_token(&decoded.claims, now),
        }),
        raw: tokens.access_token.clone(),
    }
}
