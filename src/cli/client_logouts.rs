//! `keyfob client logouts`: what became of the logout tokens to a client.

use serde_json::{Value, json};

use super::output::{instant, table};
use crate::oidc::client::ClientId;
use crate::oidc::logout_token::LogoutDelivery;

/// How many deliveries are shown.
pub const SHOWN: u32 = 50;

/// Deliveries for scripts.
#[must_use]
pub fn to_json(deliveries: &[LogoutDelivery]) -> Value {
    let deliveries = deliveries.iter().map(|delivery| {
        json!({
            "sid": delivery.session_id.to_string(),
            "sub": delivery.user_id.to_string(),
            "state": state(delivery),
            "attempts": delivery.attempts,
            "last_status": delivery.last_status,
            "created_at": delivery.created_at,
            "next_attempt_at": delivery.next_attempt_at,
            "delivered_at": delivery.delivered_at,
            "failed_at": delivery.failed_at,
        })
    });
    json!({ "logouts": deliveries.collect::<Vec<_>>() })
}

/// Deliveries for people.
#[must_use]
pub fn to_text(client: &ClientId, deliveries: &[LogoutDelivery]) -> String {
    if deliveries.is_empty() {
        return format!(
            "No logout token went to {client} in the last week. Those go to clients with a \
             backchannel_logout_uri, when a session ends in which they were signed in to."
        );
    }
    let rows = deliveries.iter().map(|delivery| {
        let due = delivery.next_attempt_at.map(instant);
        [
            instant(delivery.created_at),
            delivery.session_id.to_string(),
            state(delivery).to_owned(),
            delivery.attempts.to_string(),
            delivery.last_status.clone().unwrap_or_default(),
            due.unwrap_or_default(),
        ]
    });
    table(
        [
            "Ended",
            "Session",
            "State",
            "Attempts",
            "Last status",
            "Next attempt",
        ],
        rows.collect(),
    )
}

const fn state(delivery: &LogoutDelivery) -> &'static str {
    match (&delivery.delivered_at, &delivery.failed_at) {
        (Some(_), _) => "delivered",
        (None, Some(_)) => "failed",
        (None, None) => "waiting",
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::oidc::session::SessionId;
    use crate::oidc::timestamp::Timestamp;
    use crate::oidc::user::UserId;

    #[test]
    fn each_delivery_is_shown_with_its_state() {
        let waiting = LogoutDelivery {
            id: Uuid::nil(),
            client_id: "shop".parse().unwrap(),
            session_id: SessionId(Uuid::nil()),
            user_id: UserId(Uuid::nil()),
            target: "https://shop.example".to_owned(),
            attempts: 1,
            last_status: Some("503".to_owned()),
            created_at: Timestamp(0),
            next_attempt_at: Some(Timestamp(30)),
            delivered_at: None,
            failed_at: None,
        };
        let delivered = LogoutDelivery {
            next_attempt_at: None,
            delivered_at: Some(Timestamp(1)),
            ..waiting.clone()
        };
        let failed = LogoutDelivery {
            next_attempt_at: None,
            failed_at: Some(Timestamp(1)),
            ..waiting.clone()
        };
        let all = [waiting, delivered, failed];
        let text = to_text(&all[0].client_id, &all);
        let json = to_json(&all);
        for (index, state) in ["waiting", "delivered", "failed"].iter().enumerate() {
            assert!(text.contains(state), "{text}");
            assert_eq!(json["logouts"][index]["state"], *state);
        }
        assert!(text.contains("1970-01-01T00:00:30Z"), "{text}");
        assert!(to_text(&all[0].client_id, &[]).contains("shop"));
    }
}
