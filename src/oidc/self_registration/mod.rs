//! Clients that register themselves ([RFC 7591], [OIDC Registration]): what they may say, what is
//! made of what they leave out, and what nobody but an operator may give them.
//!
//! **Invariant:** a member that [`REGISTRABLE`] does not name is neither read from a client nor
//! told to it, so that a new member of Keyfob's own is out of reach until somebody says otherwise.
//!
//! [RFC 7591]: https://www.rfc-editor.org/rfc/rfc7591
//! [OIDC Registration]: https://openid.net/specs/openid-connect-registration-1_0.html

mod members;
mod rules;

use serde_json::{Map, Value, json};

use super::client::Client;
use super::client_metadata::{ApplicationType, ClientMetadata, IdTokenClaims};
use super::grant_type::GrantType;
use super::issuer::Issuer;
use super::metadata::path;
use super::policy::RegistrationPolicy;
use super::redirect_uri::RedirectUri;
use super::registration::{self, MetadataError};
use super::response_type::ResponseType;
use super::scope::{self, Scopes};
use super::secret::Secret;
use members::{ASKED, REGISTRABLE};

/// Reads what a client says of itself, as [RFC 7591 section 2] and [OIDC Registration section 2]
/// have it. What is unknown, and what is not for it to say, is ignored.
///
/// # Errors
///
/// The first member that is wrong.
///
/// [RFC 7591 section 2]: https://www.rfc-editor.org/rfc/rfc7591#section-2
/// [OIDC Registration section 2]: https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata
pub fn read(
    object: &Map<String, Value>,
    policy: &RegistrationPolicy,
) -> Result<ClientMetadata, MetadataError> {
    let mut metadata = parse(object)?;
    let may = |it: GrantType| match it {
        GrantType::Implicit => policy.allow_implicit,
        _ => GRANT_TYPES.contains(&it),
    };
    metadata.grant_types.0.retain(|it| may(*it));
    let may = |it: ResponseType| policy.allow_implicit || !it.is_front_channel();
    metadata.response_types.0.retain(|it| may(*it));
    metadata.scope = scope(metadata.scope.take(), policy)?;
    metadata.application_type = Some(application_type(&metadata));
    // As OIDC Core has them: who has not been looked at gets no more than it asks userinfo for.
    metadata.id_token_claims = IdTokenClaims::Lean;
    metadata.require_pkce = policy.require_pkce.then_some(true);
    rules::check(&metadata)?;
    registration::check(&metadata)?;
    Ok(metadata)
}

/// What a client is told of its own registration.
#[must_use]
pub fn outward(metadata: &ClientMetadata) -> Map<String, Value> {
    let Value::Object(mut members) = json!(metadata) else {
        return Map::new();
    };
    members.retain(|name, _| REGISTRABLE.contains(&name.as_str()));
    members
}

/// What a client is told when it is registered, and when it asks for its registration
/// ([RFC 7591 section 3.2.1], [RFC 7592 section 3]): with the secret only when that was just made.
///
/// [RFC 7591 section 3.2.1]: https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1
/// [RFC 7592 section 3]: https://www.rfc-editor.org/rfc/rfc7592#section-3
#[must_use]
pub fn response(
    client: &Client,
    secret: Option<&Secret>,
    access_token: &Secret,
    issuer: &Issuer,
) -> Map<String, Value> {
    let mut members = outward(&client.metadata);
    let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
    add("client_id", json!(client.id));
    add("client_id_issued_at", json!(client.created_at));
    if let Some(secret) = secret {
        add("client_secret", json!(secret.expose()));
        // It does not expire.
        add("client_secret_expires_at", json!(0));
    }
    let uri = issuer.join(&format!("{}/{}", path::REGISTRATION, client.id));
    add("registration_client_uri", json!(uri));
    add("registration_access_token", json!(access_token.expose()));
    members
}

/// The addresses of a client that Keyfob itself may come to ask, by the member that has them.
#[must_use]
pub fn asked(metadata: &ClientMetadata) -> Vec<(&'static str, String)> {
    let members = outward(metadata);
    let mut asked = Vec::new();
    for member in ASKED {
        let uris = match members.get(*member) {
            Some(Value::String(uri)) => vec![uri.clone()],
            Some(Value::Array(uris)) => {
                let uris = uris.iter().filter_map(Value::as_str);
                uris.map(str::to_owned).collect()
            }
            Some(_) | None => Vec::new(),
        };
        asked.extend(uris.into_iter().map(|uri| (*member, uri)));
    }
    asked
}

fn parse(object: &Map<String, Value>) -> Result<ClientMetadata, MetadataError> {
    let mut own = Map::new();
    for name in REGISTRABLE {
        // A null is a member that is left out (RFC 7592 section 2.2).
        if let Some(value) = object.get(*name).filter(|value| !value.is_null()) {
            own.insert((*name).to_owned(), value.clone());
        }
    }
    // The specifications' defaults where Keyfob's own, for operators, are others.
    own.entry("grant_types")
        .or_insert_with(|| json!([GrantType::AuthorizationCode.as_str()]));
    let whole = serde_json::from_value(Value::Object(own.clone()));
    whole.map_err(|error| {
        // serde_json says what is wrong and not where: each member alone tells.
        let guilty = REGISTRABLE.iter().find(|name| {
            let alone = own.get(**name).map(|value| json!({ **name: value }));
            alone.is_some_and(|alone| serde_json::from_value::<ClientMetadata>(alone).is_err())
        });
        MetadataError::new(guilty.unwrap_or(&"client metadata"), error.to_string())
    })
}

