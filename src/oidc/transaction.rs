//! Authorization transactions: a request that waits for a person to sign in or to consent.

use super::client::ClientId;
use super::secret::Digest;
use super::timestamp::Timestamp;
use super::user::UserId;

/// An authorization request on its way through the pages, kept under the digest of its handle.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Transaction {
    /// The digest of the cookie of the browser that started it: no other may go on with it.
    pub browser_digest: Digest,
    /// The client that asks.
    pub client_id: ClientId,
    /// The parameters of the request, form-encoded, as the client sent them; of a device, the user
    /// code that was typed, sealed.
    pub request: String,
    /// The digest of the device code, where a device waits for the answer and not a client.
    pub device: Option<Digest>,
    /// The digest of the pushed request that it carries out, if it was pushed.
    pub pushed_digest: Option<Digest>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it is given up.
    pub expires_at: Timestamp,
    /// Who did what follows. A new sign-in by somebody else forgets what was done before.
    pub user_id: Option<UserId>,
    /// When the person signed in on its login page, if they did.
    pub authenticated_at: Option<Timestamp>,
    /// When the person chose to go on with the account they are signed in with.
    pub account_chosen_at: Option<Timestamp>,
    /// When the person allowed what the consent page showed.
    pub consented_at: Option<Timestamp>,
    /// When the answer was sent: nothing more can happen to it.
    pub finished_at: Option<Timestamp>,
}
