//! What an authorization request asks for, wherever that stands: in the address that the browser
//! came with, or in what the client pushed before ([RFC 9126 section 4]).
//!
//! [RFC 9126 section 4]: https://www.rfc-editor.org/rfc/rfc9126#section-4

use crate::oidc::authorization_request::{self, Refusal, UntrustedRequest};
use crate::oidc::authorization_response::ReturnAddress;
use crate::oidc::client::Client;
use crate::oidc::parameters::Parameters;
use crate::oidc::pushed_authorization_request::{is_reference, reference};
use crate::oidc::secret::{Digest, Secret};
use crate::provider::Provider;
use crate::store::{Connection, pushed_authorization_requests};

use super::authorization::AuthorizationError;

/// What came of looking for the request.
pub(super) enum Asked {
    /// These parameters count, and no others.
    For {
        /// The parameters.
        parameters: Parameters,
        /// The pushed request that they are of, to be used up by what is granted.
        pushed: Option<Digest>,
    },
    /// The client is to be told why not.
    Wrongly(ReturnAddress, Refusal),
}

impl Provider {
    /// What `client` asks for with the parameters that the browser came with.
    pub(super) async fn find_request(
        &self,
        db: &mut Connection,
        client: &Client,
        sent: Parameters,
    ) -> Result<Asked, AuthorizationError> {
        let request_uri = sent.get("request_uri").unwrap_or_default();
        match request_uri {
            Some(request_uri) if is_reference(request_uri) => {
                let reference = reference(request_uri);
                let reference = reference.ok_or(UntrustedRequest::RequestUriUnknown)?;
                self.find_pushed(db, client, &sent, &reference).await
            }
            _ => Ok(Asked::For {
                parameters: sent,
                pushed: None,
            }),
        }
    }

    /// What `client` pushed. Of what the browser came with, only `client_id` and `request_uri`
    /// count ([RFC 9101 section 6.3], which RFC 9126 refers to).
    ///
    /// [RFC 9101 section 6.3]: https://www.rfc-editor.org/rfc/rfc9101#section-6.3
    async fn find_pushed(
        &self,
        db: &mut Connection,
        client: &Client,
        sent: &Parameters,
        reference: &Secret,
    ) -> Result<Asked, AuthorizationError> {
        let digest = reference.digest();
        let pushed = pushed_authorization_requests::find(db, &digest).await?;
        let pushed = pushed.filter(|pushed| pushed.client_id == client.id);
        let pushed = pushed.ok_or(UntrustedRequest::RequestUriUnknown)?;
        let parameters = Parameters::parse(&pushed.request);
        let parameters = parameters.map_err(|_| UntrustedRequest::RequestUriUnknown)?;
        let refusal = if pushed.used_at.is_some() {
            Some(Refusal::RequestUriUsed)
        } else if pushed.expires_at <= self.clock.now() {
            Some(Refusal::RequestUriExpired)
        } else if sent.has("request") {
            Some(Refusal::RequestBesideRequestUri)
        } else {
            None
        };
        Ok(match refusal {
            None => Asked::For {
                parameters,
                pushed: Some(digest),
            },
            Some(refusal) => Asked::Wrongly(
                authorization_request::return_address(&parameters, client)?,
                refusal,
            ),
        })
    }

    /// Whether `client` must push its requests ([RFC 9126 sections 5 and 6]).
    ///
    /// [RFC 9126 sections 5 and 6]: https://www.rfc-editor.org/rfc/rfc9126#section-5
    pub(super) fn must_push(&self, client: &Client) -> bool {
        self.policy.require_pushed_authorization_requests
            || client.metadata.require_pushed_authorization_requests
    }
}
