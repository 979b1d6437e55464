//! Which scopes an authorization request gets, and for which APIs ([RFC 6749 section 3.3],
//! [RFC 8707 section 2.1]).
//!
//! [RFC 6749 section 3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
//! [RFC 8707 section 2.1]: https://www.rfc-editor.org/rfc/rfc8707#section-2.1

use super::api::{self, Apis, InvalidTarget};
use super::authorization_request::Refusal;
use super::client::Client;
use super::grant_type::GrantType;
use super::parameters::Parameters;
use super::policy::Policy;
use super::response_type::ResponseType;
use super::scope::{OFFLINE_ACCESS, OPENID, Scopes};

/// The requested scopes that the client may have.
pub(super) fn scopes(
    parameters: &Parameters,
    client: &Client,
    policy: &Policy,
    (response_type, resources): (ResponseType, &[String]),
) -> Result<Scopes, Refusal> {
    let requested: Scopes = match parameters.get("scope")? {
        Some(requested) => requested.parse().map_err(|_| Refusal::InvalidScope)?,
        // RFC 6749 section 3.3: what an API has is the default of who asks for the API alone.
        None if !resources.is_empty() => policy.apis.scopes_of(resources),
        None => return Err(Refusal::InvalidScope),
    };
    let grant_types = &client.metadata.grant_types;
    // OIDC Core section 11: without a code there is no refresh token to ask for.
    let may_refresh = grant_types.contains(GrantType::RefreshToken) && response_type.has_code();
    let permitted = permitted(&requested, client, &policy.apis, resources)
        .filtered(|scope| may_refresh || scope != OFFLINE_ACCESS);
    // An API need not have scopes: who it is for is in the token, too.
    let is_empty = permitted.is_empty() && resources.is_empty();
    let lacks_openid = response_type.has_id_token() && !permitted.contains(OPENID);
    if is_empty || lacks_openid {
        return Err(Refusal::InvalidScope);
    }
    Ok(permitted)
}

/// Those of `requested` that `client` may have, of its own or at one of `resources`.
pub(super) fn permitted(
    requested: &Scopes,
    client: &Client,
    apis: &Apis,
    resources: &[String],
) -> Scopes {
    requested.filtered(|scope| client.may_have(scope) || apis.have_scope(resources, scope, client))
}

/// The requested resources, all of which the client may ask for.
pub(super) fn resources(
    parameters: &Parameters,
    client: &Client,
    policy: &Policy,
    response_type: ResponseType,
) -> Result<Vec<String>, Refusal> {
    let resources = policy.apis.admit(api::named(parameters), client)?;
    // One token can come through the browser, and a token is for one API.
    if response_type.has_token() && resources.len() > 1 {
        return Err(InvalidTarget.into());
    }
    Ok(resources)
}
