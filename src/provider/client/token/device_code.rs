//! The device grant ([RFC 8628 sections 3.4 and 3.5]): a device asks whether a person has answered.
//!
//! What the person allowed is a grant since then. Redeeming it goes as with an authorization code:
//! read, check, mint, and only then one unit of work that consumes the device code. A lost race is
//! no theft here, as it would be with a code that has travelled through a browser: devices ask over
//! and over, and only the one that holds 256 secret bits can.
//!
//! [RFC 8628 sections 3.4 and 3.5]: https://www.rfc-editor.org/rfc/rfc8628#section-3.4

use crate::oidc::api::Apis;
use crate::oidc::client::Client;
use crate::oidc::grant::Grant;
use crate::oidc::secret::{Digest, Secret, SecretKind};
use crate::oidc::timestamp::Timestamp;
use crate::oidc::token_request::DeviceCodeRequest;
use crate::oidc::token_response::TokenResponse;
use crate::provider::Provider;
use crate::provider::client::dpop::Sender;
use crate::store::device_authorizations::{self, Decision, PresentedDeviceCode};
use crate::store::grants::GrantWithParties;
use crate::store::{Connection, StoreError};

use super::issue::Access;
use super::{TokenError, admit_user};

impl Provider {
    /// Gives a device its tokens once a person has allowed it.
    pub(super) async fn redeem_device_code(
        &self,
        client: &Client,
        digest: Digest,
        presented: PresentedDeviceCode,
        request: &DeviceCodeRequest,
        sender: &Sender,
    ) -> Result<TokenResponse, TokenError> {
        let now = self.clock.now();
        let granted = match check(client, &self.policy.apis, presented, now) {
            Err(TokenError::AuthorizationPending) => return self.pend(digest, now).await,
            result => result?,
        };
        let GrantWithParties { grant, user, .. } = granted;
        let access = Access::all_of(&grant);
        let access = self.access(client, &grant, access, &request.resources)?;
        let confirmation = self.bind(client, sender).await?;
        let earned = self.make_tokens(client, (&grant, &user), access, &confirmation, now);
        let (response, records) = earned.await?;
        let is_first = self
            .store
            .write(move |db| {
                Box::pin(async move {
                    if !device_authorizations::consume(db, &digest, now).await? {
                        return Ok(false);
                    }
                    records.store(db).await?;
                    Ok::<_, StoreError>(true)
                })
            })
            .await?;
        if !is_first {
            return Err(TokenError::UsedDeviceCode);
        }
        Ok(response)
    }

    /// Tells a device to ask again, and to ask less often if it asks too often.
    async fn pend(&self, digest: Digest, now: Timestamp) -> Result<TokenResponse, TokenError> {
        let is_in_time = self
            .store
            .write(move |db| {
                Box::pin(async move { device_authorizations::poll(db, &digest, now).await })
            })
            .await?;
        Err(if is_in_time {
            TokenError::AuthorizationPending
        } else {
            TokenError::SlowDown
        })
    }
}

/// What was issued under the presented device code; `None` if it is none that is known.
pub(super) async fn find_device_code(
    db: &mut Connection,
    request: &DeviceCodeRequest,
) -> Result<Option<(Secret, PresentedDeviceCode)>, StoreError> {
    let Some(code) = Secret::parse(SecretKind::DeviceCode, &request.device_code) else {
        return Ok(None);
    };
    let found = device_authorizations::find_with_grant(db, &code.digest()).await?;
    Ok(found.map(|found| (code, found)))
}

/// What a device code has earned, if it may be redeemed.
fn check(
    client: &Client,
    apis: &Apis,
    presented: PresentedDeviceCode,
    now: Timestamp,
) -> Result<GrantWithParties, TokenError> {
    if presented.client.id != client.id {
        return Err(TokenError::DeviceCodeOfAnotherClient);
    }
    let is_expired = presented.authorization.expires_at <= now;
    let granted = match presented.decision {
        Decision::Granted {
            consumed_at: Some(_),
            ..
        } => return Err(TokenError::UsedDeviceCode),
        _ if is_expired => return Err(TokenError::ExpiredDeviceCode),
        Decision::Pending => return Err(TokenError::AuthorizationPending),
        Decision::Denied => return Err(TokenError::DeviceDenied),
        Decision::Granted { grant, .. } => *grant,
    };
    if granted.revoked_at.is_some() {
        return Err(TokenError::GrantEnded);
    }
    admit_user(client, &granted.user)?;
    // The registration may have changed since the person allowed this.
    let Grant {
        scopes, details, ..
    } = &granted.grant;
    let permitted = scopes.filtered(|scope| {
        client.may_have(scope) || apis.have_scope(&details.resources, scope, client)
    });
    if permitted != *scopes {
        return Err(TokenError::InvalidScope);
    }
    Ok(granted)
}
