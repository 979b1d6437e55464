//! What an authorization request asks for, wherever that stands: in the address that the browser
//! came with, in a request object ([RFC 9101]), or in what the client pushed before
//! ([RFC 9126 section 4]).
//!
//! [RFC 9101]: https://www.rfc-editor.org/rfc/rfc9101
//! [RFC 9126 section 4]: https://www.rfc-editor.org/rfc/rfc9126#section-4

use crate::oidc::authorization_request::{self, Refusal, UntrustedRequest};
use crate::oidc::authorization_response::ReturnAddress;
use crate::oidc::client::Client;
use crate::oidc::parameters::Parameters;
use crate::oidc::pushed_authorization_request::{is_reference, reference};
use crate::oidc::request_uri::RequestUriRefusal;
use crate::oidc::secret::{Digest, Secret};
use crate::provider::Provider;
use crate::store::{Connection, Lease, pushed_authorization_requests};

use super::authorization::AuthorizationError;

/// What a client asks for.
pub(super) struct Asked {
    /// The parameters that count: these and no others.
    pub(super) parameters: Parameters,
    /// The pushed request that they are of, to be used up by what is granted.
    pub(super) pushed: Option<Digest>,
    /// The connection, for what comes next.
    pub(super) db: Lease,
}

/// A request that is not to be had, of which the client is to be told.
pub(super) struct Unheard {
    /// Where.
    pub(super) return_address: ReturnAddress,
    /// Why.
    pub(super) refusal: Refusal,
    /// The connection, for what comes next.
    pub(super) db: Lease,
}

impl Provider {
    /// What `client` asks for with the parameters that the browser came with.
    pub(super) async fn find_request(
        &self,
        mut db: Lease,
        client: &Client,
        sent: Parameters,
    ) -> Result<Result<Asked, Unheard>, AuthorizationError> {
        let (request, request_uri) = match (sent.get("request"), sent.get("request_uri")) {
            (Ok(request), Ok(request_uri)) => (request, request_uri),
            (Err(repeated), _) | (_, Err(repeated)) => {
                return beside(db, client, &sent, Refusal::Repeated(repeated));
            }
        };
        if let Some(request_uri) = request_uri.filter(|uri| is_reference(uri)) {
            let reference = reference(request_uri);
            let reference = reference.ok_or(UntrustedRequest::RequestUriUnknown)?;
            let pushed = self.find_pushed(&mut db, client, &sent, &reference).await?;
            return Ok(match pushed {
                Ok(parameters) => Ok(Asked {
                    parameters,
                    pushed: Some(reference.digest()),
                    db,
                }),
                Err((return_address, refusal)) => Err(Unheard {
                    return_address,
                    refusal,
                    db,
                }),
            });
        }
        if request.is_none() && request_uri.is_none() {
            if client.metadata.require_signed_request_object {
                return beside(db, client, &sent, Refusal::NoRequestObject);
            }
            return Ok(Ok(Asked {
                parameters: sent,
                pushed: None,
                db,
            }));
        }
        // Keys and request objects may have to be fetched; no connection waits for that.
        drop(db);
        let read = self
            .find_request_object(client, &sent, request, request_uri)
            .await;
        let db = self.store.read().await?;
        match read {
            Ok(parameters) => Ok(Ok(Asked {
                parameters,
                pushed: None,
                db,
            })),
            Err(refusal) => beside(db, client, &sent, refusal),
        }
    }

    /// What `client` pushed, or why it is not to be had. Of what the browser came with, only
    /// `client_id` and `request_uri` count ([RFC 9101 section 6.3], which RFC 9126 refers to).
    ///
    /// [RFC 9101 section 6.3]: https://www.rfc-editor.org/rfc/rfc9101#section-6.3
    async fn find_pushed(
        &self,
        db: &mut Connection,
        client: &Client,
        sent: &Parameters,
        reference: &Secret,
    ) -> Result<Result<Parameters, (ReturnAddress, Refusal)>, AuthorizationError> {
        let pushed = pushed_authorization_requests::find(db, &reference.digest()).await?;
        let pushed = pushed.filter(|pushed| pushed.client_id == client.id);
        let pushed = pushed.ok_or(UntrustedRequest::RequestUriUnknown)?;
        let parameters = Parameters::parse(&pushed.request);
        let parameters = parameters.map_err(|_| UntrustedRequest::RequestUriUnknown)?;
        let refusal = if pushed.used_at.is_some() {
            RequestUriRefusal::Used
        } else if pushed.expires_at <= self.clock.now() {
            RequestUriRefusal::Expired
        } else if sent.has("request") {
            RequestUriRefusal::BesideRequest
        } else {
            return Ok(Ok(parameters));
        };
        let return_address = authorization_request::return_address(&parameters, client)?;
        Ok(Err((return_address, refusal.into())))
    }

    /// What is asked for in a request object, by value or by reference.
    async fn find_request_object(
        &self,
        client: &Client,
        sent: &Parameters,
        request: Option<&str>,
        request_uri: Option<&str>,
    ) -> Result<Parameters, Refusal> {
        let fetched;
        let text = match (request, request_uri) {
            // OIDC Core section 6.1, RFC 9101 section 5.
            (Some(_), Some(_)) => return Err(RequestUriRefusal::BesideRequest.into()),
            (Some(text), None) => text,
            (None, uri) => {
                fetched = self.fetch_request_object(client, uri.unwrap_or_default());
                &fetched.await?
            }
        };
        Ok(self.read_request_object(client, text, sent).await?)
    }

    /// Whether `client` must push its requests ([RFC 9126 sections 5 and 6]).
    ///
    /// [RFC 9126 sections 5 and 6]: https://www.rfc-editor.org/rfc/rfc9126#section-5
    pub(super) fn must_push(&self, client: &Client) -> bool {
        self.policy.require_pushed_authorization_requests
            || client.metadata.require_pushed_authorization_requests
            || client.metadata.profile.requires_pushed_requests()
    }
}

/// Tells the client that its request object is refused, at the redirect URI beside it; the person,
/// if there is none.
fn beside(
    db: Lease,
    client: &Client,
    sent: &Parameters,
    refusal: Refusal,
) -> Result<Result<Asked, Unheard>, AuthorizationError> {
    match authorization_request::return_address(sent, client) {
        Ok(return_address) => Ok(Err(Unheard {
            return_address,
            refusal,
            db,
        })),
        Err(_) => Err(UntrustedRequest::Unreadable(refusal).into()),
    }
}
