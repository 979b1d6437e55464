//! APIs that are in the configuration.

use std::time::Duration;

use keyfob::oidc::api::{Api, ApiClients};
use keyfob::oidc::client_metadata::AccessTokenFormat;
use keyfob::oidc::signing_algorithm::SigningAlgorithm;

use super::support::{Files, MASTER_KEY, good};

#[test]
fn an_api_is_called_by_its_address_and_has_scopes_of_its_own() {
    let toml = good(
        r#"
        [api."https://mcp.example.com/v1.0"]
        name = "The weather"
        clients = "all"
        token_format = "opaque"
        token_lifetime = "5m"
        token_signing_alg = "ES256"
        introspected_by = ["weather"]
        [api."https://mcp.example.com/v1.0".scopes]
        "weather.read" = "Ask how the weather is"
        [api."urn:example:payroll"]
        "#,
    );
    let config = Files::new(&toml).load(&[]).unwrap();
    let apis = &config.policy.apis.registered;
    assert_eq!(apis["urn:example:payroll"], Api::default());
    let weather = Api {
        name: Some("The weather".to_owned()),
        clients: ApiClients::All,
        token_format: Some(AccessTokenFormat::Opaque),
        token_lifetime: Some(Duration::from_mins(5)),
        token_signing_alg: Some(SigningAlgorithm::ES256),
        introspected_by: vec!["weather".to_owned()],
        scopes: [(
            "weather.read".to_owned(),
            "Ask how the weather is".to_owned(),
        )]
        .into(),
        has_any_scope: false,
    };
    assert_eq!(apis["https://mcp.example.com/v1.0"], weather);
    assert_eq!(apis.len(), 2);
    // Who may ask for an API may register with its scopes.
    assert_eq!(config.policy.registration.scope.to_string(), "weather.read");

    let shown = config.effective().replace("(hidden)", MASTER_KEY);
    let again = Files::new(&shown).load(&[]).unwrap();
    assert_eq!(again.policy.apis.registered, *apis);
}
