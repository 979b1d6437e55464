//! What `keyfob client add` was given, as values.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::client::AddClient;
use super::exit::{CliError, Exit};
use super::input::{Source, kind, read_object};
use crate::oidc::client::ClientId;
use crate::oidc::client_authentication_method::ClientAuthenticationMethod;
use crate::oidc::client_metadata::ClientMetadata;
use crate::oidc::grant_type::{GrantType, GrantTypes};
use crate::oidc::profile;
use crate::oidc::response_type::ResponseTypes;

/// A client as the operator described it.
#[derive(Debug)]
pub struct DescribedClient {
    /// Its identifier, where the operator chose one.
    pub client_id: Option<ClientId>,
    /// Its secret, where the operator chose one.
    pub client_secret: Option<Zeroizing<String>>,
    /// What it registers.
    pub metadata: ClientMetadata,
}

/// Clients as the operator described them, and what of it Keyfob does not know.
#[derive(Debug)]
pub struct DescribedClients {
    /// The clients.
    pub clients: Vec<DescribedClient>,
    /// Whether they came as a list, and not as one client.
    pub is_list: bool,
    /// Sentences about members that were ignored or are unwise.
    pub warnings: Vec<String>,
}

/// Reads the clients that `arguments` describe, or those of the file that they name.
///
/// # Errors
///
/// What is wrong with which member of which client.
pub fn read(arguments: &AddClient) -> Result<DescribedClients, CliError> {
    match arguments.metadata.clone().map(Source::from) {
        Some(file) => from_json(&file.name(), file.read_json()?),
        None => Ok(DescribedClients {
            clients: vec![from_arguments(arguments)],
            is_list: false,
            warnings: Vec::new(),
        }),
    }
}

fn from_arguments(arguments: &AddClient) -> DescribedClient {
    let grant_types = if arguments.grant_types.is_empty() {
        GrantTypes::default()
    } else {
        GrantTypes(arguments.grant_types.clone())
    };
    let response_types = if grant_types.contains(GrantType::AuthorizationCode) {
        ResponseTypes::default()
    } else {
        ResponseTypes(Vec::new())
    };
    let token_endpoint_auth_method = if arguments.public {
        ClientAuthenticationMethod::None
    } else {
        ClientAuthenticationMethod::default()
    };
    DescribedClient {
        client_id: arguments.client_id.clone(),
        client_secret: None,
        metadata: ClientMetadata {
            client_name: arguments.name.clone(),
            redirect_uris: arguments.redirect_uris.clone(),
            token_endpoint_auth_method,
            grant_types,
            response_types,
            scope: arguments.scope.clone(),
            ..ClientMetadata::default()
        },
    }
}

/// Reads one object of client metadata, or an object with a list of them.
fn from_json(name: &str, json: Value) -> Result<DescribedClients, CliError> {
    let invalid = |message: String| CliError::new(Exit::Invalid, message);
    let not_an_object =
        |what: &str, value: &Value| invalid(format!("{what} is {} and not an object", kind(value)));
    let mut object = match json {
        Value::Object(object) => object,
        other => return Err(not_an_object(name, &other)),
    };
    let mut described = DescribedClients {
        clients: Vec::new(),
        is_list: object.contains_key("clients"),
        warnings: Vec::new(),
    };
    let objects = match object.remove("clients") {
        None => vec![Value::Object(object)],
        Some(Value::Array(clients)) => clients,
        Some(other) => {
            let message = format!("{name}: clients is {} and not a list", kind(&other));
            return Err(invalid(message));
        }
    };
    let is_one = objects.len() == 1;
    for (index, object) in objects.into_iter().enumerate() {
        let what = if is_one {
            name.to_owned()
        } else {
            format!("{name}: clients[{index}]")
        };
        let Value::Object(object) = object else {
            return Err(not_an_object(&what, &object));
        };
        let client = from_object(&what, object, &mut described.warnings)?;
        described.clients.push(client);
    }
    Ok(described)
}