/// The scopes that a client gets: of those that it names the ones that are to be had.
fn scope(
    named: Option<Scopes>,
    policy: &RegistrationPolicy,
) -> Result<Option<Scopes>, MetadataError> {
    let is_standard = |scope: &str| scope::STANDARD.contains(&scope);
    let Some(named) = named else {
        // Without any it may have the standard ones; those beside them have to be written down.
        return Ok((!policy.scope.is_empty()).then(|| scope::standard().union(&policy.scope)));
    };
    let had = named.filtered(|scope| {
        is_standard(scope) || policy.scope.contains(scope) || policy.allows_any_scope
    });
    if had.is_empty() {
        let reason = "none of these scopes is for clients that register themselves";
        return Err(MetadataError::new("scope", reason));
    }
    Ok(Some(had))
}

/// The kind that a client says it is. Who says nothing is a web application by the specification,
/// but Model Context Protocol clients, which redirect to the person's machine, say nothing either.
fn application_type(metadata: &ClientMetadata) -> ApplicationType {
    let uris = &metadata.redirect_uris;
    metadata.application_type.unwrap_or_else(|| {
        if uris.iter().all(RedirectUri::is_https) {
            ApplicationType::Web
        } else {
            ApplicationType::Native
        }
    })
}

/// The grants that a client can register itself for. Those in which a client acts as itself, or as
/// somebody who does not see a page of Keyfob's, take an operator.
const GRANT_TYPES: &[GrantType] = &[GrantType::AuthorizationCode, GrantType::RefreshToken];

#[cfg(test)]
mod tests {
    use super::*;

    fn read_json(value: &Value) -> Result<ClientMetadata, MetadataError> {
        read(value.as_object().unwrap(), &RegistrationPolicy::default())
    }

    #[test]
    fn what_a_client_leaves_out_is_as_the_specifications_have_it() {
        let metadata = read_json(&json!({"redirect_uris": ["https://rp.test/cb"]})).unwrap();
        assert_eq!(
            json!(outward(&metadata)),
            json!({
                "redirect_uris": ["https://rp.test/cb"],
                "token_endpoint_auth_method": "client_secret_basic",
                "grant_types": ["authorization_code"],
                "response_types": ["code"],
                "application_type": "web",
                "id_token_signed_response_alg": "RS256",
            })
        );
        assert_eq!(metadata.id_token_claims, IdTokenClaims::Lean);
        assert_eq!(metadata.require_pkce, None);
    }

    #[test]
    fn what_is_not_a_clients_to_say_is_ignored() {
        let metadata = read_json(&json!({
            "redirect_uris": ["https://rp.test/cb"],
            "client_id": "chosen", "client_secret": "chosen", "trusted": true,
            "grant_types": ["authorization_code", "refresh_token", "client_credentials",
                "urn:ietf:params:oauth:grant-type:token-exchange"],
            "scope": "openid admin email", "require_pkce": false, "skip_consent": true,
            "id_token_claims": "granted_scopes", "refresh_tokens": "always",
            "access_token_format": "opaque", "access_token_audience": ["https://api.test"],
            "access_token_lifetime": 2_592_000, "id_token_lifetime": 2_592_000,
            "allow_fragment": true, "allowed_groups": ["x"],
            "allowed_origins": ["https://evil.test"], "client_name": null,
        }))
        .unwrap();
        let expected = ClientMetadata {
            redirect_uris: vec!["https://rp.test/cb".parse().unwrap()],
            scope: Some("openid email".parse().unwrap()),
            application_type: Some(ApplicationType::Web),
            id_token_claims: IdTokenClaims::Lean,
            ..ClientMetadata::default()
        };
        assert_eq!(json!(metadata), json!(expected));
    }