fn from_object(
    what: &str,
    mut object: Map<String, Value>,
    warnings: &mut Vec<String>,
) -> Result<DescribedClient, CliError> {
    let invalid = |message: String| CliError::new(Exit::Invalid, format!("{what}: {message}"));
    let mut take = |name: &str| match object.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(invalid(format!(
            "{name} is {} and not a string",
            kind(&other)
        ))),
    };
    let client_id: Option<ClientId> = take("client_id")?
        .map(|text| text.parse())
        .transpose()
        .map_err(|error| invalid(format!("client_id: {error}")))?;
    let client_secret = take("client_secret")?.map(Zeroizing::new);
    for name in RESPONSE_ONLY {
        object.remove(*name);
    }
    profile::complete(&mut object);
    let (metadata, unknown): (ClientMetadata, _) = read_object(what, &object)?;
    if client_secret.is_some() && !metadata.token_endpoint_auth_method.has_secret() {
        let method = metadata.token_endpoint_auth_method.as_str();
        let message = format!(
            "client_secret is given and token_endpoint_auth_method is {method}: \
             such a client has no secret"
        );
        return Err(invalid(message));
    }
    warnings.extend(
        unknown
            .into_iter()
            .map(|name| format!("{what}: {name} is ignored: Keyfob does not know it")),
    );
    let is_short = |secret: &Zeroizing<String>| secret.len() < GUESSABLE;
    if client_secret.as_ref().is_some_and(is_short) {
        warnings.push(format!(
            "{what}: client_secret is short enough to be guessed; without one, Keyfob makes one of \
             256 random bits"
        ));
    }
    if metadata.allow_public_without_pkce {
        warnings.push(format!(
            "{what}: allow_public_without_pkce lets whoever catches a code of this client redeem it \
             (RFC 9700 section 2.1.1)"
        ));
    }
    Ok(DescribedClient {
        client_id,
        client_secret,
        metadata,
    })
}

/// Below this many characters a secret that somebody chose is suspect.
const GUESSABLE: usize = 20;

/// Members of a registration response that are no metadata, so that what Keyfob wrote can be read
/// back.
const RESPONSE_ONLY: &[&str] = &[
    "client_id_issued_at",
    "client_secret_expires_at",
    "previous_client_secret_expires_at",
    "disabled_at",
    "self_registered_at",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_object_or_a_list_of_them_is_read() {
        let one = json!({"client_id": "shop", "client_secret": "s3cret", "client_name": "Shop",
            "redirect_uris": ["https://shop.example/cb"], "client_id_issued_at": 1,
            "skip_consent": false, "contacts": [], "software_statement": "x"});
        let described = from_json("shop.json", one.clone()).unwrap();
        assert_eq!(described.clients.len(), 1);
        let client = &described.clients[0];
        assert_eq!(client.client_id.as_ref().unwrap().as_str(), "shop");
        assert_eq!(client.client_secret.as_deref().unwrap(), "s3cret");
        assert_eq!(client.metadata.redirect_uris.len(), 1);
        assert_eq!(
            described.warnings,
            [
                "shop.json: software_statement is ignored: Keyfob does not know it",
                "shop.json: client_secret is short enough to be guessed; without one, Keyfob \
                 makes one of 256 random bits"
            ]
        );

        let many = json!({"clients": [one, {"client_name": "Other"}]});
        let described = from_json("clients.json", many).unwrap();
        assert_eq!((described.clients.len(), described.is_list), (2, true));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (json, expected) in [
            (json!([]), "f.json is a list and not an object"),
            (
                json!({"clients": {}}),
                "f.json: clients is an object and not a list",
            ),
            (
                json!({"clients": [{}, 1]}),
                "f.json: clients[1] is a number and not an object",
            ),
            (
                json!({"clients": [{}, {"redirect_uris": ["/cb"]}]}),
                "f.json: clients[1]: redirect_uris: redirect URI \"/cb\": ",
            ),
            (
                json!({"client_id": 1}),
                "f.json: client_id is a number and not a string",
            ),
            (
                json!({"client_id": ""}),
                "f.json: client_id: a client_id is 1 to 255",
            ),
            (json!({"scope": ["a"]}), "f.json: scope: invalid type"),
            (
                json!({"token_endpoint_auth_method": "saml2_bearer"}),
                "f.json: token_endpoint_auth_method: unknown variant",
            ),
            (
                json!({"token_endpoint_auth_method": "none", "client_secret": "s3cret"}),
                "f.json: client_secret is given",
            ),
        ] {
            let error = from_json("f.json", json).unwrap_err();
            assert_eq!(error.exit, Exit::Invalid);
            assert!(error.message.starts_with(expected), "{}", error.message);
        }
    }

    #[test]
    fn arguments_describe_the_usual_kinds_of_client() {
        let machine = from_arguments(&AddClient {
            grant_types: vec![GrantType::ClientCredentials],
            ..AddClient::default()
        });
        assert!(machine.metadata.response_types.0.is_empty());
        let public = from_arguments(&AddClient {
            public: true,
            ..AddClient::default()
        });
        assert_eq!(
            public.metadata.token_endpoint_auth_method,
            ClientAuthenticationMethod::None
        );
        assert_eq!(public.metadata.grant_types, GrantTypes::default());
    }
}