    #[test]
    fn a_member_that_is_wrong_is_named() {
        let https = "https://rp.test/cb";
        for (member, value) in [
            ("redirect_uris", json!([])),
            ("redirect_uris", json!("https://rp.test/cb")),
            ("redirect_uris", json!(["javascript:alert(1)"])),
            ("redirect_uris", json!(["data:text/html,x"])),
            ("redirect_uris", json!(["vbscript:x"])),
            ("redirect_uris", json!(["https://rp.test/cb#f"])),
            (
                "redirect_uris",
                json!(["https://rp.test/*", "http://rp.test/cb"]),
            ),
            ("redirect_uris", json!(["http://127.0.0.1.evil.test/cb"])),
            ("redirect_uris", json!(["myapp:/cb"])),
            ("redirect_uris", json!(vec![https; 51])),
            ("post_logout_redirect_uris", json!(["http://rp.test/bye"])),
            ("post_logout_redirect_uris", json!(["javascript:alert(1)"])),
            ("grant_types", json!("authorization_code")),
            ("grant_types", json!(["client_credentials"])),
            ("grant_types", json!(["refresh_token"])),
            ("response_types", json!([])),
            ("response_types", json!(["token"])),
            ("token_endpoint_auth_method", json!("unknown")),
            ("application_type", json!("desktop")),
            ("id_token_signed_response_alg", json!("none")),
            ("id_token_signed_response_alg", json!("HS256")),
            ("scope", json!("admin")),
            ("scope", json!(["openid"])),
            ("client_name", json!("")),
            ("client_name", json!("a\nb")),
            ("client_name", json!("bank\u{202e}live")),
            ("client_name", json!("x".repeat(201))),
            ("client_uri", json!("javascript:alert(1)")),
            ("logo_uri", json!("data:image/svg+xml,<svg/>")),
            ("logo_uri", json!("http://rp.test/logo.png")),
            ("logo_uri", json!("https://a;b/logo.png")),
            ("policy_uri", json!("javascript:alert(1)")),
            ("tos_uri", json!("data:text/html,x")),
            (
                "tos_uri",
                json!(format!("https://rp.test/{}", "x".repeat(2048))),
            ),
            ("initiate_login_uri", json!("http://rp.test/login")),
            ("contacts", json!("me@rp.test")),
            ("contacts", json!(vec!["me@rp.test"; 51])),
            ("default_max_age", json!(-1)),
            ("software_id", json!("x".repeat(2049))),
        ] {
            let mut object = json!({ "redirect_uris": [https] });
            object[member] = value.clone();
            let error = read_json(&object).unwrap_err();
            assert_eq!(error.member, member, "{value}: {error}");
        }
    }

    #[test]
    fn tokens_travel_through_the_browser_only_where_the_operator_allows_it() {
        let object = json!({
            "redirect_uris": ["https://rp.test/cb"],
            "grant_types": ["authorization_code", "implicit"],
            "response_types": ["code", "token id_token"],
        });
        let object = object.as_object().unwrap();
        let mut policy = RegistrationPolicy::default();
        let usual = read(object, &policy).unwrap();
        assert_eq!(usual.response_types.0, [ResponseType::Code]);
        assert!(!usual.grant_types.contains(GrantType::Implicit));

        policy.allow_implicit = true;
        let allowed = read(object, &policy).unwrap();
        let both = [ResponseType::Code, ResponseType::IdTokenToken];
        assert_eq!(allowed.response_types.0, both);
        assert!(allowed.grant_types.contains(GrantType::Implicit));

        policy.allow_implicit = false;
        let nothing_else = json!({
            "redirect_uris": ["https://rp.test/cb"],
            "grant_types": ["implicit"],
            "response_types": ["id_token"],
        });
        let refused = read(nothing_else.as_object().unwrap(), &policy);
        assert_eq!(refused.unwrap_err().member, "grant_types");
    }

    #[test]
    fn an_application_is_reached_as_its_type_is() {
        for (application_type, method, uri, expected) in [
            (
                None,
                "none",
                "http://localhost:6274/oauth/callback",
                Some("native"),
            ),
            (None, "none", "http://127.0.0.1/cb", Some("native")),
            (None, "none", "http://[::1]:8080/cb", Some("native")),
            (
                None,
                "client_secret_post",
                "http://localhost:3030/callback",
                Some("native"),
            ),
            (None, "none", "com.example.app:/cb", Some("native")),
            (None, "none", "https://rp.test/cb", Some("web")),
            (
                Some("native"),
                "none",
                "https://app.test/claimed",
                Some("native"),
            ),
            (Some("native"), "none", "cursor:/cb", None),
            (Some("web"), "none", "http://localhost/cb", None),
            (
                Some("web"),
                "client_secret_basic",
                "com.example.app:/cb",
                None,
            ),
            (
                Some("web"),
                "client_secret_basic",
                "https://rp.test/cb",
                Some("web"),
            ),
        ] {
            let object = json!({"redirect_uris": [uri], "application_type": application_type,
                "token_endpoint_auth_method": method});
            let registered = read_json(&object).ok();
            let registered = registered.map(|it| json!(it.application_type));
            assert_eq!(registered, expected.map(|it| json!(it)), "{object}");
        }
    }

    #[test]
    fn an_operator_may_ask_for_pkce_and_allow_more_scopes() {
        let policy = RegistrationPolicy {
            require_pkce: true,
            scope: "mail:read".parse().unwrap(),
            ..RegistrationPolicy::default()
        };
        for (scope, expected) in [
            (json!("openid mail:read admin"), "openid mail:read"),
            (
                json!(null),
                "openid profile email address phone groups offline_access mail:read",
            ),
        ] {
            let object = json!({"redirect_uris": ["https://rp.test/cb"], "scope": scope,
                "require_pkce": false});
            let metadata = read(object.as_object().unwrap(), &policy).unwrap();
            assert_eq!(metadata.scope.unwrap().to_string(), expected);
            assert_eq!(metadata.require_pkce, Some(true));
        }
    }
}
